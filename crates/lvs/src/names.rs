//! What services and servers are called in logs and FIFO lines: as keepalived calls them.

use std::net::IpAddr;
use std::num::NonZeroU16;

use model::lvs::{Protocol, Service, VirtualServer};

/// What a virtual server is called: `[192.0.2.1]:tcp:80`, `FWM 5`, `[GROUP]:0`, and `[GROUP]:1` if it is the second of its
/// group.
#[must_use]
pub fn service(server: &VirtualServer) -> Box<str> {
    match &server.service {
        Service::Address { address, port, protocol } => endpoint(*address, word(*protocol), *port),
        Service::Fwmark { mark, .. } => format!("FWM {mark}").into(),
        Service::Group { name, .. } => format!("[{name}]:{}", server.nth_of_group).into(),
    }
}

/// What a real server of it is called: `[10.0.0.1]:tcp:80`, with `none` as protocol behind a mark.
#[must_use]
pub fn server(of: &Service, address: IpAddr, port: Option<NonZeroU16>) -> Box<str> {
    let protocol = match of {
        Service::Address { protocol, .. } | Service::Group { protocol, .. } => word(*protocol),
        Service::Fwmark { .. } => "none",
    };
    endpoint(address, protocol, port)
}

fn endpoint(address: IpAddr, protocol: &str, port: Option<NonZeroU16>) -> Box<str> {
    format!("[{address}]:{protocol}:{}", port.map_or(0, NonZeroU16::get)).into()
}

const fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Sctp => "sctp",
    }
}
