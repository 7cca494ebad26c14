//! What a body must be like, judged while it arrives.

use std::sync::Arc;

use md5::{Digest as _, Md5};
use model::lvs::{Regex, Request};
use sys::regex::{Found, Pattern};

use crate::trouble::Trouble;

/// So much is gathered before the pattern is tried: most bodies are tried once.
const WINDOW_BYTES: usize = 64 * 1024;
/// The longest text that one match may need.
const MAX_MATCH_BYTES: usize = 1024 * 1024;

/// Looks at a body as it passes.
pub(crate) struct Judge<'a> {
    digest: Option<(Md5, &'a [u8; 16])>,
    regex: Option<Search<'a>>,
}

impl<'a> Judge<'a> {
    /// `pattern` is that of the request's regex, if it has one.
    pub(crate) fn new(request: &'a Request, pattern: Option<Arc<Pattern>>) -> Self {
        let digest = request.digest.as_ref().map(|expected| (Md5::new(), &**expected));
        let regex = request.regex.as_ref().zip(pattern);
        Self { digest, regex: regex.map(|(regex, pattern)| Search::new(regex, pattern)) }
    }

    /// The next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        if let Some((md5, _)) = &mut self.digest {
            md5.update(bytes);
        }
        self.regex.as_mut().map_or(Ok(()), |search| search.feed(bytes))
    }

    /// The verdict, at the end.
    pub(crate) fn finish(self) -> Result<(), Trouble> {
        if let Some((md5, expected)) = self.digest {
            let digest: [u8; 16] = md5.finalize().into();
            if digest != *expected {
                return Err(Trouble::server(format!("the digest of the body is {}", hex(&digest))));
            }
        }
        self.regex.map_or(Ok(()), Search::finish)
    }
}

/// Two digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A search for a pattern in a text that arrives in parts. It keeps what a match could still need and no more.
struct Search<'a> {
    regex: &'a Regex,
    pattern: Arc<Pattern>,
    /// The text from `offset` on.
    kept: Vec<u8>,
    /// How much of the text is gone.
    offset: u64,
    /// Where in `kept` a match may begin.
    from: usize,
    /// When to try again: at this length of `kept`.
    try_at: usize,
    verdict: Option<bool>,
}

impl<'a> Search<'a> {
    fn new(regex: &'a Regex, pattern: Arc<Pattern>) -> Self {
        Self { regex, pattern, kept: Vec::new(), offset: 0, from: 0, try_at: WINDOW_BYTES, verdict: None }
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        if self.verdict.is_some() {
            return Ok(());
        }
        self.kept.extend_from_slice(bytes);
        if self.kept.len() >= self.try_at { self.look(false) } else { Ok(()) }
    }

    fn finish(mut self) -> Result<(), Trouble> {
        if self.verdict.is_none() {
            self.look(true)?;
        }
        match (self.verdict.unwrap_or(false), self.regex.inverted) {
            (true, true) => Err(Trouble::server("the body matches the pattern")),
            (false, false) => Err(Trouble::server("the body does not match the pattern")),
            (true, false) | (false, true) => Ok(()),
        }
    }

