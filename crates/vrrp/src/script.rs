//! Check scripts: when each runs, and what its results mean.

use std::sync::Arc;

use model::Instant;
use model::vrrp::Script;

use crate::{Action, Actions, Notice, ScriptOutcome, ScriptStatus};

/// What a script says of its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has not answered yet: an instance for which it is vital waits.
    Unknown,
    /// The service works.
    Up,
    /// It does not.
    Down,
    /// The script has never been able to run, so it says nothing; as in keepalived, which ignores such a script.
    NotRun,
}

impl Verdict {
    /// What it is once a run could not be started.
    const fn or_not_run(self) -> Self {
        match self {
            Self::Unknown | Self::NotRun => Self::NotRun,
            Self::Up | Self::Down => self,
        }
    }
}

/// One check script.
#[derive(Clone, Debug)]
pub(crate) struct ScriptCheck {
    config: Script,
    name: Arc<str>,
    verdict: Verdict,
    /// Results in a row that contradict the verdict.
    against: u32,
    last: Option<ScriptOutcome>,
    phase: Phase,
    runs: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running { since: Instant },
    Waiting { next_at: Instant },
}

impl ScriptCheck {
    /// A script that runs at once. Its runs are numbered on from `runs`.
    pub(crate) fn new(now: Instant, config: &Script, runs: u64) -> Self {
        Self {
            config: config.clone(),
            name: config.name.as_str().into(),
            verdict: if config.init_fail { Verdict::Down } else { Verdict::Unknown },
            against: 0,
            last: None,
            phase: Phase::Waiting { next_at: now },
            runs,
        }
    }

    /// The number of its last run.
    pub(crate) const fn runs(&self) -> u64 {
        self.runs
    }

    pub(crate) const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// An instance that tracks it was master until a moment ago: what `init_fail` assumes before the first
    /// result is known to be wrong.
    pub(crate) fn presume_nothing(&mut self) {
        if self.last.is_none() {
            self.verdict = Verdict::Unknown;
        }
    }

    /// A reload changed it: the verdict stands until results contradict it.
    pub(crate) fn reconfigure(&mut self, now: Instant, config: &Script) {
        self.config = config.clone();
        if let Phase::Waiting { next_at } = self.phase {
            self.phase = Phase::Waiting { next_at: next_at.min(now + config.interval) };
        }
    }

    pub(crate) fn status(&self) -> ScriptStatus {
        ScriptStatus {
            name: self.name.to_string(),
            is_up: match self.verdict {
                Verdict::Up => Some(true),
                Verdict::Down => Some(false),
                Verdict::Unknown | Verdict::NotRun => None,
            },
            against: self.against,
            is_running: matches!(self.phase, Phase::Running { .. }),
            is_not_run: self.verdict == Verdict::NotRun,
        }
    }

