//! The VRRP machine: virtual routers, their election, what they track, and what follows from it.
//!
//! Pure: no socket, no clock, no file. A [`Router`] is handed the time and an [`Event`] and pushes
//! [`Action`]s, in the order in which they must take effect; [`Router::deadline`] says when it wants to
//! be woken. Written against RFC 3768 (version 2, with the authentication of RFC 2338), RFC 5798 and
//! RFC 9568 (version 3). RFC 9568 calls the master *Active Router*; operators, configuration files and
//! logs say master, and so does this crate.
//!
//! ```text
//!                         ┌──────┐  first verdicts and link are known
//!                         │ Init ├──────────────┬───────────────┐
//!                         └──┬───┘              │ priority 255  │
//!                   fault    │                  ▼               ▼
//!              ┌─────────────┘      ┌────────┐ master down ┌────────┐
//!              ▼          no fault  │        ├────────────►│        │
//!          ┌───────┐ ──────────────►│ Backup │   better    │ Master │
//!          │ Fault │◄───────────────┤        │◄────────────┤        │
//!          └───────┘     fault      └────────┘  advert     └───┬────┘
//!              ▲ │    no fault, priority 255                ▲  │ fault
//!              │ └──────────────────────────────────────────┘  │
//!              └───────────────────────────────────────────────┘
//! ```
//!
//! A packet's way: [`Router::handle`] finds the instance by link, family and VRID; `instance::verify`
//! checks what the RFCs ask and yields a proof; `instance::decide` is a pure table from state and
//! advertisement to a decision; the instance carries it out. Whether its state changes is decided in `group`, for
//! all members of a sync group at once, or for an instance alone, and carried out by `router::settle`: after each call
//! every group is in one state.
//!
//! ```
//! use model::{Config, Instant};
//! use steadfast_vrrp::{Actions, Event, Router};
//!
//! let mut router = Router::new();
//! let mut actions = Actions::default();
//! router.reconfigure(Instant::ZERO, &Config::default().vrrp, &[], &mut actions);
//! router.handle(Instant::ZERO, Event::Deadline, &mut actions);
//! assert!(router.deadline().is_none(), "no instance, nothing to wait for");
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
mod announce;
mod complaint;
mod due;
mod event;
mod group;
mod instance;
mod notice;
mod plan;
mod priority;
mod process;
mod reconfigure;
mod router;
mod script;
mod status;
mod timing;
mod wall;

pub use action::{
    Action, Actions, Announce, GroupNotification, Holding, Notification, NotificationKind, Outgoing,
};
pub use event::{Arrival, Event, Link, Port, Remembered, ScriptOutcome};
pub use instance::{Cause, Reason, Reject};
pub use notice::{Level, Notice, Warning, Whose};
pub use plan::{Disturbance, Effect, Plan, Step, Thing};
pub use reconfigure::{Change, diff};
pub use router::{Endpoint, InstanceId, Router};
pub use status::{Counters, GroupStatus, MasterHeard, ProcessStatus, ScriptStatus, StateName, Status};
pub use timing::{master_down_interval, overtake_delay, skew_time};
pub use wall::WallClock;
