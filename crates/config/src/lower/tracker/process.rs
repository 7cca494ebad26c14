//! `vrrp_track_process`.

use std::time::Duration;

use model::Influence;
use model::vrrp::{ParameterMatch, ProcessMatch, TrackedProcess};

use crate::diagnostic::{Code, Diagnostic};
use crate::keyword::Block;
use crate::lower::track::Trackable;
use crate::lower::{Report, Setting, Spanned, settings, track};

/// `vrrp_track_process`, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct ProcessTracker {
    name: Spanned<String>,
    order: usize,
    program: Option<Spanned<String>>,
    parameters: Vec<String>,
    full_command: bool,
    match_mode: Option<ParameterMatch>,
    influence: Influence,
    least: Option<Spanned<u16>>,
    most: Option<Spanned<u16>>,
    terminate_delay: Duration,
    fork_delay: Duration,
}

impl Trackable for ProcessTracker {
    const BLOCK: &'static str = "vrrp_track_process";
    const UNDEFINED: Code = Code::UndefinedTracker;

    fn name(&self) -> &Spanned<String> {
        &self.name
    }

    fn order(&self) -> usize {
        self.order
    }

    fn is_complete(&self) -> bool {
        self.program.is_some()
    }
}

impl ProcessTracker {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        let mut draft = Self {
            name: setting.block_name(report)?,
            order: report.turn(),
            program: None,
            parameters: Vec::new(),
            full_command: false,
            match_mode: None,
            influence: Influence::default(),
            least: None,
            most: None,
            terminate_delay: Duration::ZERO,
            fork_delay: Duration::ZERO,
        };
        settings(setting.node.children(), Block::ProcessTracker, report, |setting, report| {
            draft.set(setting, report);
        });
        if draft.program.is_none() {
            super::report_incomplete(&draft.name, "process", "PROGRAM", report);
        }
        Some(draft)
    }

    fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            "process" => self.set_program(setting, report),
            "param_match" => self.set_match(setting, report),
            "weight" => self.influence = track::weight(setting, report).unwrap_or(self.influence),
            "quorum" => self.set_least(setting, report),
            "quorum_max" => self.set_most(setting, report),
            "delay" => {
                if let Some(delay) = setting.seconds(report) {
                    self.terminate_delay = delay.value;
                    self.fork_delay = delay.value;
                }
            }
            "terminate_delay" => set_delay(&mut self.terminate_delay, setting, report),
            "fork_delay" => set_delay(&mut self.fork_delay, setting, report),
            "full_command" => self.full_command = setting.flag(report),
            _ => setting.lacks(report),
        }
    }

    fn set_program(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(word) = setting.first(report) else { return };
        if let Some(first) = &self.program {
            report.push(
                Diagnostic::warning(
                    Code::Repeated,
                    word.span,
                    "a `vrrp_track_process` is of one program; this one is ignored",
                )
                .label(first.span, "this one counts"),
            );
            return;
        }
        self.program = Some(Spanned { value: word.text.clone().into_owned(), span: word.span });
        let parameters = setting.node.arguments().iter().skip(1);
        self.parameters = parameters.map(|word| word.text.clone().into_owned()).collect();
    }

    fn set_match(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(word) = setting.node.arguments().first() else {
            self.match_mode = Some(ParameterMatch::Exact);
            return;
        };
        setting.note_words_after(1, report);
        match word.text.as_ref() {
            "initial" => self.match_mode = Some(ParameterMatch::Initial),
            "partial" => self.match_mode = Some(ParameterMatch::Partial),
            _ => {
                let diagnostic =
                    setting.invalid(Code::InvalidChoice, word, "is no way to compare parameters");
                report.push(
                    diagnostic.help("write `initial`, `partial`, or nothing for all; the line has no effect"),
                );
            }
        }
    }

    fn set_least(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(least) = setting.number::<u16>(report) else { return };
        match self.most.filter(|most| least.value > most.value) {
            Some(most) => report.push(contradiction(least, most)),
            None => self.least = Some(least),
        }
    }

    /// `quorum_max 0` alone means that there must be none.
    fn set_most(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(most) = setting.number::<u16>(report) else { return };
        let least = self.least.filter(|least| least.value > most.value);
        match least.filter(|least| most.value > 0 || least.value > 1) {
            Some(least) => report.push(contradiction(most, least)),
            None => self.most = Some(most),
        }
    }

    pub(crate) fn resolve(self, _report: &mut Report) -> Option<TrackedProcess> {
        let least = self.least.map_or(1, |least| least.value);
        let most = self.most.map(|most| most.value);
        let default = (!self.parameters.is_empty()).then_some(ParameterMatch::Exact);
        let matching = match self.match_mode.or(default) {
            Some(mode) => ProcessMatch::Parameters { parameters: self.parameters, mode },
            None if self.full_command => ProcessMatch::Command,
            None => ProcessMatch::Name,
        };
        Some(TrackedProcess {
            name: self.name.value,
            program: self.program?.value,
            matching,
            influence: self.influence,
            least: most.map_or(least, |most| least.min(most)),
            most,
            terminate_delay: self.terminate_delay,
            fork_delay: self.fork_delay,
        })
    }
}

fn set_delay(delay: &mut Duration, setting: Setting<'_, '_>, report: &mut Report) {
    *delay = setting.seconds(report).map_or(*delay, |seconds| seconds.value);
}

fn contradiction(this: Spanned<u16>, other: Spanned<u16>) -> Diagnostic {
    let headline = "`quorum` is greater than `quorum_max`: there can never be the right number of processes";
    Diagnostic::warning(Code::Quorum, this.span, headline)
        .label(other.span, "this one counts")
        .help("the line has no effect")
}
