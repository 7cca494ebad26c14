//! What `config_save_dir` keeps: every configuration that was read, and the state around every reload.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use config::Loaded;
use sys::process::Pid;

use super::dump::replace;
use crate::log::Log;

/// How many times the files have been read.
#[derive(Debug, Default)]
pub(super) struct Saved {
    readings: u64,
}

/// On which side of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

impl Saved {
    /// The files have been read: keeps what they say as `keepalived.conf.PID.N`, if they ask for that.
    pub(super) fn keep(&mut self, loaded: &Loaded, log: &Log) {
        let number = self.readings;
        self.readings += 1;
        let directory = &loaded.config.global.files.save_directory;
        let Some((directory, text)) = directory.as_ref().zip(loaded.combined.as_ref()) else { return };
        let directory = Path::new(directory);
        let path = directory.join(format!("keepalived.conf.{}.{number}", Pid::own()));
        let written = provide(directory).and_then(|()| replace(&path, text, SECRET));
        if let Err(error) = written {
            log.warning(format_args!("config_save_dir: cannot write {}: {error}", path.display()));
        }
    }

    /// Where the state of `worker` goes, on this side of the reload that has read the files last.
    pub(super) fn state_path(&self, directory: &str, worker: Pid, side: Side) -> PathBuf {
        let ending = match side {
            Side::Before => "pre",
            Side::After => "post",
        };
        let number = self.readings.saturating_sub(1);
        Path::new(directory).join(format!("keepalived_vrrp.{worker}.{number}.{ending}"))
    }
}

/// Passwords are in it.
const SECRET: u32 = 0o600;

/// Makes the folder; those that it stands in must be there.
fn provide(directory: &Path) -> io::Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
