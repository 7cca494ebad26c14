//! The hosts' own addresses: what the files say, and else what is made up.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use model::vrrp::Instance;
use model::{Family, IfName, Prefix};

use super::matching::peers;
use super::plan::{Origin, PlannedAddress, PlannedHost};
use crate::HostId;

/// Addresses that may still be given.
pub(super) struct Pool<'a> {
    hosts: &'a [PlannedHost],
    taken: BTreeSet<IpAddr>,
}

impl<'a> Pool<'a> {
    pub(super) fn of(hosts: &'a [PlannedHost]) -> Self {
        let instances = hosts.iter().flat_map(|host| &host.config.instances);
        let taken = instances.flat_map(|one| {
            let virtuals = one.addresses.iter().map(|address| address.prefix.address());
            virtuals.chain(one.source).chain(peers(one))
        });
        Self { hosts, taken: taken.collect() }
    }

    /// The own addresses of each of the members of the `number`th LAN.
    pub(super) fn lan(&mut self, number: usize, members: &[(HostId, IfName)]) -> Vec<Vec<PlannedAddress>> {
        let wished: Vec<_> = members.iter().map(|(host, name)| self.wished(*host, name, members)).collect();
        let virtuals: Vec<_> = self.virtuals(members).collect();
        let of_ipv4 = |wished: &[(IpAddr, Origin)]| wished.iter().copied().find(|(one, _)| one.is_ipv4());
        let given = wished.iter().find_map(|wished| of_ipv4(wished));
        let network = network(&virtuals, given.map(|(address, _)| address));
        let speaks_ipv4 = self.speaks_ipv4(members);
        let fitting = |(address, origin): (IpAddr, Origin)| {
            let around = virtuals.iter().find(|one| is_network(**one) && contains(**one, address));
            let bits = around.map_or_else(|| network_bits(address), |one| one.length());
            let prefix = Prefix::new(address, bits).unwrap_or_else(|_| Prefix::host(address));
            PlannedAddress { prefix, origin }
        };
        wished
            .into_iter()
            .map(|wished| {
                let made_up = (speaks_ipv4 && of_ipv4(&wished).is_none())
                    .then(|| PlannedAddress { prefix: self.next(network, number), origin: Origin::MadeUp });
                made_up.into_iter().chain(wished.into_iter().map(fitting)).collect()
            })
            .collect()
    }

    /// Whether there is need of IPv4: not where all instances speak IPv6, which has addresses of its own.
    fn speaks_ipv4(&self, members: &[(HostId, IfName)]) -> bool {
        let mut instances = members.iter().flat_map(|(host, name)| self.on(*host, name)).peekable();
        instances.peek().is_none() || instances.any(|one| one.family == Family::V4)
    }

    /// What the files say of the addresses of a host on an interface, each once.
    fn wished(&self, host: HostId, name: &IfName, members: &[(HostId, IfName)]) -> Vec<(IpAddr, Origin)> {
        let mut wished = Vec::new();
        for own in self.on(host, name) {
            let source = own.source.map(|source| (source, Origin::Source));
            let wish = source.or_else(|| self.as_peer(host, own, members));
            wished.extend(wish.filter(|(address, _)| wished.iter().all(|(other, _)| other != address)));
        }
        wished
    }

    /// The instances of a host on an interface.
    fn on(&self, host: HostId, name: &IfName) -> impl Iterator<Item = &'a Instance> + use<'a> {
        let name = name.clone();
        let config = self.hosts.get(host.0).map(|host| &host.config);
        let all = config.map(|config| config.instances.as_slice()).unwrap_or_default();
        all.iter().filter(move |one| one.interface.as_ref() == Some(&name))
    }

