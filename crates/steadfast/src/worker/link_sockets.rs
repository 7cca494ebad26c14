//! The sockets for advertisements: one for each link, whatever the number of its virtual routers.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::io;
use std::net::{IpAddr, Ipv4Addr};

use model::{IfIndex, IfName};
use sys::clock::WallOffset;
use sys::reactor::{Interest, Reactor, Token};
use sys::socket::vrrp::{Batch, Socket};
use vrrp::{Arrival, Endpoint, Outgoing};
use wire::ipv4;

use crate::log::Log;

/// Packets that one link may deliver in a turn before timers and other links are looked at again. A stall's
/// backlog is far below it, so a living master is heard before a timer says that it is dead.
const MOST_BATCHES: usize = 64;

/// All sockets, and the buffers that they share.
pub(super) struct LinkSockets {
    open: BTreeMap<IfIndex, Open>,
    batch: Batch,
    packet: Vec<u8>,
    log: Log,
}

struct Open {
    socket: Socket,
    name: IfName,
    groups: BTreeSet<Ipv4Addr>,
    /// The last send failed and the operator knows.
    failing: bool,
}

impl LinkSockets {
    pub(super) fn new(log: Log) -> Self {
        Self { open: BTreeMap::new(), batch: Batch::new(), packet: Vec::with_capacity(1500), log }
    }

    /// Opens what is missing, joins what is not joined, closes what is not wanted any more.
    pub(super) fn follow(&mut self, wanted: &BTreeSet<Endpoint>, reactor: &mut Reactor) {
        self.open.retain(|index, _| wanted.iter().any(|endpoint| endpoint.link == *index));
        for endpoint in wanted {
            if let Err(error) = self.ensure(endpoint, reactor) {
                self.log.error(format_args!("cannot hear advertisements on {}: {error}", endpoint.name));
            }
        }
    }

    /// The link whose socket has this token.
    pub(super) fn link_of(token: Token) -> Option<IfIndex> {
        u32::try_from(token.0.checked_sub(FIRST_TOKEN)?).ok().and_then(|index| IfIndex::try_from(index).ok())
    }

    /// Sends an advertisement to all of its destinations.
    pub(super) fn transmit(&mut self, outgoing: &Outgoing) {
        let Some(open) = self.open.get_mut(&outgoing.link) else { return };
        for destination in outgoing.destinations() {
            let (IpAddr::V4(source), IpAddr::V4(to)) = (outgoing.source, destination) else { continue };
            compose(outgoing, source, to, &mut self.packet);
            let sent = open.socket.send(&self.packet, to);
            open.note_send(sent, to, &self.log);
        }
    }

    /// Hands every waiting packet of a link to `take`, oldest first.
    pub(super) fn receive(
        &mut self,
        link: IfIndex,
        clock: &WallOffset,
        mut take: impl FnMut(model::Instant, Arrival<'_>),
    ) {
        let Some(open) = self.open.get(&link) else { return };
        for _ in 0..MOST_BATCHES {
            let datagrams = match open.socket.recv(&mut self.batch, clock) {
                Ok(datagrams) => datagrams,
                Err(error) => {
                    self.log.detail(format_args!("receiving on {}: {error}", open.name));
                    return;
                }
            };
            let count = datagrams.len();
            for datagram in datagrams {
                if let Some(arrival) = arrival(link, datagram.bytes) {
                    take(datagram.received, arrival);
                }
            }
            if count < Batch::CAPACITY {
                return;
            }
        }
    }

    fn ensure(&mut self, endpoint: &Endpoint, reactor: &mut Reactor) -> io::Result<()> {
        let open = match self.open.entry(endpoint.link) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => {
                let socket = Socket::open(endpoint.link)?;
                reactor.add(&socket, Token(FIRST_TOKEN + u64::from(endpoint.link.get())), Interest::Read)?;
                let name = endpoint.name.clone();
                vacant.insert(Open { socket, name, groups: BTreeSet::new(), failing: false })
            }
        };
        if let Some(IpAddr::V4(group)) = endpoint.group
            && !open.groups.contains(&group)
        {
            open.socket.join(group)?;
            open.groups.insert(group);
        }
        Ok(())
    }
}

impl Open {
    fn note_send(&mut self, sent: io::Result<()>, to: Ipv4Addr, log: &Log) {
        match sent {
            Ok(()) if self.failing => {
                self.failing = false;
                log.notice(format_args!("advertisements on {} go out again", self.name));
            }
            Err(error) if !self.failing => {
                self.failing = true;
                log.error(format_args!("cannot send advertisements on {} to {to}: {error}", self.name));
            }
            Ok(()) | Err(_) => {}
        }
    }
}

fn compose(outgoing: &Outgoing, source: Ipv4Addr, destination: Ipv4Addr, packet: &mut Vec<u8>) {
    packet.clear();
    let header = ipv4::Header {
        source,
        destination,
        ttl: wire::vrrp::TTL,
        protocol: wire::vrrp::PROTOCOL,
        tos: ipv4::TOS_INTERNETWORK_CONTROL,
        // The kernel numbers it.
        identification: 0,
        dont_fragment: false,
    };
    let advert = outgoing.advert();
    let length = wire::vrrp::length(&advert);
    ipv4::emit(&header, length, packet);
    wire::vrrp::emit(&advert, source.into(), destination.into(), packet);
}

fn arrival(link: IfIndex, packet: &[u8]) -> Option<Arrival<'_>> {
    let (header, payload) = ipv4::parse(packet).ok()?;
    let (source, destination) = (header.source.into(), header.destination.into());
    let advert = wire::vrrp::parse(payload, source, destination);
    Some(Arrival { link, source, destination, ttl: header.ttl, advert })
}

/// Tokens of links begin here; lower ones are the worker's.
const FIRST_TOKEN: u64 = 16;
