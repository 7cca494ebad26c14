//! What differs, and the requests that change it.

use std::collections::BTreeSet;

use model::ipvs::{Destination, DestinationKey, ServiceKey};

use super::{BATCH, Flight, Reconciler};
use crate::ipvs::damage::Damage;
use crate::ipvs::report::Report;
use crate::ipvs::request::Request;
use crate::ipvs::terms::{HeldService, Settings, Target, Timeouts};

/// What may differ within a service. It is compared once more when its turn comes.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    /// Destinations that may have to be added or changed, and are to get connections.
    put: BTreeSet<DestinationKey>,
    /// Those that are to get none (weight 0): after the others, so that there is always one that does.
    quiet: BTreeSet<DestinationKey>,
    /// Destinations that may have to go.
    gone: BTreeSet<DestinationKey>,
}

impl Work {
    fn is_empty(&self) -> bool {
        self.put.is_empty() && self.quiet.is_empty() && self.gone.is_empty()
    }

    fn contains(&self, place: &DestinationKey) -> bool {
        [&self.put, &self.quiet, &self.gone].into_iter().any(|line| line.contains(place))
    }
}

impl Reconciler {
    /// The service is ours, and what is wanted of it may have changed; or it was not wanted at all.
    pub(super) fn adopt(&mut self, key: ServiceKey, was_wanted: bool) {
        self.ours.insert(key);
        let is_wanted = self.wanted.services.contains_key(&key);
        if !was_wanted && is_wanted && self.is_listed && self.held.contains_key(&key) {
            // Its destinations were nobody's concern until now.
            self.look(key);
        } else if self.knows(key) {
            self.plan(key);
        }
    }

    /// The service is to be listed again.
    pub(super) fn look(&mut self, key: ServiceKey) {
        self.work.remove(&key);
        self.looks.insert(key);
    }

    /// A destination may differ.
    pub(super) fn touch(&mut self, service: ServiceKey, destination: DestinationKey, is_wanted: bool) {
        if !self.knows(service) {
            return;
        }
        let wanted = self.wanted.services.get(&service);
        let wanted = wanted.and_then(|wanted| wanted.destinations.get(&destination));
        let is_quiet = wanted.is_some_and(|wanted| wanted.weight == 0);
        let Work { put, quiet, gone } = self.work.entry(service).or_default();
        for line in [&mut *put, &mut *quiet, &mut *gone] {
            line.remove(&destination);
        }
        let line = match (is_wanted, is_quiet) {
            (true, false) => put,
            (true, true) => quiet,
            (false, _) => gone,
        };
        line.insert(destination);
    }

    /// Notes all that differs in a service that is known.
    pub(super) fn plan(&mut self, key: ServiceKey) {
        let held = self.held.get(&key);
        let work = match (self.wanted.services.get(&key), held) {
            // It stays ours until the kernel has said whether it is there.
            (None, None) if self.is_being_added(key) => None,
            (None, None) => {
                if self.ours.remove(&key) {
                    self.gone.push(key);
                }
                None
            }
            (None, Some(_)) => self.ours.contains(&key).then(Work::default),
            (Some(wanted), held) => {
                let differs = |(place, value): &(&DestinationKey, &Destination)| {
                    held.and_then(|held| held.destinations.get(place))
                        .is_none_or(|held| !held.target.does_as(&Target::of(value)))
                };
                let (quiet, put) = wanted
                    .destinations
                    .iter()
                    .filter(differs)
                    .partition::<Vec<_>, _>(|(_, value)| value.weight == 0);
                let places =
                    |of: Vec<(&DestinationKey, _)>| of.into_iter().map(|(place, _)| *place).collect();
                let is_unwanted = |place: &&DestinationKey| !wanted.destinations.contains_key(place);
                let there = held.into_iter().flat_map(|held| held.destinations.keys());
                let gone = there.filter(is_unwanted).copied().collect();
                let work = Work { put: places(put), quiet: places(quiet), gone };
                let is_different = self.service_differs(key) || !work.is_empty();
                is_different.then_some(work)
            }
        };
        match work {
            Some(work) => self.work.insert(key, work),
            None => self.work.remove(&key),
        };
    }

    /// The whole service has been listed: what was refused counts only as far as it still differs.
    pub(super) fn plan_after_look(&mut self, key: ServiceKey) {
        self.looks.remove(&key);
        self.assess(key);
        self.report_damages();
        self.plan(key);
        let differs = self.service_differs(key);
        let work = self.work.get(&key);
        self.troubles.retain(key, |entry| match (entry, work) {
            (None, _) => differs,
            (Some(place), Some(work)) => work.contains(&place),
            (Some(_), None) => false,
        });
    }

