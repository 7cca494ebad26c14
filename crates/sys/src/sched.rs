//! How punctually this process runs.

use std::io;

/// A real-time priority, 1 to 99.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RealTime(u8);

impl RealTime {
    /// `priority`, if it is 1 to 99.
    #[must_use]
    pub fn new(priority: u8) -> Option<Self> {
        (1..=99).contains(&priority).then_some(Self(priority))
    }
}

/// Lets timers of this thread fire when they are due, not up to 50 µs later (`PR_SET_TIMERSLACK`).
///
/// # Errors
/// Only what means a broken program.
pub fn exact_timers() -> io::Result<()> {
    unimplemented!()
}

/// Puts this thread into the round-robin real-time class; children are not put there.
///
/// # Errors
/// `EPERM` without `CAP_SYS_NICE`.
pub fn real_time(priority: RealTime) -> io::Result<()> {
    let _ = priority.0;
    unimplemented!()
}

/// Sets the nice value, -20 (first) to 19 (last).
///
/// # Errors
/// `EACCES` without `CAP_SYS_NICE` if it asks for more than now.
pub fn nice(value: i8) -> io::Result<()> {
    let _ = value;
    unimplemented!()
}

/// Keeps all memory of this process, present and future, out of swap.
///
/// # Errors
/// `EPERM` or `ENOMEM` without `CAP_IPC_LOCK`.
pub fn lock_memory() -> io::Result<()> {
    unimplemented!()
}
