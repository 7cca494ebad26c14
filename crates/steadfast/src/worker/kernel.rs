//! The kernel's side of the worker: links and addresses heard, virtual addresses made so.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use ::vrrp::{Holding, InstanceId, Link};
use model::vrrp::{self, VirtualAddress};
use model::{Family, IfIndex, IfName, Instant, MacAddr, Prefix, Priority};
use netlink::reconcile::{Action as Step, Slot};
use netlink::transaction::Notice;
use netlink::{Address, Change, Event, Mirror, Reconciler, Report, transaction::Transactions};
use sys::socket::netlink::{Group, Received, Socket};

use crate::log::Log;

/// What was heard of a link, in the form in which the machine takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// What there is under this name now.
    Link { name: IfName, link: Option<Link> },
    /// The link with this number is no more, or not here.
    Gone(IfIndex),
}

/// How a request to hold addresses was taken.
#[derive(Debug)]
pub(super) enum Held {
    /// It is under way.
    Begun,
    /// First something has to be released; then it is to be asked for again.
    AfterRelease(Holding),
}

/// Route netlink: one socket, what it tells, and what is asked over it.
pub(super) struct Kernel {
    socket: Socket,
    transactions: Transactions,
    mirror: Mirror,
    reconciler: Reconciler,
    holdings: BTreeMap<InstanceId, Arc<[VirtualAddress]>>,
    /// Virtual addresses by the configuration, those of owners left out: kernels before 5.18 do not tell them from
    /// others.
    virtual_slots: BTreeSet<Slot>,
    /// Addresses that came late, for the machine.
    late: Vec<Slot>,
    synchronised: bool,
    /// When to list everything anew, because the kernel did not take or answer something.
    retry_at: Option<Instant>,
    /// Every change of an address is logged.
    monitoring: bool,
    log: Log,
    datagram: Vec<u8>,
    batch: Vec<u8>,
    events: Vec<Event>,
    notices: Vec<Notice>,
    reports: Vec<Report>,
}

impl Kernel {
    /// Opens the socket and asks for all links and addresses.
    pub(super) fn open(log: Log, monitoring: bool) -> io::Result<Self> {
        let socket = Socket::open(&[Group::LINK, Group::IPV4_ADDRESS, Group::IPV6_ADDRESS])?;
        let mut kernel = Self {
            socket,
            transactions: Transactions::new(),
            mirror: Mirror::default(),
            reconciler: Reconciler::new(),
            holdings: BTreeMap::new(),
            virtual_slots: BTreeSet::new(),
            late: Vec::new(),
            synchronised: false,
            retry_at: None,
            monitoring,
            log,
            datagram: Vec::new(),
            batch: Vec::new(),
            events: Vec::new(),
            notices: Vec::new(),
            reports: Vec::new(),
        };
        kernel.transactions.resynchronise(&mut kernel.mirror, &mut kernel.batch);
        kernel.send(sys::clock::now());
        Ok(kernel)
    }

    /// Whether all links and addresses have been heard once.
    pub(super) const fn is_synchronised(&self) -> bool {
        self.synchronised
    }

    /// From now on these are the virtual addresses.
    pub(super) fn configure(&mut self, config: &vrrp::Config) {
        let backed_up = config.instances.iter().filter(|instance| instance.priority != Priority::OWNER);
        self.virtual_slots = backed_up.flat_map(|instance| &instance.addresses).map(Slot::of).collect();
    }

    /// Whether such an address waits.
    pub(super) const fn has_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// The next address that came to be held later than asked: it has to be announced anew.
    pub(super) fn take_late(&mut self) -> Option<Slot> {
        self.late.pop()
    }

    /// Every link there is.
    pub(super) fn links(&self) -> Vec<(IfName, Option<Link>)> {
        self.mirror.links().map(|link| (link.name.clone(), self.link_named(&link.name))).collect()
    }

    /// Number and hardware address of a device.
    pub(super) fn device(&self, name: &IfName) -> Option<(IfIndex, MacAddr)> {
        let link = self.mirror.link_named(name)?;
        Some((link.index, link.mac?))
    }

    /// Name and hardware address of the link with this number.
    pub(super) fn name_of(&self, index: IfIndex) -> Option<&IfName> {
        Some(&self.mirror.link(index)?.name)
    }

    /// Whether an interface of this host has that link-layer address.
    pub(super) fn is_own(&self, mac: MacAddr) -> bool {
        self.mirror.links().any(|link| link.mac == Some(mac))
    }

    /// Reads what the kernel has said, and appends what the machine must know.
    pub(super) fn drain(&mut self, now: Instant, heard: &mut Vec<Heard>) -> io::Result<()> {
        loop {
            match self.socket.recv(&mut self.datagram)? {
                Received::Datagram => {
                    netlink::decode(&self.datagram, &mut self.events);
                    self.digest(now, heard);
                }
                Received::Overrun => {
                    self.log.warning(
                        "netlink: the kernel dropped messages; reading all links and addresses anew",
                    );
                    self.transactions.resynchronise(&mut self.mirror, &mut self.batch);
                }
                Received::Empty => break,
            }
        }
        self.send(now);
        Ok(())
    }

