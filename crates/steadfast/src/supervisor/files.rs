//! The configuration file, and what reading it came to.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use config::{Code, FileKind, Loaded, SourceMap, SourceProvider};

use super::verdict::{Findings, Losses};
use crate::cli::Options;

/// Where the configuration is, for every reading of it.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// A file, or a pattern of several.
    path: PathBuf,
    config_id: String,
    all_include_checks: bool,
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
        Self {
            path,
            config_id: options.config_id.clone().unwrap_or_else(host_name),
            all_include_checks: options.all_include_checks,
        }
    }

    /// A file for checks only, called what the operator calls it.
    pub(super) fn named(path: PathBuf, config_id: Option<String>) -> Self {
        let config_id = config_id.unwrap_or_else(host_name);
        Self { path, config_id, all_include_checks: false }
    }

    /// Another file, read as this one is.
    pub(super) fn at(&self, path: PathBuf) -> Self {
        Self { path, ..self.clone() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads everything anew.
    pub(super) fn read(&self) -> Reading {
        let provider = Provider { main: &self.path };
        let path = self.path.to_string_lossy();
        let mut loaded = config::load_with(&provider, &path, &self.options());
        if let Some(seed) = loaded.config.global.files.random_seed {
            // It is known only once the file is read, in which it also decides what `${_RANDOM}` was.
            let options = config::Options { random_seed: seed.into(), ..self.options() };
            loaded = config::load_with(&provider, &path, &options);
        }
        Reading::of(loaded)
    }

    /// Reads everything for further checks, after the files whose text is in `sources`.
    pub(super) fn outlined(&self, sources: SourceMap) -> Reading {
        let provider = Provider { main: &self.path };
        let path = self.path.to_string_lossy();
        Reading::of(config::load_outlined(&provider, &path, &self.options(), sources))
    }

    fn options(&self) -> config::Options {
        config::Options {
            config_id: self.config_id.clone(),
            all_include_checks: self.all_include_checks,
            random_seed: seed(),
            ..config::Options::default()
        }
    }
}

impl Reading {
    fn of(loaded: Loaded) -> Self {
        let unreadable = loaded.diagnostics.iter().any(|found| found.code == Code::UnreadableFile);
        Self { loaded, unreadable }
    }

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
            let mut found = self.loaded.diagnostics.iter();
            let why = found.find(|found| found.code == Code::UnreadableFile);
            let why = why.map_or_else(String::new, |found| found.headline.clone());
            return Err(Unusable::File(why));
        }
        findings.map_or(Ok(&self.loaded.config), |findings| Err(Unusable::Findings(findings)))
    }
}

/// The name of the host up to its first dot, which is the config id unless the command line says another.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// What `${_RANDOM}` is drawn from: another number for each reading.
fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.as_secs() ^ u64::from(now.subsec_nanos()) << 32 ^ u64::from(std::process::id()) << 16
}

/// The file system, of which only regular files are read: a pipe would hold up the daemon for ever.
struct Provider<'a> {
    main: &'a Path,
}

impl Provider<'_> {
    /// The name of the main file may not be text; what the loader calls it is only for messages.
    fn path<'p>(&'p self, path: &'p str) -> &'p Path {
        if path == self.main.to_string_lossy() { self.main } else { Path::new(path) }
    }
}

impl SourceProvider for Provider<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        read_regular(self.path(path))
    }

    fn kind(&self, path: &str) -> io::Result<FileKind> {
        std::fs::metadata(self.path(path)).map(|metadata| kind(&metadata))
    }

    fn identity(&self, path: &str) -> String {
        // What cannot be looked at is not read either.
        let metadata = std::fs::metadata(self.path(path));
        metadata.map_or_else(|_| path.to_owned(), |metadata| format!("{}:{}", metadata.dev(), metadata.ino()))
    }

    fn names(&self, directory: &str) -> io::Result<Vec<String>> {
        let entries = std::fs::read_dir(directory)?.take(MOST_NAMES);
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        // A name with an equals sign or a NUL byte is none.
        let is_name = !name.is_empty() && !name.contains(['=', '\0']);
        let value = is_name.then(|| std::env::var_os(name)).flatten()?;
        Some(value.to_string_lossy().into_owned())
    }
}

/// A directory with more names is none of configurations.
const MOST_NAMES: usize = 100_000;

/// A larger file is no configuration.
const LARGEST: u64 = 1 << 30;

