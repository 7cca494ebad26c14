//! Fifos that state changes are written to, and the scripts around the daemon's life.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::vrrp::{Command, RunAs};

/// A script that runs once at the start or at the end of the daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleScript {
    /// What to run.
    pub command: Command,
    /// After which it is killed (`startup_script_timeout`, `shutdown_script_timeout`).
    pub timeout: Duration,
}

impl LifecycleScript {
    /// How long it may run unless configured.
    pub const TIMEOUT: Duration = Duration::from_secs(10);
}

/// Where state changes are written to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fifos {
    /// All changes (`notify_fifo`).
    pub all: Option<Fifo>,
    /// Changes of virtual routers and sync groups (`vrrp_notify_fifo`).
    pub vrrp: Option<Fifo>,
    /// Changes of virtual and real servers (`lvs_notify_fifo`).
    pub lvs: Option<Fifo>,
    /// After a reload all states are written again (`fifo_write_vrrp_states_on_reload`).
    pub states_on_reload: bool,
}

/// A named pipe, made if it is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fifo {
    /// Its path.
    pub path: String,
    /// Who owns it; the user of scripts by default.
    pub owner: RunAs,
    /// What reads it (`notify_fifo_script` and its like). The path is its last argument.
    pub reader: Option<Command>,
}
