//! Pieces to lines.

use super::pieces::{Kind, LONGEST_LINE, Piece};

/// The pieces at their depths, with blank lines where they belong.
pub(super) fn layout(bytes: &[u8], pieces: &[Piece], indents: &[usize]) -> Vec<u8> {
    let mut out =
        Output { bytes, text: Vec::with_capacity(bytes.len() + bytes.len() / 4), last: Last::Start };
    let mut blank = false;
    for (at, (piece, indent)) in pieces.iter().zip(indents).enumerate() {
        if piece.kind == Kind::Empty && piece.comment.is_empty() {
            blank = true;
            continue;
        }
        let wanted = blank || (*indent == 0 && begins_section(out.last, pieces, at));
        let is_apart = match (out.last, piece.kind) {
            (Last::Start, _) => out.is_mark(piece),
            // In a definition an empty line would end it.
            (_, Kind::Continued | Kind::Close) | (Last::Open, _) => false,
            _ => wanted,
        };
        if is_apart {
            out.text.push(b'\n');
        }
        blank = false;
        out.piece(piece, *indent);
        out.last = Last::of(piece, *indent);
    }
    out.text
}

/// What the last line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// There is none.
    Start,
    /// A line that opens a block.
    Open,
    /// The end of a block of the top level.
    End,
    Comment,
    Other,
}

impl Last {
    fn of(piece: &Piece, indent: usize) -> Self {
        match piece.kind {
            _ if piece.brace.is_some() => Self::Open,
            Kind::Close if indent == 0 => Self::End,
            Kind::Empty => Self::Comment,
            Kind::Words | Kind::Close | Kind::Special | Kind::Continued | Kind::Unread => Self::Other,
        }
    }
}

/// Whether a line of the top level stands apart from the one before: after a block, and where a block begins, with the
/// comments that belong to it.
fn begins_section(last: Last, pieces: &[Piece], at: usize) -> bool {
    let opens = |piece: &Piece| piece.brace.is_some() && !piece.code.is_empty();
    let is_comment = |piece: &&Piece| piece.kind == Kind::Empty && !piece.comment.is_empty();
    match last {
        Last::End => true,
        Last::Other => pieces.iter().skip(at).find(|piece| !is_comment(piece)).is_some_and(opens),
        Last::Start | Last::Open | Last::Comment => false,
    }
}

/// The words of a line with one space between them. What stands in double quotes stays, and so does a line that has more
/// than these to hold words together.
fn single_spaced(code: &[u8]) -> Option<Vec<u8>> {
    let is_plain = !code.contains(&b'\'') && !code.contains(&b'\\');
    let quotes = code.iter().filter(|byte| **byte == b'"').count();
    if !is_plain || !quotes.is_multiple_of(2) {
        return None;
    }
    let mut text = Vec::with_capacity(code.len());
    let mut quoted = false;
    for &byte in code {
        quoted ^= byte == b'"';
        let is_blank = !quoted && matches!(byte, b' ' | b'\t');
        match (is_blank, text.last()) {
            (true, Some(b' ')) => {}
            (true, _) => text.push(b' '),
            (false, _) => text.push(byte),
        }
    }
    Some(text)
}

struct Output<'a> {
    bytes: &'a [u8],
    text: Vec<u8>,
    last: Last,
}

impl Output<'_> {
    fn piece(&mut self, piece: &Piece, indent: usize) {
        let code = self.bytes.get(piece.code.clone()).unwrap_or_default();
        let spaced = (piece.kind == Kind::Words).then(|| single_spaced(code)).flatten();
        let code = spaced.as_deref().unwrap_or(code);
        let comment = self.bytes.get(piece.comment.clone()).unwrap_or_default();
        let mut line = Vec::with_capacity(code.len() + comment.len() + 3);
        // A comment that cuts a word may have been meant as part of it: the form does not hide that.
        for (part, is_apart) in
            [(code, true), (if piece.brace.is_some() { b"{" } else { b"" }, true), (comment, !piece.is_cut())]
        {
            if !part.is_empty() && !line.is_empty() && is_apart {
                line.push(b' ');
            }
            line.extend_from_slice(part);
        }
        let room = LONGEST_LINE.saturating_sub(line.len());
        // A line that is not read must not become one that is.
        let indent = if piece.kind == Kind::Unread || line.is_empty() { 0 } else { (indent * 4).min(room) };
        self.text.extend(std::iter::repeat_n(b' ', indent));
        self.text.extend_from_slice(&line);
        // Only the last return before a newline is part of the line end.
        self.text.extend_from_slice(if line.ends_with(b"\r") { b"\r\n" } else { b"\n" });
    }

    /// Whether the piece begins with a byte order mark that would be none at the start of the file.
    fn is_mark(&self, piece: &Piece) -> bool {
        self.bytes.get(piece.code.clone()).is_some_and(|code| code.starts_with("\u{feff}".as_bytes()))
    }
}
