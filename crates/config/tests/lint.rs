//! What is remarkable about one file: `fixtures/lint/NAME.conf` and, beside it, what is said. With `STEADFAST_BLESS=1` in the environment
//! the expectation is written anew; look at the difference before you keep it.

use steadfast_config as config;

use config::lint::Scope;
use config::render::{self, Colour};
use config::{Loaded, Options, Severity, SourceMap, lint};

use common::{Files, folder};

mod common;

fn load(name: &str) -> Loaded {
    config::load_outlined(&Files(folder("lint")), name, &Options::default(), SourceMap::default())
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
    for path in common::files(&folder("lint")) {
        let loaded = load(path.file_name().unwrap().to_str().unwrap());
        let language = loaded.diagnostics.iter().filter(|finding| !finding.code.is_not_built());
        let worst = language.map(|finding| finding.severity).max();
        assert!(worst <= Some(Severity::Note), "{}: {:?}", path.display(), loaded.diagnostics);
        let mut said = String::new();
        for finding in lint::check(&loaded, &host(), Scope::Alone) {
            said += &render::full(&finding, &loaded.sources, Colour::Off);
            said += "\n\n";
        }
        common::compare(&path.with_extension("txt"), &said);
    }
}
