//! Lines to words and braces.
//!
//! A newline or a brace ends a statement. Words are separated by white space; `"` begins a word that runs to the next `"`.
//! Keywords that take a command read their text once more, with [`script`].

pub(crate) mod script;

use std::borrow::Cow;
use std::ops::Range;

use crate::preprocess::Line;
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
    pub(crate) words: Vec<Word<'a>>,
    /// A `"` without a partner. The text after it belongs to no word.
    pub(crate) unpaired: Option<Span>,
    line: Line<'a>,
    range: Range<usize>,
}

impl<'a> Statement<'a> {
    /// The text as written.
    pub(crate) fn text(&self) -> &'a str {
        self.line.text.get(self.range.clone()).unwrap_or_default()
    }

    /// Where the bytes `range` of [`Self::text`] stand.
    pub(crate) fn span_of(&self, range: Range<usize>) -> Span {
        self.line.span(self.range.start + range.start..self.range.start + range.end)
    }

    /// Where the statement stands.
    pub(crate) fn span(&self) -> Span {
        self.line.span(self.range.clone())
    }
}

/// What lines are made of.
#[derive(Clone, Debug)]
pub(crate) enum Token<'a> {
    Statement(Statement<'a>),
    Open(Span),
    Close(Span),
}

/// All tokens of `lines`, one after the other: nobody ever holds those of a whole file.
pub(crate) fn tokens<'a>(lines: impl IntoIterator<Item = Line<'a>>) -> impl Iterator<Item = Token<'a>> {
    lines.into_iter().flat_map(|line| LineTokens {
        line,
        rest: 0,
        braces: Braces::of(line.text),
        brace: None,
    })
}

/// The tokens of one line.
struct LineTokens<'a> {
    line: Line<'a>,
    /// Where what has not been looked at begins. Beyond the end when all is done.
    rest: usize,
    braces: Braces<'a>,
    /// A brace whose turn it is.
    brace: Option<usize>,
}

impl<'a> Iterator for LineTokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(at) = self.brace.take() {
            return Some(self.brace(at));
        }
        let length = self.line.text.len();
        if self.rest > length {
            return None;
        }
        let next = self.braces.next();
        let range = self.rest..next.unwrap_or(length);
        self.rest = next.unwrap_or(length) + 1;
        match (statement(&self.line, range), next) {
            (Some(statement), brace) => {
                self.brace = brace;
                Some(Token::Statement(statement))
            }
            (None, Some(at)) => Some(self.brace(at)),
            (None, None) => None,
        }
    }
}

impl<'a> LineTokens<'a> {
    fn brace(&self, at: usize) -> Token<'a> {
        let span = self.line.span(at..at + 1);
        let opens = self.line.text.as_bytes().get(at) == Some(&b'{');
        if opens { Token::Open(span) } else { Token::Close(span) }
    }
}

/// Where the braces are that make structure: not in double quotes, not those of `${NAME}`.
pub(crate) fn braces(text: &str) -> Vec<usize> {
    Braces::of(text).collect()
}

/// The structural braces of a line, from left to right.
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

fn statement<'a>(line: &Line<'a>, range: Range<usize>) -> Option<Statement<'a>> {
    let text = line.text.get(range.clone())?;
    let blanks = text.len() - text.trim_start().len();
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let start = range.start + blanks;
    let mut statement = Statement {
        // Most lines are a keyword and its argument.
        words: Vec::with_capacity(2),
        unpaired: None,
        line: *line,
        range: start..start + text.len(),
    };
    let mut at = 0;
    while let Some(word) = word(text, at) {
        match word {
            Ok(within) => {
                let raw = text.get(within.clone()).unwrap_or_default();
                let span = line.span(start + within.start..start + within.end);
                statement.words.push(Word { text: unquoted(raw), span });
                at = within.end;
            }
            Err(quote) => {
                statement.unpaired = Some(line.span(start + quote..start + text.len()));
                break;
            }
        }
    }
    Some(statement)
}

/// The range of the first word from `at` on, quotes included, or where an unpaired quote is.
fn word(text: &str, at: usize) -> Option<Result<Range<usize>, usize>> {
    let rest = text.get(at..)?;
    let trimmed = rest.trim_start_matches(is_blank);
    let start = at + (rest.len() - trimmed.len());
    if trimmed.is_empty() {
        return None;
    }
    let length = match trimmed.strip_prefix('"') {
        Some(quoted) => match quoted.find('"') {
            Some(close) => close + 2,
            None => return Some(Err(start)),
        },
        None => trimmed.find(|c| is_blank(c) || c == '"').unwrap_or(trimmed.len()),
    };
    Some(Ok(start..start + length))
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\x0b' | '\x0c')
}

fn unquoted(raw: &str) -> Cow<'_, str> {
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => Cow::Borrowed(inner),
        None if raw.contains('\\') => Cow::Owned(raw.replace("\\#", "#").replace("\\!", "!")),
        None => Cow::Borrowed(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess;

    /// Words in brackets, braces bare, `?` for an unpaired quote.
    fn lex(text: &str) -> String {
        let (sources, strands) = preprocess::read_text(text.as_bytes(), &mut Vec::new());
        let lines = preprocess::lines(&sources, &strands);
        let show = |token: &Token<'_>| match token {
            Token::Open(_) => "{".to_owned(),
            Token::Close(_) => "}".to_owned(),
            Token::Statement(statement) => {
                let words: String = statement.words.iter().map(|word| format!("[{}]", word.text)).collect();
                words + if statement.unpaired.is_some() { "?" } else { "" }
            }
        };
        tokens(lines).map(|token| show(&token)).collect::<Vec<_>>().join(" ")
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
        let (sources, strands) = preprocess::read_text(text.as_bytes(), &mut Vec::new());
        let lines = preprocess::lines(&sources, &strands);
        let tokens: Vec<_> = tokens(lines).collect();
        let Some(Token::Statement(statement)) = tokens.first() else { panic!("{tokens:?}") };
        let spans: Vec<_> = statement.words.iter().map(|word| sources.text(word.span)).collect();
        assert_eq!(spans, ["vrrp", "\"a b\""]);
        assert_eq!(sources.text(statement.span()), "vrrp \"a b\"");
        assert_eq!(sources.text(statement.span_of(0..4)), "vrrp");
    }
}
