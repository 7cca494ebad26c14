//! How advertisements travel.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// How advertisements travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transport {
    /// To a group, 224.0.0.18 or ff02::12 unless configured.
    Multicast {
        /// The group (`mcast_dst_ip`, `vrrp_mcast_group4`, `vrrp_mcast_group6`).
        group: IpAddr,
    },
    /// To each peer.
    Unicast {
        /// The other routers, in file order (`unicast_peer`). Without any the instance is at fault (`unicast_fault_no_peer`).
        peers: Vec<Peer>,
        /// The TTL or hop limit of advertisements (`unicast_ttl`); the kernel's own if `None`, which only IPv6 may have.
        ttl: Option<u8>,
        /// `old_unicast_checksum`.
        checksum: OldChecksum,
        /// The group that the old checksum has in place of the peer (`vrrp_mcast_group4`).
        old_group: Ipv4Addr,
    },
}

/// Another router that is spoken to by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// Its advertisements arrive with this TTL at least (`min_ttl`).
    pub min_ttl: u8,
    /// Its advertisements arrive with this TTL at most (`max_ttl`).
    pub max_ttl: u8,
}

impl From<IpAddr> for Peer {
    /// A peer at any distance.
    fn from(address: IpAddr) -> Self {
        Self { address, min_ttl: 0, max_ttl: u8::MAX }
    }
}

/// The checksum that keepalived before 1.3.7 put into version 3 unicast advertisements (`old_unicast_checksum`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OldChecksum {
    /// Used as soon as a peer is heard that uses it.
    #[default]
    Detect,
    /// Used (bare).
    Always,
    /// Neither used nor believed (`never`).
    Never,
}

impl Transport {
    /// VRRP's own IPv4 group (RFC 9568 §5.1.1.2).
    pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
    /// VRRP's own IPv6 group (RFC 9568 §5.1.2.2).
    pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

    /// To these peers, with what holds unless more is configured.
    #[must_use]
    pub fn unicast(peers: impl IntoIterator<Item = IpAddr>) -> Self {
        let peers = peers.into_iter().map(Peer::from).collect();
        Self::Unicast { peers, ttl: Some(u8::MAX), checksum: OldChecksum::Detect, old_group: Self::GROUP_V4 }
    }
}