fn kind(metadata: &Metadata) -> FileKind {
    const ANYBODY_EXECUTES: u32 = 0o111;
    if metadata.is_dir() {
        FileKind::Directory
    } else if !metadata.is_file() {
        FileKind::Other
    } else if metadata.mode() & ANYBODY_EXECUTES != 0 {
        FileKind::Executable
    } else {
        FileKind::Regular
    }
}

fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    check_regular(&std::fs::metadata(path)?)?;
    // It may have become another thing by now; opening that must not wait, nor make a terminal this process's own.
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let file: File = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    check_regular(&file.metadata()?)?;
    let mut content = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut content)?;
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(io::Error::other("more than a gigabyte"));
    }
    Ok(content)
}

fn check_regular(metadata: &Metadata) -> io::Result<()> {
    match kind(metadata) {
        FileKind::Regular | FileKind::Executable => Ok(()),
        FileKind::Directory => Err(io::ErrorKind::IsADirectory.into()),
        FileKind::Other => Err(io::Error::other("not a regular file")),
    }
}

/// Where keepalived looks too.
const DEFAULT_PATH: &str = "/etc/keepalived/keepalived.conf";

#[cfg(test)]
mod tests {
    use super::*;

    fn files(path: PathBuf) -> Files {
        Files { path, config_id: "web1".to_owned(), all_include_checks: false }
    }

    fn reading(text: Option<&[u8]>) -> Reading {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.conf");
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        files(path).read()
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
        let reading = files(dir.path().to_owned()).read();
        assert!(matches!(reading.usable(), Err(Unusable::File(_))));
    }

    /// The router id that a directory of files makes, of which the first is read; and the codes of what was found.
    fn router_id(place: &Path, name: &str) -> (Option<String>, Vec<&'static str>) {
        let Reading { loaded, .. } = files(place.join(name)).read();
        let codes = loaded.diagnostics.iter().map(|found| found.code.id()).collect();
        (loaded.config.global.router_id.clone(), codes)
    }

    #[test]
    fn files_are_included_from_the_file_system() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path();
        std::fs::create_dir(place.join("conf.d")).unwrap();
        std::fs::write(place.join("a.conf"), "global_defs {\n include conf.d/*.conf\n}\n").unwrap();
        std::fs::write(place.join("conf.d/1.conf"), "@web1 $ID=${_PWD}\n@web2 $ID=2\n").unwrap();
        std::fs::write(place.join("conf.d/2.conf"), "router_id $ID # here\n").unwrap();
        let expected = place.join("conf.d").display().to_string();
        assert_eq!(router_id(place, "a.conf"), (Some(expected.clone()), vec![]));
        assert_eq!(
            router_id(place, "[a].conf"),
            (Some(expected), vec![]),
            "the command line has patterns too"
        );
        assert_eq!(router_id(place, "b*.conf").1, ["SF0101"]);
    }

    #[test]
    fn a_file_is_known_by_every_name() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path();
        std::os::unix::fs::symlink(".", place.join("loop")).unwrap();
        std::fs::write(place.join("a.conf"), "").unwrap();
        std::fs::hard_link(place.join("a.conf"), place.join("b.conf")).unwrap();
        let up = format!("../{}/a.conf", place.file_name().unwrap().display());
        let names = ["a.conf", "./a.conf", "loop/a.conf", "loop/./loop/a.conf", "b.conf", &up];
        let text: String = names.iter().map(|name| format!("include {name}\n")).collect();
        std::fs::write(place.join("a.conf"), text).unwrap();
        assert_eq!(router_id(place, "a.conf").1, ["SF0108"; 6]);
    }

    #[test]
    fn the_unreadable_file_is_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path();
        std::fs::write(place.join("a.conf"), "nonsense\n").unwrap();
        std::fs::create_dir(place.join("b.conf")).unwrap();
        let reading = files(place.join("?.conf")).read();
        assert!(matches!(reading.usable(), Err(Unusable::File(why)) if why.contains("b.conf")));
    }

    #[test]
    fn what_is_no_plain_file_is_never_opened() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path();
        rustix::fs::mknodat(rustix::fs::CWD, place.join("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        std::os::unix::fs::symlink("/bin/true", place.join("program")).unwrap();
        for name in ["fifo", "program", "/dev/zero", "."] {
            std::fs::write(place.join("a.conf"), format!("includer {name}\n")).unwrap();
            assert_eq!(router_id(place, "a.conf").1, ["SF0110"], "{name}");
            std::fs::write(place.join("a.conf"), format!("include {name}\n")).unwrap();
            assert_eq!(router_id(place, "a.conf").1, ["SF0111"], "{name}");
        }
        assert_eq!(router_id(place, "fifo").1, ["SF0101"]);
    }
}
