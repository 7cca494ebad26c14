//! `auth_hmac`.

use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::time::Duration;

use model::Secret;
use model::vrrp::{HmacMode, KeySource};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::Block;
use crate::lexer::Word;
use crate::lower::instance::set;
use crate::lower::{Report, Setting, Spanned, settings};
use crate::number;
use crate::source::Span;

/// All `auth_hmac` blocks of an instance together.
#[derive(Clone, Debug)]
pub(crate) struct HmacDraft {
    /// The block's keyword.
    pub(crate) span: Span,
    pub(crate) keys: BTreeMap<NonZeroU8, Spanned<KeySource>>,
    pub(crate) active: Option<Spanned<NonZeroU8>>,
    pub(crate) window: Option<Spanned<Duration>>,
    pub(crate) monotonic: Option<Spanned<bool>>,
    pub(crate) mode: Option<Spanned<HmacMode>>,
}

impl HmacDraft {
    pub(super) const fn new(span: Span) -> Self {
        Self { span, keys: BTreeMap::new(), active: None, window: None, monotonic: None, mode: None }
    }

    /// Adds one block.
    pub(super) fn read(&mut self, block: Setting<'_, '_>, report: &mut Report) {
        settings(block.node.children(), Block::Hmac, report, |setting, report| match setting.name() {
            "key" => self.add_key(setting, report),
            "active_key" => {
                let number = setting.number::<u8>(report);
                let id = number.and_then(|Spanned { value, span }| {
                    NonZeroU8::new(value).map(|value| Spanned { value, span })
                });
                set(&mut self.active, id);
            }
            "time_window" => set(&mut self.window, setting.whole_seconds(report)),
            "anti_replay" => {
                let words = [("time", false), ("monotonic", true)];
                set(&mut self.monotonic, one_of(&words, setting, report));
            }
            "mode" => {
                let words = [
                    ("enforce", HmacMode::Enforce),
                    ("permissive", HmacMode::Permissive),
                    ("receive-only", HmacMode::ReceiveOnly),
                ];
                set(&mut self.mode, one_of(&words, setting, report));
            }
            _ => setting.lacks(report),
        });
    }

    fn add_key(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(first) = setting.first(report) else { return };
        setting.note_words_after(2, report);
        let id =
            number::integer(&first.text).ok().and_then(|id| u8::try_from(id).ok()).and_then(NonZeroU8::new);
        let Some(id) = id else {
            let diagnostic = setting.invalid(Code::OutOfRange, first, "is no number of a key");
            report
                .push(diagnostic.help("write `key ID VALUE` with an ID of 1 to 255; the line has no effect"));
            return;
        };
        let Some(value) = setting.node.arguments().get(1) else {
            let headline = format!("key {id} has no value");
            report.push(
                Diagnostic::error(Code::MissingArgument, setting.span(), headline)
                    .help("write 32 to 64 bytes of text, `hex:DIGITS` or `file:PATH`"),
            );
            return;
        };
        if let Some(known) = self.keys.get(&id) {
            let headline = format!("key {id} is defined already; the line has no effect");
            report.push(
                Diagnostic::warning(Code::DuplicateEntry, first.span, headline)
                    .label(known.span, "first here"),
            );
        } else if let Some(source) = key(value, report) {
            self.keys.insert(id, Spanned { value: source, span: first.span });
        }
    }
}

/// The bytes of a key, or the file that has them.
fn key(word: &Word<'_>, report: &mut Report) -> Option<KeySource> {
    let mut refuse = |headline: String| {
        report.push(
            Diagnostic::warning(Code::Hmac, word.span, headline)
                .help("a key has 32 to 64 bytes: text, `hex:` and two digits for each, or `file:PATH`; this one is ignored"),
        );
        None
    };
    if let Some(path) = word.text.strip_prefix("file:") {
        return if path.is_empty() {
            refuse("`file:` names no file".to_owned())
        } else {
            Some(KeySource::File(path.to_owned()))
        };
    }
    let bytes = match word.text.strip_prefix("hex:") {
        Some(digits) => match from_hex(digits) {
            Some(bytes) => bytes,
            None => return refuse("what follows `hex:` is not pairs of hexadecimal digits".to_owned()),
        },
        None => word.text.as_bytes().to_vec(),
    };
    if !(KeySource::LEAST..=KeySource::MOST).contains(&bytes.len()) {
        return refuse(format!("this key has {} bytes", bytes.len()));
    }
    Some(KeySource::Bytes(Secret::new(bytes)))
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let pair = std::str::from_utf8(pair).ok()?;
                u8::from_str_radix(pair, 16).ok()
            }
            _ => None,
        })
        .collect()
}

/// One of `words`, for what it stands for.
pub(super) fn one_of<T: Copy>(
    words: &[(&str, T)],
    setting: Setting<'_, '_>,
    report: &mut Report,
) -> Option<Spanned<T>> {
    let word = setting.only(report)?;
    if let Some((_, value)) = words.iter().find(|(name, _)| *name == word.text) {
        return Some(Spanned { value: *value, span: word.span });
    }
    let names: Vec<String> = words.iter().map(|(name, _)| shown(name)).collect();
    let what = format!("cannot follow `{}`", setting.name());
    let diagnostic = setting.invalid(Code::InvalidChoice, word, &what);
    report.push(diagnostic.help(format!("write one of {}; the line has no effect", names.join(", "))));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_come_in_pairs() {
        assert_eq!(from_hex("00fF10"), Some(vec![0, 0xff, 0x10]));
        assert_eq!(from_hex(""), Some(Vec::new()));
        for bad in ["0", "0g", "+1", "00 1", "é"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }
}
