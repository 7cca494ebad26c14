//! Signals as values, read from a file descriptor.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A signal number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(i32);

impl Signal {
    /// `SIGHUP`.
    pub const HUP: Self = Self(libc::SIGHUP);
    /// `SIGINT`.
    pub const INT: Self = Self(libc::SIGINT);
    /// `SIGTERM`.
    pub const TERM: Self = Self(libc::SIGTERM);
    /// `SIGKILL`.
    pub const KILL: Self = Self(libc::SIGKILL);
    /// `SIGUSR1`.
    pub const USR1: Self = Self(libc::SIGUSR1);
    /// `SIGUSR2`.
    pub const USR2: Self = Self(libc::SIGUSR2);
    /// `SIGCHLD`.
    pub const CHLD: Self = Self(libc::SIGCHLD);
    /// `SIGPIPE`.
    pub const PIPE: Self = Self(libc::SIGPIPE);
    /// `SIGSTOP`.
    pub const STOP: Self = Self(libc::SIGSTOP);
    /// `SIGCONT`.
    pub const CONT: Self = Self(libc::SIGCONT);

    /// `SIGRTMIN + offset`, as the C library counts, if there is such a signal.
    #[must_use]
    pub fn realtime(offset: u8) -> Option<Self> {
        let number = libc::SIGRTMIN() + i32::from(offset);
        (number <= libc::SIGRTMAX()).then_some(Self(number))
    }

    /// The signal with this number, if there is one.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        (1..=libc::SIGRTMAX()).contains(&number).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signal {}", self.0)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of signals, blocked in this thread and read here instead.
///
/// They stay blocked when this is dropped. Children made by [`crate::process`] start with none blocked.
#[derive(Debug)]
pub struct Signals {
    fd: OwnedFd,
}

impl Signals {
    /// Blocks `signals` and reads them from now on. To be called before any thread is started.
    ///
    /// # Errors
    /// The kernel has no file descriptor left.
    pub fn new(signals: &[Signal]) -> io::Result<Self> {
        let _ = signals;
        unimplemented!()
    }

    /// The next signal that came, `None` if there is none. Equal pending signals count once, except
    /// real-time ones.
    ///
    /// # Errors
    /// Only what means a broken program.
    #[expect(clippy::should_implement_trait, reason = "none now does not mean none later")]
    pub fn next(&mut self) -> io::Result<Option<Signal>> {
        unimplemented!()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
