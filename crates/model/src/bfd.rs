//! BFD sessions (RFC 5880, 5881, 5883).

use std::net::IpAddr;
use std::num::NonZeroU8;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Influence;

/// A session with one neighbour (`bfd_instance`). No two have the same neighbour and source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its name, at most 31 bytes.
    pub name: String,
    /// The neighbour (`neighbor_ip`).
    pub neighbor: IpAddr,
    /// The own address, of the same family; the kernel's choice if `None` (`source_ip`).
    pub source: Option<IpAddr>,
    /// The least interval between packets that this host can take (`min_rx`).
    pub min_rx: Duration,
    /// The interval at which this host would like to send (`min_tx`).
    pub min_tx: Duration,
    /// The interval at which it sends while the session is down (`idle_tx`).
    pub idle_tx: Duration,
    /// How many lost packets bring the session down (`multiplier`).
    pub multiplier: NonZeroU8,
    /// The neighbour speaks first (`passive`).
    pub passive: bool,
    /// The TTL or hop limit of what is sent (`ttl`).
    pub ttl: NonZeroU8,
    /// By how much the TTL of what is received may have fallen below 255; it is not looked at if `None` (`max_hops`).
    pub max_hops: Option<u8>,
    /// On the port for several hops, 4784 (`multihop`).
    pub multihop: bool,
    /// The effect where a tracker does not say its own (`weight`).
    pub influence: Influence,
    /// Virtual routers may track it (off with `checker` alone).
    pub for_vrrp: bool,
    /// Real servers may be checked with it (off with `vrrp` alone).
    pub for_checker: bool,
}

impl Session {
    /// What `min_rx` and `min_tx` are unless configured.
    pub const INTERVAL: Duration = Duration::from_millis(10);
    /// What `idle_tx` is unless configured.
    pub const IDLE_INTERVAL: Duration = Duration::from_secs(1);
    /// What `multiplier` is unless configured.
    pub const MULTIPLIER: u8 = 5;
}
