//! The stage between files and words: comments go, directives are carried out.
//!
//! Every later stage sees [`Line`]s only, and asks them for spans. That is the seam for includes, conditions, definitions
//! and repetitions: they will add lines whose [`Line::span`] leads to where the text was written. Until they are built,
//! each use is an error.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Source, SourceId, SourceMap, Span};

/// The longest line that keepalived takes, in bytes without the line end.
const LONGEST_LINE: usize = 1022;

/// Names that are defined without a definition.
const PREDEFINED: [&str; 6] = ["_PWD", "_INSTANCE", "_RANDOM", "_ENV", "_HASH", "_BANG"];

const INCLUDES: [&str; 6] = ["include", "includer", "includem", "includew", "includeb", "includea"];

/// A line without comment and outer blanks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// What is left of it; not empty.
    pub(crate) text: &'a str,
    source: SourceId,
    start: usize,
}

impl Line<'_> {
    /// Where the bytes `range` of the text were written.
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.source, self.start + range.start..self.start + range.end)
    }
}

/// The lines of a file that mean something.
pub(crate) fn lines<'a>(
    sources: &'a SourceMap,
    id: SourceId,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Line<'a>> {
    let Some(source) = sources.source(id) else { return Vec::new() };
    let mut lines = Vec::new();
    let mut undecodable = source.undecodable().iter().peekable();
    for range in source.lines() {
        while undecodable.next_if(|bad| bad.end <= range.start).is_some() {}
        let Some(line) = physical_line(source, id, &range, diagnostics) else { continue };
        let end = line.start + line.text.len();
        if let Some(bad) = undecodable.peek().filter(|bad| bad.start < end) {
            let span = Span::new(id, (*bad).clone());
            diagnostics.push(
                Diagnostic::error(Code::NotUtf8, span, "this is not UTF-8")
                    .help("save the file as UTF-8; only comments may hold other bytes"),
            );
        }
        if !line.text.is_empty() {
            lines.push(line);
        }
    }
    without_directives(lines, diagnostics)
}

fn physical_line<'a>(
    source: &'a Source,
    id: SourceId,
    range: &Range<usize>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Line<'a>> {
    let raw = source.text().get(range.clone())?;
    if raw.len() > LONGEST_LINE {
        let span = Span::new(id, range.start..range.start);
        let headline =
            format!("this line has {} bytes, {LONGEST_LINE} are the most; it is ignored", raw.len());
        diagnostics.push(Diagnostic::warning(Code::LineTooLong, span, headline));
        return None;
    }
    if let Some(at) = raw.find('\0') {
        let span = Span::new(id, range.start + at..range.start + at + 1);
        diagnostics.push(Diagnostic::warning(Code::NulByte, span, "this line has a NUL byte; it is ignored"));
        return None;
    }
    let text = without_comment(raw).trim_end_matches([' ', '\t']);
    // keepalived makes a byte order mark part of the first word; nobody can want that.
    let visible = if range.start == 0 { text.trim_start_matches('\u{feff}') } else { text };
    let visible = visible.trim_start_matches([' ', '\t']);
    Some(Line { text: visible, source: id, start: range.start + text.len() - visible.len() })
}

/// The line up to the first `#` or `!` outside double quotes. A backslash hides the character after it.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let mut hidden = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if hidden => hidden = false,
            b'\\' => hidden = true,
            b'"' => quoted = !quoted,
            b'#' | b'!' if !quoted => return line.get(..at).unwrap_or(line),
            _ => {}
        }
    }
    line
}

/// Reports every directive and drops its line.
fn without_directives<'a>(lines: Vec<Line<'a>>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Line<'a>> {
    let defined: BTreeSet<&str> = lines.iter().filter_map(|line| definition(line.text)).collect();
    let mut continued = false;
    let mut kept = Vec::with_capacity(lines.len());
    for line in lines {
        if continued {
            continued = line.text.ends_with('\\');
            continue;
        }
        if let Some((length, what)) = directive(line.text) {
            continued = definition(line.text).is_some() && line.text.ends_with('\\');
            diagnostics.push(not_built(line.span(0..length), what));
            continue;
        }
        for range in uses(line.text, &defined) {
            diagnostics.push(not_built(line.span(range), "a parameter"));
        }
        kept.push(line);
    }
    kept
}

