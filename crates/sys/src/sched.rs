//! How punctually this process runs.

use std::io;
use std::num::NonZeroU64;
use std::time::Duration;

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, Rlimit};

use crate::process::Pid;

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

/// Puts another process's first thread into the round-robin real-time class; its children are not put there.
///
/// # Errors
/// `EPERM` without `CAP_SYS_NICE`.
pub fn real_time_of(pid: Pid, priority: RealTime) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: i32::from(priority.0) };
    // SAFETY: the pointer is to a whole `sched_param` that outlives the call.
    let result = unsafe {
        libc::sched_setscheduler(
            pid.number(),
            libc::SCHED_RR | libc::SCHED_RESET_ON_FORK,
            &raw const parameters,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sets the nice value of another process, -20 (first) to 19 (last).
///
/// # Errors
/// `EACCES` without `CAP_SYS_NICE` if it asks for more than now.
pub fn nice_of(pid: Pid, value: i8) -> io::Result<()> {
    Ok(rustix::process::setpriority_process(pid.to_rustix(), i32::from(value))?)
}

/// Lets another process run on these processors only.
///
/// # Errors
/// There is none of these (`EINVAL`).
pub fn bind_to_cpus(pid: Pid, cpus: &[u16]) -> io::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    for cpu in cpus.iter().map(|cpu| usize::from(*cpu)).filter(|cpu| *cpu < rustix::thread::CpuSet::MAX_CPU) {
        set.set(cpu);
    }
    Ok(rustix::thread::sched_setaffinity(pid.to_rustix(), &set)?)
}

/// Has another process told by `SIGXCPU` if it runs for so long in a real-time class without a pause, and killed if it goes
/// on for `most`.
///
/// # Errors
/// The limit was lower already, and `CAP_SYS_RESOURCE` is missing (`EPERM`).
pub fn limit_real_time(pid: Pid, told: Duration, most: Duration) -> io::Result<()> {
    let micros = |span: Duration| Some(u64::try_from(span.as_micros()).unwrap_or(u64::MAX));
    let limit = Rlimit { current: micros(told), maximum: micros(most) };
    rustix::process::prlimit(pid.to_rustix(), Resource::Rttime, limit)?;
    Ok(())
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
