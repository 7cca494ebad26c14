//! Which virtual addresses the devices should hold, and how the kernel gets there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use model::vrrp::VirtualAddress;
use model::{IfIndex, IfName, Instant, Prefix};

use crate::errno::{Errno, Refusal};
use crate::mirror::{Change, Mirror};
use crate::request::{NewAddress, PROTOCOL, Request, Sequence};
use crate::transaction::{Notice, Outcome};

/// How often a deleted address is put back at once within [`PUT_BACK_SPAN`]; after that it waits for the span's end.
pub const PUT_BACKS: u32 = 5;
/// The span in which deletions by others are counted.
pub const PUT_BACK_SPAN: Duration = Duration::from_secs(10);

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
///                                 ▲  ▲ │            │ no such link                 │
///                  link appears   │  │ │ no link    ▼                              │ gone: deleted by others, or with
///                AwaitingLink ────┘  │ └───► AwaitingLink ◄────────────────────────┤ its link; put back, at once or
///                                    └──────────────────────── Held ◄──────────────┘ after a while
/// ```
///
/// A refused operation leaves the slot `Failed`; it is tried again when its link changes, when the mirror has been
/// synchronised, or when it is asked for again.
/// A slot that should not be there is forgotten once it is not.
#[derive(Clone, Debug, Default)]
pub struct Reconciler {
    slots: BTreeMap<Slot, State>,
    queue: VecDeque<Slot>,
    in_flight: BTreeMap<Sequence, Slot>,
    /// Those held back, by when that ends.
    held: BTreeSet<(Instant, Slot)>,
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

/// Something that the operator or the machine may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The address is on the device.
    Present {
        /// Which.
        slot: Slot,
        /// Whose it is.
        owner: Box<str>,
    },
    /// The address is not on the device any more, or was not there.
    Absent {
        /// Which.
        slot: Slot,
    },
    /// The address is not wanted any more, but somebody else had set it: it stays. What an operator has put there,
    /// the host's own address above all, is not ours to delete.
    LeftAlone {
        /// Which.
        slot: Slot,
    },
    /// The kernel refused. The slot stays as it is until something about its link changes or it is asked for again.
    Failed {
        /// Which.
        slot: Slot,
        /// What was tried.
        action: Action,
        /// Why not.
        refusal: Refusal,
    },
    /// There is no such device; the address will be added when there is.
    AwaitingLink {
        /// Which.
        slot: Slot,
    },
    /// Somebody else had deleted the address, and it has been put back. (Said afterwards, because at first the
    /// end of a link looks the same.)
    PutBack {
        /// Which.
        slot: Slot,
        /// The how many-th time within [`PUT_BACK_SPAN`], from 1.
        times: u32,
    },
    /// Somebody else deleted the address more than [`PUT_BACKS`] times within [`PUT_BACK_SPAN`]. It is put back later.
    HeldBack {
        /// Which.
        slot: Slot,
        /// When.
        until: Instant,
    },
}

#[derive(Clone, Debug)]
struct State {
    goal: Goal,
    progress: Progress,
    /// The link that holds the address, by answers and events. The mirror alone does not tell: the kernel
    /// announces an IPv6 address some time after it has acknowledged the request.
    placed: Option<IfIndex>,
    /// It was this process that added it.
    added: bool,
    deletions: Deletions,
}

#[derive(Clone, Debug)]
enum Goal {
    Present { owner: Box<str>, address: VirtualAddress },
    Absent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
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
    Settled,
    Failed,
}

/// Deletions by others within a span.
#[derive(Clone, Copy, Debug, Default)]
struct Deletions {
    since: Instant,
    times: u32,
    /// The link whose deletion has not been made good yet.
    open: Option<IfIndex>,
}

impl Reconciler {
    /// Nothing is wanted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The address shall be on its device. `owner` is the instance that says so.
    ///
    /// Two owners of one slot are a mistake that the configuration refuses; here the last one has it, so that an
    /// address can pass from one instance to another without ever being away.
    pub fn want(&mut self, owner: &str, address: &VirtualAddress) {
        let slot = Slot::of(address);
        let goal = Goal::Present { owner: owner.into(), address: address.clone() };
        self.aim(slot, goal);
    }

    /// The address shall not be on its device. Does nothing if somebody else than `owner` wants it there now.
    pub fn unwant(&mut self, owner: &str, device: &IfName, prefix: Prefix) {
        let slot = Slot { device: device.clone(), prefix };
        if self.owner(&slot).is_none_or(|current| current == owner) {
            self.aim(slot, Goal::Absent);
        }
    }

