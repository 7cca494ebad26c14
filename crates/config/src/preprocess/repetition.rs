//! `~SEQ`, `~SEQx` and `~LST`: a line once for each of several values.

use std::ops::Range;
use std::rc::Rc;

use super::{Ending, Frame, Reader, Value, definition};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Span, Strand, Way, WayKind};

/// Which directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Decimal,
    Hexadecimal,
    List,
}

impl Kind {
    /// The one that a line begins with.
    pub(super) fn of(text: &str) -> Option<Self> {
        let opens =
            |name| text.strip_prefix(name).is_some_and(|rest: &str| rest.trim_start().starts_with('('));
        text.strip_prefix('~')?;
        [Self::Hexadecimal, Self::Decimal, Self::List].into_iter().find(|kind| opens(kind.name()))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Decimal => "~SEQ",
            Self::Hexadecimal => "~SEQx",
            Self::List => "~LST",
        }
    }

    const fn form(self) -> &'static str {
        match self {
            Self::Decimal => {
                "write `~SEQ(NAME, LAST)`, `~SEQ(NAME, FIRST, LAST)` or `~SEQ(NAME, FIRST, STEP, LAST)`"
            }
            Self::Hexadecimal => "write `~SEQx(NAME, FIRST, LAST)` or `~SEQx(NAME, FIRST, STEP, LAST)`",
            Self::List => {
                "write `~LST(NAME, VALUE, VALUE)` or `~LST({NAME,NAME}, {VALUE,VALUE}, {VALUE,VALUE})`"
            }
        }
    }
}

/// A line that is repeated.
#[derive(Debug)]
pub(super) struct Repetition {
    names: Rc<[String]>,
    values: Values,
    rest: Strand,
    ending: Ending,
    /// The lines that belong to a definition in `rest`.
    pub(super) continuation: Rc<[Strand]>,
    way: Way,
    /// The directive.
    at: Span,
}

#[derive(Clone, Debug)]
enum Values {
    /// `next` is `None` at the end.
    Numbers { next: Option<i64>, step: i64, last: i64, kind: Kind },
    /// One group for each time, one value for each name.
    List { groups: Rc<[Vec<Strand>]>, next: usize },
}

/// What a value of a repetition takes besides its text, in bytes.
const COST: usize = 200;

/// What is wrong with a directive, and where in its text.
type Fault = (Range<usize>, String);

impl Reader<'_> {
    /// Begins a repetition.
    pub(super) fn repetition(&mut self, line: Strand, text: &str, kind: Kind, way: Way, ending: Ending) {
        let goes_on = definition::goes_on(text, ending) && definition::is_behind(text);
        let continuation = if goes_on { self.continuation().into() } else { Rc::default() };
        let parsed = match kind {
            Kind::List => self.list(line, text),
            Kind::Decimal | Kind::Hexadecimal => self.sequence(line, text, kind, way),
        };
        match parsed {
            Ok((names, values, end)) => {
                let rest = self.trimmed(line.part(end..text.len()));
                if !self.sources.strand(rest).is_empty() {
                    let at = self.sources.place(line.part(0..end));
                    let names = names.into();
                    let repetition = Repetition { names, values, rest, ending, continuation, way, at };
                    self.frames.push(Frame::Repetition(repetition));
                }
            }
            Err((range, headline)) => {
                let span = self.sources.place(line.part(range));
                let help = format!("{}; the line is ignored", kind.form());
                self.report_once(Diagnostic::warning(Code::Directive, span, headline).help(help));
            }
        }
    }

    /// Carries the line of the innermost frame, a repetition, out once more.
    pub(super) fn repeat(&mut self) {
        let Some(Frame::Repetition(repetition)) = self.frames.last_mut() else { return };
        let Some(values) = repetition.values.advance() else {
            self.frames.pop();
            return;
        };
        let (names, rest, ending) = (Rc::clone(&repetition.names), repetition.rest, repetition.ending);
        let (mut way, at) = (repetition.way, repetition.at);
        for (index, name) in names.iter().enumerate() {
            let (value, place) = match &values {
                Next::Number(text) => (self.sources.expansion_mut().push(text), None),
                Next::Group(group) => match group.get(index).copied() {
                    Some(value) => (value, Some(self.sources.place(value))),
                    None => (self.sources.expansion_mut().push(""), None),
                },
            };
            self.set_at(name, Value::One(value), place);
            let Some(id) = self.names.get(name.as_str()).map(|definition| definition.id) else { continue };
            let text = self.sources.strand(value).to_owned();
            self.budget.made(text.len() + COST);
            let shown = self.sources.expansion_mut().push(&text);
            way = self.sources.expansion_mut().step(way, WayKind::Repeated, id, at, Some(shown));
        }
        self.made_line(rest, way, ending);
    }

    /// Reads `~SEQ(NAME, [FIRST, [STEP,]] LAST)`. Gives where its text begins.
    fn sequence(
        &mut self,
        line: Strand,
        text: &str,
        kind: Kind,
        way: Way,
    ) -> Result<(Vec<String>, Values, usize), Fault> {
        let whole = 0..text.len();
        let open = text.find('(').unwrap_or_default();
        let Some(close) = text.find(')') else {
            return Err((whole, format!("`{}(` is not closed", kind.name())));
        };
        let inner = self.expanded(line.part(open + 1..close), way);
        let inner = inner.map_or_else(String::new, |inner| self.sources.strand(inner).to_owned());
        let inside = open..close + 1;
        let words: Vec<&str> = inner.split(',').map(|word| word.trim_matches([' ', '\t'])).collect();
        let (name, bounds) = words.split_first().unwrap_or((&"", &[]));
        if definition::name_at(name) != Some(name) {
            return Err((inside, format!("{} is no name of a parameter", crate::diagnostic::shown(name))));
        }
        let mut numbers = Vec::new();
        for word in bounds {
            numbers.push(integer(word).ok_or_else(|| {
                (inside.clone(), format!("{} is not a whole number", crate::diagnostic::shown(word)))
            })?);
        }
        let (first, step, last) = match *numbers.as_slice() {
            [last] => (if last < 0 { -1 } else { 1 }, if last < 1 { -1 } else { 1 }, last),
            [first, last] => (first, if last < first { -1 } else { 1 }, last),
            [first, step, last] => (first, step, last),
            _ => return Err((inside, format!("`{}` takes one to three numbers", kind.name()))),
        };
        if step == 0 || (first < last && step < 0) || (first > last && step > 0) {
            return Err((inside, format!("steps of {step} do not lead from {first} to {last}")));
        }
        if kind == Kind::Hexadecimal && (first < 0 || last < 0) {
            return Err((inside, "`~SEQx` takes no negative numbers".to_owned()));
        }
        Ok(((vec![(*name).to_owned()]), Values::Numbers { next: Some(first), step, last, kind }, close + 1))
    }

    /// Reads `~LST(NAMES, VALUES, …)`. Gives where its text begins.
    fn list(&mut self, line: Strand, text: &str) -> Result<(Vec<String>, Values, usize), Fault> {
        let mut cursor = Cursor { text, at: text.find('(').map_or(0, |open| open + 1) };
        let names = cursor.item()?;
        let mut list: Vec<String> = Vec::new();
        for range in names {
            let name = text.get(range.clone()).unwrap_or_default();
            if definition::name_at(name) != Some(name) {
                return Err((range, format!("{} is no name of a parameter", crate::diagnostic::shown(name))));
            }
            list.push(name.to_owned());
        }
        let mut groups = Vec::new();
        while cursor.goes_on()? {
            let group = cursor.item()?;
            if let Some(extra) = group.get(list.len()) {
                return Err((extra.clone(), "there are more values than names".to_owned()));
            }
            groups.push(group.into_iter().map(|range| line.part(range)).collect());
        }
        if groups.is_empty() {
            return Err((0..cursor.at, "`~LST` has no values".to_owned()));
        }
        Ok((list, Values::List { groups: groups.into(), next: 0 }, cursor.at))
    }
}

