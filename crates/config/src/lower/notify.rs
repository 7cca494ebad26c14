//! Commands: the `script` of a check, and the notify commands of an instance.

use model::vrrp::{Command, Deleted, Notify, RunAs};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lexer::Word;
use crate::lexer::script::{self, ScriptError, ScriptWord};
use crate::lower::host::ScriptDraft;
use crate::lower::{Global, Report, Setting, Spanned};
use crate::source::Span;

/// A command as a line gives it.
#[derive(Clone, Debug)]
pub(crate) struct CommandDraft {
    program: String,
    arguments: Vec<String>,
    /// The user of its own line.
    run_as: Option<RunAs>,
    pub(crate) span: Span,
}

impl CommandDraft {
    /// The command of a line whose keyword takes one. With `user`, user and group may follow it.
    pub(crate) fn read(setting: Setting<'_, '_>, user: WithUser, report: &mut Report) -> Option<Self> {
        if setting.node.statement.unpaired.is_none() {
            setting.first(report)?;
        }
        match Self::parse(setting, user) {
            Ok(draft) => {
                draft.remark_on_lost_arguments(setting, user, report);
                report.scripts.push(draft.wanted_by(setting));
                Some(draft)
            }
            Err(error) => {
                let headline = format!("`{}` cannot be run: {error}", setting.name());
                report.push(
                    Diagnostic::warning(Code::InvalidScript, setting.span(), headline)
                        .help("write the command and its arguments as one string in double quotes"),
                );
                None
            }
        }
    }

    fn parse(setting: Setting<'_, '_>, user: WithUser) -> Result<Self, ScriptError> {
        let words = script::words(setting.node.statement.text())?;
        let line = words.get(1).ok_or(ScriptError::Empty)?;
        let (program, arguments) = script::command(&line.text)?;
        let run_as = match user {
            WithUser::Yes => words.get(2).map(|name| run_as(name, words.get(3))),
            WithUser::No => None,
        };
        let span = setting.node.statement.span_of(line.range.clone());
        Ok(Self { program, arguments, run_as, span })
    }

    /// `script /bin/check a b` runs `/bin/check` alone.
    fn remark_on_lost_arguments(&self, setting: Setting<'_, '_>, user: WithUser, report: &mut Report) {
        let used = if user == WithUser::Yes { 4 } else { 2 };
        let words = script::words(setting.node.statement.text()).unwrap_or_default();
        let (Some(first), Some(last)) = (words.get(used), words.last()) else { return };
        let span = setting.node.statement.span_of(first.range.start..last.range.end);
        let headline = format!("what follows `{}` here is ignored", setting.name());
        report.push(
            Diagnostic::note(Code::ExtraWords, span, headline)
                .help("write the command and its arguments as one string in double quotes"),
        );
    }

    fn wanted_by(&self, setting: Setting<'_, '_>) -> ScriptDraft {
        ScriptDraft {
            program: self.program.clone(),
            arguments: self.arguments.clone(),
            run_as: self.run_as.clone(),
            names_user: self.run_as.is_some(),
            block: setting.block,
            keyword: setting.name(),
            span: self.span,
        }
    }

    /// With the rights of its own user, else of `user`, else of `script_user`.
    pub(crate) fn resolve(&self, user: Option<&RunAs>, global: &Global) -> Command {
        let run_as = self.run_as.as_ref().or(user).or(global.script_user.as_ref());
        Command {
            program: self.program.clone(),
            arguments: self.arguments.clone(),
            run_as: run_as.cloned().unwrap_or(RunAs::Default),
        }
    }
}

/// Whether user and group may follow a command on its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithUser {
    Yes,
    No,
}

fn run_as(user: &ScriptWord, group: Option<&ScriptWord>) -> RunAs {
    let group = group.map(|group| group.text.as_str());
    user_and_group(user.text.clone(), group)
}

/// `:GROUP` asks for the user's supplementary groups too; `:` alone names no group.
fn user_and_group(user: String, group: Option<&str>) -> RunAs {
    let (name, all_groups) = match group.map(|group| (group, group.strip_prefix(':'))) {
        Some((_, Some(name))) => (name, true),
        Some((name, None)) => (name, false),
        None => ("", false),
    };
    RunAs::User { user, group: (!name.is_empty()).then(|| name.to_owned()), all_groups }
}