fn not_built(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error(Code::Preprocessing, span, format!("{what} is not built yet"))
        .help("write out what the line stands for")
}

/// Which directive a line is, and how many bytes of it say so.
fn directive(text: &str) -> Option<(usize, &'static str)> {
    let first = text.split([' ', '\t']).next().unwrap_or_default();
    if let Some(name) = definition(text) {
        return Some((name.len() + 1, "a definition"));
    }
    if text.starts_with('@') {
        return Some((first.len(), "a conditional line"));
    }
    if INCLUDES.contains(&first) && first.len() < text.len() {
        return Some((first.len(), "`include`"));
    }
    let repeated = ["~SEQx", "~SEQ", "~LST"].into_iter().find(|name| {
        text.strip_prefix(name).is_some_and(|rest| rest.trim_start_matches([' ', '\t']).starts_with('('))
    });
    repeated.map(|name| (name.len(), "a repetition"))
}

/// The name that `$NAME=…` defines.
fn definition(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('$')?;
    let name = name_at(rest)?;
    rest.get(name.len()..)?.starts_with('=').then_some(name)
}

fn name_at(text: &str) -> Option<&str> {
    let end = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let name = text.get(..end)?;
    (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(name)
}

/// Where a line uses a parameter. Like keepalived, an undefined name is ordinary text.
fn uses(text: &str, defined: &BTreeSet<&str>) -> Vec<Range<usize>> {
    let is_known = |name: &str| defined.contains(name) || PREDEFINED.contains(&name);
    let use_at = |at: usize| {
        let rest = text.get(at + 1..)?;
        if let Some(inner) = rest.strip_prefix('{') {
            let name = name_at(inner)?;
            let close = inner.find('}')?;
            return is_known(name).then_some(at..at + close + 3);
        }
        let name = name_at(rest)?;
        let after = rest.get(name.len()..)?;
        let ends = after.is_empty() || after.starts_with([' ', '\t', ',', ')']);
        (ends && is_known(name)).then_some(at..at + name.len() + 1)
    };
    text.match_indices('$').filter_map(|(at, _)| use_at(at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &[u8]) -> (Vec<String>, Vec<(Code, usize, usize)>) {
        let mut sources = SourceMap::default();
        let id = sources.add("t", text);
        let mut diagnostics = Vec::new();
        let texts = lines(&sources, id, &mut diagnostics).iter().map(|line| line.text.to_owned()).collect();
        let found = diagnostics.iter().map(|d| (d.code, d.primary.start, d.primary.end)).collect();
        (texts, found)
    }

    #[test]
    fn comments_end_lines_outside_double_quotes() {
        let (lines, found) = run(b" a b # c\n! d\n\"x#y\" !z\n'x#y'\nbbb#c\n\\# d#e\n\t\r\n");
        assert_eq!(lines, ["a b", "\"x#y\"", "'x", "bbb", "\\# d"]);
        assert_eq!(found, []);
    }

    #[test]
    fn lines_that_cannot_be_read_are_reported() {
        let mut text = b"ok\n".to_vec();
        text.extend(vec![b'x'; 1023]);
        text.extend(b"\na\0b\nfoo \xff\n# \xff\nend");
        let (lines, found) = run(&text);
        assert_eq!(lines, ["ok", "foo ?", "end"]);
        assert_eq!(
            found,
            [(Code::LineTooLong, 3, 3), (Code::NulByte, 1028, 1029), (Code::NotUtf8, 1035, 1036)]
        );
    }

    #[test]
    fn every_directive_is_reported() {
        let text = b"include x\n@a b\n$X=1\n$Y= \\\n q \\\n r\n~SEQ (N,1,2) z\nk ${X} $X $Q ${Q} ${_ENV H} a$X\nincludes\n";
        let (lines, found) = run(text);
        assert_eq!(lines, ["k ${X} $X $Q ${Q} ${_ENV H} a$X", "includes"]);
        assert_eq!(found.len(), 9);
        assert!(found.iter().all(|(code, ..)| *code == Code::Preprocessing));
    }
}
