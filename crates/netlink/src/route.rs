//! Routes as bytes: what a request says of one, and what an event says of where one stands.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use model::address::Lifetime;
use model::route::{
    Encap, Hop, IpTunnel, Kind, Metric, Metrics, Path, Preference, Realms, Route, RouteTable, WeightedHop,
};
use model::{Family, IfIndex, IfName, Named, Prefix};

use crate::attribute::Body;
use crate::event::{Attributes, number};

/// What tells the routes of a host apart, but for their metrics and ways: the kernel names them in many forms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The number of its table.
    pub table: u32,
    /// Where packets are to go.
    pub destination: Prefix,
    /// Where they come from, IPv6 only; length 0 for everywhere.
    pub source: u8,
    /// The type of service, IPv4 only.
    pub tos: u8,
}

/// A device of a route, or its VRF, that is not there, or is down so that nothing can go its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(pub IfName);

/// What a route needs to know of links.
pub trait Links {
    /// The number of the link of this name, if it is set up.
    fn index(&self, name: &IfName) -> Option<IfIndex>;
    /// The table of the VRF of this name.
    fn vrf_table(&self, name: &IfName) -> Option<u32>;
}

/// The body of a request to add or delete `route`. Names that are no numbers yet count as the default.
///
/// # Errors
/// A device is not there.
pub fn body(route: &Route, links: &impl Links) -> Result<Box<[u8]>, Missing> {
    let family = route.family();
    let table = table(route, links)?;
    let single = match &route.path {
        Path::Single(hop) => Some(hop),
        Path::None | Path::Multipath(_) => None,
    };
    let onlink = single.is_some_and(|hop| hop.onlink);
    let flags = if onlink { u32::from(RTNH_F_ONLINK) } else { 0 };
    let mut body = Body::new(&[
        number_of(family),
        route.destination.length(),
        route.from.map_or(0, Prefix::length),
        known(&route.tos).map_or(0, |tos| tos.0),
        // Larger ones stand in an attribute only.
        u8::try_from(table).unwrap_or(RT_TABLE_UNSPEC),
        known(&route.protocol).map_or(0, |protocol| protocol.0),
        known(&route.scope).map_or(0, |scope| scope.0),
        number_of_kind(route.kind),
    ]);
    body.bytes(&flags.to_ne_bytes());
    if route.destination.length() > 0 {
        body.address(RTA_DST, route.destination.network().address());
    }
    if let Some(from) = route.from {
        body.address(RTA_SRC, from.network().address());
    }
    body.number(RTA_TABLE, Some(table));
    body.number(RTA_PRIORITY, route.metric);
    if let Some(source) = route.source {
        body.address(RTA_PREFSRC, source);
    }
    write_metrics(&route.metrics, &mut body);
    match &route.path {
        Path::None => {}
        Path::Single(hop) => {
            body.number(RTA_OIF, hop_index(hop, links)?.map(IfIndex::get));
            write_hop(hop, family, &mut body);
        }
        Path::Multipath(hops) => write_hops(hops, family, links, &mut body)?,
    }
    if let Lifetime::For(lifetime) = route.lifetime {
        body.number(RTA_EXPIRES, Some(u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX)));
    }
    if let Some(preference) = route.preference {
        body.attribute(RTA_PREF, &[number_of_preference(preference)]);
    }
    if let Some(propagate) = route.ttl_propagate {
        body.attribute(RTA_TTL_PROPAGATE, &[u8::from(propagate)]);
    }
    Ok(body.into_bytes())
}

/// The place of the route that a message is about, and who made it.
pub(crate) fn place(body: &[u8]) -> Option<(Place, u8)> {
    let (&[family, length, from_length, tos, table, protocol, _, _, _, _, _, _], attributes) =
        body.split_first_chunk::<HEADER_BYTES>()?;
    let (mut destination, mut table) = (None, u32::from(table));
    for attribute in Attributes(attributes) {
        let (kind, value) = attribute.ok()?;
        match kind {
            RTA_DST => destination = address(family, value),
            RTA_TABLE => table = number(value).unwrap_or(table),
            _ => {}
        }
    }
    let anywhere = match family {
        AF_INET => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        AF_INET6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => return None,
    };
    let destination = Prefix::new(destination.unwrap_or(anywhere), length).ok()?;
    Some((Place { table, destination, source: from_length, tos }, protocol))
}

