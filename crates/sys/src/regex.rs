//! Patterns of PCRE2, with every option that a configuration can name and with matches that end where the text does.

use std::ptr::{self, NonNull};

use model::lvs::{RegexOption, RegexOptions};
use pcre2_sys as pcre;

/// A backtracking pattern gives up after so many steps: a hostile text must not hold up the process.
const MATCH_LIMIT: u32 = 1_000_000;
/// What a match may use of the heap, in KiB.
const HEAP_LIMIT_KIB: u32 = 16 * 1024;

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern {
    code: NonNull<pcre::pcre2_code_8>,
    /// First and greatest size of the stack of a match, in bytes.
    stack: Option<(usize, usize)>,
    lookbehind: usize,
    utf: bool,
}

// SAFETY: a compiled pattern is never written to again; what a match writes is made for it alone.
unsafe impl Send for Pattern {}
// SAFETY: as above; `pcre2_match` takes the pattern as const.
unsafe impl Sync for Pattern {}

/// What a text has of a pattern. Positions are bytes from the start of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The first match.
    Match {
        /// Where it begins.
        start: usize,
        /// Where it ends.
        end: usize,
    },
    /// What follows the text decides whether there is a match from here on.
    Partial {
        /// Where it would begin.
        start: usize,
    },
    /// None.
    Nothing,
}

/// Why a pattern is none, or why it cannot be told whether a text matches, in the words of PCRE2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(Box<str>);

impl Pattern {
    /// Reads a pattern. `stack` is the first and the greatest size of the stack for matching, in bytes.
    ///
    /// # Errors
    /// It is not a pattern, with the options.
    pub fn new(pattern: &str, options: RegexOptions, stack: Option<(u64, u64)>) -> Result<Self, Refused> {
        let flags = options.iter().fold(0, |flags, option| flags | flag(option));
        let (mut error, mut at) = (0, 0);
        // SAFETY: pointer and length describe `pattern`; both results are written to variables that live on.
        let code = unsafe {
            pcre::pcre2_compile_8(
                pattern.as_ptr(),
                pattern.len(),
                flags,
                &raw mut error,
                &raw mut at,
                ptr::null_mut(),
            )
        };
        let Some(code) = NonNull::new(code) else {
            return Err(Refused(format!("{} at offset {at}", message(error)).into()));
        };
        let modes = pcre::PCRE2_JIT_COMPLETE | pcre::PCRE2_JIT_PARTIAL_HARD;
        // SAFETY: `code` was just made and nobody else has it. Without the faster form the slower one is used.
        unsafe { pcre::pcre2_jit_compile_8(code.as_ptr(), modes) };
        let mut lookbehind = 0_u32;
        // SAFETY: the item asked for is written as a `u32`, which is what the pointer leads to.
        unsafe {
            let into = (&raw mut lookbehind).cast();
            pcre::pcre2_pattern_info_8(code.as_ptr(), pcre::PCRE2_INFO_MAXLOOKBEHIND, into);
        }
        let utf = options.contains(RegexOption::Utf) || pattern.starts_with("(*UTF");
        let stack =
            stack.and_then(|(first, most)| Some((first.try_into().ok()?, most.max(first).try_into().ok()?)));
        Ok(Self { code, stack, lookbehind: usize::try_from(lookbehind).unwrap_or(usize::MAX), utf })
    }

    /// Whether texts must be UTF-8.
    #[must_use]
    pub fn is_utf(&self) -> bool {
        self.utf
    }

    /// How many bytes before a match can matter to it.
    #[must_use]
    pub fn lookbehind(&self) -> usize {
        // Characters are up to four bytes; `^` and `\b` look one back without being counted.
        self.lookbehind.saturating_add(1).saturating_mul(if self.utf { 4 } else { 1 })
    }

