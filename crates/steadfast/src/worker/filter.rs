//! The packet filter: what arrives for virtual addresses that this host must not use is dropped, and VMACs are kept from
//! telling of their memberships.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::{fs, io};

use ::vrrp::{Holding, InstanceId};
use model::vrrp::{OwnDevice, VirtualAddress};
use model::{Family, Instant, Nftables, Priority};
use netlink::nft::{self, Batch, Element, Heard, Plan, Report, Table};
use netlink::{Errno, Mirror, Refusal};
use sys::reactor::{Interest, Reactor};
use sys::socket::netlink::{Received, Socket};

use super::FILTER;
use super::own_links::OwnLinks;
use crate::log::Log;
use crate::message::Assignment;

pub(super) struct Filter {
    /// Open while there is a table, or may be one, with its number.
    socket: Option<(Socket, u32)>,
    tables: [Table; 2],
    /// Instances that must not use their addresses.
    refusing: BTreeSet<String>,
    held: BTreeMap<InstanceId, Arc<[VirtualAddress]>>,
    /// What was held until now, and may not have been taken away yet.
    leaving: Vec<Arc<[VirtualAddress]>>,
    /// What should be filtered may have changed.
    is_stale: bool,
    /// The kernel told of its memberships before we came.
    igmp_before: Option<String>,
    datagram: Vec<u8>,
    heard: Vec<Heard>,
    log: Log,
}

impl Filter {
    pub(super) fn new(log: Log) -> Self {
        Self {
            socket: None,
            tables: [Table::new(Family::V4), Table::new(Family::V6)],
            refusing: BTreeSet::new(),
            held: BTreeMap::new(),
            leaving: Vec::new(),
            is_stale: false,
            igmp_before: None,
            datagram: Vec::new(),
            heard: Vec::new(),
            log,
        }
    }

    /// Filters what this configuration asks for, from the next [`Self::sync`] on.
    pub(super) fn configure(&mut self, assignment: &Assignment, reactor: &mut Reactor) {
        let instances = &assignment.config.instances;
        let refuses = |one: &&model::vrrp::Instance| !one.accept && one.priority != Priority::OWNER;
        self.refusing = instances.iter().filter(refuses).map(|one| one.name.clone()).collect();
        let has_vmac = instances
            .iter()
            .any(|one| matches!(one.own_device, Some(OwnDevice::Vmac(_))) || !one.address_vmacs.is_empty());
        let is_needed = assignment.nftables.always || has_vmac || !self.refusing.is_empty();
        if self.socket.is_none() {
            match open(reactor) {
                Ok(socket) => self.socket = Some(socket),
                Err(error) if is_needed => self.log.error(format_args!("{NO_NFTABLES}: {error}")),
                // Where there is no nftables, nobody has left a table.
                Err(_) => {}
            }
        }
        for table in &mut self.tables {
            table.set_plan(is_needed.then(|| plan(&assignment.nftables)));
            // One that a killed run has left would go on to drop packets to addresses that are now accepted.
            table.sweep(&assignment.nftables.table);
        }
        self.is_stale = true;
        if assignment.no_local_igmp && self.igmp_before.is_none() {
            self.silence_igmp();
        }
    }

    /// An instance holds these addresses from now on.
    pub(super) fn hold(&mut self, holding: &Holding) {
        let before = self.held.remove(&holding.instance);
        let is_filtered = self.refusing.contains(&*holding.name) && !holding.addresses.is_empty();
        if is_filtered {
            self.held.insert(holding.instance, Arc::clone(&holding.addresses));
        }
        self.is_stale |= is_filtered || before.is_some();
        self.leaving.extend(before);
    }

    /// Links have changed.
    pub(super) const fn review(&mut self) {
        self.is_stale = true;
    }

    /// All that is not held any more is gone.
    pub(super) fn forget_released(&mut self) {
        self.is_stale |= !self.leaving.is_empty();
        self.leaving.clear();
    }

    /// Makes the tables what they should be. What is filtered is filtered until the last address is gone.
    pub(super) fn sync(&mut self, now: Instant, mirror: &Mirror, own_links: &OwnLinks) {
        if std::mem::take(&mut self.is_stale) {
            let elements = self.elements(mirror, own_links);
            self.tables.iter_mut().for_each(|table| table.set_elements(&elements));
        }
        self.carry_out(now);
    }

    /// Removes the tables, and lets the kernel speak as before.
    pub(super) fn release(&mut self, now: Instant) {
        self.tables.iter_mut().for_each(|table| table.set_plan(None));
        self.carry_out(now);
        if let Some(before) = self.igmp_before.take()
            && let Err(error) = fs::write(LOCAL_IGMP, before)
        {
            self.log.warning(format_args!("cannot restore {LOCAL_IGMP}: {error}"));
        }
    }

    /// Takes in what the kernel says of tables.
    pub(super) fn hear(&mut self, now: Instant) {
        let Some((socket, port)) = &self.socket else { return };
        loop {
            match socket.recv(&mut self.datagram) {
                Ok(Received::Datagram) => nft::decode(&self.datagram, &mut self.heard),
                Ok(Received::Overrun) => self.tables.iter_mut().for_each(|table| table.lose(now)),
                Ok(Received::Empty) | Err(_) => break,
            }
        }
        for heard in self.heard.drain(..) {
            if let Heard::Changed { family, table, port: by } = heard
                && by != *port
            {
                let ours = self.tables.iter_mut().filter(|one| one.is(family, &table));
                ours.for_each(|one| one.lose(now));
            }
        }
    }

