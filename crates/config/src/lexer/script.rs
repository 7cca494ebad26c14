//! How keywords that take a command read their line.
//!
//! `"` and `'` quote, begin and end in the middle of a word, and are removed; a backslash keeps the next character from
//! acting. The second word is the command line. It is split once more by the same rules, this time with escapes, into
//! the program and its arguments. No shell is involved.

use std::ops::Range;

/// A command line that cannot be made out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScriptError {
    /// A quote without a partner.
    #[error("the quote {0} is not closed")]
    Unclosed(char),
    /// No word at all.
    #[error("the command is empty")]
    Empty,
    /// More words than one pattern.
    #[error("there is more than one word")]
    TooMany,
    /// An escape that stands for a NUL byte.
    #[error("an argument cannot hold a NUL byte")]
    Nul,
    /// Escapes that make no UTF-8.
    #[error("the escapes make an argument that is not UTF-8")]
    NotUtf8,
}

/// A word with its quotes removed and its backslashes kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScriptWord {
    pub(crate) text: String,
    /// Where it stands in the text, quotes included.
    pub(crate) range: Range<usize>,
}

/// The words of a line, keyword included.
///
/// # Errors
/// [`ScriptError::Unclosed`].
pub(crate) fn words(text: &str) -> Result<Vec<ScriptWord>, ScriptError> {
    let mut words: Vec<ScriptWord> = Vec::new();
    let mut quote = None;
    let mut hidden = false;
    let mut inside = false;
    for (at, c) in text.char_indices() {
        let acts = !hidden;
        hidden = acts && c == '\\';
        if quote.is_none() && acts && c.is_ascii_whitespace() {
            inside = false;
            continue;
        }
        if !inside {
            inside = true;
            words.push(ScriptWord { text: String::new(), range: at..at });
        }
        let Some(word) = words.last_mut() else { continue };
        word.range.end = at + c.len_utf8();
        match (quote, c) {
            (Some(open), _) if acts && c == open => quote = None,
            (None, '"' | '\'') if acts => quote = Some(c),
            _ => word.text.push(c),
        }
    }
    quote.map_or(Ok(words), |open| Err(ScriptError::Unclosed(open)))
}

/// The program and its arguments in a command line.
///
/// # Errors
/// See [`ScriptError`].
pub(crate) fn command(line: &str) -> Result<(String, Vec<String>), ScriptError> {
    let mut words = words(line)?.into_iter().map(|word| unescaped(&word.text));
    let program = words.next().ok_or(ScriptError::Empty)??;
    if program.is_empty() {
        return Err(ScriptError::Empty);
    }
    Ok((program, words.collect::<Result<_, _>>()?))
}

/// The pattern of a line: its only word after the keyword, with its escapes carried out.
///
/// # Errors
/// See [`ScriptError`].
pub(crate) fn pattern(line: &str) -> Result<String, ScriptError> {
    match words(line)?.as_slice() {
        [_, word] if !word.text.is_empty() => unescaped(&word.text),
        [] | [_] | [_, _] => Err(ScriptError::Empty),
        _ => Err(ScriptError::TooMany),
    }
}

/// `text` with its escapes carried out.
fn unescaped(text: &str) -> Result<String, ScriptError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'\\' {
            rest = escape(rest, &mut bytes);
        } else {
            bytes.push(byte);
        }
    }
    if bytes.contains(&0) {
        return Err(ScriptError::Nul);
    }
    String::from_utf8(bytes).map_err(|_| ScriptError::NotUtf8)
}

/// Carries out the escape whose backslash stood before `rest`; gives what follows it.
fn escape<'a>(rest: &'a [u8], bytes: &mut Vec<u8>) -> &'a [u8] {
    let Some((&kind, after)) = rest.split_first() else { return rest };
    match kind {
        b'0'..=b'7' => return digits(rest, 3, 8, bytes),
        b'x' if after.first().is_some_and(u8::is_ascii_hexdigit) => return digits(after, 2, 16, bytes),
        b'c' => {
            if let Some((&control, after)) = after.split_first() {
                bytes.push(control & 0x1f);
                return after;
            }
        }
        _ => {}
    }
    bytes.push(match kind {
        b'a' => 0x07,
        b'b' => 0x08,
        b'E' => 0x1b,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        other => other,
    });
    after
}

/// Reads up to `most` digits; a value beyond a byte wraps.
fn digits<'a>(rest: &'a [u8], most: usize, radix: u32, bytes: &mut Vec<u8>) -> &'a [u8] {
    let values = rest.iter().map_while(|&byte| char::from(byte).to_digit(radix)).take(most);
    let (count, value) = values.fold((0, 0), |(count, value), digit| (count + 1, value * radix + digit));
    bytes.push(u8::try_from(value & 0xff).unwrap_or_default());
    rest.get(count..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<String> {
        let (program, arguments) = command(line).unwrap();
        std::iter::once(program).chain(arguments).collect()
    }

    #[test]
    fn the_reference_example() {
        let text = r#"script "/usr/local/bin/probe 'a b' \"c d\" e\x41f 'it''s'""#;
        let words = words(text).unwrap();
        assert_eq!(words.len(), 2);
        assert_eq!(words[1].range, 7..text.len());
        assert_eq!(split(&words[1].text), ["/usr/local/bin/probe", "a b", "\"c", "d\"", "eAf", "its"]);
    }

    #[test]
    fn quotes_begin_and_end_inside_words() {
        let words = words("notify a'b c'\"d e\" user").unwrap();
        let texts: Vec<_> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["notify", "ab cd e", "user"]);
        assert_eq!(split("x '' \"\""), ["x", "", ""]);
    }

    #[test]
    fn escapes() {
        assert_eq!(split(r"x \a\b\E\f\n\r\t\v"), ["x", "\x07\x08\x1b\x0c\n\r\t\x0b"]);
        assert_eq!(split(r"x \101\x42\x4g \cA\q\ z"), ["x", "AB\x04g", "\x01q z"]);
        assert_eq!(split(r"x $HOME \\"), ["x", "$HOME", "\\"]);
        assert_eq!(split(r"x \303\266 \xyz"), ["x", "ö", "xyz"]);
    }

    #[test]
    fn what_cannot_be_run_is_an_error() {
        assert_eq!(words("script \"a"), Err(ScriptError::Unclosed('"')));
        assert_eq!(command("a 'b"), Err(ScriptError::Unclosed('\'')));
        assert_eq!(command(""), Err(ScriptError::Empty));
        assert_eq!(command("''"), Err(ScriptError::Empty));
        assert_eq!(command("a \\0"), Err(ScriptError::Nul));
        assert_eq!(command("a \\xff"), Err(ScriptError::NotUtf8));
        assert_eq!(split("a\\"), ["a"]);
    }
}
