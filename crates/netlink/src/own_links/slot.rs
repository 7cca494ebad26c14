//! What is known of one interface.

use std::sync::Arc;
use std::time::Duration;

use model::{IfIndex, Instant};

use super::{Operation, OwnLink, Step};
use crate::errno::{Errno, Refusal};
use crate::mirror::Mirror;
use crate::reconcile::{PUT_BACK_SPAN, PUT_BACKS, RETRY_FIRST, RETRY_MOST};

#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    pub(super) wanted: Option<Arc<OwnLink>>,
    /// The link that is ready.
    pub(super) ready: Option<IfIndex>,
    /// An operation is under way.
    pub(super) is_busy: bool,
    /// The link that we have made, and that waits for its settings.
    pub(super) made: Option<IfIndex>,
    /// What others have done to the link that was ready, and has not been made good.
    pub(super) loss: Option<Loss>,
    /// Until then nobody needs to know of the loss.
    pub(super) heals_until: Option<Instant>,
    losses: u32,
    losses_since: Option<Instant>,
    /// Not before this time.
    pub(super) pause: Option<Instant>,
    /// The pause after the next failure.
    pub(super) next_pause: Option<Duration>,
    pub(super) told: Option<Told>,
}

/// What others have done to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// They have deleted it, or made something else of it.
    Deleted,
    /// They have set it down.
    Down,
}

/// What the operator knows already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    AwaitsBase,
    Foreign,
}

impl Slot {
    pub(super) fn want(&mut self, link: OwnLink) {
        self.wanted = Some(Arc::new(link));
        self.pause = None;
        self.told = None;
    }

    pub(super) const fn begin(&mut self, operation: Operation) -> Step {
        self.is_busy = true;
        Step::Do(operation)
    }

    /// What others have done to the link that was ready. With the interface below the kernel deletes it too: that is
    /// nobody's doing.
    pub(super) fn loss_in(&self, mirror: &Mirror) -> Option<Loss> {
        let (wanted, ready) = (self.wanted.as_ref()?, self.ready?);
        mirror.link_named(&wanted.base)?;
        match mirror.link_named(&wanted.name).filter(|link| link.index == ready) {
            None => Some(Loss::Deleted),
            Some(link) if !link.up => Some(Loss::Down),
            Some(_) => None,
        }
    }

    /// It is to be made good, and that will not take long.
    pub(super) fn lose(&mut self, now: Instant, loss: Loss) {
        self.loss = Some(loss);
        self.heals_until = Some(now + HEALING);
    }

    /// What looked as if others had set it down was the beginning of its deletion, which is another loss.
    pub(super) fn was_going(&mut self, operation: &Operation, result: &Result<(), Refusal>) -> bool {
        let is_set_up = matches!(operation, Operation::SetUp { index, .. } if Some(*index) == self.ready);
        let is_gone = result.as_ref().is_err_and(|refusal| refusal.errno == Errno::ENODEV);
        let was_going = is_set_up && is_gone && self.loss == Some(Loss::Down);
        if was_going {
            self.losses = self.losses.saturating_sub(1);
        }
        was_going
    }

    /// Pauses; true if this is the first failure in a row.
    pub(super) fn fail(&mut self, now: Instant) -> bool {
        let pause = self.next_pause.unwrap_or(RETRY_FIRST);
        self.pause = Some(now + pause);
        self.next_pause.replace((pause * 2).min(RETRY_MOST)).is_none()
    }

    /// Counts a loss, and says until when it has to wait if there were too many.
    pub(super) fn held_back(&mut self, now: Instant) -> Option<Instant> {
        self.loss?;
        let since = self.losses_since.filter(|since| now.since(*since) < PUT_BACK_SPAN);
        let since = since.unwrap_or_else(|| {
            self.losses = 0;
            now
        });
        self.losses_since = Some(since);
        self.losses += 1;
        (self.losses > PUT_BACKS).then(|| {
            let until = since + PUT_BACK_SPAN;
            self.losses_since = None;
            self.pause = Some(until);
            until
        })
    }
}

/// How long a link may be away before anybody hears of it: to make one takes some milliseconds, and no peer has missed a
/// master after so short a time.
const HEALING: Duration = Duration::from_millis(500);
