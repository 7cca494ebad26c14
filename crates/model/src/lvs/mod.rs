//! Load balancing: virtual servers, their real servers, and how these are checked.
//!
//! A [`VirtualServer`] is an IPVS service with its pool; a [`Checker`] says whether a [`RealServer`] belongs into it.
//! Whatever a checker inherits from its real server, virtual server or `global_defs` is in the checker itself. There may
//! be a hundred thousand of them: what is rare is boxed, and names that many have are shared.

mod checker;
mod grpc;
mod http;
mod outcome;
mod pool;
mod service;
mod tls;

pub use checker::{
    BfdCheck, Check, Checker, Connection, DnsCheck, DnsType, FileCheck, LocalEnd, MiscCheck, Nibbles,
    Payload, Probe, SmtpCheck, UdpCheck,
};
pub use grpc::GrpcCheck;
pub use http::{
    HttpCheck, HttpVersion, Identity, Regex, RegexOption, RegexOptions, Request, ServerName, StatusRange,
    StatusSet, TlsOptions, Trust,
};
pub use outcome::Outcome;
pub use pool::{
    Forwarding, Pace, Persistence, PersistenceMask, Quorum, RealServer, Scheduler, SchedulerFlags,
    SorryServer, Tunnel, TunnelChecksum, TunnelKind, VirtualServer,
};
pub use service::{AddressRange, Member, Protocol, ServerGroup, Service};
pub use tls::Tls;

use serde::{Deserialize, Serialize};

/// What the check worker is to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Named sets of addresses and marks (`virtual_server_group`). Names are unique.
    pub groups: Vec<ServerGroup>,
    /// The services, in file order.
    pub virtual_servers: Vec<VirtualServer>,
    /// What checkers show to servers that ask for a certificate (`SSL`); nothing of its own if `None`.
    pub tls: Option<Tls>,
}
