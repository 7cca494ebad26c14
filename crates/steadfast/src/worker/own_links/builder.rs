//! The thread that makes and deletes links.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, PipeWriter, Write};
use std::sync::mpsc::{Receiver, Sender};
use std::{fs, thread};

use model::{IfIndex, IfName};
use netlink::own_links::{Left, Operation, OwnLink, OwnLinkKind, alias};
use netlink::request::{Ipv4Setting, LinkId, NewAddress};
use netlink::{Errno, Event, Refusal, Request, Sequence};
use sys::socket::netlink::{Received, Socket};

use crate::log::Log;

/// An operation that has ended.
pub(super) struct Done {
    pub(super) operation: Operation,
    pub(super) result: Result<(), Refusal>,
}

/// Makes and deletes links on a socket of its own, one request after the other.
pub(super) struct Builder {
    socket: Socket,
    sequence: Sequence,
    datagram: Vec<u8>,
    bases: BTreeMap<IfIndex, Base>,
    log: Log,
}

/// An interface below macvlans, with the settings that were changed for them.
#[derive(Default)]
struct Base {
    before: Vec<(Ipv4Setting, u32)>,
    users: BTreeSet<IfName>,
}

impl Base {
    /// What is known already is older.
    fn remember(&mut self, before: Vec<(Ipv4Setting, u32)>) {
        for (setting, value) in before {
            if !self.before.iter().any(|(known, _)| *known == setting) {
                self.before.push((setting, value));
            }
        }
    }
}

impl Builder {
    pub(super) fn start(
        jobs: Receiver<(Operation, String)>,
        done: Sender<Done>,
        mut ring: PipeWriter,
        log: Log,
    ) -> io::Result<()> {
        let (datagram, bases) = (Vec::new(), BTreeMap::new());
        let mut builder =
            Self { socket: Socket::open(&[])?, sequence: Sequence::FIRST, datagram, bases, log };
        thread::Builder::new().name("links".to_owned()).spawn(move || {
            while let Ok((operation, mark)) = jobs.recv() {
                let result = builder.carry_out(&operation, &mark);
                // The worker ends, or is gone: nobody is to be told.
                if done.send(Done { operation, result }).is_err() || ring.write(&[0]).is_err() {
                    return;
                }
            }
        })?;
        Ok(())
    }

    fn carry_out(&mut self, operation: &Operation, mark: &str) -> Result<(), Refusal> {
        match operation {
            Operation::Make { link, base } => self.ask(&create(link, *base)),
            Operation::SetUp { link, base, index, note } => {
                self.set_up(link, *base, *index, (mark, note.as_deref()))
            }
            Operation::Remove { name, index, left } => {
                match self.ask(&Request::DeleteLink((*index).into())) {
                    Err(Refusal { errno: Errno::ENODEV, .. }) | Ok(()) => {}
                    Err(refusal) => return Err(refusal),
                }
                self.leave_base(name);
                if let Some(left) = left {
                    self.take_over(left);
                }
                Ok(())
            }
        }
    }

    /// Gives a link its settings, and sets it up last of all: it must not speak before.
    fn set_up(
        &mut self,
        link: &OwnLink,
        base: IfIndex,
        index: IfIndex,
        (mark, note): (&str, Option<&str>),
    ) -> Result<(), Refusal> {
        let id = || LinkId::from(index);
        // Before anything is changed: whoever comes after a kill must find what was there.
        let before = match link.kind {
            OwnLinkKind::Macvlan { .. } => written(self.look_at_base(link, base, note)),
            OwnLinkKind::Ipvlan { .. } => String::new(),
        };
        self.ask(&Request::SetAlias { link: id(), alias: alias(mark, &before) })?;
        self.ask(&Request::SetGroup { link: id(), group: link.group })?;
        match self.ask(&Request::SetNoOwnIpv6(id())) {
            // A kernel without IPv6 makes no such addresses either.
            Err(Refusal { errno: Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP, .. }) | Ok(()) => {}
            Err(refusal) => return Err(refusal),
        }
        match link.kind {
            OwnLinkKind::Macvlan { .. } => {
                self.set_disable_ipv6(link);
                self.ask(&Request::SetIpv4 { link: id(), settings: macvlan_settings() })?;
                self.enter_base(link, base)?;
            }
            OwnLinkKind::Ipvlan { address: Some(prefix), .. } => {
                match self.ask(&Request::AddAddress(NewAddress::plain(index, prefix))) {
                    Err(Refusal { errno: Errno::EEXIST, .. }) | Ok(()) => {}
                    Err(refusal) => return Err(refusal),
                }
            }
            OwnLinkKind::Ipvlan { address: None, .. } => {}
        }
        self.ask(&Request::SetUp(id()))
    }

