//! The table of IPVS: which traffic the kernel balances, and over which servers.
//!
//! A [`Table`] is what there should be. What the kernel holds, in its own terms, is `netlink::ipvs`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::num::{NonZeroU16, NonZeroU32};

use serde::{Deserialize, Serialize};

use crate::lvs::{Forwarding, Persistence, Protocol, Scheduler, SchedulerFlags};
use crate::{Family, IfName, SyncTransport};

/// All services.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The services.
    #[serde(with = "pairs")]
    pub services: BTreeMap<ServiceKey, Service>,
}

/// What tells one service from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ServiceKey {
    /// Traffic to an address.
    Address {
        /// The address.
        address: IpAddr,
        /// The port; every port if `None`.
        port: Option<NonZeroU16>,
        /// The transport.
        protocol: Protocol,
    },
    /// Traffic that netfilter has marked.
    Fwmark {
        /// The mark, not 0.
        mark: u32,
        /// Of which clients.
        family: Family,
    },
}

/// A service: how it chooses, and from what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// How a server is chosen.
    pub scheduler: Scheduler,
    /// Flags whose meaning is the scheduler's.
    pub flags: SchedulerFlags,
    /// Each packet is scheduled for itself. The kernel heeds it for UDP and marks.
    pub one_packet: bool,
    /// A client stays with its server.
    pub persistence: Option<Persistence>,
    /// The servers.
    #[serde(with = "pairs")]
    pub destinations: BTreeMap<DestinationKey, Destination>,
}

/// What tells one server of a service from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DestinationKey {
    /// Its address. It may be of another family than the service's where packets go in a tunnel.
    pub address: IpAddr,
    /// Its port; the one that the client asked for if `None`.
    pub port: Option<NonZeroU16>,
}

/// A server of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Destination {
    /// Its share of the traffic, up to 2147483647; no new connections if 0.
    pub weight: u32,
    /// How packets reach it.
    pub forwarding: Forwarding,
    /// No new connections beyond so many.
    pub upper_threshold: Option<NonZeroU32>,
    /// New connections again below so many.
    pub lower_threshold: Option<NonZeroU32>,
}

/// One step from a table to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// The service is there, with exactly these destinations, whether or not it was before.
    SetService {
        /// Which.
        service: ServiceKey,
        /// What it is.
        value: Service,
    },
    /// The service is not there, nor are its destinations.
    RemoveService {
        /// Which.
        service: ServiceKey,
    },
    /// The destination is there, whether or not it was before. Without such a service, nothing changes.
    SetDestination {
        /// Of which service.
        service: ServiceKey,
        /// Which.
        destination: DestinationKey,
        /// What it is.
        value: Destination,
    },
    /// The destination is not there.
    RemoveDestination {
        /// Of which service.
        service: ServiceKey,
        /// Which.
        destination: DestinationKey,
    },
}

/// A side of the kernel's connection synchronisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SyncRole {
    /// It tells of connections.
    Master,
    /// It hears of them.
    Backup,
}

/// One side of connection synchronisation as the kernel is to run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncSide {
    /// Where it speaks or listens.
    pub interface: IfName,
    /// Its number, which both sides share.
    pub id: u8,
    /// The longest message in bytes; the kernel's choice if `None`.
    pub longest: Option<NonZeroU16>,
    /// Group, port and TTL of its messages.
    pub transport: SyncTransport,
}

impl Table {
    /// Carries out one step.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::SetService { service, value } => {
                self.services.insert(service, value);
            }
            Change::RemoveService { service } => {
                self.services.remove(&service);
            }
            Change::SetDestination { service, destination, value } => {
                if let Some(service) = self.services.get_mut(&service) {
                    service.destinations.insert(destination, value);
                }
            }
            Change::RemoveDestination { service, destination } => {
                if let Some(service) = self.services.get_mut(&service) {
                    service.destinations.remove(&destination);
                }
            }
        }
    }
}

