//! What is known of one route or rule.

use std::time::Duration;

use model::Instant;

use crate::pace::{Deletions, Refusals};
use crate::reconcile::{Action, PUT_BACK_SPAN, PUT_BACKS};

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Who wants it, and whether it is then tracked; the last one last. Nobody: it shall not be there.
    wanted: Vec<(Box<str>, bool)>,
    pub(super) progress: Progress,
    /// What the kernel has been asked for.
    pub(super) asked: Option<Box<[u8]>>,
    /// As what it is in the kernel.
    pub(super) placed: Option<Placed>,
    /// We have deleted it, which nobody has been told.
    pub(super) was_deleted: bool,
    /// Nobody has wanted it: an earlier run may have left it.
    pub(super) left_over: bool,
    pub(super) deletions: Deletions<()>,
    pub(super) refusals: Option<Refusals>,
    /// It is not there as soon as it should have been.
    pub(super) late: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) body: Box<[u8]>,
    /// It was this process that added it.
    pub(super) added: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Progress {
    Queued,
    /// `disturbed`: something went from its place meanwhile.
    InFlight {
        action: Action,
        disturbed: bool,
    },
    /// Its device is not there, or down.
    Awaiting,
    Held {
        until: Instant,
    },
    #[default]
    Settled,
    /// Others have deleted it, and it is not tracked.
    Lost,
    Failed {
        until: Instant,
    },
}

impl State {
    pub(super) fn left_over() -> Self {
        Self { left_over: true, ..Self::default() }
    }

    pub(super) fn want(&mut self, owner: &str, tracked: bool) {
        self.left_over = false;
        self.unwant(owner);
        self.wanted.push((owner.into(), tracked));
    }

    pub(super) fn unwant(&mut self, owner: &str) {
        self.wanted.retain(|(who, _)| **who != *owner);
    }

    pub(super) const fn is_wanted(&self) -> bool {
        !self.wanted.is_empty()
    }

    pub(super) fn is_tracked(&self) -> bool {
        self.wanted.iter().any(|(_, tracked)| *tracked)
    }

    pub(super) fn owner(&self) -> Option<&str> {
        self.wanted.last().map(|(owner, _)| &**owner)
    }

    /// Whether it was put back as often as may be within a span.
    pub(super) fn is_exhausted(&self, now: Instant) -> bool {
        self.deletions.times >= PUT_BACKS && now.since(self.deletions.since) < PUT_BACK_SPAN
    }

    /// Counts a refusal; true if it is the first in a row.
    pub(super) fn refused(&mut self, action: Action) -> bool {
        self.late |= action == Action::Add;
        let refusals = Refusals::after(self.refusals, action);
        self.refusals = Some(refusals);
        refusals.is_first()
    }

    /// From the last refusal to the next attempt.
    pub(super) fn pause(&self) -> Duration {
        self.refusals.map_or(Duration::ZERO, |refusals| refusals.pause)
    }
}

impl Progress {
    /// Until when the entry is left alone, if it waits for a moment.
    pub(super) const fn pause(&self) -> Option<Instant> {
        match self {
            Self::Held { until } | Self::Failed { until } => Some(*until),
            Self::Queued | Self::InFlight { .. } | Self::Awaiting | Self::Settled | Self::Lost => None,
        }
    }
}
