//! Two hosts that sign their advertisements: a third believes to be heard, and is not; and keys change without a failover.

mod common;

use std::net::Ipv4Addr;

use common::stranger::{Claim, Stranger};
use common::{PATIENCE, World, notes_world, router};
use lab::{Signal, now, wait_until};
use model::Centis;
use model::vrrp::Version;

const ETHERNET: usize = 14;
/// Behind the headers of Ethernet and IP, and a message with one address.
const SIGNATURE: usize = ETHERNET + 20 + 12;

/// The file of a host of this priority that knows these keys and signs with the last of them.
fn file(priority: u8, keys: &[u8]) -> String {
    let lines: String = keys.iter().map(|id| format!("key {id} file:/run/{id}.key\n")).collect();
    let active = keys.last().expect("a key");
    router("V", 51, priority, "192.168.0.100", &format!("auth_hmac {{\n{lines} active_key {active}\n}}"))
}

/// The hosts, with the keys 1 and 2 in files of theirs.
fn signing_world() -> Option<World> {
    let world = notes_world([120, 100].map(|priority| file(priority, &[1])))?;
    for node in &world.nodes {
        for (id, digit) in [(1, "a1"), (2, "b2")] {
            node.host.write(&format!("/run/{id}.key"), &format!("hex:{}\n", digit.repeat(32))).unwrap();
            node.shell(&format!("chmod 600 /run/{id}.key"));
        }
    }
    Some(world)
}

/// Waits until host `index` signs with this key.
#[track_caller]
fn wait_for_key(world: &World, index: usize, id: u8) -> Vec<u8> {
    let begin = now();
    let signed = || {
        let heard = world.adverts_since(index, begin);
        heard.iter().map(|heard| heard.frame.to_vec()).find(|frame| frame[SIGNATURE..][..2] == [1, id])
    };
    lab::wait_for(PATIENCE, signed).unwrap_or_else(|| panic!("key {id} does not sign\n{}", world.logs()))
}

#[test]
fn keys_are_changed_host_by_host_without_a_failover() {
    let Some(mut world) = signing_world() else { return };
    world.settle();
    wait_for_key(&world, 0, 1);
    let begin = now();
    // Both know the new one before anybody signs with it; the old one goes last.
    for (keys, priorities) in [([2, 1].as_slice(), [100, 120]), (&[1, 2], [100, 120]), (&[2], [120, 100])] {
        for priority in priorities {
            let node = &mut world.nodes[usize::from(priority == 100)];
            node.configure(&file(priority, keys));
            let after = node.log().len();
            node.daemon().signal(Signal::HUP).unwrap();
            node.wait_for_line(after, "auth_hmac");
        }
    }
    wait_for_key(&world, 0, 2);
    assert!(world.adverts_since(1, begin).is_empty(), "the other one was never master\n{}", world.logs());
    assert!(!world.logs().contains("refused"), "{}", world.logs());
    let logs = world.logs();
    assert!(!logs.contains("a1a1") && !logs.contains("b2b2") && !logs.contains("178, 178"), "{logs}");
}

#[test]
fn what_is_not_signed_or_was_recorded_is_refused() {
    let Some(mut world) = signing_world() else { return };
    world.settle();
    let stranger = Stranger::on(&world.lan, Ipv4Addr::new(192, 168, 0, 66));
    let recorded = wait_for_key(&world, 0, 1);
    let address = world.vip;
    let (version, interval) = (Version::V3, Centis::new(30));
    let claim = Claim { version, vrid: 51, priority: 254, interval, password: None, address };
    let source = Ipv4Addr::new(192, 168, 0, 66);
    let message = claim.message(source);
    stranger.send(source, 255, &message);
    world.nodes[0].wait_for_line(0, "from 192.168.0.66: it is not signed");
    let forged = [&message[..], &recorded[SIGNATURE..][..28]].concat();
    stranger.send(source, 255, &forged);
    world.nodes[0].wait_for_line(0, "from 192.168.0.66: its signature is wrong");
    stranger.send_packet(&recorded[ETHERNET..]);
    world.nodes[1].wait_for_line(0, "from 192.168.0.86: it is no newer");
    assert!(world.nodes[0].holds(address) && !world.nodes[1].holds(address), "{}", world.logs());
    // With the better host gone, what it said yesterday does not keep the other one from taking over.
    world.nodes[0].daemon().kill_tree();
    let takes_over = wait_until(PATIENCE, || {
        stranger.send_packet(&recorded[ETHERNET..]);
        world.nodes[1].holds(address)
    });
    assert!(takes_over, "{}", world.logs());
}

#[test]
fn a_key_that_others_can_read_starts_nothing() {
    let Some(mut world) = signing_world() else { return };
    world.nodes[0].shell("chmod 644 /run/1.key");
    let status = world.nodes[0].start().wait(PATIENCE).expect("it ends");
    assert!(!status.success());
    world.nodes[0]
        .wait_for_line(0, "(V) key 1 of auth_hmac, /run/1.key: it can be read or written by others");
}
