//! Interfaces that virtual routers make for themselves (VMACs, ipvlans): which there should be, and the next step
//! towards that.

mod decide;
mod note;
mod slot;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::vrrp::IpvlanMode;
use model::{IfIndex, IfName, Instant, MacAddr, Prefix};

use crate::errno::Refusal;
use crate::mirror::Mirror;
use decide::{Verdict, decide};
pub use note::{Left, alias};
use note::{mark_of, note_of};
use slot::{Loss, Slot, Told};

/// An interface to be made on top of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnLink {
    /// Its name.
    pub name: IfName,
    /// The interface below.
    pub base: IfName,
    /// What it is.
    pub kind: OwnLinkKind,
    /// The link group that it is in; 0 is that of all others.
    pub group: u32,
    /// It is to have IPv6 addresses.
    pub uses_ipv6: bool,
    /// The kernel is to send a message about the interface below when this one has been made.
    pub notify_base: bool,
}

impl OwnLink {
    /// The kernel does not let both be up.
    fn excludes(&self, other: &Self) -> bool {
        self.name != other.name
            && self.base == other.base
            && self.kind == other.kind
            && matches!(self.kind, OwnLinkKind::Macvlan { .. })
    }
}

/// Which kind of interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnLinkKind {
    /// A macvlan in private mode.
    Macvlan {
        /// Its hardware address.
        mac: MacAddr,
    },
    /// A layer 2 ipvlan.
    Ipvlan {
        /// How it shares the interface below.
        mode: IpvlanMode,
        /// Its own address.
        address: Option<Prefix>,
    },
}

/// What is to be done, by somebody who may wait: to delete a link takes the kernel some hundredths of a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// To make it, and no more.
    Make {
        /// What.
        link: Arc<OwnLink>,
        /// The interface below.
        base: IfIndex,
    },
    /// To give it its settings, and to set it up.
    SetUp {
        /// What.
        link: Arc<OwnLink>,
        /// The interface below.
        base: IfIndex,
        /// The link.
        index: IfIndex,
        /// What an earlier run has written on it, behind the mark.
        note: Option<Box<str>>,
    },
    /// To delete it.
    Remove {
        /// Its name, or the one that it should have.
        name: IfName,
        /// The link.
        index: IfIndex,
        /// What is written on it.
        left: Option<Left>,
    },
}

impl Operation {
    /// The name of the link, which comes back with the result.
    #[must_use]
    pub fn name(&self) -> &IfName {
        match self {
            Self::Make { link, .. } | Self::SetUp { link, .. } => &link.name,
            Self::Remove { name, .. } => name,
        }
    }
}

/// Something that the operator may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The interface is there, with its settings.
    Ready {
        /// Its name.
        name: IfName,
        /// The interface below.
        base: IfName,
        /// It was there already: an earlier run had left it.
        adopted: bool,
    },
    /// It is there again: somebody else had deleted or changed it.
    MadeAgain {
        /// Its name.
        name: IfName,
    },
    /// It is up again: somebody else had set it down.
    SetUpAgain {
        /// Its name.
        name: IfName,
    },
    /// Somebody else keeps deleting it or setting it down. That is made good later.
    HeldBack {
        /// Its name.
        name: IfName,
        /// When.
        until: Instant,
    },
    /// It is gone, as it should be.
    Removed {
        /// Its name.
        name: IfName,
    },
    /// There is no interface to make it on. It is made when there is.
    AwaitsBase {
        /// Its name.
        name: IfName,
        /// The interface that is missing.
        base: IfName,
    },
    /// Another interface has the name, and nothing says that we made it.
    Foreign {
        /// The name.
        name: IfName,
        /// Of which kind the interface is; `None` for hardware.
        kind: Option<Box<str>>,
    },
    /// An operation failed, for the first time in a row. It is tried again, after
    /// [`RETRY_FIRST`](crate::reconcile::RETRY_FIRST) at first.
    Failed {
        /// What.
        name: IfName,
        /// It was to be deleted.
        removing: bool,
        /// Why not.
        refusal: Refusal,
    },
}

