//! What can happen to a cluster.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::vrrp::Config;
use model::{IfName, Prefix};
use netlink::Errno;
use vrrp::ScriptOutcome;

use crate::{HostId, LanId, Quality};

/// One thing that happens. [`Cluster::describe`](crate::Cluster::describe) puts it into words.
#[derive(Clone, Debug)]
pub enum Act {
    /// The daemon starts, on a host that is powered up if it was not.
    Start(HostId),
    /// The daemon stops, orderly.
    Stop(HostId),
    /// The daemon stops and starts again.
    Restart(HostId),
    /// The power fails: no last word, and the host's addresses are gone.
    Crash(HostId),
    /// The worker dies; the supervisor starts another one.
    KillWorker(HostId),
    /// The daemon dies whole, and the kernel keeps its addresses.
    KillDaemon(HostId),
    /// The daemon reads another configuration, which has this name.
    Reload(HostId, Arc<Config>, Arc<str>),
    /// The daemon reads the same configuration again.
    ReloadSame(HostId),
    /// The host does nothing for a while.
    Stall(HostId, Duration),
    /// The wall clock is set forward (`true`) or back.
    StepClock(HostId, bool, Duration),
    /// A cable is put in (`true`) or pulled.
    Cable(HostId, IfName, bool),
    /// An interface is there (`true`) or removed.
    Interface(HostId, IfName, bool),
    /// From now on a check script ends like this.
    Script(HostId, String, ScriptOutcome),
    /// From now on a tracked file holds this number.
    File(HostId, String, i32),
    /// From now on so many of the tracked processes run.
    Processes(HostId, String, u32),
    /// A tracked BFD session is up (`true`) or down.
    Session(HostId, String, bool),
    /// Packets of the first host do not reach the second one.
    Cut(LanId, HostId, HostId),
    /// All cuts of a LAN end.
    Heal(LanId),
    /// From now on a LAN treats packets so.
    Quality(LanId, Quality),
    /// From now on the kernel's answers come so late, and each request takes so long.
    SlowKernel(HostId, Duration, Duration),
    /// The kernel refuses so many requests.
    Refuse(HostId, Errno, u32),
    /// What the kernel says is lost for a while.
    Deafen(HostId, Duration),
    /// Somebody else deletes an address.
    Delete(HostId, IpAddr),
    /// Somebody else puts an address on an interface: who adds it after that is refused with `EEXIST`.
    Add(HostId, IfName, Prefix),
}

impl Act {
    /// The host that it happens to, if it is one.
    #[must_use]
    pub const fn host(&self) -> Option<HostId> {
        match self {
            Self::Start(host)
            | Self::Stop(host)
            | Self::Restart(host)
            | Self::Crash(host)
            | Self::KillWorker(host)
            | Self::KillDaemon(host)
            | Self::Reload(host, ..)
            | Self::ReloadSame(host)
            | Self::Stall(host, _)
            | Self::StepClock(host, ..)
            | Self::Cable(host, ..)
            | Self::Interface(host, ..)
            | Self::Script(host, ..)
            | Self::File(host, ..)
            | Self::Processes(host, ..)
            | Self::Session(host, ..)
            | Self::SlowKernel(host, ..)
            | Self::Refuse(host, ..)
            | Self::Deafen(host, _)
            | Self::Delete(host, _)
            | Self::Add(host, ..) => Some(*host),
            Self::Cut(..) | Self::Heal(_) | Self::Quality(..) => None,
        }
    }
}

/// A span as scenarios write it: `250ms`, `3s`, `2.5s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        if nanos.is_multiple_of(1_000_000_000) {
            write!(f, "{}s", self.0.as_secs())
        } else if nanos.is_multiple_of(1_000_000) {
            write!(f, "{}ms", self.0.as_millis())
        } else if nanos.is_multiple_of(1000) {
            write!(f, "{}us", self.0.as_micros())
        } else {
            write!(f, "{nanos}ns")
        }
    }
}
