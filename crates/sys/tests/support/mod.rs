//! A network namespace of a test's own, with links in it.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use model::{IfIndex, Instant};
use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, unshare};
use steadfast_sys::clock;
use steadfast_sys::reactor::{Interest, Reactor, Token};
use steadfast_sys::socket::netlink::{Received, Socket};

/// Runs `test` in a thread with an empty network namespace, which ends with the thread.
///
/// Where that is not permitted it says so, and fails if the environment demands the test.
pub(crate) fn netns_or_skip(test: impl FnOnce() + Send + 'static) {
    let inside = move || match unshare(CloneFlags::CLONE_NEWNET) {
        Ok(()) => test(),
        Err(error) => {
            // Past the harness, which keeps what `eprintln!` says of a test that does not fail.
            io::stderr().write_all(format!("SKIPPED: needs CAP_NET_ADMIN ({error})\n").as_bytes()).unwrap();
            assert_ne!(
                std::env::var("STEADFAST_REQUIRE_NETNS").as_deref(),
                Ok("1"),
                "namespaces are required"
            );
        }
    };
    if let Err(panic) = thread::spawn(inside).join() {
        std::panic::resume_unwind(panic);
    }
}

/// Two ends of a cable, both up and running: until the kernel has seen the carrier, it drops what is sent.
pub(crate) fn veth(left: &str, right: &str) -> (IfIndex, IfIndex) {
    let peer = [vec![0; IFINFOMSG_BYTES], attribute(IFLA_IFNAME, &text(right))].concat();
    let data = attribute(IFLA_INFO_DATA, &attribute(VETH_INFO_PEER, &peer));
    let info = [attribute(IFLA_INFO_KIND, b"veth"), data].concat();
    let attributes = [attribute(IFLA_IFNAME, &text(left)), attribute(IFLA_LINKINFO, &info)].concat();
    request(&new_link(NLM_F_CREATE | NLM_F_EXCL, 0, 0, &attributes)).unwrap();
    let (left, right) = (up(left), up(right));
    running(left);
    running(right);
    (left, right)
}

/// Brings a link up.
pub(crate) fn up(name: &str) -> IfIndex {
    let index = if_nametoindex(name).unwrap();
    request(&new_link(0, index, IFF_UP, &[])).unwrap();
    IfIndex::try_from(index).unwrap()
}

/// Waits until `link` has a carrier and a queue.
fn running(link: IfIndex) {
    let limit = limit();
    while flags(link) & IFF_RUNNING == 0 {
        assert!(clock::now() < limit, "link {link} never came up");
        thread::yield_now();
    }
}

fn flags(link: IfIndex) -> u32 {
    let mut body = vec![0; 4];
    body.extend(link.get().to_ne_bytes());
    body.extend([0; 8]);
    let link = answer(&message(RTM_GETLINK, NLM_F_REQUEST, &body)).unwrap();
    u32::from_ne_bytes(*link[24..].first_chunk().unwrap())
}

/// Takes a link down.
#[allow(dead_code, reason = "not every test file takes links down")]
pub(crate) fn down(link: IfIndex) {
    request(&new_link(0, link.get(), 0, &[])).unwrap();
}

/// Waits until `source` can be read.
pub(crate) fn readable(source: impl std::os::fd::AsFd) {
    let mut reactor = Reactor::new().unwrap();
    reactor.add(source, Token(0), Interest::Read).unwrap();
    let limit = limit();
    let mut ready = Vec::new();
    while ready.is_empty() {
        reactor.wait(Some(limit), &mut ready).unwrap();
        assert!(!ready.is_empty() || clock::now() < limit, "nothing came");
    }
}

pub(crate) fn limit() -> Instant {
    clock::now() + Duration::from_secs(20)
}

/// Sends a request and reads its acknowledgement.
pub(crate) fn request(message: &[u8]) -> io::Result<()> {
    let buffer = answer(message)?;
    assert_eq!(u16::from_ne_bytes([buffer[4], buffer[5]]), NLMSG_ERROR);
    match i32::from_ne_bytes(*buffer[16..].first_chunk().unwrap()) {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}

fn answer(message: &[u8]) -> io::Result<Vec<u8>> {
    let socket = Socket::open(&[])?;
    socket.send(message)?;
    readable(&socket);
    let mut buffer = Vec::new();
    assert_eq!(socket.recv(&mut buffer)?, Received::Datagram);
    Ok(buffer)
}

/// `RTM_NEWLINK`, which also changes a link.
pub(crate) fn new_link(flags: u16, index: u32, link_flags: u32, attributes: &[u8]) -> Vec<u8> {
    let mut body = vec![0; 4];
    body.extend(index.to_ne_bytes());
    body.extend(link_flags.to_ne_bytes());
    body.extend(IFF_UP.to_ne_bytes());
    body.extend(attributes);
    message(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK | flags, &body)
}

/// A netlink message.
pub(crate) fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut message = u32::try_from(16 + body.len()).unwrap().to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
}

fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut attribute = u16::try_from(4 + payload.len()).unwrap().to_ne_bytes().to_vec();
    attribute.extend(kind.to_ne_bytes());
    attribute.extend(payload);
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}

fn text(name: &str) -> Vec<u8> {
    [name.as_bytes(), b"\0"].concat()
}

const IFINFOMSG_BYTES: usize = 16;
const IFLA_IFNAME: u16 = 3;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFF_UP: u32 = 1;
const IFF_RUNNING: u32 = 0x40;
pub(crate) const RTM_NEWLINK: u16 = 16;
pub(crate) const RTM_GETLINK: u16 = 18;
pub(crate) const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const NLMSG_ERROR: u16 = 2;
