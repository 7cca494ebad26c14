//! Services, destinations and daemons as the kernel puts them.

use std::collections::BTreeMap;
use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};

use model::Family;
use model::ipvs::{Destination, DestinationKey, Service};
use model::lvs::{
    Forwarding, Persistence, PersistenceMask, SchedulerFlags, Tunnel, TunnelChecksum, TunnelKind,
};

/// The number that the kernel has given to the family "IPVS" of generic netlink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilyId(pub u16);

/// What a service is, without its destinations. It holds whatever a kernel may say, unknown schedulers too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// The scheduler's name, as `ip_vs_NAME` is its module.
    pub scheduler: Box<str>,
    /// `IP_VS_SVC_F_*`.
    pub flags: u32,
    /// How long a client stays with its server, in seconds.
    pub timeout: u32,
    /// Which clients count as one: the mask of an IPv4 address as a number of which the first octet is the greatest part,
    /// or how many leading bits of an IPv6 address matter.
    pub mask: u32,
    /// The persistence engine.
    pub engine: Option<Box<str>>,
}

impl Settings {
    /// Clients stay with their servers.
    pub const PERSISTENT: u32 = 0x1;
    /// The kernel's own mark.
    pub const HASHED: u32 = 0x2;
    /// Each packet is scheduled for itself.
    pub const ONE_PACKET: u32 = 0x4;
    /// The scheduler's flags 1 to 3.
    pub const SCHEDULER: [u32; 3] = [0x8, 0x10, 0x20];

    /// How the kernel is told of `service`, whose clients are of `family`.
    #[must_use]
    pub fn of(service: &Service, family: Family) -> Self {
        let SchedulerFlags { first, second, third } = service.flags;
        let [one, two, three] = Self::SCHEDULER;
        let flags = [
            (service.persistence.is_some(), Self::PERSISTENT),
            (service.one_packet, Self::ONE_PACKET),
            (first, one),
            (second, two),
            (third, three),
        ];
        let flags = flags.into_iter().filter(|(is_set, _)| *is_set).fold(0, |all, (_, flag)| all | flag);
        let whole = whole_address(family);
        let (timeout, mask, engine) = match &service.persistence {
            None => (0, whole, None),
            Some(Persistence { timeout, mask, engine }) => {
                let mask = match (mask, family) {
                    (PersistenceMask::V4(mask), Family::V4) => mask.to_bits(),
                    (PersistenceMask::V6(length), Family::V6) => u32::from(length.get()),
                    // The mask of the other family says nothing here.
                    (PersistenceMask::V4(_), Family::V6) | (PersistenceMask::V6(_), Family::V4) => whole,
                };
                let seconds = timeout.as_secs() + u64::from(timeout.subsec_nanos() != 0);
                (u32::try_from(seconds).unwrap_or(u32::MAX), mask, engine.clone())
            }
        };
        Self { scheduler: service.scheduler.word().into(), flags, timeout, mask, engine }
    }

    /// Whether the kernel, which holds `self`, does as `wanted` says.
    #[must_use]
    pub fn does_as(&self, wanted: &Self) -> bool {
        let own_marks = !Self::HASHED;
        let same_choice =
            self.scheduler == wanted.scheduler && self.flags & own_marks == wanted.flags & own_marks;
        // Without persistence the rest has no meaning.
        same_choice
            && (wanted.flags & Self::PERSISTENT == 0
                || (self.timeout, self.mask, &self.engine) == (wanted.timeout, wanted.mask, &wanted.engine))
    }
}

/// The mask that tells all addresses apart.
pub(super) const fn whole_address(family: Family) -> u32 {
    match family {
        Family::V4 => u32::MAX,
        Family::V6 => 128,
    }
}

/// What a destination is. It holds whatever a kernel may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// `IP_VS_CONN_F_*`, as far as it is about forwarding: 0 NAT, 1 local, 2 tunnel, 3 direct, 4 bypass.
    pub method: u32,
    /// Its share of the traffic.
    pub weight: u32,
    /// No new connections beyond so many; 0 for no limit.
    pub upper_threshold: u32,
    /// New connections again below so many; 0 for the kernel's choice.
    pub lower_threshold: u32,
    /// `IP_VS_CONN_F_TUNNEL_TYPE_*`: 0 ipip, 1 gue, 2 gre.
    pub tunnel_type: u8,
    /// The UDP port of gue, else 0.
    pub tunnel_port: u16,
    /// `IP_VS_TUNNEL_ENCAP_FLAG_*`: 1 the outer header has a checksum, 2 the inner one is left to the other end.
    pub tunnel_flags: u16,
}

impl Target {
    /// Packets get the server's address as destination.
    pub const NAT: u32 = 0;
    /// In a tunnel.
    pub const TUNNEL: u32 = 2;
    /// To the server's link-layer address.
    pub const DIRECT: u32 = 3;

