//! A text in lines, each understood by itself.

use std::time::Duration;

use super::mistake::{Mistake, Problem};
use super::order::{A_TIME, EVENTS, order, with_usage};
use super::span::span;
use super::words::{Word, Words};
use super::{Event, Line, Scenario};

/// Reads a scenario.
///
/// # Errors
/// Everything that is wrong with the text, one mistake a line at most.
pub fn parse(text: &str) -> Result<Scenario, Vec<Mistake>> {
    let mut reader = Reader::default();
    for (number, text) in text.lines().enumerate() {
        let read = Words::of(text, number + 1).and_then(|mut words| {
            let line = reader.line(number + 1, &mut words);
            line.map_err(|mistake| with_usage(mistake, &words))
        });
        reader.mistakes.extend(read.err());
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    scenario: Scenario,
    /// The time of the line before.
    clock: Duration,
    /// The line of the end.
    end: Option<usize>,
    /// The times of the lines.
    times: Vec<Word>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    fn line(&mut self, number: usize, words: &mut Words) -> Result<(), Mistake> {
        let Some(first) = words.next() else { return Ok(()) };
        match first.text.as_str() {
            "cold" => {
                self.scenario.cold = true;
                words.finish()
            }
            "end" => self.end(&first, words),
            "at" => {
                let time = words.expect(A_TIME)?;
                self.event(number, time, words)
            }
            relative if relative.starts_with('+') => self.event(number, first, words),
            _ if EVENTS.iter().any(|(name, _)| first.text == *name) => {
                let word = first.text.clone();
                let help = format!("write at 12.5s {word} …, or +3s {word} … for 3 s after the line before");
                Err(first.mistake(Problem::Timeless { word }, Some(help)))
            }
            _ => Err(first.unknown("beginning of a line", ["at", "cold", "end"])),
        }
    }

    fn event(&mut self, number: usize, time: Word, words: &mut Words) -> Result<(), Mistake> {
        let at = self.time(&time)?;
        let word = words.expect("an event")?;
        let event =
            if word.text == "expect" { expect(words) } else { order(&word, words).map(Event::Order) }?;
        words.finish()?;
        self.scenario.lines.push(Line { number, at, event });
        self.times.push(time);
        Ok(())
    }

    fn time(&mut self, word: &Word) -> Result<Duration, Mistake> {
        let relative = word.text.strip_prefix('+');
        let read = span(relative.unwrap_or(&word.text));
        let read = read.ok_or_else(|| {
            let help = "times are numbers with a unit: us, ms, s, m or h".to_owned();
            word.mistake(Problem::Other { expected: A_TIME, word: word.text.clone() }, Some(help))
        })?;
        let at = if relative.is_some() { self.clock.saturating_add(read) } else { read };
        if at > LATEST {
            return Err(word.mistake(Problem::TooLate, None));
        }
        self.clock = at;
        Ok(at)
    }

    fn end(&mut self, first: &Word, words: &mut Words) -> Result<(), Mistake> {
        if let Some(line) = self.end {
            return Err(first.mistake(Problem::SecondEnd { first: line }, None));
        }
        let time = words.expect(A_TIME)?;
        self.scenario.end = Some(self.time(&time)?);
        self.end = Some(first.line);
        words.finish()
    }

    fn finish(mut self) -> Result<Scenario, Vec<Mistake>> {
        let end = self.scenario.end.unwrap_or(Duration::MAX);
        for (line, time) in self.scenario.lines.iter().zip(&self.times) {
            if line.at > end {
                let help = format!("the end is set in line {}", self.end.unwrap_or_default());
                self.mistakes.push(time.mistake(Problem::AfterEnd, Some(help)));
            }
        }
        self.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        if self.mistakes.is_empty() { Ok(self.scenario) } else { Err(self.mistakes) }
    }
}

fn expect(words: &mut Words) -> Result<Event, Mistake> {
    words.usage = EVENTS.last().map(|(_, usage)| *usage);
    let instance = words.expect("an instance")?;
    let list = words.expect("a host, or nobody")?;
    let mut hosts = Vec::new();
    if list.text != "nobody" {
        let mut column = list.column;
        for text in list.text.split(',') {
            let length = text.chars().count();
            let word = Word { text: text.to_owned(), column, length: length.max(1), line: list.line };
            if text.is_empty() {
                return Err(word.other("a host"));
            }
            column += length + 1;
            hosts.push(word);
        }
    }
    Ok(Event::Expect { instance, hosts })
}

/// Each second of a scenario costs work: advertisements, checks, and what is drawn of them.
const LATEST: Duration = Duration::from_secs(7 * 24 * 3600);