    /// Looks for the first match that begins at `from` or later; nothing if that is behind the text. If more text may
    /// follow, `complete` is not set, and a match that reaches the end is a partial one.
    ///
    /// # Errors
    /// The pattern would take too many steps or too much memory, or the text is not UTF-8 where it has to be.
    pub fn find(&self, text: &[u8], from: usize, complete: bool) -> Result<Found, Refused> {
        if from > text.len() {
            return Ok(Found::Nothing);
        }
        let scratch = Scratch::new(self)?;
        let flags = if complete { 0 } else { pcre::PCRE2_PARTIAL_HARD };
        // SAFETY: `text` is described by its pointer and length, `from` is inside; the scratch was made for this pattern.
        let result = unsafe {
            pcre::pcre2_match_8(
                self.code.as_ptr(),
                text.as_ptr(),
                text.len(),
                from,
                flags,
                scratch.data.as_ptr(),
                scratch.context.as_ptr(),
            )
        };
        let (start, end) = match result {
            pcre::PCRE2_ERROR_NOMATCH => return Ok(Found::Nothing),
            pcre::PCRE2_ERROR_PARTIAL | 0.. => scratch.first_pair(),
            error => return Err(Refused(message(error))),
        };
        Ok(if result < 0 { Found::Partial { start } } else { Found::Match { start, end } })
    }
}

impl Drop for Pattern {
    fn drop(&mut self) {
        // SAFETY: made by `pcre2_compile_8`, and freed once.
        unsafe { pcre::pcre2_code_free_8(self.code.as_ptr()) }
    }
}

/// What one match writes to.
struct Scratch {
    data: NonNull<pcre::pcre2_match_data_8>,
    context: NonNull<pcre::pcre2_match_context_8>,
    stack: *mut pcre::pcre2_jit_stack_8,
}

impl Scratch {
    fn new(pattern: &Pattern) -> Result<Self, Refused> {
        let no_memory = || Refused("no memory".into());
        // SAFETY: a null context means the C library's memory.
        let context = unsafe { pcre::pcre2_match_context_create_8(ptr::null_mut()) };
        let context = NonNull::new(context).ok_or_else(no_memory)?;
        // SAFETY: the pattern lives; a null context means the C library's memory.
        let data =
            unsafe { pcre::pcre2_match_data_create_from_pattern_8(pattern.code.as_ptr(), ptr::null_mut()) };
        let Some(data) = NonNull::new(data) else {
            // SAFETY: made above, and freed once, since it is in no `Scratch`.
            unsafe { pcre::pcre2_match_context_free_8(context.as_ptr()) };
            return Err(no_memory());
        };
        // SAFETY: `context` was made above.
        unsafe { pcre::pcre2_set_match_limit_8(context.as_ptr(), MATCH_LIMIT) };
        // SAFETY: as above.
        unsafe { pcre::pcre2_set_heap_limit_8(context.as_ptr(), HEAP_LIMIT_KIB) };
        let stack = pattern.stack.map_or(ptr::null_mut(), |(first, most)| {
            // SAFETY: sizes only; a null result means the default stack.
            unsafe { pcre::pcre2_jit_stack_create_8(first, most, ptr::null_mut()) }
        });
        if !stack.is_null() {
            // SAFETY: without a callback the data is the stack, which is freed after the match.
            unsafe { pcre::pcre2_jit_stack_assign_8(context.as_ptr(), None, stack.cast()) };
        }
        Ok(Self { data, context, stack })
    }

