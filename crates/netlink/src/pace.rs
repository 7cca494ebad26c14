//! How often something is put back that others delete, and tried again that the kernel refuses.

use std::collections::BTreeSet;
use std::time::Duration;

use model::Instant;

use crate::reconcile::{Action, PUT_BACK_SPAN, RETRY_FIRST, RETRY_MOST};

/// What waits for its time.
#[derive(Clone, Debug)]
pub(crate) struct Pauses<K>(BTreeSet<(Instant, K)>);

impl<K> Default for Pauses<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K: Clone + Ord> Pauses<K> {
    pub(crate) fn begin(&mut self, until: Instant, key: K) {
        self.0.insert((until, key));
    }

    /// It does not wait any more.
    pub(crate) fn end(&mut self, until: Instant, key: &K) {
        self.0.remove(&(until, key.clone()));
    }

    /// Takes one whose time has come.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<K> {
        self.next().filter(|until| *until <= now)?;
        self.0.pop_first().map(|(_, key)| key)
    }

    /// When the first one's time comes.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(until, _)| *until)
    }
}

/// Deletions by others within a span. `O` says what is open while one has not been made good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deletions<O> {
    pub(crate) since: Instant,
    pub(crate) times: u32,
    /// What has not been made good yet.
    pub(crate) open: Option<O>,
}

impl<O> Default for Deletions<O> {
    fn default() -> Self {
        Self { since: Instant::default(), times: 0, open: None }
    }
}

impl<O> Deletions<O> {
    /// Counts one more, and gives the count within the span.
    pub(crate) fn count(&mut self, now: Instant, open: O) -> u32 {
        if self.times == 0 || now.since(self.since) >= PUT_BACK_SPAN {
            *self = Self { since: now, times: 0, open: None };
        }
        self.times = self.times.saturating_add(1);
        self.open = Some(open);
        self.times
    }
}

/// Refusals of one kind of operation in a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusals {
    action: Action,
    times: u32,
    /// Until the next attempt.
    pub(crate) pause: Duration,
}

impl Refusals {
    /// One more after those `before`, if they were of the same kind.
    pub(crate) fn after(before: Option<Self>, action: Action) -> Self {
        let first = Self { action, times: 1, pause: RETRY_FIRST };
        before.filter(|before| before.action == action).map_or(first, |before| Self {
            action,
            times: before.times.saturating_add(1),
            pause: before.pause.saturating_mul(2).min(RETRY_MOST),
        })
    }

    pub(crate) const fn is_first(&self) -> bool {
        self.times == 1
    }
}

/// Pauses between the attempts at one thing: each is twice as long as the one before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backoff(Option<Duration>);

impl Backoff {
    /// The next one.
    pub(crate) fn next(&mut self) -> Duration {
        let next = self.0.map_or(RETRY_FIRST, |last| last.saturating_mul(2).min(RETRY_MOST));
        self.0 = Some(next);
        next
    }
}
