//! Routes (`virtual_routes`, `static_routes`).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::address::Lifetime;
use crate::{Family, IfName, Named, OutOfRange, Prefix, Scope};

/// One route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Route {
    /// What happens to a packet that it matches.
    pub kind: Kind,
    /// Where the packet is to go; length 0 for `default`.
    pub destination: Prefix,
    /// Where it comes from (`from`); IPv6 only.
    pub from: Option<Prefix>,
    /// `tos`, `dsfield`; IPv4 only, 0 matches all.
    pub tos: Named<Tos>,
    /// The table that it is in.
    pub table: RouteTable,
    /// Who made it (`protocol`).
    pub protocol: Named<Protocol>,
    /// `scope`; IPv4 only.
    pub scope: Named<Scope>,
    /// `metric`, `priority`, `preference`: the least wins; the kernel chooses if `None`.
    pub metric: Option<u32>,
    /// The source address of what this host sends itself (`src`).
    pub source: Option<IpAddr>,
    /// Where packets leave.
    pub path: Path,
    /// What TCP is told of the path.
    pub metrics: Metrics,
    /// `expires`; IPv6 only.
    pub lifetime: Lifetime,
    /// `pref` (RFC 4191 §2.1); IPv6 only.
    pub preference: Option<Preference>,
    /// The TTL of IP goes into the MPLS label and back (`ttl-propagate`); as the host is set if `None`.
    pub ttl_propagate: Option<bool>,
    /// Which place it takes among its equals.
    pub insert: Insert,
    /// Its loss is a fault of the instance (off: `no_track`).
    pub tracked: bool,
}

impl Route {
    /// A plain route with keepalived's defaults: unicast, in the main table.
    #[must_use]
    pub fn new(destination: Prefix, path: Path) -> Self {
        Self {
            kind: Kind::Unicast,
            destination,
            from: None,
            tos: Tos(0).into(),
            table: RouteTable::Table(Table::MAIN.into()),
            protocol: Protocol::KEEPALIVED.into(),
            scope: Scope::GLOBAL.into(),
            metric: None,
            source: None,
            path,
            metrics: Metrics::default(),
            lifetime: Lifetime::Forever,
            preference: None,
            ttl_propagate: None,
            insert: Insert::Prepend,
            tracked: true,
        }
    }

    /// The family of its destination.
    #[must_use]
    pub fn family(&self) -> Family {
        self.destination.address().into()
    }
}

/// What happens to a packet (`rtnetlink(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// It is sent on.
    Unicast,
    /// It is for this host.
    Local,
    /// It is for this host, and goes out as a broadcast.
    Broadcast,
    /// It is for this host, and goes out as unicast.
    Anycast,
    /// It is for a group.
    Multicast,
    /// It is dropped without notice.
    Blackhole,
    /// It is refused: no such host.
    Unreachable,
    /// It is refused: not allowed.
    Prohibit,
    /// Another table is looked at.
    Throw,
    /// It is translated. No kernel of today does that.
    Nat,
    /// Another program decides. No kernel of today does that.
    ExternalResolve,
    /// A number without a name, 0 and above 11.
    Other(u8),
}

/// Where the packets of a route leave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Path {
    /// Nowhere: nothing is said, as with `blackhole`.
    None,
    /// One way.
    Single(Hop),
    /// Several ways at once, each with its share (`nexthop`, `or`).
    Multipath(Vec<WeightedHop>),
}

/// One way to leave.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hop {
    /// `via`, perhaps not of the route's family; `None` if what is addressed is on the link.
    pub gateway: Option<IpAddr>,
    /// `dev`, `oif`; the kernel finds the one that leads to the gateway if `None`.
    pub device: Option<IfName>,
    /// The gateway is on the link, whatever the other routes say (`onlink`).
    pub onlink: bool,
    /// How packets are wrapped (`encap`).
    pub encap: Option<Encap>,
    /// `realms`; IPv4 only.
    pub realms: Option<Realms>,
}

/// One of several ways.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WeightedHop {
    /// The way.
    pub hop: Hop,
    /// Its share (`weight`).
    pub weight: HopWeight,
}

/// The share of one of several ways: 1..=256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct HopWeight(NonZeroU16);

impl HopWeight {
    /// One share.
    pub const ONE: Self = Self(NonZeroU16::MIN);

    /// The number of shares.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl TryFrom<u16> for HopWeight {
    type Error = OutOfRange;

    fn try_from(weight: u16) -> Result<Self, OutOfRange> {
        NonZeroU16::new(weight).filter(|weight| weight.get() <= 256).map(Self).ok_or(OutOfRange::HopWeight)
    }
}

impl From<HopWeight> for u16 {
    fn from(weight: HopWeight) -> Self {
        weight.get()
    }
}

/// How packets are wrapped on their way (`encap`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Encap {
    /// In IPv4, with what is left out decided by the tunnel device.
    Ip(IpTunnel<Ipv4Addr>),
    /// In IPv6.
    Ip6(IpTunnel<Ipv6Addr>),
    /// In MPLS, outermost label first; at least one.
    Mpls(Vec<MplsLabel>),
    /// By exchange of the upper half of an IPv6 address (identifier-locator addressing).
    Ila(Locator),
}

