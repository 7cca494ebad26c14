//! Gratuitous ARP and unsolicited neighbour advertisements.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Gratuitous ARP of a master (`garp_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Garp {
    /// From becoming master to the second burst; `None` is no second burst (`garp_master_delay`).
    pub delay: Option<Duration>,
    /// Messages per address in a burst, at least 1 (`garp_master_repeat`).
    pub repeat: u32,
    /// Between periodic refreshes (`garp_master_refresh`).
    pub refresh: Option<Duration>,
    /// Messages per address in a refresh, at least 1 (`garp_master_refresh_repeat`).
    pub refresh_repeat: u32,
    /// As `delay`, after a master of lower priority was heard (`garp_lower_prio_delay`).
    pub lower_prio_delay: Option<Duration>,
    /// As `repeat`, after a master of lower priority was heard; 0 is none (`garp_lower_prio_repeat`).
    pub lower_prio_repeat: u32,
    /// The least gap between two messages on one interface; zero is none (`vrrp_garp_interval`).
    pub interval: Duration,
    /// The same for unsolicited neighbour advertisements (`vrrp_gna_interval`).
    pub gna_interval: Duration,
}

impl Default for Garp {
    fn default() -> Self {
        Self {
            delay: Some(Duration::from_secs(5)),
            repeat: 5,
            refresh: None,
            refresh_repeat: 1,
            lower_prio_delay: Some(Duration::from_secs(5)),
            lower_prio_repeat: 5,
            interval: Duration::ZERO,
            gna_interval: Duration::ZERO,
        }
    }
}

/// Periodic gratuitous messages on the other interfaces that hold addresses (`garp_extra_if`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraGarp {
    /// Between two rounds.
    pub interval: Duration,
    /// On every such interface (`all`); else only on VMACs.
    pub all: bool,
}
