//! Who has a deadline, and who is due next.

use std::collections::{BTreeMap, VecDeque};

use model::{IfName, Instant};

use crate::InstanceId;

/// Somebody who has at most one deadline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Waiter {
    Instance(InstanceId),
    Link(IfName),
    Script(String),
    Process(String),
    /// The end of the delay after which instances begin.
    Start,
    Pacer,
}

/// Deadlines in order, at most one for each waiter.
///
/// A deque and not a tree: each advertisement puts a backup's deadline off, from somewhere near the front to
/// somewhere near the back. That moves few entries and, once the deque has its size, allocates nothing; a
/// tree would split and join its nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Due {
    order: VecDeque<(Instant, Waiter)>,
    /// `None` is a waiter that waits for nothing now: its entry stays, for the same reason.
    at: BTreeMap<Waiter, Option<Instant>>,
}

impl Due {
    pub(crate) const fn new() -> Self {
        Self { order: VecDeque::new(), at: BTreeMap::new() }
    }

    /// The first deadline.
    pub(crate) fn first(&self) -> Option<Instant> {
        self.order.front().map(|(at, _)| *at)
    }

    /// The deadline of `waiter` is now this.
    pub(crate) fn set(&mut self, waiter: Waiter, deadline: Option<Instant>) {
        let before = match self.at.get_mut(&waiter) {
            Some(at) => std::mem::replace(at, deadline),
            None => self.at.insert(waiter.clone(), deadline).flatten(),
        };
        if before == deadline {
            return;
        }
        if let Some(before) = before
            && let Ok(place) = self.place(before, &waiter)
        {
            self.order.remove(place);
        }
        if let Some(at) = deadline
            && let Err(place) = self.place(at, &waiter)
        {
            self.order.insert(place, (at, waiter));
        }
    }

    /// `waiter` is no more.
    pub(crate) fn forget(&mut self, waiter: &Waiter) {
        self.set(waiter.clone(), None);
        self.at.remove(waiter);
    }

    /// Takes the first waiter if it is due at `now`; it waits for nothing then.
    pub(crate) fn take_before(&mut self, now: Instant) -> Option<Waiter> {
        let (_, waiter) = self.order.pop_front_if(|(at, _)| *at <= now)?;
        if let Some(at) = self.at.get_mut(&waiter) {
            *at = None;
        }
        Some(waiter)
    }

    /// Where the entry is or, as an error, where it belongs.
    fn place(&self, at: Instant, waiter: &Waiter) -> Result<usize, usize> {
        self.order.binary_search_by(|(other_at, other)| other_at.cmp(&at).then_with(|| other.cmp(waiter)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    fn script(name: &str) -> Waiter {
        Waiter::Script(name.to_owned())
    }

    #[test]
    fn waiters_come_in_the_order_of_their_deadlines_and_once() {
        let mut due = Due::new();
        for (name, nanos) in [("c", 3), ("a", 1), ("b", 2), ("d", 2)] {
            due.set(script(name), Some(at(nanos)));
        }
        due.set(script("a"), Some(at(9)));
        due.set(script("c"), None);
        assert_eq!(due.first(), Some(at(2)));
        let taken: Vec<_> = std::iter::from_fn(|| due.take_before(at(8))).collect();
        assert_eq!(taken, [script("b"), script("d")]);
        assert_eq!(due.first(), Some(at(9)));
    }

    #[test]
    fn who_is_no_more_leaves_nothing_behind() {
        let mut due = Due::new();
        due.set(script("a"), Some(at(1)));
        due.forget(&script("a"));
        assert_eq!((due.first(), due.at.len()), (None, 0));
    }
}
