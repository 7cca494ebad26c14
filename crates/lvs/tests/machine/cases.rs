//! Cases as text: a configuration, what happens, and the story that must come of it.
//!
//! A file holds sections; a section holds blocks `conf` and `do`, in turn, and one block `story` at its end. A second `conf` is a
//! reload. `STEADFAST_BLESS=1` writes the stories anew: read them before they are committed. Where a sentence or an order
//! is keepalived's, it was seen of Debian's 2.2.7.

use std::path::Path;
use std::{env, fs};

use super::rig::{Rig, command};

#[test]
fn every_case_tells_its_story() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let before = fs::read_to_string(&file).unwrap();
        let after = play(&before);
        if env::var_os("STEADFAST_BLESS").is_some() {
            fs::write(&file, &after).unwrap();
            continue;
        }
        let differs = before.lines().zip(after.lines()).position(|(before, after)| before != after);
        let line = differs.map_or(0, |line| line + 1);
        assert!(before == after, "{}:{line}: with STEADFAST_BLESS=1 it would be\n{after}", file.display());
    }
}

/// The file with the stories that come of it.
fn play(text: &str) -> String {
    let mut out = String::new();
    let mut rig = Rig::new(1);
    let mut block: Option<(&str, String)> = None;
    for line in text.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(kind)) => block = Some((kind, String::new())),
            (Some((kind, content)), Some(_)) => {
                perform(&mut rig, kind, content);
                if *kind == "story" {
                    out.push_str(&rig.story);
                    rig = Rig::new(1);
                }
                block = None;
            }
            (Some((_, content)), None) => {
                content.push_str(line);
                content.push('\n');
            }
            (None, None) => {}
        }
        let in_story = matches!(block, Some(("story", _)));
        if !in_story || line.starts_with("```") {
            out.push_str(line);
            out.push('\n');
        }
    }
    assert!(block.is_none(), "a block is not closed");
    out
}

fn perform(rig: &mut Rig, kind: &str, content: &str) {
    match kind {
        "conf" => rig.load(content),
        "do" => {
            for line in content.lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                command(rig, &words);
            }
        }
        "story" => {}
        other => panic!("no such block: {other}"),
    }
}
