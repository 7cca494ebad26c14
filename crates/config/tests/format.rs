//! The canonical layout changes nothing that is meant, and is its own canonical layout.

use std::path::{Path, PathBuf};
use std::{fs, io};

use steadfast_config as config;

use config::{Code, Loaded, SourceProvider, render};
use proptest::prelude::*;

/// A file, and next to it those that it includes.
struct Beside<'a> {
    main: &'a [u8],
    folder: &'a Path,
}

impl SourceProvider for Beside<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if path == MAIN { Ok(self.main.to_vec()) } else { fs::read(self.folder.join(path)) }
    }
}

const MAIN: &str = "main.conf";

fn load(bytes: &[u8], folder: &Path) -> Loaded {
    config::load(&Beside { main: bytes, folder }, MAIN)
}

/// What is said, but for where, and without the words of the file: which of them may be shown depends on what else
/// stands on their line.
fn said(loaded: &Loaded) -> Vec<(Code, config::Severity, String)> {
    let bare = |headline: &str| headline.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let told = loaded.diagnostics.iter();
    let mut said: Vec<_> = told.map(|d| (d.code, d.severity, bare(&d.headline))).collect();
    said.sort_unstable();
    // Some things are said once a line, however many there are on it.
    said.dedup();
    said
}

/// Returns whether the file has a layout.
fn check(bytes: &[u8], folder: &Path) -> Result<bool, TestCaseError> {
    let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let formed = match config::format(MAIN, bytes) {
        Ok(formed) => formed,
        Err(refusal) => {
            prop_assert!(!render::line(&refusal.diagnostic, &refusal.sources).is_empty());
            return Ok(false);
        }
    };
    let (before, after) = (load(bytes, folder), load(&formed, folder));
    prop_assert_eq!(said(&before), said(&after), "\n{}\n--- became ---\n{}", show(bytes), show(&formed));
    prop_assert_eq!(&before.config, &after.config, "\n{}\n--- became ---\n{}", show(bytes), show(&formed));
    let again = config::format(MAIN, &formed);
    prop_assert_eq!(again.ok().map(|again| show(&again)), Some(show(&formed)), "not stable");
    Ok(true)
}

/// Every configuration file below `folder`.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files(&path, found);
        } else if name.ends_with(".conf") || name.starts_with("keepalived.conf") {
            found.push(path);
        }
    }
}

fn corpus() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"), &mut found);
    // Where Debian's package is installed.
    files(Path::new("/usr/share/doc/keepalived/samples"), &mut found);
    found.sort();
    found
}

#[test]
fn files_mean_what_they_meant() {
    let mut laid_out = 0;
    for path in corpus() {
        let result = check(&fs::read(&path).unwrap(), path.parent().unwrap());
        laid_out += usize::from(result.unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    }
    assert!(laid_out > 15, "{laid_out}");
}

/// A file of the corpus with some bytes changed.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let corpus: Vec<Vec<u8>> = corpus().iter().map(|path| fs::read(path).unwrap()).collect();
    let inserts = prop::sample::select(vec![
        "{",
        "}",
        "\n",
        "\n\n",
        "\"",
        "'",
        "#",
        "! x",
        "\\",
        "\\\n",
        "$X",
        "${X}",
        "$X=a",
        "$Y=b \\\n",
        "@a ",
        "@^a ",
        "~SEQ(X, 1, 3) ",
        "\r",
        "\t",
        "\u{b}",
        "\0",
        "include ",
        " ",
        "{ }",
        "{\n}",
        " # c\n",
    ]);
    let change = (any::<prop::sample::Index>(), 0..4_usize, inserts);
    (prop::sample::select(corpus), prop::collection::vec(change, 1..6)).prop_map(|(mut bytes, changes)| {
        for (at, removed, insert) in changes {
            let start = at.index(bytes.len() + 1);
            let end = (start + removed).min(bytes.len());
            drop(bytes.splice(start..end, insert.bytes()));
        }
        bytes
    })
}

/// Little files, all of structure.
fn structure() -> impl Strategy<Value = String> {
    let parts = vec![
        "vrrp_instance a",
        "vrrp_instance b",
        "global_defs",
        "router_id x",
        "priority 5",
        "SSL",
        "interface eth0",
        "virtual_router_id 3",
        "virtual_ipaddress",
        "192.0.2.1",
        "{",
        "{",
        "}",
        "}",
        "{",
        "}",
        " ",
        "\n",
        "\n",
        "\n",
        "\n",
        "\n\n\n",
        "\"",
        "#",
        "!",
        "\\",
        "\\\n",
        "$X",
        "$X=a",
        "$X={",
        "${X}",
        "@a ",
        "@^a ",
        "~SEQ(X, 1, 2) ",
        "\r",
        "\r\n",
        "\t",
        "\u{b}",
        "\u{a0}",
        "\u{feff}",
        "\0",
        "include ",
        "'",
        "\\#",
    ];
    prop::collection::vec(prop::sample::select(parts), 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_files_mean_what_they_meant(bytes in mutated()) {
        check(&bytes, Path::new("/nonexistent"))?;
    }

    #[test]
    fn structure_means_what_it_meant(text in structure()) {
        check(text.as_bytes(), Path::new("/nonexistent"))?;
    }

    #[test]
    fn no_bytes_are_lost(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check(&bytes, Path::new("/nonexistent"))?;
    }
}

/// What searches with new seeds found.
#[test]
fn what_was_once_bad_is_good() {
    let once_bad = ["vrrp_instance a#\n{ vrrp_instance a} ", "\u{feff}\t\u{feff}"];
    for text in once_bad {
        let result = check(text.as_bytes(), Path::new("/nonexistent"));
        assert!(result.is_ok(), "{text:?}: {result:?}");
    }
}

#[test]
fn huge_files_are_cheap() {
    for text in
        ["{\n".repeat(200_000), "# a\n".repeat(400_000), "\n".repeat(1_000_000), "a { b }".repeat(100_000)]
    {
        drop(config::format(MAIN, text.as_bytes()));
    }
    let blocks = "vrrp_instance a\n\n\n\n{\n# x\n}\n".repeat(50_000);
    assert!(config::format(MAIN, blocks.as_bytes()).is_ok());
}
