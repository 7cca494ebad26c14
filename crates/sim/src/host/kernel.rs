//! A kernel that is none: links, addresses, answers, and the ways in which a real one disappoints.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use model::{IfIndex, IfName, MacAddr, Prefix};
use netlink::request::{NewAddress, PROTOCOL, decode};
use netlink::{Address, AddressFlags, Errno, Event, Link, Request, Sequence};

/// Links and addresses of one host.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    links: BTreeMap<IfIndex, Link>,
    addresses: VecDeque<Address>,
    /// Routes and rules, as they were asked for.
    routes: BTreeSet<Box<[u8]>>,
    rules: BTreeSet<Box<[u8]>>,
    next_index: u32,
    /// Refuses so many requests that change something, with this.
    refusals: Option<(Errno, u32)>,
    /// How often it has refused.
    refused: u32,
    /// What it has said and nobody has read.
    said: Vec<Event>,
    /// What somebody else has put on a link, and nobody has deleted since.
    foreign: BTreeSet<(IfIndex, Prefix)>,
    /// It keeps who has set an address (kernels from 5.18 on).
    tells_protocol: bool,
}

impl Kernel {
    pub(crate) fn new(tells_protocol: bool) -> Self {
        let mut kernel = Self {
            links: BTreeMap::new(),
            addresses: VecDeque::new(),
            routes: BTreeSet::new(),
            rules: BTreeSet::new(),
            next_index: 1,
            refusals: None,
            refused: 0,
            said: Vec::new(),
            foreign: BTreeSet::new(),
            tells_protocol,
        };
        if let Ok(name) = "lo".parse() {
            kernel.add_link(name, MacAddr::ZERO, true);
            let loopback = Prefix::new([127, 0, 0, 1].into(), 8).ok();
            if let Some((index, prefix)) = kernel.index_of_loopback().zip(loopback) {
                // IFAPROT_KERNEL_LO.
                kernel.add_address(index, prefix, 1);
            }
        }
        kernel
    }

