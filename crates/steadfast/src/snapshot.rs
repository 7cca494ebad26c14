//! What the worker tells of itself for the dumps, piece by piece, so that telling it never holds up its loop.

use std::net::IpAddr;
use std::time::Duration;

use model::{Centis, IfIndex, IfName, Instant, MacAddr};
use serde::{Deserialize, Serialize};

use crate::message::State;

/// A part of what there is to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Piece {
    /// A virtual router.
    Instance(Box<Instance>),
    /// A check script.
    Script(Script),
    /// The number in a tracked file.
    File {
        /// Its name in the configuration.
        name: String,
        /// The number.
        value: i32,
    },
    /// Tracked processes.
    Processes(Processes),
    /// A network interface.
    Link(Link),
    /// A socket for advertisements.
    Socket(Socket),
    /// This was all.
    End,
}

/// A virtual router at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instance {
    /// Its name.
    pub(crate) name: String,
    /// Its state.
    pub(crate) state: State,
    /// Its effective priority.
    pub(crate) priority: u8,
    /// The sum that the priority would be without bounds.
    pub(crate) total_priority: i32,
    /// The master that it follows.
    pub(crate) master: Option<Master>,
    /// When it entered its state.
    pub(crate) since: Option<Instant>,
    /// When it acts next.
    pub(crate) deadline: Option<Instant>,
    /// How long a master may be silent.
    pub(crate) down_interval: Duration,
    /// The address that it sends from.
    pub(crate) source: Option<IpAddr>,
    /// How many things are at fault with it.
    pub(crate) faults: usize,
    /// Something vital has not been looked at yet.
    pub(crate) is_pending: bool,
    /// Which of its addresses, by their places in the file, the kernel holds for it.
    pub(crate) held: Vec<bool>,
    /// What it has counted.
    pub(crate) counters: Counters,
}

/// The last advertisement of a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Master {
    /// Who.
    pub(crate) address: IpAddr,
    /// Its priority.
    pub(crate) priority: u8,
    /// Its interval.
    pub(crate) interval: Centis,
}

/// What a virtual router has counted, in the kinds that keepalived has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) became_master: u64,
    pub(crate) released: u64,
    pub(crate) bad_length: u64,
    pub(crate) bad_ttl: u64,
    pub(crate) bad_type: u64,
    pub(crate) bad_interval: u64,
    pub(crate) bad_addresses: u64,
    pub(crate) bad_auth_type: u64,
    pub(crate) other_auth_type: u64,
    pub(crate) auth_failure: u64,
    pub(crate) release_received: u64,
    pub(crate) release_sent: u64,
}

/// A check script at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Script {
    pub(crate) name: String,
    /// Whether its service works; none if it has not said so yet.
    pub(crate) is_up: Option<bool>,
    /// Results in a row that contradict this.
    pub(crate) against: u32,
    pub(crate) is_running: bool,
}

/// Tracked processes at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Processes {
    pub(crate) name: String,
    pub(crate) count: u32,
    /// There are as many as must be.
    pub(crate) is_up: bool,
    /// When a count that says otherwise will count.
    pub(crate) turns_at: Option<Instant>,
}

/// A network interface at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) name: IfName,
    pub(crate) index: IfIndex,
    pub(crate) is_up: bool,
    pub(crate) is_running: bool,
    pub(crate) is_loopback: bool,
    pub(crate) has_multicast: bool,
    pub(crate) mac: Option<MacAddr>,
    pub(crate) mtu: u32,
    /// The address that virtual routers over IPv4 speak from.
    pub(crate) v4: Option<IpAddr>,
    /// The same over IPv6: an address of the link.
    pub(crate) v6: Option<IpAddr>,
}

/// A socket for advertisements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Socket {
    /// The link that it is bound to; none if it is for all.
    pub(crate) link: Option<IfIndex>,
    /// It is for IPv6.
    pub(crate) is_v6: bool,
    /// It hears what is inside IP authentication headers.
    pub(crate) is_protected: bool,
    /// The descriptor that it hears by.
    pub(crate) hears: i32,
    /// The descriptor that it speaks by.
    pub(crate) speaks: i32,
}
