//! Which words of a line may be passwords or keys, by the words before them, and messages without them.
//!
//! Where the structure of a file is right, the table says what is secret; [`crate::lower`] finds that. Where it is
//! not, the words have to do: what stands behind a word that may have been meant as the keyword of a secret is
//! nobody's business. It is better to show too little.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use crate::diagnostic::Diagnostic;
use crate::keyword;
use crate::source::SourceMap;

/// What stands in a message for a word that is not shown.
const STARS: &str = "*****";

/// A longer word is no slip of the pen.
const LONGEST: usize = 32;

struct Words {
    /// There are three, and every line is compared with them.
    secret: Vec<&'static str>,
    public: HashSet<&'static str>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let names = |secret: bool| {
        keyword::all()
            .filter(move |(_, keyword)| keyword.secret == secret)
            .map(|(_, keyword)| keyword.name)
            .collect::<BTreeSet<_>>()
    };
    let secret = names(true);
    let public = names(false).difference(&secret).copied().collect();
    Words { secret: secret.into_iter().collect(), public }
});

/// Whether the word is a keyword whose value is a password or key.
pub(crate) fn is_keyword_of_secret(word: &str) -> bool {
    WORDS.secret.contains(&word)
}

/// Whether the word is a keyword of any block.
pub(crate) fn is_keyword(word: &str) -> bool {
    WORDS.public.contains(word) || is_keyword_of_secret(word)
}

/// Whether the word is, or is a slip of the pen away from, a keyword whose value is a password or key.
pub(crate) fn is_near_secret(word: &str) -> bool {
    if !is_identifier(word) || WORDS.public.contains(word) {
        return false;
    }
    keyword::nearest_of(word, WORDS.secret.iter(), |secret| secret).is_some()
}

/// Whether a password or key may follow the word, by what it sounds like.
pub(crate) fn may_precede_secret(word: &str) -> bool {
    if word.len() < 3 || !is_identifier(word) || WORDS.public.contains(word) {
        return false;
    }
    if is_keyword_of_secret(word) {
        return true;
    }
    let word = word.to_ascii_lowercase();
    let begins = ["auth", "pass", "pwd"].iter().any(|start| word.starts_with(start));
    begins || ["_pass", "passw", "secret"].iter().any(|part| word.contains(part)) || is_near_secret(&word)
}

fn is_identifier(word: &str) -> bool {
    word.len() <= LONGEST
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// What keeps words of a line apart, wherever it was meant to.
fn is_separator(c: char) -> bool {
    c.is_ascii_whitespace() || "{}\"'=:;,()?&".contains(c)
}

/// Where in a line a password or key may begin, by its words alone.
pub(crate) fn start(line: &str) -> Option<usize> {
    let mut at = 0;
    for token in line.split_inclusive(is_separator) {
        at += token.len();
        if may_precede_secret(token.trim_end_matches(is_separator)) {
            let rest = line.get(at..).unwrap_or_default();
            let visible = rest.trim_start_matches(is_separator);
            if !visible.is_empty() {
                return Some(at + rest.len() - visible.len());
            }
        }
    }
    None
}

/// A copy of a line in which [`start`] and everything after it is starred out.
pub(crate) fn starred(line: &str) -> Option<String> {
    let start = start(line)?;
    let (open, hidden) = line.split_at_checked(start)?;
    let end = hidden.trim_end_matches(['\r', '\n']).len();
    Some(format!("{open}{}{}", "*".repeat(end), hidden.get(end..).unwrap_or_default()))
}

/// Takes the words that are not shown out of all messages. `made` are those that stand in no file as they are.
pub(crate) fn mask(diagnostics: &mut [Diagnostic], sources: &SourceMap, made: &BTreeSet<String>) {
    for diagnostic in diagnostics {
        let spans =
            std::iter::once(diagnostic.primary).chain(diagnostic.labels.iter().map(|(span, _)| *span));
        let hidden_at = |span| sources.hidden_near(span).into_iter().chain(sources.secret_values(span));
        let hidden: Vec<String> = spans.flat_map(hidden_at).collect();
        if hidden.is_empty() {
            continue;
        }
        let mask = Mask::new(&hidden, made);
        let Diagnostic { headline, labels, help, classic, .. } = diagnostic;
        let texts = labels.iter_mut().map(|(_, remark)| remark).chain(help.as_mut());
        for text in texts.chain(std::iter::once(headline)) {
            if let Some(masked) = mask.text(text) {
                *text = masked;
            }
        }
        // The sentence is made from the headline again.
        if classic.as_ref().is_some_and(|sentence| mask.holds_secret(sentence)) {
            *classic = None;
        }
    }
}

/// What is not shown on the lines that a message is about.
struct Mask<'a> {
    /// The ends of these lines.
    ends: Vec<String>,
    words: HashSet<String>,
    made: &'a BTreeSet<String>,
}

