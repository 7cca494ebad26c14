//! `MISC_CHECK`.

use std::time::Duration;

use model::lvs::{Check, MiscCheck};
use model::vrrp::RunAs;

use crate::diagnostic::{Code, Diagnostic};
use crate::lower::notify::{self, CommandDraft, WithUser};
use crate::lower::{Report, Setting};

use super::real_server::Inherited;
use super::text;

/// A program's checker, as it was written.
#[derive(Debug, Default)]
pub(super) struct MiscDraft {
    command: Option<CommandDraft>,
    timeout: Option<Duration>,
    dynamic: bool,
    user: Option<RunAs>,
}

impl MiscDraft {
    pub(super) fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            "misc_path" => self.set_command(setting, report),
            "misc_timeout" => {
                self.timeout = setting.whole_seconds(report).map(|timeout| timeout.value).or(self.timeout);
            }
            "misc_dynamic" => self.dynamic = setting.flag(report),
            "user" => {
                if text::first(setting, report).is_some() {
                    self.user = notify::user(setting, report).or_else(|| self.user.take());
                }
            }
            _ => setting.lacks(report),
        }
    }

    fn set_command(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        // keepalived finds out at the end of the block.
        if setting.node.arguments().is_empty() && setting.node.statement.unpaired.is_none() {
            return;
        }
        let Some(command) = CommandDraft::read(setting, WithUser::No, report) else { return };
        if let Some(first) = &self.command {
            let headline = "`misc_path` is repeated; the last one counts";
            report.push(
                Diagnostic::note(Code::Repeated, command.span, headline)
                    .label(first.span, "this has no effect"),
            );
        }
        self.command = Some(command);
    }

    /// Whether it has a command.
    pub(super) fn check(&self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        report.run_script_as(self.command.as_ref(), self.user.as_ref());
        if self.command.is_none() {
            let headline = "this `MISC_CHECK` has nothing to run; it is ignored";
            report.push(
                Diagnostic::warning(Code::IncompleteChecker, setting.head_span(), headline)
                    .help("add `misc_path \"COMMAND ARGUMENTS\"`")
                    .classic("No script path has been specified for MISC_CHECKER - skipping"),
            );
        }
        self.command.is_some()
    }

    pub(super) fn resolve(self, inherited: &Inherited<'_>) -> Check {
        let command = self.command.map(|command| command.resolve(self.user.as_ref(), inherited.global));
        let command = command.unwrap_or_else(|| model::vrrp::Command {
            program: String::new(),
            arguments: Vec::new(),
            run_as: RunAs::Default,
        });
        // 0 is the default too.
        let timeout = self.timeout.filter(|timeout| !timeout.is_zero());
        let timeout = timeout.unwrap_or_else(|| inherited.pace.interval());
        Check::Misc(Box::new(MiscCheck { command, timeout, dynamic: self.dynamic }))
    }
}