    /// What it has said since the last call.
    pub(crate) fn take_said(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.said)
    }

    pub(crate) fn refuse(&mut self, errno: Errno, times: u32) {
        self.refusals = (times > 0).then_some((errno, times));
    }

    pub(crate) const fn refused(&self) -> u32 {
        self.refused
    }

    pub(crate) const fn refuses(&self) -> bool {
        self.refusals.is_some()
    }

    /// What the next request is refused with, if it is.
    fn refusal(&mut self) -> Option<Errno> {
        let (errno, times) = self.refusals.take()?;
        self.refusals = (times > 1).then(|| (errno, times - 1));
        self.refused = self.refused.saturating_add(1);
        Some(errno)
    }

    pub(crate) fn add_link(&mut self, name: IfName, mac: MacAddr, loopback: bool) {
        let Ok(index) = IfIndex::try_from(self.next_index) else { return };
        self.next_index += 1;
        let link = Link { loopback, multicast: !loopback, mac: Some(mac), ..Link::new(index, name) };
        self.said.push(Event::LinkChanged(link.clone()));
        self.links.insert(index, link);
    }

    pub(crate) fn remove_link(&mut self, name: &IfName) {
        let Some(index) = self.index(name) else { return };
        for address in self.addresses.iter().filter(|one| one.index == index) {
            self.said.push(Event::AddressGone(address.clone()));
        }
        self.addresses.retain(|address| address.index != index);
        self.links.remove(&index);
        self.said.push(Event::LinkGone { index, name: name.clone() });
    }

    /// The cable is pulled or put back.
    pub(crate) fn set_running(&mut self, name: &IfName, running: bool) {
        let link = self.links.values_mut().find(|link| link.name == *name);
        if let Some(link) = link.filter(|link| link.running != running) {
            link.running = running;
            self.said.push(Event::LinkChanged(link.clone()));
        }
    }

    /// The host's own address.
    pub(crate) fn add_own(&mut self, name: &IfName, prefix: Prefix) {
        if let Some(index) = self.index(name) {
            self.add_address(index, prefix, 0);
        }
    }

    /// Somebody else deletes an address, wherever it is.
    pub(crate) fn delete_foreign(&mut self, address: IpAddr) {
        let gone: Vec<_> =
            self.addresses.iter().filter(|one| one.prefix.address() == address).cloned().collect();
        self.addresses.retain(|one| one.prefix.address() != address);
        self.foreign.retain(|(_, prefix)| prefix.address() != address);
        self.said.extend(gone.into_iter().map(Event::AddressGone));
    }

    /// Somebody else puts an address on a link.
    pub(crate) fn add_foreign(&mut self, name: &IfName, prefix: Prefix) {
        if let Some(index) = self.index(name).filter(|index| self.position(*index, prefix).is_none()) {
            self.foreign.insert((index, prefix));
            self.add_address(index, prefix, 0);
        }
    }

    /// Whether somebody else has put it there.
    pub(crate) fn is_foreign(&self, name: &IfName, prefix: Prefix) -> bool {
        self.index(name).is_some_and(|index| self.foreign.contains(&(index, prefix)))
    }

    pub(crate) fn index(&self, name: &IfName) -> Option<IfIndex> {
        self.links.values().find(|link| link.name == *name).map(|link| link.index)
    }

    /// Whether packets pass this link.
    pub(crate) fn carries(&self, name: &IfName) -> bool {
        self.links.values().any(|link| link.name == *name && link.carries())
    }

    /// Whether it answers for this address, on whatever link.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|one| one.prefix.address() == address)
    }

    /// Whether this link has exactly this.
    pub(crate) fn holds(&self, name: &IfName, prefix: Prefix) -> bool {
        self.index(name)
            .is_some_and(|index| self.addresses.iter().any(|one| one.index == index && one.prefix == prefix))
    }

    /// Works off a batch, as a real kernel does within the call that sends it, and says how many requests it had.
    pub(crate) fn carry_out(&mut self, batch: &[u8]) -> u32 {
        let mut count = 0;
        for (sequence, request) in decode(batch) {
            count += 1;
            self.answer(sequence, request);
        }
        count
    }

    fn answer(&mut self, sequence: Sequence, request: Request) {
        let result = match request {
            Request::DumpLinks => {
                self.said.extend(self.links.values().cloned().map(Event::LinkChanged));
                self.said.push(Event::DumpDone { sequence, result: Ok(()) });
                return;
            }
            Request::DumpAddresses => {
                self.said.extend(self.addresses.iter().cloned().map(Event::AddressAdded));
                self.said.push(Event::DumpDone { sequence, result: Ok(()) });
                return;
            }
            Request::DumpRules => {
                self.said.push(Event::DumpDone { sequence, result: Ok(()) });
                return;
            }
            Request::AddRoute { body, .. } => insert(&mut self.routes, body),
            Request::DeleteRoute(body) => remove(&mut self.routes, &body, Errno::ESRCH),
            Request::AddRule(body) => insert(&mut self.rules, body),
            Request::DeleteRule(body) => remove(&mut self.rules, &body, Errno::ENOENT),
            Request::AddAddress(new) => self.add(&new),
            Request::DeleteAddress { index, prefix, .. } => self.delete(index, prefix),
            Request::CreateVeth { .. }
            | Request::CreateBridge { .. }
            | Request::SetMaster { .. }
            | Request::SetUp(_)
            | Request::SetDown(_)
            | Request::SetMac { .. }
            | Request::Rename { .. }
            | Request::Move { .. }
            | Request::CreateMacvlan { .. }
            | Request::CreateIpvlan { .. }
            | Request::SetGroup { .. }
            | Request::SetAlias { .. }
            | Request::SetIpv4 { .. }
            | Request::SetNoOwnIpv6(_)
            | Request::DeleteLink(_) => Err(Errno::EPERM),
        };
        self.said.push(Event::Ack { sequence, result: result.map_err(Into::into) });
    }

    fn add(&mut self, new: &NewAddress) -> Result<(), Errno> {
        if let Some(errno) = self.refusal() {
            return Err(errno);
        }
        if !self.links.contains_key(&new.index) {
            return Err(Errno::ENODEV);
        }
        if self.position(new.index, new.prefix).is_some() {
            return Err(Errno::EEXIST);
        }
        self.add_address(new.index, new.prefix, if self.tells_protocol { PROTOCOL } else { 0 });
        Ok(())
    }

    fn delete(&mut self, index: IfIndex, prefix: Prefix) -> Result<(), Errno> {
        if let Some(errno) = self.refusal() {
            return Err(errno);
        }
        if !self.links.contains_key(&index) {
            return Err(Errno::ENODEV);
        }
        let gone = self.position(index, prefix).and_then(|at| self.addresses.remove(at));
        let gone = gone.ok_or(Errno::EADDRNOTAVAIL)?;
        self.foreign.remove(&(index, prefix));
        self.said.push(Event::AddressGone(gone));
        Ok(())
    }

    fn position(&self, index: IfIndex, prefix: Prefix) -> Option<usize> {
        self.addresses.iter().position(|one| one.index == index && one.prefix == prefix)
    }

    fn add_address(&mut self, index: IfIndex, prefix: Prefix, protocol: u8) {
        let same_network = |one: &Address| one.index == index && one.prefix.network() == prefix.network();
        let secondary = prefix.address().is_ipv4() && self.addresses.iter().any(same_network);
        let address = Address {
            index,
            prefix,
            peer: None,
            scope: 0,
            broadcast: None,
            label: None,
            flags: AddressFlags(u32::from(secondary)),
            protocol: if self.tells_protocol { protocol } else { 0 },
        };
        self.said.push(Event::AddressAdded(address.clone()));
        self.addresses.push_back(address);
    }

    fn index_of_loopback(&self) -> Option<IfIndex> {
        self.links.values().find(|link| link.loopback).map(|link| link.index)
    }
}

fn insert(entries: &mut BTreeSet<Box<[u8]>>, body: Box<[u8]>) -> Result<(), Errno> {
    if entries.insert(body) { Ok(()) } else { Err(Errno::EEXIST) }
}

fn remove(entries: &mut BTreeSet<Box<[u8]>>, body: &[u8], missing: Errno) -> Result<(), Errno> {
    if entries.remove(body) { Ok(()) } else { Err(missing) }
}