    /// Start and end of the match.
    fn first_pair(&self) -> (usize, usize) {
        // SAFETY: the vector has at least one pair, written by the match that has just been made.
        unsafe {
            let pair = pcre::pcre2_get_ovector_pointer_8(self.data.as_ptr());
            (*pair, *pair.add(1))
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: each was made by its counterpart and is freed once; a null stack is permitted.
        unsafe {
            pcre::pcre2_match_data_free_8(self.data.as_ptr());
            pcre::pcre2_match_context_free_8(self.context.as_ptr());
            pcre::pcre2_jit_stack_free_8(self.stack);
        }
    }
}

/// What PCRE2 says of an error.
fn message(error: libc::c_int) -> Box<str> {
    let mut text = [0_u8; 256];
    // SAFETY: pointer and length describe `text`, which is written to and ended with a zero.
    let length = unsafe { pcre::pcre2_get_error_message_8(error, text.as_mut_ptr(), text.len()) };
    let length = usize::try_from(length).unwrap_or(0).min(text.len());
    String::from_utf8_lossy(&text[..length]).into()
}

fn flag(option: RegexOption) -> u32 {
    match option {
        RegexOption::AllowEmptyClass => pcre::PCRE2_ALLOW_EMPTY_CLASS,
        RegexOption::AltBsux => pcre::PCRE2_ALT_BSUX,
        RegexOption::AutoCallout => pcre::PCRE2_AUTO_CALLOUT,
        RegexOption::Caseless => pcre::PCRE2_CASELESS,
        RegexOption::DollarEndonly => pcre::PCRE2_DOLLAR_ENDONLY,
        RegexOption::Dotall => pcre::PCRE2_DOTALL,
        RegexOption::Dupnames => pcre::PCRE2_DUPNAMES,
        RegexOption::Extended => pcre::PCRE2_EXTENDED,
        RegexOption::Firstline => pcre::PCRE2_FIRSTLINE,
        RegexOption::MatchUnsetBackref => pcre::PCRE2_MATCH_UNSET_BACKREF,
        RegexOption::Multiline => pcre::PCRE2_MULTILINE,
        RegexOption::NeverUcp => pcre::PCRE2_NEVER_UCP,
        RegexOption::NeverUtf => pcre::PCRE2_NEVER_UTF,
        RegexOption::NoAutoCapture => pcre::PCRE2_NO_AUTO_CAPTURE,
        RegexOption::NoAutoPossess => pcre::PCRE2_NO_AUTO_POSSESS,
        RegexOption::NoDotstarAnchor => pcre::PCRE2_NO_DOTSTAR_ANCHOR,
        RegexOption::NoStartOptimize => pcre::PCRE2_NO_START_OPTIMIZE,
        RegexOption::Ucp => pcre::PCRE2_UCP,
        RegexOption::Ungreedy => pcre::PCRE2_UNGREEDY,
        RegexOption::Utf => pcre::PCRE2_UTF,
        RegexOption::NeverBackslashC => pcre::PCRE2_NEVER_BACKSLASH_C,
        RegexOption::AltCircumflex => pcre::PCRE2_ALT_CIRCUMFLEX,
        RegexOption::AltVerbnames => pcre::PCRE2_ALT_VERBNAMES,
        RegexOption::UseOffsetLimit => pcre::PCRE2_USE_OFFSET_LIMIT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str, options: &[RegexOption]) -> Pattern {
        let options = RegexOptions::from(options.to_vec());
        Pattern::new(text, options, None).unwrap()
    }

    #[test]
    fn a_match_has_a_place() {
        let world = pattern("w[a-z]+d", &[]);
        assert_eq!(world.find(b"hello world", 0, true), Ok(Found::Match { start: 6, end: 11 }));
        assert_eq!(world.find(b"hello world", 7, true), Ok(Found::Nothing));
        assert_eq!(world.find(b"hello", 6, true), Ok(Found::Nothing), "beyond the text");
        assert_eq!(pattern("WORLD", &[RegexOption::Caseless]).find(b"a world", 0, true).unwrap(), {
            Found::Match { start: 2, end: 7 }
        });
    }

    #[test]
    fn the_end_of_a_part_is_not_the_end() {
        let world = pattern("world", &[]);
        assert_eq!(world.find(b"hello wor", 0, false), Ok(Found::Partial { start: 6 }));
        assert_eq!(world.find(b"hello wor", 0, true), Ok(Found::Nothing));
    }

    #[test]
    fn each_option_is_one_of_the_library() {
        for &option in RegexOption::ALL {
            let options = RegexOptions::from(vec![option]);
            let made = Pattern::new("a(b)c", options, Some((32 * 1024, 64 * 1024))).unwrap();
            assert_eq!(
                made.find(b"abc", 0, true),
                Ok(Found::Match { start: 0, end: 3 }),
                "{}",
                option.name()
            );
        }
    }

    #[test]
    fn nonsense_and_runaway_patterns_are_refused() {
        let error = Pattern::new("(open", RegexOptions::default(), None).unwrap_err();
        assert_eq!(error.to_string(), "missing closing parenthesis at offset 5");
        let runaway = pattern("^(a+)+$", &[RegexOption::NoStartOptimize, RegexOption::NoAutoPossess]);
        let text = [b"a".repeat(60), b"b".to_vec()].concat();
        assert_eq!(runaway.find(&text, 0, true).unwrap_err().to_string(), "match limit exceeded");
        assert!(pattern("a", &[RegexOption::Utf]).find(b"\xff\xfe", 0, true).is_err());
    }
}
