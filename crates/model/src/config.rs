//! The whole resolved configuration.

use serde::{Deserialize, Serialize};

use crate::{Process, bfd, lvs, vrrp};

/// All that a set of configuration files means, defaults applied and names resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Settings of the whole daemon.
    pub global: Global,
    /// Where and how its processes run.
    pub process: Process,
    /// What the vrrp worker gets.
    pub vrrp: vrrp::Config,
    /// What the bfd worker gets.
    pub bfd: Vec<bfd::Session>,
    /// What the check worker gets.
    pub lvs: lvs::Config,
}

/// Settings of the whole daemon (`global_defs`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Global {
    /// How this machine calls itself in mails and traps (`router_id`); the host's name if `None`.
    pub router_id: Option<String>,
    /// Scripts run as root whose path others can write are not run (`enable_script_security`).
    pub script_security: bool,
    /// Where and how alert mails are sent.
    pub mail: Mail,
}

/// Alert mail. Nothing is sent unless there is a server and a recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// `smtp_server`: host or address, and port.
    pub server: Option<(String, u16)>,
    /// `notification_email_from`.
    pub from: Option<String>,
    /// `notification_email`.
    pub to: Vec<String>,
    /// `smtp_connect_timeout`.
    pub connect_timeout: std::time::Duration,
}

impl Default for Mail {
    fn default() -> Self {
        Self { server: None, from: None, to: Vec::new(), connect_timeout: std::time::Duration::from_secs(30) }
    }
}
