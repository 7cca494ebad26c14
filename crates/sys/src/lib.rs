//! What the daemon asks of the kernel: a clock, one epoll loop, signals, sockets, processes and rights.
//!
//! This is the only crate with `unsafe`. It knows file descriptors, not protocols: what travels through a
//! socket is bytes here. Everything is made for a process with one thread and one epoll loop; nothing
//! blocks unless its doc says so, and a steady stream of packets allocates nothing.
//!
//! It is neither an async runtime nor a portability layer: Linux 5.9 and newer only.
#![warn(missing_docs)]
#![allow(unsafe_code, reason = "the kernel's interface needs it; the other crates call this one instead")]

pub mod capture;
pub mod clock;
pub mod ipc;
pub mod memfd;
pub mod netns;
pub mod pidfile;
pub mod process;
pub mod reactor;
pub mod rights;
pub mod sched;
pub mod script_path;
pub mod signal;
pub mod socket;
pub mod sysctl;
pub mod users;
