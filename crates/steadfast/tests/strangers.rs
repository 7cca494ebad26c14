//! Packets that nobody should have sent, one at a time and as a flood: they change nothing.

mod common;

use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

use common::stranger::{Claim, Stranger, resident, worker};
use common::{ROUTER_INTERVAL, World, notes_world, router};
use lab::now;
use model::vrrp::Version;
use model::{Centis, Instant};
use wire::ipv4;

const STRANGER: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 66);
const PASSWORD: [u8; 8] = *b"1111\0\0\0\0";

/// A router of each version on both hosts, and a stranger.
fn attacked() -> Option<(World, Stranger)> {
    let file = |priority| {
        let three = router("THREE", 51, priority, "192.168.0.100", "");
        let two =
            router("TWO", 52, priority, "192.168.0.101", "authentication { auth_type PASS auth_pass 1111 }");
        // A block takes a line for each of its words.
        let two = two.replace("{ auth_type PASS auth_pass 1111 }", "{\nauth_type PASS\nauth_pass 1111\n}");
        three + &two.replace("version 3", "version 2").replace("advert_int 0.3", "advert_int 1")
    };
    let mut world = notes_world([file(120), file(100)])?;
    world.settle();
    for (node, state) in world.nodes.iter().zip(["MASTER", "BACKUP"]) {
        node.wait_for_line(0, &format!("(TWO) Entering {state}"));
        node.wait_for_line(0, &format!("(THREE) Entering {state}"));
    }
    let stranger = Stranger::on(&world.lan, STRANGER);
    Some((world, stranger))
}

fn claims() -> [Claim; 2] {
    let address = Ipv4Addr::new(192, 168, 0, 100);
    let three = Claim {
        version: Version::V3,
        vrid: 51,
        priority: 254,
        interval: Centis::new(30),
        password: None,
        address,
    };
    let two = Claim {
        version: Version::V2,
        vrid: 52,
        interval: Centis::SECOND,
        password: Some(PASSWORD),
        address: Ipv4Addr::new(192, 168, 0, 101),
        ..three
    };
    [three, two]
}

/// What both daemons were before something happened to them.
struct Before {
    at: Instant,
    entered: [usize; 2],
    lines: [usize; 2],
    workers: [u32; 2],
    memory: [u64; 2],
}

fn both<T>(world: &World, of: impl Fn(&common::Node) -> T) -> [T; 2] {
    [of(&world.nodes[0]), of(&world.nodes[1])]
}

fn worker_of(node: &common::Node) -> u32 {
    worker(node.daemon.as_ref().unwrap()).unwrap()
}

impl Before {
    fn of(world: &World) -> Self {
        Self {
            at: now(),
            entered: both(world, |node| node.log().matches("Entering").count()),
            lines: both(world, |node| node.log().lines().count()),
            workers: both(world, worker_of),
            memory: both(world, |node| resident(worker_of(node))),
        }
    }

    /// Nothing that matters is another now.
    #[track_caller]
    fn assert_unchanged(&self, world: &World, most_lines: usize) {
        let after = Self::of(world);
        assert_eq!(self.entered, after.entered, "transitions\n{}", world.logs());
        assert_eq!(self.workers, after.workers, "a worker was started anew\n{}", world.logs());
        for (before, after) in self.lines.iter().zip(after.lines) {
            assert!(after - before <= most_lines, "{} lines\n{}", after - before, world.logs());
        }
        for (before, after) in self.memory.iter().zip(after.memory) {
            assert!(after < before + 1024, "memory grew from {before} to {after} KiB");
        }
        assert!(world.nodes[0].holds(world.vip) && !world.nodes[1].holds(world.vip));
        assert!(world.adverts_since(1, self.at).is_empty(), "{}", world.logs());
        world.assert_regular(0, self.at, ROUTER_INTERVAL);
    }
}

