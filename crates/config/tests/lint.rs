//! What is remarkable about one file: `fixtures/lint/NAME.conf` and, beside it, what is said. With `STEADFAST_BLESS=1` in the environment
//! the expectation is written anew; look at the difference before you keep it.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use steadfast_config as config;

use config::lint::Scope;
use config::render::{self, Colour};
use config::{Loaded, Options, Severity, SourceMap, SourceProvider, lint};

struct Files(PathBuf);

impl SourceProvider for Files {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(self.0.join(path))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lint")
}

fn load(name: &str) -> Loaded {
    config::load_outlined(&Files(folder()), name, &Options::default(), SourceMap::default())
}

/// A host with a network on `eth0` and none on `eth1` but the static ones.
fn host() -> lint::Host {
    let prefix = |address: &str, length| model::Prefix::new(address.parse().unwrap(), length).unwrap();
    let eth0 = vec![prefix("192.0.2.11", 24), prefix("fe80::1", 64)];
    let addresses = [("eth0", eth0), ("eth1", vec![prefix("198.51.100.1", 28)])];
    lint::Host {
        addresses: addresses.into_iter().map(|(name, list)| (name.parse().unwrap(), list)).collect(),
        doubtful: [prefix("192.0.2.77", 24)].into(),
    }
}

#[test]
fn every_file_is_remarked_on() {
    let mut paths: Vec<_> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
    paths.sort();
    for path in paths {
        let loaded = load(path.file_name().unwrap().to_str().unwrap());
        let language = loaded.diagnostics.iter().filter(|finding| !finding.code.is_not_built());
        let worst = language.map(|finding| finding.severity).max();
        assert!(worst <= Some(Severity::Note), "{}: {:?}", path.display(), loaded.diagnostics);
        let mut said = String::new();
        for finding in lint::check(&loaded, &host(), Scope::Alone) {
            said += &render::full(&finding, &loaded.sources, Colour::Off);
            said += "\n\n";
        }
        let expected = path.with_extension("txt");
        if env::var_os("STEADFAST_BLESS").is_some() {
            fs::write(expected, said).unwrap();
        } else {
            assert_eq!(fs::read_to_string(expected).unwrap_or_default(), said, "{}", path.display());
        }
    }
}
