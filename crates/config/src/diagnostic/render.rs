//! Text for people and logs. No rendering shows a password or key.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::json::Finding;
use super::{Diagnostic, Severity, classic};
use crate::source::{SourceMap, Span, Step};

/// Whether escape sequences for a terminal are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Off,
    /// With ANSI escapes.
    On,
}

/// As compilers print it: the lines concerned, underlined, with remarks and help. Ends without a newline.
#[must_use]
pub fn full(diagnostic: &Diagnostic, sources: &SourceMap, colour: Colour) -> String {
    let renderer = match colour {
        Colour::Off => Renderer::plain(),
        Colour::On => Renderer::styled(),
    };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(diagnostic.headline.as_str()).id(diagnostic.code.id());
    let mut group = Group::with_title(title);
    if is_whole_file(diagnostic.primary, sources) {
        group = group.element(annotate_snippets::Origin::path(sources.name(diagnostic.primary)));
    } else {
        group = group.elements(snippets(diagnostic, sources));
    }
    let trail = sources.trail(diagnostic.primary);
    group = group
        .elements(trail.iter().map(|step| Level::NOTE.message(stage(step, diagnostic.primary, sources))));
    if let Some(again) = again(diagnostic) {
        group = group.element(Level::NOTE.message(again));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// That the same line is wrong for other values too.
fn again(diagnostic: &Diagnostic) -> Option<String> {
    let again = diagnostic.again;
    (again > 0).then(|| format!("and for {again} more of what this line stands for"))
}

/// `${N}` is `300` here; in the value of `$VI`, used at FILE:LINE.
fn stage(Step { remark, place }: &Step, primary: Span, sources: &SourceMap) -> String {
    let line = sources.location(*place).line;
    if place.source == primary.source && line == sources.location(primary).line {
        return format!("{remark} here");
    }
    format!("{remark} at {}:{line}", sources.name(*place))
}

/// One line: `FILE:LINE:COLUMN: error[SF0101]: headline`.
#[must_use]
pub fn line(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let Diagnostic { code, severity, headline, primary, .. } = diagnostic;
    let name = sources.name(*primary);
    if is_whole_file(*primary, sources) {
        return format!("{name}: {}[{code}]: {headline}", severity.name());
    }
    let at = sources.location(*primary);
    format!("{name}:{}:{}: {}[{code}]: {headline}", at.line, at.column, severity.name())
}

/// One line in the form that keepalived logs, in its words where operators know them, and what happens now:
/// `(FILE: Line N) sentence; help`.
#[must_use]
pub fn log(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let name = sources.name(diagnostic.primary);
    let line = sources.location(diagnostic.primary).line;
    let help = diagnostic.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    let sentence = classic::sentence(diagnostic);
    let again = again(diagnostic).map(|again| format!("; {again}")).unwrap_or_default();
    format!("({name}: Line {line}) {sentence}{again}{help}")
}

/// For programs: one JSON object on one line. Its fields are those of docs/errors.md; no text of the file is in
/// it beyond what the sentences quote.
#[must_use]
pub fn json(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    // Text and numbers: there is nothing that JSON could not hold.
    serde_json::to_string(&Finding::of(diagnostic, sources)).unwrap_or_default()
}

/// A JSON array of all findings, one a line, with its line end.
#[must_use]
pub fn json_array<'a>(findings: impl IntoIterator<Item = (&'a Diagnostic, &'a SourceMap)>) -> String {
    let lines: Vec<_> = findings.into_iter().map(|(diagnostic, sources)| json(diagnostic, sources)).collect();
    if lines.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", lines.join(",\n")) }
}

/// A file that could not be read has no text to point at.
fn is_whole_file(span: Span, sources: &SourceMap) -> bool {
    sources.source(span.source).is_none_or(|source| source.text().is_empty())
}

fn snippets<'a>(
    diagnostic: &'a Diagnostic,
    sources: &'a SourceMap,
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let mut places = vec![(diagnostic.primary, AnnotationKind::Primary, None)];
    for (span, remark) in &diagnostic.labels {
        match places.first_mut() {
            Some(primary) if primary.0 == *span && primary.2.is_none() => primary.2 = Some(remark.as_str()),
            _ => places.push((*span, AnnotationKind::Context, Some(remark.as_str()))),
        }
    }
    neighbours(places, sources)
        .into_iter()
        .map(|here| {
            let whole = here.iter().map(|place| place.0).reduce(Span::around);
            let whole = whole.unwrap_or(diagnostic.primary);
            let (text, offset) = sources.excerpt(whole);
            let snippet = Snippet::source(text.clone()).path(sources.name(whole));
            here.iter().fold(
                snippet.line_start(sources.location(whole).line),
                |snippet, (span, kind, remark)| {
                    let start = span.start().saturating_sub(offset).min(text.len());
                    let end = span.end().saturating_sub(offset).clamp(start, text.len());
                    let annotation = kind.span(start..end);
                    snippet.annotation(match remark {
                        Some(remark) => annotation.label(*remark),
                        None => annotation,
                    })
                },
            )
        })
        .collect()
}

/// A place, how it is marked, and the remark there.
type Marked<'a> = (Span, AnnotationKind, Option<&'a str>);

/// Places that are shown together, as they stand near each other in one file; those around the first come first.
fn neighbours<'a>(places: Vec<Marked<'a>>, sources: &SourceMap) -> Vec<Vec<Marked<'a>>> {
    let mut groups: Vec<Vec<Marked<'a>>> = Vec::new();
    for place in places {
        let near = |other: &Marked<'a>| {
            let (line, others) = (sources.location(place.0).line, sources.location(other.0).line);
            place.0.source == other.0.source && line.abs_diff(others) <= NEAR
        };
        match groups.iter_mut().find(|group| group.iter().any(near)) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups
}

/// How many lines may lie between places that are shown together, of which most are folded.
const NEAR: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    #[test]
    fn json_has_all_that_there_is_to_say() {
        let mut sources = SourceMap::default();
        let id = sources.add("a.conf", "eins\nzw\u{f6}lf \"x\n".as_bytes());
        let finding = Diagnostic::error(Code::UnpairedQuote, Span::new(id, 12..14), "a \"quote\"")
            .label(Span::new(id, 0..4), "here")
            .help("close it");
        assert_eq!(
            json(&finding, &sources),
            r#"{"code":"SF0105","severity":"error","title":"a double quote has no partner on its line","headline":"a \"quote\"","help":"close it","file":"a.conf","line":2,"column":7,"end_line":2,"end_column":9,"labels":[{"text":"here","file":"a.conf","line":1,"column":1,"end_line":1,"end_column":5}]}"#
        );
        assert_eq!(json_array([]), "[]\n");
        let two = json_array([(&finding, &sources), (&finding, &sources)]);
        assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&two).unwrap().len(), 2);
    }
}
