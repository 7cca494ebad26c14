//! Where and how the daemon's processes run (the top level's own keywords).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::IfName;

/// Namespaces, pid files, and how links are watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Where the daemon runs (`net_namespace`).
    pub net_namespace: Namespace,
    /// Where the IPVS tables are (`net_namespace_ipvs`).
    pub ipvs_namespace: Namespace,
    /// ipsets may be used together with a network namespace, which kernels before 3.13 cannot do
    /// (`namespace_with_ipsets`).
    pub ipsets_in_namespace: bool,
    /// The name of this daemon among several (`instance`).
    pub instance: Option<String>,
    /// Pid files stand in a directory of their own (`use_pid_dir`, `instance`, `net_namespace`).
    pub pid_directory: bool,
    /// How long workers may take to end before they are killed (`child_wait_time`).
    pub child_wait: Duration,
    /// The links of all virtual routers are polled (`linkbeat_use_polling`).
    pub poll_links: bool,
    /// Interfaces whose links are polled (`linkbeat_interfaces`), each once.
    pub polled: Vec<PolledLink>,
    /// How long changes of a link wait before they count (`interface_up_down_delays`), each interface once.
    pub link_delays: Vec<LinkDelay>,
}

impl Process {
    /// How long workers may take to end unless configured.
    pub const CHILD_WAIT: Duration = Duration::from_secs(5);
}

impl Default for Process {
    fn default() -> Self {
        Self {
            net_namespace: Namespace::Own,
            ipvs_namespace: Namespace::Own,
            ipsets_in_namespace: false,
            instance: None,
            pid_directory: false,
            child_wait: Self::CHILD_WAIT,
            poll_links: false,
            polled: Vec::new(),
            link_delays: Vec::new(),
        }
    }
}

/// A network namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Namespace {
    /// The one that the daemon was started in.
    Own,
    /// The one of this name, as `ip netns` knows it.
    Named(String),
}

/// An interface whose link is polled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolledLink {
    /// Which.
    pub interface: IfName,
    /// How.
    pub method: PollMethod,
}

/// How the state of a link is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PollMethod {
    /// The first of the others that works.
    FirstThatWorks,
    /// The registers of the interface (`MII`).
    Mii,
    /// `ETHTOOL`.
    Ethtool,
    /// The flags of the interface (`IOCTL`).
    Ioctl,
}

/// How long changes of a link wait before they count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkDelay {
    /// Which interface.
    pub interface: IfName,
    /// Before it is down.
    pub down: Duration,
    /// Before it is up.
    pub up: Duration,
}
