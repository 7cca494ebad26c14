//! Packet filtering by nftables (nfnetlink): the table that drops packets to and from virtual addresses which a host must
//! not use, and keeps group memberships of VMACs from being told with their MAC.
//!
//! A [`Table`] is what there should be in one family, and hands out batches that lead there; each batch is a transaction of
//! the kernel, which takes all of it or nothing. Sending it and hearing the answer is the owner's part.

mod batch;
mod rules;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use model::{Family, IfIndex, IfName, Instant};

use crate::errno::{Errno, Refusal};
use crate::reconcile::{PUT_BACK_SPAN, PUT_BACKS, RETRY_FIRST};
pub use batch::{Batch, Heard, decode};

/// How a table is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub table: String,
    /// The priority of its chains.
    pub priority: i32,
    /// Addresses of a link are told apart by the number of its interface and not by the name.
    pub by_index: bool,
    /// Rules count packets.
    pub counters: bool,
}

/// Something in a set of the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// Packets to and from this address are dropped.
    V4(Ipv4Addr),
    /// Packets to and from this address are dropped.
    V6(Ipv6Addr),
    /// Packets to and from this address on that interface are dropped.
    LinkLocal {
        /// The address.
        address: Ipv6Addr,
        /// The interface.
        device: IfName,
        /// Its number.
        index: IfIndex,
    },
    /// Memberships of a VMAC are told by the interface below it.
    Vmac {
        /// The VMAC.
        own: IfIndex,
        /// The interface below.
        base: IfIndex,
    },
    /// This interface does not look for routers.
    Quiet(IfIndex),
}

/// Something that the operator may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The table is there.
    Made,
    /// Somebody else had deleted or changed the table: it is as it should be again.
    MadeAgain,
    /// Somebody else keeps changing it. It is made again later.
    HeldBack,
    /// The table is gone, as it should be.
    Removed,
    /// An earlier run had left the table. It is gone, as it should be.
    Swept,
    /// An earlier run has left the table, and the kernel refuses to delete it: it goes on to drop packets.
    Stays(Refusal),
    /// The kernel cannot send a packet out elsewhere (`dup`): VMACs tell of memberships with their MAC.
    NoDuplicates(Refusal),
    /// The kernel refused, for the first time in a row. It is tried again.
    Failed(Refusal),
}

/// The table of one family.
#[derive(Clone, Debug)]
pub struct Table {
    family: Family,
    plan: Option<Plan>,
    elements: BTreeSet<Element>,
    /// What the kernel has, as far as it is known.
    installed: Option<(Plan, BTreeSet<Element>)>,
    /// What the batch under way leads to.
    aim: Option<(Plan, BTreeSet<Element>)>,
    /// A table of this name may be there that we have not made.
    left: Option<String>,
    /// The kernel has no `dup`.
    is_reduced: bool,
    was_lost: bool,
    has_failed: bool,
    losses: u32,
    losses_since: Option<Instant>,
    pause: Option<Instant>,
    reports: Vec<Report>,
}

impl Table {
    /// There shall be no table of this family.
    #[must_use]
    pub const fn new(family: Family) -> Self {
        Self {
            family,
            plan: None,
            elements: BTreeSet::new(),
            installed: None,
            aim: None,
            left: None,
            is_reduced: false,
            was_lost: false,
            has_failed: false,
            losses: 0,
            losses_since: None,
            pause: None,
            reports: Vec::new(),
        }
    }

