//! `url` of `HTTP_GET` and `SSL_GET`.

use std::sync::Arc;

use model::lvs::{Regex, RegexOption, RegexOptions, Request, StatusRange, StatusSet};

use crate::diagnostic::{Code, Diagnostic, shown, shown_bare};
use crate::keyword::nearest_of;
use crate::lexer::{Word, script};
use crate::lower::{Report, Setting, settings};
use crate::number;
use crate::source::Span;

use super::text;

/// A request, as it was written.
#[derive(Debug, Default)]
pub(super) struct UrlDraft {
    path: Option<Box<str>>,
    virtualhost: Option<Arc<str>>,
    status: Option<StatusSet>,
    digest: Option<Box<[u8; 16]>>,
    regex: Option<Box<RegexDraft>>,
    tls_compliant: Option<bool>,
}

/// A pattern and what may stand before it.
#[derive(Debug)]
struct RegexDraft {
    pattern: Option<Box<str>>,
    regex: Regex,
    span: Span,
}

impl UrlDraft {
    pub(super) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        setting.note_words_after(0, report);
        let mut url = Self::default();
        let block = setting.keyword.opens?;
        settings(setting.node.children(), block, report, |setting, report| url.set(setting, report));
        if let Some(regex) = url.regex.as_ref().filter(|regex| regex.pattern.is_none()) {
            let headline = "without `regex` this has no effect";
            report.push(
                Diagnostic::note(Code::IdleOption, regex.span, headline).help("add `regex \"PATTERN\"`"),
            );
        }
        if url.path.is_none() {
            let headline = "this `url` has no path; it is ignored";
            report.push(
                Diagnostic::warning(Code::IncompleteChecker, setting.head_span(), headline)
                    .help("add `path PATH`")
                    .classic("HTTP/SSL_GET checker url has no path - ignoring"),
            );
        }
        url.path.is_some().then_some(url)
    }

    fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            "path" => {
                let path = setting.only(report).map(|word| word.text.as_ref().into());
                self.path = path.or_else(|| self.path.take());
            }
            "digest" => self.set_digest(setting, report),
            "status_code" => self.add_codes(setting, report),
            "virtualhost" => {
                let host = text::only(setting, report).map(|word| word.text.as_ref().into());
                self.virtualhost = host.or_else(|| self.virtualhost.take());
            }
            "tls_compliant" => self.tls_compliant = setting.boolean(report).or(self.tls_compliant),
            "regex" => {
                if let Some(pattern) = pattern(setting, report) {
                    self.regex(setting).pattern = Some(pattern);
                }
            }
            "regex_no_match" => self.regex(setting).regex.inverted = setting.flag(report),
            "regex_options" => add_options(&mut self.regex(setting).regex.options, setting, report),
            "regex_min_offset" => {
                let offset = offset(setting, report);
                let regex = &mut self.regex(setting).regex;
                regex.min_offset = offset.unwrap_or(regex.min_offset);
            }
            "regex_max_offset" => {
                let offset = offset(setting, report);
                let regex = &mut self.regex(setting).regex;
                regex.max_offset = offset.or(regex.max_offset);
            }
            "regex_stack" => {
                let stack = stack(setting, report);
                let regex = &mut self.regex(setting).regex;
                regex.stack = stack.or(regex.stack);
            }
            _ => setting.lacks(report),
        }
    }

    fn set_digest(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(word) = setting.only(report) else { return };
        let Some(digest) = digest(&word.text) else {
            let headline = format!("{} is no MD5 digest", shown(&word.text));
            report.push(
                Diagnostic::warning(Code::InvalidPattern, word.span, headline)
                    .help("write 32 hexadecimal digits; the line has no effect")
                    .classic(format!(
                        "digest '{}' character length should be 32 rather than {}",
                        shown_bare(&word.text),
                        word.text.len()
                    )),
            );
            return;
        };
        if self.digest.is_some() {
            let headline = "`digest` is repeated; the first one stays in force";
            report.push(Diagnostic::warning(Code::Repeated, setting.span(), headline));
        } else {
            self.digest = Some(Box::new(digest));
        }
    }

    /// Words of all lines add up.
    fn add_codes(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        if setting.node.arguments().is_empty() {
            let headline = "`status_code` names no codes; it has no effect";
            report.push(Diagnostic::note(Code::MissingArgument, setting.span(), headline));
        }
        for word in setting.node.arguments() {
            match codes(&word.text) {
                Some(range) => self.status.get_or_insert(StatusSet::EMPTY).extend(range),
                None => report.push(invalid_code(word)),
            }
        }
    }

    fn regex(&mut self, setting: Setting<'_, '_>) -> &mut RegexDraft {
        self.regex.get_or_insert_with(|| {
            Box::new(RegexDraft {
                pattern: None,
                regex: Regex {
                    pattern: Box::default(),
                    inverted: false,
                    options: RegexOptions::default(),
                    min_offset: 0,
                    max_offset: None,
                    stack: None,
                },
                span: setting.head_span(),
            })
        })
    }

    pub(super) fn resolve(self, host: Option<&Arc<str>>, tls_compliant: bool) -> Request {
        let regex = self.regex.and_then(|draft| Some(Regex { pattern: draft.pattern?, ..draft.regex }));
        Request {
            path: self.path.unwrap_or_default(),
            host: self.virtualhost.or_else(|| host.cloned()),
            status: self.status.unwrap_or(StatusSet::SUCCESS),
            digest: self.digest,
            regex: regex.map(Box::new),
            tls_compliant: self.tls_compliant.unwrap_or(tls_compliant),
        }
    }
}

