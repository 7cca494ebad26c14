//! The kernel's side of the worker: the socket of the [`Keeper`], and what it tells the operator.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsFd, BorrowedFd};

use ::vrrp::{Holding, InstanceId};
use model::vrrp::{self, Statics, VirtualAddress};
use model::{Family, IfIndex, IfName, Instant, MacAddr};
use netlink::reconcile::{Action as Step, Slot};
use netlink::{Entry, Event, Heard, Held, Keeper, Mirror, Report, Standing};
use sys::socket::netlink::{Group, Received, Socket};
use sys::socket::size_receive_buffer;

use crate::log::Log;
use crate::message::Belongings;
use crate::snapshot;

/// Route netlink: one socket, what it tells, and what is asked over it.
pub(super) struct Kernel {
    socket: Socket,
    keeper: Keeper<InstanceId>,
    /// Every change of an address is logged.
    monitoring: bool,
    log: Log,
    datagram: Vec<u8>,
    events: Vec<Event>,
}

impl Kernel {
    /// Opens the socket and asks for all links and addresses.
    pub(super) fn open(log: Log, monitoring: bool) -> io::Result<Self> {
        let socket = Socket::open(&GROUPS)?;
        socket.hear_routes_of(netlink::request::PROTOCOL)?;
        let (datagram, events) = (Vec::new(), Vec::new());
        let mut kernel = Self { socket, keeper: Keeper::new(), monitoring, log, datagram, events };
        kernel.send(sys::clock::now());
        Ok(kernel)
    }

    /// How much the kernel may tell before it is read.
    pub(super) fn size_queue(&self, buffer: model::Buffer) {
        if let Some(bytes) = buffer.bytes
            && let Err(error) = size_receive_buffer(&self.socket, bytes.get(), buffer.force)
        {
            self.log
                .warning(format_args!("cannot give the netlink socket a queue of {bytes} bytes: {error}"));
        }
    }

    /// Whether all links and addresses have been heard once.
    pub(super) const fn is_synchronised(&self) -> bool {
        self.keeper.is_synchronised()
    }

    /// From now on these are the virtual addresses, and the host's own that we set. Gives the devices for which that may
    /// change from where a router speaks.
    pub(super) fn configure(&mut self, config: &vrrp::Config) -> BTreeSet<IfName> {
        self.keeper.configure(config)
    }

    /// Whether an address waits that came to be held later than asked.
    pub(super) const fn has_late(&self) -> bool {
        self.keeper.has_late()
    }

    /// The next such address: it has to be announced anew.
    pub(super) fn take_late(&mut self) -> Option<Slot> {
        self.keeper.take_late()
    }

    /// Every link there is.
    pub(super) fn links(&self) -> impl Iterator<Item = (&IfName, Option<Standing>)> {
        self.keeper.links()
    }

    /// Every link there is, as dumps show it.
    pub(super) fn interfaces(&self) -> impl Iterator<Item = snapshot::Link> {
        let mirror = self.keeper.mirror();
        let address =
            |index, family| mirror.primary(index, family, |_| false).map(|one| one.prefix.address());
        mirror.links().map(move |link| snapshot::Link {
            name: link.name.clone(),
            index: link.index,
            is_up: link.up,
            is_running: link.running,
            is_loopback: link.loopback,
            has_multicast: link.multicast,
            mac: link.mac,
            mtu: link.mtu,
            v4: address(link.index, Family::V4),
            v6: address(link.index, Family::V6),
        })
    }

    /// Links and addresses as they were last heard.
    pub(super) const fn mirror(&self) -> &Mirror {
        self.keeper.mirror()
    }

    /// The link of this name.
    pub(super) fn standing(&self, name: &IfName) -> Option<Standing> {
        self.keeper.standing(name)
    }