impl Change {
    /// The service that it is about.
    #[must_use]
    pub const fn service(&self) -> ServiceKey {
        match self {
            Self::SetService { service, .. }
            | Self::RemoveService { service }
            | Self::SetDestination { service, .. }
            | Self::RemoveDestination { service, .. } => *service,
        }
    }
}

impl ServiceKey {
    /// Of which addresses its clients are.
    #[must_use]
    pub fn family(self) -> Family {
        match self {
            Self::Address { address, .. } => address.into(),
            Self::Fwmark { family, .. } => family,
        }
    }

    /// The port that its clients ask for; every port, and that of a mark, is `None`.
    #[must_use]
    pub const fn port(self) -> Option<NonZeroU16> {
        match self {
            Self::Address { port, .. } => port,
            Self::Fwmark { .. } => None,
        }
    }
}

impl fmt::Display for ServiceKey {
    /// As keepalived writes it in its log: `[192.0.2.1]:tcp:80`, `FWM 7`; of a mark for IPv6 it says so too, as ipvsadm does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, port, protocol } => {
                let protocol = match protocol {
                    Protocol::Tcp => "tcp",
                    Protocol::Udp => "udp",
                    Protocol::Sctp => "sctp",
                };
                write!(f, "[{address}]:{protocol}:{}", port.map_or(0, NonZeroU16::get))
            }
            Self::Fwmark { mark, family: Family::V4 } => write!(f, "FWM {mark}"),
            Self::Fwmark { mark, family: Family::V6 } => write!(f, "FWM {mark} IPv6"),
        }
    }
}

impl fmt::Display for DestinationKey {
    /// `[192.0.2.1]:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]:{}", self.address, self.port.map_or(0, NonZeroU16::get))
    }
}

impl fmt::Display for SyncRole {
    /// `master` or `backup`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "master",
            Self::Backup => "backup",
        })
    }
}

/// A map as a list of pairs: the keys of JSON's own maps are text.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K, V, S>(map: &BTreeMap<K, V>, to: S) -> Result<S::Ok, S::Error>
    where
        K: Serialize,
        V: Serialize,
        S: Serializer,
    {
        to.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(from: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Vec::<(K, V)>::deserialize(from).map(|pairs| pairs.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_crosses_as_json() {
        let address = [192, 0, 2, 1].into();
        let web = ServiceKey::Address { address, port: NonZeroU16::new(80), protocol: Protocol::Tcp };
        let mut table = Table::default();
        let destination = DestinationKey { address: [10, 0, 0, 1].into(), port: None };
        let server = Destination {
            weight: 3,
            forwarding: Forwarding::Nat,
            upper_threshold: NonZeroU32::new(5),
            lower_threshold: None,
        };
        table.apply(Change::SetDestination { service: web, destination, value: server });
        assert_eq!(table, Table::default(), "there is no such service");
        let value = Service {
            scheduler: Scheduler::Maglev,
            flags: SchedulerFlags::default(),
            one_packet: false,
            persistence: None,
            destinations: BTreeMap::new(),
        };
        table.apply(Change::SetService { service: web, value });
        table.apply(Change::SetDestination { service: web, destination, value: server });
        assert_eq!(table.services[&web].destinations, BTreeMap::from([(destination, server)]));
        let json = serde_json::to_string(&table).unwrap();
        assert_eq!(serde_json::from_str::<Table>(&json).unwrap(), table);
        table.apply(Change::RemoveDestination { service: web, destination });
        assert!(table.services[&web].destinations.is_empty());
        table.apply(Change::RemoveService { service: web });
        assert_eq!(table, Table::default());
        let mark = 7;
        let marked = ServiceKey::Fwmark { mark, family: Family::V6 };
        assert_eq!([web.to_string(), marked.to_string()], ["[192.0.2.1]:tcp:80", "FWM 7 IPv6"]);
        assert_eq!(destination.to_string(), "[10.0.0.1]:0");
    }
}
