//! What a set of configurations says of the hosts that run them: interfaces, LANs, addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use model::vrrp::{Config, HmacKey, Instance, KeySource, Preempt};
use model::{Family, IfName, Prefix, Secret, Vrid};

use super::matching;
use super::pool::Pool;
use crate::{Cluster, HostId, HostPlan, Interface, LanId, Quality};

/// Hosts, the LANs between them, and the virtual routers on these.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The hosts, in the order in which they were given.
    pub hosts: Vec<PlannedHost>,
    /// The LANs, in the order of the first host that is on them.
    pub lans: Vec<PlannedLan>,
    /// The virtual routers, in the order of the first host that has them.
    pub routers: Vec<VirtualRouter>,
    /// What is not part of it.
    pub left_out: Vec<LeftOut>,
}

/// A host.
#[derive(Clone, Debug)]
pub struct PlannedHost {
    /// Its name.
    pub name: String,
    /// What its daemon runs, without what is left out.
    pub config: Arc<Config>,
    /// Its interfaces, in order of names.
    pub interfaces: BTreeMap<IfName, PlannedInterface>,
}

/// An interface of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedInterface {
    /// The LAN that it is on.
    pub lan: LanId,
    /// The host's own addresses there; none if only IPv6 is spoken, and from the link-local address.
    pub addresses: Vec<PlannedAddress>,
}

impl PlannedInterface {
    /// The first address of a family: what an instance speaks from that names no source.
    #[must_use]
    pub fn first(&self, family: Family) -> Option<&PlannedAddress> {
        self.addresses.iter().find(|one| Family::from(one.prefix.address()) == family)
    }
}

/// An address of a host's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedAddress {
    /// The address, with its network.
    pub prefix: Prefix,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where an address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The host's own file (`unicast_src_ip`, `mcast_src_ip`).
    Source,
    /// The other hosts have it as a peer (`unicast_peer`).
    Peer,
    /// It was made up.
    MadeUp,
}

/// A LAN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedLan {
    /// Its name: that of the interfaces on it.
    pub name: String,
    /// Who is on it.
    pub members: Vec<(HostId, IfName)>,
}

/// A virtual router: the instances of the hosts that take part in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualRouter {
    /// What it is called: the name of its instances, and more where that is not enough.
    pub name: String,
    /// Its number, on the first of its hosts.
    pub vrid: Vrid,
    /// The LAN that it is on.
    pub lan: LanId,
    /// Its addresses, each once, in the order of the files.
    pub addresses: Vec<IpAddr>,
    /// Who takes part, at least one, in the order of hosts.
    pub parts: Vec<Part>,
}

/// A host's part in a virtual router.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The host.
    pub host: HostId,
    /// Its instance.
    pub instance: String,
}

/// An instance that is not rehearsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The name of its host.
    pub host: String,
    /// Its name.
    pub instance: String,
    /// Why.
    pub why: WhyLeftOut,
}

/// Why an instance is not rehearsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyLeftOut {
    /// It has no interface.
    NoInterface,
}

impl Plan {
    /// The plan for hosts with these names and configurations.
    #[must_use]
    pub fn of(hosts: impl IntoIterator<Item = (String, Arc<Config>)>) -> Self {
        let mut left_out = Vec::new();
        let hosts: Vec<_> = hosts
            .into_iter()
            .map(|(name, config)| {
                let config = without_foreign(&name, &with_keys(config), &mut left_out);
                PlannedHost { name, config, interfaces: BTreeMap::new() }
            })
            .collect();
        let mut plan = Self { hosts, lans: Vec::new(), routers: Vec::new(), left_out };
        let found = matching::routers(&plan.hosts);
        let lans = matching::lans(&plan.hosts, &found);
        plan.name_lans(&lans);
        plan.give_addresses(&lans);
        plan.name_routers(found);
        plan
    }

    /// The cluster, with all hosts switched off.
    #[must_use]
    pub fn cluster(&self, seed: u64) -> Cluster {
        let mut cluster = Cluster::new(seed);
        for lan in &self.lans {
            cluster.add_lan(&lan.name, Quality::GOOD);
        }
        for host in &self.hosts {
            let interfaces = host.interfaces.iter().map(|(name, port)| Interface {
                name: name.clone(),
                lan: port.lan,
                addresses: port.addresses.iter().map(|one| one.prefix).collect(),
            });
            let (name, config) = (host.name.clone(), Arc::clone(&host.config));
            cluster.add_host(HostPlan { name, config, interfaces: interfaces.collect() });
        }
        cluster
    }

    /// A host by its place.
    #[must_use]
    pub fn host(&self, id: HostId) -> Option<&PlannedHost> {
        self.hosts.get(id.0)
    }

    /// The name of a host.
    #[must_use]
    pub fn host_name(&self, id: HostId) -> &str {
        self.host(id).map_or("?", |host| &host.name)
    }

    /// The names of hosts, as a list.
    #[must_use]
    pub fn names(&self, hosts: impl IntoIterator<Item = HostId>) -> String {
        listed(&hosts.into_iter().map(|id| self.host_name(id).to_owned()).collect::<Vec<_>>())
    }

    /// The name of a LAN.
    #[must_use]
    pub fn lan_name(&self, id: LanId) -> &str {
        self.lans.get(id.0).map_or("?", |lan| &lan.name)
    }

    /// The instance of a part.
    #[must_use]
    pub fn instance(&self, part: &Part) -> Option<&Instance> {
        self.host(part.host)?.config.instances.iter().find(|one| one.name == part.instance)
    }