/// Says what to do next so that the interfaces there are become those that there should be. Pure: it looks at a
/// [`Mirror`] and hands out [`Operation`]s, one at a time for each name, whose ends it is told.
///
/// An interface is *ready* when it is there and an operation of this process has given it its settings. Until then, and
/// if the name belongs to a foreign interface, nobody should use it.
#[derive(Clone, Debug)]
pub struct OwnLinks {
    /// What is written on links of ours.
    mark: Box<str>,
    slots: BTreeMap<IfName, Slot>,
    /// Names to look at.
    dirty: BTreeSet<IfName>,
    /// The last call of `next` would have removed something if it had been allowed to.
    awaits_release: bool,
    /// Names whose readiness has changed.
    changed: BTreeSet<IfName>,
    reports: Vec<Report>,
}

impl OwnLinks {
    /// Nothing is wanted. Links that carry `mark` in their [`alias`] are ours, whoever has made them.
    #[must_use]
    pub fn new(mark: &str) -> Self {
        Self {
            mark: mark.into(),
            slots: BTreeMap::new(),
            dirty: BTreeSet::new(),
            awaits_release: false,
            changed: BTreeSet::new(),
            reports: Vec::new(),
        }
    }

    /// From now on links that carry `mark` are ours.
    pub fn set_mark(&mut self, mark: &str) {
        self.mark = mark.into();
    }

    /// What is written on links of ours.
    #[must_use]
    pub const fn mark(&self) -> &str {
        &self.mark
    }

    /// These shall be there, beside all others. What has a name already stays as it is for now, and what would share its
    /// hardware address with another one is left out.
    pub fn add(&mut self, links: impl IntoIterator<Item = OwnLink>) {
        for link in links {
            if self.links().any(|(other, _)| other.excludes(&link)) {
                continue;
            }
            let slot = self.slots.entry(link.name.clone()).or_default();
            if slot.wanted.is_none() {
                self.dirty.insert(link.name.clone());
                slot.want(link);
            }
        }
    }

    /// Exactly these shall be there.
    pub fn set(&mut self, links: impl IntoIterator<Item = OwnLink>) {
        let mut wanted: BTreeMap<_, _> = links.into_iter().map(|link| (link.name.clone(), link)).collect();
        for (name, slot) in &mut self.slots {
            match (wanted.remove(name), &slot.wanted) {
                (Some(new), Some(old)) if **old == new => continue,
                (Some(new), _) => {
                    // Its settings are given anew.
                    let was_ready = slot.ready.take().is_some();
                    if slot.heals_until.take().is_some() || was_ready {
                        self.changed.insert(name.clone());
                    }
                    slot.want(new);
                }
                (None, _) => slot.wanted = None,
            }
            self.dirty.insert(name.clone());
        }
        for (name, link) in wanted {
            self.dirty.insert(name.clone());
            self.slots.entry(name).or_default().want(link);
        }
    }

    /// Takes for ours what carries the mark and nobody wants: it is removed. For the start.
    pub fn sweep(&mut self, mirror: &Mirror) {
        for link in mirror.links().filter(|link| link.alias.as_deref().map(mark_of) == Some(&*self.mark)) {
            self.slots.entry(link.name.clone()).or_default();
            self.dirty.insert(link.name.clone());
        }
    }

    /// Something about the link of this name has changed.
    pub fn review(&mut self, name: &IfName) {
        if self.slots.contains_key(name) {
            self.dirty.insert(name.clone());
        }
        for (own, slot) in &mut self.slots {
            if slot.wanted.as_ref().is_some_and(|link| link.base == *name) {
                slot.pause = None;
                self.dirty.insert(own.clone());
            }
        }
    }

    /// Everything may have changed.
    pub fn review_all(&mut self) {
        self.dirty.extend(self.slots.keys().cloned());
    }

    /// The next operation that is due. `may_remove` says that what stood on the links is gone already.
    pub fn next(&mut self, now: Instant, mirror: &Mirror, may_remove: bool) -> Option<Operation> {
        self.wake(now);
        self.awaits_release = false;
        let mut later = BTreeSet::new();
        let mut next = None;
        while next.is_none()
            && let Some(name) = self.dirty.pop_first()
        {
            match self.step(now, &name, mirror, may_remove) {
                Step::Nothing => {}
                Step::Later => {
                    later.insert(name);
                }
                Step::Do(operation) => next = Some(operation),
            }
        }
        self.dirty.append(&mut later);
        next
    }