    /// When [`Self::sync`] has something to do although nothing was heard.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.tables.iter().filter_map(Table::deadline).min()
    }

    fn elements(&self, mirror: &Mirror, own_links: &OwnLinks) -> BTreeSet<Element> {
        let held = self.held.values().chain(&self.leaving).flat_map(|held| held.iter());
        let dropped = held.filter_map(|held| match held.prefix.address() {
            IpAddr::V4(v4) => Some(Element::V4(v4)),
            IpAddr::V6(v6) if v6.is_unicast_link_local() => {
                let (device, index) = (held.device.clone(), mirror.link_named(&held.device)?.index);
                Some(Element::LinkLocal { address: v6, device, index })
            }
            IpAddr::V6(v6) => Some(Element::V6(v6)),
        });
        let vmacs = own_links.vmacs(mirror).into_iter();
        let vmacs = vmacs.flat_map(|(own, base)| [Element::Vmac { own, base }, Element::Quiet(own)]);
        dropped.chain(vmacs).collect()
    }

    fn carry_out(&mut self, now: Instant) {
        let Some((socket, _)) = &self.socket else { return };
        for table in &mut self.tables {
            // At most: as it should be, less than that, and nothing.
            for _ in 0..3 {
                let Some(batch) = table.next(now) else { break };
                let result = ask(socket, &batch, &mut self.datagram, &mut self.heard);
                table.done(now, result);
            }
            let family = table.family();
            table.take_reports().iter().for_each(|report| tell(&self.log, family, report));
        }
        // Events may have come with the answers.
        self.hear(now);
        if !self.tables.iter().any(Table::is_of_interest) {
            // What others do to their tables need not wake us.
            self.socket = None;
        }
    }

    fn silence_igmp(&mut self) {
        let before = fs::read_to_string(LOCAL_IGMP);
        let silenced = before.and_then(|before| fs::write(LOCAL_IGMP, "0").map(|()| before));
        match silenced {
            Ok(before) => self.igmp_before = Some(before.trim().to_owned()),
            Err(error) => self
                .log
                .error(format_args!("disable_local_igmp has no effect: cannot write {LOCAL_IGMP}: {error}")),
        }
    }
}

fn open(reactor: &mut Reactor) -> io::Result<(Socket, u32)> {
    let socket = Socket::open_filter()?;
    reactor.add(&socket, FILTER, Interest::Read)?;
    let port = socket.port()?;
    Ok((socket, port))
}

fn plan(nftables: &Nftables) -> Plan {
    Plan {
        table: nftables.table.clone(),
        priority: nftables.priority,
        by_index: nftables.by_index,
        counters: nftables.counters,
    }
}

/// Sends a batch. The kernel has answered when it has been sent; what else is heard is left in `heard`.
fn ask(
    socket: &Socket,
    batch: &Batch,
    datagram: &mut Vec<u8>,
    heard: &mut Vec<Heard>,
) -> Result<(), Refusal> {
    let refusal = |error: &io::Error| Refusal::from(Errno(error.raw_os_error().unwrap_or(0)));
    socket.send(batch.bytes()).map_err(|error| refusal(&error))?;
    let mut answer = None;
    while answer.is_none() {
        match socket.recv(datagram).map_err(|error| refusal(&error))? {
            Received::Datagram => nft::decode(datagram, heard),
            Received::Overrun => {}
            Received::Empty => return Err(Errno::EAGAIN.into()),
        }
        heard.retain(|one| match one {
            Heard::Answer { sequence, result } => {
                if result.is_err() || *sequence == batch.last() {
                    answer.get_or_insert_with(|| result.clone());
                }
                false
            }
            Heard::Changed { .. } => true,
        });
    }
    answer.unwrap_or(Ok(()))
}

fn tell(log: &Log, family: Family, report: &Report) {
    let name = match family {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    };
    match report {
        Report::Made => log.detail(format_args!("nftables: made the table of family {name}")),
        Report::Removed => log.detail(format_args!("nftables: removed the table of family {name}")),
        Report::Swept => log.notice(format_args!(
            "nftables: removed a table of family {name} which an earlier run had left and nothing needs now"
        )),
        Report::Stays(refusal) => log.error(format_args!(
            "nftables: cannot remove a table of family {name} which an earlier run has left, and which may drop packets \
             to virtual addresses: {refusal}"
        )),
        Report::MadeAgain => log.warning(format_args!(
            "nftables: somebody else deleted or changed our table of family {name}; made again"
        )),
        Report::HeldBack => log.warning(format_args!(
            "nftables: somebody else keeps changing our table of family {name}; making it again less often"
        )),
        Report::NoDuplicates(refusal) => log.warning(format_args!(
            "nftables: the kernel refuses the table of family {name} ({refusal}); trying without the rule that sends \
             group memberships of VMACs out below them, which needs NFT_DUP"
        )),
        Report::Failed(refusal) => log.error(format_args!("{NO_NFTABLES} (family {name}), trying again: {refusal}")),
    }
}

const NO_NFTABLES: &str = "nftables: the kernel does not take our table, so packets to addresses of instances with no_accept \
                           are not dropped; it needs NF_TABLES, NF_TABLES_IPV4 and NF_TABLES_IPV6";
const LOCAL_IGMP: &str = "/proc/sys/net/ipv4/igmp_link_local_mcast_reports";
