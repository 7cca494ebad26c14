//! Which virtual addresses the devices should hold, and how the kernel gets there.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

mod state;

use model::vrrp::VirtualAddress;
use model::{IfIndex, IfName, Instant, Prefix};

use crate::errno::{Errno, Refusal};
use crate::mirror::{Change, Mirror};
use crate::pace::Pauses;
use crate::request::{NewAddress, PROTOCOL, Request, Sequence};
use crate::transaction::{Notice, Outcome};
use state::{Placed, Progress, State};

/// How often a deleted address is put back at once within [`PUT_BACK_SPAN`]; after that it waits for the span's end.
pub const PUT_BACKS: u32 = 5;
/// The span in which deletions by others are counted.
pub const PUT_BACK_SPAN: Duration = Duration::from_secs(10);
/// From the first refusal of an operation to the next attempt; it doubles with each one, up to [`RETRY_MOST`].
pub const RETRY_FIRST: Duration = Duration::from_secs(1);
/// The longest pause between two attempts.
pub const RETRY_MOST: Duration = Duration::from_secs(60);

/// Makes the virtual addresses of the devices what they should be (what should be there, compared with the
/// mirror, gives the next operation), whatever happens to them meanwhile.
///
/// An address is told by its device's name, itself and its prefix length: a [`Slot`]. Slots are worked off in the order
/// in which they were asked for. One slot has one operation under way at most; what is wanted of it may change
/// meanwhile, and is looked at again when the answer comes.
///
/// ```text
///           want, unwant, sweep          issue               answer, as aimed
///   (new) ─────────────────────► Queued ──────► InFlight ─────────────────────► Settled
///                                 ▲ ▲▲ │            │ │ no such link               │
///                  link appears   │ ││ │ no link    │ ▼                            │ gone: deleted by others, or with
///                AwaitingLink ────┘ ││ └───► AwaitingLink ◄────────────────────────┤ its link; put back, at once or
///                                   │└─ Failed ◄────┘ refused                      │ after a while
///                                   └───────────────────────── Held ◄──────────────┘
/// ```
///
/// A refused operation leaves the slot `Failed` for a while that doubles; it is tried again before that when its
/// link changes, when the mirror has been synchronised, or when it is asked for again.
/// An address that a renamed link has taken along is deleted there, unless it is wanted under the new name too, or
/// is not ours.
/// A slot that should not be there is forgotten once it is not.
#[derive(Clone, Debug, Default)]
pub struct Reconciler {
    slots: BTreeMap<Slot, State>,
    queue: VecDeque<Slot>,
    in_flight: BTreeMap<Sequence, Slot>,
    /// Those that are held back or have failed, by when that ends.
    paused: Pauses<Slot>,
}

/// An address on a device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The device, by name: which link has it may change.
    pub device: IfName,
    /// Address and prefix length.
    pub prefix: Prefix,
}

/// What is done about a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The address is added.
    Add,
    /// The address is deleted.
    Delete,
}

/// An operation under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its request.
    pub sequence: Sequence,
    /// What is done.
    pub action: Action,
    /// Where.
    pub slot: Slot,
}

