//! The sockets against the kernel, in namespaces of their own.

mod support;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use model::{IfIndex, Instant};
use steadfast_sys::clock::{self, WallOffset};
use steadfast_sys::reactor::{Interest, Reactor, Token};
use steadfast_sys::socket::netlink::{Group, Received};
use steadfast_sys::socket::vrrp::{Batch, Delivery};
use steadfast_sys::socket::{netlink, packet, vrrp};
use steadfast_sys::{rights, sysctl};
use support::{down, limit, message, netns_or_skip, new_link, readable, up, veth};

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// As long as an advertisement of one address, with a number in it.
fn advertisement(number: u32) -> Vec<u8> {
    let mut packet = vec![0x45, 0xc0, 0, 40, 0, 0, 0, 0, 255, 112, 0, 0];
    packet.extend([192, 0, 2, 1]);
    packet.extend(GROUP.octets());
    packet.extend(number.to_be_bytes());
    packet.resize(40, 0);
    packet
}

fn number(packet: &[u8]) -> u32 {
    u32::from_be_bytes(*packet[20..].first_chunk().unwrap())
}

struct Heard {
    number: u32,
    received: Instant,
}

/// Reads until `count` packets came.
fn hear(socket: &vrrp::Socket, count: usize, clock: &mut WallOffset) -> Vec<Heard> {
    let mut batch = Batch::new();
    let mut heard = Vec::new();
    while heard.len() < count {
        readable(socket);
        clock.next_turn();
        let datagrams = socket.recv(&mut batch, clock).unwrap();
        assert_eq!(datagrams.dropped(), None);
        heard.extend(datagrams.map(|d| Heard { number: number(d.bytes), received: d.received }));
    }
    heard
}

fn nothing_waits(socket: &vrrp::Socket) {
    assert_eq!(socket.recv(&mut Batch::new(), &mut WallOffset::sample()).unwrap().len(), 0);
}

#[test]
fn advertisements_cross_a_link_with_their_receive_times() {
    netns_or_skip(|| {
        let (left, right) = veth("left", "right");
        let (sender, receiver) = (vrrp::Socket::open(left).unwrap(), vrrp::Socket::open(right).unwrap());
        receiver.join(GROUP).unwrap();
        sender.join(GROUP).unwrap();
        let mut clock = WallOffset::sample();
        let before = clock::now();
        for n in 0..100 {
            sender.send(&advertisement(n), GROUP).unwrap();
        }
        let sent = clock::now();
        let heard = hear(&receiver, 100, &mut clock);
        assert!(heard.iter().map(|h| h.number).eq(0..100), "in order and whole");
        // The two clocks are read one after the other, anew in each turn: allow for being put to sleep in between.
        let tolerance = std::time::Duration::from_millis(200);
        assert!(heard.is_sorted_by(|one, next| one.received <= next.received + tolerance));
        for Heard { received, .. } in &heard {
            assert!(*received + tolerance >= before && *received <= sent + tolerance, "{received}");
        }
        nothing_waits(&sender);
    });
}

#[test]
fn a_thousand_packets_are_taken_in_batches() {
    netns_or_skip(|| {
        let (left, right) = veth("left", "right");
        let (sender, receiver) = (vrrp::Socket::open(left).unwrap(), vrrp::Socket::open(right).unwrap());
        receiver.join(GROUP).unwrap();
        for n in 0..1000 {
            sender.send(&advertisement(n), GROUP).unwrap();
        }
        let mut batch = Batch::new();
        let mut numbers = Vec::new();
        let limit = limit();
        while numbers.len() < 1000 {
            let datagrams = receiver.recv(&mut batch, &mut WallOffset::sample()).unwrap();
            assert!(datagrams.len() <= Batch::CAPACITY);
            assert!(datagrams.len() > 0 || clock::now() < limit, "only {} came", numbers.len());
            numbers.extend(datagrams.map(|d| number(d.bytes)));
        }
        assert!(numbers.into_iter().eq(0..1000));
    });
}

