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

/// All tokens of `lines`.
pub(crate) fn tokens<'a>(lines: &[Line<'a>]) -> Vec<Token<'a>> {
    let mut tokens = Vec::with_capacity(lines.len());
    for line in lines {
        let mut start = 0;
        for at in braces(line.text) {
            tokens.extend(statement(line, start..at).map(Token::Statement));
            let span = line.span(at..at + 1);
            let opens = line.text.as_bytes().get(at) == Some(&b'{');
            tokens.push(if opens { Token::Open(span) } else { Token::Close(span) });
            start = at + 1;
        }
        tokens.extend(statement(line, start..line.text.len()).map(Token::Statement));
    }
    tokens
}

/// Where the braces are that make structure: not in double quotes, not those of `${NAME}`.
pub(crate) fn braces(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let (mut quoted, mut hidden, mut parameter) = (false, false, false);
    let mut previous = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !hidden => quoted = !quoted,
            b'{' if !quoted && previous == b'$' => parameter = true,
            b'}' if parameter => parameter = false,
            b'{' | b'}' if !quoted => found.push(at),
            _ => {}
        }
        hidden = byte == b'\\' && !hidden;
        previous = byte;
    }
    found
}

fn statement<'a>(line: &Line<'a>, range: Range<usize>) -> Option<Statement<'a>> {
    let text = line.text.get(range.clone())?;
    let blanks = text.len() - text.trim_start().len();
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let start = range.start + blanks;
    let (ranges, unpaired) = words(text);
    let words = ranges.into_iter().map(|within| {
        let raw = text.get(within.clone()).unwrap_or_default();
        let span = line.span(start + within.start..start + within.end);
        Word { text: unquoted(raw), span }
    });
    Some(Statement {
        words: words.collect(),
        unpaired: unpaired.map(|at| line.span(start + at..start + text.len())),
        line: *line,
        range: start..start + text.len(),
    })
}

/// The ranges of the words, quotes included, and where an unpaired quote is.
fn words(text: &str) -> (Vec<Range<usize>>, Option<usize>) {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let trimmed = rest.trim_start_matches(is_blank);
        let start = at + (rest.len() - trimmed.len());
        if trimmed.is_empty() {
            break;
        }
        let length = match trimmed.strip_prefix('"') {
            Some(quoted) => match quoted.find('"') {
                Some(close) => close + 2,
                None => return (found, Some(start)),
            },
            None => trimmed.find(|c| is_blank(c) || c == '"').unwrap_or(trimmed.len()),
        };
        found.push(start..start + length);
        at = start + length;
    }
    (found, None)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\x0b' | '\x0c')
}

fn unquoted(raw: &str) -> Cow<'_, str> {
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => Cow::Borrowed(inner),
        None if raw.contains("\\#") || raw.contains("\\!") => {
            Cow::Owned(raw.replace("\\#", "#").replace("\\!", "!"))
        }
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
        tokens(&lines).iter().map(show).collect::<Vec<_>>().join(" ")
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
        let tokens = tokens(&lines);
        let Some(Token::Statement(statement)) = tokens.first() else { panic!("{tokens:?}") };
        let spans: Vec<_> = statement.words.iter().map(|word| sources.text(word.span)).collect();
        assert_eq!(spans, ["vrrp", "\"a b\""]);
        assert_eq!(sources.text(statement.span()), "vrrp \"a b\"");
        assert_eq!(sources.text(statement.span_of(0..4)), "vrrp");
    }
}
