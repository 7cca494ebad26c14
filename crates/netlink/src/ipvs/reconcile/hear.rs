//! What the kernel's answers mean.

use std::collections::BTreeMap;

use model::Instant;
use model::ipvs::{DestinationKey, ServiceKey};

use super::{Flight, Reconciler};
use crate::errno::{Errno, Refusal};
use crate::ipvs::answer::{Heard, News, decode};
use crate::ipvs::meaning::meaning;
use crate::ipvs::report::{Operation, Report, Subject};
use crate::ipvs::request::Request;
use crate::ipvs::terms::{Connections, HeldDestination, HeldService, Statistics, Target, Timeouts};
use crate::pace::Backoff;
use crate::request::Sequence;

impl Reconciler {
    /// Takes in a datagram of the kernel.
    pub fn hear(&mut self, now: Instant, datagram: &[u8]) {
        let mut heard = Vec::new();
        decode(self.family, datagram, &mut heard);
        for Heard { sequence, news } in heard {
            if self.flights.contains_key(&sequence) {
                self.settle_unacknowledged(now, sequence);
                self.take_in(now, sequence, news);
            }
        }
        if self.flights.is_empty() {
            self.patience = None;
        }
    }

    fn take_in(&mut self, now: Instant, sequence: Sequence, news: News) {
        match news {
            News::Answer(result) => match self.flights.remove(&sequence) {
                Some(Flight::Lookup) => self.looked_up(now, result),
                Some(Flight::Request(request)) => self.answered(now, request, result),
                None => {}
            },
            News::Done(result) => {
                if let Some(Flight::Request(request)) = self.flights.remove(&sequence) {
                    self.listing_ended(now, &request, result);
                }
            }
            News::Family(family) => self.family = Some(family),
            News::Kernel(kernel) => {
                if self.kernel.replace(kernel).is_none() {
                    self.pauses = Backoff::default();
                    self.is_missing_told = false;
                    self.reports.push(Report::Ready(kernel));
                }
            }
            News::Service { key, settings, statistics } => {
                let held = HeldService { settings, statistics: *statistics, destinations: BTreeMap::new() };
                match self.flights.get(&sequence) {
                    Some(Flight::Request(Request::Services)) => self.listing.insert(key, held),
                    Some(Flight::Request(Request::Service(asked))) if *asked == key => {
                        self.held.insert(key, held)
                    }
                    _ => None,
                };
            }
            News::Destination { key, value } => {
                if let Some(Flight::Request(Request::Destinations(service))) = self.flights.get(&sequence)
                    && let Some(service) = self.held.get_mut(service)
                {
                    service.destinations.insert(key, *value);
                }
            }
            News::Timeouts(timeouts) => self.held_timeouts = Some(timeouts),
            News::Side(role, side) => self.sides.listed(role, side),
        }
    }

    /// The kernel works off requests in order, and acknowledges none that ends with `EINTR`.
    fn settle_unacknowledged(&mut self, now: Instant, answered: Sequence) {
        while let Some(first) = self.flights.first_entry().filter(|first| *first.key() < answered) {
            if let Flight::Request(request) = first.remove() {
                self.answered(now, request, Err(Errno::EINTR.into()));
            }
        }
    }

    fn looked_up(&mut self, now: Instant, result: Result<(), Refusal>) {
        let Err(refusal) = result else {
            if self.family.is_none() {
                self.stumble(now, Errno::ENOENT.into());
            }
            return;
        };
        if refusal.errno != Errno::ENOENT {
            return self.stumble(now, refusal);
        }
        self.pause = Some(now + self.pauses.next());
        if !std::mem::replace(&mut self.is_missing_told, true) {
            self.reports.push(Report::Missing);
        }
    }

    /// The table cannot be read now.
    fn stumble(&mut self, now: Instant, refusal: Refusal) {
        self.pause = Some(now + self.pauses.next());
        if !std::mem::replace(&mut self.is_unusable_told, true) {
            self.reports.push(Report::Unusable(refusal));
        }
    }

    fn listing_ended(&mut self, now: Instant, request: &Request, result: Result<(), Refusal>) {
        let listing = std::mem::take(&mut self.listing);
        if let Err(refusal) = result {
            // The family goes when the module does.
            if refusal.errno == Errno::ENOENT {
                self.family = None;
                self.kernel = None;
            }
            return self.stumble(now, refusal);
        }
        if *request == Request::Services {
            self.is_unusable_told = false;
            self.pauses = Backoff::default();
            self.services_listed(listing);
        } else if *request == Request::Sides {
            self.sides.end_listing();
        } else if let Request::Destinations(key) = request {
            self.plan_after_look(*key);
        }
    }

    fn services_listed(&mut self, listing: BTreeMap<ServiceKey, HeldService>) {
        let before = std::mem::replace(&mut self.held, listing);
        let is_known = !std::mem::take(&mut self.is_doubtful);
        let known = |key: &ServiceKey| is_known && self.ours.contains(key) && !self.looks.contains(key);
        self.before = before.into_iter().filter(|(key, _)| known(key)).collect();
        self.is_listed = true;
        self.work.clear();
        self.looks.clear();
        for key in self.ours.clone() {
            let is_wanted = self.wanted.services.contains_key(&key);
            if is_wanted && self.held.contains_key(&key) {
                self.look(key);
            } else {
                self.assess(key);
                self.plan(key);
            }
        }
        self.report_damages();
    }

