//! The table of the language: one entry for each keyword and block of keepalived 2.4.
//!
//! Parser, lowering, suggestions, `explain`, the manual page and the coverage test all read this table. An entry says what
//! follows the keyword, what holds without it, and whether Steadfast acts on it yet. Entries stand in one file per
//! block; [`Block::keywords`] puts them together.

mod address;
mod authentication;
mod bfd;
mod block;
mod checker;
mod example;
mod global;
mod instance;
mod names;
mod preprocessor;
mod real_server;
mod root;
mod route;
mod rule;
mod script;
mod sync_group;
mod tracker;
mod virtual_server;

use std::fmt;
use std::ops::RangeInclusive;

pub use block::{Block, Content};
pub(crate) use names::{Names, names};

/// One keyword of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyword {
    /// The word itself. In parentheses, `(address)`, it stands for the free first word of an entry.
    pub name: &'static str,
    /// What follows it on the line.
    pub arguments: Arguments,
    /// The block that it opens.
    pub opens: Option<Block>,
    /// What holds if it is not there.
    pub default: Absent,
    /// The first release of keepalived that knows it; empty if it has always been there.
    pub since: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// The keyword that replaces it, where it is kept for old files only.
    pub alias_of: Option<&'static str>,
    /// Its arguments are a password or key, which no diagnostic shows.
    pub secret: bool,
    /// A line that shows it; empty where one can be made from the rest of the entry.
    example: &'static str,
    /// Whether Steadfast acts on it.
    pub status: Status,
}

/// What follows a keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// Nothing. Words after it are ignored, even `false`.
    Flag,
    /// `true on yes false off no`; nothing means true.
    Bool,
    /// A whole number.
    Integer(RangeInclusive<i64>),
    /// Seconds without a fraction.
    WholeSeconds(RangeInclusive<i64>),
    /// Seconds with a fraction. The range is in microseconds.
    Seconds {
        /// Least and most, in microseconds.
        micros: RangeInclusive<u64>,
        /// Digits after the point.
        decimals: u8,
    },
    /// A weight, perhaps with `reverse`.
    Weight(RangeInclusive<i64>),
    /// One word, described by a placeholder.
    Word(&'static str),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An address without prefix length.
    Address,
    /// The name of an interface.
    Interface,
    /// A command as one word or quoted string, then perhaps user and group.
    Script,
    /// A user and perhaps a group, by name.
    User,
    /// Anything else, in the notation of manual pages.
    Grammar(&'static str),
}

impl fmt::Display for Arguments {
    /// In the notation of manual pages; nothing for a flag.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => Ok(()),
            Self::Bool => f.write_str("[true|on|yes|false|off|no]"),
            Self::Integer(range) => write!(f, "INTEGER {}..{}", range.start(), range.end()),
            Self::WholeSeconds(range) => write!(f, "SECONDS {}..{}", range.start(), range.end()),
            Self::Seconds { micros, .. } => {
                let (least, most) =
                    (crate::number::Decimal(*micros.start()), crate::number::Decimal(*micros.end()));
                write!(f, "SECONDS {least}..{most}")
            }
            Self::Weight(range) => write!(f, "INTEGER {}..{} [reverse]", range.start(), range.end()),
            Self::Word(placeholder) => f.write_str(placeholder),
            Self::Choice(words) => f.write_str(&words.join("|")),
            Self::Address => f.write_str("ADDRESS"),
            Self::Interface => f.write_str("IFNAME"),
            Self::Script => f.write_str("SCRIPT [USER [GROUP]]"),
            Self::User => f.write_str("USER [GROUP]"),
            Self::Grammar(text) => f.write_str(text),
        }
    }
}

/// What holds if a keyword is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The feature is off.
    Off,
    /// It must be there.
    Required,
    /// This number.
    Number(i64),
    /// As described.
    Text(&'static str),
}

/// Whether Steadfast acts on a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Built,
    /// Not yet.
    Planned(Loss),
}

/// What is lost while a keyword has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// A convenience. The virtual routers do what the file says: a warning.
    Comfort,
    /// What the network sees, who is master, or how programs hear of it: an error, running on would mislead.
    Meaning,
}

/// The entry of `name` in `block`.
#[must_use]
pub fn lookup(block: Block, name: &str) -> Option<&'static Keyword> {
    names(block).get(name)
}