    /// Deletes what an earlier run left: of the addresses `configured`, those that a device holds and nobody wants.
    ///
    /// Only exactly such an address, with exactly its prefix length, on exactly its device.
    pub fn sweep<'a>(&mut self, configured: impl IntoIterator<Item = &'a VirtualAddress>, mirror: &Mirror) {
        for address in configured {
            let slot = Slot::of(address);
            if self.owner(&slot).is_none() && slot.holder(mirror).is_some() {
                self.aim(slot, Goal::Absent);
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
        self.release_held(now);
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

    /// Takes in what came of what was received, and appends what is worth saying about it.
    pub fn on_notice(&mut self, now: Instant, notice: &Notice, mirror: &Mirror, reports: &mut Vec<Report>) {
        match notice {
            Notice::Answered { sequence, request: _, outcome } => {
                self.on_answer(*sequence, outcome, mirror, reports);
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
            Notice::Changed(Change::Address(_)) | Notice::NotSynchronised(_) => {}
        }
    }

    /// When [`Self::issue`] is to be called though nothing was heard: an address that others keep deleting is put back.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.held.first().map(|(until, _)| *until)
    }

    /// Whether nothing is left to do: no operation waits or is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.in_flight.is_empty()
    }

    /// Who wants the address on its device.
    #[must_use]
    pub fn owner(&self, slot: &Slot) -> Option<&str> {
        match &self.slots.get(slot)?.goal {
            Goal::Present { owner, .. } => Some(owner),
            Goal::Absent => None,
        }
    }

    /// Whether somebody wants `prefix` on `device`: is it a virtual address of this process?
    #[must_use]
    pub fn wants(&self, device: &IfName, prefix: Prefix) -> bool {
        self.owner(&Slot { device: device.clone(), prefix }).is_some()
    }

    /// Sets the goal of a slot, and has it looked at.
    fn aim(&mut self, slot: Slot, goal: Goal) {
        let state = self.slots.entry(slot.clone()).or_insert_with(State::new);
        state.goal = goal;
        match state.progress {
            // The answer leads to another look.
            Progress::Queued | Progress::InFlight { .. } => return,
            Progress::AwaitingLink | Progress::Held { .. } | Progress::Settled | Progress::Failed => {}
        }
        state.progress = Progress::Queued;
        self.queue.push_back(slot);
    }

    fn enqueue(&mut self, slot: &Slot) {
        if let Some(state) = self.slots.get_mut(slot) {
            state.progress = Progress::Queued;
            self.queue.push_back(slot.clone());
        }
    }

    fn release_held(&mut self, now: Instant) {
        while let Some((until, slot)) = self.held.pop_first() {
            if until > now {
                self.held.insert((until, slot));
                return;
            }
            // It may have been asked for again meanwhile.
            if self.slots.get(&slot).is_some_and(|state| state.progress == Progress::Held { until }) {
                self.enqueue(&slot);
            }
        }
    }

    /// What is to be done about a queued slot; `None` if it needs no operation, which settles it.
    fn next_step(
        &mut self,
        slot: &Slot,
        mirror: &Mirror,
        reports: &mut Vec<Report>,
    ) -> Option<(Action, IfIndex, Request)> {
        let state = self.slots.get_mut(slot)?;
        state.placed = state.placed.filter(|index| mirror.link(*index).is_some());
        let device = mirror.link_named(&slot.device).map(|link| link.index);
        let Goal::Present { owner, address } = &state.goal else {
            let Some(index) = state.placed.or_else(|| slot.holder(mirror)) else {
                self.slots.remove(slot);
                reports.push(Report::Absent { slot: slot.clone() });
                return None;
            };
            if !state.added && mirror.is_foreign(index, slot.prefix) {
                self.slots.remove(slot);
                reports.push(Report::LeftAlone { slot: slot.clone() });
                return None;
            }
            return Some(slot.delete(index));
        };
        if let Some(index) = state.placed.filter(|placed| Some(*placed) != device) {
            // The link that holds it has been renamed: it is another device now.
            return Some(slot.delete(index));
        }
        let Some(index) = device else {
            state.progress = Progress::AwaitingLink;
            state.deletions = Deletions::default();
            reports.push(Report::AwaitingLink { slot: slot.clone() });
            return None;
        };
        if mirror.has(index, slot.prefix) {
            reports.push(Report::Present { slot: slot.clone(), owner: owner.clone() });
            state.settle(index);
            return None;
        }
        Some((Action::Add, index, Request::AddAddress(new_address(index, address))))
    }

    fn on_answer(
        &mut self,
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
                state.placed = (action == Action::Add).then_some(index);
                state.added = action == Action::Add && matches!(outcome, Outcome::Done);
            }
            Verdict::Unknown => state.placed = mirror.has(index, slot.prefix).then_some(index),
            Verdict::NoLink => {
                state.placed = None;
                // The mirror does not know yet that the link is gone: its next change tells.
                if is_device && matches!(state.goal, Goal::Present { .. }) {
                    state.progress = Progress::AwaitingLink;
                    reports.push(Report::AwaitingLink { slot });
                    return;
                }
            }
            Verdict::Refused(refusal) => {
                state.progress = Progress::Failed;
                reports.push(Report::Failed { slot, action, refusal });
                return;
            }
        }
        match &state.goal {
            Goal::Present { owner, .. } if state.placed == Some(index) && is_device && !disturbed => {
                if state.deletions.open == Some(index) {
                    reports.push(Report::PutBack { slot: slot.clone(), times: state.deletions.times });
                }
                reports.push(Report::Present { slot, owner: owner.clone() });
                state.settle(index);
            }
            Goal::Present { .. } | Goal::Absent => self.enqueue(&slot),
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
        match &mut state.progress {
            Progress::InFlight { action: Action::Add, index, disturbed } => *disturbed |= *index == link,
            // Another link of the name had it before, or the address is back already.
            Progress::Settled if state.placed != Some(link) || slot.holder(mirror).is_some() => {}
            Progress::Settled => {
                state.placed = None;
                if state.deletions.count(now, link) <= PUT_BACKS {
                    self.enqueue(slot);
                } else {
                    let until = state.deletions.since + PUT_BACK_SPAN;
                    state.progress = Progress::Held { until };
                    self.held.insert((until, slot.clone()));
                    reports.push(Report::HeldBack { slot: slot.clone(), until });
                }
            }
            Progress::InFlight { action: Action::Delete, .. }
            | Progress::Queued
            | Progress::AwaitingLink
            | Progress::Held { .. }
            | Progress::Failed => state.placed = state.placed.filter(|placed| *placed != link),
        }
    }

    /// A link has come, gone or changed: what waits for its name, or is held by it, is looked at again.
    fn review_links(&mut self, name: &IfName, index: IfIndex, mirror: &Mirror) {
        let current = mirror.link_named(name).map(|link| link.index);
        let concerned = |slot: &Slot, state: &State| match state.progress {
            Progress::Settled if state.placed == Some(index) => {
                mirror.link_named(&slot.device).is_none_or(|link| link.index != index)
            }
            Progress::Settled => slot.device == *name && state.placed != current,
            Progress::AwaitingLink | Progress::Failed => slot.device == *name && current.is_some(),
            Progress::Queued | Progress::InFlight { .. } | Progress::Held { .. } => false,
        };
        self.enqueue_where(concerned);
    }

    /// The mirror is exact: what it lacks is missing, and what failed or waits may have done so in error.
    fn review_all(&mut self, mirror: &Mirror) {
        self.enqueue_where(|slot, state| match state.progress {
            Progress::Settled => slot.holder(mirror).is_none(),
            Progress::AwaitingLink => mirror.link_named(&slot.device).is_some(),
            Progress::Failed => true,
            Progress::Queued | Progress::InFlight { .. } | Progress::Held { .. } => false,
        });
    }

    fn enqueue_where(&mut self, concerned: impl Fn(&Slot, &State) -> bool) {
        let found = self.slots.iter().filter(|(slot, state)| concerned(slot, state));
        for slot in found.map(|(slot, _)| slot.clone()).collect::<Vec<_>>() {
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

    const fn delete(&self, index: IfIndex) -> (Action, IfIndex, Request) {
        (Action::Delete, index, Request::DeleteAddress { index, prefix: self.prefix })
    }
}

impl fmt::Display for Slot {
    /// `192.0.2.1/24 on eth0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.prefix, self.device)
    }
}

impl State {
    fn new() -> Self {
        Self {
            goal: Goal::Absent,
            progress: Progress::Settled,
            placed: None,
            added: false,
            deletions: Deletions::default(),
        }
    }

    fn settle(&mut self, index: IfIndex) {
        self.progress = Progress::Settled;
        self.placed = Some(index);
        // On another link it did not go by itself, but with the link it was on.
        if self.deletions.open.take().is_some_and(|open| open != index) {
            self.deletions = Deletions::default();
        }
    }
}

impl Deletions {
    /// Counts one more, and gives the count within the span.
    fn count(&mut self, now: Instant, link: IfIndex) -> u32 {
        if self.times == 0 || now.since(self.since) >= PUT_BACK_SPAN {
            *self = Self { since: now, times: 0, open: None };
        }
        self.times = self.times.saturating_add(1);
        self.open = Some(link);
        self.times
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
        scope: address.scope,
        broadcast: address.broadcast,
        label: address.label.clone(),
        protocol: PROTOCOL,
        // A duplicate that is found would be the master before us, which is just what we replace.
        no_duplicate_detection: address.prefix.address().is_ipv6(),
    }
}