    /// The kernel should hold exactly these addresses for the instance.
    pub(super) fn hold(&mut self, holding: Holding) -> Held {
        let before = self.holdings.remove(&holding.instance).unwrap_or_else(|| Arc::new([]));
        let stays = |old: &VirtualAddress| {
            let same_slot = |new: &&VirtualAddress| (&old.device, old.prefix) == (&new.device, new.prefix);
            holding.addresses.iter().find(same_slot).map(|new| looks_the_same(old, new))
        };
        for old in before.iter().filter(|old| stays(old) != Some(true)) {
            self.reconciler.unwant(&holding.name, &old.device, old.prefix);
        }
        if before.iter().any(|old| stays(old) == Some(false)) {
            // The kernel changes no label, scope or broadcast address: it must be deleted before it is added anew.
            let kept: Vec<_> = before.iter().filter(|old| stays(old) == Some(true)).cloned().collect();
            self.holdings.insert(holding.instance, kept.into());
            return Held::AfterRelease(holding);
        }
        for new in holding.addresses.iter() {
            self.warn_if_elsewhere(&holding.name, new);
            self.reconciler.want(&holding.name, new);
        }
        if !holding.addresses.is_empty() {
            self.holdings.insert(holding.instance, holding.addresses);
        }
        Held::Begun
    }

    /// Deletes those of the `configured` addresses that nobody wants: an earlier run left them.
    pub(super) fn sweep<'a>(&mut self, configured: impl IntoIterator<Item = &'a VirtualAddress>) {
        self.reconciler.sweep(configured, &self.mirror);
    }

    /// Carries out a few operations, in one batch; false if none is due.
    pub(super) fn step(&mut self, now: Instant) -> io::Result<bool> {
        let (transactions, batch) = (&mut self.transactions, &mut self.batch);
        let ask = |request| transactions.ask(request, batch);
        let issued = self.reconciler.issue_batch(now, &self.mirror, &mut self.reports, BATCH, ask);
        self.report();
        self.send(now);
        Ok(issued > 0)
    }

    /// Whether nothing is left on a link that should not be there.
    pub(super) fn is_released(&self) -> bool {
        self.reconciler.is_released()
    }

    /// Whether an instance holds this address on this device.
    pub(super) fn holds(&self, device: &IfName, address: IpAddr) -> bool {
        let mut held = self.holdings.values().flat_map(|held| held.iter());
        held.any(|one| one.device == *device && one.prefix.address() == address)
    }

    /// Whether nothing is left to do or to be answered.
    pub(super) fn is_idle(&self) -> bool {
        self.reconciler.is_idle()
    }

    /// When [`Self::step`] or [`Self::expire`] has something to do although nothing was heard.
    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.reconciler.deadline(), self.retry_at].into_iter().flatten().min()
    }

    /// Lists everything anew if an earlier attempt failed and its pause is over.
    pub(super) fn expire(&mut self, now: Instant) {
        if self.retry_at.take_if(|at| *at <= now).is_some() {
            self.transactions.resynchronise(&mut self.mirror, &mut self.batch);
            self.send(now);
        }
    }

    fn digest(&mut self, now: Instant, heard: &mut Vec<Heard>) {
        for event in std::mem::take(&mut self.events) {
            self.transactions.hear(event, &mut self.mirror, &mut self.batch, &mut self.notices);
        }
        for notice in std::mem::take(&mut self.notices) {
            self.reconciler.on_notice(now, &notice, &self.mirror, &mut self.reports);
            match notice {
                Notice::Changed(change) => self.take_change(change, heard),
                Notice::Synchronised => self.synchronised = true,
                Notice::NotSynchronised(refusal) => {
                    self.log.error(format_args!(
                        "netlink: the kernel refuses to list links or addresses, trying again: {refusal}"
                    ));
                    self.retry_at = Some(now + RETRY);
                }
                Notice::Answered { .. } => {}
            }
        }
        self.report();
    }

    fn take_change(&self, change: Change, heard: &mut Vec<Heard>) {
        if !self.synchronised {
            return;
        }
        match change {
            Change::Link(link) => heard.push(self.heard(&link.name)),
            Change::LinkGone { index, name } => {
                heard.push(Heard::Gone(index));
                heard.push(self.heard(&name));
            }
            Change::Address(address) => {
                self.tell_address(&address, "added");
                heard.extend(self.heard_address(&address));
            }
            Change::AddressGone(address) => {
                self.tell_address(&address, "removed");
                heard.extend(self.heard_address(&address));
            }
        }
    }

    fn tell_address(&self, address: &Address, verb: &str) {
        if self.monitoring {
            let name = self.mirror.link(address.index).map(|link| &link.name);
            self.log.notice(format_args!("Netlink reports {} {verb} on {name:?}", address.prefix.address()));
        }
    }

    /// A virtual address that comes or goes does not change from where a router speaks.
    fn heard_address(&self, address: &Address) -> Option<Heard> {
        let link = self.mirror.link(address.index)?;
        let is_virtual = self.mirror.is_virtual(address, |prefix| self.is_configured(&link.name, prefix));
        (!is_virtual).then(|| self.heard(&link.name))
    }

    /// A name is looked up when it is told: several links may have had it since the event.
    fn heard(&self, name: &IfName) -> Heard {
        Heard::Link { name: name.clone(), link: self.link_named(name) }
    }

    fn link_named(&self, name: &IfName) -> Option<Link> {
        let link = self.mirror.link_named(name)?;
        let index = link.index;
        Some(Link { index, up: link.carries(), address: self.own_address(index, name) })
    }

    fn own_address(&self, index: IfIndex, name: &IfName) -> Option<IpAddr> {
        let is_virtual = |prefix| self.is_configured(name, prefix);
        self.mirror.primary(index, Family::V4, is_virtual).map(|address| address.prefix.address())
    }

    fn is_configured(&self, device: &IfName, prefix: Prefix) -> bool {
        self.virtual_slots.contains(&Slot { device: device.clone(), prefix })
    }

    fn warn_if_elsewhere(&self, owner: &str, wanted: &VirtualAddress) {
        for other in self.mirror.addresses().filter(|one| one.prefix.address() == wanted.prefix.address()) {
            let Some(link) = self.mirror.link(other.index) else { continue };
            let same_slot = link.name == wanted.device && other.prefix == wanted.prefix;
            if !same_slot && !self.reconciler.wants(&link.name, other.prefix) {
                self.log.warning(format_args!(
                    "({owner}) virtual address {} is already on this host, as {} on {}, and not set by us; \
                     remove it there, or clients may be answered by the wrong interface",
                    wanted.prefix.address(),
                    other.prefix,
                    link.name
                ));
            }
        }
    }

    fn report(&mut self) {
        for report in self.reports.drain(..) {
            tell(&self.log, &report);
            if let Report::Present { slot, late: true, .. } = report {
                self.late.push(slot);
            }
        }
    }

    /// Sends what is in the batch. If that fails its requests are lost; listing everything anew finds out which.
    fn send(&mut self, now: Instant) {
        if self.batch.is_empty() {
            return;
        }
        if let Err(error) = self.socket.send(&self.batch) {
            self.transactions.not_sent();
            self.log.error(format_args!("netlink: the kernel does not take requests, trying again: {error}"));
            self.retry_at = Some(now + RETRY);
        }
        self.batch.clear();
    }
}

