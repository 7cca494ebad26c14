//! Trackers of instances and groups.

use serde::{Deserialize, Serialize};

use crate::{IfName, Influence};

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
    /// The name of a [`Script`](super::Script) in the same [`Config`](super::Config).
    pub script: String,
    /// How.
    pub influence: Influence,
}
