//! Frames on their way from host to host.

use std::collections::BTreeMap;

use model::{IfName, MacAddr};

use super::{Cluster, Happening, HostPlan};
use crate::HostId;
use crate::host::{Frame, Host, Input, Port};

impl Cluster {
    /// A host, switched off.
    pub fn add_host(&mut self, plan: HostPlan) -> HostId {
        let id = HostId(self.hosts.len());
        let mut ports = BTreeMap::new();
        for interface in plan.interfaces {
            let mac = mac(id, ports.len());
            let (lan, addresses) = (interface.lan, interface.addresses);
            ports.insert(interface.name, Port { lan, addresses, mac, there: true, running: true });
        }
        self.hosts.push(Host::new(id, plan.name, plan.config, ports));
        id
    }

    /// The host's kernel does not tell who has set an address, as those before Linux 5.18.
    pub fn set_old_kernel(&mut self, host: HostId, old: bool) {
        if let Some(host) = self.hosts.get_mut(host.0) {
            host.set_old_kernel(old);
        }
    }

    pub(super) fn send(&mut self, from: HostId, port: &IfName, frame: &Frame) {
        let Some(lan) = self.hosts.get(from.0).filter(|host| host.carries(port)).map(|host| &host.ports)
        else {
            return;
        };
        let Some(lan) = lan.get(port).map(|port| port.lan) else { return };
        let receivers: Vec<_> = self.receivers(from, lan, frame).collect();
        for (to, port) in receivers {
            let Some(at) = self.lans.get(lan.0) else { return };
            for delay in at.fates(&mut self.chance).collect::<Vec<_>>() {
                let at = self.now + delay;
                let input = Input::Frame { at, port: port.clone(), frame: frame.clone() };
                self.put(at, Happening::Input { host: to, input });
            }
        }
    }

    /// Who is on the LAN, reached, and meant.
    fn receivers<'a>(
        &'a self,
        from: HostId,
        lan: crate::LanId,
        frame: &'a Frame,
    ) -> impl Iterator<Item = (HostId, IfName)> + 'a {
        let reached = move |to: &HostId| self.lans.get(lan.0).is_some_and(|lan| lan.carries(from, *to));
        self.hosts().filter(move |to| *to != from).filter(reached).flat_map(move |to| {
            let host = self.hosts.get(to.0);
            let ports =
                host.into_iter().flat_map(|host| &host.ports).filter(move |(_, port)| port.lan == lan);
            ports
                .filter(move |_| host.is_some_and(|host| is_meant(host, frame)))
                .map(move |(name, _)| (to, name.clone()))
        })
    }

    /// A frame has arrived at a host: what its kernel does with it, whether a daemon runs or not.
    pub(super) fn arrive(&mut self, to: HostId, port: &IfName, frame: &Frame) {
        let Some(host) = self.hosts.get(to.0).filter(|host| host.carries(port)) else { return };
        let Some((lan, mac)) = host.ports.get(port).map(|port| (port.lan, port.mac)) else { return };
        let asked = match frame {
            Frame::Ask { address } if host.answers_for(*address) => Some(*address),
            Frame::Ask { .. } | Frame::Announce { .. } | Frame::Advert { .. } | Frame::Answer { .. } => None,
        };
        self.watch(|watch, cluster| watch.arrived(cluster, to, lan, frame));
        if let Some(address) = asked {
            self.send(to, port, &Frame::Answer { address, mac });
        }
    }
}

/// Unicast reaches the host that has the address.
fn is_meant(host: &Host, frame: &Frame) -> bool {
    match frame {
        Frame::Advert { destination, .. } => destination.is_multicast() || host.answers_for(*destination),
        Frame::Announce { .. } | Frame::Ask { .. } | Frame::Answer { .. } => host.powered,
    }
}

/// A hardware address for each port of each host.
fn mac(host: HostId, port: usize) -> MacAddr {
    let octet = |number: usize| u8::try_from(number % 256).unwrap_or(0);
    MacAddr([2, 0, 0, octet(host.0 / 256), octet(host.0), octet(port)])
}