    /// An operation has ended; `mirror` has heard all that it caused.
    pub fn done(
        &mut self,
        now: Instant,
        operation: &Operation,
        result: Result<(), Refusal>,
        mirror: &Mirror,
    ) {
        let name = operation.name();
        let Some(slot) = self.slots.get_mut(name) else { return };
        slot.is_busy = false;
        if slot.was_going(operation, &result) {
            // If its end has not been heard yet it will be, and that is when there is something to do.
            if slot.ready.is_none_or(|index| !is_here(name, index, mirror)) {
                self.dirty.insert(name.clone());
            }
            return;
        }
        self.dirty.insert(name.clone());
        match (operation, result) {
            (_, Err(refusal)) => {
                let removing = matches!(operation, Operation::Remove { .. });
                if slot.heals_until.take().is_some() {
                    self.changed.insert(name.clone());
                }
                if slot.fail(now) {
                    self.reports.push(Report::Failed { name: name.clone(), removing, refusal });
                }
            }
            (Operation::Make { .. }, Ok(())) => {
                slot.made = mirror.link_named(name).map(|link| link.index);
            }
            (Operation::Remove { .. }, Ok(())) => {
                slot.next_pause = None;
                slot.made = None;
                self.reports.push(Report::Removed { name: name.clone() });
            }
            (Operation::SetUp { link, index, .. }, Ok(())) => {
                slot.next_pause = None;
                slot.told = None;
                slot.ready = Some(*index).filter(|index| is_here(name, *index, mirror));
                let adopted = slot.made.take() != Some(*index);
                let (name, base) = (name.clone(), link.base.clone());
                self.changed.insert(name.clone());
                slot.heals_until = None;
                self.reports.push(match slot.loss.take() {
                    Some(Loss::Deleted) => Report::MadeAgain { name },
                    Some(Loss::Down) => Report::SetUpAgain { name },
                    None => Report::Ready { name, base, adopted },
                });
            }
        }
    }

