//! What is known of one slot.

use std::time::Duration;

use model::vrrp::VirtualAddress;
use model::{IfIndex, Instant};

use super::{Action, Report, Slot};
use crate::mirror::Mirror;
use crate::pace::{Deletions, Refusals};

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Who wants the address on the device, the last one last. Nobody: it shall not be there.
    pub(super) wanted: Vec<Wanted>,
    pub(super) progress: Progress,
    /// The link that holds the address, by answers and events. The mirror alone does not tell: the kernel
    /// announces an IPv6 address some time after it has acknowledged the request.
    pub(super) placed: Option<Placed>,
    /// Its open one is the link whose deletion has not been made good yet.
    pub(super) deletions: Deletions<IfIndex>,
    /// The refusals since an operation last succeeded.
    pub(super) refusals: Option<Refusals>,
    /// It is not there as soon as it should have been, or is away again.
    pub(super) late: bool,
}

/// One owner's wish.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) owner: Box<str>,
    pub(super) address: VirtualAddress,
}

/// Where an address is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) index: IfIndex,
    /// It was this process that added it.
    pub(super) added: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Progress {
    Queued,
    /// `disturbed`: the address was heard to go meanwhile, before or after the operation took effect.
    InFlight {
        action: Action,
        index: IfIndex,
        disturbed: bool,
    },
    AwaitingLink,
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
    pub(super) fn want(&mut self, owner: &str, address: &VirtualAddress) {
        if !self.is_wanted() {
            self.late = false;
        }
        self.unwant(owner);
        self.wanted.push(Wanted { owner: owner.into(), address: address.clone() });
    }

    pub(super) fn unwant(&mut self, owner: &str) {
        self.wanted.retain(|wanted| *wanted.owner != *owner);
    }

    pub(super) const fn is_wanted(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Whether somebody wants it put back when others delete it.
    pub(super) fn is_tracked(&self) -> bool {
        self.wanted.iter().any(|wanted| wanted.address.tracked)
    }

    pub(super) fn owners(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.wanted.iter().map(|wanted| &*wanted.owner)
    }

    pub(super) fn is_on(&self, index: IfIndex) -> bool {
        self.placed.is_some_and(|placed| placed.index == index)
    }

    /// Takes over the address that a link brings along with the name of this device; `false` if it is still on
    /// another one, or if what is under way will say where it is.
    pub(super) fn inherit(&mut self, placed: Placed) -> bool {
        let is_free = self.placed.is_none() && !matches!(self.progress, Progress::InFlight { .. });
        if is_free {
            self.placed = Some(placed);
        }
        is_free || self.is_on(placed.index)
    }

    pub(super) fn awaits_link(&mut self) {
        self.progress = Progress::AwaitingLink;
        self.deletions = Deletions::default();
        self.late = true;
    }

    /// The address is where it should be. Gives what there is to say.
    pub(super) fn settle(&mut self, slot: &Slot, placed: Placed) -> Option<Report> {
        self.progress = Progress::Settled;
        self.placed = Some(placed);
        self.refusals = None;
        // On another link it did not go by itself, but with the link it was on.
        if self.deletions.open.take().is_some_and(|open| open != placed.index) {
            self.deletions = Deletions::default();
        }
        let late = std::mem::take(&mut self.late);
        let owner = self.wanted.last()?.owner.clone();
        Some(Report::Present { slot: slot.clone(), owner, late })
    }

    /// Counts a refusal, and gives the pause until the next attempt.
    pub(super) fn refused(&mut self, action: Action) -> Duration {
        self.late |= action == Action::Add;
        let refusals = Refusals::after(self.refusals, action);
        self.refusals = Some(refusals);
        refusals.pause
    }

    pub(super) fn is_first_refusal(&self) -> bool {
        self.refusals.is_some_and(|refusals| refusals.is_first())
    }
}

impl Placed {
    /// Whether the address is there on our behalf, now or from an earlier run, and so ours to delete.
    ///
    /// A stranger's address is too if the link has another one before it: older keepalived does not mark what it sets,
    /// and what a killed one left must go. The link's first address is the host's own, whatever is configured.
    pub(super) fn is_ours(&self, slot: &Slot, mirror: &Mirror) -> bool {
        self.added || !mirror.is_foreign(self.index, slot.prefix) || !mirror.is_first(self.index, slot.prefix)
    }
}

impl Progress {
    /// Until when the slot is left alone, if it waits for a moment.
    pub(super) const fn pause(&self) -> Option<Instant> {
        match self {
            Self::Held { until } | Self::Failed { until } => Some(*until),
            Self::Queued | Self::InFlight { .. } | Self::AwaitingLink | Self::Settled | Self::Lost => None,
        }
    }
}
