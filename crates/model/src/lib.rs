//! The nouns of Steadfast: units, addresses, identifiers and the resolved configuration.
//!
//! Plain data with serde, and no logic beyond construction, validation and `Display`. A type lives here
//! only if two crates need it. In the configuration every default is applied and every name resolved:
//! an `Option` means "feature off", never "not set".
//!
//! Values cannot be out of range: a [`Vrid`] is 1..=255, an [`IfName`] fits the kernel's 15 bytes, a
//! [`Centis`] is what a VRRPv3 packet can carry.
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

pub mod address;
pub mod bfd;
mod config;
mod ids;
pub mod ipvs;
pub mod lvs;
mod net;
mod process;
pub mod route;
pub mod rule;
mod secret;
mod time;
pub mod vrrp;

pub use config::{
    AutoPriority, Buffer, Checkers, Config, Dbus, Defaults, Dump, Dumps, DynamicInterfaces, Fifo, Fifos,
    Files, Filter, Flush, Global, Host, IncludeCheck, IpSets, IproutePaths, Iptables, IpvsGlobals, IpvsMarks,
    IpvsTimeouts, JsonLayout, LifecycleScript, Mail, MailServer, NetlinkBuffers, Nftables, Nice, RealTime,
    ReceiveBuffers, Reload, ReloadFile, RouterGlobals, Snmp, SnmpStatistics, StartDelay, SyncDaemon,
    SyncTransport, Umask, Validation, Worker, Workers,
};
pub use ids::{Influence, Priority, Vrid, Weight};
pub use net::{Family, IfIndex, IfName, MacAddr, Named, Prefix, Scope, Sources};
pub use process::{Namespace, Process};
pub use secret::Secret;
pub use time::{Centis, Instant};

/// A value that its type cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutOfRange {
    /// Virtual router identifiers are 1..=255 (RFC 9568 §5.2.3).
    #[error("a virtual router id is 1 to 255")]
    Vrid,
    /// Tracker weights are -254..=254.
    #[error("a weight is -254 to 254")]
    Weight,
    /// Interface names are 1..=15 bytes without blank or slash.
    #[error("an interface name is 1 to 15 bytes, without blank, slash or colon")]
    IfName,
    /// Interface indices start at 1.
    #[error("an interface index is at least 1")]
    IfIndex,
    /// At most 32 bits for IPv4, 128 for IPv6.
    #[error("a prefix is at most 32 bits long for IPv4, 128 for IPv6")]
    PrefixLength,
    /// MPLS labels are 20 bits (RFC 3032 §2.1).
    #[error("an MPLS label is 0 to 1048575")]
    MplsLabel,
    /// The kernel keeps the weight of a hop, less one, in a byte.
    #[error("the weight of a hop is 1 to 256")]
    HopWeight,
    /// A range that ends before it begins.
    #[error("a range must not end before it begins")]
    Range,
    /// Nice values are -20..=19.
    #[error("a nice value is -20 to 19")]
    Nice,
    /// Real-time priorities are 1..=99.
    #[error("a real-time priority is 1 to 99")]
    RealTime,
    /// Nine bits of rights.
    #[error("a file creation mask is at most 0777")]
    Umask,
    /// More centiseconds than the type holds.
    #[error("an interval is at most 655.35 seconds")]
    Centis,
}
