//! What goes wrong around a running daemon: interfaces that come and go, reloads, strangers on the LAN.

mod common;

use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

use common::{GRACE, PATIENCE, interface, network, seed_in_step, seed_world};
use lab::{Host, now, wait_until};
use model::{IfName, MacAddr};
use sys::socket::packet::Sender;
use wire::{ethernet, ipv4, vrrp};

#[test]
fn a_removed_interface_is_a_fault_until_it_is_made_anew() {
    let Some(mut world) = seed_world(seed_in_step()) else { return };
    world.settle();
    world.nodes[0].host.remove_interface(&interface()).unwrap();
    let followed = wait_until(PATIENCE, || world.nodes[1].holds(world.vip));
    assert!(followed, "{}", world.logs());
    let address = network(world.nodes[0].address);
    world.nodes[0].cable = world.lan.connect(&world.nodes[0].host, &interface(), &[address]).unwrap();
    world.nodes[0].mac = world.nodes[0].host.mac(&interface()).unwrap();
    world.wait_for_master(0);
    let _client = world.ask();
    world.wait_for_belief(0);
}

#[test]
fn an_interface_may_come_after_the_daemon() {
    let Some(mut world) = seed_world(seed_in_step()) else { return };
    let host = world.nodes[0].host.clone();
    host.remove_interface(&interface()).unwrap();
    world.nodes[0].start();
    world.nodes[1].start();
    world.adverts_of(1, now(), 2);
    assert!(world.nodes[0].daemon().ended().is_none(), "it waits for the interface\n{}", world.logs());
    let address = network(world.nodes[0].address);
    world.nodes[0].cable = world.lan.connect(&host, &interface(), &[address]).unwrap();
    world.wait_for_master(0);
}

#[test]
fn an_interface_under_another_name_is_another_one() {
    let Some(mut world) = seed_world(seed_in_step()) else { return };
    world.settle();
    let other: IfName = "eth7".parse().unwrap();
    let host = world.nodes[0].host.clone();
    host.rename_interface(&interface(), &other).unwrap();
    let followed =
        wait_until(PATIENCE, || world.nodes[1].holds(world.vip) && !world.nodes[0].holds(world.vip));
    assert!(followed, "{}", world.logs());
    host.rename_interface(&other, &interface()).unwrap();
    world.wait_for_master(0);
}

#[test]
fn an_interface_set_down_by_hand_comes_back_with_everything() {
    let Some(mut world) = seed_world(seed_in_step()) else { return };
    world.settle();
    let host = world.nodes[0].host.clone();
    host.set_interface(&interface(), false).unwrap();
    let followed = wait_until(PATIENCE, || world.nodes[1].holds(world.vip));
    assert!(followed, "{}", world.logs());
    host.set_interface(&interface(), true).unwrap();
    world.wait_for_master(0);
    let _client = world.ask();
}

#[test]
fn an_address_that_somebody_deletes_is_put_back() {
    let Some(mut world) = seed_world(seed_in_step()) else { return };
    world.settle();
    let host = world.nodes[0].host.clone();
    let vip = model::Prefix::host(world.vip.into());
    host.remove_address(&interface(), vip).unwrap();
    let back = wait_until(PATIENCE, || host.holds(world.vip.into()));
    assert!(back, "{}", world.logs());
    world.wait_for_master(0);
}

#[test]
fn a_reload_without_a_change_disturbs_nothing() {
    let Some(mut world) = seed_world(seed_in_step()) else { return };
    world.settle();
    let client = world.ask();
    let begin = now();
    for node in &mut world.nodes {
        node.daemon().hang_up().unwrap();
    }
    let heard = world.adverts_of(0, begin, 4);
    for pair in heard.windows(2) {
        let gap = pair[1].at.since(pair[0].at);
        assert!(gap < Duration::from_secs(1) + GRACE, "{gap:?} between two advertisements\n{}", world.logs());
    }
    assert!(world.adverts_since(1, begin).is_empty(), "{}", world.logs());
    let outage = client.longest_outage(begin, now());
    assert!(outage.length < GRACE, "{outage:?}");
}

#[test]
fn a_reload_with_an_error_keeps_what_runs() {
    let Some(mut world) = seed_world(seed_in_step()) else { return };
    world.settle();
    let broken = seed_in_step()[0].replace("virtual_router_id 51", "virtual_router_id 512");
    world.nodes[0].host.write("/run/keepalived.conf", &broken).unwrap();
    let begin = now();
    world.nodes[0].daemon().hang_up().unwrap();
    let said = wait_until(PATIENCE, || world.nodes[0].log().contains("512"));
    assert!(said, "{}", world.logs());
    let heard = world.adverts_of(0, begin, 3);
    assert!(heard.iter().all(|heard| heard.advert().unwrap().priority.get() == 101));
    world.wait_for_master(0);
}

