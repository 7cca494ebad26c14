//! The sockets for advertisements: one for each family on each link, whatever the number of its virtual routers, and
//! another one to hear those inside IP authentication headers, where some are expected.

use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::time::Duration;

use model::{Family, IfIndex, IfName, Instant};
use sys::clock::WallOffset;
use sys::reactor::{Interest, Reactor, Token};
use sys::socket::size_receive_buffer;
use sys::socket::vrrp::{Batch, Datagram, Datagrams, Delivery, Socket, SocketV6};
use vrrp::{Arrival, Endpoint, Outgoing, Port};

use crate::log::Log;
use crate::snapshot;

/// Batches that one link may deliver before other links are looked at again.
const MOST_BATCHES: usize = 64;
/// From a failure to open a socket to the next attempt.
const RETRY: Duration = Duration::from_secs(1);
/// Between two lines about packets that a socket's queue has dropped.
const DROPS_TOLD_EVERY: Duration = Duration::from_secs(60);

/// All sockets, and the buffers that they share.
pub(super) struct LinkSockets {
    open: BTreeMap<Port, Open>,
    /// What could not be opened, as the operator and the machine know.
    failed: BTreeSet<Port>,
    /// What could be opened now, or no longer, for the machine.
    changes: VecDeque<(Port, bool)>,
    retry_at: Option<Instant>,
    batch: Batch,
    packet: Vec<u8>,
    /// How large receive queues are to be, bytes, where it is not the usual.
    sizes: BTreeMap<IfName, u32>,
    log: Log,
}

struct Open {
    name: Name,
    plain: Ear,
    /// For what is inside authentication headers. What we send in them goes out by the other socket.
    protected: Option<Ear>,
    /// Destinations to which the last send failed, as the operator knows.
    failing: BTreeSet<IpAddr>,
}

/// A socket, and what it hears.
struct Ear {
    socket: Either,
    groups: BTreeSet<IpAddr>,
    drops: Drops,
}

/// A socket of one of the families.
enum Either {
    V4(Socket),
    V6(SocketV6),
}

/// The interface of a socket, for the operator.
struct Name(Option<IfName>);

/// Which socket of which link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    port: Port,
    is_protected: bool,
}

/// Packets that the kernel dropped because the queue was full.
#[derive(Default)]
struct Drops {
    total: u32,
    told_at: Option<Instant>,
}

impl LinkSockets {
    pub(super) fn new(log: Log) -> Self {
        let packet = Vec::with_capacity(Batch::PACKET_BYTES);
        let (open, failed) = (BTreeMap::new(), BTreeSet::new());
        Self {
            open,
            failed,
            changes: VecDeque::new(),
            retry_at: None,
            batch: Batch::new(),
            packet,
            sizes: BTreeMap::new(),
            log,
        }
    }

    /// How large the receive queues of interfaces are to be, in bytes. Those that are not named stay as they are.
    pub(super) fn size_queues(&mut self, sizes: BTreeMap<IfName, u32>) {
        self.sizes = sizes;
        for open in self.open.values() {
            for ear in [Some(&open.plain), open.protected.as_ref()].into_iter().flatten() {
                ear.size_queue(open.name.0.as_ref().and_then(|name| self.sizes.get(name)), &self.log);
            }
        }
    }

    /// Opens what is missing, and joins and leaves groups. What fails is tried again at [`Self::retry_at`].
    pub(super) fn open_wanted(&mut self, wanted: &BTreeSet<Endpoint>, now: Instant, reactor: &mut Reactor) {
        let failed_before = std::mem::take(&mut self.failed);
        for endpoint in wanted {
            if let Err(error) = self.ensure(endpoint, reactor)
                && self.failed.insert(endpoint.port)
                && !failed_before.contains(&endpoint.port)
            {
                self.changes.push_back((endpoint.port, false));
                self.log.error(format_args!(
                    "cannot send or hear {} advertisements on {}, trying again: {error}",
                    name_of(endpoint.port.family),
                    Name(endpoint.name.clone()),
                ));
            }
        }
        for port in failed_before.difference(&self.failed) {
            self.changes.push_back((*port, true));
            let family = name_of(port.family);
            match port.link {
                Some(link) => {
                    self.log
                        .notice(format_args!("{family} advertisements can be heard again on link {link}"));
                }
                None => self.log.notice(format_args!("{family} advertisements can be heard again")),
            }
        }
        self.retry_at = (!self.failed.is_empty()).then_some(now + RETRY);
        for (port, open) in &mut self.open {
            open.leave_unwanted(*port, wanted);
        }
    }

    /// Closes what is not wanted any more.
    pub(super) fn close_unwanted(&mut self, wanted: &BTreeSet<Endpoint>) {
        let is_wanted = |port: &Port| wanted.iter().any(|endpoint| endpoint.port == *port);
        self.open.retain(|port, _| is_wanted(port));
        self.changes.extend(self.failed.extract_if(.., |port| !is_wanted(port)).map(|port| (port, true)));
    }