impl<'a> Mask<'a> {
    fn new(hidden: &[String], made: &'a BTreeSet<String>) -> Self {
        let plain = |text: &String| visible(&text.replace("\\#", "#").replace("\\!", "!"));
        let mut ends: Vec<String> = hidden.iter().map(|text| visible(text)).collect();
        ends.extend(hidden.iter().map(plain));
        let words = ends.iter().flat_map(|end| end.split(is_separator)).filter(|word| !word.is_empty());
        let words = words.map(str::to_owned).collect();
        Self { ends, words, made }
    }

    /// The text without hidden words in its backquotes, if there are any.
    fn text(&self, text: &str) -> Option<String> {
        let mut masked = String::with_capacity(text.len());
        let mut changed = false;
        for (index, part) in text.split('`').enumerate() {
            if index > 0 {
                masked.push('`');
            }
            if index % 2 == 1 && self.is_hidden(part) {
                masked.push_str(STARS);
                changed = true;
            } else if index % 2 == 1 && self.holds_secret(part) {
                masked.push_str(&self.without_words(part));
                changed = true;
            } else {
                masked.push_str(part);
            }
        }
        changed.then_some(masked)
    }

    /// Whether all of a quoted text is hidden; long ones have been cut.
    fn is_hidden(&self, quoted: &str) -> bool {
        let text = quoted.trim_end_matches('…');
        !text.is_empty() && (self.ends.iter().any(|end| end.contains(text)) || self.was_made(text))
    }

    fn was_made(&self, text: &str) -> bool {
        let next = self.made.range(text.to_owned()..).next();
        !text.is_empty()
            && next.is_some_and(|word| word == text || (text.len() >= 60 && word.starts_with(text)))
    }

    fn is_word(&self, word: &str) -> bool {
        self.words.contains(word) || self.was_made(word)
    }

    fn holds_secret(&self, text: &str) -> bool {
        text.split(is_separator).any(|word| self.is_word(word))
    }

    fn without_words(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        for token in text.split_inclusive(is_separator) {
            let word = token.trim_end_matches(is_separator);
            masked.push_str(if self.is_word(word) { STARS } else { word });
            masked.push_str(token.get(word.len()..).unwrap_or_default());
        }
        masked
    }
}

/// As messages show it, but for its length.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_where_a_secret_may_begin() {
        for (line, open) in [
            ("auth_pass X", "auth_pass "),
            ("authentication { auth_type PASS auth_pass X }", "authentication { auth_type PASS "),
            ("auth_pass=X", "auth_pass="),
            ("    auth_password \"X y\"", "    auth_password \""),
            ("prioritty 5; auth_pas X", "prioritty 5; auth_pas "),
            ("key 1 X", "key "),
            ("url { path /?password=X }", "url { path /?password="),
            ("Password X", "Password "),
        ] {
            assert_eq!(start(line).and_then(|start| line.get(..start)), Some(open), "{line}");
        }
        for line in
            ["auth_type PASS", "authentication {", "priority 5", "vrrp_instance bypass {", "auth_pass", ""]
        {
            assert_eq!(start(line), None, "{line}");
        }
        assert_eq!(starred("auth_pass ab\u{e9}\n").as_deref(), Some("auth_pass ****\n"));
    }
}
