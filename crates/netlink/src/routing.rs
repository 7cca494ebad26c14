//! Which routes and policy rules the kernel should hold, and how it gets there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

mod state;
mod text;

use model::route::{Path, Protocol, Route};
use model::rule::Rule;
use model::{IfIndex, IfName, Instant, Prefix};

use crate::errno::Errno;
use crate::event::{Address, Link};
use crate::mirror::{Change, Mirror};
use crate::pace::Pauses;
use crate::reconcile::{Action, PUT_BACK_SPAN, Report};
use crate::request::{Request, Sequence};
use crate::route::{Missing, devices, hops};
use crate::transaction::{Notice, Outcome};
use crate::{route, rule};
use state::{Progress, State};

/// Makes the routes and rules of the host what they should be, whatever happens to them meanwhile.
///
/// It is to them what [`Reconciler`](crate::Reconciler) is to addresses, and goes another way to it. Of routes there may be
/// a million that are not ours, so none is listed: whether one is there, the kernel is asked by adding it again, which
/// changes nothing if it is (`EEXIST`). That is done when something is heard after which it may be gone: the
/// deletion of one to the same place, a device that comes up, an address that goes. Deletions name all of a route, its
/// protocol above all, so that nobody else's is met.
///
/// What is to go is worked off before what is to come.
///
/// ```text
///          want, unwant, sweep          issue               answer, as aimed
///  (new) ─────────────────────► Queued ──────► InFlight ─────────────────────► Settled
///                                 ▲ ▲▲ │            │                              │
///                 link comes up   │ ││ │ no link    │                              │ may be gone: asked for again;
///                Awaiting ────────┘ ││ └──► Awaiting│                              │ link down: Awaiting;
///                                   │└─ Failed ◄────┘ refused                      │ deleted, and not tracked: Lost
///                                   └───────────────────────── Held ◄──────────────┘
/// ```
#[derive(Clone, Debug, Default)]
pub struct Routing {
    entries: BTreeMap<Entry, State>,
    leaving: VecDeque<Entry>,
    coming: VecDeque<Entry>,
    in_flight: BTreeMap<Sequence, Entry>,
    paused: Pauses<Entry>,
    /// Where in the kernel's tables entries stand.
    places: BTreeMap<Place, BTreeSet<Entry>>,
    /// The links that are set up.
    up: BTreeMap<IfName, IfIndex>,
}

/// A route or a rule. Whether its loss matters to an instance is not part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// A route.
    Route(Arc<Route>),
    /// A policy rule.
    Rule(Arc<Rule>),
}

/// What events name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Route(route::Place),
    Rule(rule::Form),
}

impl Routing {
    /// `owner` wants it to be there. If it is `tracked`, it is put back when others delete it.
    ///
    /// Several may want it; it goes when the last of them has released it.
    pub fn want(&mut self, owner: &str, entry: &Entry, tracked: bool) {
        let state = self.entries.entry(entry.clone()).or_default();
        state.want(owner, tracked);
        let rests = state.placed.is_some() && state.progress == Progress::Settled;
        if !rests {
            self.enqueue(entry);
        }
    }

    /// `owner` does not want it any more. If nobody else does, it shall not be there.
    pub fn unwant(&mut self, owner: &str, entry: &Entry) {
        let Some(state) = self.entries.get_mut(entry) else { return };
        state.unwant(owner);
        if !state.is_wanted() {
            self.enqueue(entry);
        }
    }

    /// Deletes what an earlier run left: of the entries `configured`, those that nobody wants. Only what carries our
    /// protocol number.
    pub fn sweep(&mut self, configured: impl IntoIterator<Item = Entry>) {
        for entry in configured {
            if !self.entries.contains_key(&entry) && entry.protocol() == Protocol::KEEPALIVED {
                self.entries.insert(entry.clone(), State::left_over());
                self.enqueue(&entry);
            }
        }
    }

    /// Takes the next deletion that is due: hands its request to `ask` and remembers the number that it gives back. False
    /// if none is. What needs no operation is settled on the way and reported.
    pub fn issue_leaving(
        &mut self,
        mirror: &Mirror,
        reports: &mut Vec<Report<Entry>>,
        ask: impl FnOnce(Request) -> Sequence,
    ) -> bool {
        while let Some(entry) = self.leaving.pop_front() {
            if let Some((action, request)) = self.next_step(&entry, mirror, reports) {
                self.begin(entry, action, ask(request));
                return true;
            }
        }
        false
    }

