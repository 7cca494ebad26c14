//! Stretches of plain lines: nothing but words, blanks and braces. Nearly all of a large file is that, and such lines
//! need no looking at one by one: they have no comments and no directives.

use std::ops::Range;

use super::physical::LONGEST_LINE;

/// Words that may begin a directive.
const DIRECTIVES: [&[u8]; 2] = [b"include", b"random_seed"];

/// What a text has that is not plain, as far as it has been looked at.
#[derive(Debug, Default)]
pub(super) struct Plain {
    sign: Ahead,
    directives: [Ahead; DIRECTIVES.len()],
}

/// Where in a text something comes next. The text is gone through once, however often that is asked.
#[derive(Clone, Copy, Debug, Default)]
struct Ahead(Option<usize>);

impl Plain {
    /// The plain lines that begin at `start`, where a line begins, but for those after the first `most`. And how many.
    pub(super) fn lines(&mut self, text: &[u8], start: usize, most: usize) -> Option<(Range<usize>, usize)> {
        let rest = text.get(start..)?;
        let mut length = self.sign.after(start, || first_sign(rest)) - start;
        for (word, ahead) in DIRECTIVES.into_iter().zip(&mut self.directives) {
            let find = || memchr::memmem::find(rest, word).unwrap_or(rest.len());
            length = length.min(ahead.after(start, find) - start);
        }
        if length < rest.len() {
            length = memchr::memrchr(b'\n', rest.get(..length)?)? + 1;
        }
        let plain = rest.get(..length)?;
        let (lines, length) = bounded(plain.get(..until_long_line(plain))?, most);
        (length > 0).then_some((start..start + length, lines))
    }
}

impl Ahead {
    /// The first place from `start` on, where `find` finds it.
    fn after(&mut self, start: usize, find: impl FnOnce() -> usize) -> usize {
        match self.0 {
            Some(at) if at >= start => at,
            _ => *self.0.insert(start + find()),
        }
    }
}

/// Where the first byte is that may mean something to this stage, or to quoting.
fn first_sign(text: &[u8]) -> usize {
    let (blocks, _) = text.as_chunks::<64>();
    // The whole of a block is looked at: so it takes no more than a few instructions.
    let is_plain_block = |block: &&[u8; 64]| block.iter().fold(true, |plain, &byte| plain & is_plain(byte));
    let passed = blocks.iter().take_while(is_plain_block).count() * 64;
    let rest = text.get(passed..).unwrap_or_default();
    passed + rest.iter().position(|&byte| !is_plain(byte)).unwrap_or(rest.len())
}

/// All but `!`, `"`, `#`, `$`, `@`, `\`, `~`, control characters, and what is not ASCII.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b' ' | b'%'..=b'?' | b'A'..=b'[' | b']'..=b'}')
}

/// Where the first line begins that is too long, or the text ends.
fn until_long_line(text: &[u8]) -> usize {
    let mut start = 0;
    // A long step at a time: to the last line that begins within reach.
    while let Some(reach) = text.get(start..=start + LONGEST_LINE) {
        match memchr::memrchr(b'\n', reach) {
            Some(newline) => start += newline + 1,
            None => return start,
        }
    }
    text.len()
}

/// How many lines there are, up to `most`, and where the last of these ends.
fn bounded(text: &[u8], most: usize) -> (usize, usize) {
    let unended = usize::from(text.last().is_some_and(|last| *last != b'\n'));
    let lines = memchr::memchr_iter(b'\n', text).count() + unended;
    if lines <= most {
        return (lines, text.len());
    }
    let last = most.checked_sub(1).and_then(|last| memchr::memchr_iter(b'\n', text).nth(last));
    (most, last.map_or(0, |newline| newline + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plain stretches of a text, where other lines are passed over.
    fn stretches(text: &str, most: usize) -> Vec<&str> {
        let (mut plain, mut start, mut found) = (Plain::default(), 0, Vec::new());
        while start < text.len() {
            start = match plain.lines(text.as_bytes(), start, most) {
                Some((range, lines)) => {
                    assert_eq!(text[range.clone()].lines().count(), lines);
                    found.push(&text[range.clone()]);
                    range.end
                }
                None => text[start..].find('\n').map_or(text.len(), |at| start + at + 1),
            };
        }
        found
    }

    #[test]
    fn other_lines_are_left_out() {
        for line in
            ["x # y", "!", "$A=1", "a \"b\"", "a\\", "@no x", "~SEQ(A,1) x", "ä", "\r", "\0", "a\x0bb"]
        {
            let text = format!("{line}\na {{ b }}\n\n\tc\n  {line}\n d\n{line}");
            assert_eq!(stretches(&text, 9), ["a { b }\n\n\tc\n", " d\n"], "{line}");
        }
        for word in ["include x", "}include x", "random_seed 1", "xincludey"] {
            let text = format!("a\n{word}\nb\n{word}\n{word}\nc");
            assert_eq!(stretches(&text, 9), ["a\n", "b\n", "c"], "{word}");
        }
        assert_eq!(stretches("", 9), [""; 0]);
        assert_eq!(stretches("a # b", 9), [""; 0]);
    }

    #[test]
    fn signs_are_found_wherever_they_stand() {
        for at in 0..200 {
            let text = format!("{}#{}", "x".repeat(at), "y#".repeat(100));
            assert_eq!(first_sign(text.as_bytes()), at);
        }
        assert_eq!(first_sign(&b"x".repeat(150)), 150);
    }

    #[test]
    fn long_lines_are_left_out() {
        let (long, longest) = ("x".repeat(LONGEST_LINE + 1), "y".repeat(LONGEST_LINE));
        let text = format!("{longest}\n{longest}\na\n{long}\nb\n{longest}\n{long}\n{long}");
        let expected = [format!("{longest}\n{longest}\na\n"), format!("b\n{longest}\n")];
        assert_eq!(stretches(&text, 9), expected);
        assert_eq!(stretches(&longest, 9), [longest.as_str()]);
    }

    #[test]
    fn there_are_no_more_lines_than_asked_for() {
        assert_eq!(stretches("a\nb\nc\nd\ne", 2), ["a\nb\n", "c\nd\n", "e"]);
        assert_eq!(stretches("a\nb\n", 0), [""; 0]);
    }
}