    /// An interface for IPv4 alone has no need to join the groups of IPv6.
    fn set_disable_ipv6(&self, link: &OwnLink) {
        let path = format!("/proc/sys/net/ipv6/conf/{}/disable_ipv6", link.name);
        let value = if link.uses_ipv6 { "0" } else { "1" };
        match fs::write(&path, value) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.log.detail(format_args!("cannot write {value} to {path}: {error}"));
            }
            Ok(()) | Err(_) => {}
        }
    }

    /// What the base had that is less than it needs, as it is now or as it was before a run that was killed.
    fn look_at_base(&mut self, link: &OwnLink, index: IfIndex, note: Option<&str>) -> &[(Ipv4Setting, u32)] {
        let base = self.bases.entry(index).or_default();
        if base.users.is_empty() {
            let lesser = |(setting, least): (Ipv4Setting, u32)| {
                let value = ipv4_setting(link.base.as_str(), setting)?;
                (value < least).then_some((setting, value))
            };
            base.before = BASE_SETTINGS.into_iter().filter_map(lesser).collect();
        }
        base.remember(note.map_or_else(Vec::new, |note| changed_by_us(note, link.base.as_str())));
        &base.before
    }

    /// A link goes that an earlier run has left: what it has changed of the base is given back, now or when nobody needs it.
    fn take_over(&mut self, left: &Left) {
        let before = changed_by_us(&left.note, left.base_name.as_str());
        match self.bases.get_mut(&left.base).filter(|base| !base.users.is_empty()) {
            Some(base) => base.remember(before),
            None if before.is_empty() => {}
            None => self.give_back(left.base, left.base_name.as_str(), before),
        }
    }

    /// The base must not answer ARP for the addresses of the macvlans on it, nor name them when it asks.
    fn enter_base(&mut self, link: &OwnLink, index: IfIndex) -> Result<(), Refusal> {
        let base = self.bases.entry(index).or_default();
        let is_first = base.users.is_empty();
        base.users.insert(link.name.clone());
        if is_first || link.notify_base {
            let is_changed =
                |(setting, _): &(Ipv4Setting, u32)| base.before.iter().any(|(is, _)| is == setting);
            let mut settings: Vec<_> = BASE_SETTINGS.into_iter().filter(is_changed).collect();
            if settings.is_empty() && link.notify_base {
                // What the kernel is told it tells, even if nothing changes.
                settings.extend(
                    ipv4_setting(link.base.as_str(), Ipv4Setting::ArpIgnore)
                        .map(|is| (Ipv4Setting::ArpIgnore, is)),
                );
            }
            if !settings.is_empty() {
                self.ask(&Request::SetIpv4 { link: index.into(), settings })?;
            }
        }
        Ok(())
    }

    /// The last macvlan gives the base its settings back.
    fn leave_base(&mut self, name: &IfName) {
        let Some((index, base)) = self.bases.iter_mut().find(|(_, base)| base.users.contains(name)) else {
            return;
        };
        let index = *index;
        base.users.remove(name);
        if !base.users.is_empty() {
            return;
        }
        let settings = std::mem::take(&mut base.before);
        self.bases.remove(&index);
        if !settings.is_empty() {
            self.give_back(index, &format!("the interface below {name}"), settings);
        }
    }

    fn give_back(&mut self, base: IfIndex, what: &str, settings: Vec<(Ipv4Setting, u32)>) {
        match self.ask(&Request::SetIpv4 { link: base.into(), settings }) {
            Err(Refusal { errno: Errno::ENODEV, .. }) | Ok(()) => {}
            Err(refusal) => self.log.warning(format_args!(
                "cannot give {what} its ARP settings back (arp_ignore, arp_filter): {refusal}"
            )),
        }
    }

    /// Asks the kernel, which has done it and answered when the request has been sent.
    fn ask(&mut self, request: &Request) -> Result<(), Refusal> {
        self.sequence = self.sequence.next();
        let mut batch = Vec::new();
        netlink::encode(request, self.sequence, &mut batch);
        self.socket.send(&batch).map_err(|error| refusal(&error))?;
        let mut events = Vec::new();
        loop {
            match self.socket.recv(&mut self.datagram).map_err(|error| refusal(&error))? {
                Received::Datagram => {
                    netlink::decode(&self.datagram, &mut events);
                }
                Received::Overrun => {}
                Received::Empty => return Err(Errno::EAGAIN.into()),
            }
            for event in events.drain(..) {
                if let Event::Ack { sequence, result } = event
                    && sequence == self.sequence
                {
                    return result;
                }
            }
        }
    }
}

