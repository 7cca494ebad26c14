//! Scenarios: what happens to a cluster when, as a text that people write.
//!
//! One event a line, `#` begins a comment. The words are those of [`Cluster::describe`](crate::Cluster::describe), so that a
//! line of a [`Story`](crate::Story) can be played again.
//!
//! ```text
//! at 10s crash a                 the power of host a fails, 10 s after the beginning
//! +5s expect VI_1 b              5 s after the line before, b alone is master of VI_1
//! +20s start a
//! at 60s cut lan a b             neither hears the other; `a > b`: b does not hear a
//! end 90s
//! ```
//!
//! [`parse()`] reads the text and knows nothing of hosts; [`Scenario::bind`] finds what the names stand for in a cluster.

mod bind;
mod mistake;
mod order;
mod parse;
mod span;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::{Act, HostId};
pub use mistake::{Mistake, Problem};
use order::Order;
pub use parse::parse;
pub(crate) use words::Named;
use words::Word;

/// A text that was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    /// Nothing runs at its beginning (`cold`). Otherwise all hosts run, and have settled.
    pub cold: bool,
    lines: Vec<Line>,
    end: Option<Duration>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    number: usize,
    at: Duration,
    event: Event,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Order(Order),
    Expect { instance: Word, hosts: Vec<Word> },
}

/// A scenario of a certain cluster.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    /// Its steps, in order of time.
    pub steps: Vec<Step>,
    /// Until then it is played, counted from its beginning, if it says so.
    pub end: Option<Duration>,
}

/// What is done, or looked at, at one time.
#[derive(Clone, Debug)]
pub struct Step {
    /// When, counted from the beginning.
    pub at: Duration,
    /// The line that says so, counted from 1.
    pub line: usize,
    /// What.
    pub what: What,
}

/// What a step is.
#[derive(Clone, Debug)]
pub enum What {
    /// Something happens.
    Act(Act),
    /// The masters of an instance are these hosts, and no others.
    Expect {
        /// The instance's name.
        instance: String,
        /// The hosts; none for `nobody`.
        hosts: BTreeSet<HostId>,
    },
}
