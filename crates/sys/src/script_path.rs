//! Whether a script's file is there, may be run, and can be changed only by those who may.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use crate::users::{Credentials, Uid};

/// A part of a path that somebody else than root or the script's own user can change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {reason}", .component.display())]
pub struct Insecure {
    /// The first such directory or file.
    pub component: PathBuf,
    /// Its permission bits.
    pub mode: u32,
    /// Who owns it.
    pub owner: Uid,
    /// What is wrong with it.
    pub reason: Reason,
}

/// Who can change a part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Its owner is neither root nor the script's user.
    #[error("is owned by another user")]
    Owner,
    /// Members of its group, which is not root's.
    #[error("is writable by its group")]
    Group,
    /// Everybody.
    #[error("is writable by everybody")]
    Others,
}

/// Why a file cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotExecutable {
    /// No such file.
    #[error("not found")]
    NotFound,
    /// A directory, device or socket.
    #[error("not a regular file")]
    NotRegular,
    /// That user has no right to execute it, or to reach it.
    #[error("not executable")]
    Denied,
    /// The kernel did not say.
    #[error("cannot be examined")]
    Kernel(#[source] io::Error),
}

/// The first part of `path`, symbolic links followed, that can be changed by anybody but root and `run_as`.
///
/// Only the walk from the root directory counts: `path` must be absolute.
///
/// # Errors
/// A part cannot be examined, or `path` is relative (`InvalidInput`).
pub fn insecure(path: &Path, run_as: Uid) -> io::Result<Option<Insecure>> {
    let _ = (path, run_as);
    unimplemented!()
}

/// Whether a process with `credentials` may execute the file at `path`, by its permission bits.
///
/// # Errors
/// See [`NotExecutable`].
pub fn executable(path: &Path, credentials: &Credentials) -> Result<(), NotExecutable> {
    let _ = (path, credentials);
    unimplemented!()
}

/// The first regular, executable file called `program` in the directories of `search`, a colon-separated list as in
/// `PATH`. Relative directories are passed over.
#[must_use]
pub fn find(program: &OsStr, search: &OsStr) -> Option<PathBuf> {
    let _ = (program, search);
    unimplemented!()
}
