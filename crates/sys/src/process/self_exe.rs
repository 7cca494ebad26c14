//! This binary again, in another role.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;

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

    /// The child gets `signal` when the thread that starts it ends.
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
        unimplemented!()
    }
}

/// Takes the file descriptor that a parent gave by [`SelfExe::inherit`], once.
///
/// # Errors
/// There is none (`EBADF`), or it was taken already.
pub fn inherited() -> io::Result<OwnedFd> {
    unimplemented!()
}
