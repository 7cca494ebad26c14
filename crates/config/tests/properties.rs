//! What holds for every input, however broken.

use std::io;

use steadfast_config as config;

use config::keyword::Block;
use config::render::{self, Colour};
use config::{Loaded, SourceProvider};
use proptest::prelude::*;

struct Bytes(Vec<u8>);

impl SourceProvider for Bytes {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if path == "soup.conf" { Ok(self.0.clone()) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

fn check(bytes: Vec<u8>) -> Result<Loaded, TestCaseError> {
    let length = bytes.len();
    let loaded = config::load(&Bytes(bytes), "soup.conf");
    for diagnostic in &loaded.diagnostics {
        let labels = diagnostic.labels.iter().map(|(span, _)| *span);
        for span in labels.chain([diagnostic.primary]) {
            let range = span.range();
            prop_assert!(range.start <= range.end && range.end <= length, "{diagnostic:?}");
            let text = loaded.sources.source(span.source).unwrap().text();
            prop_assert!(
                text.is_char_boundary(range.start) && text.is_char_boundary(range.end),
                "{diagnostic:?}"
            );
        }
        let line = render::line(diagnostic, &loaded.sources);
        prop_assert!(!line.contains(char::is_control), "{line:?}");
        prop_assert!(!render::full(diagnostic, &loaded.sources, Colour::Off).is_empty());
    }
    Ok(loaded)
}

/// Words, numbers and braces of the language in any order.
fn salad() -> impl Strategy<Value = String> {
    let words: Vec<&'static str> = config::keyword::all().map(|(_, keyword)| keyword.name).collect();
    let word = prop_oneof![
        6 => prop::sample::select(words).prop_map(str::to_owned),
        4 => prop::sample::select(vec!["{", "}", "\n", "\n", "\n", "\"", "'", "#", "\\", "$X", "${X}", "$X=a \\\n"])
            .prop_map(str::to_owned),
        3 => prop::sample::select(vec!["192.0.2.1/24", "fe80::1", "eth0", "0", "255", "-1", "1.5", "MASTER", "PASS"])
            .prop_map(str::to_owned),
        1 => "[ -~]{0,8}",
    ];
    prop::collection::vec(word, 0..200).prop_map(|words| words.join(" "))
}

/// Lines that begin with a keyword of `block`, most of them with a value that may fit.
fn lines_of(block: Block) -> impl Strategy<Value = String> {
    let keywords: Vec<_> = block.keywords().collect();
    let value = prop_oneof![
        prop::sample::select(vec![
            "0",
            "1",
            "2",
            "255",
            "300",
            "0.5",
            "-5",
            "eth0",
            "192.0.2.1",
            "::1",
            "on",
            "MASTER"
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,12}",
        "\\PC{0,4}",
    ];
    let line =
        (prop::sample::select(keywords), prop::collection::vec(value, 0..4)).prop_map(|(keyword, values)| {
            let values = values.join(" ");
            match keyword.opens {
                Some(_) => format!("{} {{\n{values}\n}}", keyword.name),
                None => format!("{} {values}", keyword.name),
            }
        });
    prop::collection::vec(line, 0..30).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_settings_panic(
        global in lines_of(Block::GlobalDefs),
        script in lines_of(Block::Script),
        instance in lines_of(Block::Instance),
    ) {
        let text = format!(
            "global_defs {{\n{global}\n}}\nvrrp_script s {{\n{script}\n}}\nvrrp_instance a {{\n{instance}\n\
                interface eth0\nvirtual_router_id 7\n}}"
        );
        drop(check(text.into_bytes())?);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        drop(check(bytes)?);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,400}") {
        drop(check(text.into_bytes())?);
    }

    #[test]
    fn no_salad_panics(text in salad()) {
        drop(check(text.into_bytes())?);
    }

    /// An instance between broken lines is still found, unless braces break.
    #[test]
    fn errors_stay_where_they_are(noise in "[a-z ]{0,20}", number in 1..=255u8) {
        let text = format!(
            "{noise}\nvrrp_instance A {{\n{noise}\ninterface eth0\nvirtual_router_id {number}\nvirtual_ipaddress {{\n192.0.2.1\n}}\n}}\n{noise}"
        );
        let loaded = check(text.into_bytes())?;
        let instances = &loaded.config.vrrp.instances;
        prop_assert_eq!(instances.len(), 1);
        prop_assert_eq!(instances[0].vrid.get(), number);
    }
}

#[test]
fn truncated_files_are_survived() {
    let text = include_str!("fixtures/valid/complete.conf");
    for end in 0..text.len() {
        if text.is_char_boundary(end) {
            drop(check(text.as_bytes()[..end].to_vec()).unwrap());
        }
    }
}

#[test]
fn huge_lines_and_deep_nests_are_cheap() {
    let line = vec![b'x'; 20_000_000];
    assert_eq!(check(line).unwrap().diagnostics.len(), 1);
    let nest = "vrrp_instance {\n".repeat(50_000);
    drop(check(nest.into_bytes()).unwrap());
}