/// As it stands on a macvlan: `arp_ignore 0, arp_filter 0`.
fn written(before: &[(Ipv4Setting, u32)]) -> String {
    let texts: Vec<_> = before.iter().map(|(setting, value)| format!("{} {value}", setting.name())).collect();
    texts.join(", ")
}

/// What stands on a macvlan, as far as the base still has what we gave it.
fn changed_by_us(note: &str, base: &str) -> Vec<(Ipv4Setting, u32)> {
    let entry = |text: &str| {
        let (name, value) = text.split_once(' ')?;
        let value: u32 = value.parse().ok()?;
        let (setting, least) = BASE_SETTINGS.into_iter().find(|(setting, _)| setting.name() == name)?;
        (value < least && ipv4_setting(base, setting) == Some(least)).then_some((setting, value))
    };
    note.split(", ").filter_map(entry).collect()
}

fn create(link: &OwnLink, lower: IfIndex) -> Request {
    let (name, group) = (link.name.clone(), link.group);
    match link.kind {
        OwnLinkKind::Macvlan { mac } => Request::CreateMacvlan { name, lower, mac, group },
        OwnLinkKind::Ipvlan { mode, .. } => Request::CreateIpvlan { name, lower, mode, group },
    }
}

/// What a macvlan that holds virtual addresses needs: it answers ARP only for its own addresses, hears hosts that are
/// reached through the base, and other macvlans of this host; an address does not go because another one does.
fn macvlan_settings() -> Vec<(Ipv4Setting, u32)> {
    // The kernel takes the greater one of this and that of all interfaces: "loose" undoes "strict", 0 would not.
    let rp_filter = match ipv4_setting("all", Ipv4Setting::RpFilter) {
        None | Some(0) => 0,
        Some(_) => RP_FILTER_LOOSE,
    };
    vec![
        (Ipv4Setting::ArpIgnore, 1),
        (Ipv4Setting::ArpAnnounce, BEST_LOCAL_ADDRESS),
        (Ipv4Setting::AcceptLocal, 1),
        (Ipv4Setting::RpFilter, rp_filter),
        (Ipv4Setting::PromoteSecondaries, 1),
    ]
}

fn ipv4_setting(interface: &str, setting: Ipv4Setting) -> Option<u32> {
    let path = format!("/proc/sys/net/ipv4/conf/{interface}/{}", setting.name());
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn refusal(error: &io::Error) -> Refusal {
    Refusal { errno: Errno(error.raw_os_error().unwrap_or(0)), text: None }
}

/// What the base needs at least.
const BASE_SETTINGS: [(Ipv4Setting, u32); 3] = [
    (Ipv4Setting::ArpIgnore, 1),
    (Ipv4Setting::ArpFilter, 1),
    (Ipv4Setting::ArpAnnounce, BEST_LOCAL_ADDRESS),
];
/// A host that asks for another one names an address of the interface that it asks on. Otherwise the answer to a client
/// of a virtual address would begin with a question that puts this address at the MAC of the base.
const BEST_LOCAL_ADDRESS: u32 = 2;
const RP_FILTER_LOOSE: u32 = 2;
