//! What reaches the machine.

use std::net::{IpAddr, Ipv4Addr};

use model::vrrp::Version;
use model::{Family, IfIndex, IfName, Instant, MacAddr, Priority, Sources, Vrid};
use wire::vrrp::{Advert, Malformed};
use wire::{ah, ipv4};

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A VRRP packet arrived. `now` is the time at which the kernel received it.
    Advert(Arrival<'a>),
    /// What the kernel says of an interface; `None` if there is none of that name.
    Link {
        /// Its name.
        name: &'a IfName,
        /// Its state.
        link: Option<Link>,
    },
    /// An address has come or gone. Those of a link that is no more are gone with it, which is not told.
    Address {
        /// The link.
        link: IfIndex,
        /// The address.
        address: IpAddr,
        /// It is there now.
        there: bool,
    },
    /// Whether a socket that [`crate::Router::endpoints`] names could be opened. Taken to be open
    /// unless said otherwise; forgotten when no interface has that number any more.
    Socket {
        /// Which.
        port: Port,
        /// It is open.
        open: bool,
    },
    /// Another host on the link answers for an address.
    Claim {
        /// The interface.
        device: &'a IfName,
        /// The address.
        address: IpAddr,
        /// The host's hardware address.
        mac: MacAddr,
    },
    /// The kernel holds an address that it could not hold before: its interface has appeared, or the address was
    /// put back on it. What was announced until now reached nobody.
    Held {
        /// The interface.
        device: &'a IfName,
        /// The address.
        address: IpAddr,
    },
    /// A run of a check script has ended.
    Script {
        /// The script's name.
        name: &'a str,
        /// The number that [`crate::Action::RunScript`] gave to the run.
        run: u64,
        /// How it ended.
        outcome: ScriptOutcome,
    },
    /// The number in a tracked file, or that there is none. Taken to be 0 unless said otherwise.
    File {
        /// The file's name in the configuration.
        name: &'a str,
        /// The number; 0 if there is no file, or no number in it.
        value: i32,
    },
    /// How many processes there are of a `vrrp_track_process`.
    Processes {
        /// Its name.
        name: &'a str,
        /// How many.
        count: u32,
    },
    /// A BFD session has come up or gone down. Taken to be down unless said otherwise.
    Bfd {
        /// The name of its `bfd_instance`.
        session: &'a str,
        /// It is up.
        up: bool,
    },
    /// The time is now past [`crate::Router::deadline`], or may be.
    Deadline,
}

/// A VRRP packet as it came out of its IP packet.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The interface whose socket received it; `None` if it was that of no interface.
    pub link: Option<IfIndex>,
    /// The IP source.
    pub source: IpAddr,
    /// The IP destination.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// The parsed message, or why it is none.
    pub advert: Result<Advert<'a>, Malformed>,
    /// The bytes of the message, to be read once more if its checksum is right in another way, and for whom a malformed
    /// one was. Empty if an authentication header stands before it.
    pub message: &'a [u8],
}

impl<'a> Arrival<'a> {
    /// Reads what a sender's [`crate::Outgoing::emit`] has written: over IPv4 a packet, over IPv6 a message that came
    /// with this hop limit. `None` if it is no packet, or none of VRRP's.
    #[must_use]
    pub fn read(
        link: Option<IfIndex>,
        (source, destination): (IpAddr, IpAddr),
        ttl: u8,
        bytes: &'a [u8],
    ) -> Option<Self> {
        match source {
            IpAddr::V4(_) => Self::of_ipv4(link, bytes),
            IpAddr::V6(_) => {
                let advert = wire::vrrp::parse(bytes, source, destination);
                Some(Self { link, source, destination, ttl, advert, message: bytes })
            }
        }
    }

    /// The message, if its checksum is that of keepalived before 1.3.7, in which `group` stands for the peer.
    pub(crate) fn with_old_checksum(&self, group: Ipv4Addr) -> Option<Advert<'a>> {
        let is_candidate =
            self.source.is_ipv4() && self.advert.is_err_and(|error| error == Malformed::Checksum);
        let read = is_candidate.then(|| wire::vrrp::parse(self.message, self.source, group.into()))?;
        read.ok().filter(|advert| advert.version == Version::V3)
    }

    /// The virtual router that a message speaks of, although something is wrong with it. None if not even its header is
    /// whole.
    pub(crate) fn alleged_vrid(&self) -> Option<Vrid> {
        let (header, _) = self.message.split_first_chunk::<{ wire::vrrp::HEADER_BYTES }>()?;
        Vrid::try_from(header[1]).ok()
    }

    /// Reads an IPv4 packet that came in on `link`. `None` if it is none, or none of VRRP's.
    #[must_use]
    pub fn of_ipv4(link: Option<IfIndex>, packet: &'a [u8]) -> Option<Self> {
        let (header, payload) = ipv4::parse(packet).ok()?;
        let (source, destination) = (header.source.into(), header.destination.into());
        let (advert, message) = match header.protocol {
            wire::vrrp::PROTOCOL => (wire::vrrp::parse(payload, source, destination), payload),
            // The authentication header stands before the message.
            ah::PROTOCOL => (ah::parse(packet)?, &[][..]),
            _ => return None,
        };
        Some(Self { link, source, destination, ttl: header.ttl, advert, message })
    }
}

/// An interface as far as VRRP cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub index: IfIndex,
    /// Administratively up and with a carrier.
    pub up: bool,
    /// Its first own address of each family: one that is not a virtual address of ours.
    pub sources: Sources,
}

/// A socket for advertisements: its interface, and its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// The interface; `None` for packets that go where the kernel routes them.
    pub link: Option<IfIndex>,
    /// The family.
    pub family: Family,
}

/// How a run of a check script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptOutcome {
    /// With this exit status; 0 is success.
    Exited(i32),
    /// By this signal.
    Killed(i32),
    /// It outlived its time-out and was killed.
    TimedOut,
    /// It could not be run (not found, not executable, insecure). It says nothing about the service.
    NotRun,
}

/// What an instance was when the worker before this one died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The instance's name.
    pub instance: String,
    /// It was master.
    pub master: bool,
    /// The effective priority that it had.
    pub priority: Priority,
    /// The last moment at which that was so.
    pub at: Instant,
}
