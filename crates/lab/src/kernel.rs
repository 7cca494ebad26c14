//! Interfaces, addresses and neighbours of a host, asked of the kernel over route netlink.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, AsRawFd};

use model::{IfIndex, IfName, MacAddr, Prefix};
use netlink::event::{Event, Link};
use netlink::request::{LinkId, Namespace, NewAddress, Request, Sequence};
use netlink::{Address, Refusal};
use sys::socket::netlink::{Received, Socket};

use crate::{Error, Host};

/// What a host believes about a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its link-layer address; all zeros while it is being asked for.
    pub mac: MacAddr,
}

pub(crate) fn loopback() -> IfName {
    "lo".parse().expect("two letters")
}

pub(crate) fn set_up(host: &Host, interface: &IfName, up: bool) -> Result<(), Error> {
    let link = LinkId::Name(interface.clone());
    match up {
        true => ask(host, &format!("set {interface} up"), &Request::SetUp(link)),
        false => ask(host, &format!("set {interface} down"), &Request::SetDown(link)),
    }
}

pub(crate) fn create_bridge(host: &Host, name: &IfName) -> Result<(), Error> {
    ask(host, &format!("create bridge {name}"), &Request::CreateBridge { name: name.clone() })
}

/// A pair of which `port` stays on `hub` and `interface` goes to `host`.
pub(crate) fn create_veth(hub: &Host, port: &IfName, host: &Host, interface: &IfName) -> Result<(), Error> {
    let there = Namespace::Fd(host.namespaces().as_fd().as_raw_fd());
    let request =
        Request::CreateVeth { name: port.clone(), peer: interface.clone(), peer_namespace: Some(there) };
    ask(hub, &format!("create {interface} on host {}", host.name()), &request)
}

pub(crate) fn set_bridge(hub: &Host, port: &IfName, bridge: Option<&IfName>) -> Result<(), Error> {
    let master = bridge.map(|bridge| index(hub, bridge)).transpose()?;
    let request = Request::SetMaster { link: LinkId::Name(port.clone()), master };
    ask(hub, &format!("move {port} to or from its bridge"), &request)
}

pub(crate) fn rename(host: &Host, interface: &IfName, name: &IfName) -> Result<(), Error> {
    let request = Request::Rename { index: index(host, interface)?, name: name.clone() };
    ask(host, &format!("rename {interface} to {name}"), &request)
}

pub(crate) fn delete(host: &Host, interface: &IfName) -> Result<(), Error> {
    ask(host, &format!("delete {interface}"), &Request::DeleteLink(LinkId::Name(interface.clone())))
}

pub(crate) fn add_address(host: &Host, interface: &IfName, address: Prefix) -> Result<(), Error> {
    let request = Request::AddAddress(NewAddress::plain(index(host, interface)?, address));
    ask(host, &format!("add {address} to {interface}"), &request)
}

pub(crate) fn remove_address(host: &Host, interface: &IfName, prefix: Prefix) -> Result<(), Error> {
    let request = Request::DeleteAddress { index: index(host, interface)?, prefix, peer: None };
    ask(host, &format!("remove {prefix} from {interface}"), &request)
}

pub(crate) fn index(host: &Host, interface: &IfName) -> Result<IfIndex, Error> {
    link(host, interface).map(|link| link.index)
}

/// The link-layer address; all zeros for an interface without one.
pub(crate) fn mac(host: &Host, interface: &IfName) -> Result<MacAddr, Error> {
    link(host, interface).map(|link| link.mac.unwrap_or(MacAddr::ZERO))
}

pub(crate) fn set_mac(host: &Host, interface: &IfName, mac: MacAddr) -> Result<(), Error> {
    let request = Request::SetMac { link: LinkId::Name(interface.clone()), mac };
    ask(host, &format!("set the address of {interface} to {mac}"), &request)
}

pub(crate) fn addresses(host: &Host, interface: &IfName) -> Result<Vec<Prefix>, Error> {
    let index = index(host, interface)?;
    let all = all_addresses(host)?;
    Ok(all.into_iter().filter(|address| address.index == index).map(|address| address.prefix).collect())
}

