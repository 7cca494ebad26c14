//! `vrrp_script`.

use std::time::Duration;

use model::Influence;
use model::vrrp::{self, RunAs};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::Block;
use crate::lower::notify::{self, CommandDraft, WithUser};
use crate::lower::track::Trackable;
use crate::lower::{Global, Report, Setting, Spanned, settings, track};

/// A `vrrp_script` as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) name: Spanned<String>,
    order: usize,
    pub(crate) command: Option<CommandDraft>,
    interval: Duration,
    timeout: Option<Duration>,
    rise: u32,
    fall: u32,
    influence: Influence,
    user: Option<RunAs>,
    init_fail: bool,
}

impl Trackable for Script {
    const BLOCK: &'static str = "vrrp_script";
    const UNDEFINED: Code = Code::UndefinedScript;

    fn name(&self) -> &Spanned<String> {
        &self.name
    }

    fn order(&self) -> usize {
        self.order
    }

    fn is_complete(&self) -> bool {
        self.command.is_some()
    }
}

impl Script {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        let mut script = Self {
            name: setting.block_name(report)?,
            order: report.turn(),
            command: None,
            interval: Duration::from_secs(1),
            timeout: None,
            rise: 1,
            fall: 1,
            influence: Influence::default(),
            user: None,
            init_fail: false,
        };
        report.subject.clone_from(&script.name.value);
        settings(setting.node.children(), Block::Script, report, |setting, report| {
            script.set(setting, report);
        });
        report.run_script_as(script.command.as_ref(), script.user.as_ref());
        Some(script)
    }

    fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            "script" => self.set_command(setting, report),
            "interval" => self.interval = not_zero(setting, report).unwrap_or(self.interval),
            "timeout" => self.timeout = not_zero(setting, report).or(self.timeout),
            "rise" => self.rise = setting.number(report).map_or(self.rise, |rise| rise.value),
            "fall" => self.fall = setting.number(report).map_or(self.fall, |fall| fall.value),
            "weight" => self.influence = track::weight(setting, report).unwrap_or(self.influence),
            "user" => self.user = notify::user(setting, report).or_else(|| self.user.take()),
            "init_fail" => self.init_fail = setting.flag(report),
            _ => setting.lacks(report),
        }
    }

    fn set_command(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(command) = CommandDraft::read(setting, WithUser::No, report) else { return };
        if let Some(first) = &self.command {
            let headline =
                format!("the script of {} is repeated; the last one counts", shown(&self.name.value));
            report.push(
                Diagnostic::note(Code::Repeated, command.span, headline)
                    .label(first.span, "this has no effect"),
            );
        }
        self.command = Some(command);
    }

    /// The script that is meant, if it has a command.
    pub(crate) fn resolve(&self, global: &Global) -> Option<vrrp::Script> {
        let command = self.command.as_ref()?.resolve(self.user.as_ref(), global);
        Some(vrrp::Script {
            name: self.name.value.clone(),
            command,
            interval: self.interval,
            timeout: self.timeout.unwrap_or(self.interval),
            rise: self.rise,
            fall: self.fall,
            influence: self.influence,
            init_fail: self.init_fail,
        })
    }
}

fn not_zero(setting: Setting<'_, '_>, report: &mut Report) -> Option<Duration> {
    let span = setting.seconds(report)?;
    if !span.value.is_zero() {
        return Some(span.value);
    }
    let headline = format!("`{}` must be more than 0; 1 second is used", setting.name());
    let sentence =
        format!("({}): vrrp script {} must be greater than 0, setting to 1", report.subject, setting.name());
    report.push(Diagnostic::warning(Code::Adjusted, span.span, headline).classic(sentence));
    Some(Duration::from_secs(1))
}
