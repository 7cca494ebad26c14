//! How the state of links is learnt, and when it counts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::IfName;

/// How the state of links is learnt, and when it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkWatch {
    /// The links of all virtual routers are polled (`linkbeat_use_polling`).
    pub poll_all: bool,
    /// Interfaces whose links are polled (`linkbeat_interfaces`), each once.
    pub polled: Vec<PolledLink>,
    /// How long changes of a link wait before they count (`interface_up_down_delays`), each interface once.
    pub delays: Vec<LinkDelay>,
}

/// An interface whose link is polled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolledLink {
    /// Which.
    pub interface: IfName,
    /// How.
    pub method: PollMethod,
}

/// How the state of a link is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PollMethod {
    /// The first of the others that works.
    FirstThatWorks,
    /// The registers of the interface (`MII`).
    Mii,
    /// `ETHTOOL`.
    Ethtool,
    /// The flags of the interface (`IOCTL`).
    Ioctl,
}

/// How long changes of a link wait before they count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkDelay {
    /// Which interface.
    pub interface: IfName,
    /// Before it is down.
    pub down: Duration,
    /// Before it is up.
    pub up: Duration,
}
