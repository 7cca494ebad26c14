//! The sockets for advertisements: one for each link, whatever the number of its virtual routers, and another one to
//! hear those inside IP authentication headers, where some are expected.

use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use model::{IfIndex, IfName, Instant};
use sys::clock::WallOffset;
use sys::reactor::{Interest, Reactor, Token};
use sys::socket::vrrp::{Batch, Socket};
use vrrp::{Arrival, Endpoint, Outgoing};

use crate::log::Log;

/// Batches that one link may deliver before other links are looked at again.
const MOST_BATCHES: usize = 64;
/// From a failure to open a socket to the next attempt.
const RETRY: Duration = Duration::from_secs(1);
/// Between two lines about packets that a socket's queue has dropped.
const DROPS_TOLD_EVERY: Duration = Duration::from_secs(60);

/// All sockets, and the buffers that they share.
pub(super) struct LinkSockets {
    open: BTreeMap<IfIndex, Open>,
    /// Links whose socket could not be opened, as the operator and the machine know.
    failed: BTreeSet<IfIndex>,
    /// Links whose socket could be opened now, or no longer, for the machine.
    changes: VecDeque<(IfIndex, bool)>,
    retry_at: Option<Instant>,
    batch: Batch,
    packet: Vec<u8>,
    log: Log,
}

struct Open {
    name: IfName,
    plain: Ear,
    /// For what is inside authentication headers. What we send in them goes out by the other socket.
    protected: Option<Ear>,
    /// Destinations to which the last send failed, as the operator knows.
    failing: BTreeSet<Ipv4Addr>,
}

/// A socket, and what it hears.
struct Ear {
    socket: Socket,
    groups: BTreeSet<Ipv4Addr>,
    drops: Drops,
}

/// Which socket of which link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    link: IfIndex,
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
        Self { open, failed, changes: VecDeque::new(), retry_at: None, batch: Batch::new(), packet, log }
    }

    /// Opens what is missing, and joins and leaves groups. What fails is tried again at [`Self::retry_at`].
    pub(super) fn open_wanted(&mut self, wanted: &BTreeSet<Endpoint>, now: Instant, reactor: &mut Reactor) {
        let failed_before = std::mem::take(&mut self.failed);
        for endpoint in wanted {
            if let Err(error) = self.ensure(endpoint, reactor)
                && self.failed.insert(endpoint.link)
                && !failed_before.contains(&endpoint.link)
            {
                self.changes.push_back((endpoint.link, false));
                self.log.error(format_args!(
                    "cannot send or hear advertisements on {}, trying again: {error}",
                    endpoint.name
                ));
            }
        }
        for link in failed_before.difference(&self.failed) {
            self.changes.push_back((*link, true));
            self.log.notice(format_args!("advertisements can be heard again on link {link}"));
        }
        self.retry_at = (!self.failed.is_empty()).then_some(now + RETRY);
        for (link, open) in &mut self.open {
            open.leave_unwanted(*link, wanted);
        }
    }

    /// Closes what is not wanted any more.
    pub(super) fn close_unwanted(&mut self, wanted: &BTreeSet<Endpoint>) {
        let is_wanted = |link: &IfIndex| wanted.iter().any(|endpoint| endpoint.link == *link);
        self.open.retain(|link, _| is_wanted(link));
        self.changes.extend(self.failed.extract_if(.., |link| !is_wanted(link)).map(|link| (link, true)));
    }

    /// Closes the socket of a link that is gone.
    pub(super) fn close(&mut self, link: IfIndex) {
        self.open.remove(&link);
        if self.failed.remove(&link) {
            self.changes.push_back((link, true));
        }
    }

    /// The links that have become able to send and hear (true) or are no longer (false), in that order.
    pub(super) fn take_changes(&mut self) -> VecDeque<(IfIndex, bool)> {
        std::mem::take(&mut self.changes)
    }

    /// When to call [`Self::open_wanted`] again although nothing changed.
    pub(super) const fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// The socket that has this token.
    pub(super) fn place_of(token: Token) -> Option<Place> {
        let number = token.0.checked_sub(FIRST_TOKEN)?;
        let link = u32::try_from(number >> 1).ok().and_then(|index| IfIndex::try_from(index).ok())?;
        Some(Place { link, is_protected: number & 1 == 1 })
    }

    /// Sends an advertisement to all of its destinations.
    pub(super) fn transmit(&mut self, outgoing: &Outgoing) {
        // Without a socket the machine has been told, and so has the operator.
        let Some(open) = self.open.get_mut(&outgoing.link) else { return };
        for destination in outgoing.destinations() {
            let IpAddr::V4(to) = destination else { continue };
            self.packet.clear();
            outgoing.emit(destination, &mut self.packet);
            let sent = open.plain.socket.send(&self.packet, to);
            open.note_send(sent, to, &self.log);
        }
    }

    /// Hands waiting packets of a socket to `take`, oldest first; false if more may wait.
    pub(super) fn receive(
        &mut self,
        Place { link, is_protected }: Place,
        clock: &WallOffset,
        mut take: impl FnMut(Instant, Arrival<'_>),
    ) -> bool {
        let Some(Open { name, plain, protected, .. }) = self.open.get_mut(&link) else { return true };
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
                if let Some(arrival) = Arrival::of_ipv4(link, datagram.bytes) {
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
        let open = match self.open.entry(endpoint.link) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => {
                let plain = Ear::open(endpoint.link, false, reactor)?;
                let (name, failing) = (endpoint.name.clone(), BTreeSet::new());
                vacant.insert(Open { name, plain, protected: None, failing })
            }
        };
        let ear = match (endpoint.is_protected, &mut open.protected) {
            (false, _) => &mut open.plain,
            (true, Some(ear)) => ear,
            (true, vacant @ None) => vacant.insert(Ear::open(endpoint.link, true, reactor)?),
        };
        match endpoint.group {
            Some(IpAddr::V4(group)) => ear.join(group),
            Some(IpAddr::V6(_)) | None => Ok(()),
        }
    }
}

