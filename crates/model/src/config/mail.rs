//! Alert mail.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Alert mail. Nothing is sent unless there is a server and a recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Who takes the mails (`smtp_server`).
    pub server: Option<MailServer>,
    /// The name in the SMTP greeting; the host's name if `None` (`smtp_helo_name`).
    pub helo: Option<String>,
    /// The sender; the daemon's user at the host's name if `None` (`notification_email_from`).
    pub from: Option<String>,
    /// The recipients (`notification_email`).
    pub to: Vec<String>,
    /// How long a connection may take (`smtp_connect_timeout`).
    pub connect_timeout: Duration,
    /// State changes to FAULT are mailed too (off: `no_email_faults`).
    pub faults: bool,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            server: None,
            helo: None,
            from: None,
            to: Vec::new(),
            connect_timeout: Duration::from_secs(30),
            faults: true,
        }
    }
}

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailServer {
    /// Which host.
    pub host: Host,
    /// Its port, 25 unless configured.
    pub port: NonZeroU16,
}

impl MailServer {
    /// The port of SMTP.
    pub const PORT: NonZeroU16 = NonZeroU16::MIN.saturating_add(24);
}

/// A host by address or by a name to look up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Host {
    /// Its address.
    Address(IpAddr),
    /// Its name, looked up when it is needed.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}
