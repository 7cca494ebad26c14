//! What a child does between `fork` and `exec`. Nothing here allocates: the parent may have held any lock.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};

use crate::signal::Signal;
use crate::users::Credentials;

/// The rights of [`Credentials`], in the types that the system calls take.
#[derive(Clone, Debug)]
pub(super) struct Rights {
    uid: nix::unistd::Uid,
    gid: nix::unistd::Gid,
    groups: Vec<nix::unistd::Gid>,
}

impl From<&Credentials> for Rights {
    fn from(credentials: &Credentials) -> Self {
        Self {
            uid: nix::unistd::Uid::from_raw(credentials.uid.0),
            gid: nix::unistd::Gid::from_raw(credentials.gid.0),
            groups: credentials.groups.iter().map(|g| nix::unistd::Gid::from_raw(g.0)).collect(),
        }
    }
}

impl Rights {
    /// Takes these rights for good: the user last, since it is what permits the rest.
    pub(super) fn take(&self) -> io::Result<()> {
        nix::unistd::setgroups(&self.groups)?;
        nix::unistd::setresgid(self.gid, self.gid, self.gid)?;
        Ok(nix::unistd::setresuid(self.uid, self.uid, self.uid)?)
    }
}

/// Keeps the capabilities of this process to itself, unless it is root: a daemon that a service manager gave ambient
/// ones hands them to everything that it executes.
pub(super) fn bequeath_no_capabilities() -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    rustix::thread::clear_ambient_capability_set()?;
    let mut sets = rustix::thread::capabilities(None)?;
    sets.inheritable = rustix::thread::CapabilitySet::empty();
    Ok(rustix::thread::set_capabilities(None, sets)?)
}

/// No signal blocked, none ignored. Handlers go at `exec` by themselves; "ignored" does not.
pub(super) fn reset_signals() -> io::Result<()> {
    // SAFETY: an all-zero `sigaction` is valid: default action, empty mask, no flags.
    let default: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    for number in 1..=libc::SIGRTMAX() {
        // SAFETY: the new action is whole and outlives the call; the old one is not asked for. SIGKILL, SIGSTOP
        // and the C library's own are refused, which is fine.
        unsafe { libc::sigaction(number, &raw const default, ptr::null_mut()) };
    }
    Ok(sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?)
}

/// Ordinary scheduling. What is refused is what the child would not have had either.
pub(super) fn reset_scheduling() {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the pointer is to a whole `sched_param` that outlives the call.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const parameters) };
    rustix::process::setpriority_process(None, 0).unwrap_or_default();
}

/// Closes every file descriptor from `first` on at `exec`, and only there: the pipe that reports a failed
/// `exec` is one of them. Kernels before 5.11 do not know how; this program's own are marked anyway.
pub(super) fn close_at_exec(first: libc::c_uint) {
    const CLOSE_RANGE_CLOEXEC: libc::c_uint = 1 << 2;
    // SAFETY: marks file descriptors, closes none, and touches no memory.
    unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, CLOSE_RANGE_CLOEXEC) };
}

/// Asks for `signal` at the end of the parent, which may have come already.
pub(super) fn die_with_parent(parent: rustix::process::Pid, signal: Signal) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(signal.to_rustix()))?;
    if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(Errno::ESRCH.into()) }
}
