//! The kernel's table: the socket, and what is wanted of it.

use std::io;
use std::task::{Context, Poll};

use model::Instant;
use model::ipvs::{Change, Table};

use crate::log::Log;
use crate::message::check::Assignment;

/// The table of IPVS, if this kernel has one.
pub(super) struct Kernel {
    log: Log,
}

impl Kernel {
    pub(super) fn open(log: Log) -> Self {
        Self { log }
    }

    pub(super) fn configure(&mut self, assignment: &Assignment, has_begun: bool) {
        let _ = (assignment, &self.log, has_begun);
    }

    pub(super) fn apply(&mut self, change: &Change) {
        let _ = change;
    }

    pub(super) fn want(&mut self, table: &Table) {
        let _ = table;
    }

    pub(super) fn release(&mut self, table: &Table) {
        let _ = table;
    }
    pub(super) fn follow_router(&mut self, is_master: bool) {
        let _ = is_master;
    }
    pub(super) fn expire(&mut self, now: Instant) {
        let _ = now;
    }
    pub(super) fn deadline(&self) -> Option<Instant> {
        None
    }

    pub(super) fn is_idle(&self) -> bool {
        true
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = cx;
        Poll::Pending
    }
}
