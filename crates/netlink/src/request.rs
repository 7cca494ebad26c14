//! What the kernel can be asked, and its bytes.

mod stacked;

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::RawFd;

use model::address::{Flags, Lifetime};
use model::route::Insert;
use model::vrrp::IpvlanMode;
use model::{IfIndex, IfName, MacAddr, Prefix};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeader, AddressMessage, CacheInfo,
};
use netlink_packet_route::link::{
    InfoBridge, InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkHeader, LinkInfo, LinkMessage,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

/// keepalived's number in `IFA_PROTO` (`/etc/iproute2/rt_protos`), which `ip address` shows: who set the address.
pub const PROTOCOL: u8 = 18;

pub(crate) use stacked::ipvlan_flags;

/// Kernel messages begin at multiples of this.
const ALIGNMENT: usize = 4;
const HEADER_BYTES: usize = 16;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_NEWRULE: u16 = 32;
const RTM_DELRULE: u16 = 33;
const RTM_GETRULE: u16 = 34;

/// The number that ties an answer to its request; never 0, which is the number of unasked messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u32);

impl Sequence {
    /// The first one.
    pub const FIRST: Self = Self(1);

    /// A number as it stands in a message.
    #[must_use]
    pub const fn from_wire(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The one after it. Wraps around 0.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.0.wrapping_add(1) {
            0 => Self::FIRST,
            number => Self(number),
        }
    }
}

/// A link by what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkId {
    /// Its index.
    Index(IfIndex),
    /// Its name, so that a link can be made and set up in the same batch.
    Name(IfName),
}

impl From<IfIndex> for LinkId {
    fn from(index: IfIndex) -> Self {
        Self::Index(index)
    }
}

impl From<IfName> for LinkId {
    fn from(name: IfName) -> Self {
        Self::Name(name)
    }
}

/// A network namespace as a request names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// That of an open descriptor (`/var/run/netns/…`, `/proc/…/ns/net`).
    Fd(RawFd),
    /// That of a process.
    Pid(u32),
}

