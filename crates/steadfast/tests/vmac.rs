//! Instances that run on interfaces of their own: the MAC that the LAN sees, and how these interfaces come and go.

mod common;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use common::{GRACE, PATIENCE, ROUTER_INTERVAL, World, notes_world, router};
use lab::{Cable, Heard, Lan, Message, Sniffer, now, wait_until};
use model::{IfName, Instant, MacAddr, Prefix};

const VMAC: MacAddr = MacAddr([0, 0, 0x5e, 0, 1, 51]);
const VIP: &str = "192.168.0.100";
const KEEPALIVED: &str = "/usr/sbin/keepalived";

/// Two routers with this in their instances, of priorities 120 and 100.
fn routers(more: &str) -> Option<World> {
    notes_world([120, 100].map(|priority| router("V", 51, priority, VIP, more)))
}

fn name(text: &str) -> IfName {
    text.parse().expect("a name")
}

/// Every ARP packet that said where the virtual address is.
fn said_of_vip(world: &World, since: Instant) -> Vec<Heard> {
    let vip = world.vip;
    world.sniffer.since(since, |heard| matches!(heard.message, Message::Arp(arp) if arp.sender == vip))
}

/// The client never was told of another place than the virtual MAC.
#[track_caller]
fn assert_one_mac(world: &World, since: Instant) {
    let said = said_of_vip(world, since);
    assert!(!said.is_empty(), "nobody said where {} is\n{}", world.vip, world.logs());
    for heard in said {
        let Message::Arp(arp) = heard.message else { unreachable!("it was chosen") };
        assert_eq!((heard.from, arp.sender_mac), (VMAC, VMAC), "{}", world.logs());
    }
    assert_eq!(world.client.believes(world.vip), Some(VMAC), "{}", world.logs());
}

#[track_caller]
fn assert_link(world: &World, node: usize, link: &str, there: bool) {
    let host = &world.nodes[node].host;
    let found = wait_until(PATIENCE, || host.index(&name(link)).is_ok() == there);
    assert!(found, "{link} on host {node}, expected {there}\n{}", world.logs());
}

#[test]
fn a_failover_moves_no_mac() {
    let Some(mut world) = routers("use_vmac") else { return };
    let begin = now();
    world.settle();
    let _client = world.ask();
    fail_over_and_back(&mut world);
    assert_one_mac(&world, begin);
    let adverts = world.sniffer.since(begin, |heard| heard.advert().is_some());
    assert!(adverts.iter().all(|heard| heard.from == VMAC), "advertisements carry the virtual MAC");
}

fn fail_over_and_back(world: &mut World) {
    world.nodes[0].stop();
    world.wait_for_master(1);
    world.nodes[0].start();
    world.wait_for_master(0);
    let begin = now();
    world.nodes[0].cable.pull().expect("a cable");
    world.adverts_of(1, begin, 2);
    world.nodes[0].cable.plug().expect("a cable");
    world.wait_for_master(0);
}

#[test]
fn with_xmit_base_only_advertisements_have_the_mac_of_the_host() {
    let Some(mut world) = routers("use_vmac\nvmac_xmit_base") else { return };
    let begin = now();
    world.settle();
    let _client = world.ask();
    fail_over_and_back(&mut world);
    assert_one_mac(&world, begin);
    let macs = [0, 1].map(|index: usize| (world.nodes[index].address, world.nodes[index].mac));
    for (address, mac) in macs {
        let adverts = world.sniffer.since(begin, |heard| heard.is_advert_of(address));
        assert!(!adverts.is_empty() && adverts.iter().all(|heard| heard.from == mac));
    }
}

#[test]
fn name_mac_and_group_can_be_chosen() {
    let Some(mut world) = routers("use_vmac vip0 02:11:22:33:44:55 group 7 netlink_notify_msg") else {
        return;
    };
    let mac = MacAddr([2, 0x11, 0x22, 0x33, 0x44, 0x55]);
    let begin = now();
    world.settle();
    let announced = world.sniffer.wait_for(begin, PATIENCE, |heard| heard.announces(world.vip, mac));
    assert!(announced.is_some(), "{}", world.logs());
    world.nodes[0].shell("ip -d link show vip0 | grep -q 'macvlan mode private'");
    world.nodes[0].shell("ip link show group 7 | grep -q vip0");
    world.nodes[0].shell("grep -q 1 /proc/sys/net/ipv6/conf/vip0/disable_ipv6");
}

