//! The configuration test gives the verdict of Debian's keepalived: on the samples of its package, on a thousand mutants
//! of these and of our own files, and on every keyword with good and with bad arguments.
//!
//! Where the verdicts differ, [`explained`](verdicts::explained) has a reason, and `docs/compatibility.md` tells it.

mod verdicts {
    pub(crate) mod bench;
    pub(crate) mod explained;
    pub(crate) mod mutate;
    pub(crate) mod places;
    pub(crate) mod random;
    pub(crate) mod samples;
    pub(crate) mod table;
}

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use verdicts::bench::{Bench, Case, File};
use verdicts::explained::{REASONS, reasons};
use verdicts::random::Random;
use verdicts::{mutate, samples, table};

const MUTANTS: usize = 1000;

/// The seed of the corpus; `STEADFAST_VERDICT_SEED` names another one.
const SEED: u64 = 3;

#[test]
fn samples_and_their_mutants_are_judged_as_by_keepalived() {
    let originals: Vec<File> = [samples::samples(), samples::seeds()].into_iter().flatten().collect();
    if samples::samples().is_empty() {
        lab::skip("keepalived's samples are not installed");
        return;
    }
    let Some(bench) = Bench::shared() else { return };
    let seed = std::env::var("STEADFAST_VERDICT_SEED").map_or(SEED, |seed| seed.parse().expect("a number"));
    let mutants: Vec<File> = (0..MUTANTS).map(|index| mutant(&originals, seed, index)).collect();
    let cases = bench.judge("mutants", originals.into_iter().chain(mutants).collect());
    assert_explained(&cases, "mutants");
}

#[test]
fn every_keyword_is_judged_as_by_keepalived() {
    let Some(bench) = Bench::shared() else { return };
    assert_explained(&bench.judge("keywords", table::files()), "keywords");
}

#[test]
fn every_reason_is_told() {
    let page = include_str!("../../../docs/compatibility.md");
    for reason in REASONS {
        assert!(page.contains(reason.name), "docs/compatibility.md does not tell: {}", reason.name);
    }
}

fn mutant(originals: &[File], seed: u64, index: usize) -> File {
    let mut random = Random::new(seed, index);
    let original = &originals[index % originals.len()];
    let (text, slips) = mutate::mutate(&original.text, &mut random);
    File { name: format!("mutant {seed}-{index} of {}: {}", original.name, slips.join(", ")), text }
}

/// Every disagreement has its reason; those that have none are written out, and a table of all.
#[track_caller]
fn assert_explained(cases: &[Case], what: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verdicts").join(what);
    fs::remove_dir_all(&folder).ok(); // it may not be there
    fs::create_dir_all(&folder).expect("a folder");
    let (mut explained, mut unexplained) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for (number, case) in cases.iter().enumerate().filter(|(_, case)| !case.agrees()) {
        match reasons(case) {
            Some(reasons) => {
                let names: BTreeSet<_> = reasons.iter().map(|reason| reason.name).collect();
                names.into_iter().for_each(|name| *explained.entry(name).or_default() += 1);
            }
            None => {
                let path = folder.join(format!("{number}.conf"));
                fs::write(&path, &case.file.text).expect("a file");
                fs::write(path.with_extension("txt"), case.to_string()).expect("a file");
                unexplained.push((path, case));
            }
        }
    }
    fs::write(folder.join("all.tsv"), cases.iter().map(Case::row).collect::<String>()).expect("a file");
    // Past the test harness, which keeps what a test says that does not fail.
    writeln!(io::stderr(), "{what}: {}", summary(cases, &explained)).ok();
    let mut told = String::new();
    for (path, case) in unexplained.iter().take(MOST_TOLD) {
        writeln!(told, "{}\n{case}", path.display()).expect("a string takes all");
    }
    assert!(unexplained.is_empty(), "{} of {} verdicts differ:\n{told}", unexplained.len(), cases.len());
}

const MOST_TOLD: usize = 10;

fn summary(cases: &[Case], explained: &BTreeMap<&str, usize>) -> String {
    let mut classes = BTreeMap::new();
    for case in cases {
        *classes.entry((case.keepalived.class(), case.steadfast.class())).or_insert(0) += 1;
    }
    let agreed = cases.iter().filter(|case| case.agrees()).count();
    format!(
        "{agreed} of {} agree; keepalived's and our class: {classes:?}; explained: {explained:?}",
        cases.len()
    )
}
