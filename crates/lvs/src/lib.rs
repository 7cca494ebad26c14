//! The machine of virtual servers: when checks are made, what follows from their outcomes, and what the kernel's IPVS
//! table should hold.
//!
//! Pure: no socket, no clock, no file. A [`Director`] is handed the time and an [`Event`] and pushes [`Action`]s, in the
//! order in which they must take effect; [`Director::deadline`] says when it wants to be woken.
//!
//! ```
//! use lvs::{Actions, Director};
//! use model::{Checkers, Instant};
//! # extern crate steadfast_lvs as lvs;
//!
//! let mut director = Director::new(1);
//! let mut actions = Actions::default();
//! director.configure(Instant::ZERO, &Default::default(), &Checkers::default(), &mut actions);
//! assert!(director.deadline().is_none(), "no server, nothing to wait for");
//! ```
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::cast_lossless,
        clippy::cognitive_complexity,
        clippy::disallowed_methods,
        clippy::expect_used,
        clippy::float_arithmetic,
        clippy::indexing_slicing,
        clippy::iter_over_hash_type,
        clippy::panic,
        clippy::too_many_lines,
        clippy::unreachable,
        clippy::unwrap_used,
        clippy::wildcard_enum_match_arm
    )
)]

mod action;
mod chance;
mod difference;
mod director;
mod event;
mod memory;
mod names;
mod notification;
mod pool;
mod probes;
mod progress;
mod reload;
mod sentence;
mod server;
mod services;
mod turn;

pub use action::{Action, Actions, Level, ProbeId};
pub use difference::{Difference, Fate, differences};
pub use director::Director;
pub use event::Event;
pub use memory::{Drain, Remembered, Standing, Subject};
pub use names::{server as server_name, service as service_name};
pub use notification::{Notification, Whose};
pub use progress::{CheckerProgress, Progress};
