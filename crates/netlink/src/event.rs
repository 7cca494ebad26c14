//! What the kernel says: changes of links and addresses, answers to requests.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::AddAssign;

use model::{IfIndex, IfName, MacAddr, Prefix};
use netlink_packet_core::{
    NLA_TYPE_MASK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP,
};

use crate::errno::{Errno, Refusal};
use crate::request::{PROTOCOL, Sequence};
use crate::{route, rule};

/// A message of the kernel that is understood here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A link as it is now, new or changed or listed by a dump.
    LinkChanged(Link),
    /// A link was deleted or has left this namespace.
    LinkGone {
        /// Its index.
        index: IfIndex,
        /// Its last name.
        name: IfName,
    },
    /// An address as it is now, new or changed or listed by a dump.
    AddressAdded(Address),
    /// An address was deleted.
    AddressGone(Address),
    /// A route that a daemon of our kind had made was deleted. The kernel deletes IPv4 routes with their device or source
    /// address without saying so.
    RouteGone(route::Place),
    /// A policy rule that is new, or listed by a dump.
    RuleAdded {
        /// The rule.
        rule: rule::Form,
        /// Who has made it; 0 if that is not known.
        protocol: u8,
    },
    /// A policy rule was deleted.
    RuleGone(rule::Form),
    /// The end of a dump.
    DumpDone {
        /// The request.
        sequence: Sequence,
        /// Whether it came to its end.
        result: Result<(), Refusal>,
    },
    /// The answer to a request that is no dump, or a refusal of one.
    Ack {
        /// The request.
        sequence: Sequence,
        /// What became of it.
        result: Result<(), Refusal>,
    },
    /// What a dump lists changed while it was made (`NLM_F_DUMP_INTR`): something may be missing from it.
    Interrupted {
        /// The request.
        sequence: Sequence,
    },
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number, for as long as it exists.
    pub index: IfIndex,
    /// Its name now.
    pub name: IfName,
    /// Set up by the administrator (`IFF_UP`).
    pub up: bool,
    /// It can carry packets (`IFF_RUNNING`: operational state up, or unknown to the driver).
    pub running: bool,
    /// It is the loopback interface.
    pub loopback: bool,
    /// It can carry multicast.
    pub multicast: bool,
    /// Its Ethernet address, if it has one.
    pub mac: Option<MacAddr>,
    /// The bridge, bond or VRF that it is a port of.
    pub master: Option<IfIndex>,
    /// The largest packet that it takes, bytes.
    pub mtu: u32,
    /// Its kind as iproute2 names it (`veth`, `bridge`, `macvlan`); `None` for hardware.
    pub kind: Option<Box<str>>,
    /// The table of a VRF.
    pub vrf_table: Option<u32>,
    /// The link below it, if it is on top of one of this namespace (a macvlan, an ipvlan), or the other end of a pair.
    pub lower: Option<IfIndex>,
    /// How it shares the link below.
    pub sharing: Option<Sharing>,
    /// What somebody has written on it (`ip link set … alias`).
    pub alias: Option<Box<str>>,
}

/// How a link shares the one below with its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// A macvlan, and its mode (`MACVLAN_MODE_*`).
    Macvlan(u32),
    /// An ipvlan, its mode (`IPVLAN_MODE_*`) and its flags (`IPVLAN_F_*`).
    Ipvlan(u16, u16),
}

impl Link {
    /// A link that carries packets, multicast too, with the usual MTU (1500 bytes), on top of nothing and in nothing.
    #[must_use]
    pub const fn new(index: IfIndex, name: IfName) -> Self {
        Self {
            index,
            name,
            up: true,
            running: true,
            loopback: false,
            multicast: true,
            mac: None,
            master: None,
            mtu: 1500,
            kind: None,
            vrf_table: None,
            lower: None,
            sharing: None,
            alias: None,
        }
    }

    /// Whether it is up and running: what tracking an interface means.
    #[must_use]
    pub const fn carries(&self) -> bool {
        self.up && self.running
    }
}

/// An address of a network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface.
    pub index: IfIndex,
    /// The interface's own address, and the length of the network prefix.
    pub prefix: Prefix,
    /// The other end of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// The kernel's scope number (0 global, 253 link, 254 host).
    pub scope: u8,
    /// The broadcast address.
    pub broadcast: Option<Ipv4Addr>,
    /// The label; the kernel gives every IPv4 address one, by default the interface's name.
    pub label: Option<Box<str>>,
    /// State and origin.
    pub flags: AddressFlags,
    /// Who set it (`IFA_PROTO`); 0 if that is not known.
    pub protocol: u8,
}