#[test]
fn names_begin_with_the_prefix_of_the_file() {
    let file = |priority| {
        let router = router("V", 51, priority, VIP, "use_vmac");
        format!("global_defs {{\nvmac_prefix vip\n}}\n{router}")
    };
    let Some(mut world) = notes_world([120, 100].map(file)) else { return };
    world.settle();
    assert_link(&world, 0, "vip.51", true);
}

#[test]
fn the_interface_is_there_before_the_master_is_and_goes_with_the_daemon() {
    let Some(mut world) = routers("use_vmac") else { return };
    let settings =
        "cat /proc/sys/net/ipv4/conf/eth1/arp_ignore /proc/sys/net/ipv4/conf/eth1/arp_filter | tr -d '\\n'";
    world.settle();
    for node in [0, 1] {
        assert_link(&world, node, "vrrp.51", true);
        world.nodes[node].shell(&format!("test \"$({settings})\" = 11"));
        let log = world.nodes[node].log();
        assert!(!log.contains("FAULT"), "it waits for its interface before it begins\n{log}");
    }
    world.nodes[0].stop();
    assert_link(&world, 0, "vrrp.51", false);
    world.nodes[0].shell(&format!("test \"$({settings})\" = 00"));
}

#[test]
fn what_a_killed_run_changed_below_is_given_back_by_the_next_one() {
    let Some(mut world) = routers("use_vmac") else { return };
    let expect = |world: &World, values: &str| {
        let folder = "/proc/sys/net/ipv4/conf/eth1";
        let read = format!("cat {folder}/arp_ignore {folder}/arp_filter {folder}/arp_announce | tr -d '\\n'");
        world.nodes[0].shell(&format!("test \"$({read})\" = {values}"));
    };
    world.settle();
    expect(&world, "112");
    crash(&mut world);
    world.nodes[0].start();
    world.wait_for_master(0);
    // What somebody has chosen meanwhile is not ours to change.
    world.nodes[0].shell("echo 8 > /proc/sys/net/ipv4/conf/eth1/arp_ignore");
    crash(&mut world);
    world.nodes[0].start();
    world.wait_for_master(0);
    world.nodes[0].stop();
    expect(&world, "800");
    // One that the next run does not want is taken over all the same.
    world.nodes[0].shell("echo 0 > /proc/sys/net/ipv4/conf/eth1/arp_ignore");
    world.nodes[0].start();
    world.wait_for_master(0);
    expect(&world, "112");
    crash(&mut world);
    world.nodes[0].configure(&router("V", 51, 120, VIP, ""));
    world.nodes[0].start();
    world.wait_for_master(0);
    assert_link(&world, 0, "vrrp.51", false);
    expect(&world, "000");
}

#[test]
fn what_somebody_deletes_is_made_again() {
    let Some(mut world) = routers("use_vmac") else { return };
    world.settle();
    let first = world.nodes[0].host.index(&name("vrrp.51")).expect("it is there");
    let begin = now();
    world.nodes[0].shell("ip link del vrrp.51");
    let again = || world.nodes[0].host.index(&name("vrrp.51")).is_ok_and(|index| index != first);
    assert!(wait_until(PATIENCE, again), "{}", world.logs());
    world.nodes[0].wait_for_line(0, "somebody else deleted interface vrrp.51; made again");
    world.wait_for_master(0);
    assert_no_move(&world, begin);
    let told = world.sniffer.wait_for(begin, PATIENCE, |heard| heard.announces(world.vip, VMAC));
    assert!(told.is_some(), "clients are not told anew\n{}", world.logs());
}

#[test]
fn what_somebody_sets_down_is_set_up_again() {
    let Some(mut world) = routers("use_vmac") else { return };
    world.settle();
    let begin = now();
    world.nodes[0].shell("ip link set vrrp.51 down");
    world.nodes[0].wait_for_line(0, "somebody else set interface vrrp.51 down; set up again");
    world.nodes[0].shell("ip link show dev vrrp.51 | grep -q '[<,]UP[,>]'");
    world.wait_for_master(0);
    assert_no_move(&world, begin);
}

