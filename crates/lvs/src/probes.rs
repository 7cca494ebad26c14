//! When checks are made, and what their outcomes come to.
//!
//! ```text
//!            ┌────────┐ deadline  ┌─────────┐
//!   ────────►│ Waits  ├──────────►│  Runs   │
//!            │ {at}   │◄──────────┤ {run}   │
//!            └──┬─────┘  outcome  └────┬────┘
//!    all asleep │  ▲ one awake         │ outcome, all asleep
//!               ▼  │                   │
//!            ┌─────┴──┐                │
//!            │ Sleeps │◄───────────────┘
//!            └────────┘
//! ```
//!
//! Checks that are equal in what they ask and in their pace are one, whoever wants them. One that runs is not asked
//! again, so a server that does not answer costs one run at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use model::Instant;
use model::lvs::{Check, Outcome, Probe};

use crate::chance::Chance;
use crate::progress::Ran;
use crate::{Action, Actions, ProbeId};

/// A checker of a real server: who wants the outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seat {
    pub(crate) pool: usize,
    pub(crate) server: usize,
    pub(crate) checker: usize,
}

/// All checks that are made again and again.
#[derive(Debug)]
pub(crate) struct Probes {
    each: BTreeMap<ProbeId, Asked>,
    due: BTreeSet<(Instant, ProbeId)>,
    chance: Chance,
    next_probe: u64,
    next_run: u64,
}

#[derive(Debug)]
struct Asked {
    check: Arc<Check>,
    pace: Pace,
    /// Those that are not asleep come first.
    seats: Arc<[Seat]>,
    awake: usize,
    phase: Phase,
    verdict: Option<Verdict>,
    /// Why the verdict is not a better one.
    reason: Box<str>,
    /// Attempts that failed since the last that did not.
    failures: u32,
    /// Why the last run told nothing.
    unknown: Option<Box<str>>,
    /// When it was asked last.
    began: Option<Instant>,
    /// The last answer, and when that check began.
    last: Option<(Instant, Outcome)>,
    /// The first outcome counts at once, as nobody relies on the server yet.
    hasty: bool,
}

/// The schedule of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pace {
    interval: Duration,
    warmup: Duration,
    retry: u32,
    delay_before_retry: Duration,
    log_all_failures: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waits { at: Instant },
    Runs { run: u64 },
    Sleeps,
}

/// What is known of a server by one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) up: bool,
    /// The weight that came with it.
    pub(crate) weight: Option<u32>,
}

/// What is new after an outcome.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) check: Arc<Check>,
    pub(crate) seats: Arc<[Seat]>,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// Another verdict, or the first. `reason` and the number of retries belong to a failure.
    Verdict { verdict: Verdict, is_first: bool, reason: Box<str>, retries: u32 },
    /// Failed once more, and that is to be told (`log_all_failures`).
    Failure { reason: Box<str> },
    /// It cannot be told, for this reason, which is a new one.
    Unknown { reason: Box<str> },
    /// It can be told again.
    Known,
}

impl Pace {
    const fn of(probe: &Probe) -> Self {
        Self {
            interval: probe.interval,
            warmup: probe.warmup,
            retry: probe.retry,
            delay_before_retry: probe.delay_before_retry,
            log_all_failures: probe.log_all_failures,
        }
    }
}

/// Who takes part in the schedule after a reload, while it is being found out.
pub(crate) struct Roster {
    exact: HashMap<(Arc<Check>, Pace), ProbeId>,
    /// Another pace, the same question: its verdict holds.
    similar: HashMap<Arc<Check>, ProbeId>,
    seats: BTreeMap<ProbeId, Vec<Seat>>,
    is_start: bool,
}

impl Probes {
    pub(crate) const fn new(seed: u64) -> Self {
        let chance = Chance::new(seed);
        Self { each: BTreeMap::new(), due: BTreeSet::new(), chance, next_probe: 0, next_run: 0 }
    }

