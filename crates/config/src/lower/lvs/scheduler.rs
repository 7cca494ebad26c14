//! `lvs_sched`, `lb_algo` and the flags of schedulers.

use model::lvs::{Scheduler, SchedulerFlags};

use crate::diagnostic::{Code, Diagnostic, shown_bare};
use crate::lower::{Report, Setting};

/// What is said about scheduling so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SchedulerDraft {
    pub(super) scheduler: Option<Scheduler>,
    pub(super) flags: SchedulerFlags,
}

impl SchedulerDraft {
    /// Takes a line, if it is about this.
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "lvs_sched" | "lb_algo" => self.scheduler = scheduler(setting, report).or(self.scheduler),
            "flag-1" => self.flags.first |= setting.flag(report),
            "flag-2" => self.flags.second |= setting.flag(report),
            "flag-3" => self.flags.third |= setting.flag(report),
            "sh-fallback" => self.flags.first |= self.belongs(setting, Scheduler::SourceHash, report),
            "sh-port" => self.flags.second |= self.belongs(setting, Scheduler::SourceHash, report),
            "mh-fallback" => self.flags.first |= self.belongs(setting, Scheduler::Maglev, report),
            "mh-port" => self.flags.second |= self.belongs(setting, Scheduler::Maglev, report),
            "hashed" => _ = self.belongs(setting, Scheduler::SourceHash, report),
            _ => return false,
        }
        true
    }

    /// Whether a flag may stand after what was said of the scheduler. keepalived takes those of `sh` and `mh` for each
    /// other, which are the same bits.
    fn belongs(&self, setting: Setting<'_, '_>, wanted: Scheduler, report: &mut Report) -> bool {
        setting.note_words_after(0, report);
        let name = if wanted == Scheduler::Maglev { "mh" } else { "sh" };
        match self.scheduler {
            Some(scheduler) if scheduler == wanted => true,
            Some(Scheduler::SourceHash | Scheduler::Maglev) => {
                if setting.name() != "hashed" {
                    let headline = format!("`{}` is meant for the scheduler `{name}`", setting.name());
                    report.push(
                        Diagnostic::note(Code::SchedulerFlag, setting.head_span(), headline)
                            .help("it acts as the flag of the scheduler in use"),
                    );
                }
                true
            }
            _ => {
                let headline = format!("`{}` needs the scheduler `{name}` before it", setting.name());
                report.push(
                    Diagnostic::warning(Code::SchedulerFlag, setting.head_span(), headline)
                        .help(format!("write `lvs_sched {name}` above it; the flag is ignored")),
                );
                false
            }
        }
    }
}

fn scheduler(setting: Setting<'_, '_>, report: &mut Report) -> Option<Scheduler> {
    let word = setting.only(report)?;
    Some(match word.text.as_ref() {
        "rr" => Scheduler::RoundRobin,
        "wrr" => Scheduler::WeightedRoundRobin,
        "lc" => Scheduler::LeastConnection,
        "wlc" => Scheduler::WeightedLeastConnection,
        "lblc" => Scheduler::LocalityLeastConnection,
        "lblcr" => Scheduler::LocalityReplicated,
        "sh" => Scheduler::SourceHash,
        "dh" => Scheduler::DestinationHash,
        "mh" => Scheduler::Maglev,
        "fo" => Scheduler::WeightedFailover,
        "ovf" => Scheduler::WeightedOverflow,
        "sed" => Scheduler::ShortestExpectedDelay,
        "nq" => Scheduler::NeverQueue,
        "twos" => Scheduler::TwoChoices,
        _ => {
            let diagnostic = setting.invalid(Code::InvalidChoice, word, "is no scheduler");
            let sentence = format!("Invalid lvs_scheduler '{}' - ignoring", shown_bare(&word.text));
            report.push(diagnostic.classic(sentence).help(
                "write one of rr, wrr, lc, wlc, lblc, lblcr, sh, dh, mh, fo, ovf, sed, nq, twos; the line has no effect",
            ));
            return None;
        }
    })
}
