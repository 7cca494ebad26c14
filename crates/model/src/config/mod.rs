//! The whole resolved configuration.

use serde::{Deserialize, Serialize};

use crate::vrrp::RunAs;
use crate::{Process, bfd, lvs, vrrp};

mod defaults;
mod files;
mod filter;
mod ipvs;
mod mail;
mod notify;
mod process;
mod reload;
mod routers;
mod snmp;

pub use defaults::Defaults;
pub use files::{Dump, Dumps, Files, IproutePaths, JsonLayout, Umask};
pub use filter::{Filter, IpSets, Iptables, IpvsMarks, Nftables};
pub use ipvs::{Checkers, Flush, IpvsGlobals, IpvsTimeouts, SyncDaemon, SyncTransport};
pub use mail::{Host, Mail, MailServer};
pub use notify::{Fifo, Fifos, LifecycleScript};
pub use process::{AutoPriority, Nice, RealTime, Worker, Workers};
pub use reload::{IncludeCheck, Reload, ReloadFile, Validation};
pub use routers::{Buffer, DynamicInterfaces, NetlinkBuffers, ReceiveBuffers, RouterGlobals, StartDelay};
pub use snmp::{Dbus, Snmp, SnmpStatistics};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Global {
    /// What instances and servers fall back on.
    pub defaults: Defaults,
    /// How this machine calls itself in mails and traps (`router_id`); the host's name if `None`.
    pub router_id: Option<String>,
    /// Scripts run as root whose path others can write are not run (`enable_script_security`).
    pub script_security: bool,
    /// Whose rights scripts have that name no user (`script_user`).
    pub script_user: RunAs,
    /// Scripts have the supplementary groups of their user as well (`set_supplementary_groups`).
    pub supplementary_groups: bool,
    /// Symbolic links in the paths of scripts stay as they are written (`use_symlink_paths`).
    pub script_links: bool,
    /// What runs once before the workers start (`startup_script`).
    pub startup: Option<LifecycleScript>,
    /// What runs once after the workers have ended (`shutdown_script`).
    pub shutdown: Option<LifecycleScript>,
    /// Where state changes are written to.
    pub fifos: Fifos,
    /// Where and how alert mails are sent.
    pub mail: Mail,
    /// Names, priorities and limits of the processes.
    pub workers: Workers,
    /// What all virtual routers share.
    pub routers: RouterGlobals,
    /// What all virtual servers share.
    pub checkers: Checkers,
    /// The kernel's IPVS as a whole.
    pub ipvs: IpvsGlobals,
    /// How packets are filtered and marked.
    pub filter: Filter,
    /// The SNMP agent.
    pub snmp: Snmp,
    /// The D-Bus service (`enable_dbus`).
    pub dbus: Option<Dbus>,
    /// How and when the files are read again.
    pub reload: Reload,
    /// Files that the daemon writes and tables that it reads.
    pub files: Files,
}

impl Default for Global {
    fn default() -> Self {
        Self {
            defaults: Defaults::default(),
            router_id: None,
            script_security: false,
            script_user: RunAs::Default,
            supplementary_groups: false,
            script_links: false,
            startup: None,
            shutdown: None,
            fifos: Fifos::default(),
            mail: Mail::default(),
            workers: Workers::default(),
            routers: RouterGlobals::default(),
            checkers: Checkers::default(),
            ipvs: IpvsGlobals::default(),
            filter: Filter::default(),
            snmp: Snmp::default(),
            dbus: None,
            reload: Reload::default(),
            files: Files::default(),
        }
    }
}