    /// The first deadline.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Begins a reload: nobody has a seat.
    pub(crate) fn roster(&self, is_start: bool) -> Roster {
        let checks = self.each.iter();
        Roster {
            exact: checks.clone().map(|(id, asked)| ((Arc::clone(&asked.check), asked.pace), *id)).collect(),
            similar: checks.map(|(id, asked)| (Arc::clone(&asked.check), *id)).collect(),
            seats: BTreeMap::new(),
            is_start,
        }
    }

    /// Gives a checker its seat at the check that it wants, and what that knows: its verdict, and the reason of a bad one.
    pub(crate) fn seat(
        &mut self,
        now: Instant,
        roster: &mut Roster,
        (probe, seat): (&Probe, Seat),
    ) -> (ProbeId, Option<(Verdict, &str)>) {
        let pace = Pace::of(probe);
        // Cloning is what it takes to look it up; one that is shared is dropped again.
        let check = Arc::new(probe.check.clone());
        let id = match roster.exact.get(&(Arc::clone(&check), pace)) {
            Some(&id) => id,
            None => self.begin(now, roster, (check, pace)),
        };
        roster.seats.entry(id).or_default().push(seat);
        let known = self.each.get(&id).and_then(|asked| Some((asked.verdict?, asked.reason.as_ref())));
        (id, known)
    }

    fn begin(&mut self, now: Instant, roster: &mut Roster, (check, pace): (Arc<Check>, Pace)) -> ProbeId {
        let id = ProbeId(self.next_probe);
        self.next_probe += 1;
        let before = roster.similar.get(&check).and_then(|id| self.each.get(id));
        let at = now + self.chance.below(pace.warmup);
        let asked = Asked {
            check: Arc::clone(&check),
            pace,
            seats: Arc::new([]),
            awake: 0,
            phase: Phase::Waits { at },
            verdict: before.and_then(|before| before.verdict),
            reason: before.map(|before| before.reason.clone()).unwrap_or_default(),
            failures: 0,
            unknown: before.and_then(|before| before.unknown.clone()),
            began: None,
            last: None,
            hasty: roster.is_start,
        };
        self.each.insert(id, asked);
        self.due.insert((at, id));
        roster.similar.entry(Arc::clone(&check)).or_insert(id);
        roster.exact.insert((check, pace), id);
        id
    }

    /// Ends a reload: what nobody has a seat at is no more. `asleep` says whose checks pause.
    pub(crate) fn settle(
        &mut self,
        now: Instant,
        mut roster: Roster,
        asleep: impl Fn(usize) -> bool,
        actions: &mut Actions,
    ) {
        let gone: Vec<ProbeId> =
            self.each.keys().filter(|id| !roster.seats.contains_key(*id)).copied().collect();
        for id in gone {
            self.remove(id);
            actions.push(Action::Forget { probe: id });
        }
        for (id, asked) in &mut self.each {
            asked.seats = roster.seats.remove(id).unwrap_or_default().into();
        }
        let all: Vec<ProbeId> = self.each.keys().copied().collect();
        for id in all {
            self.count_awake(now, id, &asleep);
        }
    }

    fn remove(&mut self, id: ProbeId) {
        if let Some(Asked { phase: Phase::Waits { at }, .. }) = self.each.remove(&id) {
            self.due.remove(&(at, id));
        }
    }

    /// A check pauses if all that sit at it are asleep, else goes on.
    pub(crate) fn count_awake(&mut self, now: Instant, id: ProbeId, asleep: impl Fn(usize) -> bool) {
        let Some(asked) = self.each.get_mut(&id) else { return };
        asked.awake = asked.seats.iter().filter(|seat| !asleep(seat.pool)).count();
        match (asked.phase, asked.awake) {
            (Phase::Waits { at }, 0) => {
                self.due.remove(&(at, id));
                asked.phase = Phase::Sleeps;
                asked.failures = 0;
            }
            (Phase::Sleeps, 1..) => {
                let at = now + self.chance.below(asked.pace.warmup);
                asked.phase = Phase::Waits { at };
                self.due.insert((at, id));
            }
            (Phase::Waits { .. } | Phase::Runs { .. } | Phase::Sleeps, _) => {}
        }
    }

