//! One real server of a pool.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use model::Instant;
use model::ipvs::{Destination, DestinationKey};
use model::lvs::{self, Checker, FileCheck};

use crate::names;
use crate::reload::sets_weight;
use crate::{ProbeId, Standing};

/// A real server and what its checkers say.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) config: lvs::RealServer,
    pub(crate) key: DestinationKey,
    pub(crate) name: Box<str>,
    /// One for each checker, in file order.
    pub(crate) judges: Vec<Judge>,
    /// What has been acted upon and told.
    pub(crate) up: bool,
    /// The weight that a check has set.
    pub(crate) dynamic: Option<u32>,
    /// The weight that counts for quorum, as it has been acted upon and told.
    pub(crate) weight: u32,
    /// What scripts were told last.
    pub(crate) told: Option<bool>,
    /// It has not been acted upon yet.
    pub(crate) fresh: bool,
    /// When it came up, while it gets its weight little by little.
    pub(crate) ramp: Option<Instant>,
    /// A digest of what the next worker was told of it last.
    pub(crate) remembered: Option<u64>,
}

/// A checker and what it says.
#[derive(Clone, Debug)]
pub(crate) struct Judge {
    /// The check that it listens to, if it is such a checker.
    pub(crate) probe: Option<ProbeId>,
    /// The server is well: known, or presumed.
    pub(crate) up: bool,
    /// What is added to the weight.
    pub(crate) offset: i64,
    /// For this reason others who ask the same had found a new server to be down, and nobody has said so yet.
    pub(crate) found: Option<Box<str>>,
}

/// What is known beside checks.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) files: BTreeMap<Box<str>, i32>,
    pub(crate) sessions: BTreeMap<Box<str>, bool>,
}

impl Server {
    /// As the configuration has it, before anything is known.
    pub(crate) fn new(of: &lvs::Service, config: &lvs::RealServer, known: &Known) -> Self {
        let judges = config.checkers.iter().map(|checker| Judge::presume(checker, known)).collect();
        Self {
            key: DestinationKey { address: config.address, port: config.port },
            name: names::server(of, config.address, config.port),
            judges,
            up: false,
            dynamic: None,
            weight: config.weight,
            told: None,
            fresh: true,
            ramp: None,
            remembered: None,
            config: config.clone(),
        }
    }

    /// Takes over what was known of the same server before a reload.
    pub(crate) fn inherit(&mut self, old: &Self, known: &Known) {
        self.up = old.up;
        self.told = old.told;
        self.fresh = false;
        self.dynamic = old.dynamic.filter(|_| self.has_checked_weight());
        self.weight = old.weight;
        self.ramp = old.ramp;
        self.remembered = old.remembered;
        for (checker, judge) in self.config.checkers.iter().zip(&mut self.judges) {
            let before =
                old.config.checkers.iter().zip(&old.judges).find(|(other, _)| asks_same(checker, other));
            match (before, checker) {
                (_, Checker::File(_)) => {}
                (Some((_, before)), _) => judge.up = before.up,
                // A reload is no outcome: what was down has to pass, what was up has to fail.
                (None, Checker::Probe(_)) => judge.up = old.up,
                (None, Checker::Bfd(bfd)) => {
                    judge.up = known.sessions.get(&bfd.session).copied().unwrap_or(old.up)
                }
            }
        }
    }

    /// Takes over what a worker that died has left.
    pub(crate) fn remember(&mut self, standing: &Standing) {
        self.up = standing.up;
        self.told = Some(standing.up);
        self.fresh = false;
        self.dynamic = standing.weight.filter(|_| self.has_checked_weight());
        for (checker, judge) in self.config.checkers.iter().zip(&mut self.judges) {
            // A file is looked at before.
            if !matches!(checker, Checker::File(_)) {
                // As after a reload: another checker is no outcome.
                judge.up = standing.of_checker(checker).unwrap_or(standing.up);
            }
        }
        self.weight = self.judged_weight();
        self.ramp = standing.ramp;
        self.remembered = Some(standing.digest());
    }

    /// Whether a check says what its weight is (`misc_dynamic`).
    fn has_checked_weight(&self) -> bool {
        let sets = |checker: &Checker| matches!(checker, Checker::Probe(probe) if sets_weight(&probe.check));
        self.config.checkers.iter().any(sets)
    }

