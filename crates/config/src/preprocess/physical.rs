//! Physical lines: where they end, what is comment, and which of them hold more than words.

use std::ops::Range;
use std::sync::Arc;

use super::plain::Plain;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::source::{SourceId, Span, Text};

/// The longest line that keepalived takes, in bytes without the line end.
pub(super) const LONGEST_LINE: usize = 1022;

/// A file that is being read.
#[derive(Debug)]
pub(super) struct File {
    pub(super) id: SourceId,
    pub(super) text: Arc<Text>,
    /// Where the next line starts.
    next: usize,
    /// How many of the ranges that are not UTF-8 lie behind.
    passed: usize,
    plain: Plain,
}

/// A line without comment and outer blanks.
#[derive(Clone, Debug)]
pub(super) struct Physical {
    pub(super) range: Range<usize>,
    /// It may hold a directive or a parameter.
    pub(super) is_special: bool,
    /// A comment was cut off.
    pub(super) had_comment: bool,
}

impl File {
    pub(super) fn new(id: SourceId, text: Arc<Text>) -> Self {
        Self { id, text, next: 0, passed: 0, plain: Plain::default() }
    }

    /// The next lines, at most so many, if they are plain; and how many. [`Self::next_line`] reads all others.
    pub(super) fn plain_lines(&mut self, most: usize) -> Option<(Range<usize>, usize)> {
        // Bytes that are not UTF-8 look like others in the text.
        let is_sound = self.text.undecodable().is_empty();
        let text = is_sound.then(|| self.text.as_str().as_bytes())?;
        let (range, lines) = self.plain.lines(text, self.next, most)?;
        self.next = range.end;
        Some((range, lines))
    }

    /// The next line, or why it is not read. Nothing at the end of the file.
    pub(super) fn next_line(&mut self, diagnostics: &mut Findings) -> Option<Option<Physical>> {
        let start = self.next;
        let rest = self.text.as_str().as_bytes().get(start..).filter(|rest| !rest.is_empty())?;
        let raw = Raw::first_of(rest, start == 0);
        self.next = start + raw.length + 1;
        let line = rest.get(..raw.length).unwrap_or(rest);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match raw.scan(line, start) {
            Ok(line) => {
                if !self.text.undecodable().is_empty() {
                    self.report_undecodable(&line, diagnostics);
                }
                Some(Some(line))
            }
            Err(fault) => {
                diagnostics.push(fault.told(self.id, start, line));
                Some(None)
            }
        }
    }

    fn report_undecodable(&mut self, line: &Physical, diagnostics: &mut Findings) {
        let text = Arc::clone(&self.text);
        let ahead = text.undecodable().get(self.passed..).unwrap_or_default();
        self.passed += ahead.iter().take_while(|bad| bad.end <= line.range.start).count();
        let Some(bad) = text.undecodable().get(self.passed).filter(|bad| bad.start < line.range.end) else {
            return;
        };
        let span = Span::new(self.id, bad.clone());
        diagnostics.push(
            Diagnostic::error(Code::NotUtf8, span, "this is not UTF-8")
                .help("save the file as UTF-8; only comments may hold other bytes"),
        );
    }
}

/// Why a line is not read.
#[derive(Clone, Copy, Debug)]
enum Fault {
    TooLong,
    Nul(usize),
}

impl Fault {
    /// Of the line that starts at `start`.
    fn told(self, id: SourceId, start: usize, line: &[u8]) -> Diagnostic {
        match self {
            Self::TooLong => {
                let span = Span::new(id, start..start);
                let headline =
                    format!("this line has {} bytes, {LONGEST_LINE} are the most; it is ignored", line.len());
                // keepalived drops a line in pieces of this size, and takes the rest for a line of its own.
                let rest = line.len() - line.len() % (LONGEST_LINE + 1);
                match line.get(rest..).is_none_or(<[u8]>::is_empty) {
                    true => Diagnostic::note(Code::LineTooLong, span, headline),
                    false => Diagnostic::warning(Code::LineTooLong, span, headline)
                        .help("keepalived takes the end of such a line for a line of its own"),
                }
            }
            Self::Nul(at) => {
                let span = Span::new(id, start + at..start + at + 1);
                Diagnostic::note(Code::NulByte, span, "this line has a NUL byte; it is ignored")
            }
        }
    }
}

