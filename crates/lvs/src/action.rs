//! What the machine asks its shell to do.

use std::sync::Arc;

use model::ipvs::Change;
use model::lvs::Check;

use crate::{Notification, Remembered};

/// One effect. They are to take effect in the order in which they were pushed.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make this check and answer with exactly one [`crate::Event::Outcome`]. No other run of it is on its way.
    Ask {
        /// Which.
        probe: ProbeId,
        /// Tells this run from earlier ones.
        run: u64,
        /// What to ask.
        check: Arc<Check>,
    },
    /// The check is no more: what belongs to it can go, a run on its way can be dropped without an answer.
    Forget {
        /// Which.
        probe: ProbeId,
    },
    /// The kernel's table should be different.
    Table(Change),
    /// Run the operator's scripts, write FIFO lines, send mails.
    Notify(Box<Notification>),
    /// For the next worker, should this one die ([`crate::Director::adopt`]).
    State(Box<Remembered>),
    /// A line for the log.
    Say(Level, Box<str>),
}

/// The number of a check. Never used twice by one [`crate::Director`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeId(pub u64);

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only shown with `-D`.
    Detail,
    /// Normal.
    Info,
    /// Something is not as it should be.
    Warning,
}

/// An ordered list of actions. Reuse it: after the first turns a steady state allocates nothing.
#[derive(Debug, Default)]
pub struct Actions(Vec<Action>);

impl Actions {
    /// Adds an action after all others.
    pub fn push(&mut self, action: Action) {
        self.0.push(action);
    }

    /// Takes all actions, first pushed first.
    pub fn drain(&mut self) -> impl Iterator<Item = Action> + '_ {
        self.0.drain(..)
    }

    /// The actions that wait.
    #[must_use]
    pub fn as_slice(&self) -> &[Action] {
        &self.0
    }
}