impl Ear {
    fn open(link: IfIndex, is_protected: bool, reactor: &mut Reactor) -> io::Result<Self> {
        let socket = if is_protected { Socket::open_protected(link)? } else { Socket::open(link)? };
        let token = FIRST_TOKEN + (u64::from(link.get()) << 1) + u64::from(is_protected);
        reactor.add(&socket, Token(token), Interest::Read)?;
        Ok(Self { socket, groups: BTreeSet::new(), drops: Drops::default() })
    }

    fn join(&mut self, group: Ipv4Addr) -> io::Result<()> {
        if !self.groups.contains(&group) {
            self.socket.join(group)?;
            self.groups.insert(group);
        }
        Ok(())
    }

    fn note_drops(&mut self, total: Option<u32>, name: &IfName, now: Instant, log: &Log) {
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
            let is_it = |endpoint: &&Endpoint| endpoint.group == Some(IpAddr::V4(*group));
            // One that cannot be left is asked for no more, and what it brings is refused.
            wanted.iter().any(is_it) || socket.leave(*group).is_err()
        });
    }
}

impl Open {
    fn note_send(&mut self, sent: io::Result<()>, to: Ipv4Addr, log: &Log) {
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

    fn leave_unwanted(&mut self, link: IfIndex, wanted: &BTreeSet<Endpoint>) {
        let (protected, plain): (Vec<_>, Vec<_>) =
            wanted.iter().filter(|one| one.link == link).partition(|one| one.is_protected);
        self.plain.leave_unwanted(&plain);
        match &mut self.protected {
            Some(ear) if !protected.is_empty() => ear.leave_unwanted(&protected),
            closed => *closed = None,
        }
    }
}

/// Tokens of links begin here; lower ones are the worker's.
const FIRST_TOKEN: u64 = 16;