/// The devices that it leaves by, and the VRF whose table it is in.
pub(crate) fn devices(route: &Route) -> impl Iterator<Item = &IfName> {
    let vrf = match &route.table {
        RouteTable::Vrf(vrf) => Some(vrf),
        RouteTable::Table(_) => None,
    };
    hops(route).filter_map(|hop| hop.device.as_ref()).chain(vrf)
}

/// Every way to leave.
pub(crate) fn hops(route: &Route) -> impl Iterator<Item = &Hop> {
    let (single, several) = match &route.path {
        Path::None => (None, [].as_slice()),
        Path::Single(hop) => (Some(hop), [].as_slice()),
        Path::Multipath(hops) => (None, hops.as_slice()),
    };
    single.into_iter().chain(several.iter().map(|weighted| &weighted.hop))
}

fn table(route: &Route, links: &impl Links) -> Result<u32, Missing> {
    match &route.table {
        RouteTable::Table(table) => Ok(known(table).map_or(0, |table| table.0)),
        RouteTable::Vrf(vrf) => links.vrf_table(vrf).ok_or_else(|| Missing(vrf.clone())),
    }
}

fn hop_index(hop: &Hop, links: &impl Links) -> Result<Option<IfIndex>, Missing> {
    let Some(device) = &hop.device else { return Ok(None) };
    links.index(device).map(Some).ok_or_else(|| Missing(device.clone()))
}

fn write_hops(
    hops: &[WeightedHop],
    family: Family,
    links: &impl Links,
    body: &mut Body,
) -> Result<(), Missing> {
    let indices: Result<Vec<_>, _> = hops.iter().map(|one| hop_index(&one.hop, links)).collect();
    let indices = indices?;
    body.nest(RTA_MULTIPATH, |body| {
        for (WeightedHop { hop, weight }, index) in hops.iter().zip(indices) {
            body.measured(|body| {
                let flags = if hop.onlink { RTNH_F_ONLINK } else { 0 };
                // The kernel counts the shares beyond the first.
                let more = u8::try_from(weight.get().saturating_sub(1)).unwrap_or(u8::MAX);
                body.bytes(&[flags, more]);
                body.bytes(&index.map_or(0, IfIndex::get).to_ne_bytes());
                write_hop(hop, family, body);
            });
        }
    });
    Ok(())
}

/// Where a hop leads and how packets are wrapped; its device stands elsewhere.
fn write_hop(hop: &Hop, family: Family, body: &mut Body) {
    match hop.gateway {
        Some(gateway) if Family::from(gateway) == family => body.address(RTA_GATEWAY, gateway),
        Some(gateway) => body.nest(RTA_VIA, |body| {
            body.bytes(&u16::from(number_of(gateway.into())).to_ne_bytes());
            match gateway {
                IpAddr::V4(gateway) => body.bytes(&gateway.octets()),
                IpAddr::V6(gateway) => body.bytes(&gateway.octets()),
            }
        }),
        None => {}
    }
    if let Some(realms) = &hop.realms {
        body.number(RTA_FLOW, Some(number_of_realms(realms)));
    }
    if let Some(encap) = &hop.encap {
        write_encap(encap, body);
    }
}

fn write_encap(encap: &Encap, body: &mut Body) {
    let kind = match encap {
        Encap::Mpls(_) => LWTUNNEL_ENCAP_MPLS,
        Encap::Ip(_) => LWTUNNEL_ENCAP_IP,
        Encap::Ila(_) => LWTUNNEL_ENCAP_ILA,
        Encap::Ip6(_) => LWTUNNEL_ENCAP_IP6,
    };
    body.attribute(RTA_ENCAP_TYPE, &kind.to_ne_bytes());
    body.nest(RTA_ENCAP | NESTED, |body| match encap {
        Encap::Mpls(labels) => body.nest(MPLS_IPTUNNEL_DST, |body| {
            for (number, label) in labels.iter().enumerate() {
                let is_last = number + 1 == labels.len();
                // RFC 3032 §2.1: label, traffic class, bottom of the stack, TTL.
                let entry = label.get() << 12 | u32::from(is_last) << 8;
                body.bytes(&entry.to_be_bytes());
            }
        }),
        Encap::Ip(tunnel) => write_tunnel(tunnel, |address| address.octets().to_vec(), body),
        Encap::Ip6(tunnel) => write_tunnel(tunnel, |address| address.octets().to_vec(), body),
        Encap::Ila(locator) => body.attribute(ILA_ATTR_LOCATOR, &locator.0.to_be_bytes()),
    });
}

