//! `track_interface`, `track_script` and weights.

use model::{IfName, Influence, Weight};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::Arguments;
use crate::lexer::Word;
use crate::lower::{Report, Setting, Spanned, setting};
use crate::number;
use crate::source::Span;

/// One line of a list of trackers.
#[derive(Clone, Debug)]
pub(crate) struct Tracker<T> {
    /// What is tracked.
    pub(crate) target: Spanned<T>,
    /// `weight`, if the line has one.
    weight: Option<Spanned<Weight>>,
    /// `reverse` or `noreverse`, if the line has one.
    reverse: Option<bool>,
}

impl<T> Tracker<T> {
    /// What it does, where the tracked thing's own setting is `default`.
    pub(crate) fn influence(&self, default: Influence) -> Influence {
        Influence {
            weight: self.weight.map_or(default.weight, |weight| weight.value),
            reverse: self.reverse.unwrap_or(default.reverse),
        }
    }

    /// Where its weight stands, or else the whole entry.
    pub(crate) fn span(&self) -> Span {
        self.weight.map_or(self.target.span, |weight| self.target.span.to(weight.span))
    }
}

/// The lines of `track_interface`.
pub(crate) fn interfaces(block: Setting<'_, '_>, report: &mut Report) -> Vec<Tracker<IfName>> {
    entries(block, report, setting::interface)
}

/// The lines of `track_script`.
pub(crate) fn scripts(block: Setting<'_, '_>, report: &mut Report) -> Vec<Tracker<String>> {
    entries(block, report, |word, _| Some(Spanned { value: word.text.clone().into_owned(), span: word.span }))
}

fn entries<T>(
    block: Setting<'_, '_>,
    report: &mut Report,
    target: impl Fn(&Word<'_>, &mut Report) -> Option<Spanned<T>>,
) -> Vec<Tracker<T>> {
    let mut trackers = Vec::new();
    for node in block.node.children() {
        let Some(target) = node.head().and_then(|head| target(head, report)) else { continue };
        let mut tracker = Tracker { target, weight: None, reverse: None };
        tracker.read_options(node.arguments(), report);
        trackers.push(tracker);
    }
    trackers
}

impl<T> Tracker<T> {
    fn read_options(&mut self, words: &[Word<'_>], report: &mut Report) {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.text.as_ref() {
                "weight" => match words.next() {
                    Some(value) => self.weight = entry_weight(value, report).or(self.weight),
                    None => report.push(
                        Diagnostic::error(Code::MissingArgument, word.span, "`weight` needs a value")
                            .help("write `weight -253..253`"),
                    ),
                },
                "reverse" => self.reverse = Some(true),
                "noreverse" => self.reverse = Some(false),
                other => {
                    let headline = format!("{} is no option of a tracker; it is ignored", shown(other));
                    report.push(
                        Diagnostic::warning(Code::InvalidChoice, word.span, headline)
                            .help("write `NAME weight NUMBER`, and `reverse` perhaps"),
                    );
                }
            }
        }
    }
}

/// A weight in a list of trackers, where 254 is taken for 253.
fn entry_weight(word: &Word<'_>, report: &mut Report) -> Option<Spanned<Weight>> {
    let value = number::integer(&word.text).ok().and_then(|value| i16::try_from(value).ok());
    let weight = match value {
        Some(value @ (-254 | 254)) => {
            let nearest = value.clamp(-253, 253);
            let headline = format!("a weight is -253 to 253; {nearest} is used");
            report.push(Diagnostic::warning(Code::Adjusted, word.span, headline));
            Weight::try_from(nearest).ok()
        }
        Some(value) => Weight::try_from(value).ok(),
        None => None,
    };
    if weight.is_none() {
        let headline = format!("{} is no weight", shown(&word.text));
        report.push(
            Diagnostic::warning(Code::OutOfRange, word.span, headline)
                .help("a weight is -253 to 253; this one has no effect"),
        );
    }
    weight.map(|value| Spanned { value, span: word.span })
}

/// `weight NUMBER [reverse]` of a script.
pub(crate) fn weight(setting: Setting<'_, '_>, report: &mut Report) -> Option<Influence> {
    debug_assert!(matches!(setting.keyword.arguments, Arguments::Weight(_)), "the table says so");
    let word = setting.first(report)?;
    setting.note_words_after(2, report);
    let value = setting.integer_in(word, report)?;
    let weight = i16::try_from(value).ok().and_then(|value| Weight::try_from(value).ok())?;
    let option = setting.node.arguments().get(1);
    if let Some(option) = option.filter(|option| option.text != "reverse") {
        let headline = format!("{} cannot follow a weight; it is ignored", shown(&option.text));
        let diagnostic = Diagnostic::warning(Code::InvalidChoice, option.span, headline);
        report.push(diagnostic.help("only `reverse` can"));
    }
    Some(Influence { weight, reverse: option.is_some_and(|option| option.text == "reverse") })
}