fn digest(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let value = u128::from_str_radix(text, 16).ok()?;
    Some(value.to_be_bytes())
}

/// `CODE` or `CODE-CODE`.
fn codes(text: &str) -> Option<StatusRange> {
    let code = |text: &str| {
        let code = number::integer(text).ok().and_then(|code| u16::try_from(code).ok());
        code.filter(|code| StatusSet::CODES.contains(code))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = StatusRange { first: code(first)?, last: code(last)? };
    (range.first <= range.last).then_some(range)
}

fn invalid_code(word: &Word<'_>) -> Diagnostic {
    let headline = format!("{} is no status code; it is ignored", shown(&word.text));
    Diagnostic::warning(Code::OutOfRange, word.span, headline)
        .help("write codes of 100 to 599, as in `200-204 301`")
        .classic(format!("Invalid HTTP_GET status code '{}'", shown_bare(&word.text)))
}

/// The pattern of a line, which is read by rules of its own. keepalived's test says nothing about a bad one.
fn pattern(setting: Setting<'_, '_>, report: &mut Report) -> Option<Box<str>> {
    match script::pattern(setting.node.statement.text()) {
        Ok(pattern) => Some(pattern.into_boxed_str()),
        Err(error) => {
            let headline = format!("this pattern cannot be used: {error}");
            report.push(
                Diagnostic::note(Code::InvalidPattern, setting.span(), headline)
                    .help("write one word, or one string in double quotes; the line has no effect"),
            );
            None
        }
    }
}

fn add_options(options: &mut RegexOptions, setting: Setting<'_, '_>, report: &mut Report) {
    for word in setting.node.arguments() {
        let all = RegexOption::ALL.iter().copied();
        match all.clone().find(|option| option.name() == word.text) {
            Some(option) => options.insert(option),
            None => {
                let headline = format!("{} is no option of a pattern; it is ignored", shown(&word.text));
                let note = Diagnostic::note(Code::InvalidChoice, word.span, headline);
                report.push(match nearest_of(&word.text, all, |option| option.name()) {
                    Some(near) => note.help(format!("did you mean `{}`?", near.name())),
                    None => note,
                });
            }
        }
    }
}

fn offset(setting: Setting<'_, '_>, report: &mut Report) -> Option<u64> {
    setting.note_words_after(1, report);
    setting.node.arguments().first().and_then(|word| size(word)).or_else(|| {
        report.push(no_size(setting));
        None
    })
}

/// First and greatest size of the stack.
fn stack(setting: Setting<'_, '_>, report: &mut Report) -> Option<(u64, u64)> {
    setting.note_words_after(2, report);
    let sizes = match setting.node.arguments() {
        [first, most, ..] => size(first).zip(size(most)).filter(|(first, most)| (1..=*most).contains(first)),
        _ => None,
    };
    if sizes.is_none() {
        report.push(no_size(setting));
    }
    sizes
}

fn size(word: &Word<'_>) -> Option<u64> {
    number::integer(&word.text).ok().and_then(|size| u64::try_from(size).ok())
}

fn no_size(setting: Setting<'_, '_>) -> Diagnostic {
    let headline = format!("`{}` has no valid size; it has no effect", setting.name());
    Diagnostic::note(Code::OutOfRange, setting.span(), headline).help(format!(
        "write `{} {}`",
        setting.name(),
        setting.keyword.arguments
    ))
}