/// The flags of an address (`IFA_FLAGS`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressFlags(pub u32);

impl AddressFlags {
    /// Not the first address of its network on the interface (IPv4), or a temporary one (IPv6).
    #[must_use]
    pub const fn secondary(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// The search for duplicates found one (RFC 4862 §5.4.5).
    #[must_use]
    pub const fn duplicate(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// Not to be used as a source for new connections.
    #[must_use]
    pub const fn deprecated(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// Not in use yet: the search for duplicates is under way (RFC 4862 §5.4).
    #[must_use]
    pub const fn tentative(self) -> bool {
        self.0 & 0x40 != 0
    }
}

/// How many messages were passed over, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// A message ends before its own length does. What follows it in the datagram is lost too.
    pub truncated: u64,
    /// A message of a kind or family that is not asked for.
    pub foreign: u64,
    /// A message of a known kind that lacks what it must have or has it in an impossible form.
    pub malformed: u64,
}

impl AddAssign for Skipped {
    fn add_assign(&mut self, other: Self) {
        self.truncated += other.truncated;
        self.foreign += other.foreign;
        self.malformed += other.malformed;
    }
}

/// Reads the messages of one datagram and appends their events, in order.
pub fn decode(datagram: &[u8], events: &mut Vec<Event>) -> Skipped {
    each_message(datagram, |message| {
        if message.flags & NLM_F_DUMP_INTR != 0 {
            events.push(Event::Interrupted { sequence: message.sequence });
        }
        events.extend(event(message)?);
        Ok(())
    })
}

/// Hands the messages of one datagram to `take`, in order, and counts those that it skips.
pub(crate) fn each_message(
    datagram: &[u8],
    mut take: impl FnMut(&Message<'_>) -> Result<(), Skip>,
) -> Skipped {
    let mut skipped = Skipped::default();
    let mut rest = datagram;
    while !rest.is_empty() {
        let Some((message, following)) = split_message(rest) else {
            skipped.truncated += 1;
            break;
        };
        rest = following;
        match take(&message) {
            Ok(()) => {}
            Err(Skip::Foreign) => skipped.foreign += 1,
            Err(Skip::Malformed) => skipped.malformed += 1,
        }
    }
    skipped
}

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_NEWRULE: u16 = 32;
const RTM_DELRULE: u16 = 33;

const AF_UNSPEC: u8 = 0;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

const IFF_UP: u32 = 0x1;
const IFF_LOOPBACK: u32 = 0x8;
const IFF_RUNNING: u32 = 0x40;
const IFF_MULTICAST: u32 = 0x1000;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_VRF_TABLE: u16 = 1;
const IFLA_MACVLAN_MODE: u16 = 1;
const IFLA_IPVLAN_MODE: u16 = 1;
const IFLA_IPVLAN_FLAGS: u16 = 2;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_BROADCAST: u16 = 4;
const IFA_FLAGS: u16 = 8;
const IFA_PROTO: u16 = 11;

const NLMSGERR_ATTR_MSG: u16 = 1;

const HEADER_BYTES: usize = 16;
const ATTRIBUTE_BYTES: usize = 4;

/// A message, its header taken apart.
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    flags: u16,
    pub(crate) sequence: Sequence,
    pub(crate) body: &'a [u8],
}

/// Why a message is passed over.
pub(crate) enum Skip {
    Foreign,
    Malformed,
}

pub(crate) fn split_message(datagram: &[u8]) -> Option<(Message<'_>, &[u8])> {
    let &[l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, _, _, _, _] =
        datagram.first_chunk::<HEADER_BYTES>()?;
    let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
    let body = datagram.get(HEADER_BYTES..length)?;
    let message = Message {
        kind: u16::from_ne_bytes([k0, k1]),
        flags: u16::from_ne_bytes([f0, f1]),
        sequence: Sequence::from_wire(u32::from_ne_bytes([s0, s1, s2, s3])),
        body,
    };
    // The last message of a datagram may lack its padding.
    let following = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((message, following))
}

fn event(message: &Message<'_>) -> Result<Option<Event>, Skip> {
    let sequence = message.sequence;
    let event = match message.kind {
        NLMSG_NOOP => return Ok(None),
        NLMSG_ERROR => Event::Ack { sequence, result: ack(message)? },
        NLMSG_DONE => Event::DumpDone { sequence, result: done(message) },
        RTM_NEWLINK => Event::LinkChanged(link(message.body)?),
        RTM_DELLINK => {
            link(message.body).map(|link| Event::LinkGone { index: link.index, name: link.name })?
        }
        RTM_NEWADDR => Event::AddressAdded(address(message.body)?),
        RTM_DELADDR => Event::AddressGone(address(message.body)?),
        RTM_DELROUTE => Event::RouteGone(own_route(message.body)?),
        // Only the loss of a route is news.
        RTM_NEWROUTE => return Err(Skip::Foreign),
        RTM_NEWRULE => {
            let (rule, protocol) = policy_rule(message.body)?;
            Event::RuleAdded { rule, protocol }
        }
        RTM_DELRULE => Event::RuleGone(policy_rule(message.body)?.0),
        _ => return Err(Skip::Foreign),
    };
    Ok(Some(event))
}

/// The answer in an `NLMSG_ERROR`: a negative error or 0, the request or its header, and attributes.
pub(crate) fn ack(message: &Message<'_>) -> Result<Result<(), Refusal>, Skip> {
    let (code, rest) = message.body.split_first_chunk::<4>().ok_or(Skip::Malformed)?;
    let request_length = match rest.first_chunk::<4>() {
        Some(length) if message.flags & NLM_F_CAPPED == 0 => u32::from_ne_bytes(*length),
        _ => 0,
    };
    let request_length = usize::try_from(request_length).unwrap_or(usize::MAX).max(HEADER_BYTES);
    let attributes = match rest.get(request_length..) {
        Some(attributes) if message.flags & NLM_F_ACK_TLVS != 0 => attributes,
        _ => &[],
    };
    Ok(outcome(i32::from_ne_bytes(*code), attributes))
}

/// The end in an `NLMSG_DONE`: a negative error or nothing, and attributes.
pub(crate) fn done(message: &Message<'_>) -> Result<(), Refusal> {
    match message.body.split_first_chunk::<4>() {
        Some((code, attributes)) => outcome(i32::from_ne_bytes(*code), attributes),
        None => Ok(()),
    }
}

fn outcome(code: i32, attributes: &[u8]) -> Result<(), Refusal> {
    // A dump ends with a positive count in some kernels.
    if code >= 0 {
        return Ok(());
    }
    let text = nested(attributes, NLMSGERR_ATTR_MSG).and_then(text).map(Box::from);
    Err(Refusal { errno: Errno(code.saturating_neg()), text })
}

fn link(body: &[u8]) -> Result<Link, Skip> {
    let (&[family, _, _, _, i0, i1, i2, i3, f0, f1, f2, f3, _, _, _, _], attributes) =
        body.split_first_chunk::<16>().ok_or(Skip::Malformed)?;
    // AF_BRIDGE and AF_INET6 say something about a bridge port or about IPv6 on the link. A DELLINK of
    // AF_BRIDGE means that a port has left its bridge; the link lives on.
    if family != AF_UNSPEC {
        return Err(Skip::Foreign);
    }
    let index = index(u32::from_ne_bytes([i0, i1, i2, i3]))?;
    let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
    let (mut name, mut mac, mut master, mut mtu, mut kind) = (None, None, None, 0, None);
    let mut vrf_table = None;
    let (mut lower, mut is_abroad, mut shares, mut alias) = (None, false, None, None);
    for attribute in Attributes(attributes) {
        let (attribute, value) = attribute?;
        match attribute {
            IFLA_IFNAME => name = text(value).and_then(|name| name.parse::<IfName>().ok()),
            IFLA_ADDRESS => mac = <[u8; 6]>::try_from(value).ok().map(MacAddr),
            IFLA_MASTER => master = number(value).and_then(|index| IfIndex::try_from(index).ok()),
            IFLA_MTU => mtu = number(value).unwrap_or(0),
            IFLA_LINKINFO => {
                kind = nested(value, IFLA_INFO_KIND).and_then(text).map(Box::from);
                vrf_table = nested(value, IFLA_INFO_DATA)
                    .filter(|_| kind.as_deref() == Some("vrf"))
                    .and_then(|data| nested(data, IFLA_VRF_TABLE).and_then(number));
                shares = sharing(kind.as_deref(), nested(value, IFLA_INFO_DATA).unwrap_or_default());
            }
            IFLA_LINK => lower = number(value).and_then(|index| IfIndex::try_from(index).ok()),
            IFLA_LINK_NETNSID => is_abroad = true,
            IFLA_IFALIAS => alias = text(value).map(Box::from),
            _ => {}
        }
    }
    Ok(Link {
        index,
        // Messages without a name (of wireless drivers) do not describe the whole link.
        name: name.ok_or(Skip::Malformed)?,
        up: flags & IFF_UP != 0,
        running: flags & IFF_RUNNING != 0,
        loopback: flags & IFF_LOOPBACK != 0,
        multicast: flags & IFF_MULTICAST != 0,
        mac,
        master,
        mtu,
        kind,
        vrf_table,
        lower: lower.filter(|_| !is_abroad),
        sharing: shares,
        alias,
    })
}

/// A rule, and who made it. Multicast routing has rules of its own, in families of their own.
fn policy_rule(body: &[u8]) -> Result<(rule::Form, u8), Skip> {
    match body.first() {
        Some(&AF_INET | &AF_INET6) => rule::form(body).ok_or(Skip::Malformed),
        _ => Err(Skip::Foreign),
    }
}

/// The place of a route that carries our mark.
fn own_route(body: &[u8]) -> Result<route::Place, Skip> {
    let (place, protocol) = route::place(body).ok_or(Skip::Malformed)?;
    if protocol == PROTOCOL { Ok(place) } else { Err(Skip::Foreign) }
}

fn sharing(kind: Option<&str>, data: &[u8]) -> Option<Sharing> {
    let short =
        |kind| nested(data, kind).and_then(|value| <[u8; 2]>::try_from(value).ok()).map(u16::from_ne_bytes);
    match kind? {
        "macvlan" => nested(data, IFLA_MACVLAN_MODE).and_then(number).map(Sharing::Macvlan),
        "ipvlan" => Some(Sharing::Ipvlan(short(IFLA_IPVLAN_MODE)?, short(IFLA_IPVLAN_FLAGS).unwrap_or(0))),
        _ => None,
    }
}

fn address(body: &[u8]) -> Result<Address, Skip> {
    let (&[family, length, flags, scope, i0, i1, i2, i3], attributes) =
        body.split_first_chunk::<8>().ok_or(Skip::Malformed)?;
    if family != AF_INET && family != AF_INET6 {
        return Err(Skip::Foreign);
    }
    let (mut local, mut remote, mut broadcast, mut label) = (None, None, None, None);
    let (mut flags, mut protocol) = (u32::from(flags), 0);
    for attribute in Attributes(attributes) {
        let (attribute, value) = attribute?;
        match attribute {
            IFA_LOCAL => local = ip(family, value),
            IFA_ADDRESS => remote = ip(family, value),
            IFA_BROADCAST => broadcast = <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from),
            IFA_LABEL => label = text(value).map(Box::from),
            IFA_FLAGS => flags = number(value).unwrap_or(flags),
            IFA_PROTO => protocol = value.first().copied().unwrap_or(0),
            _ => {}
        }
    }
    // IPv6 has IFA_LOCAL only where there is a peer; IPv4 always has both.
    let own = local.or(remote).ok_or(Skip::Malformed)?;
    Ok(Address {
        index: index(u32::from_ne_bytes([i0, i1, i2, i3]))?,
        prefix: Prefix::new(own, length).map_err(|_| Skip::Malformed)?,
        peer: remote.filter(|remote| *remote != own),
        scope,
        broadcast,
        label,
        flags: AddressFlags(flags),
        protocol,
    })
}

fn index(number: u32) -> Result<IfIndex, Skip> {
    IfIndex::try_from(number).map_err(|_| Skip::Malformed)
}

fn ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        AF_INET => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
    }
}

