//! How punctually this process runs.

use std::io;
use std::num::NonZeroU64;

use rustix::mm::{MlockAllFlags, mlockall};

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
    Ok(rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?)
}

/// Puts this thread into the round-robin real-time class; children are not put there.
///
/// # Errors
/// `EPERM` without `CAP_SYS_NICE`.
pub fn real_time(priority: RealTime) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: i32::from(priority.0) };
    // SAFETY: the pointer is to a whole `sched_param` that outlives the call.
    let result = unsafe {
        libc::sched_setscheduler(0, libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, &raw const parameters)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sets the nice value, -20 (first) to 19 (last).
///
/// # Errors
/// `EACCES` without `CAP_SYS_NICE` if it asks for more than now.
pub fn nice(value: i8) -> io::Result<()> {
    Ok(rustix::process::setpriority_process(None, i32::from(value))?)
}

/// Keeps all memory of this process, present and future, out of swap.
///
/// # Errors
/// `EPERM` or `ENOMEM` without `CAP_IPC_LOCK`.
pub fn lock_memory() -> io::Result<()> {
    Ok(mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_are_exact_when_asked_for() {
        exact_timers().unwrap();
        assert_eq!(rustix::thread::current_timer_slack().unwrap(), 1);
    }

    #[test]
    fn real_time_priorities_are_1_to_99() {
        assert_eq!(RealTime::new(0), None);
        assert_eq!(RealTime::new(100), None);
        assert!(RealTime::new(50).is_some());
    }

    #[test]
    fn a_process_may_always_step_back() {
        let current = rustix::process::getpriority_process(None).unwrap();
        nice(i8::try_from(current).unwrap()).unwrap();
    }
}