/// The first host has been master since then: neither has it said that it stops, nor has the other one spoken.
#[track_caller]
fn assert_no_move(world: &World, since: Instant) {
    let heard = world.adverts_since(0, since);
    assert!(heard.iter().all(|heard| heard.advert().is_some_and(|advert| advert.priority.get() > 0)));
    assert_eq!(world.adverts_since(1, since).len(), 0, "{}", world.logs());
    assert!(!world.nodes[0].log().contains("FAULT"), "{}", world.logs());
}

#[test]
fn it_comes_when_the_interface_below_does() {
    let Some(mut world) = routers("use_vmac") else { return };
    world.nodes[0].shell("ip link set eth1 down && ip link set eth1 name away && ip link set away up");
    world.nodes[0].start();
    world.nodes[0].wait_for_line(0, "cannot make interface vrrp.51 yet: there is no interface eth1");
    world.nodes[0].shell("ip link set away down && ip link set away name eth1 && ip link set eth1 up");
    world.nodes[1].start();
    world.wait_for_master(0);
}

#[test]
fn what_a_killed_run_left_is_used_again_or_removed() {
    let Some(mut world) = routers("use_vmac") else { return };
    world.settle();
    let first = world.nodes[0].host.index(&name("vrrp.51")).expect("it is there");
    crash(&mut world);
    world.nodes[0].start();
    world.wait_for_master(0);
    assert_eq!(world.nodes[0].host.index(&name("vrrp.51")).expect("it is there"), first);
    crash(&mut world);
    world.nodes[0].configure(&router("V", 51, 120, VIP, "use_vmac another"));
    world.nodes[0].start();
    world.wait_for_master(0);
    assert_link(&world, 0, "vrrp.51", false);
    assert_link(&world, 0, "another", true);
}

/// Kills the daemon of the first host, and waits until the second one is master.
fn crash(world: &mut World) {
    let begin = now();
    world.nodes[0].daemon().kill_tree();
    world.adverts_of(1, begin, 1);
}

#[test]
fn a_foreign_interface_of_the_name_is_a_fault_until_it_goes() {
    let Some(mut world) = routers("use_vmac") else { return };
    world.nodes[0].shell("ip link add vrrp.51 type bridge && ip link set vrrp.51 up");
    let foreign = world.nodes[0].host.index(&name("vrrp.51")).expect("it is there");
    world.nodes[0].start();
    world.nodes[0].wait_for_line(0, "there is an interface of that name which is not ours (bridge)");
    world.nodes[0].wait_for_line(0, "(V) Entering FAULT STATE");
    world.nodes[1].start();
    world.wait_for_master(1);
    assert_eq!(world.nodes[0].host.index(&name("vrrp.51")).expect("it stays"), foreign);
    world.nodes[0].shell("ip link del vrrp.51");
    world.wait_for_master(0);
    world.nodes[0].stop();
    assert_link(&world, 0, "vrrp.51", false);
}

#[test]
fn a_master_goes_over_to_a_vmac_and_back_and_stays_master() {
    let Some(mut world) = routers("") else { return };
    world.settle();
    let client = world.ask();
    let begin = now();
    for more in ["use_vmac", ""] {
        reload(&mut world, more);
        assert_link(&world, 0, "vrrp.51", !more.is_empty());
    }
    assert!(world.adverts_since(1, begin).is_empty(), "the other host never took over\n{}", world.logs());
    let outage = client.longest_outage(begin, now());
    assert!(outage.length < GRACE + ROUTER_INTERVAL, "{outage:?}\n{}", world.logs());
}

#[test]
fn another_name_or_mac_makes_the_interface_anew() {
    let Some(mut world) = routers("use_vmac") else { return };
    world.settle();
    let mac = MacAddr([2, 0, 0, 0, 0, 7]);
    for (more, mac) in [("use_vmac other", VMAC), ("use_vmac other 02:00:00:00:00:07", mac)] {
        reload(&mut world, more);
        assert_link(&world, 0, "vrrp.51", false);
        let is_right = || world.nodes[0].host.mac(&name("other")).is_ok_and(|is| is == mac);
        assert!(wait_until(PATIENCE, is_right), "{}", world.logs());
    }
    assert!(!world.nodes[0].log().contains("cannot make"), "{}", world.logs());
}

