//! Text to words and braces.
//!
//! A newline or a brace ends a statement. Words are separated by white space; `"` begins a word that runs to the next `"`.
//! Keywords that take a command read their text once more, with [`script`].

pub(crate) mod script;

use std::borrow::Cow;
use std::ops::{Deref, Range};

use bumpalo::Bump;

use crate::preprocess::Passage;
use crate::source::Span;

/// A word and where it stands, quotes included.
#[derive(Clone, Debug)]
pub(crate) struct Word<'a> {
    /// Without its quotes.
    pub(crate) text: Cow<'a, str>,
    pub(crate) span: Span,
}

/// What stands between two separators: at least one word, unless all of it is an unpaired quote.
#[derive(Clone, Debug)]
pub(crate) struct Statement<'a> {
    pub(crate) words: Words<'a>,
    /// A `"` without a partner. The text after it belongs to no word.
    pub(crate) unpaired: Option<Span>,
    /// Its part of the text.
    passage: Passage<'a>,
}

impl<'a> Statement<'a> {
    /// The text as written.
    pub(crate) const fn text(&self) -> &'a str {
        self.passage.text
    }

    /// Where the bytes `range` of [`Self::text`] stand.
    pub(crate) fn span_of(&self, range: Range<usize>) -> Span {
        self.passage.span(range)
    }

    /// Whether a comment begins inside its last word: right behind it, but for one that a quote ends.
    pub(crate) fn is_cut_by_comment(&self) -> bool {
        !self.passage.is_plain && !self.passage.text.ends_with('"') && self.passage.is_cut_by_comment()
    }

    /// Where the statement stands.
    pub(crate) fn span(&self) -> Span {
        self.passage.span(0..self.passage.text.len())
    }
}

/// The words of a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a>(&'a [Word<'a>]);

impl<'a> Words<'a> {
    pub(crate) const fn as_slice(&self) -> &'a [Word<'a>] {
        self.0
    }
}

impl<'a> Deref for Words<'a> {
    type Target = [Word<'a>];

    fn deref(&self) -> &[Word<'a>] {
        self.0
    }
}

/// What text is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Token<'a> {
    Statement(&'a Statement<'a>),
    Open(Span),
    Close(Span),
}

/// The tokens of a passage, from left to right.
#[derive(Debug)]
pub(crate) struct Tokens<'a> {
    passage: Passage<'a>,
    /// How much of it is done with.
    start: usize,
    /// The braces after `start`, unless it is plain.
    braces: Braces<'a>,
    /// The brace that comes next, if it is known.
    brace: Option<usize>,
}

impl<'a> Tokens<'a> {
    pub(crate) fn of(passage: Passage<'a>) -> Self {
        Self { passage, braces: Braces::of(passage.text), start: 0, brace: None }
    }

