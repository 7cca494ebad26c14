//! Route netlink (rtnetlink(7)): requests and events as bytes, a mirror of the kernel's links and addresses,
//! and the reconciler that makes the addresses of a device what they should be.
//!
//! Beside it: the table of nftables ([`nft`]), and IPVS over generic netlink ([`ipvs`]).
//!
//! Nothing here owns a socket or looks at a clock. Bytes to send are appended to a buffer, bytes received are handed in:
//!
//! ```text
//! want, unwant ──────────────► Reconciler ──Request──► Transactions ──encode──► bytes to send
//!                                  ▲   │                  │    ▲
//!                           Notice │   └─► Report         │    │
//!                                  └──── Mirror ◄──Event──┘    └──decode◄────── bytes received
//! ```
//!
//! One socket must serve both purposes: it sends the requests and is a member of the groups in [`GROUPS`]. The kernel
//! then queues the event of a change before the acknowledgement of the request that made it, so the mirror
//! knows the change when the answer comes. The socket's owner drops datagrams that the kernel (port 0) did not
//! send, and calls [`Transactions::resynchronise`] once at the start and after
//! every `ENOBUFS`, and again some time after it has failed: after [`Notice::NotSynchronised`], or after a batch that could
//! not be sent, which it tells by [`Transactions::not_sent`].
//!
//! A turn of the owner's loop, with `socket` standing for its socket:
//!
//! ```
//! # use steadfast_netlink as netlink;
//! use netlink::{Mirror, Reconciler, Report, Transactions, decode};
//!
//! # fn turn(
//! #     now: model::Instant, datagram: &[u8], socket: &mut Vec<u8>,
//! #     transactions: &mut Transactions, mirror: &mut Mirror, reconciler: &mut Reconciler,
//! # ) -> Vec<Report> {
//! let (mut events, mut notices, mut reports, mut batch) = (vec![], vec![], vec![], vec![]);
//! let _skipped = decode(datagram, &mut events);
//! for event in events {
//!     transactions.hear(event, mirror, &mut batch, &mut notices);
//! }
//! for notice in &notices {
//!     reconciler.on_notice(now, notice, mirror, &mut reports);
//! }
//! // As long as the time slice lasts, up to eight operations in a datagram:
//! loop {
//!     let ask = |request| transactions.ask(request, &mut batch);
//!     if reconciler.issue_batch(now, mirror, &mut reports, 8, ask) == 0 {
//!         break;
//!     }
//!     socket.extend(batch.drain(..));
//! }
//! # reports
//! # }
//! ```
//!
//! The types of the codec crate underneath stay inside: it changes incompatibly every few weeks.
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
        clippy::unwrap_used,
        clippy::wildcard_enum_match_arm
    )
)]

mod attribute;
mod errno;
pub mod event;
pub mod ipvs;
pub mod keeper;
pub mod mirror;
pub mod nft;
pub mod own_links;
mod pace;
pub mod reconcile;
pub mod request;
pub mod route;
pub mod routing;
pub mod rule;
pub mod transaction;

pub use errno::{Errno, Refusal};
pub use event::{Address, AddressFlags, Event, Link, Sharing, Skipped, decode};
pub use keeper::{Heard, Held, Keeper, Standing};
pub use mirror::{Change, Mirror};
pub use own_links::{OwnLink, OwnLinks};
pub use reconcile::{Operation, Reconciler, Report};
pub use request::{Request, Sequence, encode};
pub use routing::{Entry, Routing};
pub use transaction::{Notice, Outcome, Transactions};

/// What a socket subscribes to at `bind`: `RTMGRP_LINK`, `RTMGRP_IPV4_IFADDR`, `RTMGRP_IPV6_IFADDR`, and routes and rules
/// of both families. Of routes only those of [`PROTOCOL`](request::PROTOCOL) need to come through.
pub const GROUPS: u32 = 0x1 | 0x10 | 0x100 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 18;
