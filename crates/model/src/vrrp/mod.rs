//! The configuration of the VRRP worker: scripts and virtual routers.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

mod garp_group;
mod group;
mod statics;
mod tracked;

pub use garp_group::GarpGroup;
pub use group::SyncGroup;
pub use statics::{Static, Statics};
pub use tracked::{TrackGroup, TrackedFile, TrackedProcess};

pub use crate::address::VirtualAddress;
use crate::route::Route;
use crate::rule::Rule;
use crate::{Centis, IfName, Influence, Priority, Vrid, Weight};

/// What the vrrp worker is to run. Names are unique in each list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Check scripts that at least one instance tracks.
    pub scripts: Vec<Script>,
    /// Virtual routers.
    pub instances: Vec<Instance>,
    /// Sync groups.
    pub groups: Vec<SyncGroup>,
    /// Files whose content is tracked.
    pub files: Vec<TrackedFile>,
    /// Processes whose presence is tracked.
    pub processes: Vec<TrackedProcess>,
    /// Instances that follow static addresses, routes or rules.
    pub track_groups: Vec<TrackGroup>,
    /// What is there whoever is master.
    pub statics: Statics,
    /// Shared pacing of gratuitous messages.
    pub garp_groups: Vec<GarpGroup>,
}

/// A protocol version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Version {
    /// RFC 3768, with the authentication of RFC 2338.
    V2,
    /// RFC 5798 and RFC 9568.
    V3,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V2 => "2",
            Self::V3 => "3",
        })
    }
}

/// One virtual router as this host takes part in it (`vrrp_instance`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// The operator's name for it.
    pub name: String,
    /// Where advertisements are sent and heard, and where addresses without `dev` go.
    pub interface: IfName,
    /// Which virtual router it is.
    pub vrid: Vrid,
    /// The version it speaks; the other one is refused.
    pub version: Version,
    /// The configured priority, 1..=255.
    pub priority: Priority,
    /// What the operator expects this host to be at start (`state`). Only the election decides.
    pub initial: Initial,
    /// `advert_int`.
    pub advert_interval: Centis,
    /// How many missed intervals make a master dead (`down_timer_adverts`, 3 in the RFCs).
    pub down_timer_adverts: u8,
    /// VRRPv2 authentication.
    pub auth: Auth,
    /// Multicast or unicast.
    pub transport: Transport,
    /// The source of advertisements (`mcast_src_ip`, `unicast_src_ip`); the interface's first address if `None`.
    pub source: Option<IpAddr>,
    /// The addresses that a master holds, in file order, advertised ones first.
    pub addresses: Vec<VirtualAddress>,
    /// The routes that a master adds (`virtual_routes`).
    pub routes: Vec<Route>,
    /// The policy rules that a master adds (`virtual_rules`).
    pub rules: Vec<Rule>,
    /// When to take over from a master of lower priority.
    pub preempt: Preempt,
    /// Packets to the virtual addresses are accepted by a master that does not own them.
    pub accept: bool,
    /// The RFC to the letter, where the daemon is otherwise more helpful (`vrrp_strict`, `strict_mode`).
    pub strict: bool,
    /// A fault of `interface` is a fault of the instance (off: `dont_track_primary`).
    pub track_primary: bool,
    /// Other interfaces that matter.
    pub track_interfaces: Vec<TrackedInterface>,
    /// Scripts that matter.
    pub track_scripts: Vec<TrackedScript>,
    /// Gratuitous ARP.
    pub garp: Garp,
    /// A master does not answer an advertisement of lower priority (`lower_prio_no_advert`).
    pub lower_prio_no_advert: bool,
    /// A master speaks once more before it yields (`higher_prio_send_advert`).
    pub higher_prio_send_advert: bool,
    /// Unicast advertisements of hosts that are no peer are refused (`check_unicast_src`).
    pub check_unicast_src: bool,
    /// The address list is compared only when the master changes (`skip_check_adv_addr`).
    pub skip_check_adv_addr: bool,
    /// What to run at transitions.
    pub notify: Notify,
}

/// The state that the operator wrote into the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Initial {
    /// `state MASTER`.
    Master,
    /// `state BACKUP`, and the default.
    Backup,
}

/// VRRPv2 authentication (RFC 2338 §5.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Auth {
    /// None: the authentication data is zero.
    None,
    /// `auth_type PASS`.
    Pass(Password),
}

/// A clear-text password, zero-padded as it stands in the packet. It never prints.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(pub [u8; 8]);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// How advertisements travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transport {
    /// To a group, 224.0.0.18 unless configured.
    Multicast {
        /// The group.
        group: IpAddr,
    },
    /// To each peer.
    Unicast {
        /// The other routers, in file order.
        peers: Vec<IpAddr>,
    },
}

impl Transport {
    /// VRRP's own IPv4 group (RFC 9568 §5.1.1.2).
    pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
}

/// When a backup takes over from a living master of lower priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preempt {
    /// As soon as its master down timer allows.
    Always,
    /// After it has heard such a master for this long (`preempt_delay`).
    After(Duration),
    /// Never (`nopreempt`).
    Never,
}