    /// The next token, which is kept in `arena`.
    pub(crate) fn next<'b>(&mut self, arena: &'b Bump) -> Option<Token<'b>>
    where
        'a: 'b,
    {
        if self.passage.is_plain {
            return self.next_plain(arena);
        }
        let text = self.passage.text;
        while self.start < text.len() {
            if let Some(at) = self.brace.take() {
                return Some(self.brace_at(at, text.as_bytes().get(at) == Some(&b'{')));
            }
            self.brace = self.braces.next();
            let end = self.brace.unwrap_or(text.len());
            let range = std::mem::replace(&mut self.start, end)..end;
            if let Some(statement) = statement(&self.passage, range, arena) {
                return Some(Token::Statement(statement));
            }
        }
        None
    }

    /// The same where nothing is quoted: only blanks, line ends and braces end words.
    fn next_plain<'b>(&mut self, arena: &'b Bump) -> Option<Token<'b>>
    where
        'a: 'b,
    {
        let first = self.peek()?;
        if matches!(first, b'{' | b'}') {
            return Some(self.brace_at(self.start, first == b'{'));
        }
        let bytes = self.passage.text.as_bytes();
        let mut words = bumpalo::collections::Vec::with_capacity_in(2, arena);
        let (start, mut end, mut at) = (self.start, self.start, self.start);
        while let Some(rest) = bytes.get(at..).filter(|rest| !is_end_of_statement(rest.first())) {
            end = at + rest.iter().position(|&byte| is_end_of_word(byte)).unwrap_or(rest.len());
            let text = self.passage.text.get(at..end).unwrap_or_default();
            words.push(Word { text: Cow::Borrowed(text), span: self.passage.span(at..end) });
            let rest = bytes.get(end..).unwrap_or_default();
            at = end + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        }
        self.start = at;
        let (words, passage) = (Words(words.into_bump_slice()), self.passage.part(start..end));
        Some(Token::Statement(arena.alloc(Statement { words, unpaired: None, passage })))
    }

    fn brace_at(&mut self, at: usize, opens: bool) -> Token<'static> {
        self.start = at + 1;
        let span = self.passage.span(at..at + 1);
        if opens { Token::Open(span) } else { Token::Close(span) }
    }

    /// What the next token begins with.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let rest = self.passage.text.as_bytes().get(self.start..)?;
        self.start += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.passage.text.as_bytes().get(self.start).copied()
    }
}

/// Whether a plain word ends before this byte.
const fn is_end_of_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'{' | b'}')
}

/// The same for a statement.
const fn is_end_of_statement(byte: Option<&u8>) -> bool {
    matches!(byte, None | Some(b'\n' | b'{' | b'}'))
}

/// Where the braces are that make structure: not in double quotes, not those of `${NAME}`.
pub(crate) fn braces(text: &str) -> Vec<usize> {
    Braces::of(text).collect()
}

/// The structural braces of a line, from left to right.
#[derive(Debug)]
struct Braces<'a> {
    bytes: std::iter::Enumerate<std::str::Bytes<'a>>,
    quoted: bool,
    hidden: bool,
    parameter: bool,
    previous: u8,
}

impl<'a> Braces<'a> {
    fn of(text: &'a str) -> Self {
        Self { bytes: text.bytes().enumerate(), quoted: false, hidden: false, parameter: false, previous: 0 }
    }
}

impl Iterator for Braces<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        for (at, byte) in self.bytes.by_ref() {
            let (hidden, previous) = (self.hidden, self.previous);
            self.hidden = byte == b'\\' && !hidden;
            self.previous = byte;
            match byte {
                b'"' if !hidden => self.quoted = !self.quoted,
                b'{' if !self.quoted && previous == b'$' => self.parameter = true,
                b'}' if self.parameter => self.parameter = false,
                b'{' | b'}' if !self.quoted => return Some(at),
                _ => {}
            }
        }
        None
    }
}

fn statement<'b>(passage: &Passage<'b>, range: Range<usize>, arena: &'b Bump) -> Option<&'b Statement<'b>> {
    let text = passage.text.get(range.clone())?;
    let visible = text.trim_ascii_start();
    let blanks = text.len() - visible.len();
    let text = visible.trim_ascii_end();
    if text.is_empty() {
        return None;
    }
    let start = range.start + blanks;
    let passage = passage.part(start..start + text.len());
    let mut words = bumpalo::collections::Vec::with_capacity_in(2, arena);
    let mut unpaired = None;
    let mut at = 0;
    while let Some(word) = word(text, at) {
        match word {
            Ok(within) => {
                at = within.end;
                let raw = text.get(within.clone()).unwrap_or_default();
                words.push(Word { text: unquoted(raw, arena), span: passage.span(within) });
            }
            Err(quote) => {
                unpaired = Some(passage.span(quote..text.len()));
                break;
            }
        }
    }
    let words = Words(words.into_bump_slice());
    Some(arena.alloc(Statement { words, unpaired, passage }))
}

