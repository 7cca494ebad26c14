//! Which instances are one virtual router, and which interfaces are on one LAN.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::IfName;
use model::vrrp::{Instance, Transport};

use super::plan::{Part, PlannedHost};
use crate::HostId;

/// The parts of each virtual router, in the order of the first host that has it.
///
/// Instances of different hosts are one if they share a virtual address, whatever their numbers: whoever has it twice has
/// a conflict. Without a common address they are one if they have the same number, and the same interface or each other
/// as peers.
pub(super) fn routers(hosts: &[PlannedHost]) -> Vec<Vec<Part>> {
    let mut routers: Vec<Vec<(HostId, &Instance)>> = Vec::new();
    for (host, instance) in instances(hosts) {
        let free = routers.iter().enumerate().filter(|(_, parts)| parts.iter().all(|(at, _)| *at != host));
        let likeness = free.map(|(at, parts)| {
            (parts.iter().map(|(_, other)| likeness(other, instance)).max().unwrap_or_default(), at)
        });
        // Of equals the first.
        let best = likeness
            .filter(|(likeness, _)| *likeness > 0)
            .max_by_key(|(likeness, at)| (*likeness, usize::MAX - at));
        match best.and_then(|(_, at)| routers.get_mut(at)) {
            Some(parts) => parts.push((host, instance)),
            None => routers.push(vec![(host, instance)]),
        }
    }
    let part = |(host, instance): (HostId, &Instance)| Part { host, instance: instance.name.clone() };
    routers.into_iter().map(|parts| parts.into_iter().map(part).collect()).collect()
}

fn instances(hosts: &[PlannedHost]) -> impl Iterator<Item = (HostId, &Instance)> {
    hosts
        .iter()
        .enumerate()
        .flat_map(|(at, host)| host.config.instances.iter().map(move |one| (HostId(at), one)))
}

/// How much two instances look like one virtual router; 0 if not at all.
fn likeness(one: &Instance, other: &Instance) -> u8 {
    let shares_address = !addresses(one).is_disjoint(&addresses(other));
    let same_number = one.vrid == other.vrid && one.family == other.family;
    let same_link = one.interface == other.interface;
    match (shares_address, same_number) {
        (true, true) => 3,
        (true, false) => 2,
        (false, true) if same_link || are_peers(one, other) => 1,
        (false, _) => 0,
    }
}

fn addresses(instance: &Instance) -> BTreeSet<IpAddr> {
    instance.addresses.iter().map(|address| address.prefix.address()).collect()
}

/// One names the other's source as its peer.
fn are_peers(one: &Instance, other: &Instance) -> bool {
    let names = |one: &Instance, other: &Instance| {
        other.source.is_some_and(|source| peers(one).any(|peer| peer == source))
    };
    names(one, other) || names(other, one)
}

pub(super) fn peers(instance: &Instance) -> impl Iterator<Item = IpAddr> + '_ {
    let peers = match &instance.transport {
        Transport::Unicast { peers, .. } => peers.as_slice(),
        Transport::Multicast { .. } => &[],
    };
    peers.iter().map(|peer| peer.address)
}

/// The interfaces of each LAN, in the order of the first host that is on it.
///
/// The hosts of a virtual router meet where its instances are, and where its addresses are. What carries no virtual
/// router is one LAN for each name.
pub(super) fn lans(hosts: &[PlannedHost], routers: &[Vec<Part>]) -> Vec<Vec<(HostId, IfName)>> {
    let mut joined = Joined::default();
    for parts in routers {
        let mut places: BTreeMap<Option<IpAddr>, (HostId, IfName)> = BTreeMap::new();
        for (host, instance) in parts.iter().filter_map(|part| found(hosts, part)) {
            let own = instance.interface.iter().map(|name| (None, name));
            let held = instance.addresses.iter().map(|one| (Some(one.prefix.address()), &one.device));
            for (meeting, name) in own.chain(held).filter(|(_, name)| name.as_str() != LOOPBACK) {
                let place = (host, name.clone());
                joined.add(place.clone());
                match places.get(&meeting) {
                    Some(first) => joined.join(first, &place),
                    None => drop(places.insert(meeting, place)),
                }
            }
        }
    }
    let mut tracked: BTreeMap<IfName, (HostId, IfName)> = BTreeMap::new();
    for place in hosts.iter().enumerate().flat_map(|(at, host)| tracked_only(HostId(at), host)) {
        if joined.add(place.clone()) {
            let first = tracked.entry(place.1.clone()).or_insert_with(|| place.clone()).clone();
            joined.join(&first, &place);
        }
    }
    joined.sets()
}

fn found<'a>(hosts: &'a [PlannedHost], part: &Part) -> Option<(HostId, &'a Instance)> {
    let host = hosts.get(part.host.0)?;
    host.config.instances.iter().find(|one| one.name == part.instance).map(|one| (part.host, one))
}

fn tracked_only(id: HostId, host: &PlannedHost) -> impl Iterator<Item = (HostId, IfName)> + '_ {
    let of_instances = host.config.instances.iter().flat_map(|one| &one.track_interfaces);
    let of_groups = host.config.groups.iter().flat_map(|group| &group.track_interfaces);
    let names = of_instances.chain(of_groups).map(|tracked| tracked.interface.clone());
    names.filter(|name| name.as_str() != LOOPBACK).map(move |name| (id, name))
}

/// Sets of interfaces, each with the number of its set.
#[derive(Debug, Default)]
struct Joined {
    sets: BTreeMap<(HostId, IfName), usize>,
}

impl Joined {
    /// Whether it is new.
    fn add(&mut self, place: (HostId, IfName)) -> bool {
        let next = self.sets.len();
        let known = self.sets.contains_key(&place);
        if !known {
            self.sets.insert(place, next);
        }
        !known
    }

    fn join(&mut self, one: &(HostId, IfName), other: &(HostId, IfName)) {
        if let (Some(into), Some(from)) = (self.sets.get(one).copied(), self.sets.get(other).copied()) {
            for set in self.sets.values_mut().filter(|set| **set == from) {
                *set = into;
            }
        }
    }

    fn sets(self) -> Vec<Vec<(HostId, IfName)>> {
        let mut order = Vec::new();
        let mut members: BTreeMap<usize, Vec<(HostId, IfName)>> = BTreeMap::new();
        for (place, set) in self.sets {
            if !order.contains(&set) {
                order.push(set);
            }
            members.entry(set).or_default().push(place);
        }
        order.into_iter().filter_map(|set| members.remove(&set)).collect()
    }
}

/// Every host has its own one, and it is never anywhere else.
const LOOPBACK: &str = "lo";
