//! Files, and places in them.
//!
//! A [`Source`] is one reading of a file; readings of the same file share its text. A [`Span`] is a range of bytes in
//! one source and remembers the way by which that text came to mean something: through which parameter, repetition or
//! include. Lines, columns and ways are worked out only when somebody reads a diagnostic.

mod expansion;
mod lines;
mod trail;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub(crate) use expansion::{DefinitionId, Expansion, Origin, Part, Strand, Way, WayKind, parts_of, place};
use lines::LineIndex;
pub use trail::Step;

use crate::secret;

/// How much of an endless line is shown, in bytes.
const LONGEST_EXCERPT: usize = 2048;

/// Which file of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// A range of bytes in one source, `start <= end`.
///
/// Text that a substitution made leads to where it was written: to the words of the value if a whole line was taken
/// from there, else to the use of the parameter. [`SourceMap::trail`] tells the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    start: u32,
    end: u32,
    way: Way,
}

impl Span {
    /// The bytes `range` of `source`.
    #[must_use]
    pub fn new(source: SourceId, range: Range<usize>) -> Self {
        let start = offset(range.start);
        Self { source, start, end: offset(range.end).max(start), way: Way::STRAIGHT }
    }

    /// From the start of `self` to the end of `last`, if both were written on the same way in one source; else `self`.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        if self.source == last.source && self.way == last.way {
            Self { end: last.end.max(self.end), ..self }
        } else {
            self
        }
    }

    /// The least that holds both, which must be of one source.
    pub(crate) fn around(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end), ..self }
    }

    /// The place right after it.
    pub(crate) const fn end_point(self) -> Self {
        Self { start: self.end, ..self }
    }

    /// The first byte.
    #[must_use]
    pub fn start(self) -> usize {
        usize::try_from(self.start).unwrap_or(usize::MAX)
    }

    /// One past the last byte.
    #[must_use]
    pub fn end(self) -> usize {
        usize::try_from(self.end).unwrap_or(usize::MAX)
    }

    /// As a range of byte offsets.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start()..self.end()
    }

    /// The same place, however it was come by.
    pub(crate) const fn place(self) -> (SourceId, u32, u32) {
        (self.source, self.start, self.end)
    }

    /// Nothing but the file itself made it mean something.
    pub(crate) fn is_straight(self) -> bool {
        self.way == Way::STRAIGHT
    }

    pub(crate) const fn way(self) -> Way {
        self.way
    }

    pub(crate) const fn by(self, way: Way) -> Self {
        Self { way, ..self }
    }

    /// The bytes `range` of it.
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        let start = self.start.saturating_add(offset(range.start)).min(self.end);
        let end = self.start.saturating_add(offset(range.end)).clamp(start, self.end);
        Self { start, end, ..self }
    }

    const fn overlaps(self, other: Self) -> bool {
        self.source.0 == other.source.0 && self.start < other.end && other.start < self.end
    }
}

/// An offset into a text, of which [`SourceMap::add`] takes only what `u32` can count.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Where a reader finds something: both numbers count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// What stands in a file.
#[derive(Debug)]
pub(crate) struct Text {
    content: String,
    undecodable: Vec<Range<usize>>,
    /// Made when a place is asked for.
    lines: OnceLock<LineIndex>,
}

impl Text {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let (content, undecodable) = match String::from_utf8(bytes) {
            Ok(content) => (content, Vec::new()),
            Err(error) => decoded(error.as_bytes()),
        };
        Self { content, undecodable, lines: OnceLock::new() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.content
    }

    /// The bytes that are not UTF-8, in file order.
    pub(crate) fn undecodable(&self) -> &[Range<usize>] {
        &self.undecodable
    }

    /// How many lines end before `offset`.
    fn lines_before(&self, offset: usize) -> usize {
        self.lines.get_or_init(|| LineIndex::new(&self.content)).lines_before(&self.content, offset)
    }
}

/// Text with one `?` for each byte that is not UTF-8, so that offsets in it are offsets in the file; and those bytes.
fn decoded(bytes: &[u8]) -> (String, Vec<Range<usize>>) {
    let mut text = String::with_capacity(bytes.len());
    let mut undecodable = Vec::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let start = text.len();
        text.extend(chunk.invalid().iter().map(|_| '?'));
        if text.len() > start {
            undecodable.push(start..text.len());
        }
    }
    (text, undecodable)
}

/// One reading of a file.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: Arc<Text>,
    included: Option<Span>,
}

impl Source {
    /// The path as the operator gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text; a byte that is not UTF-8 stands in it as `?`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text.content
    }

    /// The line that asked for it, unless the command line did.
    #[must_use]
    pub const fn included(&self) -> Option<Span> {
        self.included
    }
}

/// All files that a configuration was read from.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
    expansion: Expansion,
    /// Where each secret starts and ends, by the text that holds it.
    secrets: BTreeMap<TextKey, BTreeSet<(usize, usize)>>,
}

/// Readings of the same file share a text; its address tells it from others.
type TextKey = usize;

