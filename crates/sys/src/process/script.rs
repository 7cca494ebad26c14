//! The operator's programs.

use std::path::Path;

use crate::process::{Child, SpawnError};
use crate::users::Credentials;

/// A program to run apart from the daemon: own process group, `/dev/null` for its three standard files,
/// no inherited file descriptor, no blocked or ignored signal, ordinary scheduling, and exactly the
/// environment given.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a> {
    /// The file to execute, with a slash in it: there is no search.
    pub program: &'a Path,
    /// What the program sees as its own name and arguments, without the name: that is `program`.
    pub arguments: &'a [String],
    /// The whole environment.
    pub environment: &'a [(String, String)],
    /// Whose rights it gets; the daemon's own if `None`.
    pub run_as: Option<&'a Credentials>,
    /// Permission bits that its new files lack; the daemon's own if `None`.
    pub umask: Option<u32>,
}

impl Script<'_> {
    /// Starts it and returns once the kernel has begun to execute it, or has refused to: the child's own
    /// running time is never waited for.
    ///
    /// # Errors
    /// See [`SpawnError`].
    pub fn spawn(&self) -> Result<Child, SpawnError> {
        unimplemented!()
    }
}
