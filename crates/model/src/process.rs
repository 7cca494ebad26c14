//! Where and how the daemon's processes run (the top level's own keywords).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Namespaces and pid files.
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
