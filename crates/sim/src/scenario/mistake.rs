//! What is wrong with a scenario, and where.

/// Something wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {problem}")]
pub struct Mistake {
    /// The line, counted from 1.
    pub line: usize,
    /// The character of that line, counted from 1.
    pub column: usize,
    /// How many characters are wrong; at least 1.
    pub length: usize,
    /// What is wrong.
    pub problem: Problem,
    /// What to do about it.
    pub help: Option<String>,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A word that is none of those that may stand there.
    #[error("unknown {what} `{word}`")]
    Unknown {
        /// What may stand there.
        what: &'static str,
        /// The word.
        word: String,
    },
    /// A word of another kind.
    #[error("`{word}` is not {expected}")]
    Other {
        /// What may stand there.
        expected: &'static str,
        /// The word.
        word: String,
    },
    /// The line ends too early.
    #[error("the line ends, and {expected} is missing")]
    Missing {
        /// What is missing.
        expected: &'static str,
    },
    /// An event at no time.
    #[error("`{word}` has no time")]
    Timeless {
        /// The event.
        word: String,
    },
    /// The line goes on too long.
    #[error("nothing may follow here, but `{word}` does")]
    Surplus {
        /// The first word too many.
        word: String,
    },
    /// A quotation mark without its partner.
    #[error("the quotation mark is not closed")]
    Unclosed,
    /// The end stands in another line already.
    #[error("the end is set twice; first in line {first}")]
    SecondEnd {
        /// That line.
        first: usize,
    },
    /// Nobody would live to see it.
    #[error("this is after the end")]
    AfterEnd,
    /// It would play for too long.
    #[error("a scenario lasts 7 days at most")]
    TooLate,
    /// What a host does not have.
    #[error("host {host} has no {what} `{word}`")]
    NotThere {
        /// The host.
        host: String,
        /// What.
        what: &'static str,
        /// Its name.
        word: String,
    },
    /// A file that a host cannot run.
    #[error("`{file}` cannot be used: {why}")]
    File {
        /// Its name.
        file: String,
        /// Why not.
        why: String,
    },
}

/// The one of `known` that `word` was probably meant to be.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    // A word that is out of all proportion is no slip, and measuring it would cost.
    if length > 64 {
        return None;
    }
    let tolerance = (length / 3).clamp(1, 3);
    let near = |one: &&str| one.chars().count().abs_diff(length) <= tolerance;
    let measured = known.into_iter().filter(near).map(|one| (distance(word, one), one));
    measured.filter(|(distance, _)| *distance <= tolerance).min().map(|(_, one)| one)
}

/// Insertions, deletions and replacements between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (two, y) in row.windows(2).zip(&b) {
            let [diagonal, above] = two else { continue };
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
