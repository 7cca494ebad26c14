//! `$NAME=VALUE`, on one line or several.

use super::{Definition, Ending, Frame, Passage, Reader, Value, directive_after_brace, repetition};
use crate::diagnostic::{Code, Diagnostic, cut_by_comment, may_hold_signs};
use crate::source::{Span, Strand};

/// The name at the start of `text`, if one may stand there.
pub(super) fn name_at(text: &str) -> Option<&str> {
    let end = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let name = text.get(..end)?;
    (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(name)
}

/// The name that `$NAME=…` defines.
pub(super) fn name_of(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('$')?;
    let name = name_at(rest)?;
    rest.get(name.len()..)?.starts_with('=').then_some(name)
}

/// Whether a line is a definition, perhaps behind conditions, repetitions or braces.
pub(super) fn is_behind(text: &str) -> bool {
    let mut rest = text.trim_start_matches([' ', '\t']);
    while name_of(rest).is_none() {
        let skipped = if rest.starts_with('@') {
            rest.find([' ', '\t'])
        } else if repetition::Kind::of(rest).is_some() {
            rest.find(')').map(|at| at + 1)
        } else {
            directive_after_brace(rest)
        };
        match skipped.and_then(|at| rest.get(at..)) {
            Some(next) => rest = next.trim_start_matches([' ', '\t']),
            None => return false,
        }
    }
    true
}

/// Whether the next physical line belongs to the value.
pub(super) fn goes_on(text: &str, ending: Ending) -> bool {
    ending.is_physical && !ending.had_comment && text.ends_with('\\')
}

impl Reader<'_> {
    /// Carries out a definition.
    pub(super) fn define(&mut self, line: Strand, text: &str, name: &str, ending: Ending) {
        let first = self.trimmed(line.part(name.len() + 2..text.len()));
        let first_text = self.sources.strand(first);
        let value = if first_text.ends_with('\\') {
            let first = self.trimmed(first.part(0..first_text.len() - 1));
            let mut lines = Vec::new();
            if !self.sources.strand(first).is_empty() {
                lines.push(first);
            }
            if goes_on(text, ending) {
                lines.extend(self.continuation());
            } else if ending.had_comment {
                let at = line.part(text.len() - 1..text.len());
                self.swallowed(at);
            }
            match lines.as_slice() {
                [] => Value::One(first),
                [only] => Value::One(*only),
                _ => Value::Lines(lines.into()),
            }
        } else {
            if ending.had_comment {
                self.cut_value(first);
            }
            Value::One(first)
        };
        self.set(name, value);
    }

    /// Remarks on a value whose end was taken for a comment. It may be a password, and is not shown.
    fn cut_value(&mut self, value: Strand) {
        let text = self.sources.strand(value);
        let word = text.rsplit([' ', '\t']).next().unwrap_or_default();
        let whole = Passage { text, is_plain: false, strand: value, sources: self.sources };
        let is_cut = whole.is_cut_by_comment() && !text.ends_with('"') && may_hold_signs(word);
        if is_cut && !word.is_empty() {
            let place = whole.span(text.len() - word.len()..text.len());
            let headline = "a comment begins inside this word, and only what stands before it counts";
            self.report_once(cut_by_comment(place, headline));
        }
    }

    /// Makes a name stand for a value.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        let place = match value {
            Value::One(Strand::Written(span)) => Some(span),
            Value::One(Strand::Made { .. }) | Value::Lines(_) => None,
        };
        self.set_at(name, value, place);
    }

    /// The same for a value that was written at `place`.
    pub(super) fn set_at(&mut self, name: &str, value: Value, place: Option<Span>) {
        let id = self.sources.expansion_mut().define(name, place);
        self.names.insert(name.into(), Definition { id, value });
    }

    /// The lines up to the end of a value that goes on: those that end in a backslash, and one more.
    pub(super) fn continuation(&mut self) -> Vec<Strand> {
        if let Some(Frame::Repetition(repetition)) = self.frames.last() {
            let lines = repetition.continuation.to_vec();
            lines.iter().for_each(|_| self.budget.line());
            return lines;
        }
        let mut lines = Vec::new();
        while let Some(Frame::File { file, .. }) = self.frames.last_mut() {
            let id = file.id;
            let Some(line) = file.next_line(self.diagnostics) else { break };
            self.budget.line();
            if self.budget.is_spent() {
                break;
            }
            let Some(line) = line else { continue };
            let strand = Strand::Written(Span::new(id, line.range));
            let text = self.sources.strand(strand);
            if text.is_empty() {
                break;
            }
            let goes_on = text.ends_with('\\');
            let length = text.len();
            let kept = if goes_on { self.trimmed(strand.part(0..length - 1)) } else { strand };
            if !self.sources.strand(kept).is_empty() {
                lines.push(kept);
            }
            if goes_on && line.had_comment {
                self.swallowed(strand.part(length - 1..length));
            }
            if !goes_on || line.had_comment {
                break;
            }
        }
        lines
    }

    fn swallowed(&mut self, backslash: Strand) {
        let span = self.sources.place(backslash);
        self.report_once(
            Diagnostic::warning(
                Code::Directive,
                span,
                "the comment after this backslash ends the value here",
            )
            .help("only a backslash at the very end of a line makes the value go on"),
        );
    }
}