impl SourceMap {
    /// Takes a file in. The bytes may be anything.
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) -> SourceId {
        self.add_text(name, Arc::new(Text::new(bytes.to_vec())), None)
    }

    pub(crate) fn add_text(&mut self, name: &str, text: Arc<Text>, included: Option<Span>) -> SourceId {
        self.sources.push(Source { name: name.to_owned(), text, included });
        SourceId(offset(self.sources.len() - 1))
    }

    /// The file of `id`, if `id` is of this map.
    #[must_use]
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(usize::try_from(id.0).ok()?)
    }

    /// All files, in the order in which they were read.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The file of `id` and those that were read after it.
    pub(crate) fn sources_from(&self, id: SourceId) -> &[Source] {
        usize::try_from(id.0).ok().and_then(|first| self.sources.get(first..)).unwrap_or_default()
    }

    /// Where the file begins that is read next.
    pub(crate) fn next_start(&self) -> Span {
        Span::new(SourceId(offset(self.sources.len())), 0..0)
    }

    /// The path of the file that `span` is in.
    #[must_use]
    pub fn name(&self, span: Span) -> &str {
        self.source(span.source).map_or("", Source::name)
    }

    /// The text under `span` as it stands in the file, secrets included.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.source(span.source).and_then(|source| source.text().get(span.range())).unwrap_or_default()
    }

    /// Line and column at which `span` starts.
    #[must_use]
    pub fn location(&self, span: Span) -> Location {
        let Some(source) = self.source(span.source) else { return Location { line: 1, column: 1 } };
        let start = lines::start(source.text(), span.start());
        let before = source.text().get(start..span.start()).unwrap_or_default();
        Location { line: source.text.lines_before(span.start()) + 1, column: before.chars().count() + 1 }
    }

    /// What substitution made.
    pub(crate) const fn expansion(&self) -> &Expansion {
        &self.expansion
    }

    pub(crate) const fn expansion_mut(&mut self) -> &mut Expansion {
        &mut self.expansion
    }

    /// From now on [`Self::excerpt`] shows nothing from `span` to the end of its line: what looks like a comment may
    /// have been meant as part of a password. Nor does anything show the values of the parameters that it was made of.
    pub(crate) fn hide(&mut self, span: Span) {
        self.hide_line(span);
        for definition in self.expansion.hide(span) {
            self.hide_line(definition);
        }
    }

    fn hide_line(&mut self, span: Span) {
        let Some(source) = self.source(span.source) else { return };
        let rest = source.text().get(span.start()..).unwrap_or_default();
        let length = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let key = self.text_key(span.source);
        self.secrets.entry(key).or_default().insert((span.start(), span.start() + length));
    }

    /// All readings of one file hide the same.
    fn text_key(&self, id: SourceId) -> TextKey {
        self.source(id).map_or(0, |source| Arc::as_ptr(&source.text).addr())
    }

    /// What is not shown of the lines of `span`.
    pub(crate) fn hidden_near(&self, span: Span) -> Vec<String> {
        let (shown, offset) = self.excerpt(span);
        let Some(source) = self.source(span.source) else { return Vec::new() };
        let plain = source.text().get(offset..offset + shown.len()).unwrap_or_default();
        let pairs = plain.lines().zip(shown.lines()).filter(|(plain, shown)| plain != shown);
        let hidden = pairs.map(|(plain, shown)| {
            let pairs = plain.bytes().zip(shown.bytes());
            let same = pairs.take_while(|&(plain, shown)| plain == shown && shown != b'*').count();
            plain.get(plain.floor_char_boundary(same)..).unwrap_or_default().to_owned()
        });
        hidden.collect()
    }

    /// The whole lines around `span`, with passwords and keys starred out byte for byte, and the offset of the first.
    #[must_use]
    pub fn excerpt(&self, span: Span) -> (String, usize) {
        let Some(source) = self.source(span.source) else { return (String::new(), 0) };
        let first = lines::start(source.text(), span.start());
        let end = lines::next_start(source.text(), span.end());
        let end = source.text().floor_char_boundary(end.min(span.end() + LONGEST_EXCERPT));
        let mut lines = source.text().get(first..end).unwrap_or_default().to_owned();
        let secrets = self.secrets.get(&self.text_key(span.source));
        for &(start, stop) in secrets.into_iter().flat_map(|secrets| secrets.range((first, 0)..(end, 0))) {
            let within = start - first..stop.min(end) - first;
            if lines.get(within.clone()).is_some() {
                lines.replace_range(within.clone(), &"*".repeat(within.len()));
            }
        }
        if lines.split_inclusive('\n').any(|line| secret::start(line).is_some()) {
            let line = |line| secret::starred(line).map_or(Cow::Borrowed(line), Cow::Owned);
            lines = lines.split_inclusive('\n').map(line).collect();
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
    }

    #[test]
    fn bad_bytes_keep_their_place() {
        let text = Text::new(b"a\xff\xfeb\n\xe4\xbd".to_vec());
        assert_eq!(text.as_str(), "a??b\n??");
        assert_eq!(text.undecodable(), [1..2, 2..3, 5..7]);
    }

    #[test]
    fn secrets_are_starred_out() {
        let mut map = SourceMap::default();
        let id = map.add("a.conf", b"x\nauth_pass 1111\n");
        map.hide(Span::new(id, 12..16));
        assert_eq!(map.excerpt(Span::new(id, 2..16)), ("auth_pass ****\n".to_owned(), 2));
    }

    #[test]
    fn a_span_is_small() {
        assert_eq!(size_of::<Span>(), 16);
    }
}