    /// Finds out what others have done to a service that has been looked at again.
    pub(super) fn assess(&mut self, key: ServiceKey) {
        let before = self.before.remove(&key);
        if let (Some(before), Some(wanted)) = (before, self.wanted.services.get(&key)) {
            self.damages.extend(Damage::find(key, &before, self.held.get(&key), wanted));
        }
    }

    /// Reports it all at once, after the last look.
    pub(super) fn report_damages(&mut self) {
        if self.looks.is_empty() && !self.damages.is_empty() {
            self.reports.push(Report::Damaged(std::mem::take(&mut self.damages)));
        }
    }

    /// Whether the service as such, without its destinations, is other than wanted.
    pub(super) fn service_differs(&self, key: ServiceKey) -> bool {
        match (self.wanted.services.get(&key), self.held.get(&key)) {
            (None, held) => held.is_some() && self.ours.contains(&key),
            (Some(_), None) => true,
            (Some(wanted), Some(held)) => !held.settings.does_as(&Settings::of(wanted, key.family())),
        }
    }

    /// What the kernel is asked next.
    pub(super) fn requests(&mut self) -> Vec<Request> {
        if self.kernel.is_none() {
            return vec![Request::Kernel];
        }
        if self.must_flush {
            return vec![Request::Flush];
        }
        if !self.is_listed {
            return vec![Request::Services];
        }
        if self.sides.must_be_listed() {
            self.sides.begin_listing();
            return vec![Request::Sides];
        }
        if let Some(request) = self.timeouts_request() {
            return vec![request];
        }
        if let Some(key) = self.looks.first() {
            return vec![Request::Service(*key), Request::Destinations(*key)];
        }
        let sides = self.sides.requests();
        if sides.is_empty() { self.operations() } else { sides }
    }

    /// What there is to do about timeouts.
    pub(super) fn timeouts_request(&self) -> Option<Request> {
        let wanted = self.wanted_timeouts;
        if wanted == Timeouts::default() || self.refused_timeouts == Some(wanted) {
            return None;
        }
        match self.held_timeouts {
            None => Some(Request::Timeouts),
            Some(held) => (!held.does_as(&wanted)).then_some(Request::SetTimeouts(wanted)),
        }
    }

    fn operations(&mut self) -> Vec<Request> {
        let mut requests = Vec::new();
        while requests.len() < BATCH
            && let Some((key, mut work)) = self.work.pop_first()
        {
            let is_done = self.issue(key, &mut work, &mut requests);
            if !is_done {
                self.work.insert(key, work);
            }
        }
        requests
    }

    /// Appends what is to be done about a service, up to a whole batch. `true` if that is all.
    fn issue(&mut self, key: ServiceKey, work: &mut Work, requests: &mut Vec<Request>) -> bool {
        let waits = self.troubles.waits(key, None);
        let held = self.held.get(&key);
        let Some(wanted) = self.wanted.services.get(&key) else {
            if self.service_differs(key) && !waits {
                requests.push(Request::DeleteService(key));
            }
            return true;
        };
        if self.service_differs(key) {
            let settings = Settings::of(wanted, key.family());
            match held {
                // Without the service there can be no destinations.
                None if waits => return true,
                None => requests.push(Request::AddService(key, settings)),
                Some(_) if waits => {}
                Some(_) => requests.push(Request::SetService(key, settings)),
            }
        }
        while requests.len() < BATCH
            && let Some(place) = work.put.pop_first().or_else(|| work.quiet.pop_first())
        {
            let value = wanted.destinations.get(&place);
            requests.extend(self.put(key, place, value, held));
        }
        while requests.len() < BATCH
            && let Some(place) = work.gone.pop_first()
        {
            let is_there = held.is_some_and(|held| held.destinations.contains_key(&place));
            let is_wanted = wanted.destinations.contains_key(&place);
            if is_there && !is_wanted && !self.troubles.waits(key, Some(place)) {
                requests.push(Request::DeleteDestination(key, place));
            }
        }
        work.is_empty()
    }

    fn put(
        &self,
        key: ServiceKey,
        place: DestinationKey,
        value: Option<&Destination>,
        held: Option<&HeldService>,
    ) -> Option<Request> {
        let target = Target::of(value?);
        if self.troubles.waits(key, Some(place)) {
            return None;
        }
        match held.and_then(|held| held.destinations.get(&place)) {
            None => Some(Request::AddDestination(key, place, target)),
            Some(held) if held.target.does_as(&target) => None,
            Some(_) => Some(Request::SetDestination(key, place, target)),
        }
    }

    fn is_being_added(&self, key: ServiceKey) -> bool {
        let adds =
            |flight: &Flight| matches!(flight, Flight::Request(Request::AddService(of, _)) if *of == key);
        self.flights.values().any(adds)
    }

    fn knows(&self, key: ServiceKey) -> bool {
        self.is_listed && !self.looks.contains(&key)
    }
}
