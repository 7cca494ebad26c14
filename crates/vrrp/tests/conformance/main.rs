//! Runs the Markdown scripts of `tests/rfc`, one case for each clause of an RFC.
//!
//! A case is a heading that begins with `§`, and the fenced block under it: first the settings of the router
//! under test, then what happens to it and what it must do, on a virtual clock.
//!
//! ```text
//! router 192.168.0.14           its own address
//! priority 100                  settings, named as in keepalived.conf
//! at 1s receive prio 101 from 192.168.0.86
//! at 1s+3s+156/256s expect becomes master
//! expect send prio 100          at the same moment, after what was expected before
//! expect nothing until 5.6s
//! ```
//!
//! Deadlines fire on the way at their very nanosecond; `at` a later time forgets actions that nobody expected.

mod document;
mod packet;
mod router;
mod statement;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use document::{Case, cases, deviations};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rfc")
}

fn read(file: &str) -> String {
    fs::read_to_string(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Every script, in the order of their names.
fn scripts() -> Vec<String> {
    let entries = fs::read_dir(folder()).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("it can be read").file_name());
    let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with(".md") && name != "DEVIATIONS.md");
    names.sort();
    names
}

fn all_cases() -> Vec<Case> {
    scripts().iter().flat_map(|file| cases(file, &read(file))).collect()
}

#[test]
fn every_case_goes_as_written() {
    let cases = all_cases();
    assert!(cases.len() > 50, "only {} cases were found", cases.len());
    let failures: Vec<_> = cases.iter().filter_map(|case| router::run(case).err()).collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases failed:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

#[test]
fn no_two_cases_share_a_heading() {
    let mut seen = BTreeSet::new();
    for case in all_cases() {
        assert!(seen.insert((case.file.clone(), case.heading.clone())), "{}: {}", case.file, case.heading);
    }
}

#[test]
fn every_deviation_has_a_reason_and_names_cases_that_exist() {
    let known: BTreeSet<_> = all_cases().into_iter().map(|case| (case.file, case.heading)).collect();
    let deviations = deviations(&read("DEVIATIONS.md"));
    assert!(deviations.len() >= 6, "only {} deviations were found", deviations.len());
    for deviation in deviations {
        assert!(!deviation.reason.is_empty(), "{}: why?", deviation.heading);
        assert!(!deviation.cases.is_empty(), "{}: shown by which case?", deviation.heading);
        for case in deviation.cases {
            assert!(known.contains(&case), "{}: there is no case {case:?}", deviation.heading);
        }
    }
}

#[test]
fn every_clause_of_the_state_tables_has_a_case() {
    let headings: Vec<_> = all_cases().into_iter().map(|case| case.heading).collect();
    for clause in ["§6.1", "§6.4.1", "§6.4.2", "§6.4.3", "§7.1", "§7.2", "§5.3.6"] {
        assert!(headings.iter().any(|heading| heading.starts_with(clause)), "{clause}");
    }
}
