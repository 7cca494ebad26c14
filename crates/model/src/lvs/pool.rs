//! Virtual servers and the servers behind them.

use std::net::{IpAddr, Ipv4Addr};
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Checker, Service};
use crate::vrrp::Command;

/// One IPVS service, or the services of one group, and its pool (`virtual_server`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualServer {
    /// What traffic it takes.
    pub service: Service,
    /// How a server is chosen (`lvs_sched`).
    pub scheduler: Scheduler,
    /// `flag-1` to `flag-3` and their names.
    pub flags: SchedulerFlags,
    /// Each packet is scheduled for itself (`ops`).
    pub one_packet: bool,
    /// A client stays with its server (`persistence_timeout`).
    pub persistence: Option<Persistence>,
    /// When the service counts as up.
    pub quorum: Quorum,
    /// Where traffic goes while quorum is lost (`sorry_server`).
    pub sorry_server: Option<Box<SorryServer>>,
    /// Checks pause while the host does not hold the service's address (`ha_suspend`).
    pub ha_suspend: bool,
    /// Quorum counts as lost until enough checks have passed (`alpha`).
    pub alpha: bool,
    /// Down notifications run at shutdown (`omega`).
    pub omega: bool,
    /// Changes of quorum are mailed (`smtp_alert`).
    pub smtp_alert: bool,
    /// A label for SNMP (`snmp_name`).
    pub snmp_name: Option<Box<str>>,
    /// How many virtual servers of the same group stand before it: that is part of what logs call it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nth_of_group: u32,
    /// What its real servers have unless they say otherwise: how packets reach them (`lvs_method`).
    pub forwarding: Forwarding,
    /// The same: a failed server gets weight 0 and stays (`inhibit_on_failure`).
    pub inhibit_on_failure: bool,
    /// The same: how their checkers keep time.
    pub pace: Pace,
    /// The pool, in file order, without duplicates.
    pub real_servers: Vec<RealServer>,
}

const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How checkers keep time that do not say so themselves. They have it themselves too: this is for those who look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pace {
    /// From one check to the next (`delay_loop`).
    pub interval: Duration,
    /// For a connection and each answer (`connect_timeout`).
    pub connect_timeout: Duration,
    /// How often a failure is tried again (`retry`); what is usual for each kind of checker if `None`.
    pub retry: Option<u32>,
    /// After what time (`delay_before_retry`); what is usual for each kind of checker if `None`.
    pub delay_before_retry: Option<Duration>,
    /// The first check comes within this time (`warmup`); within `interval` if `None`.
    pub warmup: Option<Duration>,
    /// A server counts as down until its check passes (`alpha`).
    pub alpha: bool,
}

/// How a server is chosen (`lvs_sched`, `lb_algo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scheduler {
    /// `rr`: in turn.
    RoundRobin,
    /// `wrr`: in turn, by weight.
    WeightedRoundRobin,
    /// `lc`: the fewest connections.
    LeastConnection,
    /// `wlc`: the fewest connections for its weight.
    WeightedLeastConnection,
    /// `lblc`: by destination, unless overloaded.
    LocalityLeastConnection,
    /// `lblcr`: by destination, to one of a set.
    LocalityReplicated,
    /// `sh`: by a hash of the source.
    SourceHash,
    /// `dh`: by a hash of the destination.
    DestinationHash,
    /// `mh`: by a consistent hash of the source.
    Maglev,
    /// `fo`: the greatest weight that is alive.
    WeightedFailover,
    /// `ovf`: the greatest weight, until it is full.
    WeightedOverflow,
    /// `sed`: the shortest expected delay.
    ShortestExpectedDelay,
    /// `nq`: an idle server, else the shortest expected delay.
    NeverQueue,
    /// `twos`: the better of two that are drawn.
    TwoChoices,
}

impl Scheduler {
    /// The word for it, in the configuration and in the kernel.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RoundRobin => "rr",
            Self::WeightedRoundRobin => "wrr",
            Self::LeastConnection => "lc",
            Self::WeightedLeastConnection => "wlc",
            Self::LocalityLeastConnection => "lblc",
            Self::LocalityReplicated => "lblcr",
            Self::SourceHash => "sh",
            Self::DestinationHash => "dh",
            Self::Maglev => "mh",
            Self::WeightedFailover => "fo",
            Self::WeightedOverflow => "ovf",
            Self::ShortestExpectedDelay => "sed",
            Self::NeverQueue => "nq",
            Self::TwoChoices => "twos",
        }
    }
}