/// Something that the operator or the machine may want to know of an address, or of a route or rule (`S`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report<S = Slot> {
    /// The address is on the device.
    Present {
        /// Which.
        slot: S,
        /// Whose it is: of several, who wanted it last.
        owner: Box<str>,
        /// It comes later than asked, or comes again: it was refused before, its link was awaited, others had deleted
        /// it, or it is on another link than before. Who announced it when it was asked for announces it anew.
        late: bool,
    },
    /// The address is not on the device any more, or was not there. A route or rule was there, and has been deleted.
    Absent {
        /// Which.
        slot: S,
    },
    /// The address is not wanted any more, but somebody else had set it: it stays. What an operator has put there,
    /// the host's own address above all, is not ours to delete.
    LeftAlone {
        /// Which.
        slot: S,
    },
    /// The kernel refused, for the first time in a row; more refusals are not told. It is tried again, after
    /// [`RETRY_FIRST`] at first; when it succeeds, [`Report::Present`] (late) or [`Report::Absent`] says so.
    Failed {
        /// Which.
        slot: S,
        /// What was tried.
        action: Action,
        /// Why not.
        refusal: Refusal,
    },
    /// There is no such device, or for a route it is down; what was wanted will be added when there is.
    AwaitingLink {
        /// Which.
        slot: S,
    },
    /// Somebody else had deleted the address, and it has been put back. (Said afterwards, because at first the
    /// end of a link looks the same.)
    PutBack {
        /// Which.
        slot: S,
        /// The how many-th time within [`PUT_BACK_SPAN`], from 1.
        times: u32,
    },
    /// Somebody else deleted what is not tracked (`no_track`): it stays away until it is asked for again, or its link
    /// comes up.
    Lost {
        /// Which.
        slot: S,
    },
    /// Somebody else deleted the address more than [`PUT_BACKS`] times within [`PUT_BACK_SPAN`]. It is put back later.
    HeldBack {
        /// Which.
        slot: S,
        /// When.
        until: Instant,
    },
}

impl Reconciler {
    /// Nothing is wanted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The address shall be on its device. `owner` is the instance that says so.
    ///
    /// Several may say so of one slot; the address then goes when the last of them has released it, and can pass from
    /// one to another without ever being away. Scope, label and broadcast address are those of who said it last,
    /// when the address is added; one that is there already stays as it is.
    pub fn want(&mut self, owner: &str, address: &VirtualAddress) {
        let slot = Slot::of(address);
        self.slots.entry(slot.clone()).or_default().want(owner, address);
        self.aim(&slot);
    }

    /// `owner` does not want the address on its device any more. If nobody else does, it shall not be there.
    pub fn unwant(&mut self, owner: &str, device: &IfName, prefix: Prefix) {
        let slot = Slot { device: device.clone(), prefix };
        let state = self.slots.entry(slot.clone()).or_default();
        state.unwant(owner);
        if !state.is_wanted() {
            self.aim(&slot);
        }
    }

