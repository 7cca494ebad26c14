//! Instances that run on ipvlans of their own. What this kernel lacks runs in the virtual machine (`cargo xtask vm`).

mod common;

use std::net::Ipv4Addr;

use common::{PATIENCE, World, notes_world, router};
use lab::{now, wait_until};
use model::{IfName, Instant};

const OWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 168, 0, 61), Ipv4Addr::new(192, 168, 0, 62)];

/// Two routers with ipvlans of this mode, of priorities 120 and 100; `None` if this kernel has none.
fn routers(mode: &str) -> Option<World> {
    let world = notes_world([(120, OWN[0]), (100, OWN[1])].map(|(priority, own)| {
        router("V", 51, priority, "192.168.0.100", &format!("use_ipvlan ipvl0 {own}/24 {mode}"))
    }))?;
    let line = "ip link add probe0 link eth1 type ipvlan mode l2 && ip link del probe0";
    let mut probe = world.nodes[0].host.spawn(&["/bin/sh", "-c", line]).expect("a shell");
    if probe.wait(PATIENCE).is_some_and(|status| status.success()) {
        return Some(world);
    }
    lab::skip_for_kernel(format_args!("no ipvlan: {}", probe.log().expect("a log").trim()));
    None
}

#[track_caller]
fn assert_advertises(world: &World, own: Ipv4Addr, since: Instant) {
    let heard = world.sniffer.wait_for(since, PATIENCE, |heard| heard.is_advert_of(own));
    assert!(heard.is_some(), "{own} does not advertise\n{}", world.logs());
}

#[track_caller]
fn assert_link(world: &World, node: usize, there: bool) {
    let name: IfName = "ipvl0".parse().expect("a name");
    let right = wait_until(PATIENCE, || world.nodes[node].host.index(&name).is_ok() == there);
    assert!(right, "ipvl0 on host {node}, expected {there}\n{}", world.logs());
}

#[test]
fn it_speaks_from_its_own_address() {
    for mode in ["", "private", "vepa"] {
        let Some(mut world) = routers(mode) else { return };
        world.start();
        assert_advertises(&world, OWN[0], Instant::ZERO);
        world.wait_for_address_on(0);
        world.nodes[0].shell("ip addr show ipvl0 | grep -q 192.168.0.100");
        let client = world.ask();
        let answered = wait_until(PATIENCE, || client.answered_since(Instant::ZERO) > 0);
        assert!(answered, "{}", world.logs());
        let begin = now();
        world.nodes[0].stop();
        assert_link(&world, 0, false);
        assert_advertises(&world, OWN[1], begin);
        world.wait_for_address_on(1);
    }
}

#[test]
fn what_somebody_deletes_is_made_again() {
    let Some(mut world) = routers("") else { return };
    world.start();
    world.wait_for_address_on(0);
    world.nodes[0].shell("ip link del ipvl0");
    world.nodes[0].wait_for_line(0, "somebody else deleted interface ipvl0; made again");
    world.wait_for_address_on(0);
    world.nodes[0].shell("ip addr show ipvl0 | grep -q 192.168.0.61/24");
}
