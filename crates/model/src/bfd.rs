//! BFD sessions (RFC 5880, 5881, 5883).

use serde::{Deserialize, Serialize};

/// A session with one neighbour (`bfd_instance`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its name.
    pub name: String,
}