/// What the names stand for next.
enum Next {
    Number(String),
    Group(Vec<Strand>),
}

impl Values {
    fn advance(&mut self) -> Option<Next> {
        match self {
            Self::Numbers { next, step, last, kind } => {
                let number = (*next)?;
                let follower = number.checked_add(*step);
                *next = follower.filter(|next| if *step > 0 { next <= last } else { next >= last });
                Some(Next::Number(match kind {
                    Kind::Hexadecimal => format!("{number:x}"),
                    Kind::Decimal | Kind::List => number.to_string(),
                }))
            }
            Self::List { groups, next } => {
                let group = groups.get(*next)?.clone();
                *next += 1;
                Some(Next::Group(group))
            }
        }
    }
}

/// A place in the text of a `~LST`.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    fn take(&mut self, byte: char) -> bool {
        self.skip_blanks();
        let is_there = self.rest().starts_with(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn word(&mut self) -> Range<usize> {
        self.skip_blanks();
        let length = self.rest().find([' ', '\t', ',', '}', ')', '{']).unwrap_or_else(|| self.rest().len());
        self.at += length;
        self.at - length..self.at
    }

    /// A word, or several in braces.
    fn item(&mut self) -> Result<Vec<Range<usize>>, Fault> {
        if !self.take('{') {
            return Ok(vec![self.word()]);
        }
        let mut words = vec![self.word()];
        while self.take(',') {
            words.push(self.word());
        }
        if self.take('}') { Ok(words) } else { Err(self.unexpected("`,` or `}`")) }
    }

    /// Whether another item follows; or the end of the list.
    fn goes_on(&mut self) -> Result<bool, Fault> {
        if self.take(',') {
            return Ok(true);
        }
        if self.take(')') { Ok(false) } else { Err(self.unexpected("`,` or `)`")) }
    }

    fn unexpected(&self, expected: &str) -> Fault {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        let quotes = self.text.get(..self.at).is_some_and(|before| before.contains('"'));
        let why = if quotes { "; quotes do not help, a value cannot hold blanks" } else { "" };
        (self.at..self.at + length, format!("{expected} is missing here{why}"))
    }
}

/// A number in C's notation: `0x` hexadecimal, `0` octal, else decimal. Like for keepalived, nothing is 0.
fn integer(word: &str) -> Option<i64> {
    let (digits, is_negative) = match word.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (word.strip_prefix('+').unwrap_or(word), false),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (digits, radix) = match (hexadecimal, digits.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (digits, 10),
    };
    if word.is_empty() {
        return Some(0);
    }
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let number = i64::from_str_radix(digits, radix).ok()?;
    Some(if is_negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_in_c() {
        let expected = [
            ("12", Some(12)),
            ("0x1F", Some(31)),
            ("020", Some(16)),
            ("-3", Some(-3)),
            ("+7", Some(7)),
            ("0", Some(0)),
            ("", Some(0)),
            ("08", None),
            ("3x", None),
            ("--3", None),
            ("-+3", None),
            ("0x", None),
            ("99999999999999999999", None),
        ];
        for (word, number) in expected {
            assert_eq!(integer(word), number, "{word}");
        }
    }
}