    /// When the next run is due; none while one runs, so that it never overlaps itself.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running { .. } => None,
            Phase::Waiting { next_at } => Some(next_at),
        }
    }

    /// Starts a run if one is due.
    pub(crate) fn expire(&mut self, now: Instant, out: &mut Actions) {
        if self.deadline().is_some_and(|at| at <= now) {
            self.runs += 1;
            self.phase = Phase::Running { since: now };
            out.push(Action::RunScript { script: Arc::clone(&self.name), run: self.runs });
        }
    }

    /// Takes the result of run number `run`; true if the verdict changed.
    pub(crate) fn finished(
        &mut self,
        now: Instant,
        run: u64,
        outcome: ScriptOutcome,
        out: &mut Actions,
    ) -> bool {
        let Phase::Running { since } = self.phase else { return false };
        if run != self.runs {
            return false;
        }
        self.phase = Phase::Waiting { next_at: (since + self.config.interval).max(now) };
        let before = self.verdict;
        self.tell_of_exit_code(outcome, out);
        self.verdict = self.judge(outcome);
        if outcome == ScriptOutcome::NotRun {
            self.tell_of_standing_verdict(out);
        }
        self.last = Some(outcome);
        if self.verdict == before {
            return false;
        }
        self.against = 0;
        out.notice(Notice::Script { name: Arc::clone(&self.name), outcome, up: self.verdict == Verdict::Up });
        true
    }

    fn judge(&mut self, outcome: ScriptOutcome) -> Verdict {
        let (result, needed) = match outcome {
            ScriptOutcome::Exited(0) => (Verdict::Up, self.config.rise),
            // No result: it neither contradicts the verdict nor breaks a row of results that do.
            ScriptOutcome::NotRun => return self.verdict.or_not_run(),
            ScriptOutcome::Exited(_) | ScriptOutcome::Killed(_) | ScriptOutcome::TimedOut => {
                (Verdict::Down, self.config.fall)
            }
        };
        if matches!(self.verdict, Verdict::Unknown | Verdict::NotRun) {
            // One result decides at first: waiting for `rise` of them would only lengthen the start.
            return result;
        }
        self.against = if result == self.verdict { 0 } else { self.against + 1 };
        if self.against >= needed { result } else { self.verdict }
    }

    /// A script that can no longer be run leaves its verdict as it was, right or wrong: the operator must know.
    fn tell_of_standing_verdict(&self, out: &mut Actions) {
        let up = match self.verdict {
            Verdict::Up => true,
            Verdict::Down => false,
            Verdict::Unknown | Verdict::NotRun => return,
        };
        if self.last != Some(ScriptOutcome::NotRun) {
            out.notice(Notice::ScriptStands { name: Arc::clone(&self.name), up });
        }
    }

    /// A script that fails in another way than before is worth a line even if the verdict stands.
    fn tell_of_exit_code(&self, outcome: ScriptOutcome, out: &mut Actions) {
        let before = self.last.unwrap_or(ScriptOutcome::Exited(0));
        if let ScriptOutcome::Exited(code) = outcome
            && before != outcome
        {
            out.notice(Notice::ScriptReturns { name: Arc::clone(&self.name), code });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::vrrp::{Command, RunAs};

    use super::*;

    const OK: ScriptOutcome = ScriptOutcome::Exited(0);
    const FAILED: ScriptOutcome = ScriptOutcome::Exited(1);

    fn script(rise: u32, fall: u32) -> Script {
        let command = Command { program: "/bin/check".into(), arguments: Vec::new(), run_as: RunAs::Default };
        Script { rise, fall, interval: Duration::from_secs(2), ..Script::new("chk", command) }
    }

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(secs)
    }

    /// The verdict after each outcome.
    fn verdicts(config: &Script, outcomes: &[ScriptOutcome]) -> Vec<Verdict> {
        let mut check = ScriptCheck::new(at(0), config, 0);
        let mut out = Actions::default();
        let mut now = at(0);
        let mut verdicts = Vec::new();
        for (run, outcome) in (1..).zip(outcomes) {
            now = check.deadline().unwrap().max(now);
            check.expire(now, &mut out);
            check.finished(now, run, *outcome, &mut out);
            verdicts.push(check.verdict());
        }
        verdicts
    }

    #[test]
    fn the_first_result_decides_and_later_ones_need_rise_and_fall() {
        use Verdict::{Down, Up};
        let config = script(2, 3);
        assert_eq!(verdicts(&config, &[OK]), [Up]);
        assert_eq!(verdicts(&config, &[FAILED]), [Down]);
        assert_eq!(
            verdicts(&config, &[OK, FAILED, FAILED, OK, FAILED, FAILED, FAILED, OK, OK]),
            [Up, Up, Up, Up, Up, Up, Down, Down, Up]
        );
    }

    #[test]
    fn init_fail_needs_all_of_rise() {
        use Verdict::{Down, Up};
        let config = Script { init_fail: true, ..script(2, 1) };
        assert_eq!(verdicts(&config, &[OK, OK]), [Down, Up]);
    }

    #[test]
    fn timeouts_and_signals_fail_and_what_cannot_run_says_nothing() {
        let config = script(1, 1);
        assert_eq!(verdicts(&config, &[ScriptOutcome::TimedOut]), [Verdict::Down]);
        assert_eq!(verdicts(&config, &[ScriptOutcome::Killed(9)]), [Verdict::Down]);
        assert_eq!(verdicts(&config, &[ScriptOutcome::NotRun, OK]), [Verdict::NotRun, Verdict::Up]);
    }

    #[test]
    fn a_script_that_can_no_longer_be_run_leaves_verdict_and_counts_alone() {
        use ScriptOutcome::NotRun;
        use Verdict::{Down, Up};
        let config = script(3, 2);
        let removed_and_put_back = [FAILED, OK, NotRun, OK, NotRun, OK];
        assert_eq!(verdicts(&config, &removed_and_put_back), [Down, Down, Down, Down, Down, Up]);
        assert_eq!(verdicts(&config, &[OK, FAILED, NotRun, FAILED]), [Up, Up, Up, Down]);
        let init_fail = Script { init_fail: true, ..config };
        assert_eq!(verdicts(&init_fail, &[NotRun, NotRun]), [Down, Down], "it has not succeeded");
    }

    #[test]
    fn a_standing_verdict_is_told_of_once_while_the_script_cannot_be_run() {
        use ScriptOutcome::NotRun;
        let mut check = ScriptCheck::new(at(0), &script(2, 2), 0);
        let mut out = Actions::default();
        for (run, outcome) in (1..).zip([FAILED, NotRun, NotRun, FAILED, NotRun]) {
            check.expire(at(run * 2), &mut out);
            check.finished(at(run * 2), run, outcome, &mut out);
        }
        let told = out.drain().filter_map(|action| match action {
            Action::Notice(Notice::ScriptStands { name, up }) => Some((name, up)),
            _ => None,
        });
        let chk: Arc<str> = "chk".into();
        assert_eq!(told.collect::<Vec<_>>(), [(Arc::clone(&chk), false), (chk, false)]);
    }

    #[test]
    fn runs_start_an_interval_apart_and_never_overlap() {
        let mut check = ScriptCheck::new(at(0), &script(1, 1), 0);
        let mut out = Actions::default();
        check.expire(at(0), &mut out);
        assert_eq!(check.deadline(), None, "one runs");
        check.expire(at(10), &mut out);
        assert_eq!(out.drain().count(), 1);
        check.finished(at(1), 1, OK, &mut out);
        assert_eq!(check.deadline(), Some(at(2)), "an interval after the start");
        check.expire(at(2), &mut out);
        check.finished(at(7), 2, OK, &mut out);
        assert_eq!(check.deadline(), Some(at(7)), "it took longer than its interval: at once");
    }

    #[test]
    fn a_late_result_of_an_earlier_run_is_ignored() {
        let mut check = ScriptCheck::new(at(0), &script(1, 1), 0);
        let mut out = Actions::default();
        check.expire(at(0), &mut out);
        assert!(!check.finished(at(1), 7, FAILED, &mut out));
        assert_eq!(check.verdict(), Verdict::Unknown);
    }
}
