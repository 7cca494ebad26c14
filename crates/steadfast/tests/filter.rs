//! Packets to addresses that a master must not use, and what VMACs must not say: by nftables, in a table that goes with the
//! daemon.

mod common;

use common::{PATIENCE, World, notes_world, router};
use lab::{Message, now, wait_until};
use model::MacAddr;

const VIP: &str = "192.168.0.100";

fn routers(global: &str, more: &str) -> Option<World> {
    let file = |priority| format!("{global}\n{}", router("V", 51, priority, VIP, more));
    notes_world([120, 100].map(file))
}

/// Whether the shell on the first host says so, before patience ends.
#[track_caller]
fn assert_shell(world: &World, line: &str) {
    let holds = || {
        let mut shell = world.nodes[0].host.spawn(&["/bin/sh", "-c", line]).expect("a shell");
        shell.wait(PATIENCE).is_some_and(|status| status.success())
    };
    assert!(wait_until(PATIENCE, holds), "{line}\n{}", world.logs());
}

/// One question of the client to the address: whether it was answered, and where the client believes it to be.
fn ping(world: &World) -> (bool, Option<MacAddr>) {
    let mut ping = world.client.spawn(&["/bin/ping", "-c", "2", "-i", "0.3", "-W", "1", VIP]).expect("ping");
    let answered = ping.wait(PATIENCE).is_some_and(|status| status.success());
    (answered, world.client.believes(world.vip))
}

#[test]
fn without_accept_packets_are_dropped_and_arp_is_answered() {
    let Some(mut world) = routers("", "no_accept") else { return };
    world.settle();
    let (answered, believed) = ping(&world);
    assert!(!answered, "{}", world.logs());
    assert_eq!(believed, Some(world.nodes[0].mac), "ARP is answered\n{}", world.logs());
    assert_shell(&world, "nft list set ip keepalived vips | grep -q 192.168.0.100");
    world.nodes[0].configure(&router("V", 51, 120, VIP, ""));
    world.nodes[0].daemon().hang_up().expect("it runs");
    assert!(wait_until(PATIENCE, || ping(&world).0), "accepted after the reload\n{}", world.logs());
    assert_shell(&world, "! nft list table ip keepalived");
}

#[test]
fn the_owner_and_who_accepts_answer() {
    let Some(mut world) = notes_world([255, 100].map(|priority| router("V", 51, priority, VIP, "no_accept")))
    else {
        return;
    };
    world.settle();
    assert!(ping(&world).0, "the owner uses its addresses\n{}", world.logs());
}

#[test]
fn the_table_is_made_again_and_goes_with_the_daemon() {
    let global = "global_defs {\nnftables guard\nnftables_priority -5\nnftables_counters\n}";
    let Some(mut world) = routers(global, "no_accept") else { return };
    world.settle();
    assert_shell(&world, "nft list table ip guard | grep -q 'priority filter - 5'");
    assert_shell(&world, "nft list table ip guard | grep -q 'ip daddr @vips counter'");
    world.nodes[0].shell("nft flush ruleset");
    world.nodes[0]
        .wait_for_line(0, "nftables: somebody else deleted or changed our table of family ip; made again");
    assert_shell(&world, "nft list set ip guard vips | grep -q 192.168.0.100");
    assert!(!ping(&world).0, "{}", world.logs());
    world.nodes[0].stop();
    assert_shell(&world, "test -z \"$(nft list ruleset)\"");
}

#[test]
fn a_table_that_a_killed_run_left_goes_if_nothing_needs_it() {
    let Some(mut world) = routers("", "use_vmac\nno_accept") else { return };
    world.settle();
    assert!(!ping(&world).0, "{}", world.logs());
    world.nodes[0].daemon().kill_tree();
    assert_shell(&world, "nft list table ip keepalived && nft list table ip6 keepalived");
    world.nodes[0].configure(&router("V", 51, 120, VIP, ""));
    world.nodes[0].start();
    for family in ["ip", "ip6"] {
        let line = format!("removed a table of family {family} which an earlier run had left");
        world.nodes[0].wait_for_line(0, &line);
    }
    assert_shell(&world, "test -z \"$(nft list ruleset)\"");
    // The address on the VMAC may answer once more, before it goes too.
    let is_served = || ping(&world) == (true, Some(world.nodes[0].mac));
    assert!(wait_until(PATIENCE, is_served), "{}", world.logs());
}

#[test]
fn a_table_that_a_killed_worker_left_goes_with_the_reload_that_needs_it_no_more() {
    let Some(mut world) = routers("", "no_accept") else { return };
    world.settle();
    world.nodes[0].shell("kill -9 $(cat /run/vrrp.pid)");
    world.nodes[0].configure(&router("V", 51, 120, VIP, ""));
    world.nodes[0].daemon().hang_up().expect("it runs");
    assert!(wait_until(PATIENCE, || ping(&world).0), "{}", world.logs());
    assert_shell(&world, "test -z \"$(nft list ruleset)\"");
}

#[test]
fn memberships_of_a_vmac_are_told_by_the_interface_below() {
    let Some(mut world) = routers("global_defs {\nnftables_counters\n}", "use_vmac") else { return };
    let begin = now();
    world.settle();
    let vmac = MacAddr([0, 0, 0x5e, 0, 1, 51]);
    let said = world.sniffer.since(begin, |heard| heard.from == vmac);
    assert!(!said.is_empty());
    assert!(
        said.iter().all(|heard| matches!(heard.message, Message::Advert(_) | Message::Arp(_))),
        "{said:?}"
    );
    let diverted = "macvlan.*dup to ip daddr device oif map @vmac_map counter packets [1-9]";
    assert_shell(&world, &format!("nft list chain ip keepalived out | grep -q '{diverted}'"));
    assert_shell(&world, "nft list map ip keepalived vmac_map | grep -q '\"vrrp.51\" : \"eth1\"'");
}

#[test]
fn reports_of_the_link_are_not_sent_where_the_file_says_so() {
    let Some(mut world) = routers("global_defs {\ndisable_local_igmp\n}", "") else { return };
    world.settle();
    assert_shell(&world, "grep -q 0 /proc/sys/net/ipv4/igmp_link_local_mcast_reports");
    world.nodes[0].stop();
    assert_shell(&world, "grep -q 1 /proc/sys/net/ipv4/igmp_link_local_mcast_reports");
}
