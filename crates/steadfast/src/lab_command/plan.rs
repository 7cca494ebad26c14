//! What is to be built for a set of configuration files: hosts, interfaces and addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use model::vrrp::{Instance, Preempt, Transport, VirtualAddress};
use model::{IfName, Prefix};

/// Hosts are called by the letters of the alphabet.
pub(super) const MOST_HOSTS: usize = 26;

/// Where a virtual address without a network stands, this one is assumed.
const NETWORK_BITS: u8 = 24;

/// The network of LANs on which the files give no address.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(10, 255, 255, 0);

/// Hosts, and the virtual address that a client asks.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) hosts: Vec<Machine>,
    /// The first virtual IPv4 address of the first file.
    pub(super) vip: Ipv4Addr,
    /// The interface that holds the address; the client is on its LAN.
    pub(super) device: IfName,
    /// The client's own address.
    pub(super) client: Prefix,
}

/// One host.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) name: String,
    /// The path of its file as given, or a name for a built-in one.
    pub(super) file: String,
    /// The content of the file.
    pub(super) text: String,
    /// Where its advertisements come from.
    pub(super) address: Ipv4Addr,
    /// All its interfaces, each with what it needs before the daemon starts.
    pub(super) interfaces: BTreeMap<IfName, Vec<Prefix>>,
    /// The virtual router of the address that the client asks, as the file has it.
    pub(super) instance: Instance,
}

impl Machine {
    /// Whether it takes over from a living master of lower priority as soon as it may.
    pub(super) fn preempts(&self) -> bool {
        matches!(self.instance.preempt, Preempt::Always)
    }
}

impl Plan {
    /// The plan for these files, or for the built-in pair if there are none.
    pub(super) fn read(files: &[PathBuf]) -> anyhow::Result<Self> {
        let texts = if files.is_empty() {
            vec![text("built-in", include_str!("a.conf")), text("built-in", include_str!("b.conf"))]
        } else {
            files.iter().map(read).collect::<anyhow::Result<_>>()?
        };
        Self::for_texts(&texts)
    }

    fn for_texts(texts: &[(String, String)]) -> anyhow::Result<Self> {
        let configs = texts.iter().map(load).collect::<anyhow::Result<Vec<_>>>()?;
        let asked = first_address(&configs[0])
            .with_context(|| format!("{} has no virtual IPv4 address that a client could ask", texts[0].0))?;
        let holders = configs
            .iter()
            .zip(texts)
            .map(|(config, (file, _))| {
                holder_of(config, asked.vip)
                    .with_context(|| format!("{file} has no instance for {}", asked.vip))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let mut pool = Pool { asked, taken: configs.iter().flat_map(all_addresses).collect() };
        let mut hosts = Vec::new();
        for (index, (file, text)) in texts.iter().enumerate() {
            let wished = wished_address(&holders, index);
            let (address, interfaces) = pool.outfit(&configs[index], holders[index], wished)?;
            let name = char::from(b'a'.saturating_add(u8::try_from(index)?)).to_string();
            let (file, text, instance) = (file.clone(), text.clone(), holders[index].clone());
            hosts.push(Machine { name, file, text, address, interfaces, instance });
        }
        let client = pool.next()?;
        Ok(Self { hosts, vip: pool.asked.vip, device: pool.asked.device, client })
    }
}

/// The virtual address that the client asks.
struct Asked {
    vip: Ipv4Addr,
    /// The length of its network.
    bits: u8,
    device: IfName,
}

/// Addresses that may still be given.
struct Pool {
    asked: Asked,
    taken: BTreeSet<Ipv4Addr>,
}

impl Pool {
    /// The greatest free address of the virtual address's network.
    fn next(&mut self) -> anyhow::Result<Prefix> {
        self.next_of(self.asked.vip, self.asked.bits)
    }

    fn next_of(&mut self, member: Ipv4Addr, bits: u8) -> anyhow::Result<Prefix> {
        let host_part = u32::MAX.checked_shr(u32::from(bits)).unwrap_or(0);
        let network = member.to_bits() & !host_part;
        // Neither the network itself nor its broadcast address.
        let mut candidates = (1..host_part).rev().map(|host| Ipv4Addr::from_bits(network | host));
        let free = candidates.find(|address| !self.taken.contains(address));
        let free = free.with_context(|| format!("the network of {member} is full"))?;
        self.taken.insert(free);
        Ok(Prefix::new(free.into(), bits)?)
    }

    /// The address that a host advertises from, and all interfaces that its file names with what they need.
    fn outfit(
        &mut self,
        config: &model::vrrp::Config,
        instance: &Instance,
        wished: Option<Ipv4Addr>,
    ) -> anyhow::Result<(Ipv4Addr, BTreeMap<IfName, Vec<Prefix>>)> {
        let lan = instance
            .interface
            .as_ref()
            .context("an instance without an interface has no place in the lab")?;
        let mut interfaces = interfaces(config, lan);
        let apart = *lan != self.asked.device;
        let own = match wished {
            Some(address) => Prefix::new(address.into(), self.asked.bits)?,
            None if apart => self.next_of(ELSEWHERE, NETWORK_BITS)?,
            None => self.next()?,
        };
        interfaces.entry(lan.clone()).or_default().push(own);
        if apart {
            // Or the host would have no way back to the client.
            let way_back = self.next()?;
            interfaces.entry(self.asked.device.clone()).or_default().push(way_back);
        }
        match own.address() {
            IpAddr::V4(address) => Ok((address, interfaces)),
            IpAddr::V6(address) => bail!("the client's LAN is IPv4, not {address}"),
        }
    }
}

fn text(file: &str, text: &str) -> (String, String) {
    (file.to_owned(), text.to_owned())
}

fn read(path: &PathBuf) -> anyhow::Result<(String, String)> {
    let content = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok((path.display().to_string(), content))
}

/// The files of the machine that this runs on; a host's own one is in memory already.
struct Files<'a> {
    path: &'a str,
    text: &'a str,
}

impl config::SourceProvider for Files<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if path == self.path { Ok(self.text.as_bytes().to_vec()) } else { std::fs::read(path) }
    }
}

