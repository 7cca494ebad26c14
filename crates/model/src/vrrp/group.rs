//! Instances that change state together.

use serde::{Deserialize, Serialize};

/// Instances with one common state (`vrrp_sync_group`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncGroup {
    /// Its name.
    pub name: String,
}