    /// Deletes what an earlier run left: of the addresses `configured`, those that a device holds and nobody wants.
    ///
    /// Only exactly such an address, with exactly its prefix length, on exactly its device.
    pub fn sweep<'a>(&mut self, configured: impl IntoIterator<Item = &'a VirtualAddress>, mirror: &Mirror) {
        for address in configured {
            let slot = Slot::of(address);
            if self.owner(&slot).is_none() && slot.holder(mirror).is_some() {
                self.slots.entry(slot.clone()).or_default();
                self.aim(&slot);
            }
        }
    }

    /// Takes the next operation that is due: hands its request to `ask` and remembers the number that it gives back.
    ///
    /// `None` if nothing is to be done now. What needs no operation is settled on the way and reported.
    pub fn issue(
        &mut self,
        now: Instant,
        mirror: &Mirror,
        reports: &mut Vec<Report>,
        ask: impl FnOnce(Request) -> Sequence,
    ) -> Option<Operation> {
        self.release_paused(now);
        while let Some(slot) = self.queue.pop_front() {
            if let Some((action, index, request)) = self.next_step(&slot, mirror, reports) {
                let sequence = ask(request);
                if let Some(state) = self.slots.get_mut(&slot) {
                    state.progress = Progress::InFlight { action, index, disturbed: false };
                }
                self.in_flight.insert(sequence, slot.clone());
                return Some(Operation { sequence, action, slot });
            }
        }
        None
    }

    /// Takes up to `most` operations that are due, as [`Self::issue`] takes one, and gives how many there were.
    ///
    /// With [`Transactions::ask`](crate::Transactions::ask) on one buffer they become one datagram, which the kernel
    /// works off in order, within the call that sends it; each has a number and an answer of its own. If the
    /// sending fails nothing was done: see [`Transactions::not_sent`](crate::Transactions::not_sent).
    pub fn issue_batch(
        &mut self,
        now: Instant,
        mirror: &Mirror,
        reports: &mut Vec<Report>,
        most: usize,
        mut ask: impl FnMut(Request) -> Sequence,
    ) -> usize {
        (0..most).map_while(|_| self.issue(now, mirror, reports, &mut ask)).count()
    }

    /// Takes in what came of what was received, and appends what is worth saying about it.
    pub fn on_notice(&mut self, now: Instant, notice: &Notice, mirror: &Mirror, reports: &mut Vec<Report>) {
        match notice {
            Notice::Answered { sequence, request: _, outcome } => {
                self.on_answer(now, *sequence, outcome, mirror, reports);
            }
            Notice::Changed(Change::Link(link)) => self.review_links(&link.name, link.index, mirror),
            Notice::Changed(Change::LinkGone { index, name }) => self.review_links(name, *index, mirror),
            Notice::Changed(Change::AddressGone(address)) => {
                if let Some(link) = mirror.link(address.index) {
                    let slot = Slot { device: link.name.clone(), prefix: address.prefix };
                    self.on_gone(now, &slot, link.index, mirror, reports);
                }
            }
            Notice::Synchronised => self.review_all(mirror),
            Notice::Changed(Change::Address(_) | Change::RouteGone(_) | Change::RuleGone(_))
            | Notice::NotSynchronised(_) => {}
        }
    }

    /// When [`Self::issue`] is to be called though nothing was heard: for an address that others keep deleting, or one
    /// that was refused.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.paused.next()
    }

    /// Whether nothing is left to do now: no operation waits or is under way, but for those that wait for a link or
    /// for [`Self::deadline`].
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.in_flight.is_empty()
    }

    /// Whether nothing is left on a device that should not be there, as far as it is known.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.slots.values().all(|state| !state.wanted.is_empty())
    }

    /// Who wants the address on its device; of several, who said so last.
    #[must_use]
    pub fn owner(&self, slot: &Slot) -> Option<&str> {
        self.owners(slot).next_back()
    }

    /// All who want the address on its device, in the order in which they said so.
    pub fn owners(&self, slot: &Slot) -> impl DoubleEndedIterator<Item = &str> {
        self.slots.get(slot).into_iter().flat_map(State::owners)
    }

    /// Whether this process has added the address that is on the device. `false` if it was there already, and while
    /// it is not known to be there.
    #[must_use]
    pub fn added(&self, slot: &Slot) -> bool {
        self.slots.get(slot).and_then(|state| state.placed).is_some_and(|placed| placed.added)
    }

    /// Whether somebody wants `prefix` on `device`: is it a virtual address of this process?
    #[must_use]
    pub fn wants(&self, device: &IfName, prefix: Prefix) -> bool {
        self.owner(&Slot { device: device.clone(), prefix }).is_some()
    }

    /// What is wanted of a slot has changed: has it looked at.
    fn aim(&mut self, slot: &Slot) {
        match self.slots.get(slot).map(|state| state.progress) {
            // The answer leads to another look.
            None | Some(Progress::Queued | Progress::InFlight { .. }) => {}
            Some(
                Progress::AwaitingLink
                | Progress::Held { .. }
                | Progress::Settled
                | Progress::Lost
                | Progress::Failed { .. },
            ) => self.enqueue(slot),
        }
    }

    fn enqueue(&mut self, slot: &Slot) {
        let Some(state) = self.slots.get_mut(slot) else { return };
        if let Some(until) = state.progress.pause() {
            self.paused.end(until, slot);
        }
        state.progress = Progress::Queued;
        self.queue.push_back(slot.clone());
    }

    fn pause(&mut self, slot: Slot, progress: Progress) {
        if let Some((state, until)) = self.slots.get_mut(&slot).zip(progress.pause()) {
            state.progress = progress;
            self.paused.begin(until, slot);
        }
    }

    fn release_paused(&mut self, now: Instant) {
        while let Some(slot) = self.paused.take_due(now) {
            self.enqueue(&slot);
        }
    }

    /// What is to be done about a queued slot; `None` if it needs no operation, which settles it.
    fn next_step(
        &mut self,
        slot: &Slot,
        mirror: &Mirror,
        reports: &mut Vec<Report>,
    ) -> Option<(Action, IfIndex, Request)> {
        let device = mirror.link_named(&slot.device).map(|link| link.index);
        let placed = self.slots.get(slot)?.placed.filter(|placed| mirror.link(placed.index).is_some());
        // A link that holds it under another name has been renamed: it is another device now.
        let stray = placed.filter(|placed| Some(placed.index) != device);
        if let Some(stray) = stray.filter(|stray| !self.may_stay(slot, *stray, mirror)) {
            return Some(slot.delete(stray.index, mirror));
        }
        let state = self.slots.get_mut(slot)?;
        state.placed = placed.filter(|placed| Some(placed.index) == device);
        let Some(wanted) = state.wanted.last() else { return self.leave(slot, mirror, reports) };
        let Some(index) = device else {
            state.awaits_link();
            reports.push(Report::AwaitingLink { slot: slot.clone() });
            return None;
        };
        if mirror.has(index, slot.prefix) {
            let placed = state.placed.unwrap_or(Placed { index, added: false });
            reports.extend(state.settle(slot, placed));
            return None;
        }
        Some((Action::Add, index, Request::AddAddress(new_address(index, &wanted.address))))
    }

    /// What is to be done about a queued slot that nobody wants, and that is on no other link.
    fn leave(
        &mut self,
        slot: &Slot,
        mirror: &Mirror,
        reports: &mut Vec<Report>,
    ) -> Option<(Action, IfIndex, Request)> {
        let placed = self.slots.get(slot)?.placed;
        let holder = || slot.holder(mirror).map(|index| Placed { index, added: false });
        let report = match placed.or_else(holder) {
            Some(placed) if placed.is_ours(slot, mirror) => return Some(slot.delete(placed.index, mirror)),
            Some(_) => Report::LeftAlone { slot: slot.clone() },
            None => Report::Absent { slot: slot.clone() },
        };
        self.slots.remove(slot);
        reports.push(report);
        None
    }

    /// Whether a link that has been renamed may keep the address that it has for `slot`: somebody else has set
    /// it, or it is wanted under the new name too. That slot then finds it there.
    fn may_stay(&mut self, slot: &Slot, stray: Placed, mirror: &Mirror) -> bool {
        if !stray.is_ours(slot, mirror) {
            return true;
        }
        let Some(link) = mirror.link(stray.index) else { return true };
        let has_its_name = mirror.link_named(&link.name).is_some_and(|named| named.index == link.index);
        let heir = Slot { device: link.name.clone(), prefix: slot.prefix };
        match self.slots.get_mut(&heir) {
            Some(state) if has_its_name && heir != *slot && state.is_wanted() => {
                // It finds what the mirror knows by itself.
                mirror.has(stray.index, slot.prefix) || state.inherit(stray)
            }
            _ => false,
        }
    }

    fn on_answer(
        &mut self,
        now: Instant,
        sequence: Sequence,
        outcome: &Outcome,
        mirror: &Mirror,
        reports: &mut Vec<Report>,
    ) {
        let Some(slot) = self.in_flight.remove(&sequence) else { return };
        let Some(state) = self.slots.get_mut(&slot) else { return };
        let Progress::InFlight { action, index, disturbed } = state.progress else { return };
        let is_device = mirror.link_named(&slot.device).is_some_and(|link| link.index == index);
        match verdict(action, outcome, index, &slot, mirror) {
            Verdict::Holds => {
                let added = matches!(outcome, Outcome::Done);
                state.placed = (action == Action::Add).then_some(Placed { index, added });
                state.refusals = None;
            }
            Verdict::Unknown => {
                let holds = mirror.has(index, slot.prefix);
                state.placed = holds.then_some(Placed { index, added: false });
            }
            Verdict::NoLink => {
                state.placed = None;
                // The mirror does not know yet that the link is gone: its next change tells.
                if is_device && state.is_wanted() {
                    state.awaits_link();
                    reports.push(Report::AwaitingLink { slot });
                    return;
                }
            }
            Verdict::Refused(refusal) => {
                let until = now + state.refused(action);
                if state.is_first_refusal() {
                    reports.push(Report::Failed { slot: slot.clone(), action, refusal });
                }
                self.pause(slot, Progress::Failed { until });
                return;
            }
        }
        match state.placed {
            Some(placed) if state.is_wanted() && placed.index == index && is_device && !disturbed => {
                if state.deletions.open == Some(index) {
                    reports.push(Report::PutBack { slot: slot.clone(), times: state.deletions.times });
                }
                reports.extend(state.settle(&slot, placed));
            }
            _ => {
                state.late |= action == Action::Add;
                self.enqueue(&slot);
            }
        }
    }

    /// The mirror has heard an address go that is, or was, a slot's.
    fn on_gone(
        &mut self,
        now: Instant,
        slot: &Slot,
        link: IfIndex,
        mirror: &Mirror,
        reports: &mut Vec<Report>,
    ) {
        let Some(state) = self.slots.get_mut(slot) else { return };
        let is_there = state.placed.is_some_and(|placed| placed.index == link);
        let is_tracked = state.is_tracked();
        match &mut state.progress {
            Progress::InFlight { action: Action::Add, index, disturbed } => *disturbed |= *index == link,
            // Another link of the name had it before, or the address is back already.
            Progress::Settled if !is_there || slot.holder(mirror).is_some() => {}
            Progress::Settled if !is_tracked => {
                state.placed = None;
                state.progress = Progress::Lost;
                reports.push(Report::Lost { slot: slot.clone() });
            }
            Progress::Settled => {
                state.placed = None;
                state.late = true;
                if state.deletions.count(now, link) <= PUT_BACKS {
                    self.enqueue(slot);
                } else {
                    let until = state.deletions.since + PUT_BACK_SPAN;
                    self.pause(slot.clone(), Progress::Held { until });
                    reports.push(Report::HeldBack { slot: slot.clone(), until });
                }
            }
            Progress::InFlight { action: Action::Delete, .. }
            | Progress::Queued
            | Progress::AwaitingLink
            | Progress::Lost
            | Progress::Held { .. }
            | Progress::Failed { .. } => state.placed = state.placed.filter(|_| !is_there),
        }
    }

    /// A link has come, gone or changed: what waits for its name, or is held by it, is looked at again.
    fn review_links(&mut self, name: &IfName, index: IfIndex, mirror: &Mirror) {
        let current = mirror.link_named(name).map(|link| link.index);
        let concerned = |slot: &Slot, state: &State| match state.progress {
            Progress::Settled if state.is_on(index) => {
                mirror.link_named(&slot.device).is_none_or(|link| link.index != index)
            }
            Progress::Settled => slot.device == *name && current.is_none_or(|current| !state.is_on(current)),
            Progress::AwaitingLink | Progress::Failed { .. } => slot.device == *name && current.is_some(),
            // It has gone with its link, and comes with the next one.
            Progress::Lost => slot.device == *name && current.is_none(),
            Progress::Queued | Progress::InFlight { .. } | Progress::Held { .. } => false,
        };
        self.enqueue_where(concerned);
    }

    /// The mirror is exact: what it lacks is missing, and what failed or waits may have done so in error.
    fn review_all(&mut self, mirror: &Mirror) {
        self.enqueue_where(|slot, state| match state.progress {
            Progress::Settled => slot.holder(mirror).is_none(),
            Progress::AwaitingLink => mirror.link_named(&slot.device).is_some(),
            Progress::Failed { .. } => true,
            Progress::Queued | Progress::InFlight { .. } | Progress::Lost | Progress::Held { .. } => false,
        });
    }

    fn enqueue_where(&mut self, concerned: impl Fn(&Slot, &State) -> bool) {
        let found = self.slots.iter().filter(|(slot, state)| concerned(slot, state));
        for slot in found.map(|(slot, _)| slot.clone()).collect::<Vec<_>>() {
            if let Some(state) = self.slots.get_mut(&slot) {
                state.late |= state.progress == Progress::Settled;
            }
            self.enqueue(&slot);
        }
    }
}

