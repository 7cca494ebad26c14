//! Lines in words.

use std::fmt;

use super::mistake::{Mistake, Problem, nearest};

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) length: usize,
}

/// The words of a line that are not read yet.
#[derive(Clone, Debug)]
pub(super) struct Words {
    rest: std::vec::IntoIter<Word>,
    line: usize,
    /// Where the line ends.
    end: usize,
    /// How the event is written, for those who write it otherwise.
    pub(super) usage: Option<&'static str>,
}

impl Word {
    pub(super) fn mistake(&self, problem: Problem, help: Option<String>) -> Mistake {
        Mistake { line: self.line, column: self.column, length: self.length, problem, help }
    }

    /// It is none of `known`.
    pub(super) fn unknown<'a>(
        &self,
        what: &'static str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Mistake {
        let known: Vec<_> = known.into_iter().collect();
        let help = suggestion(&self.text, what, &known);
        self.mistake(Problem::Unknown { what, word: self.text.clone() }, help)
    }

    pub(super) fn other(&self, expected: &'static str) -> Mistake {
        self.mistake(Problem::Other { expected, word: self.text.clone() }, None)
    }
}

/// What was meant, or what there is.
pub(super) fn suggestion(word: &str, what: &str, known: &[&str]) -> Option<String> {
    match (nearest(word, known.iter().copied()), known) {
        (Some(near), _) => Some(format!("did you mean `{near}`?")),
        (None, []) => Some(format!("there is no {what}")),
        (None, _) if known.len() > 30 => None,
        (None, _) => Some(format!("there are {}", known.join(", "))),
    }
}

impl Words {
    /// The words of a line. A word that begins with `#` ends it; what stands in quotation marks is one word.
    pub(super) fn of(text: &str, line: usize) -> Result<Self, Mistake> {
        let mut words = Vec::new();
        let mut letters = text.chars().enumerate().peekable();
        let mut end = 1;
        while let Some((at, letter)) = letters.next() {
            let mut word = Word { text: String::new(), line, column: at + 1, length: 1 };
            match letter {
                '#' => break,
                '"' => {
                    let mut closed = false;
                    for (_, letter) in letters.by_ref() {
                        word.length += 1;
                        if letter == '"' {
                            closed = true;
                            break;
                        }
                        word.text.push(letter);
                    }
                    if !closed {
                        return Err(word.mistake(Problem::Unclosed, None));
                    }
                }
                blank if blank.is_whitespace() => continue,
                first => {
                    word.text.push(first);
                    while let Some((_, letter)) = letters.next_if(|(_, letter)| !letter.is_whitespace()) {
                        word.text.push(letter);
                        word.length += 1;
                    }
                }
            }
            end = word.column + word.length;
            words.push(word);
        }
        Ok(Self { rest: words.into_iter(), line, end, usage: None })
    }

    pub(super) fn next(&mut self) -> Option<Word> {
        self.rest.next()
    }

    /// The next word, if it is this one.
    pub(super) fn next_if(&mut self, text: &str) -> Option<Word> {
        self.rest.as_slice().first().filter(|word| word.text == text)?;
        self.next()
    }

    pub(super) fn expect(&mut self, expected: &'static str) -> Result<Word, Mistake> {
        self.next().ok_or_else(|| self.missing(expected))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.as_slice().is_empty()
    }

    pub(super) fn missing(&self, expected: &'static str) -> Mistake {
        Mistake {
            line: self.line,
            column: self.end,
            length: 1,
            problem: Problem::Missing { expected },
            help: None,
        }
    }

    /// Nothing is left.
    pub(super) fn finish(&mut self) -> Result<(), Mistake> {
        match self.next() {
            None => Ok(()),
            Some(word) => Err(word.mistake(Problem::Surplus { word: word.text.clone() }, None)),
        }
    }
}

/// A name as a scenario writes it: in quotation marks if it would not be one word otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a>(pub(crate) &'a str);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain =
            !self.0.is_empty() && !self.0.starts_with(['#', '"']) && !self.0.contains(char::is_whitespace);
        if plain { f.write_str(self.0) } else { write!(f, "\"{}\"", self.0) }
    }
}
