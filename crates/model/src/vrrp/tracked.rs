//! Things whose state acts on instances and groups.

use serde::{Deserialize, Serialize};

/// A file whose number acts on priorities (`track_file`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedFile {
    /// Its name.
    pub name: String,
}

/// Processes that must be there (`vrrp_track_process`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedProcess {
    /// Its name.
    pub name: String,
}

/// Instances that follow a static address, route or rule (`track_group`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackGroup {
    /// Its name.
    pub name: String,
}