    /// The virtual routers that an instance of this name belongs to.
    pub fn routers_of<'a>(&'a self, instance: &'a str) -> impl Iterator<Item = &'a VirtualRouter> {
        self.routers.iter().filter(move |router| router.parts.iter().any(|part| part.instance == instance))
    }

    /// Whether a part leaves a living master alone, whatever its priority.
    pub(super) fn never_preempts(&self, part: &Part) -> bool {
        self.instance(part)
            .is_some_and(|one| one.preempt == Preempt::Never && one.priority != model::Priority::OWNER)
    }

    fn name_lans(&mut self, lans: &[Vec<(HostId, IfName)>]) {
        let mut taken = BTreeSet::new();
        for members in lans {
            let names: BTreeSet<_> = members.iter().map(|(_, name)| name.as_str()).collect();
            let name = unused(&names.into_iter().collect::<Vec<_>>().join("+"), &mut taken, "-");
            self.lans.push(PlannedLan { name, members: members.clone() });
        }
    }

    fn give_addresses(&mut self, lans: &[Vec<(HostId, IfName)>]) {
        let mut pool = Pool::of(&self.hosts);
        let given: Vec<_> =
            lans.iter().enumerate().map(|(number, members)| pool.lan(number, members)).collect();
        for (number, (members, given)) in lans.iter().zip(given).enumerate() {
            for ((host, name), addresses) in members.iter().zip(given) {
                let port = PlannedInterface { lan: LanId(number), addresses };
                if let Some(host) = self.hosts.get_mut(host.0) {
                    host.interfaces.insert(name.clone(), port);
                }
            }
        }
    }

    fn name_routers(&mut self, found: Vec<Vec<Part>>) {
        let mut taken = BTreeSet::new();
        for parts in found {
            let Some(first) = parts.first().and_then(|part| self.instance(part)) else { continue };
            let port = first
                .interface
                .as_ref()
                .zip(parts.first())
                .and_then(|(name, part)| self.host(part.host)?.interfaces.get(name));
            let Some(lan) = port.map(|port| port.lan) else { continue };
            let names: Vec<&str> = parts.iter().map(|part| part.instance.as_str()).collect();
            let mut distinct = names.clone();
            distinct.dedup();
            let name = unused(&distinct.join("+"), &mut taken, "-");
            let vrid = first.vrid;
            let instances = parts.iter().filter_map(|part| self.instance(part));
            let mut addresses = Vec::new();
            for address in instances.flat_map(|one| &one.addresses).map(|one| one.prefix.address()) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            self.routers.push(VirtualRouter { name, vrid, lan, addresses, parts });
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [only] => only.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// The configuration, with a stand-in for each key that is in a file: the files of all hosts are taken to agree.
fn with_keys(config: Arc<Config>) -> Arc<Config> {
    let is_filed = |key: &HmacKey| matches!(key.source, KeySource::File(_));
    let mut keys = config.instances.iter().filter_map(|one| one.hmac.as_ref()).flat_map(|hmac| &hmac.keys);
    if !keys.any(is_filed) {
        return config;
    }
    let mut config = Config::clone(&config);
    let keys =
        config.instances.iter_mut().filter_map(|one| one.hmac.as_mut()).flat_map(|hmac| &mut hmac.keys);
    for key in keys.filter(|key| is_filed(key)) {
        key.source = KeySource::Bytes(Secret::new(vec![key.id.get(); KeySource::LEAST]));
    }
    Arc::new(config)
}

/// The configuration without what cannot be rehearsed.
fn without_foreign(host: &str, config: &Arc<Config>, left_out: &mut Vec<LeftOut>) -> Arc<Config> {
    let why = |one: &Instance| one.interface.is_none().then_some(WhyLeftOut::NoInterface);
    let foreign: Vec<_> =
        config.instances.iter().filter_map(|one| Some((one.name.clone(), why(one)?))).collect();
    if foreign.is_empty()
        && config.instances.iter().all(|one| one.own_device.is_none() && one.address_vmacs.is_empty())
    {
        return Arc::clone(config);
    }
    let mut config = Config::clone(config);
    config.instances.iter_mut().for_each(without_own_devices);
    let is_foreign = |name: &str| foreign.iter().any(|(foreign, _)| foreign == name);
    config.instances.retain(|one| !is_foreign(&one.name));
    for group in &mut config.groups {
        group.members.retain(|member| !is_foreign(member));
    }
    config.groups.retain(|group| !group.members.is_empty());
    left_out.extend(foreign.into_iter().map(|(instance, why)| LeftOut {
        host: host.to_owned(),
        instance,
        why,
    }));
    Arc::new(config)
}

/// Nobody makes the instance's own devices here: its addresses are on the interfaces below.
fn without_own_devices(instance: &mut Instance) {
    let mut addresses = std::mem::take(&mut instance.addresses);
    for address in &mut addresses {
        address.device = instance.below(&address.device).clone();
        address.use_vmac = false;
    }
    *instance = Instance { addresses, own_device: None, address_vmacs: Vec::new(), ..instance.clone() };
}

/// `name`, or with a number behind it if that is taken.
fn unused(name: &str, taken: &mut BTreeSet<String>, between: &str) -> String {
    let names =
        std::iter::once(name.to_owned()).chain((2..).map(|number: u32| format!("{name}{between}{number}")));
    for name in names {
        if taken.insert(name.clone()) {
            return name;
        }
    }
    name.to_owned()
}