/// Something asked of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// All links, answered by events and `DumpDone`. A socket runs one dump at a time.
    DumpLinks,
    /// All IPv4 and IPv6 addresses, answered by events and `DumpDone`.
    DumpAddresses,
    /// A new address. Refused with [`EEXIST`](crate::Errno::EEXIST) if the link has it already.
    AddAddress(NewAddress),
    /// Takes exactly this address with exactly this prefix length from the link.
    DeleteAddress {
        /// The link.
        index: IfIndex,
        /// Address and prefix length.
        prefix: Prefix,
        /// The far end, if it has one.
        peer: Option<IpAddr>,
    },
    /// All IPv4 and IPv6 policy rules, answered by events and `DumpDone`.
    DumpRules,
    /// A new route, as [`route::body`](crate::route::body) writes it. Refused with [`EEXIST`](crate::Errno::EEXIST) if there
    /// is just this one, or with [`Insert::Add`] any to the same place.
    AddRoute {
        /// Where it stands among its equals.
        insert: Insert,
        /// What it is.
        body: Box<[u8]>,
    },
    /// Deletes the first route that is as the body says.
    DeleteRoute(Box<[u8]>),
    /// A new policy rule, as [`rule::body`](crate::rule::body) writes it. Refused with [`EEXIST`](crate::Errno::EEXIST) if
    /// there is just this one.
    AddRule(Box<[u8]>),
    /// Deletes the first policy rule that is as the body says.
    DeleteRule(Box<[u8]>),
    /// A pair of virtual Ethernet links.
    CreateVeth {
        /// The end that stays here.
        name: IfName,
        /// The other end.
        peer: IfName,
        /// Where the other end goes, if not here.
        peer_namespace: Option<Namespace>,
    },
    /// A bridge that floods multicast like a plain switch: no snooping.
    CreateBridge {
        /// Its name.
        name: IfName,
    },
    /// A macvlan that sees nothing of its siblings (private mode).
    CreateMacvlan {
        /// Its name.
        name: IfName,
        /// The link below.
        lower: IfIndex,
        /// Its hardware address.
        mac: MacAddr,
        /// Its link group.
        group: u32,
    },
    /// A layer 2 ipvlan.
    CreateIpvlan {
        /// Its name.
        name: IfName,
        /// The link below.
        lower: IfIndex,
        /// How it shares that with its siblings.
        mode: IpvlanMode,
        /// Its link group.
        group: u32,
    },
    /// Puts the link into a group of links.
    SetGroup {
        /// The link.
        link: LinkId,
        /// The group.
        group: u32,
    },
    /// Writes on the link what it is for.
    SetAlias {
        /// The link.
        link: LinkId,
        /// The words, at most 255 bytes.
        alias: String,
    },
    /// Sets IPv4 settings of the link (`net.ipv4.conf.NAME`).
    SetIpv4 {
        /// The link.
        link: LinkId,
        /// Which, and to what.
        settings: Vec<(Ipv4Setting, u32)>,
    },
    /// The kernel gives the link no IPv6 address of its own making.
    SetNoOwnIpv6(LinkId),
    /// Makes the link a port of a bridge, or of none.
    SetMaster {
        /// The port.
        link: LinkId,
        /// The bridge.
        master: Option<IfIndex>,
    },
    /// Sets the link up.
    SetUp(LinkId),
    /// Sets the link down.
    SetDown(LinkId),
    /// Sets the link's hardware address.
    SetMac {
        /// The link.
        link: LinkId,
        /// Its new address.
        mac: MacAddr,
    },
    /// Gives the link another name.
    Rename {
        /// The link.
        index: IfIndex,
        /// Its new name.
        name: IfName,
    },
    /// Moves the link into another namespace.
    Move {
        /// The link.
        link: LinkId,
        /// Where to.
        namespace: Namespace,
    },
    /// Deletes the link, and of a pair both ends.
    DeleteLink(LinkId),
}

/// A setting in `net.ipv4.conf.NAME`, by the kernel's number (`IPV4_DEVCONF_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ipv4Setting {
    /// `rp_filter`.
    RpFilter,
    /// `arp_filter`.
    ArpFilter,
    /// `arp_announce`.
    ArpAnnounce,
    /// `arp_ignore`.
    ArpIgnore,
    /// `promote_secondaries`.
    PromoteSecondaries,
    /// `accept_local`.
    AcceptLocal,
}

impl Ipv4Setting {
    /// Its name under `/proc/sys/net/ipv4/conf/NAME/`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RpFilter => "rp_filter",
            Self::ArpFilter => "arp_filter",
            Self::ArpAnnounce => "arp_announce",
            Self::ArpIgnore => "arp_ignore",
            Self::PromoteSecondaries => "promote_secondaries",
            Self::AcceptLocal => "accept_local",
        }
    }

    const fn number(self) -> u16 {
        match self {
            Self::RpFilter => 8,
            Self::ArpFilter => 13,
            Self::ArpAnnounce => 18,
            Self::ArpIgnore => 19,
            Self::PromoteSecondaries => 20,
            Self::AcceptLocal => 23,
        }
    }
}

/// An address to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAddress {
    /// The link.
    pub index: IfIndex,
    /// Address and prefix length.
    pub prefix: Prefix,
    /// The kernel's scope number (0 global, 253 link, 254 host).
    pub scope: u8,
    /// The broadcast address, IPv4 only.
    pub broadcast: Option<Ipv4Addr>,
    /// The label, IPv4 only, at most 15 bytes, by custom the link's name, a colon and more.
    pub label: Option<String>,
    /// Who sets it (`IFA_PROTO`); 0 says nothing.
    pub protocol: u8,
    /// The far end of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// What else the kernel does with it.
    pub flags: Flags,
    /// How long it is preferred as a source.
    pub preferred: Lifetime,
    /// An IPv6 address is used at once, without the search for duplicates (RFC 4862 §5.4).
    pub no_duplicate_detection: bool,
}