/// The range of the first word from `at` on, quotes included, or where an unpaired quote is.
fn word(text: &str, at: usize) -> Option<Result<Range<usize>, usize>> {
    let blanks = text.get(at..)?.bytes().position(|byte| !is_blank(byte))?;
    let start = at + blanks;
    let rest = text.get(start..)?;
    let length = match rest.strip_prefix('"') {
        Some(quoted) => match quoted.find('"') {
            Some(close) => close + 2,
            None => return Some(Err(start)),
        },
        None => rest.bytes().position(|byte| is_blank(byte) || byte == b'"').unwrap_or(rest.len()),
    };
    Some(Ok(start..start + length))
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\x0b' | b'\x0c')
}

/// A word without its quotes; the arena frees no text that is not its own.
fn unquoted<'b>(raw: &'b str, arena: &'b Bump) -> Cow<'b, str> {
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => Cow::Borrowed(inner),
        None if raw.bytes().any(|byte| byte == b'\\') => {
            Cow::Borrowed(arena.alloc_str(&raw.replace("\\#", "#").replace("\\!", "!")))
        }
        None => Cow::Borrowed(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Findings;
    use crate::preprocess;

    fn tokens<'a>(passage: Passage<'a>, arena: &'a Bump) -> Vec<Token<'a>> {
        let mut tokens = Tokens::of(passage);
        std::iter::from_fn(|| tokens.next(arena)).collect()
    }

    /// Words in brackets, braces bare, `?` for an unpaired quote.
    fn lex(text: &str) -> String {
        let (sources, prepared) = preprocess::read_text(text.as_bytes(), &mut Findings::default());
        let passages = preprocess::passages(&sources, &prepared);
        let show = |token: Token<'_>| match token {
            Token::Open(_) => "{".to_owned(),
            Token::Close(_) => "}".to_owned(),
            Token::Statement(statement) => {
                let words: String = statement.words.iter().map(|word| format!("[{}]", word.text)).collect();
                words + if statement.unpaired.is_some() { "?" } else { "" }
            }
        };
        let arena = Bump::new();
        let shown: Vec<_> = passages.flat_map(|passage| tokens(passage, &arena)).map(show).collect();
        shown.join(" ")
    }

    #[test]
    fn braces_stand_anywhere_but_in_quotes() {
        assert_eq!(lex("a{b}c"), "[a] { [b] } [c]");
        assert_eq!(lex("x \"{\" '{'"), "[x][{]['] { [']");
        assert_eq!(lex("}}\n{ k v }"), "} } { [k][v] }");
        assert_eq!(lex("s \"a \\\" {\" {"), "[s][a \\][{]? {");
        assert_eq!(lex("a ${X} {"), "[a][${X}] {");
    }

    #[test]
    fn double_quotes_make_words() {
        assert_eq!(lex("x\"y z\"w"), "[x][y z][w]");
        assert_eq!(lex("'a b' \"\""), "['a][b'][]");
        assert_eq!(lex("\"router_id\" x"), "[router_id][x]");
        assert_eq!(lex("a \"b c"), "[a]?");
        assert_eq!(lex("a\tb\x0bc\x0cd"), "[a][b][c][d]");
        assert_eq!(lex("a\\#b"), "[a#b]");
    }

    #[test]
    fn spans_lead_back() {
        let text = "  vrrp \"a b\" {x}";
        let (sources, prepared) = preprocess::read_text(text.as_bytes(), &mut Findings::default());
        let passages = preprocess::passages(&sources, &prepared);
        let arena = Bump::new();
        let tokens: Vec<_> = passages.flat_map(|passage| tokens(passage, &arena)).collect();
        let Some(Token::Statement(statement)) = tokens.first() else { panic!("{tokens:?}") };
        let spans: Vec<_> = statement.words.iter().map(|word| sources.text(word.span)).collect();
        assert_eq!(spans, ["vrrp", "\"a b\""]);
        assert_eq!(sources.text(statement.span()), "vrrp \"a b\"");
        assert_eq!(sources.text(statement.span_of(0..4)), "vrrp");
    }
}