    /// Every address there is, and its link.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (IfIndex, IpAddr)> {
        self.keeper.mirror().addresses().map(|address| (address.index, address.prefix.address()))
    }

    /// Number and hardware address of a device.
    pub(super) fn device(&self, name: &IfName) -> Option<(IfIndex, MacAddr)> {
        self.keeper.device(name)
    }

    /// The link-local address of a device, from which neighbours can be asked.
    pub(super) fn link_local(&self, name: &IfName) -> Option<Ipv6Addr> {
        self.keeper.standing(name)?.sources.v6
    }

    /// Name of the link with this number.
    pub(super) fn name_of(&self, index: IfIndex) -> Option<&IfName> {
        self.keeper.name_of(index)
    }

    /// Whether an interface of this host has that link-layer address.
    pub(super) fn is_own(&self, mac: MacAddr) -> bool {
        self.keeper.is_own(mac)
    }

    /// Reads what the kernel has said, and appends what the machine must know.
    pub(super) fn drain(&mut self, now: Instant, heard: &mut Vec<Heard>) -> io::Result<()> {
        loop {
            match self.socket.recv(&mut self.datagram)? {
                Received::Datagram => {
                    netlink::decode(&self.datagram, &mut self.events);
                    let before = heard.len();
                    self.keeper.hear(now, self.events.drain(..), heard);
                    heard.iter().skip(before).for_each(|one| self.tell_heard(one));
                    self.report();
                }
                Received::Overrun => {
                    self.log.warning(
                        "netlink: the kernel dropped messages; reading all links and addresses anew",
                    );
                    self.keeper.resynchronise();
                }
                Received::Empty => break,
            }
        }
        self.send(now);
        Ok(())
    }

    /// The kernel should hold exactly these addresses, routes and rules for the instance.
    pub(super) fn hold(&mut self, holding: &Holding) -> Held {
        self.keeper.route(holding.instance, &holding.name, &holding.routes, &holding.rules);
        let held = self.keeper.hold(holding.instance, &holding.name, &holding.addresses);
        if held == Held::Begun {
            holding.addresses.iter().for_each(|wanted| self.warn_if_elsewhere(&holding.name, wanted));
        }
        held
    }

    /// The kernel should hold exactly these as long as the daemon runs.
    pub(super) fn keep(&mut self, statics: &Statics) -> Held {
        self.keeper.keep(statics)
    }

    /// Deletes what of `left` nobody wants: an earlier run left it.
    pub(super) fn sweep(&mut self, left: &Belongings) {
        self.keeper.sweep_routing(&left.routes, &left.rules);
        self.keeper.sweep(&left.addresses);
    }

    /// Carries out a few operations, in one batch; false if none is due.
    pub(super) fn step(&mut self, now: Instant) -> bool {
        let issued = self.keeper.step(now);
        self.report();
        self.send(now);
        issued > 0
    }

    /// Whether nothing is left on a link that should not be there.
    pub(super) fn is_released(&self) -> bool {
        self.keeper.is_released()
    }

    /// Whether an instance holds this address on this device.
    pub(super) fn holds(&self, device: &IfName, address: IpAddr) -> bool {
        self.keeper.holds(device, address)
    }

    /// Whether nothing is left to do or to be answered.
    pub(super) fn is_idle(&self) -> bool {
        self.keeper.is_idle()
    }

    /// When [`Self::step`] or [`Self::expire`] has something to do although nothing was heard.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.keeper.deadline()
    }

    /// Lists everything anew if an earlier attempt failed and its pause is over.
    pub(super) fn expire(&mut self, now: Instant) {
        self.keeper.expire(now);
        self.send(now);
    }

    fn tell_heard(&self, heard: &Heard) {
        match heard {
            Heard::Address { address, there } if self.monitoring => {
                let verb = if *there { "added" } else { "removed" };
                let name = self.keeper.name_of(address.index);
                self.log
                    .notice(format_args!("Netlink reports {} {verb} on {name:?}", address.prefix.address()));
            }
            Heard::NotListed(refusal) => self.log.error(format_args!(
                "netlink: the kernel refuses to list links or addresses, trying again: {refusal}"
            )),
            Heard::Address { .. } | Heard::Link { .. } | Heard::Gone(_) => {}
        }
    }

    fn warn_if_elsewhere(&self, owner: &str, wanted: &VirtualAddress) {
        for (device, prefix) in self.keeper.elsewhere(wanted) {
            self.log.warning(format_args!(
                "({owner}) virtual address {} is already on this host, as {prefix} on {device}, and not set by us; \
                 remove it there, or clients may be answered by the wrong interface",
                wanted.prefix.address(),
            ));
        }
    }

    fn report(&mut self) {
        for report in self.keeper.take_reports() {
            tell(&self.log, &report, |slot| self.keeper.is_static(slot));
        }
        for report in self.keeper.take_routing_reports() {
            tell_of_entry(&self.log, &report);
        }
    }

    /// Sends what is in the batch.
    fn send(&mut self, now: Instant) {
        if self.keeper.batch().is_empty() {
            return;
        }
        match self.socket.send(self.keeper.batch()) {
            Ok(()) => self.keeper.sent(),
            Err(error) => {
                self.keeper.not_sent(now);
                self.log
                    .error(format_args!("netlink: the kernel does not take requests, trying again: {error}"));
            }
        }
    }
}

