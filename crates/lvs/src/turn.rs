//! What pools act upon.

use std::collections::BTreeSet;

use model::Instant;
use model::ipvs::{Change, DestinationKey, Table};

use crate::{Action, Actions, Level};

/// What a pool changes beside itself while something is handled.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) now: Instant,
    pub(crate) table: &'a mut Table,
    pub(crate) timers: &'a mut BTreeSet<(Instant, Timer)>,
    pub(crate) actions: &'a mut Actions,
    /// Mails are about servers and not about their checkers (`no_checker_emails`).
    pub(crate) mails_servers_only: bool,
}

/// What happens at a time, beside checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A server gets more of its weight (`slow_start`).
    Ramp { pool: usize, server: usize },
    /// A server that is configured no more leaves the table (`drain`).
    Drained { pool: usize, server: DestinationKey },
}

impl Turn<'_> {
    /// Changes the table, if that is a difference.
    pub(crate) fn change(&mut self, change: Change) {
        if self.differs(&change) {
            self.table.apply(change.clone());
            self.actions.push(Action::Table(change));
        }
    }

    fn differs(&self, change: &Change) -> bool {
        let service = self.table.services.get(&change.service());
        match change {
            Change::SetService { value, .. } => service != Some(value),
            Change::RemoveService { .. } => service.is_some(),
            Change::SetDestination { destination, value, .. } => {
                service.is_some_and(|service| service.destinations.get(destination) != Some(value))
            }
            Change::RemoveDestination { destination, .. } => {
                service.is_some_and(|service| service.destinations.contains_key(destination))
            }
        }
    }

    pub(crate) fn say(&mut self, text: impl Into<Box<str>>) {
        self.actions.push(Action::Say(Level::Info, text.into()));
    }
}
