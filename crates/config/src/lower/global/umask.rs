//! `umask`: a number, or names of bits.

use model::Umask;

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::nearest_of;
use crate::lexer::Word;
use crate::lower::{Report, Setting};
use crate::number;
use crate::source::Span;

/// The rights that have a name.
const BITS: &[(&str, u16)] = &[
    ("IRUSR", 0o400),
    ("IWUSR", 0o200),
    ("IXUSR", 0o100),
    ("IRWXU", 0o700),
    ("IRGRP", 0o040),
    ("IWGRP", 0o020),
    ("IXGRP", 0o010),
    ("IRWXG", 0o070),
    ("IROTH", 0o004),
    ("IWOTH", 0o002),
    ("IXOTH", 0o001),
    ("IRWXO", 0o007),
];

pub(super) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Umask> {
    let first = setting.first(report)?;
    let words = setting.node.arguments();
    let is_number = first.text.starts_with(|c: char| c.is_ascii_digit());
    let rest = words.get(1..).unwrap_or_default();
    match if is_number { number(first, rest) } else { names(first, words) } {
        Ok(umask) => Some(umask),
        Err(diagnostic) => {
            report.push(*diagnostic);
            None
        }
    }
}

/// Decimal, octal after 0, hexadecimal after 0x.
fn number(word: &Word<'_>, rest: &[Word<'_>]) -> Result<Umask, Box<Diagnostic>> {
    if let Some(extra) = rest.first() {
        return Err(bad(extra.span, format!("{} after the number of a umask", shown(&extra.text))));
    }
    let bits = number::based(&word.text).ok().and_then(|bits| u16::try_from(bits).ok());
    let umask = bits.and_then(|bits| Umask::try_from(bits).ok());
    umask.ok_or_else(|| bad(word.span, format!("{} is not a umask", shown(&word.text))))
}

/// Names with `|` between them, with or without blanks around it.
fn names(first: &Word<'_>, words: &[Word<'_>]) -> Result<Umask, Box<Diagnostic>> {
    let mut bits = 0;
    // What came last, if that was a name.
    let mut last = false;
    for word in words {
        for (at, part) in word.text.split('|').enumerate() {
            if at > 0 && !std::mem::take(&mut last) {
                return Err(bad(word.span, "there is no name of a bit before this `|`".to_owned()));
            }
            if part.is_empty() {
                continue;
            }
            if std::mem::replace(&mut last, true) {
                return Err(bad(word.span, format!("there is no `|` before {}", shown(part))));
            }
            bits |= bit(part, word.span)?;
        }
    }
    let end = words.last().unwrap_or(first).span;
    match (last, Umask::try_from(bits)) {
        (true, Ok(umask)) => Ok(umask),
        _ => Err(bad(end, "the name of a bit is missing at the end".to_owned())),
    }
}

fn bit(name: &str, span: Span) -> Result<u16, Box<Diagnostic>> {
    if let Some((_, bits)) = BITS.iter().find(|(known, _)| *known == name) {
        return Ok(*bits);
    }
    let diagnostic = bad(span, format!("{} is no bit of a umask", shown(name)));
    Err(match nearest_of(name, BITS.iter(), |(known, _)| known) {
        Some((near, _)) => {
            Box::new(diagnostic.help(format!("did you mean `{near}`? The line has no effect")))
        }
        None => diagnostic,
    })
}

fn bad(span: Span, headline: String) -> Box<Diagnostic> {
    let help = "write an octal number up to 0777, or names like `IRUSR | IRWXG`; the line has no effect";
    Box::new(Diagnostic::warning(Code::InvalidUmask, span, headline).help(help))
}