    /// The same for what is to be added.
    pub fn issue_coming(
        &mut self,
        now: Instant,
        mirror: &Mirror,
        reports: &mut Vec<Report<Entry>>,
        ask: impl FnOnce(Request) -> Sequence,
    ) -> bool {
        self.release_paused(now);
        while let Some(entry) = self.coming.pop_front() {
            if let Some((action, request)) = self.next_step(&entry, mirror, reports) {
                self.begin(entry, action, ask(request));
                return true;
            }
        }
        false
    }

    /// Takes in what came of what was received, and appends what is worth saying about it.
    pub fn on_notice(
        &mut self,
        now: Instant,
        notice: &Notice,
        mirror: &Mirror,
        reports: &mut Vec<Report<Entry>>,
    ) {
        match notice {
            Notice::Answered { sequence, request: _, outcome } => {
                self.on_answer(now, *sequence, outcome, mirror, reports);
            }
            Notice::Changed(Change::Link(link)) => self.review_link(link, reports),
            Notice::Changed(Change::LinkGone { index, name }) => {
                if self.up.get(name) == Some(index) {
                    self.on_down(name, reports);
                }
            }
            Notice::Changed(Change::Address(address)) => self.on_address(address),
            Notice::Changed(Change::AddressGone(address)) => self.on_address_gone(address, mirror),
            Notice::Changed(Change::RouteGone(place)) => {
                self.on_gone(now, &Place::Route(place.clone()), reports);
            }
            Notice::Changed(Change::RuleGone(form)) => {
                self.on_gone(now, &Place::Rule(form.clone()), reports);
            }
            Notice::Synchronised => self.review_all(),
            Notice::NotSynchronised(_) => {}
        }
    }