impl NewAddress {
    /// `prefix` on the link `index`, with global scope and nothing else, set by nobody in particular.
    #[must_use]
    pub const fn plain(index: IfIndex, prefix: Prefix) -> Self {
        Self {
            index,
            prefix,
            scope: 0,
            broadcast: None,
            label: None,
            protocol: 0,
            peer: None,
            flags: Flags::NONE,
            preferred: Lifetime::Forever,
            no_duplicate_detection: false,
        }
    }
}

/// Appends `request` to a batch. Several requests may be sent in one datagram; each is answered on its own.
pub fn encode(request: &Request, sequence: Sequence, batch: &mut Vec<u8>) {
    batch.resize(batch.len().next_multiple_of(ALIGNMENT), 0);
    match as_bytes(request) {
        Some((kind, flags, body)) => encode_bytes(kind, flags, sequence, body, batch),
        None => encode_message(request, sequence, batch),
    }
}

/// Routes and rules are bytes already.
fn as_bytes(request: &Request) -> Option<(u16, u16, &[u8])> {
    match request {
        Request::DumpRules => Some((RTM_GETRULE, NLM_F_DUMP, &[0; 12])),
        Request::AddRoute { insert, body } => Some((RTM_NEWROUTE, flags_of(*insert), body)),
        Request::DeleteRoute(body) => Some((RTM_DELROUTE, NLM_F_ACK, body)),
        Request::AddRule(body) => Some((RTM_NEWRULE, CREATE, body)),
        Request::DeleteRule(body) => Some((RTM_DELRULE, NLM_F_ACK, body)),
        Request::DumpLinks
        | Request::DumpAddresses
        | Request::AddAddress(_)
        | Request::DeleteAddress { .. }
        | Request::CreateVeth { .. }
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
        | Request::DeleteLink(_) => None,
    }
}

const fn flags_of(insert: Insert) -> u16 {
    match insert {
        Insert::Prepend => NLM_F_ACK | NLM_F_CREATE,
        Insert::Append => NLM_F_ACK | NLM_F_CREATE | NLM_F_APPEND,
        Insert::Add => CREATE,
    }
}

pub(crate) fn encode_bytes(kind: u16, flags: u16, sequence: Sequence, body: &[u8], batch: &mut Vec<u8>) {
    let length = u32::try_from(HEADER_BYTES + body.len()).unwrap_or(u32::MAX);
    batch.extend(length.to_ne_bytes());
    batch.extend(kind.to_ne_bytes());
    batch.extend((NLM_F_REQUEST | flags).to_ne_bytes());
    batch.extend(sequence.get().to_ne_bytes());
    batch.extend([0; 4]);
    batch.extend(body);
}

fn encode_message(request: &Request, sequence: Sequence, batch: &mut Vec<u8>) {
    let Some((message, flags)) = message(request) else { return };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    header.sequence_number = sequence.get();
    let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
    message.finalize();
    let start = batch.len();
    batch.resize(start + message.buffer_len(), 0);
    if let Some(room) = batch.get_mut(start..) {
        message.serialize(room);
    }
}

/// Reads back what a batch asks of addresses (but for their rarer options), routes and rules, in order: what adds and
/// deletes them, and the dumps. For kernels that are not one; what else there is in the batch is passed over.
#[must_use]
pub fn decode(batch: &[u8]) -> Vec<(Sequence, Request)> {
    let mut asked = Vec::new();
    let mut rest = batch;
    while let Some(&[l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3]) = rest.first_chunk::<12>() {
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).unwrap_or(rest.len());
        let Some((whole, body)) = rest.get(..length).zip(rest.get(HEADER_BYTES..length)) else { break };
        let (kind, flags) = (u16::from_ne_bytes([k0, k1]), u16::from_ne_bytes([f0, f1]));
        let request = read_bytes(kind, flags, body).or_else(|| read_message(whole));
        let sequence = Sequence(u32::from_ne_bytes([s0, s1, s2, s3]));
        asked.extend(request.map(|request| (sequence, request)));
        rest = rest.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
    }
    asked
}

