//! The order of the notify scripts of one instance.
//!
//! Steps run one after the other, so that a slow script for MASTER is not overtaken by the one for BACKUP.
//! After [`PATIENCE`] the next step starts anyway.

use std::collections::VecDeque;
use std::time::Duration;

use model::Instant;

use super::plan::Step;

/// The steps of one instance that wait, and the one that runs.
#[derive(Debug, Default)]
pub(super) struct Lane {
    waiting: VecDeque<Step>,
    running: Option<Running>,
    started_steps: u64,
}

/// Which step of a lane a process belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StepNumber(u64);

#[derive(Debug)]
struct Running {
    number: StepNumber,
    label: String,
    programs: usize,
    overdue_at: Instant,
}

impl Lane {
    /// Lets `step` wait for its turn. If too many wait, the oldest is given back: it will not run.
    #[must_use]
    pub(super) fn push(&mut self, step: Step) -> Option<Step> {
        self.waiting.push_back(step);
        (self.waiting.len() > MOST_WAITING).then(|| self.waiting.pop_front()).flatten()
    }

    /// The step whose turn it is now, if there is one. Whoever calls starts it, and says [`Self::ended`] for
    /// each of its programs, also for one that could not be started.
    pub(super) fn start_next(&mut self, now: Instant) -> Option<(StepNumber, Step)> {
        if self.running.is_some() {
            return None;
        }
        let step = self.waiting.pop_front()?;
        self.started_steps += 1;
        let number = StepNumber(self.started_steps);
        self.running = Some(Running {
            number,
            label: step.label.clone(),
            programs: step.commands.len(),
            overdue_at: now + PATIENCE,
        });
        Some((number, step))
    }

    /// A program of step `number` has ended. If that step was given up on, nothing waits for it.
    pub(super) fn ended(&mut self, number: StepNumber) {
        if let Some(running) = self.running.as_mut().filter(|running| running.number == number) {
            running.programs = running.programs.saturating_sub(1);
            if running.programs == 0 {
                self.running = None;
            }
        }
    }

    /// When the running step counts as hanging.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.running.as_ref().map(|running| running.overdue_at)
    }

    /// Gives up on the running step if it hangs, and says what it was.
    #[must_use]
    pub(super) fn give_up(&mut self, now: Instant) -> Option<String> {
        self.running.take_if(|running| running.overdue_at <= now).map(|running| running.label)
    }

    /// Nothing runs and nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_none() && self.waiting.is_empty()
    }
}

/// How long a step may hold up the next one.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// More steps than this do not wait: their news would be half an hour old.
const MOST_WAITING: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use model::vrrp::{Command, RunAs};

    fn step(label: &str, programs: usize) -> Step {
        let command = Command { program: "/x".into(), arguments: Vec::new(), run_as: RunAs::Default };
        Step { label: label.into(), commands: vec![command; programs] }
    }

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(secs)
    }

    #[test]
    fn a_step_waits_for_every_program_of_the_one_before() {
        let mut lane = Lane::default();
        assert_eq!(lane.push(step("a", 2)), None);
        assert_eq!(lane.push(step("b", 1)), None);
        let (a, _) = lane.start_next(at(0)).unwrap();
        assert!(lane.start_next(at(1)).is_none());
        lane.ended(a);
        assert!(lane.start_next(at(2)).is_none());
        lane.ended(a);
        assert_eq!(lane.start_next(at(3)).unwrap().1.label, "b");
        assert!(!lane.is_idle());
    }

    #[test]
    fn a_hanging_step_holds_up_the_next_for_thirty_seconds_only() {
        let mut lane = Lane::default();
        assert_eq!(lane.push(step("a", 1)), None);
        assert_eq!(lane.push(step("b", 1)), None);
        let (a, _) = lane.start_next(at(0)).unwrap();
        assert_eq!(lane.deadline(), Some(at(30)));
        assert_eq!(lane.give_up(at(29)), None);
        assert_eq!(lane.give_up(at(30)), Some("a".into()));
        let (b, _) = lane.start_next(at(30)).unwrap();
        lane.ended(a);
        assert!(!lane.is_idle(), "the late end of `a` does not end `b`");
        lane.ended(b);
        assert!(lane.is_idle());
    }

    #[test]
    fn the_oldest_of_too_many_is_given_back() {
        let mut lane = Lane::default();
        for number in 0..MOST_WAITING {
            assert_eq!(lane.push(step(&number.to_string(), 1)), None);
        }
        assert_eq!(lane.push(step("last", 1)).unwrap().label, "0");
    }
}
