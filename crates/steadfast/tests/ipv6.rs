//! IPv6, both families together, and unicast without an interface, on real kernels.

mod common;

use std::net::{IpAddr, Ipv6Addr, UdpSocket};
use std::time::Duration;

use common::{GRACE, Node, PATIENCE, World, interface, notes_world};
use lab::{Heard, now, wait_for, wait_until};
use model::{Instant, MacAddr, Prefix, Priority};

const GROUP: &str = "ff02::12";
const VIP: &str = "2001:db8:51::1";
const LINK_LOCAL_VIP: &str = "fe80::51";
/// Three advertisement intervals, and the skew of priority 100.
const MASTER_DOWN_OF_100: Duration = Duration::from_nanos(900_000_000 + 300_000_000 * 156 / 256);

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// One virtual router over IPv6.
fn router6(name: &str, priority: u8, more: &str) -> String {
    format!(
        "vrrp_instance {name} {{
            interface eth1
            virtual_router_id 51
            advert_int 0.3
            priority {priority}
            {more}
            virtual_ipaddress {{
                {LINK_LOCAL_VIP}
                {VIP}/64
            }}
        }}\n"
    )
}

/// The link-local address that the kernel has given to a host.
#[track_caller]
fn link_local(node: &Node) -> IpAddr {
    let is_it = |prefix: &Prefix| matches!(prefix.address(), IpAddr::V6(v6) if v6.is_unicast_link_local());
    let known = || node.host.addresses(&interface()).ok()?.into_iter().find(is_it);
    wait_for(PATIENCE, known).expect("the kernel has made one").address()
}

#[track_caller]
fn advert(world: &World, from: IpAddr, since: Instant, priority: u8) -> Heard {
    let is_it = |heard: &Heard| {
        heard.is_advert_of(from) && heard.advert().is_some_and(|one| one.priority == Priority(priority))
    };
    let heard = world.sniffer.wait_for(since, PATIENCE, is_it);
    heard.unwrap_or_else(|| panic!("{from} does not say {priority}\n{}", world.logs()))
}

#[track_caller]
fn wait_for_holder(world: &World, index: usize, vips: &[&str]) {
    for vip in vips {
        let vip = address(vip);
        let right = || world.nodes[index].host.holds(vip) && !world.nodes[1 - index].host.holds(vip);
        assert!(wait_until(PATIENCE, right), "{vip} is not at {index} alone\n{}", world.logs());
    }
}

/// Makes the client ask where the address is, and waits until it believes this.
#[track_caller]
fn wait_for_belief(world: &World, vip: &str, mac: MacAddr) {
    let to = vip.parse::<Ipv6Addr>().expect("an address");
    let mut known = String::new();
    let right = wait_until(PATIENCE, || {
        let ask = move || UdpSocket::bind("[::]:0")?.send_to(b"?", (to, 9));
        world.client.run(ask).expect("the client's network").ok(); // it may have no route for a moment
        let mut show = world.client.spawn(&["/bin/sh", "-c", "ip -6 neigh"]).expect("iproute2");
        show.wait(PATIENCE);
        known = show.log().expect("a log");
        known.lines().any(|line| line.starts_with(vip) && line.contains(&mac.to_string()))
    });
    assert!(right, "the client knows {known}\n{}", world.logs());
}

fn pair(files: [String; 2]) -> Option<World> {
    let world = notes_world(files)?;
    let network = Prefix::new(address("2001:db8:51::200"), 64).expect("a prefix");
    world.client.add_address(&interface(), network).expect("an address");
    Some(world)
}