fn read_bytes(kind: u16, flags: u16, body: &[u8]) -> Option<Request> {
    match kind {
        RTM_GETRULE => Some(Request::DumpRules),
        RTM_NEWROUTE => {
            let inserts = [Insert::Prepend, Insert::Append, Insert::Add];
            let insert = inserts.into_iter().find(|insert| flags_of(*insert) | NLM_F_REQUEST == flags)?;
            Some(Request::AddRoute { insert, body: body.into() })
        }
        RTM_DELROUTE => Some(Request::DeleteRoute(body.into())),
        RTM_NEWRULE => Some(Request::AddRule(body.into())),
        RTM_DELRULE => Some(Request::DeleteRule(body.into())),
        _ => None,
    }
}

fn read_message(whole: &[u8]) -> Option<Request> {
    let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(whole).ok()?;
    if let NetlinkPayload::InnerMessage(inner) = message.payload { meant(&inner) } else { None }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "dozens of messages that are never asked for")]
fn meant(message: &RouteNetlinkMessage) -> Option<Request> {
    match message {
        RouteNetlinkMessage::GetLink(_) => Some(Request::DumpLinks),
        RouteNetlinkMessage::GetAddress(_) => Some(Request::DumpAddresses),
        RouteNetlinkMessage::NewAddress(message) => read_address(message).map(Request::AddAddress),
        RouteNetlinkMessage::DelAddress(message) => {
            let NewAddress { index, prefix, peer, .. } = read_address(message)?;
            Some(Request::DeleteAddress { index, prefix, peer })
        }
        _ => None,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "attributes that are never set")]
fn read_address(message: &AddressMessage) -> Option<NewAddress> {
    let index = IfIndex::try_from(message.header.index).ok()?;
    let mut local = None;
    let (mut broadcast, mut label, mut protocol, mut no_duplicate_detection) = (None, None, 0, false);
    let mut remote = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => local = Some(*address),
            AddressAttribute::Address(address) => remote = Some(*address),
            AddressAttribute::Broadcast(address) => broadcast = Some(*address),
            AddressAttribute::Label(name) => label = Some(name.clone()),
            AddressAttribute::Protocol(by) => protocol = u8::from(*by),
            AddressAttribute::Flags(flags) => no_duplicate_detection = flags.contains(AddressFlags::Nodad),
            _ => {}
        }
    }
    let prefix = Prefix::new(local?, message.header.prefix_len).ok()?;
    let peer = remote.filter(|remote| *remote != prefix.address());
    let scope = u8::from(message.header.scope);
    let (flags, preferred) = (Flags::NONE, Lifetime::Forever);
    Some(NewAddress {
        index,
        prefix,
        scope,
        broadcast,
        label,
        protocol,
        peer,
        flags,
        preferred,
        no_duplicate_detection,
    })
}