/// The first host goes over to another configuration, and is the only master afterwards.
fn reload(world: &mut World, more: &str) {
    let from = world.nodes[0].log().len();
    let since = now();
    world.nodes[0].configure(&router("V", 51, 120, VIP, more));
    world.nodes[0].daemon().hang_up().expect("it runs");
    world.nodes[0].wait_for_line(from, "(V) changed");
    world.adverts_of(0, since, 4);
    world.wait_for_master(0);
}

/// The second LAN of a world whose hosts have `eth2` on it.
fn second_lan(world: &World) -> (Lan, Sniffer, Vec<Cable>) {
    let lan = Lan::new().expect("a LAN");
    let cables = world.nodes.iter().zip([86, 14]).map(|(node, last)| {
        let own = Prefix::new([192, 168, 1, last].into(), 24).expect("a prefix");
        lan.connect(&node.host, &name("eth2"), &[own]).expect("a cable")
    });
    let cables = cables.collect();
    let sniffer = lan.sniff().expect("a sniffer");
    (lan, sniffer, cables)
}

/// When an address was announced there with this MAC.
#[track_caller]
fn announced(world: &World, sniffer: &Sniffer, address: IpAddr, mac: MacAddr, since: Instant) -> Instant {
    let heard = sniffer.wait_for(since, PATIENCE, |heard| heard.announces(address, mac));
    heard.unwrap_or_else(|| panic!("{address} is not announced\n{}", world.logs())).at
}

#[test]
fn addresses_elsewhere_have_vmacs_there_which_are_refreshed() {
    const V6: &str = "2001:db8::1";
    let elsewhere = Ipv4Addr::new(192, 168, 1, 100);
    let vip = format!("{VIP}/24\n{elsewhere}/24 dev eth2");
    let more = format!(
        "use_vmac\nuse_vmac_addr\ngarp_extra_if 1\ngarp_master_delay 0\n\
         virtual_ipaddress_excluded {{\n{V6}/64\n192.168.1.101/24 dev eth2\n}}"
    );
    let Some(mut world) = notes_world([120, 100].map(|priority| router("V", 51, priority, &vip, &more)))
    else {
        return;
    };
    let (_lan, sniffer, _cables) = second_lan(&world);
    let begin = now();
    world.settle();
    let mut at = begin;
    // The one of the takeover and two refreshments.
    for _ in 0..3 {
        at = announced(&world, &sniffer, elsewhere.into(), VMAC, at);
        announced(&world, &sniffer, [192, 168, 1, 101].into(), VMAC, begin);
        at = at + Duration::from_millis(700);
    }
    announced(
        &world,
        &world.sniffer,
        V6.parse().expect("an address"),
        MacAddr([0, 0, 0x5e, 0, 2, 51]),
        begin,
    );
    world.nodes[0].shell(&format!("ip addr show vrrp6.51 | grep -q {V6}/64"));
    world.nodes[0].shell("ip -d link show vrrp1.51 | grep -q 'macvlan mode private'");
    world.nodes[0].shell(&format!("ip addr show vrrp1.51 | grep -q {elsewhere}/24"));
    let begin = now();
    world.nodes[0].stop();
    announced(&world, &sniffer, elsewhere.into(), VMAC, begin);
    for link in ["vrrp.51", "vrrp1.51", "vrrp6.51"] {
        assert_link(&world, 0, link, false);
    }
    let foreign = sniffer.since(Instant::ZERO, |heard| match heard.message {
        Message::Arp(arp) => arp.sender == elsewhere && arp.sender_mac != VMAC,
        _ => false,
    });
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[test]
fn a_reload_makes_and_removes_vmacs_of_addresses() {
    let Some(mut world) = routers("") else { return };
    world.settle();
    for (more, there) in [("use_vmac_addr", true), ("", false)] {
        let more = format!("{more}\nvirtual_ipaddress_excluded {{\n2001:db8::1/64\n}}");
        reload(&mut world, &more);
        assert_link(&world, 0, "vrrp6.51", there);
        let device = if there { "vrrp6.51" } else { "eth1" };
        let held = || {
            let addresses = world.nodes[0].host.addresses(&name(device)).unwrap_or_default();
            addresses.iter().any(|one| one.address() == IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]))
        };
        assert!(wait_until(PATIENCE, held), "not on {device}\n{}", world.logs());
    }
}