/// `USER [[:]GROUP]` after `user` and `script_user`.
pub(crate) fn user(setting: Setting<'_, '_>, report: &mut Report) -> Option<RunAs> {
    setting.note_words_after(2, report);
    setting.first(report)?;
    let words = setting.node.arguments();
    let is_number = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let bad = words.iter().take(2).find(|word| is_number(&word.text));
    if let Some(word) = bad.or_else(|| words.first().filter(|user| user.text.is_empty())) {
        let diagnostic = setting.invalid(Code::InvalidChoice, word, "is not the name of a user or group");
        report.push(diagnostic.help("users and groups are given by name; the line has no effect"));
        return None;
    }
    let user = owner(words)?;
    report.users.push(Spanned { value: user.clone(), span: setting.span() });
    Some(user)
}

/// `[USER [[:]GROUP]]` where a keyword has other words before.
pub(crate) fn owner(words: &[Word<'_>]) -> Option<RunAs> {
    let user = words.first()?.text.clone().into_owned();
    Some(user_and_group(user, words.get(1).map(|group| group.text.as_ref())))
}

/// The command of a keyword whose first one stays in force. User and group may follow it.
pub(crate) fn once(slot: &mut Option<CommandDraft>, setting: Setting<'_, '_>, report: &mut Report) {
    let command = CommandDraft::read(setting, WithUser::Yes, report);
    match (slot.as_ref(), command) {
        (Some(first), Some(second)) => report.push(repeated(setting, second.span, first.span)),
        (None, Some(command)) => *slot = Some(command),
        (_, None) => {}
    }
}

/// The notify commands of an instance.
#[derive(Clone, Debug)]
pub(crate) struct NotifyDraft {
    master: Option<CommandDraft>,
    backup: Option<CommandDraft>,
    fault: Option<CommandDraft>,
    stop: Option<CommandDraft>,
    deleted: Option<Spanned<Option<CommandDraft>>>,
    master_rx_lower_priority: Option<CommandDraft>,
    any: Option<CommandDraft>,
}

impl NotifyDraft {
    /// Nothing said.
    pub(crate) const EMPTY: Self = Self {
        master: None,
        backup: None,
        fault: None,
        stop: None,
        deleted: None,
        master_rx_lower_priority: None,
        any: None,
    };

    /// Takes a line, if it is about notification.
    pub(crate) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        let slot = match setting.name() {
            "notify_master" => &mut self.master,
            "notify_backup" => &mut self.backup,
            "notify_fault" => &mut self.fault,
            "notify_stop" => &mut self.stop,
            "notify_master_rx_lower_pri" => &mut self.master_rx_lower_priority,
            "notify" => &mut self.any,
            "notify_deleted" => {
                self.read_deleted(setting, report);
                return true;
            }
            _ => return false,
        };
        once(slot, setting, report);
        true
    }

    fn read_deleted(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let command = if setting.node.arguments().is_empty() && setting.node.statement.unpaired.is_none() {
            None
        } else {
            CommandDraft::read(setting, WithUser::Yes, report)
        };
        match &self.deleted {
            Some(first) => report.push(repeated(setting, setting.span(), first.span)),
            None => self.deleted = Some(Spanned { value: command, span: setting.span() }),
        }
    }

    pub(crate) fn resolve(&self, global: &Global) -> Notify {
        let command = |draft: &Option<CommandDraft>| draft.as_ref().map(|draft| draft.resolve(None, global));
        Notify {
            master: command(&self.master),
            backup: command(&self.backup),
            fault: command(&self.fault),
            stop: command(&self.stop),
            deleted: self.deleted.as_ref().map(|deleted| Deleted { command: command(&deleted.value) }),
            master_rx_lower_priority: command(&self.master_rx_lower_priority),
            any: command(&self.any),
        }
    }
}

pub(crate) fn repeated(setting: Setting<'_, '_>, second: Span, first: Span) -> Diagnostic {
    let headline = format!("{} is repeated; the first one stays in force", shown(setting.name()));
    Diagnostic::warning(Code::Repeated, second, headline).label(first, "the first one")
}
