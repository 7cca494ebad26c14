//! What the daemon asks of the kernel: a clock, one epoll loop, signals, sockets, processes and rights.
//!
//! This is the only crate with `unsafe`. It knows file descriptors, not protocols: what travels through a
//! socket is bytes here. Everything is made for a process with one thread and one epoll loop; nothing
//! blocks unless its doc says so, and a steady stream of packets allocates nothing.
//!
//! It is neither an async runtime nor a portability layer: Linux 5.4 and newer only.
//!
//! ```text
//! Reactor::wait(deadline) ──> Ready{token} ──> vrrp::Socket::recv(&mut Batch) ──> Datagram{bytes, received}
//!                                              netlink::Socket::recv(&mut Vec) ──> Datagram | Empty | Overrun
//!                                              Channel::recv(&mut Vec) ──────────> Message | Empty | Closed
//!                                              Signals::next() ──────────────────> Signal
//!                                              Child::try_wait() ────────────────> Exit
//! ```
//!
//! ```
//! use std::time::Duration;
//! use steadfast_sys::{clock, ipc::Channel, reactor::{Interest, Reactor, Token}};
//!
//! let (ours, theirs) = Channel::pair()?;
//! let mut reactor = Reactor::new()?;
//! reactor.add(&theirs, Token(1), Interest::Read)?;
//! let sent = ours.send(b"hello", None)?;
//! assert_eq!(sent, steadfast_sys::ipc::Sent::Done);
//!
//! let mut ready = Vec::new();
//! reactor.wait(Some(clock::now() + Duration::from_secs(1)), &mut ready)?;
//! assert_eq!(ready[0].token, Token(1));
//! # Ok::<(), std::io::Error>(())
//! ```
#![warn(missing_docs)]
#![allow(unsafe_code, reason = "the kernel's interface needs it; the other crates call this one instead")]

pub mod capture;
pub mod clock;
pub mod ipc;
pub mod link_state;
pub mod memfd;
pub mod netns;
pub mod pidfile;
pub mod process;
pub mod reactor;
pub mod regex;
pub mod rights;
pub mod sched;
pub mod script_path;
pub mod signal;
pub mod socket;
pub mod sysctl;
#[cfg(test)]
mod testing;
pub mod users;
