//! Children, without races: each is watched and reaped by its own pidfd.

mod child;
mod daemon;
mod orphans;
mod script;
mod self_exe;

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Command;

use rustix::process::{
    PidfdFlags, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, pidfd_open, pidfd_send_signal,
    waitid,
};

use crate::signal::Signal;

pub use daemon::{Daemon, Launch, daemonize, take_variable};
pub use orphans::{Orphans, reap_orphans};
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

    /// The process that has started this one, unless it has ended: then who takes its place. `None` if that is in another
    /// namespace.
    #[must_use]
    pub fn parent() -> Option<Self> {
        rustix::process::getppid().map(Self)
    }

    /// The process with this number; `None` unless it is positive.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        if number <= 0 { None } else { rustix::process::Pid::from_raw(number).map(Self) }
    }

    /// The number.
    #[must_use]
    pub(crate) const fn to_rustix(self) -> Option<rustix::process::Pid> {
        Some(self.0)
    }

    /// Its number.
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
/// A dropped `Child` goes on living, and stays a zombie after its end, unless [`reap_orphans`] is called.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    /// The number is another's, or will be.
    reaped: bool,
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
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let reap = || Ok(waitid(WaitId::PidFd(self.pidfd.as_fd()), options)?);
        let status = orphans::forget_reaped(self.pid, reap)?;
        self.reaped |= status.is_some();
        Ok(status.as_ref().and_then(exit))
    }

    /// Kills it and waits for its end, which is a matter of microseconds unless it hangs in the kernel.
    ///
    /// # Errors
    /// `ECHILD` if it was reaped already.
    pub fn end(mut self) -> io::Result<()> {
        self.kill(Signal::KILL)?;
        waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
        self.try_wait()?;
        Ok(())
    }

    /// Sends it a signal. No other process can be hit.
    ///
    /// # Errors
    /// `EPERM`, or `ESRCH` if it has ended and was reaped.
    pub fn kill(&self, signal: Signal) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.pidfd, signal.to_rustix())?)
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

    /// Starts `command` and watches it. The number cannot be another's yet: only we could reap it.
    fn start(command: &mut Command) -> Result<Self, SpawnError> {
        let mut child = command.spawn().map_err(SpawnError::from_kernel)?;
        let pid = rustix::process::Pid::from_child(&child);
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => {
                orphans::remember(Pid(pid));
                Ok(Self { pid: Pid(pid), pidfd, reaped: false })
            }
            Err(error) => {
                // Nobody could watch it: it must not run.
                drop(child.kill().and_then(|()| child.wait()));
                Err(SpawnError::Kernel(error.into()))
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped {
            orphans::forget(self.pid);
        }
    }
}

fn exit(status: &WaitIdStatus) -> Option<Exit> {
    if let Some(code) = status.exit_status() {
        // The kernel keeps the low eight bits only.
        return u8::try_from(code).ok().map(Exit::Code);
    }
    status.terminating_signal().and_then(Signal::from_number).map(Exit::Signal)
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
    match kill_process_group(leader.0, signal.to_rustix()) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Why a program was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// There is no such file (`ENOENT`), or its interpreter is missing.
    #[error("no such program, or its first line names an interpreter that does not exist")]
    NotFound,
    /// The file may not be executed by that user (`EACCES`).
    #[error("the program may not be executed")]
    Denied,
    /// Nothing that can be executed (`ENOEXEC`). Most C libraries hand such a file to `/bin/sh` instead.
    #[error("not in an executable format")]
    Format,
    /// A word contains a NUL byte.
    #[error("a NUL byte in the program, an argument or the environment")]
    Nul,
    /// Anything else: no process to be had, or its rights could not be set.
    #[error("cannot start a process")]
    Kernel(#[source] io::Error),
}

impl SpawnError {
    fn from_kernel(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::InvalidInput => Self::Nul,
            _ => match error.raw_os_error() {
                Some(libc::EACCES) => Self::Denied,
                Some(libc::ENOEXEC) => Self::Format,
                _ => Self::Kernel(error),
            },
        }
    }
}