/// The kernel's message for `request`, and its flags beyond `NLM_F_REQUEST`; `None` if it is bytes already.
fn message(request: &Request) -> Option<(RouteNetlinkMessage, u16)> {
    use RouteNetlinkMessage as Route;
    Some(match request {
        Request::DumpLinks => (Route::GetLink(LinkMessage::default()), NLM_F_DUMP),
        Request::DumpAddresses => (Route::GetAddress(AddressMessage::default()), NLM_F_DUMP),
        Request::AddAddress(new) => (Route::NewAddress(new_address(new)), CREATE),
        Request::DeleteAddress { index, prefix, peer } => {
            (Route::DelAddress(address_message(*index, *prefix, *peer)), NLM_F_ACK)
        }
        Request::CreateVeth { name, peer, peer_namespace } => {
            (Route::NewLink(veth(name, peer, *peer_namespace)), CREATE)
        }
        Request::CreateBridge { name } => (Route::NewLink(bridge(name)), CREATE),
        Request::CreateMacvlan { name, lower, mac, group } => {
            (Route::NewLink(stacked::macvlan(name, *lower, *mac, *group)), CREATE)
        }
        Request::CreateIpvlan { name, lower, mode, group } => {
            (Route::NewLink(stacked::ipvlan(name, *lower, *mode, *group)), CREATE)
        }
        Request::SetGroup { link, group } => {
            (Route::SetLink(change(link, [LinkAttribute::Group(*group)])), NLM_F_ACK)
        }
        Request::SetAlias { link, alias } => {
            (Route::SetLink(change(link, [LinkAttribute::IfAlias(alias.clone())])), NLM_F_ACK)
        }
        Request::SetIpv4 { link, settings } => {
            (Route::SetLink(change(link, [stacked::ipv4_settings(settings)])), NLM_F_ACK)
        }
        Request::SetNoOwnIpv6(link) => (Route::SetLink(change(link, [stacked::no_own_ipv6()])), NLM_F_ACK),
        Request::SetMaster { link, master } => {
            let master = master.map_or(0, IfIndex::get);
            (Route::SetLink(change(link, [LinkAttribute::Controller(master)])), NLM_F_ACK)
        }
        Request::SetUp(link) => (Route::SetLink(set_up(link, LinkFlags::Up)), NLM_F_ACK),
        Request::SetDown(link) => (Route::SetLink(set_up(link, LinkFlags::empty())), NLM_F_ACK),
        Request::SetMac { link, mac } => {
            (Route::SetLink(change(link, [LinkAttribute::Address(mac.0.to_vec())])), NLM_F_ACK)
        }
        Request::Rename { index, name } => {
            let name = LinkAttribute::IfName(name.as_str().to_owned());
            (Route::SetLink(change(&LinkId::Index(*index), [name])), NLM_F_ACK)
        }
        Request::Move { link, namespace } => {
            (Route::SetLink(change(link, [namespace_attribute(*namespace)])), NLM_F_ACK)
        }
        Request::DeleteLink(link) => (Route::DelLink(change(link, [])), NLM_F_ACK),
        Request::DumpRules
        | Request::AddRoute { .. }
        | Request::DeleteRoute(_)
        | Request::AddRule(_)
        | Request::DeleteRule(_) => return None,
    })
}

/// With `NLM_F_EXCL` the kernel says `EEXIST` instead of changing what it finds.
const CREATE: u16 = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;

fn address_message(index: IfIndex, prefix: Prefix, peer: Option<IpAddr>) -> AddressMessage {
    let address = prefix.address();
    let mut message = AddressMessage::default();
    message.header = AddressHeader {
        family: match address {
            IpAddr::V4(_) => AddressFamily::Inet,
            IpAddr::V6(_) => AddressFamily::Inet6,
        },
        prefix_len: prefix.length(),
        index: index.get(),
        ..AddressHeader::default()
    };
    // Both: without IFA_ADDRESS, a deletion takes the first address of any prefix length.
    message.attributes =
        vec![AddressAttribute::Local(address), AddressAttribute::Address(peer.unwrap_or(address))];
    message
}

fn new_address(new: &NewAddress) -> AddressMessage {
    let mut message = address_message(new.index, new.prefix, new.peer);
    let flags = flags_of_address(new);
    message.header.scope = new.scope.into();
    let optional = [
        new.broadcast.map(AddressAttribute::Broadcast),
        new.label.clone().map(AddressAttribute::Label),
        (!flags.is_empty()).then_some(AddressAttribute::Flags(flags)),
        preferred(new.preferred),
        (new.protocol != 0).then(|| AddressAttribute::Protocol(new.protocol.into())),
    ];
    message.attributes.extend(optional.into_iter().flatten());
    message
}

