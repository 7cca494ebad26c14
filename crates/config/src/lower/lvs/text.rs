//! Words whose absence keepalived survives.

use crate::diagnostic::{Code, Diagnostic};
use crate::lexer::Word;
use crate::lower::{Report, Setting};

/// The only argument. Without it the line has no effect.
pub(super) fn only<'n, 'a>(setting: Setting<'n, 'a>, report: &mut Report) -> Option<&'n Word<'a>> {
    setting.note_words_after(1, report);
    first(setting, report)
}

/// The first argument. Without it the line has no effect.
pub(super) fn first<'n, 'a>(setting: Setting<'n, 'a>, report: &mut Report) -> Option<&'n Word<'a>> {
    let first = setting.node.arguments().first();
    // An argument behind an unpaired quote has been reported.
    if first.is_none() && setting.node.statement.unpaired.is_none() {
        report.push(missing(setting));
    }
    first
}

/// That there is no argument.
pub(super) fn missing(setting: Setting<'_, '_>) -> Diagnostic {
    let headline = format!("`{}` needs a value", setting.name());
    let help = format!("write `{} {}`; the line has no effect", setting.name(), setting.keyword.arguments);
    Diagnostic::warning(Code::MissingArgument, setting.span(), headline).help(help)
}

/// A label for SNMP, which is one word.
pub(super) fn label(setting: Setting<'_, '_>, report: &mut Report) -> Option<Box<str>> {
    let word = first(setting, report)?;
    if let Some(extra) = setting.node.arguments().get(1) {
        let headline = format!("`{}` takes one word", setting.name());
        report.push(
            Diagnostic::warning(Code::ExtraWords, extra.span, headline)
                .help("put the name in double quotes; the line has no effect"),
        );
        return None;
    }
    Some(word.text.as_ref().into())
}

/// That a keyword is an old word for `known`.
pub(super) fn old_word(setting: Setting<'_, '_>, known: &str) -> Diagnostic {
    let headline = format!("`{}` is an old word for `{known}`", setting.name());
    Diagnostic::warning(Code::Deprecated, setting.head_span(), headline)
        .help(format!("write `{known}`; it has the same effect"))
}
