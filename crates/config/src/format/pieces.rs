//! Lines, and what becomes a line of its own.

use std::ops::Range;

use crate::lexer;
use crate::preprocess::without_comment;

/// The longest line that is read, in bytes without the line end.
pub(super) const LONGEST_LINE: usize = 1022;

/// What becomes one line. Ranges are of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    /// Without outer blanks and comment.
    pub(super) code: Range<usize>,
    /// A brace that follows the code.
    pub(super) brace: Option<usize>,
    pub(super) comment: Range<usize>,
}

impl Piece {
    /// Whether the comment begins inside a word.
    pub(super) fn is_cut(&self) -> bool {
        self.brace.is_none() && !self.comment.is_empty() && self.comment.start == self.code.end
    }
}

/// How much is known of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing, or only a comment.
    Empty,
    /// Words, perhaps with an opening brace at the end.
    Words,
    /// A closing brace.
    Close,
    /// A directive, or a line that uses one.
    Special,
    /// A line that continues another.
    Continued,
    /// Not read at all.
    Unread,
}

/// The lines of `text`, broken at the braces of those that are mere words.
pub(super) fn split(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut continued = false;
    for line in lines(text) {
        let raw = text.get(line.clone()).unwrap_or_default();
        if raw.len() > LONGEST_LINE || raw.contains('\0') {
            pieces.push(Piece { kind: Kind::Unread, code: line, brace: None, comment: 0..0 });
            continue;
        }
        let (code, comment) = code_and_comment(text, &line);
        let content = text.get(code.clone()).unwrap_or_default();
        let goes_on = content.ends_with('\\') && (continued || may_define(content));
        let kind = match content {
            _ if continued => Kind::Continued,
            "" => Kind::Empty,
            _ if is_special(content) => Kind::Special,
            _ => Kind::Words,
        };
        continued = goes_on;
        if kind == Kind::Words {
            break_at_braces(content, code.start, comment, &mut pieces);
        } else {
            pieces.push(Piece { kind, code, brace: None, comment });
        }
    }
    pieces
}

/// The ranges of the lines without their ends. The text after the last newline counts if there is any.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let begin = start;
        start += line.len();
        let line = line.strip_suffix('\n').unwrap_or(line);
        begin..begin + line.strip_suffix('\r').unwrap_or(line).len()
    })
}

/// What of a line is code and what is comment, both without outer blanks.
fn code_and_comment(text: &str, line: &Range<usize>) -> (Range<usize>, Range<usize>) {
    let raw = text.get(line.clone()).unwrap_or_default();
    let (code, comment) = raw.split_at_checked(without_comment(raw).len()).unwrap_or((raw, ""));
    let mut visible = code.trim_start_matches(BLANKS);
    if line.start == 0 {
        // Byte order marks are not part of the first word.
        visible = visible.trim_start_matches([' ', '\t', '\u{feff}']);
    }
    let start = line.start + code.len() - visible.len();
    let middle = line.start + code.len();
    (
        start..start + visible.trim_end_matches(BLANKS).len(),
        middle..middle + comment.trim_end_matches(BLANKS).len(),
    )
}

const BLANKS: [char; 2] = [' ', '\t'];

/// Whether a definition may begin on the line. Other lines are not continued, whatever they end in.
pub(super) fn may_define(code: &str) -> bool {
    code.split_once('$').is_some_and(|(_, rest)| rest.contains('='))
}

/// Whether a line is, or contains, more than words and braces.
fn is_special(code: &str) -> bool {
    let begins = |part: &str| {
        let part = part.trim_start();
        part.starts_with(['@', '~']) || part.starts_with("include")
    };
    code.contains('$') || code.split(['{', '}']).any(begins)
}

/// Every keyword with its brace, every closing brace, and every line in a block becomes a piece. The comment goes to the
/// last one.
fn break_at_braces(code: &str, offset: usize, comment: Range<usize>, pieces: &mut Vec<Piece>) {
    let piece = |kind, range: Range<usize>, brace| Piece {
        kind,
        code: offset + range.start..offset + range.end,
        brace,
        comment: 0..0,
    };
    let mut start = 0;
    for at in lexer::braces(code) {
        let words = trimmed(code, start..at);
        if code.as_bytes().get(at) == Some(&b'{') {
            pieces.push(piece(Kind::Words, words, Some(offset + at)));
        } else {
            if !words.is_empty() {
                pieces.push(piece(Kind::Words, words, None));
            }
            pieces.push(piece(Kind::Close, at..at + 1, None));
        }
        start = at + 1;
    }
    let rest = trimmed(code, start..code.len());
    if !rest.is_empty() {
        pieces.push(piece(Kind::Words, rest, None));
    }
    if let Some(last) = pieces.last_mut() {
        last.comment = comment;
    }
}

fn trimmed(code: &str, range: Range<usize>) -> Range<usize> {
    let text = code.get(range.clone()).unwrap_or_default();
    let visible = text.trim_start_matches(BLANKS);
    let start = range.start + text.len() - visible.len();
    start..start + visible.trim_end_matches(BLANKS).len()
}

/// Puts each brace that stands alone behind the keyword before it.
pub(super) fn joined(text: &str, pieces: Vec<Piece>) -> Vec<Piece> {
    let mut kept: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let is_lone = piece.kind == Kind::Words && piece.code.is_empty();
        if is_lone && let Some(owner) = owner(text, &kept, &piece) {
            kept.truncate(owner + 1);
            if let Some(owner) = kept.get_mut(owner) {
                owner.brace = piece.brace;
                if owner.comment.is_empty() {
                    owner.comment = piece.comment;
                }
            }
            continue;
        }
        kept.push(piece);
    }
    kept
}

/// The last of `pieces`, if it is a keyword that `brace` may follow on its line.
fn owner(text: &str, pieces: &[Piece], brace: &Piece) -> Option<usize> {
    let is_blank = |piece: &Piece| piece.kind == Kind::Empty && piece.comment.is_empty();
    let at = pieces.iter().rposition(|piece| !is_blank(piece))?;
    let owner = pieces.get(at)?;
    let code = text.get(owner.code.clone())?;
    let length = owner.code.len() + owner.comment.len() + brace.comment.len() + 3;
    let fits = owner.kind == Kind::Words
        && owner.brace.is_none()
        && !code.is_empty()
        && !code.ends_with('\\')
        && (owner.comment.is_empty() || brace.comment.is_empty())
        // A comment that cuts a word is told so, but not one behind a brace.
        && !owner.is_cut()
        && length <= LONGEST_LINE
        // In quotes it would be no brace.
        && lexer::braces(&format!("{code} {{")) == [code.len() + 1];
    fits.then_some(at)
}
