//! The files around a reload: one that says that files are being read, and one for what is found in them.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use model::{Reload, ReloadFile, Validation};

use super::files::Reading;
use super::report;
use crate::log::Log;

/// `reload_file`: there, and empty, for as long as this lives.
#[derive(Debug)]
pub(super) struct InProgress {
    path: PathBuf,
    log: Log,
}

impl InProgress {
    /// Says that files are being read, if that is wanted.
    pub(super) fn begin(reload: &Reload, pid_file: &Path, log: &Log) -> Option<Self> {
        let path = match reload.file.as_ref()? {
            ReloadFile::BesidePidFile => pid_file.with_file_name("keepalived.reload"),
            ReloadFile::Path(path) => path.into(),
        };
        match write_to(&path, Content::Emptied) {
            Ok(_) => Some(Self { path, log: log.clone() }),
            Err(error) => {
                log.warning(format_args!("cannot make the reload_file {}: {error}", path.display()));
                None
            }
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.log.warning(format_args!("cannot remove {}: {error}", self.path.display()));
            }
            _ => {}
        }
    }
}

/// Adds what was found in the files to the log of `reload_check_config`, if there is one.
pub(super) fn keep_findings(reload: &Reload, reading: &Reading, log: &Log) {
    let Some(Validation { log: Some(path) }) = &reload.validation else { return };
    let written = write_to(Path::new(path), Content::Kept)
        .and_then(|mut file| report::write_findings(&mut file, &reading.loaded));
    if let Err(error) = written {
        log.warning(format_args!("cannot write the findings to {path}: {error}"));
    }
}

#[derive(Clone, Copy)]
enum Content {
    Emptied,
    Kept,
}

/// Nothing but a regular file, and no link to one: a pipe would hold up the daemon.
fn write_to(path: &Path, content: Content) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NOFOLLOW;
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o644).custom_flags(flags.bits().cast_signed());
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    match content {
        Content::Emptied => file.set_len(0)?,
        Content::Kept => {}
    }
    Ok(file)
}