    /// When [`Self::issue_coming`] is to be called though nothing was heard.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.paused.next()
    }

    /// Whether nothing is left to do now.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.leaving.is_empty() && self.coming.is_empty() && self.in_flight.is_empty()
    }

    /// Whether nothing is left in the kernel that should not be there, as far as it is known.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.entries.values().all(State::is_wanted)
    }

    fn begin(&mut self, entry: Entry, action: Action, sequence: Sequence) {
        if let Some(state) = self.entries.get_mut(&entry) {
            state.progress = Progress::InFlight { action, disturbed: false };
        }
        self.in_flight.insert(sequence, entry);
    }

    fn enqueue(&mut self, entry: &Entry) {
        let Some(state) = self.entries.get_mut(entry) else { return };
        // What is queued, or under way, is looked at anyway.
        if matches!(state.progress, Progress::Queued | Progress::InFlight { .. }) {
            return;
        }
        if let Some(until) = state.progress.pause() {
            self.paused.end(until, entry);
        }
        state.progress = Progress::Queued;
        let queue = if state.is_wanted() { &mut self.coming } else { &mut self.leaving };
        queue.push_back(entry.clone());
    }

    fn pause(&mut self, entry: &Entry, progress: Progress) {
        if let Some((state, until)) = self.entries.get_mut(entry).zip(progress.pause()) {
            state.progress = progress;
            self.paused.begin(until, entry.clone());
        }
    }

    fn release_paused(&mut self, now: Instant) {
        while let Some(entry) = self.paused.take_due(now) {
            self.enqueue(&entry);
        }
    }

    /// What is to be done about a queued entry; `None` if it needs no operation, which settles it.
    fn next_step(
        &mut self,
        entry: &Entry,
        mirror: &Mirror,
        reports: &mut Vec<Report<Entry>>,
    ) -> Option<(Action, Request)> {
        let body = entry.body(mirror);
        let state = self.entries.get_mut(entry)?;
        if !state.is_wanted() {
            return self.leave(entry, body.ok(), mirror, reports);
        }
        match body {
            Err(Missing(_)) => {
                state.progress = Progress::Awaiting;
                self.displace(entry);
                reports.push(Report::AwaitingLink { slot: entry.clone() });
                None
            }
            Ok(body) => match &state.placed {
                // Another link has the name of its device, or another table its VRF.
                Some(placed) if placed.body != body => {
                    Some((Action::Delete, entry.delete(placed.body.clone())))
                }
                Some(_) | None => {
                    let request = entry.add(body.clone());
                    state.asked = Some(body);
                    Some((Action::Add, request))
                }
            },
        }
    }

    /// What is to be done about an entry that nobody wants.
    fn leave(
        &mut self,
        entry: &Entry,
        body: Option<Box<[u8]>>,
        mirror: &Mirror,
        reports: &mut Vec<Report<Entry>>,
    ) -> Option<(Action, Request)> {
        let state = self.entries.get(entry)?;
        let known = state.placed.as_ref().map(|placed| placed.body.clone());
        let added = state.placed.as_ref().is_some_and(|placed| placed.added);
        let there = known.or_else(|| body.filter(|_| state.left_over));
        let foreign = |body: &[u8]| !added && entry.is_foreign_rule(body, mirror);
        let report = match there {
            Some(body) if !foreign(&body) => return Some((Action::Delete, entry.delete(body))),
            Some(_) if state.placed.is_some() => Some(Report::LeftAlone { slot: entry.clone() }),
            // What was not there, or went with its link, is not released.
            Some(_) | None => state.was_deleted.then(|| Report::Absent { slot: entry.clone() }),
        };
        self.displace(entry);
        self.entries.remove(entry);
        reports.extend(report);
        None
    }

    fn on_answer(
        &mut self,
        now: Instant,
        sequence: Sequence,
        outcome: &Outcome,
        mirror: &Mirror,
        reports: &mut Vec<Report<Entry>>,
    ) {
        let Some(entry) = self.in_flight.remove(&sequence) else { return };
        let Some(state) = self.entries.get_mut(&entry) else { return };
        let Progress::InFlight { action, disturbed } = state.progress else { return };
        let unknown = action == Action::Delete && state.placed.is_none() && !state.is_wanted();
        match Verdict::of(action, outcome) {
            // An earlier run has not left it, or the kernel does not even understand it.
            Verdict::Refused(_) | Verdict::Holds { added: false } if unknown => {
                self.entries.remove(&entry);
                return;
            }
            Verdict::Lost => state.progress = Progress::Settled,
            Verdict::Holds { added } => {
                state.refusals = None;
                state.progress = Progress::Settled;
                self.take_effect(now, &entry, action, added, reports);
            }
            Verdict::NoLink => {
                state.progress = Progress::Awaiting;
                state.late = true;
                reports.push(Report::AwaitingLink { slot: entry.clone() });
                self.displace(&entry);
                return;
            }
            Verdict::Refused(refusal) => {
                let first = state.refused(action);
                let until = now + state.pause();
                if first {
                    reports.push(Report::Failed { slot: entry.clone(), action, refusal });
                }
                self.pause(&entry, Progress::Failed { until });
                return;
            }
        }
        let Some(state) = self.entries.get(&entry) else { return };
        let stands = state.placed.as_ref().map(|placed| &placed.body);
        let is_right = entry.body(mirror).is_ok_and(|body| stands == Some(&body));
        if disturbed || !state.is_wanted() || !is_right || matches!(outcome, Outcome::Lost) {
            self.enqueue(&entry);
        }
    }

    /// An operation has done what it should.
    fn take_effect(
        &mut self,
        now: Instant,
        entry: &Entry,
        action: Action,
        added: bool,
        reports: &mut Vec<Report<Entry>>,
    ) {
        if action == Action::Delete {
            self.displace(entry);
            if let Some(state) = self.entries.get_mut(entry) {
                state.left_over = false;
                state.was_deleted = added;
            }
            return;
        }
        let Some(state) = self.entries.get_mut(entry) else { return };
        state.was_deleted = false;
        let was_lost = state.deletions.open.take().is_some();
        let before = state.placed.take();
        let late = std::mem::take(&mut state.late);
        if let Some(body) = state.asked.take() {
            let added = added || before.as_ref().is_some_and(|before| before.added);
            if let Some(place) = entry.place(&body) {
                self.places.entry(place).or_default().insert(entry.clone());
            }
            state.placed = Some(state::Placed { body, added });
        }
        if was_lost && added {
            let times = state.deletions.count(now, ());
            state.deletions.open = None;
            reports.push(Report::PutBack { slot: entry.clone(), times });
        } else if before.is_none()
            && let Some(owner) = state.owner()
        {
            reports.push(Report::Present { slot: entry.clone(), owner: owner.into(), late });
        }
    }

    /// It is not in the kernel any more.
    fn displace(&mut self, entry: &Entry) {
        let Some(placed) = self.entries.get_mut(entry).and_then(|state| state.placed.take()) else { return };
        let Some(place) = entry.place(&placed.body) else { return };
        if let Some(there) = self.places.get_mut(&place) {
            there.remove(entry);
            if there.is_empty() {
                self.places.remove(&place);
            }
        }
    }

    /// Something has gone from a place at which entries stand: one of them, perhaps.
    fn on_gone(&mut self, now: Instant, place: &Place, reports: &mut Vec<Report<Entry>>) {
        let there: Vec<_> = self.places.get(place).into_iter().flatten().cloned().collect();
        let alone = there.len() == 1;
        for entry in there {
            let Some(state) = self.entries.get_mut(&entry) else { continue };
            match state.progress {
                Progress::InFlight { action: Action::Add, .. } => {
                    state.progress = Progress::InFlight { action: Action::Add, disturbed: true };
                }
                Progress::Settled if !state.is_tracked() && alone => {
                    state.progress = Progress::Lost;
                    self.displace(&entry);
                    reports.push(Report::Lost { slot: entry });
                }
                Progress::Settled if !state.is_tracked() => {}
                Progress::Settled if state.is_exhausted(now) => {
                    let until = state.deletions.since + PUT_BACK_SPAN;
                    state.deletions.open = Some(());
                    state.late = true;
                    self.pause(&entry, Progress::Held { until });
                    reports.push(Report::HeldBack { slot: entry, until });
                }
                Progress::Settled => {
                    state.deletions.open = Some(());
                    self.enqueue(&entry);
                }
                Progress::InFlight { action: Action::Delete, .. }
                | Progress::Queued
                | Progress::Awaiting
                | Progress::Lost
                | Progress::Held { .. }
                | Progress::Failed { .. } => {}
            }
        }
    }

    fn review_link(&mut self, link: &Link, reports: &mut Vec<Report<Entry>>) {
        let was_up = self.up.get(&link.name).copied();
        if link.up && was_up != Some(link.index) {
            self.up.insert(link.name.clone(), link.index);
            self.on_up(&link.name);
        } else if !link.up && was_up.is_some() {
            self.on_down(&link.name, reports);
        }
    }

    /// A link is there and up: what needs it may be added now, and what was on it before is perhaps gone.
    fn on_up(&mut self, name: &IfName) {
        self.enqueue_where(|entry, _| entry.may_use(name));
    }

    /// With a link that goes down the kernel drops its IPv4 routes, and says nothing.
    fn on_down(&mut self, name: &IfName, reports: &mut Vec<Report<Entry>>) {
        self.up.remove(name);
        let gone = self.entries.iter().filter(|(entry, state)| {
            matches!(state.progress, Progress::Settled | Progress::Lost) && entry.falls_with(name)
        });
        for entry in gone.map(|(entry, _)| entry.clone()).collect::<Vec<_>>() {
            self.displace(&entry);
            if let Some(state) = self.entries.get_mut(&entry) {
                state.progress = Progress::Awaiting;
                state.late = true;
                reports.push(Report::AwaitingLink { slot: entry });
            }
        }
    }

    /// An address may be what a route has waited for.
    fn on_address(&mut self, address: &Address) {
        self.enqueue_where(|entry, state| {
            matches!(state.progress, Progress::Failed { .. }) && entry.may_need(address.prefix)
        });
    }

    /// With an address the kernel drops the IPv4 routes from it, and with the last one of a link all that use it, and
    /// says nothing.
    fn on_address_gone(&mut self, address: &Address, mirror: &Mirror) {
        let gone = address.prefix.address();
        if gone.is_ipv6() {
            return;
        }
        let was_last = !mirror.addresses_of(address.index).any(|one| one.prefix.address().is_ipv4());
        let link = mirror.link(address.index).map(|link| &link.name).filter(|_| was_last);
        self.enqueue_where(|entry, state| {
            state.progress == Progress::Settled
                && (entry.source() == Some(gone) || link.is_some_and(|link| entry.may_use(link)))
        });
    }

    /// Events may have been lost: all that should be there is asked for again.
    fn review_all(&mut self) {
        self.enqueue_where(|_, state| match state.progress {
            Progress::Settled | Progress::Awaiting | Progress::Failed { .. } => true,
            Progress::Queued | Progress::InFlight { .. } | Progress::Lost | Progress::Held { .. } => false,
        });
    }

    fn enqueue_where(&mut self, concerned: impl Fn(&Entry, &State) -> bool) {
        let found = self.entries.iter().filter(|(entry, state)| concerned(entry, state));
        for entry in found.map(|(entry, _)| entry.clone()).collect::<Vec<_>>() {
            self.enqueue(&entry);
        }
    }
}

