//! Files, and places in them.
//!
//! A [`Source`] keeps its text with the byte offsets of its lines. A [`Span`] is a range of bytes in one source;
//! lines and columns are worked out only when somebody reads a diagnostic.

use std::ops::Range;

/// How much of an endless line is shown, in bytes.
const LONGEST_EXCERPT: usize = 2048;

/// Which file of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(usize);

/// A range of bytes in one source, `start <= end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes `range` of `source`.
    #[must_use]
    pub fn new(source: SourceId, range: Range<usize>) -> Self {
        Self { source, start: range.start, end: range.end.max(range.start) }
    }

    /// From the start of `self` to the end of `last`, if both are of one source; else `self`.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        if self.source == last.source { Self { end: last.end.max(self.end), ..self } } else { self }
    }

    /// As a range of byte offsets.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// Where a reader finds something: both numbers count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// One file as it was read.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
    line_starts: Vec<usize>,
    undecodable: Vec<Range<usize>>,
}

impl Source {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let mut text = String::with_capacity(bytes.len());
        let mut undecodable = Vec::new();
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            let start = text.len();
            // One character for each bad byte, so that offsets in the text are offsets in the file.
            text.extend(chunk.invalid().iter().map(|_| '?'));
            if text.len() > start {
                undecodable.push(start..text.len());
            }
        }
        let after_newlines =
            text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        Self { name: name.to_owned(), text, line_starts, undecodable }
    }

    /// The path as the operator gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text; a byte that is not UTF-8 stands in it as `?`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes that are not UTF-8, in file order.
    pub(crate) fn undecodable(&self) -> &[Range<usize>] {
        &self.undecodable
    }

    /// The byte range of each line, without its line end.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Range<usize>> {
        let ends = self.line_starts.iter().skip(1).copied().chain(std::iter::once(self.text.len()));
        self.line_starts.iter().copied().zip(ends).map(|(start, end)| {
            let line = self.text.get(start..end).unwrap_or_default();
            let line = line.strip_suffix('\n').unwrap_or(line);
            start..start + line.strip_suffix('\r').unwrap_or(line).len()
        })
    }

    fn line_index(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset).saturating_sub(1)
    }
}

/// All files that a configuration was read from.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
    secrets: Vec<Span>,
}

impl SourceMap {
    /// Takes a file in. The bytes may be anything.
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) -> SourceId {
        self.sources.push(Source::new(name, bytes));
        SourceId(self.sources.len() - 1)
    }

    /// The file of `id`, if `id` is of this map.
    #[must_use]
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0)
    }

    /// All files, in the order in which they were read.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The path of the file that `span` is in.
    #[must_use]
    pub fn name(&self, span: Span) -> &str {
        self.source(span.source).map_or("", Source::name)
    }

    /// The text under `span`, secrets included.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.source(span.source).and_then(|source| source.text.get(span.range())).unwrap_or_default()
    }

    /// Line and column at which `span` starts.
    #[must_use]
    pub fn location(&self, span: Span) -> Location {
        let Some(source) = self.source(span.source) else { return Location { line: 1, column: 1 } };
        let index = source.line_index(span.start);
        let start = source.line_starts.get(index).copied().unwrap_or_default();
        let before = source.text.get(start..span.start).unwrap_or_default();
        Location { line: index + 1, column: before.chars().count() + 1 }
    }

    /// From now on [`Self::excerpt`] shows nothing from `span` to the end of its line: what looks like a comment may
    /// have been meant as part of a password.
    pub(crate) fn hide(&mut self, span: Span) {
        let rest =
            self.source(span.source).and_then(|source| source.text.get(span.start..)).unwrap_or_default();
        let length = rest.find(['\r', '\n']).unwrap_or(rest.len());
        self.secrets.push(Span::new(span.source, span.start..span.start + length));
    }

    /// The whole lines around `span`, with passwords and keys starred out byte for byte, and the offset of the first.
    #[must_use]
    pub fn excerpt(&self, span: Span) -> (String, usize) {
        let Some(source) = self.source(span.source) else { return (String::new(), 0) };
        let first = source.line_starts.get(source.line_index(span.start)).copied().unwrap_or_default();
        let last = source.line_index(span.end.max(span.start));
        let end = source.line_starts.get(last + 1).copied().unwrap_or(source.text.len());
        let end = source.text.floor_char_boundary(end.min(span.end + LONGEST_EXCERPT));
        let mut lines = source.text.get(first..end).unwrap_or_default().to_owned();
        for secret in
            self.secrets.iter().filter(|s| s.source == span.source && s.start >= first && s.end <= end)
        {
            let within = secret.start - first..secret.end - first;
            if lines.get(within.clone()).is_some() {
                lines.replace_range(within, &"*".repeat(secret.end - secret.start));
            }
        }
        (lines, first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let mut map = SourceMap::default();
        let id = map.add("a.conf", "eins\r\nzw\u{f6}lf x\n".as_bytes());
        let x = map.source(id).unwrap().text().find('x').unwrap();
        assert_eq!(map.location(Span::new(id, x..x + 1)), Location { line: 2, column: 7 });
        let lines: Vec<_> = map.source(id).unwrap().lines().collect();
        assert_eq!(lines, [0..4, 6..14, 15..15]);
    }

    #[test]
    fn bad_bytes_keep_their_place() {
        let mut map = SourceMap::default();
        let id = map.add("a.conf", b"a\xff\xfeb\n\xe4\xbd");
        let source = map.source(id).unwrap();
        assert_eq!(source.text(), "a??b\n??");
        assert_eq!(source.undecodable(), [1..2, 2..3, 5..7]);
    }

    #[test]
    fn secrets_are_starred_out() {
        let mut map = SourceMap::default();
        let id = map.add("a.conf", b"x\nauth_pass 1111\n");
        map.hide(Span::new(id, 12..16));
        assert_eq!(map.excerpt(Span::new(id, 2..16)), ("auth_pass ****\n".to_owned(), 2));
    }
}
