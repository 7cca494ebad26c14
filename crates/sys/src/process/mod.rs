//! Children, without races: each is watched and reaped by its own pidfd.

mod daemon;
mod script;
mod self_exe;

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::signal::Signal;

pub use daemon::{Daemon, Launch, daemonize};
pub use script::Script;
pub use self_exe::{INHERITED_FD, SelfExe, inherited};

/// A process's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pid(rustix::process::Pid);

impl Pid {
    /// This process.
    #[must_use]
    pub fn own() -> Self {
        Self(rustix::process::getpid())
    }

    /// The process with this number; `None` unless it is positive.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        if number <= 0 { None } else { rustix::process::Pid::from_raw(number).map(Self) }
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0.as_raw_nonzero().get()
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It left with this code.
    Code(u8),
    /// A signal ended it.
    Signal(Signal),
}

impl Exit {
    /// It left with code 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

/// A child of this process. Its pidfd becomes readable when the child has ended.
///
/// A dropped `Child` goes on living, and stays a zombie after its end.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    pidfd: OwnedFd,
}

impl Child {
    /// Its number.
    #[must_use]
    pub const fn pid(&self) -> Pid {
        self.pid
    }

    /// Reaps it if it has ended; `None` if it still lives. To be called until it says `Some`, then no more.
    ///
    /// # Errors
    /// `ECHILD` if it was reaped already.
    pub fn try_wait(&mut self) -> io::Result<Option<Exit>> {
        unimplemented!()
    }

    /// Sends it a signal. No other process can be hit.
    ///
    /// # Errors
    /// `EPERM`, or `ESRCH` if it has ended and was reaped.
    pub fn kill(&self, signal: Signal) -> io::Result<()> {
        let _ = signal;
        unimplemented!()
    }

    /// Sends a signal to it and all of its process group, which it must lead ([`Script`]s do).
    ///
    /// To be called before [`Self::try_wait`] has reaped it: until then nobody else can get the number.
    /// Nobody left in the group is no error.
    ///
    /// # Errors
    /// `EPERM`.
    pub fn kill_group(&self, signal: Signal) -> io::Result<()> {
        kill_group(self.pid, signal)
    }
}

impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// Sends a signal to every process of the group that `leader` leads. Nobody there is no error.
///
/// # Errors
/// `EPERM`.
pub fn kill_group(leader: Pid, signal: Signal) -> io::Result<()> {
    let _ = (leader, signal);
    unimplemented!()
}

/// Why a program was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// There is no such file (`ENOENT`), or its interpreter is missing.
    #[error("no such program")]
    NotFound,
    /// The file may not be executed by that user (`EACCES`).
    #[error("the program may not be executed")]
    Denied,
    /// The file is neither a binary of this machine nor begins with `#!` (`ENOEXEC`).
    #[error("not in an executable format")]
    Format,
    /// A word contains a NUL byte.
    #[error("a NUL byte in the program, an argument or the environment")]
    Nul,
    /// Anything else: no process to be had, or its rights could not be set.
    #[error("cannot start a process")]
    Kernel(#[source] io::Error),
}