fn flags_of_address(new: &NewAddress) -> AddressFlags {
    let Flags { home, duplicate_detection: _, temporary_addresses, no_prefix_route, autojoin } = new.flags;
    let flags = [
        (new.no_duplicate_detection, AddressFlags::Nodad),
        (home, AddressFlags::Homeaddress),
        (temporary_addresses, AddressFlags::Managetempaddr),
        (no_prefix_route, AddressFlags::Noprefixroute),
        (autojoin, AddressFlags::Mcautojoin),
    ];
    flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).collect()
}

/// How long it is preferred; valid it is for ever.
fn preferred(lifetime: Lifetime) -> Option<AddressAttribute> {
    let Lifetime::For(lifetime) = lifetime else { return None };
    let mut info = CacheInfo::default();
    info.ifa_preferred = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
    info.ifa_valid = u32::MAX;
    Some(AddressAttribute::CacheInfo(info))
}

fn veth(name: &IfName, peer: &IfName, peer_namespace: Option<Namespace>) -> LinkMessage {
    let mut other = LinkMessage::default();
    other.attributes = vec![LinkAttribute::IfName(peer.as_str().to_owned())];
    other.attributes.extend(peer_namespace.map(namespace_attribute));
    new_link(name, InfoKind::Veth, InfoData::Veth(InfoVeth::Peer(other)))
}

fn bridge(name: &IfName) -> LinkMessage {
    new_link(name, InfoKind::Bridge, InfoData::Bridge(vec![InfoBridge::MulticastSnooping(false)]))
}

fn new_link(name: &IfName, kind: InfoKind, data: InfoData) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes = vec![
        LinkAttribute::IfName(name.as_str().to_owned()),
        LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind), LinkInfo::Data(data)]),
    ];
    message
}

fn change<const N: usize>(link: &LinkId, attributes: [LinkAttribute; N]) -> LinkMessage {
    let mut message = LinkMessage::default();
    match link {
        LinkId::Index(index) => message.header.index = index.get(),
        LinkId::Name(name) => message.attributes.push(LinkAttribute::IfName(name.as_str().to_owned())),
    }
    message.attributes.extend(attributes);
    message
}

fn set_up(link: &LinkId, flags: LinkFlags) -> LinkMessage {
    let mut message = change(link, []);
    message.header = LinkHeader { flags, change_mask: LinkFlags::Up, ..message.header };
    message
}

const fn namespace_attribute(namespace: Namespace) -> LinkAttribute {
    match namespace {
        Namespace::Fd(fd) => LinkAttribute::NetNsFd(fd),
        Namespace::Pid(pid) => LinkAttribute::NetNsPid(pid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_addresses_can_be_read_back() {
        let index = IfIndex::try_from(3).unwrap();
        let prefix = Prefix::new([192, 0, 2, 1].into(), 24).unwrap();
        let new = NewAddress {
            scope: 253,
            broadcast: Some([192, 0, 2, 255].into()),
            label: Some("eth0:1".to_owned()),
            protocol: PROTOCOL,
            ..NewAddress::plain(index, prefix)
        };
        let asked = [
            Request::DumpLinks,
            Request::AddAddress(new),
            Request::DeleteAddress { index, prefix, peer: None },
            Request::DumpAddresses,
        ];
        let mut batch = Vec::new();
        let mut sequence = Sequence::FIRST;
        for request in &asked {
            encode(request, sequence, &mut batch);
            sequence = sequence.next();
        }
        let read: Vec<_> = decode(&batch).into_iter().map(|(_, request)| request).collect();
        assert_eq!(read, asked);
        assert_eq!(decode(&batch)[3].0.get(), 4);
    }
}
