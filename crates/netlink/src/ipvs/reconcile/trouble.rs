//! What the kernel has refused, and when it is tried again.

use std::collections::BTreeMap;

use model::Instant;
use model::ipvs::{DestinationKey, Service, ServiceKey};

use crate::errno::{Errno, Refusal};
use crate::pace::{Backoff, Pauses};

/// All refusals, by service: one pace for all that is refused in a service, since each attempt begins with a look at it.
#[derive(Clone, Debug, Default)]
pub(super) struct Troubles {
    services: BTreeMap<ServiceKey, Trouble>,
    due: Pauses<ServiceKey>,
}

#[derive(Clone, Debug, Default)]
struct Trouble {
    /// What was refused, `None` for the service itself, and whether it waits for the next attempt.
    refused: BTreeMap<Option<DestinationKey>, bool>,
    until: Option<Instant>,
    attempts: u32,
    pauses: Backoff,
}

impl Troubles {
    /// Notes a refusal. `true` if it is the first of this entry.
    pub(super) fn note(
        &mut self,
        now: Instant,
        key: ServiceKey,
        entry: Option<DestinationKey>,
        refusal: &Refusal,
    ) -> bool {
        let trouble = self.services.entry(key).or_default();
        let is_first = trouble.refused.insert(entry, true).is_none();
        if trouble.until.is_none() {
            // Somebody else has changed the table: the first look may show what to do.
            let is_stale = matches!(refusal.errno, Errno::ENOENT | Errno::ESRCH | Errno::EEXIST);
            let until = if is_stale && trouble.attempts == 0 { now } else { now + trouble.pauses.next() };
            trouble.attempts = trouble.attempts.saturating_add(1);
            trouble.until = Some(until);
            self.due.begin(until, key);
        }
        is_first
    }

    /// The entry has been taken. `true` if it had been refused before.
    pub(super) fn clear(&mut self, key: ServiceKey, entry: Option<DestinationKey>) -> bool {
        let Some(trouble) = self.services.get_mut(&key) else { return false };
        let was_refused = trouble.refused.remove(&entry).is_some();
        self.drop_if_empty(key);
        was_refused
    }

    /// Whether the entry has been refused and is not to be tried now.
    pub(super) fn waits(&self, key: ServiceKey, entry: Option<DestinationKey>) -> bool {
        self.services.get(&key).and_then(|trouble| trouble.refused.get(&entry)).is_some_and(|waits| *waits)
    }

    /// The services that are to be looked at and tried again.
    pub(super) fn due(&mut self, now: Instant) -> Vec<ServiceKey> {
        let mut keys = Vec::new();
        while let Some(key) = self.due.take_due(now) {
            if let Some(trouble) = self.services.get_mut(&key) {
                trouble.until = None;
                trouble.refused.values_mut().for_each(|waits| *waits = false);
            }
            keys.push(key);
        }
        keys
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.next()
    }

    /// Forgets what was refused of the service, as far as something else is wanted now.
    pub(super) fn forgive(&mut self, key: ServiceKey, before: Option<&Service>, now: Option<&Service>) {
        let Some(trouble) = self.services.get_mut(&key) else { return };
        let (Some(before), Some(now)) = (before, now) else {
            trouble.refused.clear();
            return self.drop_if_empty(key);
        };
        let own = |service: &Service| {
            let Service { scheduler, flags, one_packet, persistence, destinations: _ } = service;
            (*scheduler, *flags, *one_packet, persistence.clone())
        };
        let is_same = own(before) == own(now);
        trouble.refused.retain(|entry, _| match entry {
            None => is_same,
            Some(entry) => before.destinations.get(entry) == now.destinations.get(entry),
        });
        self.drop_if_empty(key);
    }

    pub(super) fn forgive_destination(&mut self, key: ServiceKey, destination: DestinationKey) {
        self.clear(key, Some(destination));
    }

    /// Forgets those that turn out to be as they should be.
    pub(super) fn retain(
        &mut self,
        key: ServiceKey,
        mut differs: impl FnMut(Option<DestinationKey>) -> bool,
    ) {
        let Some(trouble) = self.services.get_mut(&key) else { return };
        trouble.refused.retain(|entry, _| differs(*entry));
        self.drop_if_empty(key);
    }

    fn drop_if_empty(&mut self, key: ServiceKey) {
        if let Some(trouble) = self.services.get(&key).filter(|trouble| trouble.refused.is_empty()) {
            if let Some(until) = trouble.until {
                self.due.end(until, &key);
            }
            self.services.remove(&key);
        }
    }
}
