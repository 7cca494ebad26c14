//! Pacing that several interfaces share.

use serde::{Deserialize, Serialize};

/// Pacing of gratuitous messages (`garp_group`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GarpGroup {}
