//! Check scripts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::vrrp::Command;
use crate::{Influence, Weight};

/// A check that runs periodically (`vrrp_script`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// Its name.
    pub name: String,
    /// What to run.
    pub command: Command,
    /// Between the starts of two runs.
    pub interval: Duration,
    /// After which a run is killed and counts as failed.
    pub timeout: Duration,
    /// Successes in a row that make it up, at least 1.
    pub rise: u32,
    /// Failures in a row that make it down, at least 1.
    pub fall: u32,
    /// The effect where a tracker does not say its own.
    pub influence: Influence,
    /// It counts as failed until it has succeeded (`init_fail`).
    pub init_fail: bool,
}

impl Script {
    /// A script with keepalived's defaults: every second, one success or failure decides, a failure is a fault.
    #[must_use]
    pub fn new(name: &str, command: Command) -> Self {
        let second = Duration::from_secs(1);
        Self {
            name: name.to_owned(),
            command,
            interval: second,
            timeout: second,
            rise: 1,
            fall: 1,
            influence: Influence { weight: Weight::FAULT, reverse: false },
            init_fail: false,
        }
    }
}