/// An interface whose state acts on an instance (`track_interface`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedInterface {
    /// Which.
    pub interface: IfName,
    /// How.
    pub influence: Influence,
}

/// A script whose verdict acts on an instance (`track_script`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedScript {
    /// The name of a [`Script`] in the same [`Config`].
    pub script: String,
    /// How.
    pub influence: Influence,
}

/// Gratuitous ARP of a master (`garp_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Garp {
    /// From becoming master to the second burst; `None` is no second burst (`garp_master_delay`).
    pub delay: Option<Duration>,
    /// Messages per address in a burst, at least 1 (`garp_master_repeat`).
    pub repeat: u32,
    /// Between periodic refreshes (`garp_master_refresh`).
    pub refresh: Option<Duration>,
    /// Messages per address in a refresh, at least 1 (`garp_master_refresh_repeat`).
    pub refresh_repeat: u32,
    /// As `delay`, after a master of lower priority was heard (`garp_lower_prio_delay`).
    pub lower_prio_delay: Option<Duration>,
    /// As `repeat`, after a master of lower priority was heard; 0 is none (`garp_lower_prio_repeat`).
    pub lower_prio_repeat: u32,
    /// The least gap between two messages on one interface; zero is none (`vrrp_garp_interval`).
    pub interval: Duration,
}

impl Default for Garp {
    fn default() -> Self {
        Self {
            delay: Some(Duration::from_secs(5)),
            repeat: 5,
            refresh: None,
            refresh_repeat: 1,
            lower_prio_delay: Some(Duration::from_secs(5)),
            lower_prio_repeat: 5,
            interval: Duration::ZERO,
        }
    }
}

/// What to run at transitions (`notify_*`). `any` gets the arguments `INSTANCE name STATE priority` appended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// `notify_master`.
    pub master: Option<Command>,
    /// `notify_backup`.
    pub backup: Option<Command>,
    /// `notify_fault`.
    pub fault: Option<Command>,
    /// `notify_stop`.
    pub stop: Option<Command>,
    /// `notify_deleted`; without it a deleted instance reports FAULT.
    pub deleted: Option<Deleted>,
    /// `notify_master_rx_lower_pri`.
    pub master_rx_lower_priority: Option<Command>,
    /// `notify`.
    pub any: Option<Command>,
}

/// What `notify_deleted` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// Its optional command.
    pub command: Option<Command>,
}

/// A program with its arguments. No shell is involved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Whose rights it runs with.
    pub run_as: RunAs,
}

/// Whose rights a script runs with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RunAs {
    /// No user is configured: `keepalived_script` if there is such a user, else root.
    Default,
    /// A user by name, with the group given or the user's own.
    User {
        /// Its name.
        user: String,
        /// The group's name, if not the user's own.
        group: Option<String>,
    },
}

/// A check that runs periodically (`vrrp_script`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// Its name.
    pub name: String,
    /// What to run.
    pub command: Command,
    /// Between the starts of two runs.
    pub interval: Duration,
    /// After which a run is killed and counts as failed.
    pub timeout: Duration,
    /// Successes in a row that make it up, at least 1.
    pub rise: u32,
    /// Failures in a row that make it down, at least 1.
    pub fall: u32,
    /// The effect where a tracker does not say its own.
    pub influence: Influence,
    /// It counts as failed until it has succeeded (`init_fail`).
    pub init_fail: bool,
}

impl Instance {
    /// An instance with keepalived's defaults: VRRPv2, priority 100, one advertisement a second, no addresses.
    #[must_use]
    pub fn new(name: &str, interface: IfName, vrid: Vrid) -> Self {
        Self {
            name: name.to_owned(),
            interface,
            vrid,
            version: Version::V2,
            priority: Priority::DEFAULT,
            initial: Initial::Backup,
            advert_interval: Centis::SECOND,
            down_timer_adverts: 3,
            auth: Auth::None,
            transport: Transport::Multicast { group: IpAddr::V4(Transport::GROUP_V4) },
            source: None,
            addresses: Vec::new(),
            routes: Vec::new(),
            rules: Vec::new(),
            preempt: Preempt::Always,
            accept: true,
            strict: false,
            track_primary: true,
            track_interfaces: Vec::new(),
            track_scripts: Vec::new(),
            garp: Garp::default(),
            lower_prio_no_advert: false,
            higher_prio_send_advert: false,
            check_unicast_src: false,
            skip_check_adv_addr: false,
            notify: Notify::default(),
        }
    }
}

impl Script {
    /// A script with keepalived's defaults: every second, one success or failure decides, a failure is a fault.
    #[must_use]
    pub fn new(name: &str, command: Command) -> Self {
        let second = Duration::from_secs(1);
        Self {
            name: name.to_owned(),
            command,
            interval: second,
            timeout: second,
            rise: 1,
            fall: 1,
            influence: Influence { weight: Weight::FAULT, reverse: false },
            init_fail: false,
        }
    }
}