fn load((path, text): &(String, String)) -> anyhow::Result<model::vrrp::Config> {
    let loaded = config::load(&Files { path, text }, path);
    if !loaded.is_usable() {
        let lines: Vec<String> = loaded
            .diagnostics
            .iter()
            .map(|diagnostic| config::render::line(diagnostic, &loaded.sources))
            .collect();
        bail!("{path} cannot be used:\n{}", lines.join("\n"));
    }
    Ok(loaded.config.vrrp)
}

fn first_address(config: &model::vrrp::Config) -> Option<Asked> {
    let all = config
        .instances
        .iter()
        .flat_map(|one| one.addresses.iter().map(|held| (held, one.below(&held.device))));
    let asked = |(held, device): (&VirtualAddress, &IfName)| match held.prefix.address() {
        IpAddr::V4(vip) => Some(Asked { vip, bits: network_bits(held.prefix), device: device.clone() }),
        IpAddr::V6(_) => None,
    };
    all.into_iter().find_map(asked)
}

/// A host address says nothing of its network; the smallest LANs leave no room for hosts.
fn network_bits(prefix: Prefix) -> u8 {
    if (8..=28).contains(&prefix.length()) { prefix.length() } else { NETWORK_BITS }
}

fn holder_of(config: &model::vrrp::Config, vip: Ipv4Addr) -> Option<&Instance> {
    let holds = |instance: &&Instance| instance.addresses.iter().any(|a| a.prefix.address() == vip);
    config.instances.iter().find(holds)
}

/// Every IPv4 address that a file speaks of, so that none is given to somebody else.
fn all_addresses(config: &model::vrrp::Config) -> Vec<Ipv4Addr> {
    let of_instance = |instance: &Instance| {
        let virtuals = instance.addresses.iter().map(|address| address.prefix.address());
        let all: Vec<IpAddr> = virtuals.chain(instance.source).chain(peers(instance)).collect();
        all
    };
    let all = config.instances.iter().flat_map(of_instance);
    all.filter_map(|address| if let IpAddr::V4(address) = address { Some(address) } else { None }).collect()
}

fn peers(instance: &Instance) -> Vec<IpAddr> {
    match &instance.transport {
        Transport::Unicast { peers, .. } => peers.iter().map(|peer| peer.address).collect(),
        Transport::Multicast { .. } => Vec::new(),
    }
}