/// Every entry with its block. An entry that several blocks share comes once for each.
pub fn all() -> impl Iterator<Item = (Block, &'static Keyword)> {
    Block::ALL.iter().flat_map(|&block| block.keywords().map(move |keyword| (block, keyword)))
}

/// The keyword of `block` that `name` was probably meant to be.
#[must_use]
pub fn nearest(block: Block, name: &str) -> Option<&'static Keyword> {
    let candidates = block.keywords().filter(|keyword| !keyword.name.starts_with('('));
    nearest_of(name, candidates, |keyword| keyword.name)
}

/// The candidate whose name is a likely slip of the pen away from `name`.
pub(crate) fn nearest_of<T>(
    name: &str,
    candidates: impl Iterator<Item = T>,
    key: impl Fn(&T) -> &str,
) -> Option<T> {
    let length = name.chars().count();
    // A name that is out of all proportion is no slip, and measuring it would cost.
    if length > 64 {
        return None;
    }
    let tolerance = (length / 3).clamp(1, 3);
    candidates
        .filter(|candidate| key(candidate).chars().count().abs_diff(length) <= tolerance)
        .map(|candidate| (distance(name, key(&candidate)), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
    let same = |x: char, y: Option<char>| y.is_some_and(|y| x.eq_ignore_ascii_case(&y));
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut left = None;
        for (j, &y) in b.iter().enumerate() {
            let replaced = at(&row, j) + usize::from(!same(x, Some(y)));
            let least = replaced.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let is_swap = same(y, previous) && same(x, left);
            let swapped = j.checked_sub(1).filter(|_| is_swap).map(|index| at(&before, index) + 1);
            next.push(swapped.map_or(least, |swapped| least.min(swapped)));
            left = Some(y);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(x);
    }
    row.last().copied().unwrap_or_default()
}

const fn entry(name: &'static str, arguments: Arguments, status: Status) -> Keyword {
    Keyword {
        name,
        arguments,
        opens: None,
        default: Absent::Off,
        since: "",
        doc: "",
        alias_of: None,
        secret: false,
        example: "",
        status,
    }
}

/// A keyword that works.
const fn built(name: &'static str, arguments: Arguments) -> Keyword {
    entry(name, arguments, Status::Built)
}

/// A keyword to come, without which the virtual routers still do what the file says.
const fn later(name: &'static str, arguments: Arguments) -> Keyword {
    entry(name, arguments, Status::Planned(Loss::Comfort))
}

/// A keyword to come, without which the file would not mean what it says.
const fn needed(name: &'static str, arguments: Arguments) -> Keyword {
    entry(name, arguments, Status::Planned(Loss::Meaning))
}

impl Keyword {
    /// Whether its line is read by the rules of commands.
    pub(crate) fn takes_command(&self) -> bool {
        matches!(self.arguments, Arguments::Script | Arguments::Word("SCRIPT"))
    }

    /// Whether its value is free text, in which any sign may be meant.
    pub(crate) fn takes_text(&self) -> bool {
        const NUMBERS: [&str; 5] = ["ADDRESS", "HEX", "INTEGER", "INTEGER-INTEGER", "PORT[-PORT]"];
        let is_text = |placeholder: &str| !NUMBERS.contains(&placeholder);
        self.secret
            || self.arguments == Arguments::Script
            || matches!(self.arguments, Arguments::Word(placeholder) if is_text(placeholder))
    }

    /// Whether its value has no signs in it.
    pub(crate) const fn takes_plain_value(&self) -> bool {
        match self.arguments {
            Arguments::Flag
            | Arguments::Bool
            | Arguments::Integer(_)
            | Arguments::WholeSeconds(_)
            | Arguments::Seconds { .. }
            | Arguments::Weight(_)
            | Arguments::Choice(_)
            | Arguments::Address
            | Arguments::Interface
            | Arguments::User => true,
            Arguments::Word(_) | Arguments::Script | Arguments::Grammar(_) => false,
        }
    }

    const fn opens(self, block: Block) -> Self {
        Self { opens: Some(block), ..self }
    }

    const fn required(self) -> Self {
        Self { default: Absent::Required, ..self }
    }

    const fn or_number(self, number: i64) -> Self {
        Self { default: Absent::Number(number), ..self }
    }

    const fn or(self, text: &'static str) -> Self {
        Self { default: Absent::Text(text), ..self }
    }

    const fn since(self, since: &'static str) -> Self {
        Self { since, ..self }
    }

    const fn doc(self, doc: &'static str) -> Self {
        Self { doc, ..self }
    }

    const fn alias_of(self, name: &'static str) -> Self {
        Self { alias_of: Some(name), ..self }
    }

    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    const fn such_as(self, example: &'static str) -> Self {
        Self { example, ..self }
    }
}

const FLAG: Arguments = Arguments::Flag;
const BOOL: Arguments = Arguments::Bool;
const ADDRESS: Arguments = Arguments::Address;
const IFNAME: Arguments = Arguments::Interface;
const SCRIPT: Arguments = Arguments::Script;
const USER: Arguments = Arguments::User;

const fn integer(range: RangeInclusive<i64>) -> Arguments {
    Arguments::Integer(range)
}

const fn whole_seconds(range: RangeInclusive<i64>) -> Arguments {
    Arguments::WholeSeconds(range)
}

const fn micros(micros: RangeInclusive<u64>) -> Arguments {
    Arguments::Seconds { micros, decimals: 6 }
}

const fn millis(micros: RangeInclusive<u64>) -> Arguments {
    Arguments::Seconds { micros, decimals: 3 }
}

const fn weight(range: RangeInclusive<i64>) -> Arguments {
    Arguments::Weight(range)
}

const fn word(placeholder: &'static str) -> Arguments {
    Arguments::Word(placeholder)
}

const fn choice(words: &'static [&'static str]) -> Arguments {
    Arguments::Choice(words)
}

const fn grammar(text: &'static str) -> Arguments {
    Arguments::Grammar(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_block_has_a_keyword_twice() {
        for &block in Block::ALL {
            let mut names: Vec<_> = block.keywords().map(|keyword| keyword.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{block:?}");
        }
    }

    #[test]
    fn every_entry_says_what_it_does() {
        for (block, keyword) in all() {
            assert!(keyword.doc.ends_with('.'), "{block:?} {}", keyword.name);
            if let Some(known) = keyword.alias_of {
                assert!(lookup(block, known).is_some(), "{block:?} {} -> {known}", keyword.name);
            }
        }
    }

    #[test]
    fn every_block_is_opened_by_somebody() {
        for &block in Block::ALL {
            let is_root = [Block::Root, Block::Preprocessor].contains(&block);
            let is_options = block.content() == Content::Options;
            let is_opened = all().any(|(_, keyword)| keyword.opens == Some(block));
            assert!(is_root || is_options || is_opened, "{block:?}");
        }
    }

    #[test]
    fn defaults_are_those_of_the_model() {
        let number = |block, name| match lookup(block, name).map(|keyword| keyword.default) {
            Some(Absent::Number(number)) => Some(number),
            _ => None,
        };
        let garp = model::vrrp::Garp::default();
        let seconds = |span: Option<std::time::Duration>| span.map_or(0, |span| span.as_secs());
        for (name, value) in [
            ("vrrp_garp_master_delay", seconds(garp.delay)),
            ("vrrp_garp_master_repeat", garp.repeat.into()),
            ("vrrp_garp_master_refresh", seconds(garp.refresh)),
            ("vrrp_garp_master_refresh_repeat", garp.refresh_repeat.into()),
            ("smtp_connect_timeout", model::Mail::default().connect_timeout.as_secs()),
        ] {
            assert_eq!(number(Block::GlobalDefs, name), i64::try_from(value).ok(), "{name}");
        }
        let centis = i64::from(model::Centis::SECOND.get());
        assert_eq!(number(Block::Instance, "advert_int").map(|secs| secs * 100), Some(centis));
    }

    #[test]
    fn suggestions_are_near() {
        let near = |name| nearest(Block::Instance, name).map(|keyword| keyword.name);
        assert_eq!(near("virtual_ipaddres"), Some("virtual_ipaddress"));
        assert_eq!(near("Interface"), Some("interface"));
        assert_eq!(near("prio"), None);
        assert_eq!(near("banana"), None);
        assert_eq!(near(&"x".repeat(100_000)), None);
    }

    #[test]
    fn distances() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("same", "same"), 0);
        assert_eq!(distance("tabel", "table"), 1);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("a", "ba"), 1);
    }
}