pub(crate) fn number(value: &[u8]) -> Option<u32> {
    <[u8; 4]>::try_from(value).ok().map(u32::from_ne_bytes)
}

/// Text up to its first NUL.
pub(crate) fn text(value: &[u8]) -> Option<&str> {
    value.split(|byte| *byte == 0).next().and_then(|text| str::from_utf8(text).ok())
}

/// The value of the first attribute of `kind`.
fn nested(attributes: &[u8], kind: u16) -> Option<&[u8]> {
    Attributes(attributes).map_while(Result::ok).find(|(found, _)| *found == kind).map(|(_, value)| value)
}

/// The attributes of a message, as kind and value. Ends after the first one that is cut short.
pub(crate) struct Attributes<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8]), Skip>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let all = std::mem::take(&mut self.0);
        let Some(&[l0, l1, k0, k1]) = all.first_chunk::<ATTRIBUTE_BYTES>() else {
            return Some(Err(Skip::Malformed));
        };
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let Some(value) = all.get(ATTRIBUTE_BYTES..length) else {
            return Some(Err(Skip::Malformed));
        };
        self.0 = all.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Ok((u16::from_ne_bytes([k0, k1]) & NLA_TYPE_MASK, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = u16::try_from(4 + value.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(16 + body.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([7, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(body);
        bytes
    }

    fn decoded(datagram: &[u8]) -> (Vec<Event>, Skipped) {
        let mut events = Vec::new();
        let skipped = decode(datagram, &mut events);
        (events, skipped)
    }

    fn refusal(errno: Errno, text: Option<&str>) -> Refusal {
        Refusal { errno, text: text.map(Box::from) }
    }

    #[test]
    fn the_kernels_words_are_found_behind_the_request() {
        let text = attribute(NLMSGERR_ATTR_MSG, b"no way\0");
        let error = (-17_i32).to_ne_bytes();
        let request = message(20, 0, &[0; 24]);
        let whole = [&error[..], &request, &text].concat();
        let capped = [&error[..], &request[..16], &text].concat();
        let sequence = Sequence::from_wire(7);
        let expected = Event::Ack { sequence, result: Err(refusal(Errno::EEXIST, Some("no way"))) };
        assert_eq!(decoded(&message(2, NLM_F_ACK_TLVS, &whole)).0, vec![expected.clone()]);
        assert_eq!(decoded(&message(2, NLM_F_ACK_TLVS | NLM_F_CAPPED, &capped)).0, [expected]);
        let plain = Event::Ack { sequence, result: Err(refusal(Errno::EEXIST, None)) };
        assert_eq!(decoded(&message(2, 0, &whole)).0, vec![plain.clone()]);
        assert_eq!(decoded(&message(2, NLM_F_ACK_TLVS, &error)).0, [plain]);
    }

    #[test]
    fn a_dump_ends_well_or_not() {
        let sequence = Sequence::from_wire(7);
        let done = |body: &[u8]| decoded(&message(3, 2, body)).0;
        assert_eq!(done(&[0; 4]), [Event::DumpDone { sequence, result: Ok(()) }]);
        assert_eq!(done(&[]), [Event::DumpDone { sequence, result: Ok(()) }]);
        let refused = refusal(Errno::EBUSY, None);
        assert_eq!(done(&(-16_i32).to_ne_bytes()), [Event::DumpDone { sequence, result: Err(refused) }]);
        let interrupted = decoded(&message(3, 2 | NLM_F_DUMP_INTR, &[0; 4])).0;
        assert_eq!(interrupted.first(), Some(&Event::Interrupted { sequence }));
    }

    #[test]
    fn a_port_that_leaves_its_bridge_is_no_link_that_goes() {
        const AF_BRIDGE: u8 = 7;
        let mut body = vec![AF_BRIDGE, 0, 1, 0, 2, 0, 0, 0];
        body.resize(16, 0);
        body.extend(attribute(IFLA_IFNAME, b"eth0\0"));
        assert_eq!(
            decoded(&message(RTM_DELLINK, 0, &body)),
            (vec![], Skipped { foreign: 1, ..Skipped::default() })
        );
        body[0] = AF_UNSPEC;
        let gone = Event::LinkGone { index: IfIndex::try_from(2).unwrap(), name: "eth0".parse().unwrap() };
        assert_eq!(decoded(&message(RTM_DELLINK, 0, &body)).0, [gone]);
    }

    #[test]
    fn one_bad_message_does_not_cost_the_next() {
        let nameless = message(RTM_NEWLINK, 0, &[0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let route = message(24, 0, &[0; 12]);
        let done = message(3, 2, &[0; 4]);
        let cut = &done[..10];
        let (events, skipped) = decoded(&[&nameless[..], &route, &done, cut].concat());
        assert_eq!(events.len(), 1);
        assert_eq!(skipped, Skipped { truncated: 1, foreign: 1, malformed: 1 });
    }

    #[test]
    fn the_own_address_of_a_point_to_point_link_is_the_local_one() {
        let mut body = vec![AF_INET, 32, 0x80, 0, 2, 0, 0, 0];
        body.extend(attribute(IFA_ADDRESS, &[192, 0, 2, 2]));
        body.extend(attribute(IFA_LOCAL, &[192, 0, 2, 1]));
        let (events, _) = decoded(&message(RTM_NEWADDR, 0, &body));
        let [Event::AddressAdded(address)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(address.prefix, Prefix::host([192, 0, 2, 1].into()));
        assert_eq!(address.peer, Some([192, 0, 2, 2].into()));
    }
}