/// The address that the files give a host: its own source address, else the one that every other host has as a peer
/// and the host itself has not.
fn wished_address(instances: &[&Instance], index: usize) -> Option<Ipv4Addr> {
    let own = instances.get(index)?;
    let others: Vec<Vec<IpAddr>> =
        instances.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, other)| peers(other)).collect();
    let known_to_all = |peer: &&IpAddr| others.iter().all(|list| list.contains(peer));
    let mine = peers(own);
    let as_peer = others.iter().flatten().filter(known_to_all).find(|peer| !mine.contains(peer)).copied();
    match own.source.or(as_peer)? {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

/// All interfaces that a file names, with the sources of the instances on them, `lan` without.
fn interfaces(config: &model::vrrp::Config, lan: &IfName) -> BTreeMap<IfName, Vec<Prefix>> {
    let mut interfaces: BTreeMap<IfName, Vec<Prefix>> = BTreeMap::new();
    for instance in &config.instances {
        if let Some(own) = &instance.interface {
            let sources = interfaces.entry(own.clone()).or_default();
            let source = instance.source.and_then(|source| Prefix::new(source, NETWORK_BITS).ok());
            sources.extend(source.filter(|source| own != lan && !sources.contains(source)));
        }
        let devices = instance.addresses.iter().map(|held| instance.below(&held.device));
        for name in devices.chain(instance.track_interfaces.iter().map(|tracked| &tracked.interface)) {
            interfaces.entry(name.clone()).or_default();
        }
    }
    interfaces.retain(|name, _| name.as_str() != "lo");
    interfaces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(texts: [&str; 2]) -> Plan {
        Plan::for_texts(&texts.map(|content| text("x.conf", content))).unwrap()
    }

    #[test]
    fn the_built_in_pair_is_the_one_of_the_notes() {
        let plan = Plan::read(&[]).unwrap();
        assert_eq!(plan.vip, Ipv4Addr::new(192, 168, 0, 100));
        let hosts: Vec<_> = plan.hosts.iter().map(|host| (&*host.name, host.address.to_string())).collect();
        assert_eq!(hosts, [("a", "192.168.0.86".to_owned()), ("b", "192.168.0.14".to_owned())]);
        assert_eq!(plan.hosts[0].instance.priority.get(), 101);
        assert_eq!(plan.client.to_string(), "192.168.0.254/24");
        assert_eq!(plan.hosts[0].interfaces.len(), 1);
    }

    #[test]
    fn unicast_hosts_get_the_addresses_that_their_peers_expect() {
        let file = |peer: &str| {
            format!(
                "vrrp_instance V {{
                    interface eth0
                    virtual_router_id 9
                    unicast_peer {{
                        {peer}
                    }}
                    virtual_ipaddress {{
                        198.51.100.1/25
                    }}
                    track_interface {{
                        eth3
                    }}
                }}"
            )
        };
        let plan = plan([&file("198.51.100.12"), &file("198.51.100.11")]);
        let addresses: Vec<_> = plan.hosts.iter().map(|host| host.address.to_string()).collect();
        assert_eq!(addresses, ["198.51.100.11", "198.51.100.12"]);
        assert_eq!(plan.client.to_string(), "198.51.100.126/25");
        let names: Vec<_> = plan.hosts[0].interfaces.keys().map(IfName::to_string).collect();
        assert_eq!(names, ["eth0", "eth3"]);
    }

    #[test]
    fn an_address_on_another_interface_is_asked_there() {
        let file = "vrrp_instance V {
            interface eth0
            virtual_router_id 9
            virtual_ipaddress {
                192.0.2.1 dev eth1
            }
        }";
        let plan = plan([file, file]);
        assert_eq!(plan.device.as_str(), "eth1");
        let host = &plan.hosts[1];
        assert_eq!(host.address.to_string(), "10.255.255.253");
        let given: Vec<String> =
            host.interfaces.iter().map(|(name, addresses)| format!("{name} {addresses:?}")).collect();
        assert!(given[0].starts_with("eth0") && given[0].contains("10.255.255.253"), "{given:?}");
        assert!(given[1].starts_with("eth1") && given[1].contains("192.0.2.253"), "{given:?}");
    }

    #[test]
    fn a_file_without_the_address_is_named() {
        let one = "vrrp_instance V {\n interface eth0\n virtual_router_id 9\n virtual_ipaddress {\n 192.0.2.1\n }\n}";
        let texts = vec![text("one.conf", one), text("two.conf", &one.replace("192.0.2.1", "192.0.2.2"))];
        assert_eq!(
            Plan::for_texts(&texts).unwrap_err().to_string(),
            "two.conf has no instance for 192.0.2.1"
        );
        let none = vec![text("none.conf", "global_defs {\n}\n")];
        let said = Plan::for_texts(&none).unwrap_err().to_string();
        assert_eq!(said, "none.conf has no virtual IPv4 address that a client could ask");
    }
}