#[test]
fn a_master_over_ipv6_is_followed_when_it_stops_and_when_it_dies() {
    let Some(mut world) = pair([200, 100].map(|priority| router6("V", priority, ""))) else { return };
    let own = [0, 1].map(|index| link_local(&world.nodes[index]));
    world.start();
    let begin = now();
    let heard = advert(&world, own[0], begin, 200);
    let said = heard.advert().unwrap();
    assert_eq!((said.destination, said.ttl), (address(GROUP), 255));
    assert_eq!(said.addresses, [address(LINK_LOCAL_VIP), address(VIP)]);
    wait_for_holder(&world, 0, &[LINK_LOCAL_VIP, VIP]);
    let macs = [0, 1].map(|index| world.nodes[index].mac);
    for vip in [LINK_LOCAL_VIP, VIP] {
        let announced =
            world.sniffer.wait_for(begin, PATIENCE, |heard| heard.announces(address(vip), macs[0]));
        assert!(announced.is_some(), "{vip} is not announced\n{}", world.logs());
    }
    wait_for_belief(&world, VIP, macs[0]);

    let begin = now();
    world.nodes[0].stop();
    let release = advert(&world, own[0], begin, 0);
    let takeover = advert(&world, own[1], begin, 100);
    assert!(takeover.at.since(release.at) < GRACE, "{:?}", takeover.at.since(release.at));
    wait_for_holder(&world, 1, &[LINK_LOCAL_VIP, VIP]);
    wait_for_belief(&world, VIP, macs[1]);

    world.nodes[0].start();
    advert(&world, own[0], now(), 200);
    wait_for_holder(&world, 0, &[LINK_LOCAL_VIP, VIP]);
    let begin = now();
    world.nodes[0].daemon().kill_tree();
    let takeover = advert(&world, own[1], begin, 100);
    let last = world.sniffer.last_before(takeover.at, |heard| heard.is_advert_of(own[0])).unwrap();
    let silence = takeover.at.since(last.at);
    let bounds = MASTER_DOWN_OF_100 - Duration::from_millis(5)..MASTER_DOWN_OF_100 + GRACE;
    assert!(bounds.contains(&silence), "{silence:?}\n{}", world.logs());
    // The dead host's kernel has the addresses still; who asks again is told of the living one.
    wait_for_belief(&world, VIP, macs[1]);
}

#[test]
fn peers_over_ipv6_speak_with_their_hop_limit() {
    let hosts = ["2001:db8::86", "2001:db8::14"];
    let files = [0, 1].map(|index: usize| {
        let (own, peer) = (hosts[index], hosts[1 - index]);
        let more = format!(
            "unicast_src_ip {own}\n unicast_ttl 7\n unicast_peer {{\n {peer} min_ttl 7 max_ttl 7\n }}"
        );
        router6("V", [200, 100][index], &more)
    });
    let Some(mut world) = pair(files) else { return };
    for (node, host) in world.nodes.iter().zip(hosts) {
        let own = Prefix::new(address(host), 64).expect("a prefix");
        node.host.add_address(&interface(), own).expect("an address");
    }
    let begin = now();
    world.start();
    let heard = advert(&world, address(hosts[0]), begin, 200);
    let said = heard.advert().unwrap();
    assert_eq!((said.destination, said.ttl), (address(hosts[1]), 7));
    wait_for_holder(&world, 0, &[VIP]);
    let begin = now();
    world.nodes[0].stop();
    advert(&world, address(hosts[1]), begin, 100);
    wait_for_holder(&world, 1, &[VIP]);
}

/// Both families of one service, as users configure them: one VRID, two instances, one group.
#[test]
fn both_families_move_together() {
    let files = [200, 100].map(|priority| {
        let four = common::router("four", 51, priority, "192.168.0.100", "");
        let six = router6("six", priority, "");
        format!("vrrp_sync_group both {{\n group {{\n four\n six\n }}\n }}\n{four}{six}")
    });
    let Some(mut world) = pair(files) else { return };
    let own = [0, 1].map(|index| link_local(&world.nodes[index]));
    world.start();
    let all = ["192.168.0.100", LINK_LOCAL_VIP, VIP];
    wait_for_holder(&world, 0, &all);
    let begin = now();
    advert(&world, own[0], begin, 200);
    advert(&world, world.nodes[0].address.into(), begin, 200);

    world.nodes[0].cable.pull().unwrap();
    wait_for_holder(&world, 1, &all);
    world.nodes[0].cable.plug().unwrap();
    wait_for_holder(&world, 0, &all);

    // Only one of the families has lost its address.
    world.nodes[0].shell("ip -6 addr flush dev eth1 scope link");
    wait_for_holder(&world, 1, &all);
}

