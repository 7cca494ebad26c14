//! What happened, in order.

use std::fmt;

use model::{Instant, Priority};
use vrrp::{Action, Notice, StateName};

use crate::{HostId, Violation};

/// A record of a run.
#[derive(Clone, Debug, Default)]
pub struct Story {
    entries: Vec<Entry>,
    /// Every packet and action too, not only what changes something.
    full: bool,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When.
    pub at: Instant,
    /// Where, if at one host.
    pub host: Option<HostId>,
    /// What.
    pub what: What,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// An act, in the words of a scenario.
    Act(String),
    /// An instance is in a state now.
    State {
        /// Its name.
        instance: String,
        /// The state.
        state: StateName,
        /// Its effective priority.
        priority: Priority,
    },
    /// An instance is no more.
    Gone(String),
    /// The machine said something.
    Said(Notice),
    /// The machine did something else; in full stories only.
    Did(Action),
    /// The daemon has begun its work.
    Began,
    /// The daemon has ended, orderly.
    Stopped,
    /// A rule was broken.
    Broken(Violation),
}

impl Story {
    pub(crate) const fn new(full: bool) -> Self {
        Self { entries: Vec::new(), full }
    }

    /// All of it.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn tell(&mut self, at: Instant, host: Option<HostId>, what: What) {
        self.entries.push(Entry { at, host, what });
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) fn forget(&mut self) {
        self.entries.clear();
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Act(act) => write!(f, "** {act}"),
            Self::State { instance, state, priority } => {
                write!(f, "{instance} is {state}, priority {priority}")
            }
            Self::Gone(instance) => write!(f, "{instance} is no more"),
            Self::Said(notice) => notice.fmt(f),
            Self::Did(Action::Transmit(sent)) => {
                write!(f, "advertises VRID {} with priority {}", sent.vrid, sent.priority)
            }
            Self::Did(Action::Announce(sent)) => write!(f, "announces {} {} times", sent.address, sent.count),
            Self::Did(Action::RunScript { script, run }) => write!(f, "runs {script} ({run})"),
            Self::Did(action) => write!(f, "{action:?}"),
            Self::Began => f.write_str("the daemon runs"),
            Self::Stopped => f.write_str("the daemon has stopped"),
            Self::Broken(violation) => write!(f, "!! {violation}"),
        }
    }
}