impl Slot {
    /// The slot of a configured address.
    #[must_use]
    pub fn of(address: &VirtualAddress) -> Self {
        Self { device: address.device.clone(), prefix: address.prefix }
    }

    /// The link of the device's name, if it holds the address.
    fn holder(&self, mirror: &Mirror) -> Option<IfIndex> {
        let index = mirror.link_named(&self.device)?.index;
        mirror.has(index, self.prefix).then_some(index)
    }

    fn delete(&self, index: IfIndex, mirror: &Mirror) -> (Action, IfIndex, Request) {
        let prefix = self.prefix;
        let peer = mirror.addresses_of(index).find(|one| one.prefix == prefix).and_then(|one| one.peer);
        (Action::Delete, index, Request::DeleteAddress { index, prefix, peer })
    }
}

impl fmt::Display for Slot {
    /// `192.0.2.1/24 on eth0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.prefix, self.device)
    }
}

/// What an answer says about a slot.
enum Verdict {
    /// It is as the operation meant it to be.
    Holds,
    /// The answer was lost, and the mirror is fresh.
    Unknown,
    /// The link does not exist any more.
    NoLink,
    Refused(Refusal),
}

fn verdict(action: Action, outcome: &Outcome, index: IfIndex, slot: &Slot, mirror: &Mirror) -> Verdict {
    let refusal = match outcome {
        Outcome::Done => return Verdict::Holds,
        Outcome::Lost => return Verdict::Unknown,
        Outcome::Refused(refusal) => refusal,
    };
    match (action, refusal.errno) {
        (Action::Add, Errno::EEXIST) if !is_there_otherwise(index, slot.prefix, mirror) => Verdict::Holds,
        (Action::Add, Errno::ENODEV) => Verdict::NoLink,
        (Action::Delete, Errno::EADDRNOTAVAIL | Errno::ENODEV) => Verdict::Holds,
        _ => Verdict::Refused(refusal.clone()),
    }
}

/// Whether the link has the address with another prefix length only. IPv6 has an address once, IPv4 once per length.
fn is_there_otherwise(index: IfIndex, prefix: Prefix, mirror: &Mirror) -> bool {
    !mirror.has(index, prefix)
        && prefix.address().is_ipv6()
        && mirror.addresses_of(index).any(|address| address.prefix.address() == prefix.address())
}

fn new_address(index: IfIndex, address: &VirtualAddress) -> NewAddress {
    NewAddress {
        index,
        prefix: address.prefix,
        // A name that nobody has looked up means as much as one that nobody knows: no scope of its own.
        scope: address.scope.number().unwrap_or_default().0,
        broadcast: address.broadcast,
        label: address.label.clone(),
        protocol: PROTOCOL,
        peer: address.peer,
        flags: address.flags,
        preferred: address.preferred,
        // A duplicate that is found would be the master before us, which is just what we replace.
        no_duplicate_detection: address.prefix.address().is_ipv6() && !address.flags.duplicate_detection,
    }
}