/// Flags whose meaning is the scheduler's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SchedulerFlags {
    /// `flag-1`; `sh-fallback` and `mh-fallback`: an unusable server's traffic goes to another.
    pub first: bool,
    /// `flag-2`; `sh-port` and `mh-port`: the port is hashed too.
    pub second: bool,
    /// `flag-3`.
    pub third: bool,
}

/// How packets reach a real server (`lvs_method`, `lb_kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Forwarding {
    /// `NAT`: with the server's address as destination.
    Nat,
    /// `DR`: to the server's link-layer address.
    Direct,
    /// `TUN`: in a tunnel.
    Tunnel(Tunnel),
}

/// A tunnel to a real server (`TUN`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tunnel {
    /// The encapsulation.
    pub kind: TunnelKind,
    /// What the outer header protects.
    pub checksum: TunnelChecksum,
}

/// The encapsulation of a tunnel (`type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TunnelKind {
    /// `ipip`, and the default.
    IpIp,
    /// `gue`: over UDP.
    Gue {
        /// The UDP port.
        port: NonZeroU16,
    },
    /// `gre`.
    Gre,
}

/// What the outer header of a tunnel protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TunnelChecksum {
    /// `nocsum`, and the default.
    None,
    /// `csum`.
    Outer,
    /// `remcsum`: the inner checksum is left to the other end.
    Remote,
}

/// How a client stays with its server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Persistence {
    /// For how long after its last connection (`persistence_timeout`).
    pub timeout: Duration,
    /// Which clients count as one (`persistence_granularity`).
    pub mask: PersistenceMask,
    /// What tells clients apart, if not their addresses (`persistence_engine`).
    pub engine: Option<Box<str>>,
}

/// Which clients count as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PersistenceMask {
    /// The bits of an IPv4 address that matter.
    V4(Ipv4Addr),
    /// How many leading bits of an IPv6 address matter.
    V6(NonZeroU8),
}

/// When a service counts as up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quorum {
    /// The weight of live servers that it needs (`quorum`), at most the sum of all weights: 0 if no server has any.
    pub weight: u32,
    /// It is gained at `weight + hysteresis` and lost below `weight - hysteresis`. Less than `weight`, or 0.
    pub hysteresis: u32,
    /// Runs when it is gained (`quorum_up`).
    pub up: Option<Box<Command>>,
    /// Runs when it is lost (`quorum_down`).
    pub down: Option<Box<Command>>,
}

/// Where traffic goes while quorum is lost (`sorry_server`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SorryServer {
    /// Its address.
    pub address: IpAddr,
    /// Its port; the one that the client asked for if `None`.
    pub port: Option<NonZeroU16>,
    /// How packets reach it (`sorry_server_lvs_method`).
    pub forwarding: Forwarding,
    /// It stays in the table with weight 0 while it is not needed (`sorry_server_inhibit`).
    pub inhibit: bool,
}

/// One server of a pool (`real_server`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RealServer {
    /// Its address.
    pub address: IpAddr,
    /// Its port; the one that the client asked for if `None`.
    pub port: Option<NonZeroU16>,
    /// Its share of the traffic (`weight`), up to 2147483647.
    pub weight: u32,
    /// How packets reach it (`lvs_method`).
    pub forwarding: Forwarding,
    /// No new connections beyond so many (`uthreshold`).
    pub upper_threshold: Option<NonZeroU32>,
    /// New connections again below so many (`lthreshold`).
    pub lower_threshold: Option<NonZeroU32>,
    /// A failed server gets weight 0 and stays (`inhibit_on_failure`).
    pub inhibit_on_failure: bool,
    /// Changes of its state are mailed (`smtp_alert`).
    pub smtp_alert: bool,
    /// Runs when it comes up (`notify_up`).
    pub notify_up: Option<Box<Command>>,
    /// Runs when it goes down (`notify_down`).
    pub notify_down: Option<Box<Command>>,
    /// The `Host` of HTTP requests that do not name one (`virtualhost`); the address if `None`.
    pub virtualhost: Option<Arc<str>>,
    /// A label for SNMP (`snmp_name`).
    pub snmp_name: Option<Box<str>>,
    /// When a reload removes it, it stays so long with weight 0, so that connections can end (`steadfast { drain }`).
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub drain: Duration,
    /// For so long after it has come up its weight grows to what it should be (`steadfast { slow_start }`).
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub slow_start: Duration,
    /// How its checkers keep time, if not as the virtual server says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<Box<Pace>>,
    /// All must pass. Without any the server is up.
    pub checkers: Vec<Checker>,
}