/// The outer header of a tunnel. It has a destination or an id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IpTunnel<A> {
    /// `id`.
    pub id: Option<u64>,
    /// `dst`.
    pub destination: Option<A>,
    /// `src`.
    pub source: Option<A>,
    /// `tos`, `tc`.
    pub tos: Option<Named<Tos>>,
    /// `ttl`, `hoplimit`.
    pub hop_limit: Option<u8>,
    /// `flags`, as the kernel numbers them.
    pub flags: Option<u16>,
}

/// An MPLS label (RFC 3032 §2.1): 20 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct MplsLabel(u32);

impl MplsLabel {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for MplsLabel {
    type Error = OutOfRange;

    fn try_from(label: u32) -> Result<Self, OutOfRange> {
        if label < 1 << 20 { Ok(Self(label)) } else { Err(OutOfRange::MplsLabel) }
    }
}

impl From<MplsLabel> for u32 {
    fn from(label: MplsLabel) -> Self {
        label.0
    }
}

/// The upper half of an IPv6 address, in the order of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Locator(pub u64);

/// A table of routes (`/etc/iproute2/rt_tables`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Table(pub u32);

impl Table {
    /// `default`.
    pub const DEFAULT: Self = Self(253);
    /// `main`.
    pub const MAIN: Self = Self(254);
    /// `local`.
    pub const LOCAL: Self = Self(255);
}

/// The table that a route is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RouteTable {
    /// `table`; main unless configured.
    Table(Named<Table>),
    /// The one that this VRF device has (`vrf`).
    Vrf(IfName),
}

/// Who made a route or rule (`/etc/iproute2/rt_protos`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Protocol(pub u8);

impl Protocol {
    /// keepalived, and this daemon.
    pub const KEEPALIVED: Self = Self(18);
}

/// A type of service or traffic class byte (`/etc/iproute2/rt_dsfield`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tos(pub u8);

/// A group of routes (`/etc/iproute2/rt_realms`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Realm(pub u8);

/// `[FROM/]TO`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Realms {
    /// The source realm.
    pub from: Option<Named<Realm>>,
    /// The destination realm.
    pub to: Named<Realm>,
}

/// What TCP is told of a path. The kernel decides what is not set.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Metrics {
    /// `mtu`, in bytes.
    pub mtu: Option<Metric<u32>>,
    /// `advmss`, in bytes.
    pub advmss: Option<Metric<u32>>,
    /// `hoplimit`.
    pub hop_limit: Option<u8>,
    /// `rtt`, in steps of 1/8 ms.
    pub rtt: Option<Metric<Duration>>,
    /// `rttvar`, in steps of 1/4 ms.
    pub rttvar: Option<Metric<Duration>>,
    /// `rto_min`, in steps of 1 ms.
    pub rto_min: Option<Metric<Duration>>,
    /// `reordering`, in packets.
    pub reordering: Option<Metric<u32>>,
    /// `window`, in bytes.
    pub window: Option<u32>,
    /// `cwnd`, in packets.
    pub cwnd: Option<Metric<u32>>,
    /// `ssthresh`, in packets.
    pub ssthresh: Option<Metric<u32>>,
    /// `initcwnd`, in packets.
    pub initcwnd: Option<u32>,
    /// `initrwnd`, in packets.
    pub initrwnd: Option<u32>,
    /// Explicit congestion notification (`features ecn`).
    pub ecn: bool,
    /// `quickack`.
    pub quickack: Option<bool>,
    /// The name of a congestion control algorithm (`congctl`).
    pub congctl: Option<Metric<String>>,
    /// `fastopen_no_cookie`.
    pub fastopen_no_cookie: Option<bool>,
}

/// A metric that the kernel may adjust, or not (`lock`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Metric<T> {
    /// The value.
    pub value: T,
    /// It stays.
    pub locked: bool,
}

/// How much a router is liked (RFC 4191 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Preference {
    /// `low`.
    Low,
    /// `medium`.
    Medium,
    /// `high`.
    High,
    /// A number without a meaning.
    Other(u8),
}

/// Which place a route takes among those to the same destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Insert {
    /// Before them (`prepend`, the default).
    Prepend,
    /// After them (`append`).
    Append,
    /// Only if there is none (`add`).
    Add,
}

/// `Display` of a number that stands for itself.
macro_rules! display {
    ($($name:ident)*) => {
        $(impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        })*
    };
}

display! { HopWeight MplsLabel Table Protocol Tos Realm }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_kernel() {
        for (weight, fits) in [(0, false), (1, true), (256, true), (257, false)] {
            assert_eq!(HopWeight::try_from(weight).is_ok(), fits, "{weight}");
        }
        for (label, fits) in [(0, true), (1_048_575, true), (1_048_576, false)] {
            assert_eq!(MplsLabel::try_from(label).is_ok(), fits, "{label}");
        }
        assert!(serde_json::from_str::<HopWeight>("0").is_err(), "serde checks too");
    }
}