impl Entry {
    /// A route, and whether it is tracked.
    #[must_use]
    pub fn route(route: &Route) -> (Self, bool) {
        (Self::Route(Arc::new(Route { tracked: true, ..route.clone() })), route.tracked)
    }

    /// A rule, and whether it is tracked.
    #[must_use]
    pub fn rule(rule: &Rule) -> (Self, bool) {
        (Self::Rule(Arc::new(Rule { tracked: true, ..rule.clone() })), rule.tracked)
    }

    fn protocol(&self) -> Protocol {
        match self {
            Self::Route(route) => route::known(&route.protocol).unwrap_or(Protocol(0)),
            Self::Rule(rule) => rule.protocol,
        }
    }

    fn body(&self, mirror: &Mirror) -> Result<Box<[u8]>, Missing> {
        match self {
            Self::Route(route) => route::body(route, mirror),
            Self::Rule(rule) => Ok(rule::body(rule)),
        }
    }

    fn add(&self, body: Box<[u8]>) -> Request {
        match self {
            Self::Route(route) => Request::AddRoute { insert: route.insert, body },
            Self::Rule(_) => Request::AddRule(body),
        }
    }

    fn delete(&self, body: Box<[u8]>) -> Request {
        match self {
            Self::Route(_) => Request::DeleteRoute(body),
            Self::Rule(_) => Request::DeleteRule(body),
        }
    }

