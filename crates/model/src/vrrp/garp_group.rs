//! Pacing that several interfaces share.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::IfName;

/// Pacing of gratuitous messages (`garp_group`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GarpGroup {
    /// The least gap between two gratuitous ARPs; zero is none (`garp_interval`).
    pub garp_interval: Duration,
    /// The least gap between two unsolicited neighbour advertisements; zero is none (`gna_interval`).
    pub gna_interval: Duration,
    /// The interfaces that share it (`interface`, `interfaces`); each is in one group only.
    pub interfaces: Vec<IfName>,
}
