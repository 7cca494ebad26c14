//! Physical lines: where they end, what is comment, and which of them hold more than words.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic};
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
    pub(super) const fn new(id: SourceId, text: Arc<Text>) -> Self {
        Self { id, text, next: 0, passed: 0 }
    }

    fn next_range(&mut self) -> Option<Range<usize>> {
        let start = self.next;
        let rest = self.text.as_str().as_bytes().get(start..).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.next = start + length + 1;
        let has_return = rest.get(..length).is_some_and(|line| line.last() == Some(&b'\r'));
        Some(start..start + length - usize::from(has_return))
    }

    /// The next line, or why it is not read. Nothing at the end of the file.
    pub(super) fn next_line(&mut self, diagnostics: &mut Vec<Diagnostic>) -> Option<Option<Physical>> {
        let range = self.next_range()?;
        let raw = self.text.as_str().get(range.clone()).unwrap_or_default();
        match scan(raw, range.start) {
            Ok(line) => {
                if !self.text.undecodable().is_empty() {
                    self.report_undecodable(&line, diagnostics);
                }
                Some(Some(line))
            }
            Err(fault) => {
                diagnostics.push(fault.told(self.id, &range, raw));
                Some(None)
            }
        }
    }

    fn report_undecodable(&mut self, line: &Physical, diagnostics: &mut Vec<Diagnostic>) {
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
    fn told(self, id: SourceId, range: &Range<usize>, raw: &str) -> Diagnostic {
        match self {
            Self::TooLong => {
                let span = Span::new(id, range.start..range.start);
                let headline =
                    format!("this line has {} bytes, {LONGEST_LINE} are the most; it is ignored", raw.len());
                // keepalived drops a line in pieces of this size, and takes the rest for a line of its own.
                let rest = raw.len() - raw.len() % (LONGEST_LINE + 1);
                match raw.as_bytes().get(rest..).is_none_or(<[u8]>::is_empty) {
                    true => Diagnostic::note(Code::LineTooLong, span, headline),
                    false => Diagnostic::warning(Code::LineTooLong, span, headline)
                        .help("keepalived takes the end of such a line for a line of its own"),
                }
            }
            Self::Nul(at) => {
                let span = Span::new(id, range.start + at..range.start + at + 1);
                Diagnostic::note(Code::NulByte, span, "this line has a NUL byte; it is ignored")
            }
        }
    }
}

fn scan(raw: &str, start: usize) -> Result<Physical, Fault> {
    if raw.len() > LONGEST_LINE {
        return Err(Fault::TooLong);
    }
    let mut visible = raw.trim_start_matches([' ', '\t']);
    if start == 0 {
        // keepalived makes a byte order mark part of the first word; nobody can want that.
        visible = visible.trim_start_matches('\u{feff}').trim_start_matches([' ', '\t']);
    }
    let indent = raw.len() - visible.len();
    let found = look(visible);
    if found.nul || (found.end < visible.len() && memchr::memchr(0, raw.as_bytes()).is_some()) {
        return Err(Fault::Nul(memchr::memchr(0, raw.as_bytes()).unwrap_or_default()));
    }
    let text = visible.get(..found.end).unwrap_or(visible).trim_end_matches([' ', '\t']);
    let start = start + indent;
    Ok(Physical {
        range: start..start + text.len(),
        is_special: found.special || begins_special(text),
        had_comment: found.end < visible.len(),
    })
}

/// What one pass over a line finds.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    /// Where the comment starts, or the line ends.
    end: usize,
    nul: bool,
    special: bool,
}

/// Looks for the comment, which the first `#` or `!` outside double quotes begins, where a backslash hides the character
/// after it; and for what makes a line more than words.
fn look(line: &str) -> Found {
    let bytes = line.as_bytes();
    let mut found = Found { end: bytes.len(), ..Found::default() };
    let (mut quoted, mut hidden) = (false, usize::MAX);
    for (at, &byte) in bytes.iter().enumerate() {
        if !is_telling(byte) {
            continue;
        }
        match byte {
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
    matches!(byte, 0 | b'$' | b'\\' | b'"' | b'#' | b'!' | b'{' | b'}')
}

/// Whether a directive may stand after a brace.
fn follows_special(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default().trim_ascii_start();
    rest.starts_with(b"@") || rest.starts_with(b"~") || rest.starts_with(b"include")
}

/// Whether a line may be a directive; `$` has been looked for.
fn begins_special(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'@' | b'~') => true,
        Some(b'i') => text.starts_with("include"),
        Some(b'r') => text.starts_with("random_seed"),
        _ => false,
    }
}

/// The line up to its comment.
pub(crate) fn without_comment(line: &str) -> &str {
    line.get(..look(line).end).unwrap_or(line)
}
