//! What scripts, FIFOs and mails are told.

use model::vrrp::Command;
use serde::{Deserialize, Serialize};

/// A change of state, complete: what is made of it needs no look into the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Whose state.
    pub of: Whose,
    /// Up or down.
    pub up: bool,
    /// The operator's program (`notify_up`, `notify_down`, `quorum_up`, `quorum_down`), if there is one. If `None`
    /// the FIFO and the mail still want it.
    pub command: Option<Box<Command>>,
    /// The configuration wants a mail (`smtp_alert`).
    pub mail: bool,
    /// What led to it: the content of a mail, such as `=> CHECK succeed on service <=`.
    pub because: Box<str>,
}

/// Whose state changed. Names are as in logs and FIFO lines: `[192.0.2.1]:tcp:80`, `FWM 5`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Whose {
    /// The quorum of a virtual server.
    VirtualServer {
        /// Its name.
        service: Box<str>,
    },
    /// A real server (`RS` in the FIFO).
    RealServer {
        /// The name of its virtual server.
        service: Box<str>,
        /// Its name.
        server: Box<str>,
    },
    /// One checker of a real server: only a mail, which `no_checker_emails` leaves out.
    Checker {
        /// The name of the virtual server.
        service: Box<str>,
        /// The name of the real server.
        server: Box<str>,
    },
}