#[test]
fn a_queue_that_overflows_counts_what_it_drops() {
    netns_or_skip(|| {
        let (left, right) = veth("left", "right");
        let (sender, receiver) = (vrrp::Socket::open(left).unwrap(), vrrp::Socket::open(right).unwrap());
        receiver.join(GROUP).unwrap();
        for n in 0..20_000 {
            sender.send(&advertisement(n), GROUP).unwrap();
        }
        let mut batch = Batch::new();
        while receiver.recv(&mut batch, &mut WallOffset::sample()).unwrap().len() > 0 {}
        sender.send(&advertisement(0), GROUP).unwrap();
        readable(&receiver);
        let dropped = receiver.recv(&mut batch, &mut WallOffset::sample()).unwrap().dropped();
        assert!(dropped.is_some_and(|count| (1..20_000).contains(&count)), "{dropped:?}");
    });
}

#[test]
fn a_socket_hears_its_own_link_and_groups_only() {
    netns_or_skip(|| {
        let (left, right) = veth("left", "right");
        let (other, another) = veth("other", "another");
        let open = |link| vrrp::Socket::open(link).unwrap();
        let (sender, receiver, elsewhere, deaf) = (open(left), open(right), open(another), open(right));
        let far = open(other);
        receiver.join(GROUP).unwrap();
        elsewhere.join(GROUP).unwrap();
        assert_eq!(elsewhere.link(), Some(another));
        far.send(&advertisement(1), GROUP).unwrap();
        assert_eq!(hear(&elsewhere, 1, &mut WallOffset::sample())[0].number, 1);
        sender.send(&advertisement(2), GROUP).unwrap();
        assert_eq!(hear(&receiver, 1, &mut WallOffset::sample())[0].number, 2);
        nothing_waits(&elsewhere);
        nothing_waits(&deaf);
        receiver.leave(GROUP).unwrap();
        assert_eq!(receiver.leave(GROUP).unwrap_err().raw_os_error(), Some(libc::EADDRNOTAVAIL));
        sender.send(&advertisement(3), GROUP).unwrap();
        nothing_waits(&receiver);
    });
}

const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

/// Reads until `count` packets came.
fn hear_v6(socket: &vrrp::SocketV6, count: usize) -> Vec<(Vec<u8>, Delivery, Instant)> {
    let (mut batch, mut clock) = (Batch::new(), WallOffset::sample());
    let mut heard = Vec::new();
    while heard.len() < count {
        readable(socket);
        clock.next_turn();
        let datagrams = socket.recv(&mut batch, &mut clock).unwrap();
        heard.extend(datagrams.map(|d| (d.bytes.to_vec(), d.delivery.unwrap(), d.received)));
    }
    heard
}

#[test]
fn payloads_cross_a_link_over_ipv6_with_what_stood_in_their_headers() {
    netns_or_skip(|| {
        let (left, right) = veth("left", "right");
        let (sender, receiver) = (vrrp::SocketV6::open(left).unwrap(), vrrp::SocketV6::open(right).unwrap());
        receiver.join(GROUP_V6).unwrap();
        sender.join(GROUP_V6).unwrap();
        // No address of this host: an instance may speak from one of another link.
        let source = "fe80::14".parse().unwrap();
        let before = clock::now();
        for (payload, limit) in [(&[1, 2, 3][..], Some(255)), (&[4], Some(7)), (&[5], None)] {
            sender.send(payload, source, GROUP_V6, limit).unwrap();
        }
        let sent = clock::now();
        let heard = hear_v6(&receiver, 3);
        let tolerance = std::time::Duration::from_millis(200);
        for ((bytes, delivery, received), (payload, hop_limit)) in
            heard.into_iter().zip([(&[1, 2, 3][..], 255), (&[4], 7), (&[5], 255)])
        {
            assert_eq!(bytes, payload);
            assert_eq!(delivery, Delivery { source, destination: GROUP_V6, hop_limit });
            assert!(received + tolerance >= before && received <= sent + tolerance, "{received}");
        }
        let to_itself = sender.recv(&mut Batch::new(), &mut WallOffset::sample()).unwrap().len();
        assert_eq!(to_itself, 0);
        receiver.leave(GROUP_V6).unwrap();
        assert_eq!(receiver.leave(GROUP_V6).unwrap_err().raw_os_error(), Some(libc::EADDRNOTAVAIL));
        let routed = vrrp::SocketV6::open(None).unwrap();
        assert_eq!(routed.join(GROUP_V6).unwrap_err().raw_os_error(), Some(libc::ENODEV), "it has no link");
        let missing = IfIndex::try_from(4711).unwrap();
        assert!(vrrp::SocketV6::open(missing).is_err());
    });
}