/// A line as it stands in its file.
struct Raw {
    /// Without its line feed.
    length: usize,
    /// What comes before its first word.
    indent: usize,
    /// What comes after that; offsets count from there.
    found: Found,
}

impl Raw {
    /// The first line of `rest`. Its end is found on the way: a line is gone over once.
    fn first_of(rest: &[u8], is_first: bool) -> Self {
        let mut indent = blanks(rest);
        // keepalived makes a byte order mark part of the first word; nobody can want that.
        while is_first && rest.get(indent..).is_some_and(|rest| rest.starts_with(BYTE_ORDER_MARK)) {
            indent += BYTE_ORDER_MARK.len();
            indent += blanks(rest.get(indent..).unwrap_or_default());
        }
        let found = look(rest.get(indent..).unwrap_or_default());
        let comment = rest.get(indent + found.end..).unwrap_or_default();
        let comment = match comment.first() {
            None | Some(b'\n') => 0,
            Some(_) => memchr::memchr(b'\n', comment).unwrap_or(comment.len()),
        };
        let length = indent + found.end + comment;
        Self { length, indent, found }
    }

    fn scan(&self, line: &[u8], start: usize) -> Result<Physical, Fault> {
        if line.len() > LONGEST_LINE {
            return Err(Fault::TooLong);
        }
        let end = (self.indent + self.found.end).min(line.len());
        let had_comment = end < line.len();
        if self.found.nul || had_comment {
            memchr::memchr(0, line).map_or(Ok(()), |at| Err(Fault::Nul(at)))?;
        }
        let text = line.get(self.indent..end).unwrap_or_default();
        let trailing = text.iter().rev().take_while(|byte| is_blank(**byte)).count();
        let text = text.get(..text.len() - trailing).unwrap_or_default();
        let start = start + self.indent;
        Ok(Physical {
            range: start..start + text.len(),
            is_special: self.found.special || begins_special(text),
            had_comment,
        })
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// How many blanks `bytes` begin with.
fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !is_blank(*byte)).unwrap_or(bytes.len())
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// What one pass over a line finds.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    /// Where the comment starts, or the line ends.
    end: usize,
    nul: bool,
    special: bool,
}

/// Looks for the end of the line or the comment, which the first `#` or `!` outside double quotes begins, where a backslash hides the character
/// after it; and for what makes a line more than words.
fn look(bytes: &[u8]) -> Found {
    let mut found = Found { end: bytes.len(), ..Found::default() };
    let (mut quoted, mut hidden) = (false, usize::MAX);
    for (at, &byte) in bytes.iter().enumerate() {
        if !is_telling(byte) {
            continue;
        }
        match byte {
            b'\n' => {
                found.end = at;
                return found;
            }
            0 => found.nul = true,
            b'$' => found.special = true,
            b'{' | b'}' if !quoted && follows_special(bytes, at + 1) => found.special = true,
            _ if at == hidden => {}
            b'\\' => hidden = at + 1,
            b'"' => quoted = !quoted,
            b'#' | b'!' if !quoted => {
                found.end = at;
                return found;
            }
            _ => {}
        }
    }
    found
}

/// Whether a byte matters to [`look`].
const fn is_telling(byte: u8) -> bool {
    matches!(byte, 0 | b'\n' | b'$' | b'\\' | b'"' | b'#' | b'!' | b'{' | b'}')
}

/// Whether a directive may stand after a brace.
fn follows_special(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\x0c' | b'\r');
    let rest = rest.get(rest.iter().take_while(is_blank).count()..).unwrap_or_default();
    let begins = |start: &[u8]| rest.starts_with(start);
    [&b"@"[..], b"~", b"include", b"random_seed", b"\"random_seed"].into_iter().any(begins)
}

/// Whether a line may be a directive; `$` has been looked for.
fn begins_special(text: &[u8]) -> bool {
    match text.first() {
        Some(b'@' | b'~') => true,
        Some(b'i') => text.starts_with(b"include"),
        Some(b'r') => text.starts_with(b"random_seed"),
        Some(b'"') => text.starts_with(b"\"random_seed"),
        _ => false,
    }
}

/// The line up to its comment.
pub(crate) fn without_comment(line: &str) -> &str {
    line.get(..look(line.as_bytes()).end).unwrap_or(line)
}
