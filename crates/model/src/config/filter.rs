//! How packets are filtered and marked.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// How packets are filtered and marked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// The table that drops packets to virtual addresses and keeps VMACs quiet, made when it is needed (`nftables`).
    pub nftables: Nftables,
    /// iptables instead, which counts only where `nftables` is not said (`vrrp_iptables`).
    pub iptables: Option<Iptables>,
    /// Marks that gather the addresses of a virtual server group (`nftables_ipvs`).
    pub marks: Option<IpvsMarks>,
}

/// The nftables table of the virtual routers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nftables {
    /// Its name.
    pub table: String,
    /// It is asked for even if no instance needs it (`nftables`).
    pub always: bool,
    /// The priority of its chains (`nftables_priority`).
    pub priority: i32,
    /// Sets know interfaces by number and not by name (`nftables_ifindex`).
    pub by_index: bool,
    /// Rules count packets (`nftables_counters`).
    pub counters: bool,
}

impl Nftables {
    /// The table's name unless configured.
    pub const TABLE: &str = "keepalived";
    /// The priority of chains unless configured.
    pub const PRIORITY: i32 = -1;
}

impl Default for Nftables {
    fn default() -> Self {
        let table = Self::TABLE.to_owned();
        Self { table, always: false, priority: Self::PRIORITY, by_index: false, counters: false }
    }
}

/// Chains and sets of iptables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Iptables {
    /// The chain of arriving packets.
    pub input: String,
    /// The chain of leaving packets.
    pub output: String,
    /// Sets of addresses, without which each address has a rule (`vrrp_ipsets`).
    pub sets: Option<IpSets>,
}

/// The names of ipsets (`vrrp_ipsets`), at most 31 bytes each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpSets {
    /// IPv4 addresses.
    pub v4: String,
    /// IPv6 addresses.
    pub v6: String,
    /// Link-local IPv6 addresses with their interfaces.
    pub v6_interface: String,
    /// Interfaces that must not send IGMP.
    pub igmp: String,
    /// Interfaces that must not send MLD.
    pub mld: String,
    /// Interfaces that must not do neighbour discovery.
    pub nd: String,
}

/// Marks for virtual server groups, set by nftables (`nftables_ipvs`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpvsMarks {
    /// The name of the table.
    pub table: String,
    /// The priority of its chains (`nftables_ipvs_priority`).
    pub priority: i32,
    /// The first mark handed out (`nftables_ipvs_start_fwmark`).
    pub first: NonZeroU32,
}

impl IpvsMarks {
    /// The table's name unless configured.
    pub const TABLE: &str = "keepalived_ipvs";
    /// The first mark unless configured.
    pub const FIRST: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);
}
