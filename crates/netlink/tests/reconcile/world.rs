//! A worker around the reconciler, and as much of a kernel as addresses need.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::vrrp::VirtualAddress;
use model::{IfIndex, IfName, Instant, Prefix};
use netlink::reconcile::{Action, Slot};
use netlink::request::NewAddress;
use netlink::{
    Address, AddressFlags, Change, Errno, Event, Link, Mirror, Notice, Reconciler, Report, Request, Sequence,
    Transactions,
};
use steadfast_netlink as netlink;

/// As much of a kernel as addresses need.
#[derive(Default)]
pub(crate) struct Kernel {
    pub(crate) links: BTreeMap<IfIndex, IfName>,
    pub(crate) addresses: BTreeSet<(IfIndex, Prefix)>,
    /// What the socket holds: an event, and whether it is part of a dump and cannot be lost.
    pub(crate) queue: VecDeque<(Event, bool)>,
    /// IPv6 addresses that are there but have not been announced.
    pub(crate) unannounced: BTreeSet<(IfIndex, Prefix)>,
    /// The next dump misses something, and says so.
    pub(crate) interrupt: bool,
    /// Refuse what is asked next.
    pub(crate) refuse: Option<Errno>,
    pub(crate) created: u32,
}

impl Kernel {
    pub(crate) fn create(&mut self, name: &str) -> IfIndex {
        self.created += 1;
        let index = IfIndex::try_from(self.created).unwrap();
        self.links.insert(index, name.parse().unwrap());
        self.tell(Event::LinkChanged(link(index, self.links[&index].clone())));
        index
    }

    pub(crate) fn remove(&mut self, index: IfIndex) {
        for (_, prefix) in self.addresses.clone().range((index, least())..).take_while(|(of, _)| *of == index)
        {
            self.delete(index, *prefix).unwrap();
        }
        let name = self.links.remove(&index).unwrap();
        self.tell(Event::LinkGone { index, name });
    }

    pub(crate) fn rename(&mut self, index: IfIndex, name: &str) {
        self.links.insert(index, name.parse().unwrap());
        self.tell(Event::LinkChanged(link(index, self.links[&index].clone())));
    }

    pub(crate) fn named(&self, name: &IfName) -> Option<IfIndex> {
        self.links.iter().find(|(_, of)| *of == name).map(|(index, _)| *index)
    }

    pub(crate) fn add(&mut self, index: IfIndex, prefix: Prefix) -> Result<(), Errno> {
        if !self.links.contains_key(&index) {
            return Err(Errno::ENODEV);
        }
        let once = |of: &(IfIndex, Prefix)| {
            of.0 == index && prefix.address().is_ipv6() && of.1.address() == prefix.address()
        };
        if self.addresses.contains(&(index, prefix)) || self.addresses.iter().any(once) {
            return Err(Errno::EEXIST);
        }
        self.addresses.insert((index, prefix));
        if prefix.address().is_ipv6() {
            self.unannounced.insert((index, prefix));
        } else {
            self.tell(Event::AddressAdded(address(index, prefix)));
        }
        Ok(())
    }

    pub(crate) fn delete(&mut self, index: IfIndex, prefix: Prefix) -> Result<(), Errno> {
        if !self.links.contains_key(&index) {
            return Err(Errno::ENODEV);
        }
        if !self.addresses.remove(&(index, prefix)) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        self.unannounced.remove(&(index, prefix));
        self.tell(Event::AddressGone(address(index, prefix)));
        Ok(())
    }

    pub(crate) fn announce(&mut self) {
        while let Some((index, prefix)) = self.unannounced.pop_first() {
            self.tell(Event::AddressAdded(address(index, prefix)));
        }
    }

    pub(crate) fn execute(&mut self, sequence: Sequence, request: &Request) {
        let result = match (self.refuse.take(), request) {
            (Some(errno), _) => Err(errno),
            (None, Request::AddAddress(NewAddress { index, prefix, .. })) => self.add(*index, *prefix),
            (None, Request::DeleteAddress { index, prefix, .. }) => self.delete(*index, *prefix),
            (None, other) => panic!("{other:?} is not the reconciler's business"),
        };
        self.tell(Event::Ack { sequence, result: result.map_err(Into::into) });
    }

    /// Runs the dumps that stand in a batch.
    pub(crate) fn dump(&mut self, batch: &[u8]) {
        const GET_LINK: u16 = 18;
        const GET_ADDRESS: u16 = 22;
        const GET_RULE: u16 = 34;
        if batch.is_empty() {
            return;
        }
        let mut listed: Vec<Event> = match u16::from_ne_bytes([batch[4], batch[5]]) {
            GET_LINK => self
                .links
                .iter()
                .map(|(index, name)| Event::LinkChanged(link(*index, name.clone())))
                .collect(),
            GET_ADDRESS => self
                .addresses
                .iter()
                .map(|(index, prefix)| Event::AddressAdded(address(*index, *prefix)))
                .collect(),
            GET_RULE => Vec::new(),
            other => panic!("message {other} is no dump"),
        };
        let sequence = Sequence::from_wire(u32::from_ne_bytes(batch[8..12].try_into().unwrap()));
        if std::mem::take(&mut self.interrupt) {
            listed.pop();
            listed.push(Event::Interrupted { sequence });
        }
        listed.push(Event::DumpDone { sequence, result: Ok(()) });
        self.queue.extend(listed.into_iter().map(|event| (event, true)));
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.queue.push_back((event, false));
    }
}