    fn look(&mut self, complete: bool) -> Result<(), Trouble> {
        let length = if complete { self.kept.len() } else { self.whole_characters() };
        let text = self.kept.get(..length).unwrap_or_default();
        let lowest = usize::try_from(self.regex.min_offset.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let from = self.from.max(lowest);
        let found = self.pattern.find(text, from, complete);
        let found =
            found.map_err(|error| Trouble::server(format!("the pattern cannot be tried: {error}")))?;
        match found {
            Found::Match { start, .. } => self.verdict = Some(!self.is_too_far(start)),
            Found::Partial { start } if self.is_too_far(start) => self.verdict = Some(false),
            Found::Partial { start } => self.keep_from(start)?,
            Found::Nothing if self.is_too_far(length) => self.verdict = Some(false),
            Found::Nothing => self.keep_from(length)?,
        }
        Ok(())
    }

    fn is_too_far(&self, start: usize) -> bool {
        let start = self.offset.saturating_add(u64::try_from(start).unwrap_or(u64::MAX));
        self.regex.max_offset.is_some_and(|limit| start > limit)
    }

    /// Drops what lies before a place where a match may begin, and what it may look back to.
    fn keep_from(&mut self, start: usize) -> Result<(), Trouble> {
        let mut cut = start.saturating_sub(self.pattern.lookbehind());
        while self.pattern.is_utf() && cut > 0 && self.kept.get(cut).is_some_and(|byte| is_inside(*byte)) {
            cut -= 1;
        }
        self.kept.drain(..cut);
        self.offset = self.offset.saturating_add(u64::try_from(cut).unwrap_or(u64::MAX));
        self.from = start - cut;
        if self.kept.len() > MAX_MATCH_BYTES {
            let reason = format!("the pattern needs more than {MAX_MATCH_BYTES} bytes for one match");
            return Err(Trouble::server(reason));
        }
        // Doubled, so that a match which grows and grows is tried a few times only.
        self.try_at = self.kept.len().saturating_mul(2).max(WINDOW_BYTES);
        Ok(())
    }

    /// How much can be tried: a character of UTF-8 may be cut in two at the end.
    fn whole_characters(&self) -> usize {
        let length = self.kept.len();
        if !self.pattern.is_utf() {
            return length;
        }
        let tail = self.kept.iter().rev().take(4);
        let inside = tail.clone().take_while(|byte| is_inside(**byte)).count();
        let lead = self.kept.iter().rev().nth(inside).copied().unwrap_or(0);
        let wanted = match lead {
            0xc0..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0.. => 3,
            _ => 0,
        };
        if inside < wanted { length.saturating_sub(inside + 1) } else { length }
    }
}

/// Whether a byte continues a character of UTF-8.
fn is_inside(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[cfg(test)]
mod tests {
    use model::lvs::{RegexOption, RegexOptions};
    use proptest::prelude::*;

    use super::*;

    fn regex(pattern: &str, options: &[RegexOption]) -> Regex {
        let options = RegexOptions::from(options.to_vec());
        let pattern = pattern.into();
        Regex { pattern, inverted: false, options, min_offset: 0, max_offset: None, stack: None }
    }

    /// Whether a text matches that comes in parts of some size, tried at each part.
    fn matches(regex: &Regex, text: &[u8], part: usize) -> bool {
        let pattern = Pattern::new(&regex.pattern, regex.options, regex.stack).unwrap();
        let mut search = Search::new(regex, Arc::new(pattern));
        for bytes in text.chunks(part) {
            search.try_at = 0;
            search.feed(bytes).unwrap();
        }
        search.finish().is_ok()
    }

    #[test]
    fn parts_make_no_difference() {
        let cases: [(&str, &[RegexOption], bool); 9] = [
            ("o w", &[], true),
            ("world\\n$", &[], true),
            ("^hello", &[], true),
            ("^world", &[], false),
            ("^lo", &[], false),
            ("(?<=hello )wör", &[RegexOption::Utf], true),
            ("WÖRLD", &[RegexOption::Utf, RegexOption::Caseless], true),
            ("\\bwö", &[RegexOption::Utf, RegexOption::Ucp], true),
            ("h.*d", &[], true),
        ];
        for (pattern, options, expected) in cases {
            let regex = regex(pattern, options);
            let text = "hello wörld\n".replace('ö', if pattern.contains("world") { "o" } else { "ö" });
            for part in 1..=text.len() {
                assert_eq!(matches(&regex, text.as_bytes(), part), expected, "{pattern} in parts of {part}");
            }
        }
    }

    #[test]
    fn offsets_bound_where_a_match_begins() {
        for (min, max, expected) in [
            (0, None, true),
            (6, None, true),
            (7, None, false),
            (0, Some(6), true),
            (0, Some(5), false),
            (6, Some(6), true),
        ] {
            let regex = Regex { min_offset: min, max_offset: max, ..regex("world", &[]) };
            for part in 1..=12 {
                let found = matches(&regex, b"hello world\n", part);
                assert_eq!(found, expected, "{min}..={max:?} in parts of {part}");
            }
        }
    }

    #[test]
    fn long_texts_are_not_kept() {
        let regex = regex("needle", &[]);
        let pattern = Arc::new(Pattern::new("needle", RegexOptions::default(), None).unwrap());
        let mut search = Search::new(&regex, pattern);
        for _ in 0..2000 {
            search.feed(&[b'x'; 4096]).unwrap();
            assert!(search.kept.len() <= WINDOW_BYTES + 4096);
        }
        search.feed(b"needle").unwrap();
        search.finish().unwrap();
    }

    #[test]
    fn a_match_without_end_is_given_up() {
        let regex = regex("x.*y", &[RegexOption::Dotall]);
        let pattern = Arc::new(Pattern::new(&regex.pattern, regex.options, None).unwrap());
        let mut search = Search::new(&regex, pattern);
        let error = (0..1000).find_map(|_| search.feed(&[b'x'; 4096]).err()).expect("an end");
        assert!(error.to_string().contains("for one match"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_in_any_parts(text in "[abx\n]{0,60}", part in 1_usize..20, pattern in "[ab][ab.]{0,3}x?") {
            let regex = regex(&pattern, &[]);
            prop_assert_eq!(matches(&regex, text.as_bytes(), part), matches(&regex, text.as_bytes(), 1000));
        }
    }
}