    fn answered(&mut self, now: Instant, request: Request, result: Result<(), Refusal>) {
        match result {
            Ok(()) => self.accepted(request),
            // It has been stopped before it began to run.
            Err(Refusal { errno: Errno::EINTR, .. }) if matches!(request, Request::StopSide(_)) => {
                self.accepted(request);
            }
            // What should go is gone.
            Err(Refusal { errno: Errno::ENOENT | Errno::ESRCH, .. })
                if matches!(
                    request,
                    Request::DeleteService(_) | Request::DeleteDestination(..) | Request::StopSide(_)
                ) =>
            {
                if let Request::DeleteDestination(key, _) = &request {
                    self.suspect(*key);
                }
                self.accepted(request);
            }
            Err(refusal) => self.refused(now, &request, refusal),
        }
    }

    fn accepted(&mut self, request: Request) {
        match request {
            Request::AddService(key, settings) => {
                let statistics = Statistics::default();
                self.held.insert(key, HeldService { settings, statistics, destinations: BTreeMap::new() });
                self.service_settled(key);
            }
            Request::SetService(key, settings) => {
                if let Some(held) = self.held.get_mut(&key) {
                    held.settings = settings;
                }
                self.service_settled(key);
            }
            Request::DeleteService(key) => {
                self.held.remove(&key);
                self.service_settled(key);
                // It may have come to be wanted again meanwhile.
                self.plan(key);
            }
            Request::AddDestination(key, place, target) | Request::SetDestination(key, place, target) => {
                self.destination_put(key, place, target);
            }
            Request::DeleteDestination(key, place) => {
                if let Some(held) = self.held.get_mut(&key) {
                    held.destinations.remove(&place);
                }
                self.destination_settled(key, place);
            }
            Request::Flush => {
                self.must_flush = false;
                self.is_doubtful = true;
                self.refresh();
            }
            Request::SetTimeouts(timeouts) => {
                // What was not set stays as it was; so it is asked for again only when something differs.
                let held = self.held_timeouts.unwrap_or_default();
                self.held_timeouts = Some(Timeouts {
                    tcp: timeouts.tcp.or(held.tcp),
                    tcp_fin: timeouts.tcp_fin.or(held.tcp_fin),
                    udp: timeouts.udp.or(held.udp),
                });
            }
            Request::StartSide(role, side) => {
                if self.sides.started(role, side) {
                    self.reports.push(Report::Accepted(Subject::Side(role)));
                }
            }
            Request::StopSide(role) => self.sides.stopped(role),
            Request::Kernel
            | Request::Services
            | Request::Service(_)
            | Request::Destinations(_)
            | Request::Zero(_)
            | Request::Timeouts
            | Request::Sides => {}
        }
    }

    /// Something was not there: something else may have taken away more, such as the whole table.
    fn suspect(&mut self, key: ServiceKey) {
        if self.wanted.services.contains_key(&key) && !self.looks.contains(&key) {
            self.reports.push(Report::Meddled(key));
            if let Some(held) = self.held.get(&key) {
                self.before.insert(key, held.clone());
            }
            self.look(key);
        }
    }

    fn service_settled(&mut self, key: ServiceKey) {
        if self.troubles.clear(key, None) {
            self.reports.push(Report::Accepted(Subject::Service(key)));
        }
        if self.service_differs(key) {
            self.work.entry(key).or_default();
        }
    }

    fn destination_put(&mut self, key: ServiceKey, place: DestinationKey, target: Target) {
        if let Some(held) = self.held.get_mut(&key) {
            let (connections, statistics) = (Connections::default(), Statistics::default());
            held.destinations
                .entry(place)
                .and_modify(|held| held.target = target)
                .or_insert(HeldDestination { target, connections, statistics });
        }
        self.destination_settled(key, place);
    }

    fn destination_settled(&mut self, key: ServiceKey, place: DestinationKey) {
        if self.troubles.clear(key, Some(place)) {
            self.reports.push(Report::Accepted(Subject::Destination(key, place)));
        }
        // What is wanted may have changed meanwhile.
        let wanted = self.wanted.services.get(&key).and_then(|service| service.destinations.get(&place));
        let held = self.held.get(&key).and_then(|service| service.destinations.get(&place));
        let is_so = match (wanted, held) {
            (None, None) => true,
            (Some(wanted), Some(held)) => held.target.does_as(&Target::of(wanted)),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_so && self.wanted.services.contains_key(&key) {
            let is_wanted = wanted.is_some();
            self.touch(key, place, is_wanted);
        }
    }

    fn refused(&mut self, now: Instant, request: &Request, refusal: Refusal) {
        let Some(operation) = Operation::of(request) else {
            return self.question_refused(now, request, refusal);
        };
        let is_first = match operation.subject {
            Subject::Service(key) => self.troubles.note(now, key, None, &refusal),
            Subject::Destination(key, place) => {
                let is_lost = refusal.errno == Errno::ESRCH;
                if is_lost && !self.held.contains_key(&key) {
                    // There is no such service, which has been told, or was refused just before.
                    return;
                }
                if is_lost {
                    self.held.remove(&key);
                }
                self.troubles.note(now, key, Some(place), &refusal)
            }
            Subject::Side(role) => self.sides.note(now, role),
            Subject::Timeouts => {
                self.refused_timeouts = Some(self.wanted_timeouts);
                true
            }
            Subject::Table => {
                self.must_flush = false;
                true
            }
        };
        if is_first {
            let meaning = meaning(request, refusal.errno).map(Into::into);
            self.reports.push(Report::Refused { operation, meaning, refusal });
        }
    }

    fn question_refused(&mut self, now: Instant, request: &Request, refusal: Refusal) {
        if let Request::Service(key) = request
            && matches!(refusal.errno, Errno::ESRCH | Errno::ENOENT)
        {
            self.held.remove(key);
        } else {
            self.listing_ended(now, request, Err(refusal));
        }
    }
}