    /// Closes the sockets of a link that is gone.
    pub(super) fn close(&mut self, link: IfIndex) {
        for family in [Family::V4, Family::V6] {
            let port = Port { link: Some(link), family };
            self.open.remove(&port);
            if self.failed.remove(&port) {
                self.changes.push_back((port, true));
            }
        }
    }

    /// What has become able to send and hear (true) or is no longer (false), in that order.
    pub(super) fn take_changes(&mut self) -> VecDeque<(Port, bool)> {
        std::mem::take(&mut self.changes)
    }

    /// When to call [`Self::open_wanted`] again although nothing changed.
    pub(super) const fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// The socket that has this token.
    pub(super) fn place_of(token: Token) -> Option<Place> {
        let number = token.0.checked_sub(FIRST_TOKEN)?;
        let link = IfIndex::try_from(u32::try_from(number >> 2).ok()?).ok();
        let family = if number & 2 == 0 { Family::V4 } else { Family::V6 };
        Some(Place { port: Port { link, family }, is_protected: number & 1 == 1 })
    }

    /// The sockets that are open, as dumps show them.
    pub(super) fn told(&self) -> impl Iterator<Item = snapshot::Socket> {
        self.open.iter().flat_map(|(port, open)| {
            let (link, is_v6) = (port.link, port.family == Family::V6);
            let speaks = open.plain.socket.as_fd().as_raw_fd();
            let told = move |ear: &Ear, is_protected| {
                let hears = ear.socket.as_fd().as_raw_fd();
                snapshot::Socket { link, is_v6, is_protected, hears, speaks }
            };
            let protected = open.protected.iter().map(move |ear| told(ear, true));
            std::iter::once(told(&open.plain, false)).chain(protected)
        })
    }

    /// Sends an advertisement to all of its destinations.
    pub(super) fn transmit(&mut self, outgoing: &Outgoing) {
        // Without a socket the machine has been told, and so has the operator.
        let Some(open) = self.open.get_mut(&outgoing.port()) else { return };
        for destination in outgoing.destinations() {
            self.packet.clear();
            outgoing.emit(destination, &mut self.packet);
            let sent = open.plain.socket.send(&self.packet, outgoing, destination);
            open.note_send(sent, destination, &self.log);
        }
    }

    /// Hands waiting packets of a socket to `take`, oldest first; false if more may wait.
    pub(super) fn receive(
        &mut self,
        Place { port, is_protected }: Place,
        clock: &mut WallOffset,
        mut take: impl FnMut(Instant, Arrival<'_>),
    ) -> bool {
        let Some(Open { name, plain, protected, .. }) = self.open.get_mut(&port) else { return true };
        let Some(ear) = (if is_protected { protected.as_mut() } else { Some(plain) }) else { return true };
        for _ in 0..MOST_BATCHES {
            let datagrams = match ear.socket.recv(&mut self.batch, clock) {
                Ok(datagrams) => datagrams,
                Err(error) => {
                    self.log.detail(format_args!("receiving on {name}: {error}"));
                    return true;
                }
            };
            let (count, dropped) = (datagrams.len(), datagrams.dropped());
            for datagram in datagrams {
                if let Some(arrival) = ear.arrival(port.link, &datagram) {
                    take(datagram.received, arrival);
                }
            }
            ear.note_drops(dropped, name, clock.now(), &self.log);
            if count < Batch::CAPACITY {
                return true;
            }
        }
        false
    }

    fn ensure(&mut self, endpoint: &Endpoint, reactor: &mut Reactor) -> io::Result<()> {
        let open = match self.open.entry(endpoint.port) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => {
                let plain = Ear::open(endpoint.port, false, reactor)?;
                plain.size_queue(endpoint.name.as_ref().and_then(|name| self.sizes.get(name)), &self.log);
                let (name, failing) = (Name(endpoint.name.clone()), BTreeSet::new());
                vacant.insert(Open { name, plain, protected: None, failing })
            }
        };
        let ear = match (endpoint.is_protected, &mut open.protected) {
            (false, _) => &mut open.plain,
            (true, Some(ear)) => ear,
            (true, vacant @ None) => vacant.insert(Ear::open(endpoint.port, true, reactor)?),
        };
        endpoint.group.map_or(Ok(()), |group| ear.join(group))
    }
}

impl Ear {
    fn open(Port { link, family }: Port, is_protected: bool, reactor: &mut Reactor) -> io::Result<Self> {
        let socket = match (family, is_protected) {
            (Family::V4, false) => Either::V4(Socket::open(link)?),
            (Family::V4, true) => Either::V4(Socket::open_protected(link)?),
            (Family::V6, _) => Either::V6(SocketV6::open(link)?),
        };
        let number = u64::from(link.map_or(0, IfIndex::get)) << 2
            | u64::from(family == Family::V6) << 1
            | u64::from(is_protected);
        reactor.add(&socket, Token(FIRST_TOKEN + number), Interest::Read)?;
        Ok(Self { socket, groups: BTreeSet::new(), drops: Drops::default() })
    }