fn write_tunnel<A: Copy>(tunnel: &IpTunnel<A>, octets: impl Fn(A) -> Vec<u8>, body: &mut Body) {
    if let Some(id) = tunnel.id {
        body.attribute(LWTUNNEL_IP_ID, &id.to_be_bytes());
    }
    if let Some(destination) = tunnel.destination {
        body.attribute(LWTUNNEL_IP_DST, &octets(destination));
    }
    if let Some(source) = tunnel.source {
        body.attribute(LWTUNNEL_IP_SRC, &octets(source));
    }
    if let Some(limit) = tunnel.hop_limit {
        body.attribute(LWTUNNEL_IP_TTL, &[limit]);
    }
    if let Some(class) = tunnel.tos.as_ref().and_then(known) {
        body.attribute(LWTUNNEL_IP_TOS, &[class.0]);
    }
    if let Some(flags) = tunnel.flags {
        body.attribute(LWTUNNEL_IP_FLAGS, &flags.to_ne_bytes());
    }
}

fn write_metrics(metrics: &Metrics, body: &mut Body) {
    let mut inner = Body::default();
    let locks = write_inner_metrics(metrics, &mut inner);
    inner.number(RTAX_LOCK, Some(locks).filter(|locks| *locks != 0));
    let inner = inner.into_bytes();
    if !inner.is_empty() {
        body.attribute(RTA_METRICS, &inner);
    }
}

/// Writes all but the lock, and gives the bits of that.
fn write_inner_metrics(metrics: &Metrics, body: &mut Body) -> u32 {
    let in_steps = |metric: &Metric<Duration>, per_second: u128| {
        // In steps of a part of a second, as the kernel counts them.
        let steps = metric.value.as_nanos() * per_second / 1_000_000_000;
        Metric { value: u32::try_from(steps).unwrap_or(u32::MAX), locked: metric.locked }
    };
    let free = |value: Option<u32>| value.map(|value| Metric { value, locked: false });
    let numbers = [
        (RTAX_MTU, metrics.mtu),
        (RTAX_WINDOW, free(metrics.window)),
        (RTAX_RTT, metrics.rtt.as_ref().map(|rtt| in_steps(rtt, 8_000))),
        (RTAX_RTTVAR, metrics.rttvar.as_ref().map(|rttvar| in_steps(rttvar, 4_000))),
        (RTAX_SSTHRESH, metrics.ssthresh),
        (RTAX_CWND, metrics.cwnd),
        (RTAX_ADVMSS, metrics.advmss),
        (RTAX_REORDERING, metrics.reordering),
        (RTAX_HOPLIMIT, free(metrics.hop_limit.map(u32::from))),
        (RTAX_INITCWND, free(metrics.initcwnd)),
        (RTAX_FEATURES, free(metrics.ecn.then_some(RTAX_FEATURE_ECN))),
        (RTAX_RTO_MIN, metrics.rto_min.as_ref().map(|least| in_steps(least, 1_000))),
        (RTAX_INITRWND, free(metrics.initrwnd)),
        (RTAX_QUICKACK, free(metrics.quickack.map(u32::from))),
        (RTAX_FASTOPEN_NO_COOKIE, free(metrics.fastopen_no_cookie.map(u32::from))),
    ];
    let mut locks = 0;
    for (kind, metric) in numbers {
        body.number(kind, metric.map(|metric| metric.value));
        if metric.is_some_and(|metric| metric.locked) {
            locks |= 1 << kind;
        }
    }
    if let Some(algorithm) = &metrics.congctl {
        body.text(RTAX_CC_ALGO, &algorithm.value);
        locks |= u32::from(algorithm.locked) << RTAX_CC_ALGO;
    }
    locks
}