#[test]
fn no_damaged_or_unauthentic_packet_is_believed() {
    let Some((world, stranger)) = attacked() else { return };
    let before = Before::of(&world);
    for claim in claims() {
        let message = claim.message(STRANGER);
        for length in 0..message.len() {
            stranger.send(STRANGER, 255, &message[..length]);
        }
        for index in 0..message.len() {
            for flip in [0x01, 0x10, 0x80, 0xff] {
                let mut damaged = message.clone();
                damaged[index] ^= flip;
                stranger.send(STRANGER, 255, &damaged);
            }
        }
        for ttl in [0, 1, 64, 128, 254] {
            stranger.send(STRANGER, ttl, &message);
        }
        for vrid in [1, 50, 53, 255] {
            stranger.send(STRANGER, 255, &Claim { vrid, ..claim }.message(STRANGER));
        }
        // The other version under this router's number, and this host's own address as the sender.
        let other = if claim.version == Version::V2 { Version::V3 } else { Version::V2 };
        stranger.send(STRANGER, 255, &Claim { version: other, ..claim }.message(STRANGER));
        stranger.send(world.nodes[1].address, 255, &[]);
        send_damaged_headers(&stranger, &message);
    }
    let [_, two] = claims();
    for password in [None, Some(*b"1112\0\0\0\0"), Some([0; 8]), Some(*b"11110000")] {
        stranger.send(STRANGER, 255, &Claim { password, ..two }.message(STRANGER));
    }
    for length in 0..=1400 {
        stranger.send(STRANGER, 255, &vec![u8::try_from(length % 256).unwrap(); length]);
    }
    let _a_while = world.adverts_of(0, now(), 5);
    before.assert_unchanged(&world, 30);

    // The same without damage is believed, so all of the above did arrive.
    let [three, _] = claims();
    let mark = world.nodes[0].log().len();
    stranger.send(STRANGER, 255, &three.message(STRANGER));
    world.nodes[0].wait_for_line(mark, "(THREE) Entering BACKUP STATE");
    assert!(!world.nodes[0].log()[mark..].contains("(TWO) Entering"), "{}", world.logs());
}

/// The IP packet cut short at every length, and with every byte of its header damaged.
fn send_damaged_headers(stranger: &Stranger, message: &[u8]) {
    let mut packet = Vec::new();
    let header = ipv4::Header {
        source: STRANGER,
        destination: common::stranger::GROUP,
        ttl: 254,
        protocol: wire::vrrp::PROTOCOL,
        tos: 0,
        identification: 0,
        dont_fragment: false,
    };
    ipv4::emit(&header, message.len(), &mut packet);
    packet.extend_from_slice(message);
    for length in 1..packet.len() {
        stranger.send_packet(&packet[..length]);
    }
    for index in 0..ipv4::HEADER_BYTES {
        let mut damaged = packet.clone();
        damaged[index] ^= 0xff;
        stranger.send_packet(&damaged);
    }
}

#[test]
fn a_flood_from_one_address_changes_nothing() {
    flood(|_| STRANGER);
}

#[test]
fn a_flood_from_changing_addresses_changes_nothing() {
    flood(|number| {
        let [_, _, high, low] = number.to_be_bytes();
        Ipv4Addr::new(10, 9, high, low)
    });
}

/// 10,000 refused packets a second for ten seconds, against the master and the backup at once.
fn flood(source: impl Fn(u32) -> Ipv4Addr) {
    let Some((world, stranger)) = attacked() else { return };
    let before = Before::of(&world);
    let begin = now();
    for number in 0..100_000_u32 {
        let source = source(number);
        let (ttl, message) = hostile(number, source);
        stranger.send(source, ttl, &message);
        if number % 100 == 0 {
            // 100 microseconds for each.
            thread::sleep((Duration::from_micros(100) * number).saturating_sub(now().since(begin)));
        }
    }
    let took = now().since(begin);
    assert!(took < Duration::from_secs(13), "this machine is too slow for such a flood: {took:?}");
    let _a_while = world.adverts_of(0, now(), 5);
    before.assert_unchanged(&world, 20);
}

/// The `number`th packet of a flood: all that can be wrong, in turn.
fn hostile(number: u32, source: Ipv4Addr) -> (u8, Vec<u8>) {
    let [three, two] = claims();
    let whole = three.message(source);
    match number % 6 {
        0 => (255, whole[..usize::try_from(number).unwrap() % whole.len()].to_vec()),
        1 => (255, vec![0x31; 1 + usize::try_from(number).unwrap() % 300]),
        2 => (255, Claim { password: Some(*b"guess\0\0\0"), ..two }.message(source)),
        3 => (255, Claim { password: None, ..two }.message(source)),
        4 => (254, whole),
        _ => (255, Claim { version: Version::V2, ..three }.message(source)),
    }
}