#[test]
fn link_groups_have_names() {
    let Some(mut world) = routers("use_vmac group lab") else { return };
    for node in &world.nodes {
        node.host.write("/run/group", "1717 lab\n").expect("a file");
        node.host
            .write(
                "/run/keepalived.conf",
                &format!(
                    "global_defs {{\niproute_etc_dir /run\n}}\n{}",
                    router("V", 51, 120, VIP, "use_vmac group lab")
                ),
            )
            .expect("a file");
    }
    world.nodes[0].start();
    world.wait_for_master(0);
    world.nodes[0].shell("ip link show group 1717 | grep -q vrrp.51");
}

/// The file of a router over IPv6.
fn router6(priority: u8) -> String {
    router("V", 51, priority, "fe80::51\n2001:db8:51::1/64", "use_vmac")
}

#[test]
fn over_ipv6_a_failover_moves_no_mac() {
    const MAC: MacAddr = MacAddr([0, 0, 0x5e, 0, 2, 51]);
    let Some(mut world) = notes_world([120, 100].map(router6)) else { return };
    let vips = ["fe80::51", "2001:db8:51::1"].map(|vip| vip.parse::<IpAddr>().expect("an address"));
    let begin = now();
    for node in &mut world.nodes {
        node.start();
    }
    let mut since = begin;
    for master in [0, 1, 0] {
        for vip in vips {
            let right = || world.nodes[master].host.holds(vip) && !world.nodes[1 - master].host.holds(vip);
            assert!(wait_until(PATIENCE, right), "{vip} is not at {master} alone\n{}", world.logs());
            announced(&world, &world.sniffer, vip, MAC, since);
        }
        world.nodes[master].shell("ip addr show vrrp6.51 | grep -q 2001:db8:51::1/64");
        since = now();
        if master == 0 {
            world.nodes[0].stop();
        } else {
            world.nodes[0].start();
        }
    }
    let adverts = world.sniffer.since(begin, |heard| heard.advert().is_some());
    let senders: BTreeSet<_> =
        adverts.iter().filter_map(|heard| heard.advert().map(|one| one.source)).collect();
    assert_eq!(senders.len(), 2, "each speaks from the link-local address of its host: {senders:?}");
    assert!(adverts.iter().all(|heard| heard.from == MAC), "advertisements carry the virtual MAC");
    let elsewhere = world.sniffer.since(begin, |heard| match heard.message {
        // Whoever asks who has an address says nothing of where it is.
        Message::Neighbour(packet) if packet.kind != wire::ndisc::Kind::Solicitation => {
            vips.contains(&IpAddr::from(packet.target)) && packet.mac.is_some_and(|mac| mac != MAC)
        }
        _ => false,
    });
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

#[test]
fn keepalived_and_steadfast_share_a_virtual_mac_in_both_roles() {
    if std::fs::metadata(KEEPALIVED).is_err() {
        return lab::skip("keepalived is not installed");
    }
    for ours in [0, 1] {
        for more in ["use_vmac", "use_vmac\nvmac_xmit_base"] {
            let Some(mut world) = routers(more) else { return };
            let begin = now();
            start(&mut world, 0, ours);
            start(&mut world, 1, ours);
            world.wait_for_master(0);
            assert_announced(&world, begin);
            let begin = now();
            world.nodes[0].stop();
            world.wait_for_master(1);
            assert_announced(&world, begin);
            let begin = now();
            start(&mut world, 0, ours);
            world.wait_for_master(0);
            assert_announced(&world, begin);
        }
    }
}

#[track_caller]
fn assert_announced(world: &World, since: Instant) {
    let announced = world.sniffer.wait_for(since, PATIENCE, |heard| heard.announces(world.vip, VMAC));
    assert!(announced.is_some_and(|heard| heard.from == VMAC), "{}", world.logs());
}

/// Steadfast on host `ours`, keepalived on the other.
fn start(world: &mut World, node: usize, ours: usize) {
    let node_is_ours = node == ours;
    let node = &mut world.nodes[node];
    if node_is_ours {
        node.start_program(env!("CARGO_BIN_EXE_steadfast"));
    } else {
        let argv =
            ["/usr/bin/env", "TMPDIR=/run", KEEPALIVED, "-n", "-l", "-D", "-f", "/run/keepalived.conf"];
        node.daemon = Some(node.host.spawn(&argv).expect("keepalived starts"));
    }
}