/// The number. Names are looked up before a configuration is carried out.
pub(crate) fn known<T: Copy>(named: &Named<T>) -> Option<T> {
    named.number()
}

pub(crate) fn number_of_realms(realms: &Realms) -> u32 {
    let number = |realm: &Named<_>| known(realm).map_or(0, |realm: model::route::Realm| u32::from(realm.0));
    realms.from.as_ref().map_or(0, number) << 16 | number(&realms.to)
}

pub(crate) const fn number_of(family: Family) -> u8 {
    match family {
        Family::V4 => AF_INET,
        Family::V6 => AF_INET6,
    }
}

/// An address of the message's family.
pub(crate) fn address(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        AF_INET => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
    }
}

const fn number_of_kind(kind: Kind) -> u8 {
    match kind {
        Kind::Unicast => 1,
        Kind::Local => 2,
        Kind::Broadcast => 3,
        Kind::Anycast => 4,
        Kind::Multicast => 5,
        Kind::Blackhole => 6,
        Kind::Unreachable => 7,
        Kind::Prohibit => 8,
        Kind::Throw => 9,
        Kind::Nat => 10,
        Kind::ExternalResolve => 11,
        Kind::Other(number) => number,
    }
}

/// RFC 4191 §2.1, as the kernel numbers them.
const fn number_of_preference(preference: Preference) -> u8 {
    match preference {
        Preference::Medium => 0,
        Preference::High => 1,
        Preference::Low => 3,
        Preference::Other(number) => number,
    }
}

pub(crate) const AF_INET: u8 = 2;
pub(crate) const AF_INET6: u8 = 10;
const HEADER_BYTES: usize = 12;
const NESTED: u16 = 0x8000;

const RT_TABLE_UNSPEC: u8 = 0;
const RTNH_F_ONLINK: u8 = 4;

const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_METRICS: u16 = 8;
const RTA_MULTIPATH: u16 = 9;
const RTA_FLOW: u16 = 11;
const RTA_TABLE: u16 = 15;
const RTA_VIA: u16 = 18;
const RTA_PREF: u16 = 20;
const RTA_ENCAP_TYPE: u16 = 21;
const RTA_ENCAP: u16 = 22;
const RTA_EXPIRES: u16 = 23;
const RTA_TTL_PROPAGATE: u16 = 26;

const RTAX_LOCK: u16 = 1;
const RTAX_MTU: u16 = 2;
const RTAX_WINDOW: u16 = 3;
const RTAX_RTT: u16 = 4;
const RTAX_RTTVAR: u16 = 5;
const RTAX_SSTHRESH: u16 = 6;
const RTAX_CWND: u16 = 7;
const RTAX_ADVMSS: u16 = 8;
const RTAX_REORDERING: u16 = 9;
const RTAX_HOPLIMIT: u16 = 10;
const RTAX_INITCWND: u16 = 11;
const RTAX_FEATURES: u16 = 12;
const RTAX_RTO_MIN: u16 = 13;
const RTAX_INITRWND: u16 = 14;
const RTAX_QUICKACK: u16 = 15;
const RTAX_CC_ALGO: u16 = 16;
const RTAX_FASTOPEN_NO_COOKIE: u16 = 17;
const RTAX_FEATURE_ECN: u32 = 1;

const LWTUNNEL_ENCAP_MPLS: u16 = 1;
const LWTUNNEL_ENCAP_IP: u16 = 2;
const LWTUNNEL_ENCAP_ILA: u16 = 3;
const LWTUNNEL_ENCAP_IP6: u16 = 4;
const LWTUNNEL_IP_ID: u16 = 1;
const LWTUNNEL_IP_DST: u16 = 2;
const LWTUNNEL_IP_SRC: u16 = 3;
const LWTUNNEL_IP_FLAGS: u16 = 6;

// IPv6 calls them hop limit and traffic class.
const LWTUNNEL_IP_TTL: u16 = 4;
const LWTUNNEL_IP_TOS: u16 = 5;
const MPLS_IPTUNNEL_DST: u16 = 1;
const ILA_ATTR_LOCATOR: u16 = 1;
