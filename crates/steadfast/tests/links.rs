//! Virtual routers on interfaces of every kind. What this kernel lacks runs in the virtual machine (`cargo xtask vm`).

mod common;

use common::{Node, PATIENCE, World, notes_world, router};
use lab::wait_until;

/// How an interface is made on top of `eth1`, which has an address and is up.
struct Kind {
    /// Lines of shell. They leave the host's address on `name`.
    make: &'static str,
    name: &'static str,
    /// Makes it lose its carrier, and brings it back.
    cut: [&'static str; 2],
}

const CUT_ETH1: [&str; 2] = ["ip link set eth1 down", "ip link set eth1 up"];

#[test]
fn over_a_vlan() {
    serves_over(&Kind {
        make: "ip link add link eth1 name eth1.100 type vlan id 100 && ip link set eth1.100 up",
        name: "eth1.100",
        cut: CUT_ETH1,
    });
}

#[test]
fn over_a_vlan_of_a_vlan() {
    serves_over(&Kind {
        make: "ip link add link eth1 name outer type vlan id 5 protocol 802.1ad && ip link set outer up &&
            ip link add link outer name inner type vlan id 7 && ip link set inner up",
        name: "inner",
        cut: CUT_ETH1,
    });
}

#[test]
fn over_a_bond() {
    serves_over(&Kind {
        make: "ip link add bond0 type bond mode active-backup miimon 20 && ip link set eth1 down &&
            ip link set eth1 master bond0 && ip link set bond0 up",
        name: "bond0",
        cut: CUT_ETH1,
    });
}

#[test]
fn over_a_bridge() {
    serves_over(&Kind {
        make: "ip link add br0 type bridge && ip link set eth1 master br0 && ip link set br0 up",
        name: "br0",
        cut: CUT_ETH1,
    });
}

#[test]
fn over_a_macvlan_of_the_operators() {
    serves_over(&Kind {
        make: "ip link add link eth1 name mv0 type macvlan mode bridge && ip link set mv0 up",
        name: "mv0",
        cut: CUT_ETH1,
    });
}

#[test]
fn over_an_interface_in_a_vrf() {
    serves_over(&Kind {
        make: "ip link add red type vrf table 100 && ip link set red up && ip link set eth1 master red",
        name: "eth1",
        cut: CUT_ETH1,
    });
}

#[test]
fn peers_without_an_interface_speak_in_their_vrf() {
    let hosts = ["192.168.0.86", "192.168.0.14"];
    let files = [0, 1].map(|index: usize| {
        let more =
            format!("vrf red\n unicast_src_ip {}\n unicast_peer {{\n{}\n}}", hosts[index], hosts[1 - index]);
        router("V", 51, [120, 100][index], "192.168.0.100/24 dev eth1", &more).replace("interface eth1", "")
    });
    let Some(mut world) = notes_world(files) else { return };
    let lines = "ip link add red type vrf table 100 && ip link set red up && ip link set eth1 master red";
    if !make(&world, lines, "eth1", false) {
        return;
    }
    world.start();
    world.wait_for_address_on(0);
    let begin = lab::now();
    world.nodes[0].daemon().kill_tree();
    let own = world.nodes[1].address;
    let heard = world.sniffer.wait_for(begin, PATIENCE, |heard| heard.is_advert_of(own));
    assert!(heard.is_some(), "the other peer never speaks\n{}", world.logs());
    assert!(wait_until(PATIENCE, || world.nodes[1].holds(world.vip)), "{}", world.logs());
    world.nodes[0].start();
    world.wait_for_address_on(0);
    world.nodes[0].shell("ip link set red down");
    world.wait_for_address_on(1);
    world.nodes[0].shell("ip link set red up");
    world.wait_for_address_on(0);
}

#[test]
fn addresses_go_to_a_dummy_interface() {
    let Some(mut world) = world_on("eth1", "203.0.113.7/32 dev dummy0") else { return };
    if !make(&world, "ip link add dummy0 type dummy && ip link set dummy0 up", "dummy0", false) {
        return;
    }
    world.start();
    let held = |node: &Node| node.host.holds("203.0.113.7".parse().expect("an address"));
    assert!(wait_until(PATIENCE, || held(&world.nodes[0]) && !held(&world.nodes[1])), "{}", world.logs());
    world.nodes[0].stop();
    assert!(wait_until(PATIENCE, || held(&world.nodes[1]) && !held(&world.nodes[0])), "{}", world.logs());
}

/// Start, crash, return, loss of the carrier and its return, over such an interface.
fn serves_over(kind: &Kind) {
    let Some(mut world) = world_on(kind.name, "192.168.0.100") else { return };
    if !make(&world, kind.make, kind.name, kind.name != "eth1") {
        return;
    }
    world.start();
    world.wait_for_address_on(0);
    let client = (kind.name != "inner" && !kind.name.contains('.')).then(|| world.ask());

    world.nodes[0].daemon().kill_tree();
    assert!(wait_until(PATIENCE, || world.nodes[1].holds(world.vip)), "{}", world.logs());
    // What the killed one left is removed when it comes back, or taken over again.
    world.nodes[0].start();
    world.wait_for_address_on(0);

    let [down, up] = kind.cut;
    world.nodes[0].shell(down);
    world.wait_for_address_on(1);
    let fault = wait_until(PATIENCE, || world.nodes[0].log().contains("Entering FAULT STATE"));
    assert!(fault, "{}", world.logs());
    world.nodes[0].shell(up);
    world.wait_for_address_on(0);
    if let Some(client) = client {
        let from = lab::now();
        assert!(wait_until(PATIENCE, || client.answered_since(from) > 0), "{}", world.logs());
    }
    for node in &mut world.nodes {
        node.stop();
        assert!(!node.holds(world.vip));
    }
}

fn world_on(interface: &str, vip: &str) -> Option<World> {
    let file = |priority| {
        router("V", 51, priority, vip, "").replace("interface eth1", &format!("interface {interface}"))
    };
    notes_world([120, 100].map(file))
}

/// Makes the interface on both hosts, `false` if this kernel cannot.
fn make(world: &World, lines: &str, name: &str, moves_address: bool) -> bool {
    for node in &world.nodes {
        let mut made = node.host.spawn(&["/bin/sh", "-c", lines]).expect("a shell");
        let status = made.wait(PATIENCE).expect("it ends");
        let log = made.log().expect("a log");
        if !status.success() && (log.contains("Unknown device type") || log.contains("not supported")) {
            lab::skip_for_kernel(format_args!("{lines}: {}", log.trim()));
            return false;
        }
        assert!(status.success(), "{lines}: {log}");
        if moves_address {
            let address = node.address;
            node.shell(&format!(
                "ip addr flush dev eth1; ip addr add {address}/24 dev {name}; ip link set eth1 up"
            ));
        }
    }
    true
}