    /// The address that every other host of a virtual router has as a peer, and this one has not.
    fn as_peer(
        &self,
        host: HostId,
        own: &Instance,
        members: &[(HostId, IfName)],
    ) -> Option<(IpAddr, Origin)> {
        let rivals = members.iter().filter(|(other, _)| *other != host);
        let lists: Vec<BTreeSet<IpAddr>> = rivals
            .flat_map(|(other, name)| self.on(*other, name))
            .filter(|one| (one.vrid, one.family) == (own.vrid, own.family) && peers(one).next().is_some())
            .map(|one| peers(one).collect())
            .collect();
        let mine: BTreeSet<_> = peers(own).collect();
        let sources: BTreeSet<_> = members
            .iter()
            .flat_map(|(host, name)| self.on(*host, name))
            .filter_map(|one| one.source)
            .collect();
        let candidates = lists.first()?.iter().filter(|peer| lists.iter().all(|list| list.contains(peer)));
        let mut fitting = candidates.filter(|peer| !mine.contains(peer) && !sources.contains(peer));
        fitting.next().map(|peer| (*peer, Origin::Peer))
    }

    /// The virtual addresses that are on this LAN.
    fn virtuals(&self, members: &[(HostId, IfName)]) -> impl Iterator<Item = Prefix> {
        let hosts = self.hosts;
        members.iter().flat_map(move |(host, name)| {
            let config = hosts.get(host.0).map(|host| &host.config);
            let all = config.into_iter().flat_map(|config| &config.instances).flat_map(|one| &one.addresses);
            all.filter(move |held| held.device == *name).map(|held| held.prefix)
        })
    }

    /// The greatest free address of a network, or of one that is nobody's if that is full.
    fn next(&mut self, network: Option<(Ipv4Addr, u8)>, lan: usize) -> Prefix {
        let elsewhere = Ipv4Addr::new(10, 255, u8::try_from(lan % 256).unwrap_or(0), 0);
        for (network, bits) in network.into_iter().chain([(elsewhere, NETWORK_BITS), (NOBODYS, 8)]) {
            let last = u32::MAX.checked_shr(u32::from(bits)).unwrap_or(0);
            // Neither the network itself nor its broadcast address.
            let mut free =
                (1..last).rev().map(|host| IpAddr::from(Ipv4Addr::from_bits(network.to_bits() | host)));
            if let Some(address) = free.find(|address| !self.taken.contains(address)) {
                self.taken.insert(address);
                return Prefix::new(address, bits).unwrap_or_else(|_| Prefix::host(address));
            }
        }
        Prefix::host(NOBODYS.into())
    }
}

/// The IPv4 network that a LAN seems to have.
fn network(virtuals: &[Prefix], given: Option<IpAddr>) -> Option<(Ipv4Addr, u8)> {
    let of_ipv4 = || virtuals.iter().filter(|one| one.address().is_ipv4());
    let first = of_ipv4().find(|one| is_network(**one)).or_else(|| of_ipv4().next()).copied();
    let known = match (given, first) {
        (Some(given), Some(first)) if is_network(first) && contains(first, given) => first,
        (Some(given), _) => Prefix::new(given, NETWORK_BITS).ok()?,
        (None, Some(first)) if is_network(first) => first,
        (None, first) => Prefix::new(first?.address(), NETWORK_BITS).ok()?,
    };
    match known.network().address() {
        IpAddr::V4(address) => Some((address, known.length())),
        IpAddr::V6(_) => None,
    }
}

/// A host address says nothing of its network; the smallest networks leave no room for hosts.
fn is_network(prefix: Prefix) -> bool {
    match prefix.address() {
        IpAddr::V4(_) => (8..=28).contains(&prefix.length()),
        IpAddr::V6(_) => (8..=124).contains(&prefix.length()),
    }
}

fn contains(network: Prefix, address: IpAddr) -> bool {
    network.address().is_ipv4() == address.is_ipv4()
        && Prefix::new(address, network.length()).is_ok_and(|other| other.network() == network.network())
}

/// Where nothing says how long a network's prefix is.
const fn network_bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => NETWORK_BITS,
        IpAddr::V6(_) => 64,
    }
}

/// As [`network_bits`], of IPv4.
const NETWORK_BITS: u8 = 24;
/// A network that no file will speak of whole.
const NOBODYS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);