    /// Asks what is due.
    pub(crate) fn ask(&mut self, now: Instant, actions: &mut Actions) {
        while let Some(&(at, id)) = self.due.first().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, id));
            let Some(asked) = self.each.get_mut(&id) else { continue };
            let run = self.next_run;
            self.next_run += 1;
            asked.phase = Phase::Runs { run };
            asked.began = Some(now);
            actions.push(Action::Ask { probe: id, run, check: Arc::clone(&asked.check) });
        }
    }

    /// Nothing is asked any more.
    pub(crate) fn stop(&mut self) {
        self.each.clear();
        self.due.clear();
    }

    /// How a check is getting on.
    pub(crate) fn ran(&self, id: ProbeId) -> Ran {
        let Some(asked) = self.each.get(&id) else { return Ran::default() };
        Ran { has_told: asked.verdict.is_some(), failures: asked.failures, last: asked.last.clone() }
    }

    /// Takes an outcome. One that was not asked for is dropped.
    pub(crate) fn answer(
        &mut self,
        now: Instant,
        (id, run): (ProbeId, u64),
        outcome: Outcome,
    ) -> Option<News> {
        let asked = self.each.get_mut(&id).filter(|asked| asked.phase == Phase::Runs { run })?;
        asked.last = asked.began.map(|began| (began, outcome.clone()));
        let (what, soon) = asked.judge(outcome);
        let spread = asked.pace.interval / SPREAD;
        asked.phase = if asked.awake == 0 {
            Phase::Sleeps
        } else {
            let pause = if soon {
                asked.pace.delay_before_retry
            } else {
                asked.pace.interval.saturating_sub(self.chance.below(spread))
            };
            let at = now + pause;
            self.due.insert((at, id));
            Phase::Waits { at }
        };
        let what = what?;
        Some(News { check: Arc::clone(&asked.check), seats: Arc::clone(&asked.seats), what })
    }
}

impl Asked {
    /// What is new, and whether to ask again soon.
    fn judge(&mut self, outcome: Outcome) -> (Option<What>, bool) {
        let passed = |weight| Verdict { up: true, weight };
        match outcome {
            Outcome::Passed => (self.pass(passed(None)), false),
            Outcome::PassedWithWeight(weight) => (self.pass(passed(Some(weight))), false),
            Outcome::Failed(reason) => self.fail(reason),
            Outcome::Unknown(reason) => {
                let is_new = self.unknown.as_ref() != Some(&reason);
                self.unknown = Some(reason.clone());
                (is_new.then_some(What::Unknown { reason }), false)
            }
        }
    }

    fn pass(&mut self, verdict: Verdict) -> Option<What> {
        let was_unknown = self.unknown.take().is_some();
        self.failures = 0;
        let before = self.verdict.replace(verdict);
        if before == Some(verdict) {
            return was_unknown.then_some(What::Known);
        }
        Some(What::Verdict { verdict, is_first: before.is_none(), reason: Box::default(), retries: 0 })
    }

    fn fail(&mut self, reason: Box<str>) -> (Option<What>, bool) {
        let was_unknown = self.unknown.take().is_some();
        let log = self.pace.log_all_failures;
        if self.verdict.is_some_and(|verdict| !verdict.up) {
            let what = log.then_some(What::Failure { reason }).or_else(|| was_unknown.then_some(What::Known));
            return (what, false);
        }
        let is_final = self.failures >= self.pace.retry || (self.hasty && self.verdict.is_none());
        if !is_final {
            self.failures += 1;
            return (log.then_some(What::Failure { reason }), true);
        }
        let verdict = Verdict { up: false, weight: None };
        let is_first = self.verdict.replace(verdict).is_none();
        self.reason.clone_from(&reason);
        let retries = std::mem::take(&mut self.failures);
        (Some(What::Verdict { verdict, is_first, reason, retries }), false)
    }
}

/// A check comes up to so small a part of its interval early, so that those which came together (after a stall, or as one
/// address appeared) drift apart. Never late: a dead server is not found later than the file says.
const SPREAD: u32 = 32;
