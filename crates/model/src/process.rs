//! Where and how the daemon's processes run (the top level's own keywords).

use serde::{Deserialize, Serialize};

/// Namespaces, pid files, and how links are watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {}
