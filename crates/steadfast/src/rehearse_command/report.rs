//! What a rehearsal came to, for every way of showing it.

use std::time::Duration;

use sim::rehearsal::{Expectation, Finding, Performed, Phase, Played, Rehearsal, Weight};

/// Everything that was played.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) rehearsal: &'a Rehearsal,
    pub(super) seed: u64,
    /// What the files ask for and takes no part.
    pub(super) unbuilt: Vec<&'static str>,
    /// The single failures.
    pub(super) played: Vec<Played>,
    /// Two at a time.
    pub(super) pairs: Vec<Played>,
    /// The scenario.
    pub(super) performed: Option<Performed>,
}

impl<'a> Report<'a> {
    pub(super) const fn new(rehearsal: &'a Rehearsal, seed: u64, unbuilt: Vec<&'static str>) -> Self {
        Self { rehearsal, seed, unbuilt, played: Vec::new(), pairs: Vec::new(), performed: None }
    }

    /// How much of the files takes no part: each is a doubt.
    pub(super) fn unplayed(&self) -> usize {
        self.unbuilt.len() + self.rehearsal.plan().left_out.len()
    }

    /// Whether no single failure, or the scenario, ended badly.
    pub(super) fn is_good(&self, deny_doubts: bool) -> bool {
        let least = if deny_doubts { Weight::Doubt } else { Weight::Failure };
        let went_well = self.performed.as_ref().is_none_or(went_well);
        let is_whole = !deny_doubts || self.unplayed() == 0;
        let rested = self.performed.is_some() || weighs(self.rehearsal.start(), least) == 0;
        went_well && is_whole && rested && self.played.iter().all(|played| findings(played, least) == 0)
    }
}

pub(super) fn went_well(performed: &Performed) -> bool {
    performed.expectations.iter().all(Expectation::is_met) && performed.violations.is_empty()
}

/// How many findings of at least this weight a failure has.
pub(super) fn findings(played: &Played, least: Weight) -> usize {
    phases(played).map(|phase| weighs(phase, least)).sum()
}

pub(super) fn phases(played: &Played) -> impl Iterator<Item = &Phase> {
    [&played.broken].into_iter().chain(&played.repaired)
}

pub(super) fn weighs(phase: &Phase, least: Weight) -> usize {
    let all = phase.courses.iter().flat_map(|course| &course.findings);
    all.map(Finding::weight).filter(|weight| *weight >= least).count()
}

/// The word for a weight, in texts and in JSON.
pub(super) const fn word(weight: Weight) -> &'static str {
    match weight {
        Weight::Statement => "note",
        Weight::Doubt => "doubt",
        Weight::Failure => "failure",
    }
}

/// `3.609 s`, to the nearest millisecond.
pub(super) fn seconds(span: Duration) -> String {
    let millis = millis(span);
    format!("{}.{:03} s", millis / 1000, millis % 1000)
}

/// The nearest number of milliseconds.
pub(super) const fn millis(span: Duration) -> u128 {
    (span.as_nanos() + 500_000) / 1_000_000
}

/// Whether a span shows at all.
pub(super) fn shows(span: Duration) -> bool {
    span >= Duration::from_millis(1)
}
