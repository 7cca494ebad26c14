//! Addresses that the daemon puts on interfaces.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{IfName, Named, Prefix, Scope};

/// An address that a master holds (`virtual_ipaddress`, `virtual_ipaddress_excluded`), or that is always there
/// (`static_ipaddress`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VirtualAddress {
    /// Address and prefix length; /32 or /128 unless configured.
    pub prefix: Prefix,
    /// The interface that holds it; the instance's own unless `dev` says otherwise.
    pub device: IfName,
    /// `scope`; IPv4 only.
    pub scope: Named<Scope>,
    /// `brd`, `broadcast`.
    pub broadcast: Option<Ipv4Addr>,
    /// The label that old tools show (`eth0:1`).
    pub label: Option<String>,
    /// Whether advertisements list it.
    pub advertised: bool,
    /// The far end of a point-to-point link (`peer`), of the address's family.
    pub peer: Option<IpAddr>,
    /// What the kernel does with it.
    pub flags: Flags,
    /// How long the kernel prefers it as a source (`preferred_lft`); IPv6 only.
    pub preferred: Lifetime,
    /// Its loss is a fault of the instance (off: `no_track`).
    pub tracked: bool,
    /// `device` is a VMAC that is made for addresses alone (`use_vmac`, `use_vmac_addr`).
    pub use_vmac: bool,
}

/// Switches of one address, all off unless configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Flags {
    /// A mobile home address (`home`).
    pub home: bool,
    /// The kernel looks for duplicates of an IPv6 address before it uses it (`-nodad`). A virtual address would find
    /// the master before us.
    pub duplicate_detection: bool,
    /// The kernel makes temporary addresses from this one (`mngtmpaddr`).
    pub temporary_addresses: bool,
    /// The kernel adds no route to the prefix (`noprefixroute`).
    pub no_prefix_route: bool,
    /// The kernel joins this multicast group (`autojoin`).
    pub autojoin: bool,
}

impl Flags {
    /// All off.
    pub const NONE: Self = Self {
        home: false,
        duplicate_detection: false,
        temporary_addresses: false,
        no_prefix_route: false,
        autojoin: false,
    };
}

/// How long something stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Lifetime {
    /// Until it is removed.
    Forever,
    /// So long; whole seconds.
    For(Duration),
}

impl Lifetime {
    /// How long the kernel prefers an address unless configured. A single IPv6 address is there to be reached, not to be
    /// chosen as a source: it is deprecated at once.
    #[must_use]
    pub const fn preferred(prefix: Prefix) -> Self {
        match (prefix.address(), prefix.length()) {
            (IpAddr::V6(_), 128) => Self::For(Duration::ZERO),
            _ => Self::Forever,
        }
    }
}

impl VirtualAddress {
    /// `prefix` on `device`, advertised, with keepalived's defaults.
    #[must_use]
    pub const fn new(prefix: Prefix, device: IfName) -> Self {
        Self {
            prefix,
            device,
            scope: Named::Number(Scope::GLOBAL),
            broadcast: None,
            label: None,
            advertised: true,
            peer: None,
            flags: Flags::NONE,
            preferred: Lifetime::preferred(prefix),
            tracked: true,
            use_vmac: false,
        }
    }
}
