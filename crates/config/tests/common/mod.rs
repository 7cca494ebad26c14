//! What the tests of whole files share: where text comes from, and files that hold what is expected.
#![allow(dead_code, reason = "no test uses all of it")]

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use steadfast_config as config;

use config::{Loaded, SourceProvider};

/// One text, whatever file is asked for.
pub(crate) struct Text<T>(pub(crate) T);

impl<T: AsRef<[u8]>> SourceProvider for Text<T> {
    fn read(&self, _: &str) -> io::Result<Vec<u8>> {
        Ok(self.0.as_ref().to_vec())
    }
}

/// The files of a folder.
pub(crate) struct Files(pub(crate) PathBuf);

impl SourceProvider for Files {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(self.0.join(path))
    }
}

/// Reads `text` as the file `t`.
pub(crate) fn load(text: &str) -> Loaded {
    config::load(&Text(text), "t")
}

/// The same, where mistakes count for what they are.
pub(crate) fn judged(text: &str) -> Loaded {
    let mut loaded = load(text);
    loaded.judge_language();
    loaded
}

/// The folder `name` of the fixtures.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The configuration files in `folder`, in order. There are some.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// Whether expectations are written anew: with `STEADFAST_BLESS=1` in the environment. Look at the difference before you
/// keep it.
pub(crate) fn is_blessing() -> bool {
    env::var_os("STEADFAST_BLESS").is_some()
}

/// Compares `actual` with what the file holds, or writes it. An empty text is no file.
#[track_caller]
pub(crate) fn compare(path: &Path, actual: &str) {
    if !is_blessing() {
        let expected = fs::read_to_string(path).unwrap_or_default();
        assert!(expected == actual, "{} differs; is:\n{actual}", path.display());
    } else if actual.is_empty() {
        drop(fs::remove_file(path));
    } else {
        fs::write(path, actual).unwrap();
    }
}
