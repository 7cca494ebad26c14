//! The habits of `getopt_long`: bundled short options, values in the same word or the next, long options
//! shortened to any unambiguous beginning, words that are no option anywhere.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// One option as the command line may spell it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spelling<F> {
    /// The letter after one dash.
    pub(super) short: Option<u8>,
    /// The name after two dashes.
    pub(super) long: &'static str,
    /// Whether a value follows.
    pub(super) value: Value,
    /// What it means.
    pub(super) flag: F,
    /// How `--help` calls the value.
    pub(super) placeholder: &'static str,
    /// What `--help` says.
    pub(super) help: &'static str,
}

/// Whether a value follows an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Never.
    None,
    /// In the same word or the next.
    Required,
    /// Only in the same word.
    Optional,
}

/// What a command line consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item<F> {
    /// An option and its value.
    Flag(F, Option<OsString>),
    /// A word that is no option.
    Word(OsString),
}

/// A command line that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    /// No such option.
    #[error("unrecognized option '{0}'")]
    Unknown(String),
    /// The beginning of several long options.
    #[error("option '{0}' is ambiguous; possibilities: {1}")]
    Ambiguous(String, String),
    /// The value is missing.
    #[error("option '{0}' requires an argument")]
    MissingValue(String),
    /// A value where none belongs.
    #[error("option '{0}' doesn't allow an argument")]
    UnexpectedValue(String),
    /// An option of keepalived that Steadfast must not pass over in silence.
    #[error("option '{0}' is not built yet")]
    NotBuilt(&'static str),
    /// A value out of its range or set.
    #[error("'{value}' is not a valid value of {option}: it takes {expected}")]
    BadValue {
        /// The option.
        option: &'static str,
        /// What was given.
        value: String,
        /// What may be given.
        expected: &'static str,
    },
}

/// Splits `arguments` (without the program's name) into options and words.
///
/// The items are those before the first mistake: an option that `spellings` does not know, or whose value is missing
/// or out of place.
pub(super) fn parse<F: Copy + PartialEq>(
    spellings: &[Spelling<F>],
    arguments: impl IntoIterator<Item = OsString>,
) -> (Vec<Item<F>>, Result<(), UsageError>) {
    let mut items = Vec::new();
    let mut arguments = arguments.into_iter();
    let mut outcome = Ok(());
    while outcome.is_ok()
        && let Some(argument) = arguments.next()
    {
        outcome = parse_argument(spellings, argument, &mut arguments, &mut items);
    }
    (items, outcome)
}

fn parse_argument<F: Copy + PartialEq>(
    spellings: &[Spelling<F>],
    argument: OsString,
    rest: &mut impl Iterator<Item = OsString>,
    items: &mut Vec<Item<F>>,
) -> Result<(), UsageError> {
    let bytes = argument.as_bytes();
    if bytes == b"--" {
        items.extend(rest.map(Item::Word));
    } else if let Some(long) = bytes.strip_prefix(b"--") {
        items.push(long_option(spellings, long, rest)?);
    } else if bytes.len() > 1
        && let Some(letters) = bytes.strip_prefix(b"-")
    {
        short_options(spellings, letters, rest, items)?;
    } else {
        items.push(Item::Word(argument));
    }
    Ok(())
}

fn long_option<F: Copy + PartialEq>(
    spellings: &[Spelling<F>],
    word: &[u8],
    rest: &mut impl Iterator<Item = OsString>,
) -> Result<Item<F>, UsageError> {
    let (name, attached) = match word.iter().position(|byte| *byte == b'=') {
        Some(at) => (&word[..at], Some(OsString::from_vec(word[at + 1..].to_vec()))),
        None => (word, None),
    };
    let spelling = by_long_name(spellings, name)?;
    let value = match (spelling.value, attached) {
        (Value::None, Some(_)) => return Err(UsageError::UnexpectedValue(format!("--{}", spelling.long))),
        (Value::Required, None) => {
            Some(rest.next().ok_or_else(|| UsageError::MissingValue(format!("--{}", spelling.long)))?)
        }
        (_, attached) => attached,
    };
    Ok(Item::Flag(spelling.flag, value))
}

/// The option called `name`, or the only one whose name begins so.
fn by_long_name<F: Copy + PartialEq>(
    spellings: &[Spelling<F>],
    name: &[u8],
) -> Result<Spelling<F>, UsageError> {
    if let Some(exact) = spellings.iter().find(|s| s.long.as_bytes() == name) {
        return Ok(*exact);
    }
    let candidates: Vec<_> = spellings.iter().filter(|s| s.long.as_bytes().starts_with(name)).collect();
    let shown = format!("--{}", OsStr::from_bytes(name).display());
    match candidates.as_slice() {
        [] => Err(UsageError::Unknown(shown)),
        [first, others @ ..] if others.iter().all(|other| other.flag == first.flag) => Ok(**first),
        several => {
            let names: Vec<_> = several.iter().map(|s| format!("'--{}'", s.long)).collect();
            Err(UsageError::Ambiguous(shown, names.join(" ")))
        }
    }
}

