//! What an instance is, for displays and tests.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use model::{Centis, IfIndex, Instant, Priority};
use wire::vrrp::{Advert, Auth, Malformed};

use crate::instance::{Reason, Reject};

/// The name of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateName {
    /// Not started: a script has no verdict yet.
    Init,
    /// Cannot work.
    Fault,
    /// Stands by.
    Backup,
    /// Holds the addresses.
    Master,
}

impl fmt::Display for StateName {
    /// As logs and notify scripts spell it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "INIT",
            Self::Fault => "FAULT",
            Self::Backup => "BACKUP",
            Self::Master => "MASTER",
        })
    }
}

/// An instance at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// Its sync group, whose state is its own.
    pub group: Option<String>,
    /// Its state.
    pub state: StateName,
    /// Its effective priority.
    pub priority: Priority,
    /// The sum that the effective priority would be if it had no bounds.
    pub total_priority: i32,
    /// Who is master as far as it knows, if somebody else.
    pub master: Option<IpAddr>,
    /// What that master said last.
    pub heard: Option<MasterHeard>,
    /// When it entered its state; none if it has been in no other.
    pub since: Option<Instant>,
    /// When it acts next if nothing happens, and why.
    pub deadline: Option<(Instant, Reason)>,
    /// How long a master may be silent before it counts as dead.
    pub down_interval: Duration,
    /// The interface it uses.
    pub link: Option<IfIndex>,
    /// The address that it sends from.
    pub source: Option<IpAddr>,
    /// How many things are at fault with it.
    pub faults: usize,
    /// Something vital has not been looked at yet.
    pub is_pending: bool,
    /// What it has counted.
    pub counters: Counters,
}

/// The last advertisement of a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MasterHeard {
    /// Its priority; 0 if it said that it stops.
    pub priority: Priority,
    /// Its interval.
    pub interval: Centis,
}

/// A check script at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptStatus {
    /// Its name.
    pub name: String,
    /// Whether its service works; none if it has not said so yet.
    pub is_up: Option<bool>,
    /// Results in a row that contradict this.
    pub against: u32,
    /// A run has been asked for and has not ended.
    pub is_running: bool,
    /// It could not be run.
    pub is_not_run: bool,
}

/// Tracked processes at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessStatus {
    /// Their name.
    pub name: String,
    /// How many run.
    pub count: u32,
    /// There are as many as must be.
    pub is_up: bool,
    /// When a count that says otherwise will count.
    pub turns_at: Option<Instant>,
}

/// A sync group at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStatus {
    /// Its name.
    pub name: String,
    /// The state that all its members are in.
    pub state: StateName,
    /// Their names, in the order of the file.
    pub members: Vec<String>,
}

/// Counts since the instance was created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Advertisements that passed every check.
    pub received: u64,
    /// Advertisements sent.
    pub sent: u64,
    /// Priority 0 received.
    pub release_received: u64,
    /// Priority 0 sent.
    pub release_sent: u64,
    /// Times it became master.
    pub became_master: u64,
    /// Times it ceased to be master.
    pub released: u64,
    /// Accepted although the interval is not ours.
    pub interval_differs: u64,
    /// Accepted although the addresses are not ours.
    pub addresses_differ: u64,
    /// Refused as longer or shorter than it says that it is.
    pub bad_length: u64,
    /// Refused as a message of a type that is not known.
    pub bad_type: u64,
    /// Refused, as authenticated in a way that is not known: part of those refused for [`Reject::AuthType`].
    pub bad_auth_type: u64,
    rejected: [u64; Reject::COUNT],
}

impl Counters {
    /// How many advertisements were refused for this reason.
    #[must_use]
    pub fn rejected(&self, reason: Reject) -> u64 {
        self.rejected.get(reason.ordinal()).copied().unwrap_or(0)
    }

    /// A packet that says that it is for this instance, but is no advertisement.
    pub(crate) fn malformed(&mut self, why: Malformed) {
        self.reject(Reject::Malformed);
        match why {
            Malformed::Truncated | Malformed::Length => self.bad_length += 1,
            Malformed::Type(_) => self.bad_type += 1,
            Malformed::Version(_)
            | Malformed::Checksum
            | Malformed::Header
            | Malformed::Vrid
            | Malformed::Interval => {}
        }
    }

    /// An advertisement that is not accepted.
    pub(crate) fn refuse(&mut self, reason: Reject, advert: Advert<'_>) {
        self.reject(reason);
        if reason == Reject::AuthType && matches!(advert.auth, Auth::Other(FIRST_UNKNOWN..)) {
            self.bad_auth_type += 1;
        }
    }

    fn reject(&mut self, reason: Reject) {
        if let Some(count) = self.rejected.get_mut(reason.ordinal()) {
            *count += 1;
        }
    }
}

/// The least type of authentication that no RFC has (RFC 2338 §5.3.6).
const FIRST_UNKNOWN: u8 = 3;
