//! Bytes to typed packets and back: IPv4, IPv6, VRRP with its authentication, ARP, neighbour discovery, ICMP echo.
//!
//! One module a protocol, each with `parse` (bytes to a typed value, or a reason why not) and `emit`
//! (a typed value to bytes, appended to a buffer). Parsing borrows: it allocates nothing. No input makes
//! anything here panic, and whatever `emit` writes, `parse` reads back as it was.
//!
//! What a packet *means* (is it ours, is its sender master) is not decided here but in `vrrp`.
//!
//! ```text
//! frame ─ethernet::parse→ payload ─ipv4::parse→ (Header, payload) ─vrrp::parse→ Advert
//!                                 └arp::parse→ Packet            ├icmp::parse→ Echo
//!                                                                └ah::parse→ Advert
//! ```
//!
//! ```
//! # use steadfast_wire as wire;
//! use model::{Centis, Priority, Vrid, vrrp::Version};
//! use wire::vrrp::{Addresses, Advert, Auth};
//!
//! let (source, group) = ([192, 0, 2, 1].into(), [224, 0, 0, 18].into());
//! let advert = Advert {
//!     version: Version::V3,
//!     vrid: Vrid::try_from(51)?,
//!     priority: Priority::DEFAULT,
//!     interval: Centis::SECOND,
//!     auth: Auth::None,
//!     addresses: Addresses::v4(&[192, 0, 2, 100]).expect("four bytes are an address"),
//! };
//! let mut message = Vec::new();
//! wire::vrrp::emit(&advert, source, group, &mut message);
//! assert_eq!(wire::vrrp::parse(&message, source, group), Ok(advert));
//! # Ok::<(), model::OutOfRange>(())
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
        clippy::unwrap_used,
        clippy::wildcard_enum_match_arm
    )
)]

pub mod ah;
pub mod arp;
pub mod checksum;
pub mod ethernet;
pub mod icmp;
pub mod ipv4;
pub mod ipv6;
pub mod ndisc;
pub mod signature;
pub mod vrrp;