    /// How the kernel is told of `destination`.
    #[must_use]
    pub fn of(destination: &Destination) -> Self {
        let threshold = |limit: Option<NonZeroU32>| limit.map_or(0, NonZeroU32::get);
        let plain = Self {
            method: Self::NAT,
            weight: destination.weight,
            upper_threshold: threshold(destination.upper_threshold),
            lower_threshold: threshold(destination.lower_threshold),
            tunnel_type: 0,
            tunnel_port: 0,
            tunnel_flags: 0,
        };
        match destination.forwarding {
            Forwarding::Nat => plain,
            Forwarding::Direct => Self { method: Self::DIRECT, ..plain },
            Forwarding::Tunnel(Tunnel { kind, checksum }) => {
                let (tunnel_type, tunnel_port) = match kind {
                    TunnelKind::IpIp => (0, 0),
                    TunnelKind::Gue { port } => (1, port.get()),
                    TunnelKind::Gre => (2, 0),
                };
                let tunnel_flags = match checksum {
                    TunnelChecksum::None => 0,
                    TunnelChecksum::Outer => 1,
                    TunnelChecksum::Remote => 2,
                };
                Self { method: Self::TUNNEL, tunnel_type, tunnel_port, tunnel_flags, ..plain }
            }
        }
    }

    /// Whether the kernel, which holds `self`, does as `wanted` says.
    #[must_use]
    pub fn does_as(&self, wanted: &Self) -> bool {
        // What is left of a tunnel has no meaning without one.
        let tunnel = |target: &Self| match target.method {
            Self::TUNNEL => (target.tunnel_type, target.tunnel_port, target.tunnel_flags),
            _ => (0, 0, 0),
        };
        let shares = |target: &Self| (target.weight, target.upper_threshold, target.lower_threshold);
        self.method == wanted.method && shares(self) == shares(wanted) && tunnel(self) == tunnel(wanted)
    }
}

/// Traffic so far, and of late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Connections.
    pub connections: u64,
    /// Packets from clients.
    pub packets_in: u64,
    /// Packets to clients, where they come by.
    pub packets_out: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients, where they come by.
    pub bytes_out: u64,
    /// Connections a second.
    pub connection_rate: u64,
    /// Packets from clients, a second.
    pub packet_rate_in: u64,
    /// Packets to clients, a second.
    pub packet_rate_out: u64,
    /// Bytes from clients, a second.
    pub byte_rate_in: u64,
    /// Bytes to clients, a second.
    pub byte_rate_out: u64,
}

/// Connections of a destination at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Active ones.
    pub active: u32,
    /// Those that end, and those without a state.
    pub inactive: u32,
    /// Templates of persistence.
    pub persistent: u32,
}

/// A destination as the kernel has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldDestination {
    /// What it is.
    pub target: Target,
    /// Its connections when it was last listed.
    pub connections: Connections,
    /// Its traffic when it was last listed.
    pub statistics: Statistics,
}

/// A service as the kernel has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldService {
    /// What it is.
    pub settings: Settings,
    /// Its traffic when it was last listed.
    pub statistics: Statistics,
    /// Its destinations, if these have been listed or are ours.
    pub destinations: BTreeMap<DestinationKey, HeldDestination>,
}

/// Timeouts of connections, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// Of TCP.
    pub tcp: Option<u32>,
    /// Of TCP connections that are being closed.
    pub tcp_fin: Option<u32>,
    /// Of UDP.
    pub udp: Option<u32>,
}

impl From<model::IpvsTimeouts> for Timeouts {
    fn from(timeouts: model::IpvsTimeouts) -> Self {
        let seconds = |timeout: Option<std::time::Duration>| {
            timeout.map(|timeout| u32::try_from(timeout.as_secs()).unwrap_or(u32::MAX))
        };
        Self { tcp: seconds(timeouts.tcp), tcp_fin: seconds(timeouts.tcp_fin), udp: seconds(timeouts.udp) }
    }
}

impl Timeouts {
    /// Whether the kernel, which holds `self`, does as `wanted` says.
    #[must_use]
    pub fn does_as(&self, wanted: &Self) -> bool {
        let is_so = |held: Option<u32>, wanted: Option<u32>| wanted.is_none() || held == wanted;
        is_so(self.tcp, wanted.tcp) && is_so(self.tcp_fin, wanted.tcp_fin) && is_so(self.udp, wanted.udp)
    }
}

/// What the kernel says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// `IP_VS_VERSION_CODE`: a byte each for major, minor and patch.
    pub version: u32,
    /// How many buckets the table of connections has.
    pub connection_table: u32,
}

impl fmt::Display for Kernel {
    /// `1.2.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [_, major, minor, patch] = self.version.to_be_bytes();
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// The port as it stands in a key, 0 for none.
pub(super) fn port_of(port: Option<NonZeroU16>) -> u16 {
    port.map_or(0, NonZeroU16::get)
}
