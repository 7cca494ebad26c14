//! The configuration of the VRRP worker: scripts and virtual routers.

use serde::{Deserialize, Serialize};

mod auth;
mod device;
mod garp;
mod garp_group;
mod group;
mod instance;
mod links;
mod notify;
mod script;
mod statics;
mod track;
mod tracked;
mod transport;
mod version;

pub use auth::{Auth, Hmac, HmacKey, HmacMode, KeySource, Password, Replay};
pub use device::{AddressVmac, Ipvlan, IpvlanMode, OwnDevice, Vmac};
pub use garp::{ExtraGarp, Garp};
pub use garp_group::GarpGroup;
pub use group::{GroupNotify, SyncGroup};
pub use instance::{Initial, Instance, Preempt};
pub use links::{LinkDelay, LinkWatch, PollMethod, PolledLink};
pub use notify::{Command, Deleted, Notify, RunAs};
pub use script::Script;
pub use statics::{Static, Statics};
pub use track::{TrackedInterface, TrackedScript};
pub use tracked::{
    InitialFile, ParameterMatch, ProcessMatch, TrackGroup, TrackedFile, TrackedProcess, Tracking,
};
pub use transport::{OldChecksum, Peer, Transport};
pub use version::Version;

pub use crate::address::VirtualAddress;

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
    /// How links are watched.
    pub links: LinkWatch,
}

impl Config {
    /// Whether there is nothing to run, and nothing to hold.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty() && self.statics == Statics::default()
    }
}
