//! Load balancing: virtual servers, their real servers, and how these are checked.

use serde::{Deserialize, Serialize};

/// What the check worker is to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {}