    /// What the next worker should know.
    pub(crate) fn standing(&self) -> Standing {
        let said = self.config.checkers.iter().zip(&self.judges);
        let said = said.map(|(checker, judge)| (digest(checker), judge.up)).collect();
        let ramp = self.ramp.filter(|_| !self.config.slow_start.is_zero());
        Standing { said, weight: self.dynamic, effective: self.weight, ramp, ..Standing::of(self.up) }
    }

    /// Whether every checker says so.
    pub(crate) fn passes(&self) -> bool {
        self.judges.iter().all(|judge| judge.up)
    }

    /// The configured weight, or what checks have made of it.
    pub(crate) fn judged_weight(&self) -> u32 {
        let base = i64::from(self.dynamic.unwrap_or(self.config.weight));
        let offsets = self.judges.iter().map(|judge| judge.offset);
        let sum = offsets.fold(base, i64::saturating_add);
        u32::try_from(sum.clamp(0, HEAVIEST)).unwrap_or_default()
    }

    /// The server with a weight.
    pub(crate) const fn destination(&self, weight: u32) -> Destination {
        Destination {
            weight,
            forwarding: self.config.forwarding,
            upper_threshold: self.config.upper_threshold,
            lower_threshold: self.config.lower_threshold,
        }
    }

    /// The weight that it gets at this time, and when it gets more (`slow_start`).
    pub(crate) fn ramped(&self, now: Instant) -> (u32, Option<Instant>) {
        let span = self.config.slow_start;
        let Some(since) = self.ramp.filter(|_| !span.is_zero()) else { return (self.weight, None) };
        let passed = now.since(since);
        if passed >= span {
            return (self.weight, None);
        }
        let share = u128::from(self.weight) * passed.as_nanos() / span.as_nanos().max(1);
        let weight = u32::try_from(share).unwrap_or(self.weight).max(self.weight.min(1));
        let step = (span / RAMP_STEPS).max(Duration::from_secs(1));
        (weight, Some((now + step).min(since + span)))
    }
}

impl Judge {
    fn presume(checker: &Checker, known: &Known) -> Self {
        let (up, offset) = match checker {
            Checker::Probe(probe) => (!probe.alpha, 0),
            Checker::Bfd(bfd) => (known.sessions.get(&bfd.session).copied().unwrap_or(!bfd.alpha), 0),
            Checker::File(file) => file_says(file, known.files.get(&file.file).copied().unwrap_or_default()),
        };
        Self { probe: None, up, offset, found: None }
    }
}

/// Whether a tracked file's number lets the server be well, and what it adds to the weight.
pub(crate) fn file_says(check: &FileCheck, value: i32) -> (bool, i64) {
    let offset = i64::from(value) * i64::from(check.weight);
    match (check.weight, check.reverse) {
        (0, _) => (value == 0, 0),
        (_, false) => (true, offset),
        (_, true) => (true, -offset),
    }
}

/// A number for what a checker asks: those that [ask the same](asks_same) have the same.
pub(crate) fn digest(checker: &Checker) -> u64 {
    let mut hasher = DefaultHasher::new();
    std::mem::discriminant(checker).hash(&mut hasher);
    match checker {
        Checker::Probe(probe) => probe.check.hash(&mut hasher),
        Checker::Bfd(bfd) => bfd.session.hash(&mut hasher),
        Checker::File(file) => file.file.hash(&mut hasher),
    }
    hasher.finish()
}

/// Whether two checkers ask the same: their pace does not matter.
fn asks_same(one: &Checker, other: &Checker) -> bool {
    match (one, other) {
        (Checker::Probe(one), Checker::Probe(other)) => one.check == other.check,
        (Checker::Bfd(one), Checker::Bfd(other)) => one.session == other.session,
        (Checker::File(one), Checker::File(other)) => one.file == other.file,
        (Checker::Probe(_) | Checker::Bfd(_) | Checker::File(_), _) => false,
    }
}

/// The greatest weight that the kernel takes.
const HEAVIEST: i64 = 2_147_483_647;
/// How often a weight grows during `slow_start`, at most once a second.
const RAMP_STEPS: u32 = 20;
