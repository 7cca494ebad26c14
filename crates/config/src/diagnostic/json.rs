//! Findings for programs: one JSON object each, whose fields never change their meaning.

use serde::Serialize;

use super::Diagnostic;
use crate::source::{SourceMap, Span, Step};

/// One finding. Fields may be added, none is taken away.
#[derive(Debug, Serialize)]
pub(super) struct Finding<'a> {
    code: &'static str,
    severity: &'static str,
    title: &'static str,
    headline: &'a str,
    help: Option<&'a str>,
    #[serde(flatten)]
    place: Place<'a>,
    labels: Vec<Label<'a>>,
    /// How the text came to mean what it does, the nearest step first; left out if it stands as it is meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trail: Vec<Stage<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    again: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[derive(Debug, Serialize)]
struct Stage<'a> {
    text: String,
    #[serde(flatten)]
    place: Place<'a>,
}

/// A place in a file. Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Debug, Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Debug, Serialize)]
struct Label<'a> {
    text: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
}

impl<'a> Finding<'a> {
    pub(super) fn of(diagnostic: &'a Diagnostic, sources: &'a SourceMap) -> Self {
        let label = |(span, text): &'a (Span, String)| Label { text, place: Place::of(*span, sources) };
        let stage = |step: Step| Stage { text: step.remark, place: Place::of(step.place, sources) };
        Self {
            code: diagnostic.code.id(),
            severity: diagnostic.severity.name(),
            title: diagnostic.code.title(),
            headline: &diagnostic.headline,
            help: diagnostic.help.as_deref(),
            place: Place::of(diagnostic.primary, sources),
            labels: diagnostic.labels.iter().map(label).collect(),
            trail: sources.trail(diagnostic.primary).into_iter().map(stage).collect(),
            again: diagnostic.again,
        }
    }
}

impl<'a> Place<'a> {
    fn of(span: Span, sources: &'a SourceMap) -> Self {
        let start = sources.location(span);
        let end = sources.location(span.end_point());
        Self {
            file: sources.name(span),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}
