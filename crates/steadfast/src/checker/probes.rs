//! The checks on their way: so many at once as there are descriptors for, the others in line.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};

use lvs::ProbeId;
use model::lvs::{Check, Outcome, Tls};
use probe::Prober;
use rustix::process::{Resource, getrlimit};
use tokio::task::{AbortHandle, Id, JoinSet};

/// What was asked, and has not been answered.
#[derive(Clone, Debug)]
struct Ask {
    probe: ProbeId,
    run: u64,
    check: Arc<Check>,
}

/// What came of a check, answered exactly once unless it was forgotten.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) probe: ProbeId,
    pub(super) run: u64,
    pub(super) outcome: Outcome,
    /// What an operator should know although the check passed.
    pub(super) warning: Option<Box<str>>,
}

/// All checks on their way.
pub(super) struct Probes {
    prober: Arc<Prober>,
    /// What was said of each although it passed: the same is not said twice.
    warned: BTreeMap<ProbeId, Box<str>>,
    tasks: JoinSet<probe::Answer>,
    running: BTreeMap<Id, (ProbeId, u64)>,
    /// How to end the task of a check.
    ends: BTreeMap<ProbeId, AbortHandle>,
    waiting: VecDeque<Ask>,
    most: usize,
}

impl Probes {
    /// None yet.
    pub(super) fn new() -> Self {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let most =
            usize::try_from(files.saturating_sub(RESERVED_FILES) / FILES_OF_A_CHECK).unwrap_or(usize::MAX);
        Self {
            prober: Arc::new(Prober::new(None)),
            warned: BTreeMap::new(),
            tasks: JoinSet::new(),
            running: BTreeMap::new(),
            ends: BTreeMap::new(),
            waiting: VecDeque::new(),
            most: most.clamp(1, MOST_AT_ONCE),
        }
    }

    /// From now on these are the credentials (`SSL`). All files of certificates and keys are read again: they may have been
    /// renewed.
    pub(super) fn configure(&mut self, tls: Option<&Tls>) {
        self.prober = Arc::new(Prober::new(tls));
    }

    /// Makes the check, now or when it is its turn.
    pub(super) fn ask(&mut self, probe: ProbeId, run: u64, check: Arc<Check>) {
        self.waiting.push_back(Ask { probe, run, check });
        self.start();
    }

    /// The check is no more: nobody waits for its answer.
    pub(super) fn forget(&mut self, probe: ProbeId) {
        self.waiting.retain(|ask| ask.probe != probe);
        self.warned.remove(&probe);
        if let Some(task) = self.ends.remove(&probe) {
            self.running.remove(&task.id());
            task.abort();
        }
    }

    /// Drops everything.
    pub(super) fn forget_all(&mut self) {
        self.waiting.clear();
        self.running.clear();
        self.ends.clear();
        self.tasks.abort_all();
    }

    /// The next answer. Pending for ever while nothing is on its way.
    pub(super) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Answered> {
        loop {
            let ended = match self.tasks.poll_join_next_with_id(cx) {
                Poll::Ready(Some(ended)) => ended,
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            };
            let id = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(id, _)| *id);
            let asked = self.running.remove(&id);
            if let Some((probe, _)) = asked {
                self.ends.remove(&probe);
            }
            self.start();
            let Some((probe, run)) = asked else { continue };
            let (outcome, warning) = ended.map_or_else(
                // It would otherwise never be asked again.
                |error| (Outcome::Unknown(format!("the check broke down: {error}").into()), None),
                |(_, answer)| (answer.outcome, answer.warning),
            );
            let warning = self.unsaid(probe, warning);
            return Poll::Ready(Answered { probe, run, outcome, warning });
        }
    }

    /// The warning, unless it was said before. What tells of days left changes once a day.
    fn unsaid(&mut self, probe: ProbeId, warning: Option<Box<str>>) -> Option<Box<str>> {
        let warning = warning?;
        let before = self.warned.insert(probe, warning.clone());
        (before.as_ref() != Some(&warning)).then_some(warning)
    }

    fn start(&mut self) {
        while self.tasks.len() < self.most
            && let Some(Ask { probe, run, check }) = self.waiting.pop_front()
        {
            let prober = Arc::clone(&self.prober);
            let task = self.tasks.spawn(async move { prober.ask(&check).await });
            self.running.insert(task.id(), (probe, run));
            self.ends.insert(probe, task);
        }
    }
}

/// Descriptors for everything else.
const RESERVED_FILES: u64 = 64;

/// A connection, and what its library may want beside it.
const FILES_OF_A_CHECK: u64 = 2;

/// More at once would only make each other late.
const MOST_AT_ONCE: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_said_once_until_it_changes() {
        let mut probes = Probes::new();
        let probe = ProbeId(1);
        let mut said = |text: &str| probes.unsaid(probe, Some(text.into())).is_some();
        assert!(said("ends in 3 days") && !said("ends in 3 days"));
        assert!(said("ends in 2 days") && !said("ends in 2 days"));
        probes.forget(probe);
        assert!(probes.unsaid(probe, Some("ends in 2 days".into())).is_some());
        assert_eq!(probes.unsaid(probe, None), None);
    }
}
