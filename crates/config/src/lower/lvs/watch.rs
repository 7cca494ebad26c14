//! `BFD_CHECK` and `FILE_CHECK`: checkers of what others find out.

use model::lvs::FileCheck;

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lower::{Report, Setting, Spanned};
use crate::number;

use super::names::{Kind, Names};
use super::{Files, text};

/// A checker of a file, as it was written.
#[derive(Debug, Default)]
pub(super) struct FileDraft {
    name: Option<String>,
    /// The name was there and has been reported.
    unknown: bool,
    weight: Option<(i32, bool)>,
}

impl FileDraft {
    pub(super) fn set(&mut self, setting: Setting<'_, '_>, names: &mut Names, report: &mut Report) {
        match setting.name() {
            "track_file" => {
                let Some(name) = setting.text(report) else { return };
                if names.knows(Kind::File, &name) {
                    self.name = Some(name.value);
                } else {
                    self.unknown = true;
                }
            }
            "weight" => self.weight = weight(setting, report).or(self.weight),
            _ => setting.lacks(report),
        }
    }

    /// Whether it has a file.
    pub(super) fn check(&self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        if self.name.is_none() && !self.unknown {
            report.push(incomplete(setting, "track_file NAME"));
        }
        self.name.is_some()
    }

    pub(super) fn resolve(self, files: &Files<'_>) -> FileCheck {
        let name = self.name.unwrap_or_default();
        let (weight, reverse) = self.weight.unwrap_or_else(|| own_weight(&name, files));
        FileCheck { file: name.into_boxed_str(), weight, reverse }
    }
}

/// The weight that a file gives itself.
fn own_weight(name: &str, files: &Files<'_>) -> (i32, bool) {
    let influence = files.get(name).map(|file| file.influence).unwrap_or_default();
    (influence.weight.get().into(), influence.reverse)
}

/// `weight NUMBER [reverse|noreverse]`.
fn weight(setting: Setting<'_, '_>, report: &mut Report) -> Option<(i32, bool)> {
    setting.note_words_after(2, report);
    let word = text::first(setting, report)?;
    let weight = number::integer(&word.text).ok().and_then(|weight| i32::try_from(weight).ok());
    let Some(weight) = weight.filter(|weight| *weight != i32::MIN) else {
        report.push(setting.out_of_range(word, "-2147483647 to 2147483647"));
        return None;
    };
    let option = setting.node.arguments().get(1);
    let reverse = match option.map(|option| option.text.as_ref()) {
        None | Some("noreverse") => false,
        Some("reverse") => true,
        Some(other) => {
            let headline = format!("{} cannot follow a weight; it is ignored", shown(other));
            let span = option.map_or(word.span, |option| option.span);
            report.push(
                Diagnostic::warning(Code::InvalidChoice, span, headline)
                    .help("write `reverse` or `noreverse`"),
            );
            false
        }
    };
    Some((weight, reverse))
}

/// What a `BFD_CHECK` begins with.
pub(super) fn no_session(setting: Setting<'_, '_>) -> Spanned<String> {
    Spanned { value: String::new(), span: setting.head_span() }
}

/// A line of `BFD_CHECK` that names its session.
pub(super) fn set_session(
    session: &mut Spanned<String>,
    setting: Setting<'_, '_>,
    names: &mut Names,
    report: &mut Report,
) {
    if setting.name() != "name" {
        return setting.lacks(report);
    }
    let Some(word) = text::first(setting, report) else { return };
    if let Some(extra) = setting.node.arguments().get(1) {
        let headline = "a `BFD_CHECK` has one session; the checker is ignored";
        report.push(
            Diagnostic::warning(Code::ExtraWords, extra.span, headline).help("write one block for each"),
        );
        return;
    }
    let name = Spanned { value: word.text.clone().into_owned(), span: word.span };
    if !session.value.is_empty() {
        let headline = "`name` is repeated; the first one stays in force";
        report.push(
            Diagnostic::warning(Code::Repeated, name.span, headline).label(session.span, "the first one"),
        );
    } else if names.knows(Kind::Session, &name) {
        *session = name;
    }
}

/// Whether a `BFD_CHECK` has a session. What is wrong with the name has been reported.
pub(super) fn check_session(
    session: &Spanned<String>,
    setting: Setting<'_, '_>,
    report: &mut Report,
) -> bool {
    let has_line =
        setting.node.children().iter().any(|node| node.head().is_some_and(|head| head.text == "name"));
    if session.value.is_empty() && !has_line {
        report.push(incomplete(setting, "name SESSION"));
    }
    !session.value.is_empty()
}

fn incomplete(setting: Setting<'_, '_>, example: &str) -> Diagnostic {
    let headline = format!("this `{}` does not say what it listens to; it is ignored", setting.name());
    Diagnostic::warning(Code::IncompleteChecker, setting.head_span(), headline)
        .help(format!("add `{example}`"))
}
