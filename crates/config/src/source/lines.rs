//! Where the lines of a text are.

/// How many bytes are looked through to number a line.
const STRIDE: usize = 1 << 14;

/// How many lines end before each stride of a text. Where each line begins would be a table half as large as the text.
#[derive(Debug)]
pub(super) struct LineIndex {
    before: Vec<usize>,
}

impl LineIndex {
    pub(super) fn new(text: &str) -> Self {
        let mut lines = 0;
        let before = text.as_bytes().chunks(STRIDE).map(|stride| {
            let before = lines;
            lines += count(stride);
            before
        });
        Self { before: before.collect() }
    }

    /// How many lines of `text`, which it was made of, end before `offset`.
    pub(super) fn lines_before(&self, text: &str, offset: usize) -> usize {
        let stride = (offset / STRIDE).min(self.before.len().saturating_sub(1));
        let before = self.before.get(stride).copied().unwrap_or_default();
        let rest = text.as_bytes().get(stride * STRIDE..offset.min(text.len())).unwrap_or_default();
        before + count(rest)
    }
}

/// Where the line around `offset` begins.
pub(super) fn start(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1)
}

/// Where the line after the one around `offset` begins, or the text ends.
pub(super) fn next_start(text: &str, offset: usize) -> usize {
    let rest = text.as_bytes().get(offset..).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(text.len(), |newline| offset + newline + 1)
}

/// How many lines end in `text`.
fn count(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_across_strides() {
        let text = "a line\n\n".repeat(STRIDE);
        let index = LineIndex::new(&text);
        for offset in [0, 6, 7, 8, STRIDE - 1, STRIDE, STRIDE + 1, 5 * STRIDE + 7, text.len(), text.len() + 9]
        {
            let expected = text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
            assert_eq!(index.lines_before(&text, offset), expected, "{offset}");
        }
        assert_eq!(LineIndex::new("").lines_before("", 3), 0);
    }

    #[test]
    fn lines_begin_after_line_feeds() {
        let text = "a\nbc\n";
        let starts: Vec<_> = (0..=5).map(|offset| (start(text, offset), next_start(text, offset))).collect();
        assert_eq!(starts, [(0, 2), (0, 2), (2, 5), (2, 5), (2, 5), (5, 5)]);
    }
}
