//! This binary again, in another role.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::process::getpid;

use crate::process::child::{close_at_exec, die_with_parent, reset_signals};
use crate::process::{Child, SpawnError};
use crate::signal::Signal;

/// Where a child finds the file descriptor that it was given.
pub const INHERITED_FD: i32 = 3;

/// Starts the running binary again (`/proc/self/exe`: the same file even after an upgrade on disk).
///
/// The child keeps environment, working directory and standard files, has no signal blocked or ignored, and inherits
/// no other file descriptor than the one given.
#[derive(Debug)]
pub struct SelfExe {
    name: OsString,
    arguments: Vec<OsString>,
    inherited: Option<OwnedFd>,
    death_signal: Option<Signal>,
}

impl SelfExe {
    /// A child that is called `name` (its `argv[0]`).
    #[must_use]
    pub fn new(name: impl Into<OsString>) -> Self {
        Self { name: name.into(), arguments: Vec::new(), inherited: None, death_signal: None }
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Hands `fd` over, as number [`INHERITED_FD`].
    #[must_use]
    pub fn inherit(mut self, fd: OwnedFd) -> Self {
        self.inherited = Some(fd);
        self
    }

    /// The child gets `signal` when the thread that starts it ends. A binary with file capabilities never gets it.
    #[must_use]
    pub const fn death_signal(mut self, signal: Signal) -> Self {
        self.death_signal = Some(signal);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// See [`SpawnError`].
    pub fn spawn(self) -> Result<Child, SpawnError> {
        // In this process too, number 3 is taken from here on: the pipe by which a failed `exec` is told gets another.
        let handed = self.inherited.as_ref().map(at_or_above_3).transpose().map_err(SpawnError::Kernel)?;
        let source = handed.as_ref().map(AsRawFd::as_raw_fd);
        let (parent, death_signal) = (getpid(), self.death_signal);
        let prepare = move || {
            reset_signals()?;
            if let Some(signal) = death_signal {
                die_with_parent(parent, signal)?;
            }
            let Some(source) = source else {
                close_at_exec(3);
                return Ok(());
            };
            place(source)?;
            close_at_exec(4);
            Ok(())
        };
        let mut command = Command::new("/proc/self/exe");
        command.arg0(&self.name).args(&self.arguments);
        // SAFETY: `prepare` makes system calls only; it takes no lock and does not allocate.
        unsafe { command.pre_exec(prepare) };
        Child::start(&mut command)
    }
}

fn at_or_above_3(fd: &OwnedFd) -> io::Result<OwnedFd> {
    Ok(fcntl_dupfd_cloexec(fd, INHERITED_FD)?)
}

/// Makes `source` number 3, open across `exec`.
fn place(source: i32) -> io::Result<()> {
    if source == INHERITED_FD {
        // SAFETY: the parent holds it open until the child has executed.
        let fd = unsafe { BorrowedFd::borrow_raw(source) };
        return Ok(fcntl_setfd(fd, FdFlags::empty())?);
    }
    // SAFETY: what number 3 was in this child, nothing uses between here and `exec`.
    let result = unsafe { libc::dup2(source, INHERITED_FD) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Takes the file descriptor that a parent gave by [`SelfExe::inherit`], once.
///
/// To be called first thing in such a child, before anything is opened that could get the number.
///
/// # Errors
/// There is none (`EBADF`), or it was taken already.
pub fn inherited() -> io::Result<OwnedFd> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Err(rustix::io::Errno::BADF.into());
    }
    // SAFETY: only looked at; should it not be open, the kernel says so.
    let fd = unsafe { BorrowedFd::borrow_raw(INHERITED_FD) };
    fcntl_setfd(fd.as_fd(), FdFlags::CLOEXEC)?;
    // SAFETY: it is open, the parent gave it to this process, and it is handed out once.
    Ok(unsafe { OwnedFd::from_raw_fd(INHERITED_FD) })
}