#[test]
fn an_address_that_the_kernel_examines_is_waited_for() {
    let Some(mut world) = pair([200, 100].map(|priority| router6("V", priority, ""))) else { return };
    let node = &mut world.nodes[0];
    // Several seconds of search for duplicates, which begins when the link comes up.
    node.shell(
        "ip link set eth1 down; cd /proc/sys/net/ipv6/conf/eth1; echo 1 > accept_dad; echo 4 > dad_transmits; \
         ip link set eth1 up",
    );
    node.start();
    let begin = now();
    wait_for_holder(&world, 0, &[VIP]);
    let log = world.nodes[0].log();
    assert!(!log.contains("FAULT"), "{log}");
    assert!(now().since(begin) > Duration::from_secs(2), "it did not wait\n{log}");
}

/// A claim is an answer to our own question: the other host's, whose daemon has died and left the address.
#[test]
fn another_host_that_answers_for_the_address_is_told_of() {
    let Some(mut world) = pair([200, 100].map(|priority| router6("V", priority, ""))) else { return };
    let vip = Prefix::new(address(VIP), 64).expect("a prefix");
    world.nodes[1].host.add_address(&interface(), vip).expect("an address");
    world.nodes[0].start();
    let line = world.nodes[0].wait_for_line(0, VIP_CLAIM);
    assert!(line.contains(&world.nodes[1].mac.to_string()), "{line}");
}

/// A VMAC has no address to ask from: the interface below asks for it.
#[test]
fn the_same_is_told_to_a_virtual_router_with_a_vmac() {
    let Some(mut world) = pair([200, 100].map(|priority| router6("V", priority, "use_vmac"))) else { return };
    let vip = Prefix::new(address(VIP), 64).expect("a prefix");
    world.nodes[1].host.add_address(&interface(), vip).expect("an address");
    world.nodes[0].start();
    let line = world.nodes[0].wait_for_line(0, VIP_CLAIM);
    assert!(line.contains(&world.nodes[1].mac.to_string()), "{line}");
    assert!(!world.nodes[0].log().contains("cannot ask on"), "{}", world.logs());
}

/// What the log says then.
const VIP_CLAIM: &str = "virtual address 2001:db8:51::1 is also held by";

/// The same number for other peers, and peers without an interface.
#[test]
fn one_number_serves_several_peers_and_no_interface_is_needed() {
    let hosts = ["192.168.0.86", "192.168.0.14"];
    let files = [0, 1].map(|index: usize| {
        let (own, peer) = (hosts[index], hosts[1 - index]);
        let priority = [200, 100][index];
        let way = |peer: &str| format!("unicast_src_ip {own}\n unicast_peer {{\n {peer}\n }}");
        let near = common::router("near", 51, priority, "192.168.0.100", &way(peer));
        let elsewhere = common::router("elsewhere", 51, priority, "192.168.0.101", &way("192.168.0.99"));
        let anywhere = common::router("anywhere", 52, priority, "192.168.0.102 dev eth1", &way(peer));
        let anywhere = anywhere.replace("interface eth1\n", "");
        format!("{near}{elsewhere}{anywhere}")
    });
    let Some(mut world) = pair(files) else { return };
    world.start();
    wait_for_holder(&world, 0, &["192.168.0.100", "192.168.0.102"]);
    // Its peer is not there: both hosts hold it.
    let alone = address("192.168.0.101");
    let both = || world.nodes.iter().all(|node| node.host.holds(alone));
    assert!(wait_until(PATIENCE, both), "{}", world.logs());
    world.nodes[0].stop();
    wait_for_holder(&world, 1, &["192.168.0.100", "192.168.0.102"]);
}