impl AsFd for Kernel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn tell(log: &Log, report: &Report, is_static: impl Fn(&Slot) -> bool) {
    let kind = |slot: &Slot| if is_static(slot) { "static address" } else { "virtual address" };
    match report {
        Report::Present { slot, owner, .. } => log.detail(format_args!("({owner}) holds {}", Told(slot))),
        Report::Absent { slot } => log.detail(format_args!("released {}", Told(slot))),
        Report::LeftAlone { slot } => log.warning(format_args!(
            "{} {} is not ours to hold now, but somebody else had set it: it stays",
            kind(slot),
            Told(slot)
        )),
        Report::Failed { slot, action, refusal } => {
            let verb = match action {
                Step::Add => "add",
                Step::Delete => "delete",
            };
            log.error(format_args!("cannot {verb} {} {}: {refusal}", kind(slot), Told(slot)));
        }
        Report::AwaitingLink { slot } => log.warning(format_args!(
            "cannot add {} {} yet: there is no such interface; it is added when there is",
            kind(slot),
            Told(slot)
        )),
        Report::PutBack { slot, times: 1 } => log.warning(format_args!(
            "somebody else deleted {} {}; put back (is a network manager configured for this interface?)",
            kind(slot),
            Told(slot)
        )),
        Report::PutBack { slot, times } => {
            log.detail(format_args!(
                "somebody else deleted {} {} again: {times} times now",
                kind(slot),
                Told(slot)
            ));
        }
        Report::Lost { slot } => log.warning(format_args!(
            "somebody else deleted {} {}; it has `no_track`, and is not put back",
            kind(slot),
            Told(slot)
        )),
        Report::HeldBack { slot, .. } => log.warning(format_args!(
            "somebody else keeps deleting {} {}; putting it back less often",
            kind(slot),
            Told(slot)
        )),
    }
}

fn tell_of_entry(log: &Log, report: &Report<Entry>) {
    match report {
        Report::Present { slot, owner, .. } => log.detail(format_args!("({owner}) has {slot}")),
        Report::Absent { slot } => log.detail(format_args!("released {slot}")),
        Report::LeftAlone { slot } => {
            log.warning(format_args!(
                "{slot} is not ours to hold now, but somebody else had made it: it stays"
            ));
        }
        Report::Failed { slot, action, refusal } => {
            let verb = match action {
                Step::Add => "add",
                Step::Delete => "delete",
            };
            log.error(format_args!("cannot {verb} {slot}: {refusal}"));
        }
        Report::AwaitingLink { slot } => log.warning(format_args!(
            "cannot have {slot} now: its interface is not there, or down; it is added when that is up"
        )),
        Report::PutBack { slot, times: 1 } => {
            log.warning(format_args!("somebody else deleted {slot}; put back"));
        }
        Report::PutBack { slot, times } => {
            log.detail(format_args!("somebody else deleted {slot} again: {times} times now"));
        }
        Report::Lost { slot } => {
            log.warning(format_args!("somebody else deleted {slot}; it has `no_track`, and is not put back"))
        }
        Report::HeldBack { slot, .. } => {
            log.warning(format_args!("somebody else keeps deleting {slot}; putting it back less often"));
        }
    }
}

/// What the socket hears of.
const GROUPS: [Group; 7] = [
    Group::LINK,
    Group::IPV4_ADDRESS,
    Group::IPV6_ADDRESS,
    Group::IPV4_ROUTE,
    Group::IPV6_ROUTE,
    Group::IPV4_RULE,
    Group::IPV6_RULE,
];

/// A slot as operators write it.
struct Told<'a>(&'a Slot);

impl std::fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}", self.0.prefix, self.0.device)
    }
}
