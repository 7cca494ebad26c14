//! Tracked processes: whether as many run as there must be.

use std::sync::Arc;

use model::Instant;
use model::vrrp::TrackedProcess;

use crate::{Actions, Notice, ProcessStatus};

/// The processes of one `vrrp_track_process`.
#[derive(Clone, Debug)]
pub(crate) struct ProcessCheck {
    config: TrackedProcess,
    name: Arc<str>,
    /// How many run; none if nobody has looked yet.
    count: Option<u32>,
    /// Whether that is enough, and not too many, once it counts; none before the first look.
    verdict: Option<bool>,
    /// When a count that contradicts the verdict will count.
    turns_at: Option<Instant>,
}

impl ProcessCheck {
    pub(crate) fn new(config: &TrackedProcess) -> Self {
        let name = config.name.as_str().into();
        Self { config: config.clone(), name, count: None, verdict: None, turns_at: None }
    }

    /// Whether as many run as there must be; `None` if nobody has looked yet.
    pub(crate) const fn verdict(&self) -> Option<bool> {
        self.verdict
    }

    pub(crate) fn status(&self) -> ProcessStatus {
        ProcessStatus {
            name: self.name.to_string(),
            count: self.count.unwrap_or(0),
            is_up: self.verdict == Some(true),
            turns_at: self.turns_at,
        }
    }

    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.turns_at
    }

    /// So many run; true if the verdict changed. The first count decides at once: a delay would only lengthen the start.
    pub(crate) fn counted(&mut self, now: Instant, count: u32, out: &mut Actions) -> bool {
        self.count = Some(count);
        self.weigh(now, out)
    }

    /// A reload says what is wanted, and perhaps how many there are.
    pub(crate) fn reconfigure(
        &mut self,
        now: Instant,
        config: &TrackedProcess,
        count: Option<u32>,
        out: &mut Actions,
    ) {
        if self.config != *config {
            self.config = config.clone();
            self.turns_at = None;
        }
        self.count = count.or(self.count);
        self.weigh(now, out);
    }

    /// Does what is due; true if the verdict changed.
    pub(crate) fn expire(&mut self, now: Instant, out: &mut Actions) -> bool {
        if self.turns_at.is_some_and(|at| at <= now) { self.turn(out) } else { false }
    }

    fn weigh(&mut self, now: Instant, out: &mut Actions) -> bool {
        let Some(enough) = self.is_enough() else { return false };
        if self.verdict == Some(enough) {
            self.turns_at = None;
            return false;
        }
        let delay = if enough { self.config.fork_delay } else { self.config.terminate_delay };
        if self.verdict.is_none() || delay.is_zero() {
            return self.turn(out);
        }
        self.turns_at.get_or_insert(now + delay);
        false
    }

    fn turn(&mut self, out: &mut Actions) -> bool {
        self.turns_at = None;
        let Some(up) = self.is_enough() else { return false };
        self.verdict = Some(up);
        out.notice(Notice::Process { name: Arc::clone(&self.name), up, count: self.count.unwrap_or(0) });
        true
    }

    fn is_enough(&self) -> Option<bool> {
        let TrackedProcess { least, most, .. } = &self.config;
        let bounds =
            |count: u32| u32::from(*least) <= count && most.is_none_or(|most| count <= u32::from(most));
        self.count.map(bounds)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::Influence;
    use model::vrrp::ProcessMatch;

    use super::*;

    fn wanted(least: u16, most: Option<u16>, terminate: u64, fork: u64) -> TrackedProcess {
        TrackedProcess {
            name: "web".into(),
            program: "nginx".into(),
            matching: ProcessMatch::Name,
            influence: Influence::default(),
            least,
            most,
            terminate_delay: Duration::from_secs(terminate),
            fork_delay: Duration::from_secs(fork),
        }
    }

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(secs)
    }

    #[test]
    fn there_must_be_enough_and_not_too_many() {
        let mut check = ProcessCheck::new(&wanted(2, Some(3), 0, 0));
        let mut out = Actions::default();
        assert_eq!(check.verdict(), None);
        for (count, expected) in [(1, false), (2, true), (3, true), (4, false), (0, false), (2, true)] {
            check.counted(at(0), count, &mut out);
            assert_eq!(check.verdict(), Some(expected), "{count}");
        }
    }

    #[test]
    fn a_change_that_ends_within_its_delay_is_none() {
        let mut check = ProcessCheck::new(&wanted(1, None, 5, 2));
        let mut out = Actions::default();
        assert!(check.counted(at(0), 1, &mut out), "the first look counts at once");
        assert!(!check.counted(at(1), 0, &mut out));
        assert_eq!(check.deadline(), Some(at(6)));
        assert!(!check.counted(at(3), 0, &mut out));
        assert_eq!(check.deadline(), Some(at(6)), "it is not put off");
        assert!(!check.counted(at(4), 1, &mut out));
        assert_eq!((check.verdict(), check.deadline()), (Some(true), None));
        check.counted(at(10), 0, &mut out);
        assert!(!check.expire(at(14), &mut out) && check.expire(at(15), &mut out));
        assert_eq!(check.verdict(), Some(false));
        check.counted(at(20), 1, &mut out);
        assert!(check.expire(at(22), &mut out));
        assert_eq!(check.verdict(), Some(true));
    }
}