    fn arrival<'b>(&self, link: Option<IfIndex>, datagram: &Datagram<'b>) -> Option<Arrival<'b>> {
        match datagram.delivery {
            None => Arrival::of_ipv4(link, datagram.bytes),
            // The kernel gives raw IPv6 sockets what is for the groups of others.
            Some(Delivery { destination, .. })
                if destination.is_multicast() && !self.groups.contains(&destination.into()) =>
            {
                None
            }
            Some(Delivery { source, destination, hop_limit }) => {
                Arrival::read(link, (source.into(), destination.into()), hop_limit, datagram.bytes)
            }
        }
    }

    fn size_queue(&self, bytes: Option<&u32>, log: &Log) {
        if let Some(bytes) = bytes
            && let Err(error) = size_receive_buffer(&self.socket, *bytes, true)
                .or_else(|_| size_receive_buffer(&self.socket, *bytes, false))
        {
            log.warning(format_args!("cannot give a socket a receive queue of {bytes} bytes: {error}"));
        }
    }

    fn join(&mut self, group: IpAddr) -> io::Result<()> {
        if !self.groups.contains(&group) {
            self.socket.join(group)?;
            self.groups.insert(group);
        }
        Ok(())
    }

    fn note_drops(&mut self, total: Option<u32>, name: &Name, now: Instant, log: &Log) {
        let Some(total) = total.filter(|total| *total != self.drops.total) else { return };
        if self.drops.told_at.is_none_or(|told| now.since(told) >= DROPS_TOLD_EVERY) {
            let lost = total.wrapping_sub(self.drops.total);
            log.warning(format_args!(
                "the kernel dropped {lost} VRRP packets on {name}: they come faster than they can be read"
            ));
            self.drops = Drops { total, told_at: Some(now) };
        }
    }

    /// Leaves the groups that none of these endpoints, which are its own, wants.
    fn leave_unwanted(&mut self, wanted: &[&Endpoint]) {
        let socket = &self.socket;
        self.groups.retain(|group| {
            let is_it = |endpoint: &&Endpoint| endpoint.group == Some(*group);
            // One that cannot be left is asked for no more, and what it brings is refused.
            wanted.iter().any(is_it) || socket.leave(*group).is_err()
        });
    }
}

impl Open {
    fn note_send(&mut self, sent: io::Result<()>, to: IpAddr, log: &Log) {
        match sent {
            Ok(()) => {
                if !self.failing.is_empty() && self.failing.remove(&to) {
                    log.notice(format_args!("advertisements on {} to {to} go out again", self.name));
                }
            }
            Err(error) => {
                if self.failing.insert(to) {
                    log.error(format_args!("cannot send advertisements on {} to {to}: {error}", self.name));
                }
            }
        }
    }

    fn leave_unwanted(&mut self, port: Port, wanted: &BTreeSet<Endpoint>) {
        let (protected, plain): (Vec<_>, Vec<_>) =
            wanted.iter().filter(|one| one.port == port).partition(|one| one.is_protected);
        self.plain.leave_unwanted(&plain);
        match &mut self.protected {
            Some(ear) if !protected.is_empty() => ear.leave_unwanted(&protected),
            closed => *closed = None,
        }
    }
}

impl Either {
    fn join(&self, group: IpAddr) -> io::Result<()> {
        match (self, group) {
            (Self::V4(socket), IpAddr::V4(group)) => socket.join(group),
            (Self::V6(socket), IpAddr::V6(group)) => socket.join(group),
            (Self::V4(_), IpAddr::V6(_)) | (Self::V6(_), IpAddr::V4(_)) => Err(other_family()),
        }
    }

    fn leave(&self, group: IpAddr) -> io::Result<()> {
        match (self, group) {
            (Self::V4(socket), IpAddr::V4(group)) => socket.leave(group),
            (Self::V6(socket), IpAddr::V6(group)) => socket.leave(group),
            (Self::V4(_), IpAddr::V6(_)) | (Self::V6(_), IpAddr::V4(_)) => Err(other_family()),
        }
    }

    fn recv<'b>(&self, batch: &'b mut Batch, clock: &mut WallOffset) -> io::Result<Datagrams<'b>> {
        match self {
            Self::V4(socket) => socket.recv(batch, clock),
            Self::V6(socket) => socket.recv(batch, clock),
        }
    }

    /// Sends what `outgoing` has made of itself for `destination`.
    fn send(&self, bytes: &[u8], outgoing: &Outgoing, destination: IpAddr) -> io::Result<()> {
        match (self, outgoing.source, destination) {
            (Self::V4(socket), _, IpAddr::V4(to)) => socket.send(bytes, to),
            (Self::V6(socket), IpAddr::V6(from), IpAddr::V6(to)) => {
                socket.send(bytes, from, to, outgoing.ttl())
            }
            (Self::V4(_) | Self::V6(_), _, _) => Err(other_family()),
        }
    }
}

impl AsFd for Either {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::V4(socket) => socket.as_fd(),
            Self::V6(socket) => socket.as_fd(),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(name) => name.fmt(f),
            None => f.write_str("any interface"),
        }
    }
}

fn other_family() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "an address of the other family")
}

const fn name_of(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// Tokens of links begin here; lower ones are the worker's.
const FIRST_TOKEN: u64 = 16;