#[test]
fn a_link_that_is_missing_or_down_is_told() {
    netns_or_skip(|| {
        let missing = IfIndex::try_from(4711).unwrap();
        assert_eq!(vrrp::Socket::open(missing).unwrap_err().raw_os_error(), Some(libc::ENODEV));
        let (left, _right) = veth("left", "right");
        let sender = vrrp::Socket::open(left).unwrap();
        down(left);
        let error = sender.send(&advertisement(0), GROUP).unwrap_err();
        assert!(
            matches!(error.raw_os_error(), Some(libc::ENETDOWN | libc::ENETUNREACH | libc::ENODEV)),
            "{error}"
        );
    });
}

#[test]
fn frames_travel_by_link() {
    netns_or_skip(|| {
        let (left, right) = veth("left", "right");
        let sender = packet::Sender::open().unwrap();
        let listener = packet::Listener::open(packet::EtherType::ARP).unwrap();
        let mut frame = vec![0xff; 12];
        frame.extend(packet::EtherType::ARP.0.to_be_bytes());
        frame.extend([7; 28]);
        let mut buffer = [0; 2048];
        assert_eq!(listener.recv(&mut buffer).unwrap(), None);
        sender.send(left, &frame).unwrap();
        readable(&listener);
        let heard = listener.recv(&mut buffer).unwrap().unwrap();
        assert_eq!((heard.link, heard.bytes), (right, frame.as_slice()));
        assert_eq!(listener.recv(&mut buffer).unwrap(), None, "its own frames are not heard");
        assert_eq!(sender.send(left, &frame[..13]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        down(left);
        assert_eq!(sender.send(left, &frame).unwrap_err().raw_os_error(), Some(libc::ENETDOWN));
    });
}

#[test]
fn netlink_tells_changes_and_dumps_whole() {
    netns_or_skip(|| {
        let changes = netlink::Socket::open(&[Group::LINK]).unwrap();
        let mut buffer = Vec::new();
        assert_eq!(changes.recv(&mut buffer).unwrap(), Received::Empty);
        veth("left", "right");
        assert_eq!(changes.recv(&mut buffer).unwrap(), Received::Datagram);
        assert_eq!(u16::from_ne_bytes([buffer[4], buffer[5]]), support::RTM_NEWLINK);
        let dump = netlink::Socket::open(&[]).unwrap();
        dump.send(&message(support::RTM_GETLINK, support::NLM_F_REQUEST | NLM_F_DUMP, &[0; 16])).unwrap();
        let mut kinds = Vec::new();
        while kinds.last() != Some(&NLMSG_DONE) {
            assert_eq!(dump.recv(&mut buffer).unwrap(), Received::Datagram);
            kinds.extend(message_kinds(&buffer));
        }
        assert_eq!(kinds.iter().filter(|k| **k == support::RTM_NEWLINK).count(), 3, "lo, left and right");
    });
}

const NLM_F_DUMP: u16 = 0x300;
const NLMSG_DONE: u16 = 3;

fn message_kinds(mut datagram: &[u8]) -> Vec<u16> {
    let mut kinds = Vec::new();
    while let Some(head) = datagram.first_chunk::<16>() {
        kinds.push(u16::from_ne_bytes([head[4], head[5]]));
        let length = u32::from_ne_bytes([head[0], head[1], head[2], head[3]]);
        let length = usize::try_from(length).unwrap().next_multiple_of(4);
        datagram = datagram.get(length..).unwrap_or_default();
    }
    kinds
}

#[test]
fn netlink_says_when_it_lost_something() {
    netns_or_skip(|| {
        let changes = netlink::Socket::open(&[Group::LINK]).unwrap();
        let link = up("lo");
        // Each change of state is at least one message of a kilobyte, and nobody reads them.
        for _ in 0..4_000 {
            down(link);
            up("lo");
        }
        let mut buffer = Vec::new();
        let mut overruns = 0;
        loop {
            match changes.recv(&mut buffer).unwrap() {
                Received::Datagram => {}
                Received::Overrun => overruns += 1,
                Received::Empty => break,
            }
        }
        assert_eq!(overruns, 1);
        support::request(&new_link(0, link.get(), 0, &[])).unwrap();
        assert_eq!(changes.recv(&mut buffer).unwrap(), Received::Datagram, "it works on");
    });
}

#[test]
fn netlink_drops_what_other_processes_send() {
    netns_or_skip(|| {
        let socket = netlink::Socket::open(&[Group::LINK]).unwrap();
        let forger = nix::sys::socket::socket(
            nix::sys::socket::AddressFamily::Netlink,
            nix::sys::socket::SockType::Raw,
            nix::sys::socket::SockFlag::SOCK_CLOEXEC,
            None,
        )
        .unwrap();
        let everybody_on_links = nix::sys::socket::NetlinkAddr::new(0, 1);
        let fd = std::os::fd::AsRawFd::as_raw_fd(&forger);
        let forged = message(support::RTM_NEWLINK, 0, &[0; 16]);
        nix::sys::socket::sendto(fd, &forged, &everybody_on_links, nix::sys::socket::MsgFlags::empty())
            .unwrap();
        assert_eq!(socket.recv(&mut Vec::new()).unwrap(), Received::Empty);
    });
}

#[test]
fn a_reactor_wakes_for_a_packet() {
    netns_or_skip(|| {
        let (left, right) = veth("left", "right");
        let (sender, receiver) = (vrrp::Socket::open(left).unwrap(), vrrp::Socket::open(right).unwrap());
        receiver.join(GROUP).unwrap();
        let mut reactor = Reactor::new().unwrap();
        reactor.add(&receiver, Token(3), Interest::Read).unwrap();
        let mut ready = Vec::new();
        reactor.wait(Some(clock::now()), &mut ready).unwrap();
        assert!(ready.is_empty());
        sender.send(&advertisement(0), GROUP).unwrap();
        reactor.wait(Some(limit()), &mut ready).unwrap();
        assert_eq!(ready[0].token, Token(3));
    });
}

#[test]
fn without_rights_there_are_no_raw_sockets() {
    netns_or_skip(|| {
        let link = up("lo");
        rights::keep_only(&[]).unwrap();
        assert_eq!(vrrp::Socket::open(link).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(packet::Sender::open().unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        netlink::Socket::open(&[Group::LINK]).unwrap();
    });
}

#[test]
fn settings_are_the_namespaces_own() {
    netns_or_skip(|| {
        veth("left", "right");
        let setting = ["ipv4", "conf", "left", "arp_ignore"];
        let Err(refused) = sysctl::write(&setting, "1") else {
            assert_eq!(sysctl::read(&setting).unwrap(), "1");
            return;
        };
        // In a container /proc/sys is often read-only.
        assert!(matches!(refused, sysctl::Error::File { .. }), "{refused}");
    });
}
