//! How the processes run.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::OutOfRange;

/// Names, priorities and limits of the processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workers {
    /// The name of the supervisor; the program's own if `None` (`process_name`).
    pub supervisor_name: Option<String>,
    /// `vrrp_*`.
    pub vrrp: Worker,
    /// `checker_*`.
    pub checker: Worker,
    /// `bfd_*`.
    pub bfd: Worker,
    /// What a process does that runs late (`max_auto_priority`).
    pub auto_priority: AutoPriority,
}

/// How one process runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// Its name; the supervisor's if `None` (`vrrp_process_name`, `process_names`).
    pub name: Option<String>,
    /// Its nice value, inherited if 0 (`vrrp_priority`).
    pub nice: Nice,
    /// Its memory is never swapped out (`vrrp_no_swap`).
    pub no_swap: bool,
    /// Round robin real-time scheduling (`vrrp_rt_priority`).
    pub real_time: Option<RealTime>,
    /// Real-time CPU time that it may use without a pause, at least 2 µs (`vrrp_rlimit_rttime`).
    pub real_time_limit: Duration,
    /// The CPUs that it may run on, in order; all if there is none (`vrrp_cpu_affinity`).
    pub cpus: Vec<u16>,
}

impl Worker {
    /// The bytes that the kernel keeps of the name of a process.
    pub const NAME_BYTES: usize = 15;
    /// The real-time limit unless configured.
    pub const REAL_TIME_LIMIT: Duration = Duration::from_millis(10);
    /// One more than the greatest CPU number that an affinity mask has room for.
    pub const MOST_CPUS: u16 = 1024;
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            name: None,
            nice: Nice::default(),
            no_swap: false,
            real_time: None,
            real_time_limit: Self::REAL_TIME_LIMIT,
            cpus: Vec::new(),
        }
    }
}

/// A nice value, -20..=19.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i8", into = "i8")]
pub struct Nice(i8);

impl Nice {
    /// The number.
    #[must_use]
    pub const fn get(self) -> i8 {
        self.0
    }
}

impl TryFrom<i8> for Nice {
    type Error = OutOfRange;

    fn try_from(nice: i8) -> Result<Self, OutOfRange> {
        if (-20..=19).contains(&nice) { Ok(Self(nice)) } else { Err(OutOfRange::Nice) }
    }
}

impl From<Nice> for i8 {
    fn from(nice: Nice) -> Self {
        nice.0
    }
}

/// A real-time priority, 1..=99.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct RealTime(u8);

impl RealTime {
    /// The least.
    pub const LEAST: Self = Self(1);
    /// The most.
    pub const MOST: Self = Self(99);

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for RealTime {
    type Error = OutOfRange;

    fn try_from(priority: u8) -> Result<Self, OutOfRange> {
        if (1..=99).contains(&priority) { Ok(Self(priority)) } else { Err(OutOfRange::RealTime) }
    }
}

impl From<RealTime> for u8 {
    fn from(priority: RealTime) -> Self {
        priority.0
    }
}

/// What a process does that runs late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoPriority {
    /// The real-time priority up to which it may raise itself (`max_auto_priority`).
    pub most: Option<RealTime>,
    /// It says at the start that it will not (off: `max_auto_priority -1`).
    pub notice: bool,
    /// How late a timer must be, in microseconds (`min_auto_priority_delay`).
    pub after_micros: NonZeroU32,
}

impl Default for AutoPriority {
    fn default() -> Self {
        Self { most: None, notice: true, after_micros: NonZeroU32::MIN.saturating_add(999_999) }
    }
}
