//! A deterministic cluster: the very routers of the daemon, on LANs that lose packets, over kernels that answer late.
//!
//! [`Cluster`] holds hosts and LANs on one virtual clock. Each host runs what the vrrp worker runs: the
//! [`vrrp::Router`], the [`netlink::Keeper`] of its addresses, and a line of effects, over a fake kernel. [`Act`]s are
//! what can happen to them. The same seed gives the same run, to the byte of its [`Story`]. While a cluster runs, its [`Watch`] holds it to what users were promised:
//! one master, soon, whole sync groups, addresses exactly where they belong; each [`Violation`] says what was broken.
//!
//! ```text
//! Act ──► Cluster ──frames──► Lan (delay, loss, cuts) ──► Host ─┬─ vrrp::Router ──Actions──► line of effects
//!            ▲                                                   ├─ netlink::Keeper ◄──────────────┘
//!            └──────── deadlines, kernel answers, scripts ◄──────┴─ fake kernel ──Events──► Keeper
//! ```
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::cast_lossless,
        clippy::disallowed_methods,
        clippy::expect_used,
        clippy::float_arithmetic,
        clippy::indexing_slicing,
        clippy::iter_over_hash_type,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod act;
mod chance;
mod cluster;
mod host;
mod lan;
pub mod rehearsal;
pub mod scenario;
mod story;
mod watch;

pub use act::Act;
pub use chance::Chance;
pub use cluster::{Cluster, HostPlan, Interface};
pub use host::HostId;
pub use lan::{LanId, Quality};
pub use story::{Entry, Story, What};
pub use watch::{Rule, Violation, Watch};