/// A worker around the reconciler, and the kernel under it.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) kernel: Kernel,
    pub(crate) mirror: Mirror,
    pub(crate) transactions: Transactions,
    pub(crate) reconciler: Reconciler,
    pub(crate) reports: Vec<Report>,
    pub(crate) in_flight: BTreeMap<Sequence, Slot>,
    /// The names of links as somebody has them who goes by the changes alone, the last one of each name.
    pub(crate) told: BTreeMap<IfName, IfIndex>,
    pub(crate) now: Instant,
}

impl World {
    /// A world with these links, in sync.
    pub(crate) fn with_links(names: &[&str]) -> Self {
        let mut world = Self::default();
        for name in names {
            world.kernel.create(name);
        }
        world.resynchronise();
        world.deliver(usize::MAX);
        world
    }

    pub(crate) fn resynchronise(&mut self) {
        let mut batch = Vec::new();
        self.transactions.resynchronise(&mut self.mirror, &mut batch);
        self.kernel.dump(&batch);
    }

    /// The socket overflows: all that it holds is lost, but for a dump.
    pub(crate) fn overrun(&mut self) {
        self.kernel.queue.retain(|(_, is_dump)| *is_dump);
        self.resynchronise();
    }

    /// Issues up to `most` operations.
    pub(crate) fn issue(&mut self, most: usize) -> Vec<(Action, Slot)> {
        let mut issued = Vec::new();
        while issued.len() < most {
            let (transactions, kernel) = (&mut self.transactions, &mut self.kernel);
            let ask = |request: Request| {
                let sequence = transactions.ask(request.clone(), &mut Vec::new());
                kernel.execute(sequence, &request);
                sequence
            };
            let Some(operation) = self.reconciler.issue(self.now, &self.mirror, &mut self.reports, ask)
            else {
                break;
            };
            let twice = self.in_flight.values().any(|slot| *slot == operation.slot);
            assert!(!twice, "{} has an operation under way", operation.slot);
            self.in_flight.insert(operation.sequence, operation.slot.clone());
            issued.push((operation.action, operation.slot));
        }
        issued
    }

    /// Reads up to `most` events.
    pub(crate) fn deliver(&mut self, most: usize) {
        for _ in 0..most {
            let Some((event, _)) = self.kernel.queue.pop_front() else { break };
            let (mut batch, mut notices) = (Vec::new(), Vec::new());
            self.transactions.hear(event, &mut self.mirror, &mut batch, &mut notices);
            self.kernel.dump(&batch);
            for notice in notices {
                match &notice {
                    Notice::Answered { sequence, .. } => drop(self.in_flight.remove(sequence)),
                    Notice::Changed(Change::Link(link)) => {
                        self.told.insert(link.name.clone(), link.index);
                    }
                    Notice::Changed(Change::LinkGone { name, .. }) => drop(self.told.remove(name)),
                    _ => {}
                }
                self.reconciler.on_notice(self.now, &notice, &self.mirror, &mut self.reports);
            }
        }
    }

    /// Works until nothing is left to do.
    pub(crate) fn settle(&mut self) {
        for _ in 0..1_000 {
            self.kernel.announce();
            self.deliver(usize::MAX);
            if let Some(deadline) = self.reconciler.deadline() {
                self.now = self.now.max(deadline);
            }
            let issued = self.issue(usize::MAX);
            let idle = self.reconciler.is_idle()
                && self.reconciler.deadline().is_none()
                && !self.transactions.is_synchronising();
            if issued.is_empty() && self.kernel.queue.is_empty() && idle {
                assert_eq!(self.transactions.outstanding(), 0);
                return;
            }
        }
        panic!("does not come to rest");
    }

    pub(crate) fn want(&mut self, owner: &str, slot: &Slot) {
        self.reconciler.want(owner, &VirtualAddress::new(slot.prefix, slot.device.clone()));
    }

    pub(crate) fn unwant(&mut self, owner: &str, slot: &Slot) {
        self.reconciler.unwant(owner, &slot.device, slot.prefix);
    }

    pub(crate) fn holds(&self, slot: &Slot) -> bool {
        self.kernel
            .named(&slot.device)
            .is_some_and(|index| self.kernel.addresses.contains(&(index, slot.prefix)))
    }

    /// Somebody else deletes the address.
    pub(crate) fn steal(&mut self, slot: &Slot) {
        if let Some(index) = self.kernel.named(&slot.device) {
            self.kernel.delete(index, slot.prefix).ok();
        }
    }
}

pub(crate) fn link(index: IfIndex, name: IfName) -> Link {
    Link::new(index, name)
}

pub(crate) fn address(index: IfIndex, prefix: Prefix) -> Address {
    Address {
        index,
        prefix,
        peer: None,
        scope: 0,
        broadcast: None,
        label: None,
        flags: AddressFlags::default(),
        protocol: 0,
    }
}

pub(crate) fn present(slot: &Slot) -> Report {
    Report::Present { slot: slot.clone(), owner: "VI_1".into(), late: false }
}

pub(crate) fn present_late(slot: &Slot) -> Report {
    Report::Present { slot: slot.clone(), owner: "VI_1".into(), late: true }
}

pub(crate) fn slot(device: &str, prefix: &str) -> Slot {
    let (address, length) = prefix.split_once('/').unwrap();
    Slot {
        device: device.parse().unwrap(),
        prefix: Prefix::new(address.parse().unwrap(), length.parse().unwrap()).unwrap(),
    }
}

pub(crate) fn least() -> Prefix {
    Prefix::new([0, 0, 0, 0].into(), 0).unwrap()
}
