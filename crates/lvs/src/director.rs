//! The machine as a whole.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::ipvs::Table;
use model::{Checkers, Instant, lvs};

use crate::{Actions, Event, Remembered};

/// All virtual servers.
#[derive(Debug)]
pub struct Director {
    table: Table,
    held: BTreeSet<IpAddr>,
}

impl Director {
    /// Nothing is configured. `seed` spreads checks over time.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let _ = seed;
        Self { table: Table::default(), held: BTreeSet::new() }
    }

    /// What a worker that died has left, in any order. Before the first [`Self::configure`].
    pub fn adopt(&mut self, remembered: Vec<Remembered>) {
        drop(remembered);
    }

    /// Goes over to this configuration: start is the difference from nothing; at a reload what stays keeps its state.
    pub fn configure(
        &mut self,
        now: Instant,
        config: &lvs::Config,
        checkers: &Checkers,
        actions: &mut Actions,
    ) {
        let _ = (now, config, checkers, actions);
    }

    /// Takes note of an event.
    pub fn handle(&mut self, now: Instant, event: Event<'_>, actions: &mut Actions) {
        let _ = (now, actions);
        match event {
            Event::Address { address, held: true } => drop(self.held.insert(address)),
            Event::Address { address, held: false } => drop(self.held.remove(&address)),
            Event::Outcome { outcome, .. } => drop(outcome),
            Event::Deadline | Event::Bfd { .. } | Event::File { .. } | Event::Stop => {}
        }
    }

    /// When it wants [`Event::Deadline`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// What the kernel should hold now: the sum of all [`crate::Action::Table`].
    #[must_use]
    pub const fn table(&self) -> &Table {
        &self.table
    }
}