    fn place(&self, body: &[u8]) -> Option<Place> {
        match self {
            Self::Route(_) => route::place(body).map(|(place, _)| Place::Route(place)),
            Self::Rule(_) => rule::form(body).map(|(form, _)| Place::Rule(form)),
        }
    }

    /// Deleting a rule does not look at who made it; deleting a route does.
    fn is_foreign_rule(&self, body: &[u8], mirror: &Mirror) -> bool {
        match self {
            Self::Route(_) => false,
            Self::Rule(_) => !rule::form(body).is_some_and(|(form, _)| mirror.has_own_rule(&form)),
        }
    }

    const fn as_route(&self) -> Option<&Arc<Route>> {
        match self {
            Self::Route(route) => Some(route),
            Self::Rule(_) => None,
        }
    }

    fn source(&self) -> Option<std::net::IpAddr> {
        self.as_route()?.source
    }

    /// Whether it is a route that leaves by this link, or may: the kernel finds a device where none is named.
    fn may_use(&self, link: &IfName) -> bool {
        self.as_route().is_some_and(|route| {
            devices(route).any(|device| device == link) || hops(route).any(|hop| hop.device.is_none())
        })
    }

    /// Whether it is a route that cannot be without this link. One with several ways has others.
    fn falls_with(&self, link: &IfName) -> bool {
        self.as_route().is_some_and(|route| {
            !matches!(route.path, Path::Multipath(_)) && devices(route).any(|device| device == link)
        })
    }

    /// Whether it is a route that cannot be without an address like this.
    fn may_need(&self, prefix: Prefix) -> bool {
        let leads = |gateway| {
            Prefix::new(gateway, prefix.length()).is_ok_and(|gateway| gateway.network() == prefix.network())
        };
        self.as_route().is_some_and(|route| {
            route.source == Some(prefix.address()) || hops(route).filter_map(|hop| hop.gateway).any(leads)
        })
    }
}

/// What an answer says about an entry.
enum Verdict {
    /// It is as the operation meant it to be; `added` by this operation.
    Holds {
        added: bool,
    },
    /// The answer was lost.
    Lost,
    /// Its device is gone or down, which an event is about to say, or has said.
    NoLink,
    Refused(crate::errno::Refusal),
}

impl Verdict {
    fn of(action: Action, outcome: &Outcome) -> Self {
        let refusal = match outcome {
            Outcome::Done => return Self::Holds { added: true },
            Outcome::Lost => return Self::Lost,
            Outcome::Refused(refusal) => refusal,
        };
        match (action, refusal.errno) {
            (Action::Add, Errno::EEXIST) | (Action::Delete, Errno::ESRCH | Errno::ENOENT | Errno::ENODEV) => {
                Self::Holds { added: false }
            }
            (Action::Add, Errno::ENODEV | Errno::ENETDOWN) => Self::NoLink,
            _ => Self::Refused(refusal.clone()),
        }
    }
}

impl fmt::Display for Entry {
    /// In the words of a configuration: `route 192.0.2.0/24 via 198.51.100.1 dev eth0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(route) => write!(f, "route {}", text::Route(route)),
            Self::Rule(rule) => write!(f, "rule {}", text::Rule(rule)),
        }
    }
}
