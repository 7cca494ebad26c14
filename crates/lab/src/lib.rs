//! A laboratory of network namespaces: hosts on a LAN, a sniffer and a client, for tests and for `steadfast lab`.
//!
//! Programs run on a [`Host`] as they would on a machine of their own: it has its own network, processes, `/run` and
//! name, while the files of the real machine are there, if need be [to read alone](Host::read_only). A [`Lan`] joins hosts by cables that can be pulled and
//! cut, a [`Sniffer`] hears what passes with the kernel's time, a [`Client`] asks an address a thousand times a second.
//!
//! ```text
//!   Host a ── Cable ──┐
//!   Host b ── Cable ──┼── Lan ── Sniffer
//!   client ── Cable ──┘
//! ```
//!
//! Nothing here has a name that could stay behind: hosts end with the program that made them, whether it returns,
//! panics or is killed. It is no simulator: time is real, and kernel, daemon and protocol are the real ones.
//!
//! All times are on the monotonic clock ([`now`]), those of captured frames included.
#![warn(missing_docs)]

mod client;
mod error;
mod host;
mod kernel;
mod lan;
mod process;
mod skip;
mod sniffer;
mod wait;

pub use client::{Client, Outage};
pub use error::Error;
pub use host::{Host, Identity, prepare};
pub use kernel::Neighbour;
pub use lan::{Cable, Lan};
pub use process::Process;
pub use rustix::process::Signal;
pub use skip::{skip, skip_for_kernel};
pub use sniffer::{Advert, Heard, Message, Sniffer};
pub use wait::{now, wait_for, wait_until};
