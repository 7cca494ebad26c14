//! How and when the files are read again.

use model::{IncludeCheck, Reload, ReloadFile, Validation};

use super::path;
use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::nearest_of;
use crate::lexer::Word;
use crate::lower::{Report, Setting, Spanned};
use crate::source::Span;

/// What is said about reloads.
#[derive(Clone, Debug, Default)]
pub(super) struct ReloadDraft {
    reload: Reload,
    repeat_at: Option<Span>,
}

impl ReloadDraft {
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        let reload = &mut self.reload;
        match setting.name() {
            "reload_check_config" => {
                let log = optional_path(setting, report).map(|path| path.value);
                reload.validation = Some(Validation { log });
            }
            "reload_time_file" => read_time_file(&mut reload.time_file, setting, report),
            "reload_repeat" => {
                reload.repeat = setting.flag(report);
                self.repeat_at = Some(setting.span());
            }
            "reload_file" => {
                let path = optional_path(setting, report);
                let file = path.map_or(ReloadFile::BesidePidFile, |path| ReloadFile::Path(path.value));
                reload.file = Some(file);
            }
            "include_check" => read_include_check(&mut reload.include_check, setting, report),
            _ => return false,
        }
        true
    }

    pub(super) fn resolve(&self, report: &mut Report) -> Reload {
        let mut reload = self.reload.clone();
        if let (Some(span), None) = (self.repeat_at, &reload.time_file) {
            let headline = "without `reload_time_file` no reload is planned that could be repeated";
            report.push(Diagnostic::note(Code::NoEffect, span, headline).help("the line has no effect"));
            reload.repeat = false;
        }
        reload
    }
}

fn optional_path(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<String>> {
    setting.note_words_after(1, report);
    let word = setting.node.arguments().first().filter(|word| !word.text.is_empty())?;
    let path = Spanned { value: word.text.clone().into_owned(), span: word.span };
    path::remark_on_relative(&path, report);
    Some(path)
}

/// Words after the path make the line void.
fn read_time_file(slot: &mut Option<String>, setting: Setting<'_, '_>, report: &mut Report) {
    if let [_, extra, ..] = setting.node.arguments() {
        let headline = "`reload_time_file` takes one path";
        report.push(
            Diagnostic::warning(Code::ExtraWords, extra.span, headline)
                .help("put a path with blanks in double quotes; the line has no effect"),
        );
        return;
    }
    if let Some(path) = optional_path(setting, report) {
        *slot = Some(path.value);
    }
}

const CHECKS: &[&str] = &["read", "match", "wildcard_match", "brace_match"];

/// What a check is to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Add,
    Remove,
    /// Without a sign: this and no other.
    Only,
}

/// Bare it means all. Only the first word may lack a sign.
fn read_include_check(checks: &mut IncludeCheck, setting: Setting<'_, '_>, report: &mut Report) {
    let words = setting.node.arguments();
    if words.is_empty() {
        *checks = IncludeCheck { read: true, matched: true, wildcard: true, brace: true };
    }
    for (at, word) in words.iter().enumerate() {
        let (sign, name) = signed(&word.text);
        if !CHECKS.contains(&name) {
            report.push(unknown_check(word, name));
        } else if sign == Sign::Only && at > 0 {
            let headline = format!("{} needs a `+` or `-` before it; it is ignored", shown(name));
            report.push(
                Diagnostic::warning(Code::InvalidChoice, word.span, headline)
                    .help(format!("write `+{name}`; only the first word may lack the sign")),
            );
        } else {
            apply(checks, name, sign);
        }
    }
}

fn signed(text: &str) -> (Sign, &str) {
    match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(name), _) => (Sign::Add, name),
        (None, Some(name)) => (Sign::Remove, name),
        (None, None) => (Sign::Only, text),
    }
}

fn apply(checks: &mut IncludeCheck, name: &str, sign: Sign) {
    if sign == Sign::Only {
        // Every other check is about files that can be read.
        *checks = IncludeCheck { read: true, ..IncludeCheck::default() };
    }
    let slot = match name {
        "read" => &mut checks.read,
        "match" => &mut checks.matched,
        "wildcard_match" => &mut checks.wildcard,
        _ => &mut checks.brace,
    };
    *slot = sign != Sign::Remove;
}

fn unknown_check(word: &Word<'_>, name: &str) -> Diagnostic {
    let headline = format!("{} is no check of includes; it is ignored", shown(name));
    let help = match nearest_of(name, CHECKS.iter(), |check| check) {
        // What the manual calls it.
        _ if name == "readable" => "write `read`".to_owned(),
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the checks are `{}`", CHECKS.join("`, `")),
    };
    Diagnostic::warning(Code::InvalidChoice, word.span, headline).help(help)
}