#[test]
fn a_reload_changes_the_priority_of_a_running_instance() {
    let Some(mut world) = seed_world(seed_in_step()) else { return };
    world.settle();
    let raised = seed_in_step()[1].replace("priority 100", "priority 200");
    world.nodes[1].host.write("/run/keepalived.conf", &raised).unwrap();
    let begin = now();
    world.nodes[1].daemon().hang_up().unwrap();
    let _speaks = world.advert_with(1, begin, 200);
    world.wait_for_master(1);
}

#[test]
fn a_stranger_who_floods_the_lan_changes_nothing() {
    let Some(mut world) = seed_world(seed_in_step()) else { return };
    world.settle();
    let stranger = Host::new("stranger").unwrap();
    let address = Ipv4Addr::new(192, 168, 0, 66);
    let _cable = world.lan.connect(&stranger, &interface(), &[network(address)]).unwrap();
    let lines = |log: String| log.lines().count();
    let before = [lines(world.nodes[0].log()), lines(world.nodes[1].log())];
    let begin = now();
    flood(&stranger, address, world.nodes[0].address);
    let over = now();
    world.wait_for_master(0);
    assert!(world.adverts_since(1, begin).is_empty(), "{}", world.logs());
    let own = |heard: &lab::Heard| heard.from == world.nodes[0].mac && heard.advert().is_some();
    let adverts = world.sniffer.since(begin, |heard| heard.at < over && own(heard));
    assert!(adverts.len() >= 2, "the master spoke on: {}", adverts.len());
    for (node, before) in world.nodes.iter().zip(before) {
        let new = lines(node.log()) - before;
        assert!(new < 40, "{new} lines\n{}", node.log());
    }
}

/// For three seconds, 10,000 frames a second: cut short at every length, with a wrong checksum, with a wrong password,
/// under the master's name and under the stranger's own.
fn flood(stranger: &Host, own: Ipv4Addr, master: Ipv4Addr) {
    let frames = hostile_frames(stranger.mac(&interface()).unwrap(), own, master);
    let index = stranger.index(&interface()).unwrap();
    let socket = stranger.run(Sender::open).unwrap().unwrap();
    let begin = now();
    let mut sent: u32 = 0;
    while now().since(begin) < Duration::from_secs(3) {
        for frame in &frames {
            socket.send(index, frame).ok(); // a full queue is part of a flood
            sent += 1;
        }
        // Ahead of the rate: 100 microseconds a frame.
        thread::sleep((Duration::from_micros(100) * sent).saturating_sub(now().since(begin)));
    }
}

fn hostile_frames(mac: MacAddr, own: Ipv4Addr, master: Ipv4Addr) -> Vec<Vec<u8>> {
    let whole = |source: Ipv4Addr| {
        let vip = Ipv4Addr::new(192, 168, 0, 100).octets();
        let advert = vrrp::Advert {
            version: model::vrrp::Version::V2,
            vrid: model::Vrid::try_from(51).unwrap(),
            priority: model::Priority(254),
            interval: model::Centis::SECOND,
            auth: vrrp::Auth::Pass(*b"9999\0\0\0\0"),
            addresses: vrrp::Addresses::v4(&vip).unwrap(),
        };
        let mut message = Vec::new();
        vrrp::emit(&advert, source.into(), Ipv4Addr::new(224, 0, 0, 18).into(), &mut message);
        message
    };
    let mut frames = Vec::new();
    for source in [own, master] {
        let message = whole(source);
        frames.extend((0..=message.len()).map(|length| frame(mac, source, &message[..length])));
        let mut damaged = message.clone();
        damaged[2] ^= 1;
        frames.push(frame(mac, source, &damaged));
    }
    frames
}

fn frame(mac: MacAddr, source: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let destination = MacAddr([0x01, 0, 0x5e, 0, 0, 0x12]);
    let header = ethernet::Header { destination, source: mac, ethertype: ethernet::TYPE_IPV4 };
    ethernet::emit(&header, &mut frame);
    let ip = ipv4::Header {
        source,
        destination: Ipv4Addr::new(224, 0, 0, 18),
        ttl: vrrp::TTL,
        protocol: vrrp::PROTOCOL,
        tos: ipv4::TOS_INTERNETWORK_CONTROL,
        identification: 1,
        dont_fragment: false,
    };
    ipv4::emit(&ip, message.len(), &mut frame);
    frame.extend_from_slice(message);
    frame
}
