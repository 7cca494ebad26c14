//! From the table that there is to the one that there should be.

mod hear;
mod plan;
mod sides;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::ipvs::{Change, Service, ServiceKey, SyncRole, SyncSide, Table};
use model::{Flush, Instant};

use super::damage::Damage;
use super::report::Report;
use super::request::{Request, encode, encode_lookup};
use super::terms::{FamilyId, HeldService, Kernel, Timeouts};
use crate::pace::Backoff;
use crate::reconcile::RETRY_FIRST;
use crate::request::Sequence;
use plan::Work;
use sides::Sides;
use trouble::Troubles;

/// At most so many operations are in a datagram.
pub const BATCH: usize = 64;
/// The kernel answers before a request has been sent; after so long an answer has been lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes the kernel's table what it should be, and touches nothing that is as it should be.
///
/// Services that the table names are ours as a whole, whoever made them, until they are gone; so are those that
/// [`Self::sweep`] names. Others are left alone. What the kernel holds is known from listings and from answers: at first
/// all services are listed, and the destinations of those that are ours. One batch is under way at a time.
///
/// Within a service, it comes first, then destinations that are new or different, and last those that go: there is no
/// moment without a server. Entries that differ are changed in place, so that connections stay.
#[derive(Clone, Debug, Default)]
pub struct Reconciler {
    wanted: Table,
    wanted_timeouts: Timeouts,
    sides: Sides,
    /// What may be changed and deleted.
    ours: BTreeSet<ServiceKey>,
    /// What was ours and is gone, for [`Self::take_gone`].
    gone: Vec<ServiceKey>,
    held: BTreeMap<ServiceKey, HeldService>,
    held_timeouts: Option<Timeouts>,
    refused_timeouts: Option<Timeouts>,
    family: Option<FamilyId>,
    kernel: Option<Kernel>,
    /// All services have been listed.
    is_listed: bool,
    must_flush: bool,
    /// Services as they come in a listing.
    listing: BTreeMap<ServiceKey, HeldService>,
    /// Services of ours whose destinations are not known.
    looks: BTreeSet<ServiceKey>,
    /// What was known of services that are being looked at again: what differs now others have done.
    before: BTreeMap<ServiceKey, HeldService>,
    /// Answers have been lost: what is known may be older than what we have done ourselves.
    is_doubtful: bool,
    damages: Vec<Damage>,
    /// What may differ in services that are known.
    work: BTreeMap<ServiceKey, Work>,
    troubles: Troubles,
    /// What has not been answered, and until when that is awaited.
    flights: BTreeMap<Sequence, Flight>,
    patience: Option<Instant>,
    sequence: Option<Sequence>,
    /// Nothing is asked until then.
    pause: Option<Instant>,
    pauses: Backoff,
    is_missing_told: bool,
    is_unusable_told: bool,
    reports: Vec<Report>,
}

/// A request under way.
#[derive(Clone, Debug)]
enum Flight {
    Lookup,
    Request(Request),
}

impl Reconciler {
    /// Nothing is wanted, and nothing known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on the services are these.
    pub fn set_table(&mut self, table: Table) {
        let before = std::mem::replace(&mut self.wanted, table);
        let gone = before.services.keys().filter(|key| !self.wanted.services.contains_key(key));
        let differ = |(key, service): &(&ServiceKey, &Service)| before.services.get(key) != Some(service);
        let new = self.wanted.services.iter().filter(differ).map(|(key, _)| key);
        let touched: Vec<_> = gone.chain(new).copied().collect();
        for key in touched {
            self.troubles.forgive(key, before.services.get(&key), self.wanted.services.get(&key));
            self.adopt(key, before.services.contains_key(&key));
        }
    }

    /// One service or destination shall be otherwise.
    pub fn change(&mut self, change: Change) {
        match change {
            Change::SetService { service: key, value } => {
                let before = self.wanted.services.insert(key, value);
                self.troubles.forgive(key, before.as_ref(), self.wanted.services.get(&key));
                self.adopt(key, before.is_some());
            }
            Change::RemoveService { service: key } => {
                let before = self.wanted.services.remove(&key);
                if !self.ours.contains(&key) {
                    return;
                }
                self.troubles.forgive(key, before.as_ref(), None);
                self.adopt(key, before.is_some());
            }
            Change::SetDestination { service, destination, value } => {
                let Some(wanted) = self.wanted.services.get_mut(&service) else { return };
                if wanted.destinations.insert(destination, value) != Some(value) {
                    self.troubles.forgive_destination(service, destination);
                }
                self.touch(service, destination, true);
            }
            Change::RemoveDestination { service, destination } => {
                let Some(wanted) = self.wanted.services.get_mut(&service) else { return };
                if wanted.destinations.remove(&destination).is_some() {
                    self.troubles.forgive_destination(service, destination);
                }
                self.touch(service, destination, false);
            }
        }
    }

    /// These services are ours: somebody before us has made them on our behalf. They go unless they are wanted.
    pub fn sweep(&mut self, keys: impl IntoIterator<Item = ServiceKey>) {
        keys.into_iter().for_each(|key| self.adopt(key, false));
    }