impl AsFd for Kernel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn tell(log: &Log, report: &Report) {
    match report {
        Report::Present { slot, owner, .. } => log.detail(format_args!("({owner}) holds {}", Told(slot))),
        Report::Absent { slot } => log.detail(format_args!("released {}", Told(slot))),
        Report::LeftAlone { slot } => log.warning(format_args!(
            "virtual address {} is not ours to hold now, but somebody else had set it: it stays",
            Told(slot)
        )),
        Report::Failed { slot, action, refusal } => {
            let verb = match action {
                Step::Add => "add",
                Step::Delete => "delete",
            };
            log.error(format_args!("cannot {verb} virtual address {}: {refusal}", Told(slot)));
        }
        Report::AwaitingLink { slot } => log.warning(format_args!(
            "cannot add virtual address {} yet: there is no such interface; it is added when there is",
            Told(slot)
        )),
        Report::PutBack { slot, times: 1 } => log.warning(format_args!(
            "somebody else deleted virtual address {}; put back (is a network manager configured for this interface?)",
            Told(slot)
        )),
        Report::PutBack { slot, times } => {
            log.detail(format_args!("somebody else deleted virtual address {} for the {times}th time", Told(slot)));
        }
        Report::HeldBack { slot, .. } => log.warning(format_args!(
            "somebody else keeps deleting virtual address {}; putting it back less often",
            Told(slot)
        )),
    }
}

/// A slot as operators write it.
struct Told<'a>(&'a Slot);

impl std::fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}", self.0.prefix, self.0.device)
    }
}

/// Whether the kernel could not tell the two apart: what is advertised is not its business.
fn looks_the_same(one: &VirtualAddress, other: &VirtualAddress) -> bool {
    (&one.scope, one.broadcast, &one.label) == (&other.scope, other.broadcast, &other.label)
}

/// Requests in one datagram. More would not be cheaper each, and the kernel works them all off within the call.
const BATCH: usize = 8;
/// From a failure of the socket to the next attempt.
const RETRY: Duration = Duration::from_millis(500);
