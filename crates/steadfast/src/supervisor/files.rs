//! The configuration file, and what reading it came to.

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};

use config::{Code, Loaded, SourceProvider};

use super::verdict::{Findings, Losses};
use crate::cli::Options;

/// Where the configuration is, for every reading of it.
#[derive(Clone, Debug)]
pub(super) struct Files {
    path: PathBuf,
    load_balancing: bool,
}

/// What a reading came to.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) loaded: Loaded,
    /// The main file could not be read at all.
    pub(super) unreadable: bool,
}

/// Why a reading cannot be put into force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    /// The main file is missing or cannot be read.
    #[error("{0}")]
    File(String),
    /// What it says cannot be carried out.
    #[error(transparent)]
    Findings(Findings),
}

impl Files {
    /// The file that the command line names, or the usual one. Made absolute, as a daemon changes its directory.
    pub(super) fn of(options: &Options) -> Self {
        let path = options.config.clone().unwrap_or_else(|| DEFAULT_PATH.into());
        let path = std::path::absolute(&path).unwrap_or(path);
        Self { path, load_balancing: options.load_balancing }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads everything anew.
    pub(super) fn read(&self) -> Reading {
        let provider = Provider { main: &self.path, unreadable: Cell::new(false) };
        let mut loaded = config::load(&provider, &self.path.to_string_lossy());
        if !self.load_balancing {
            loaded.tolerate(Code::NoDirector);
        }
        Reading { loaded, unreadable: provider.unreadable.get() }
    }
}

impl Reading {
    /// The configuration, if a daemon may start with it.
    pub(super) fn usable(&self) -> Result<&model::Config, Unusable> {
        self.unless(Findings::errors(&self.loaded))
    }

    /// The configuration, if it may take the place of one that had these losses.
    pub(super) fn usable_after(&self, before: &Losses) -> Result<&model::Config, Unusable> {
        self.unless(Findings::at_reload(&self.loaded, before))
    }

    fn unless(&self, findings: Option<Findings>) -> Result<&model::Config, Unusable> {
        if self.unreadable {
            let why = self.loaded.diagnostics.first().map_or_else(String::new, |d| d.headline.clone());
            return Err(Unusable::File(why));
        }
        findings.map_or(Ok(&self.loaded.config), |findings| Err(Unusable::Findings(findings)))
    }
}

/// The file system, of which only regular files are read: a pipe would hold up the daemon for ever.
struct Provider<'a> {
    main: &'a Path,
    unreadable: Cell<bool>,
}

impl SourceProvider for Provider<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        // The name of the main file may not be text; what the loader calls it is only for messages.
        let is_main = path == self.main.to_string_lossy();
        let content = read_regular(if is_main { self.main } else { Path::new(path) });
        if is_main && content.is_err() {
            self.unreadable.set(true);
        }
        content
    }
}

fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    std::fs::read(path)
}

/// Where keepalived looks too.
const DEFAULT_PATH: &str = "/etc/keepalived/keepalived.conf";

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: Option<&[u8]>) -> Reading {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.conf");
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        Files { path, load_balancing: true }.read()
    }

    #[test]
    fn a_missing_file_is_no_empty_configuration() {
        let missing = reading(None);
        assert!(missing.unreadable);
        assert!(matches!(missing.usable(), Err(Unusable::File(why)) if why.contains("a.conf")));
    }

    #[test]
    fn an_empty_file_is_an_empty_configuration() {
        assert_eq!(reading(Some(b"")).usable(), Ok(&model::Config::default()));
    }

    #[test]
    fn a_directory_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let reading = Files { path: dir.path().to_owned(), load_balancing: true }.read();
        assert!(matches!(reading.usable(), Err(Unusable::File(_))));
    }
}