fn short_options<F: Copy + PartialEq>(
    spellings: &[Spelling<F>],
    letters: &[u8],
    rest: &mut impl Iterator<Item = OsString>,
    items: &mut Vec<Item<F>>,
) -> Result<(), UsageError> {
    for (at, letter) in letters.iter().enumerate() {
        let shown = || format!("-{}", OsStr::from_bytes(&[*letter]).display());
        let spelling = spellings
            .iter()
            .find(|s| s.short == Some(*letter))
            .ok_or_else(|| UsageError::Unknown(shown()))?;
        let attached = &letters[at + 1..];
        let attached = (!attached.is_empty()).then(|| OsString::from_vec(attached.to_vec()));
        let value = match (spelling.value, attached) {
            (Value::None, _) => {
                items.push(Item::Flag(spelling.flag, None));
                continue;
            }
            (Value::Required, None) => Some(rest.next().ok_or_else(|| UsageError::MissingValue(shown()))?),
            (_, attached) => attached,
        };
        items.push(Item::Flag(spelling.flag, value));
        return Ok(());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum F {
        Quiet,
        File,
        Test,
        Dump,
        DumpAll,
    }

    const fn spelling(short: u8, long: &'static str, value: Value, flag: F) -> Spelling<F> {
        Spelling { short: Some(short), long, value, flag, placeholder: "", help: "" }
    }

    const SPELLINGS: [Spelling<F>; 5] = [
        spelling(b'q', "quiet", Value::None, F::Quiet),
        spelling(b'f', "use-file", Value::Required, F::File),
        spelling(b't', "config-test", Value::Optional, F::Test),
        spelling(b'd', "dump", Value::None, F::Dump),
        spelling(b'D', "dump-all", Value::None, F::DumpAll),
    ];

    fn parsed(words: &[&str]) -> Result<Vec<Item<F>>, UsageError> {
        let (items, outcome) = parse(&SPELLINGS, words.iter().map(OsString::from));
        outcome.map(|()| items)
    }

    fn flag(flag: F, value: Option<&str>) -> Item<F> {
        Item::Flag(flag, value.map(OsString::from))
    }

    #[test]
    fn shorts_bundle_and_the_last_takes_the_rest_of_the_word() {
        assert_eq!(parsed(&["-qd"]), Ok(vec![flag(F::Quiet, None), flag(F::Dump, None)]));
        assert_eq!(parsed(&["-qfa.conf"]), Ok(vec![flag(F::Quiet, None), flag(F::File, Some("a.conf"))]));
        assert_eq!(parsed(&["-f", "-q"]), Ok(vec![flag(F::File, Some("-q"))]));
        assert_eq!(parsed(&["-tlog"]), Ok(vec![flag(F::Test, Some("log"))]));
        assert_eq!(parsed(&["-t", "log"]), Ok(vec![flag(F::Test, None), Item::Word("log".into())]));
    }

    #[test]
    fn long_options_may_be_shortened_while_unambiguous() {
        assert_eq!(parsed(&["--use=x"]), Ok(vec![flag(F::File, Some("x"))]));
        assert_eq!(parsed(&["--use-file", "x"]), Ok(vec![flag(F::File, Some("x"))]));
        assert_eq!(parsed(&["--dump"]), Ok(vec![flag(F::Dump, None)]), "an exact name wins");
        assert!(matches!(parsed(&["--du"]), Err(UsageError::Ambiguous(..))));
        assert_eq!(parsed(&["--config-test"]), Ok(vec![flag(F::Test, None)]));
        assert_eq!(parsed(&["--config-test="]), Ok(vec![flag(F::Test, Some(""))]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(parsed(&["-x"]), Err(UsageError::Unknown("-x".into())));
        assert_eq!(parsed(&["--nope"]), Err(UsageError::Unknown("--nope".into())));
        assert_eq!(parsed(&["-f"]), Err(UsageError::MissingValue("-f".into())));
        assert_eq!(parsed(&["--use-file"]), Err(UsageError::MissingValue("--use-file".into())));
        assert_eq!(parsed(&["--quiet=1"]), Err(UsageError::UnexpectedValue("--quiet".into())));
    }

    #[test]
    fn words_stand_anywhere_and_two_dashes_end_the_options() {
        assert_eq!(
            parsed(&["a", "-q", "-", "--", "-d"]),
            Ok(vec![
                Item::Word("a".into()),
                flag(F::Quiet, None),
                Item::Word("-".into()),
                Item::Word("-d".into())
            ])
        );
    }
}
