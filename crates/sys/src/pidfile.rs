//! Files that say which process runs, and that it is the only one.

use std::io;
use std::path::{Path, PathBuf};

use crate::process::Pid;

/// A pid file that belongs to this process until dropped: locked, and removed at the end.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
}

/// Why a pid file could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process holds it.
    #[error("already running{}", .pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    AlreadyRunning {
        /// The process that the file names, if it names one.
        pid: Option<Pid>,
    },
    /// The file or its directory could not be written.
    #[error("cannot write pid file {}", .path.display())]
    File {
        /// The pid file.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

impl Held {
    /// Creates or takes over the file at `path`, locks it and writes `pid` (a child's, or this process's own) into it.
    /// A missing directory is created. Readers see the old content or the new, never a half.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn claim(path: &Path, pid: Pid) -> Result<Self, Error> {
        let _ = (path, pid);
        unimplemented!()
    }

    /// Writes another process's number, under the same lock.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn rewrite(&mut self, pid: Pid) -> Result<(), Error> {
        let _ = pid;
        unimplemented!()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The process that the file at `path` names, if it is readable and names one. It may have ended long ago.
#[must_use]
pub fn read(path: &Path) -> Option<Pid> {
    let _ = path;
    unimplemented!()
}