    /// When [`Self::next`] may have something to do although nothing was heard.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.slots.values().flat_map(|slot| [slot.pause, slot.heals_until]).flatten().min()
    }

    /// Whether the link of this name is not as it should be, but will be in a moment: others have deleted it or set it
    /// down, and it is being made good. Who uses it need not hear of it; [`Self::take_changes`] names it when that is over.
    #[must_use]
    pub fn heals(&self, name: &IfName, mirror: &Mirror) -> bool {
        self.slots.get(name).is_some_and(|slot| match slot.loss {
            Some(_) => slot.heals_until.is_some(),
            // What `next` will see.
            None => slot.loss_in(mirror).is_some(),
        })
    }

    /// Whether nothing is under way or waits to be begun, but for a pause or for something that others must do.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.slots
            .iter()
            .all(|(name, slot)| !slot.is_busy && (slot.pause.is_some() || !self.dirty.contains(name)))
    }

    /// Whether [`Self::next`] would have something to do if it were allowed to remove links.
    #[must_use]
    pub const fn awaits_release(&self) -> bool {
        self.awaits_release
    }

    /// Whether nothing is left that should not be there.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.slots.values().all(|slot| slot.wanted.is_some())
    }

    /// The link of this name, if it is one of ours and ready: `None` if the name is not one of these at all.
    #[must_use]
    pub fn ready(&self, name: &IfName) -> Option<Option<IfIndex>> {
        let slot = self.slots.get(name)?;
        slot.wanted.as_ref().map(|_| slot.ready)
    }

    /// The names of what is wanted, with the links that are ready.
    pub fn links(&self) -> impl Iterator<Item = (&OwnLink, Option<IfIndex>)> {
        self.slots.values().filter_map(|slot| Some((&**slot.wanted.as_ref()?, slot.ready)))
    }

    /// The names whose readiness has changed since the last call.
    pub fn take_changes(&mut self) -> BTreeSet<IfName> {
        std::mem::take(&mut self.changed)
    }

    /// What is worth telling since the last call.
    pub fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    fn wake(&mut self, now: Instant) {
        for (name, slot) in &mut self.slots {
            if slot.pause.take_if(|until| *until <= now).is_some() {
                self.dirty.insert(name.clone());
            }
            if slot.heals_until.take_if(|until| *until <= now).is_some() {
                self.changed.insert(name.clone());
            }
        }
    }

    /// Whether a link that goes has what this one needs: the kernel lets one macvlan of a base have a hardware address.
    fn is_blocked(&self, name: &IfName, mirror: &Mirror) -> bool {
        let Some(OwnLink { base, kind: OwnLinkKind::Macvlan { mac }, .. }) =
            self.slots.get(name).and_then(|slot| slot.wanted.as_deref())
        else {
            return false;
        };
        let base = mirror.link_named(base).map(|base| base.index);
        let mut leaving = self.slots.iter().filter(|(_, slot)| slot.wanted.is_none());
        leaving.any(|(other, _)| {
            mirror.link_named(other).is_some_and(|link| link.lower == base && link.mac == Some(*mac))
        })
    }

    fn step(&mut self, now: Instant, name: &IfName, mirror: &Mirror, may_remove: bool) -> Step {
        let is_blocked = self.is_blocked(name, mirror);
        let Some(slot) = self.slots.get_mut(name) else { return Step::Nothing };
        if slot.is_busy || slot.pause.is_some() {
            return Step::Nothing;
        }
        let loss = slot.loss_in(mirror);
        if let Some(loss) = loss.filter(|loss| slot.loss != Some(*loss)) {
            slot.lose(now, loss);
        }
        if let Some(gone) = slot.ready.filter(|index| !is_here(name, *index, mirror)) {
            slot.ready = None;
            self.changed.insert(name.clone());
            if loss.is_none() {
                (slot.loss, slot.heals_until) = (None, None);
            }
            if mirror.link(gone).is_some() && slot.wanted.is_some() {
                let left = Left::on(gone, mirror);
                return slot.begin(Operation::Remove { name: name.clone(), index: gone, left });
            }
        }
        let verdict = decide(slot.wanted.as_deref(), name, (slot.ready, slot.made), &self.mark, mirror);
        let begins = match verdict {
            Verdict::Make(_) => !is_blocked,
            Verdict::SetUp { .. } => slot.loss == Some(Loss::Down),
            Verdict::Forget
            | Verdict::Rest
            | Verdict::Remove(_)
            | Verdict::AwaitBase(_)
            | Verdict::Foreign(_) => false,
        };
        if begins && let Some(until) = slot.held_back(now) {
            slot.heals_until = None;
            self.changed.insert(name.clone());
            self.reports.push(Report::HeldBack { name: name.clone(), until });
            return Step::Nothing;
        }
        match verdict {
            Verdict::Forget => {
                self.slots.remove(name);
                Step::Nothing
            }
            Verdict::Rest => Step::Nothing,
            Verdict::Remove(_) if !may_remove && slot.wanted.is_none() => {
                self.awaits_release = true;
                Step::Later
            }
            Verdict::Remove(index) => {
                if slot.ready.take().is_some() && slot.wanted.is_some() {
                    slot.lose(now, Loss::Deleted);
                }
                self.changed.insert(name.clone());
                let left = Left::on(index, mirror);
                slot.begin(Operation::Remove { name: name.clone(), index, left })
            }
            Verdict::Make(_) if is_blocked => Step::Later,
            Verdict::Make(base) => {
                let link = slot.wanted.clone();
                link.map_or(Step::Nothing, |link| slot.begin(Operation::Make { link, base }))
            }
            Verdict::SetUp { base, index } => {
                let link = slot.wanted.clone();
                let written = mirror.link(index).and_then(|link| link.alias.as_deref());
                let note = written.and_then(note_of).map(Box::from);
                link.map_or(Step::Nothing, |link| slot.begin(Operation::SetUp { link, base, index, note }))
            }
            Verdict::AwaitBase(base) => {
                if slot.told.replace(Told::AwaitsBase) != Some(Told::AwaitsBase) {
                    self.reports.push(Report::AwaitsBase { name: name.clone(), base });
                }
                Step::Nothing
            }
            Verdict::Foreign(kind) => {
                if slot.told.replace(Told::Foreign) != Some(Told::Foreign) {
                    self.reports.push(Report::Foreign { name: name.clone(), kind });
                }
                Step::Nothing
            }
        }
    }
}

enum Step {
    Nothing,
    Later,
    Do(Operation),
}

/// Whether the link with this number still has this name.
fn is_here(name: &IfName, index: IfIndex, mirror: &Mirror) -> bool {
    mirror.link_named(name).is_some_and(|link| link.index == index)
}