    /// From now on these are the timeouts, as far as they say; the others stay as they are.
    pub fn set_timeouts(&mut self, timeouts: Timeouts) {
        self.wanted_timeouts = timeouts;
    }

    /// From now on exactly these sides of connection synchronisation run. `None` leaves alone whatever others have
    /// started, and stops what was ours.
    pub fn set_sides(&mut self, sides: Option<BTreeMap<SyncRole, SyncSide>>) {
        self.sides.set(sides);
    }

    /// Deletes all services, whoever made them, before anything else; what is wanted is then made anew.
    pub const fn flush(&mut self) {
        self.must_flush = true;
    }

    /// Nothing is wanted any more: what is ours goes, and all else too if `how` says so. It is done when
    /// [`Self::is_settled`] says so.
    pub fn release(&mut self, how: Option<Flush>) {
        self.set_table(Table::default());
        self.sides.set(None);
        self.wanted_timeouts = Timeouts::default();
        self.must_flush = how == Some(Flush::All);
        // What has been refused before is worth another attempt at once.
        self.troubles = Troubles::default();
        let ours = self.ours.clone();
        ours.into_iter().for_each(|key| self.adopt(key, false));
    }

    /// Lists everything again: what others have changed is made good and reported, and statistics are those of now.
    pub fn refresh(&mut self) {
        self.is_listed = false;
        self.sides.forget();
        self.held_timeouts = None;
    }

    /// Answers have been lost, or a batch could not be sent: what is there has to be listed again, after a second.
    pub fn lose(&mut self, now: Instant) {
        self.flights.clear();
        self.patience = None;
        self.listing.clear();
        self.pause = Some(now + RETRY_FIRST);
        self.is_doubtful = true;
        self.refresh();
    }

    /// Appends the next datagram to be sent to `batch`, which is empty. `false` if there is nothing to be sent now: all is
    /// as it should be, or an answer or [`Self::deadline`] is awaited.
    pub fn next(&mut self, now: Instant, batch: &mut Vec<u8>) -> bool {
        if self.patience.is_some_and(|until| until <= now) {
            self.lose(now);
        }
        self.pause.take_if(|until| *until <= now);
        if !self.flights.is_empty() || self.pause.is_some() {
            return false;
        }
        for key in self.troubles.due(now) {
            self.look(key);
        }
        self.sides.wake(now);
        let Some(family) = self.family else {
            let sequence = self.fly(Flight::Lookup);
            encode_lookup(sequence, batch);
            self.patience = Some(now + PATIENCE);
            return true;
        };
        for request in self.requests() {
            let sequence = self.fly(Flight::Request(request.clone()));
            encode(family, &request, sequence, batch);
        }
        let is_any = !self.flights.is_empty();
        self.patience = is_any.then(|| now + PATIENCE);
        is_any
    }

    /// When [`Self::next`] has something to do although nothing was heard.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        if self.pause.is_some() {
            return self.pause;
        }
        [self.patience, self.troubles.deadline(), self.sides.deadline()].into_iter().flatten().min()
    }

    /// Whether all is as it should be, but for what has been refused and waits for another attempt. Without IPVS nothing
    /// is.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let is_known = self.family.is_some() && self.is_listed && self.looks.is_empty() && !self.must_flush;
        let is_idle = self.flights.is_empty() && self.work.is_empty();
        is_known && is_idle && self.sides.is_settled() && self.timeouts_request().is_none()
    }

    /// What is worth telling since the last call.
    pub fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// The kernel's IPVS, as soon as it has said what it is.
    #[must_use]
    pub const fn kernel(&self) -> Option<Kernel> {
        self.kernel
    }

    /// The kernel has said that it has no IPVS, and none was found since.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        self.is_missing_told
    }

    /// What there should be.
    #[must_use]
    pub const fn wanted(&self) -> &Table {
        &self.wanted
    }

    /// What the kernel holds, as far as it is known: of others' services not the destinations. Traffic is that of the
    /// last [`Self::refresh`].
    #[must_use]
    pub const fn held(&self) -> &BTreeMap<ServiceKey, HeldService> {
        &self.held
    }

    /// Which services were ours and are in the table no more, since the last call.
    pub fn take_gone(&mut self) -> Vec<ServiceKey> {
        let mut gone = std::mem::take(&mut self.gone);
        // It may have come to be wanted again.
        gone.retain(|key| !self.ours.contains(key));
        gone
    }

    /// Which services are ours: what a worker after this one is to [`Self::sweep`].
    pub fn ours(&self) -> impl Iterator<Item = ServiceKey> {
        self.ours.iter().copied()
    }

    /// The sides of connection synchronisation that run, as far as it is known.
    #[must_use]
    pub const fn held_sides(&self) -> &BTreeMap<SyncRole, SyncSide> {
        self.sides.held()
    }

    fn fly(&mut self, flight: Flight) -> Sequence {
        let sequence = self.sequence.map_or(Sequence::FIRST, Sequence::next);
        self.sequence = Some(sequence);
        self.flights.insert(sequence, flight);
        sequence
    }
}