    /// Its family.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.family
    }

    /// The table shall be as `plan` says, or not be.
    pub fn set_plan(&mut self, plan: Option<Plan>) {
        if self.plan != plan {
            // What failed, or was changed too often, was another one.
            self.pause = None;
        }
        self.plan = plan;
    }

    /// Takes a table of this name for ours if there is one: it goes unless it is wanted. Somebody may have left it who
    /// could not clean up.
    pub fn sweep(&mut self, name: &str) {
        self.left = Some(name.to_owned());
    }

    /// Whether a table is there, or may be, or shall be.
    #[must_use]
    pub const fn is_of_interest(&self) -> bool {
        self.plan.is_some() || self.installed.is_some() || self.left.is_some()
    }

    /// Its sets shall hold exactly these, as far as they are of its family.
    pub fn set_elements(&mut self, elements: &BTreeSet<Element>) {
        let family = self.family;
        let fits = |element: &&Element| match element {
            Element::V4(_) => family == Family::V4,
            Element::V6(_) | Element::LinkLocal { .. } | Element::Quiet(_) => family == Family::V6,
            Element::Vmac { .. } => true,
        };
        self.elements = elements.iter().filter(fits).cloned().collect();
    }

    /// What leads to what should be; `None` if nothing is to be done now. Call [`Self::done`] afterwards.
    pub fn next(&mut self, now: Instant) -> Option<Batch> {
        self.pause.take_if(|until| *until <= now);
        if self.pause.is_some() {
            return None;
        }
        let mut batch = Batch::new(self.family);
        match (&self.plan, &self.installed) {
            (None, None) => batch.remove_table(self.left.as_ref()?),
            (None, Some((old, _))) => batch.remove_table(&old.table),
            (Some(plan), Some((old, elements))) if old == plan => {
                if *elements == self.elements {
                    return None;
                }
                elements.difference(&self.elements).for_each(|gone| batch.remove_element(plan, gone));
                self.elements.difference(elements).for_each(|new| batch.add_element(plan, new));
            }
            (Some(plan), old) => {
                if let Some((old, _)) = old.as_ref().filter(|(old, _)| old.table != plan.table) {
                    batch.remove_table(&old.table);
                }
                rules::table(&mut batch, plan, self.family, !self.is_reduced);
                self.elements.iter().for_each(|element| batch.add_element(plan, element));
            }
        }
        self.aim = self.plan.clone().map(|plan| (plan, self.elements.clone()));
        batch.finish();
        Some(batch)
    }

    /// The kernel has taken the batch, or refused it as a whole.
    pub fn done(&mut self, now: Instant, result: Result<(), Refusal>) {
        let aim = self.aim.take();
        if aim.is_none() && self.installed.is_none() {
            self.left = None;
            return self.reports.extend(swept(result));
        }
        match result {
            Ok(()) => {
                let was_there = self.installed.is_some();
                // What was of that name has been replaced, or removed.
                let known = aim.as_ref().or(self.installed.as_ref()).map(|(plan, _)| &plan.table);
                self.left.take_if(|left| Some(&*left) == known);
                match (&aim, std::mem::take(&mut self.was_lost)) {
                    (None, _) => self.reports.push(Report::Removed),
                    (Some(_), true) => self.reports.push(Report::MadeAgain),
                    (Some(_), false) if !was_there => self.reports.push(Report::Made),
                    (Some(_), false) => {}
                }
                self.has_failed = false;
                self.installed = aim;
            }
            // Somebody else has deleted it before us.
            Err(_) if aim.is_none() => self.installed = None,
            Err(refusal) if self.installed.take().is_none() && !self.is_reduced => {
                self.is_reduced = true;
                self.reports.push(Report::NoDuplicates(refusal));
            }
            Err(refusal) => {
                self.pause = Some(now + RETRY_FIRST);
                if !std::mem::replace(&mut self.has_failed, true) {
                    self.reports.push(Report::Failed(refusal));
                }
            }
        }
    }

    /// Somebody else has changed the table, or what was heard of it is not whole: it is made anew.
    pub fn lose(&mut self, now: Instant) {
        if self.installed.is_none() || self.plan.is_none() {
            return;
        }
        // Whatever is left of it is replaced.
        self.installed = None;
        self.was_lost = true;
        if self.losses_since.is_none_or(|since| now.since(since) >= PUT_BACK_SPAN) {
            self.losses = 0;
            self.losses_since = Some(now);
        }
        self.losses += 1;
        if self.losses > PUT_BACKS {
            self.pause = Some(now + PUT_BACK_SPAN);
            self.losses_since = None;
            self.reports.push(Report::HeldBack);
        }
    }

    /// Whether the table of this name and family is the one that is there.
    #[must_use]
    pub fn is(&self, family: Family, name: &str) -> bool {
        self.family == family && self.installed.as_ref().is_some_and(|(plan, _)| plan.table == name)
    }

    /// When [`Self::next`] has something to do although nothing has changed.
    #[must_use]
    pub const fn deadline(&self) -> Option<Instant> {
        self.pause
    }

    /// What is worth telling since the last call.
    pub fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }
}

/// What is to be said when a table that may have been there should have gone. A kernel without nftables has none.
fn swept(result: Result<(), Refusal>) -> Option<Report> {
    match result {
        Ok(()) => Some(Report::Swept),
        Err(Refusal { errno: Errno::ENOENT | Errno::EOPNOTSUPP | Errno::EAFNOSUPPORT, .. }) => None,
        Err(refusal) => Some(Report::Stays(refusal)),
    }
}
