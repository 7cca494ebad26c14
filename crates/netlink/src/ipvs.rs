//! IPVS over generic netlink: what the kernel can be asked, what it says, and a [`Reconciler`] that makes its table what it
//! should be.
//!
//! Bytes out, bytes in. With `socket` standing for one of generic netlink (`sys::socket::netlink::Socket::open_generic`):
//!
//! ```
//! # use steadfast_netlink::ipvs::{Reconciler, Report};
//! # fn turn(now: model::Instant, mut recv: impl FnMut() -> Option<Vec<u8>>, mut send: impl FnMut(&[u8]) -> bool,
//! #     reconciler: &mut Reconciler) -> Vec<Report> {
//! let mut batch = Vec::new();
//! // Until it returns `false`, or the time slice is over:
//! while reconciler.next(now, &mut batch) {
//!     if !send(&batch) {
//!         reconciler.lose(now);
//!     }
//!     batch.clear();
//!     // The kernel has carried out what was sent and has answered, but for the rest of a listing, which it makes when
//!     // it is read.
//!     while let Some(datagram) = recv() {
//!         reconciler.hear(now, &datagram);
//!     }
//! }
//! reconciler.take_reports()
//! # }
//! ```
//!
//! An overrun of the socket is told by [`Reconciler::lose`] too. Nobody tells of changes that others make to the table:
//! [`Reconciler::refresh`] looks.

mod answer;
mod damage;
mod meaning;
mod number;
mod reconcile;
mod report;
mod request;
mod terms;

pub use answer::{Heard, News, decode};
pub use damage::{Damage, Loss};
pub use reconcile::{BATCH, Reconciler};
pub use report::{Action, Operation, Report, Subject};
pub use request::{Request, encode, encode_lookup};
pub use terms::{
    Connections, FamilyId, HeldDestination, HeldService, Kernel, Settings, Statistics, Target, Timeouts,
};
