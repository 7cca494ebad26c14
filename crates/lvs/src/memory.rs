//! What the next worker should know.

use model::ipvs::DestinationKey;
use model::lvs::Service;
use serde::{Deserialize, Serialize};

/// The newest state of one virtual server or one real server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// Whose. A later one with the same subject takes the place of an earlier one.
    pub of: Subject,
    /// The state; `None` if it is no more, and all about it can be forgotten.
    pub state: Option<Standing>,
}

/// Whose state is remembered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// The virtual server.
    pub service: Service,
    /// The real server; `None` for the virtual server itself.
    pub server: Option<DestinationKey>,
}

/// A state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The real server is up, or the virtual server has its quorum.
    pub up: bool,
    /// The places of those checkers of a real server, in file order, that say it is down.
    pub failed: Vec<u32>,
    /// The weight that a check has set (`misc_dynamic`).
    pub weight: Option<u32>,
}
