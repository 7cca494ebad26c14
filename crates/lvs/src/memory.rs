//! What the next worker should know.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use model::Instant;
use model::ipvs::{Destination, DestinationKey};
use model::lvs::{Checker, Service};
use serde::{Deserialize, Serialize};

use crate::server::digest;

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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Standing {
    /// The real server is up, or the virtual server has its quorum.
    pub up: bool,
    /// What each checker of a real server says: a digest of what it asks, and whether the server is well.
    pub said: Vec<(u64, bool)>,
    /// The weight that a check has set (`misc_dynamic`).
    pub weight: Option<u32>,
    /// What counts for quorum: the configured weight, or what checks and files have made of it.
    pub effective: u32,
    /// When the real server came up, if it gets its weight little by little (`slow_start`).
    pub ramp: Option<Instant>,
    /// The real server is configured no more, and keeps its connections for a while (`drain`).
    pub drain: Option<Drain>,
}

/// A server that is configured no more and stays in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Drain {
    /// As what it stays.
    pub destination: Destination,
    /// Until when.
    pub until: Instant,
}

impl Standing {
    /// Of a virtual server, or of a real server of which nothing more is known.
    pub(crate) const fn of(up: bool) -> Self {
        Self { up, said: Vec::new(), weight: None, effective: 0, ramp: None, drain: None }
    }

    /// A number that another state hardly has too.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// What this checker of a real server says, if it is known.
    #[must_use]
    pub fn of_checker(&self, checker: &Checker) -> Option<bool> {
        self.says(digest(checker))
    }

    /// What the checker with this digest says, if there was one.
    fn says(&self, digest: u64) -> Option<bool> {
        self.said.iter().find(|(of, _)| *of == digest).map(|(_, up)| *up)
    }
}