pub(crate) fn holds(host: &Host, address: IpAddr) -> Result<bool, Error> {
    Ok(all_addresses(host)?.iter().any(|held| held.prefix.address() == address))
}

/// What `/proc/net/arp` says: one line each of address, type, flags, link-layer address, mask and device.
pub(crate) fn neighbours(host: &Host) -> Result<Vec<Neighbour>, Error> {
    let path = "/proc/thread-self/net/arp";
    let table = host.namespaces().run(|| fs::read_to_string(path))?;
    let table = table.map_err(|source| Error::File { path: path.to_owned(), source })?;
    Ok(table.lines().skip(1).filter_map(neighbour).collect())
}

fn neighbour(line: &str) -> Option<Neighbour> {
    let mut fields = line.split_whitespace();
    let address = fields.next()?.parse().ok()?;
    let mut mac = MacAddr::ZERO;
    for (byte, digits) in mac.0.iter_mut().zip(fields.nth(2)?.split(':')) {
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(Neighbour { address, mac })
}

fn link(host: &Host, interface: &IfName) -> Result<Link, Error> {
    let links = dump(host, &Request::DumpLinks)?.into_iter().filter_map(|event| match event {
        Event::LinkChanged(link) => Some(link),
        _ => None,
    });
    let none = || Error::NoInterface { host: host.name().to_owned(), interface: interface.clone() };
    links.into_iter().find(|link| link.name == *interface).ok_or_else(none)
}

fn all_addresses(host: &Host) -> Result<Vec<Address>, Error> {
    let events = dump(host, &Request::DumpAddresses)?;
    let addresses = events.into_iter().filter_map(|event| match event {
        Event::AddressAdded(address) => Some(address),
        _ => None,
    });
    Ok(addresses.collect())
}

/// Has `request` carried out, or says that the kernel refuses to `action`.
fn ask(host: &Host, action: &str, request: &Request) -> Result<(), Error> {
    converse(host, action, request).map(drop)
}

/// What the kernel lists. A list that changed while it was made is asked for again.
fn dump(host: &Host, request: &Request) -> Result<Vec<Event>, Error> {
    loop {
        let events = converse(host, "list interfaces and addresses", request)?;
        if !events.iter().any(|event| matches!(event, Event::Interrupted { .. })) {
            return Ok(events);
        }
    }
}

/// Sends `request` and collects what the kernel says until its answer.
fn converse(host: &Host, action: &str, request: &Request) -> Result<Vec<Event>, Error> {
    let fail = |source| Error::Kernel { action: action.to_owned(), source };
    let socket = host.namespaces().run(|| Socket::open(&[]))?.map_err(fail)?;
    let mut batch = Vec::new();
    netlink::encode(request, Sequence::FIRST, &mut batch);
    socket.send(&batch).map_err(fail)?;
    let mut events = Vec::new();
    loop {
        receive(&socket, &mut events).map_err(fail)?;
        if let Some(result) = events.iter().find_map(answer) {
            return result.map_err(|refusal| fail(error(refusal))).map(|()| events);
        }
    }
}

/// The kernel has answered before `send` returned, so that an empty socket is an error here.
fn receive(socket: &Socket, events: &mut Vec<Event>) -> io::Result<()> {
    let mut datagram = Vec::new();
    match socket.recv(&mut datagram)? {
        Received::Datagram => {
            netlink::decode(&datagram, events);
            Ok(())
        }
        Received::Empty | Received::Overrun => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn answer(event: &Event) -> Option<Result<(), Refusal>> {
    match event {
        Event::Ack { result, .. } | Event::DumpDone { result, .. } => Some(result.clone()),
        _ => None,
    }
}

/// With the kernel's own words, and the kind by which a caller tells `EEXIST` from others.
fn error(refusal: Refusal) -> io::Error {
    io::Error::new(io::Error::from_raw_os_error(refusal.errno.0).kind(), refusal)
}
