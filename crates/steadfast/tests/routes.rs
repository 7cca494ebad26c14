//! Routes and policy rules, and what is there as long as the daemon runs: as keepalived installs them, and kept whatever
//! happens to them.

mod common;

use std::path::Path;

use common::stranger::{signal, worker};
use common::{Node, PATIENCE, World, notes_world, router};
use lab::{Process, Signal, wait_until};

const KEEPALIVED: &str = "/usr/sbin/keepalived";
const VIP: &str = "192.168.0.100";

/// What a command says on this host.
#[track_caller]
fn said(node: &Node, command: &str) -> String {
    let mut shell = node.host.spawn(&["/bin/sh", "-c", command]).expect("a shell");
    shell.wait(PATIENCE).expect("it ends");
    shell.log().expect("a log")
}

fn routes(node: &Node) -> String {
    said(node, "ip route show table all proto 18; ip rule")
}

/// A second interface, and IPv6 on both.
fn prepare(node: &Node) {
    node.shell(
        "ip link set lo up; ip link add eth2 type veth peer name p2; ip link set p2 up; ip link set eth2 up; \
         ip address add 192.168.1.3/24 dev eth2; ip -6 address add 2001:db8:1::3/64 dev eth1 nodad; \
         ip -6 address add 2001:db8:2::3/64 dev eth2 nodad",
    );
}

/// All that a daemon can put into the kernel, in the words of iproute2, without what the clock or chance decide.
fn everything(node: &Node) -> Vec<String> {
    let text = said(
        node,
        "for f in -4 -6; do ip $f -d route show table all; ip $f -d rule; for d in eth1 eth2; do \
         ip $f -d -o address show dev $d; done; done; cat /proc/sys/net/ipv4/conf/eth1/promote_secondaries",
    );
    let lines = text.lines().filter(|line| !line.contains("fe80:") && !line.contains(" table local "));
    let mut told: Vec<_> = lines.map(without_times).collect();
    told.sort();
    told
}

/// The line without seconds that pass, and without who has set an address, which keepalived 2.2.7 does not say.
fn without_times(line: &str) -> String {
    let is_address = line.contains("valid_lft");
    let words: Vec<_> = line.split_whitespace().collect();
    let mut kept = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let counts = matches!(before, Some(&"expires" | &"preferred_lft"));
        match *word {
            seconds if counts && seconds.ends_with("sec") && seconds != "0sec" => kept.push("N"),
            "proto" | "keepalived" | "kernel_lo" | "kernel_ll" if is_address => {}
            other => kept.push(other),
        }
    }
    kept.join(" ")
}

/// What is there while this program is master with `every.conf`, and what it leaves.
fn with(program: &str) -> Option<[Vec<String>; 3]> {
    let file = include_str!("routes/every.conf");
    let mut world = notes_world([file.to_owned(), String::new()])?;
    let node = &mut world.nodes[0];
    prepare(node);
    let before = everything(node);
    node.start_program(program);
    // The last entry of the last list, and the end of a search for duplicates.
    let complete = |node: &Node| {
        let all = everything(node).join("\n");
        all.contains("32000:") && all.contains("2001:db8:1::102/64") && !all.contains("tentative")
    };
    assert!(wait_until(PATIENCE, || complete(node)), "{:#?}\n{}", everything(node), node.log());
    let during = everything(node);
    node.stop();
    Some([before, during, everything(node)])
}

#[test]
fn every_line_means_what_it_means_to_keepalived() {
    if !Path::new(KEEPALIVED).exists() {
        return lab::skip("keepalived is not installed");
    }
    let Some([before, ours, after]) = with(env!("CARGO_BIN_EXE_steadfast")) else { return };
    let Some([_, theirs, _]) = with(KEEPALIVED) else { return };
    let only = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter().filter(|line| !other.contains(line)).cloned().collect()
    };
    assert_eq!((only(&ours, &theirs), only(&theirs, &ours)), (vec![], vec![]));
    assert!(ours.len() > before.len() + 80, "{} lines of {}", ours.len(), before.len());
    assert_eq!(before, after, "nothing is left");
}

const ROUTES: &str = "virtual_routes {
    10.0.1.0/24 via 192.168.0.1 dev eth1
    10.0.2.0/24 via 192.168.0.1 table 100
    10.0.3.0/24 via 192.168.0.1 no_track
    10.0.4.0/24 dev eth1 src 192.168.0.100
}
virtual_rules {
    from 10.0.0.0/8 table 100 priority 500
    to 10.0.0.0/8 table 100 priority 501 no_track
}
";

fn pair(more: &str) -> Option<World> {
    let more = format!("{ROUTES}{more}");
    notes_world([120, 100].map(|priority| router("V", 51, priority, VIP, &more)))
}

/// One host that is master, with this beside its address.
fn lone(more: &str) -> Option<World> {
    let mut world = notes_world([router("V", 51, 120, VIP, more), String::new()])?;
    world.nodes[0].start();
    Some(world)
}

fn has_all(node: &Node) -> bool {
    let there = routes(node);
    ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24", "500:", "501:"]
        .iter()
        .all(|one| there.contains(one))
}

fn has_none(node: &Node) -> bool {
    let rules = said(node, "ip rule");
    said(node, "ip route show table all proto 18").is_empty()
        && !rules.contains("500:")
        && !rules.contains("501:")
}

#[track_caller]
fn wait_for(world: &World, node: usize, what: impl Fn(&Node) -> bool) {
    let node = &world.nodes[node];
    assert!(wait_until(PATIENCE, || what(node)), "{}\n{}", routes(node), world.logs());
}

#[test]
fn routes_and_rules_follow_the_master() {
    let Some(mut world) = pair("") else { return };
    world.settle();
    wait_for(&world, 0, has_all);
    wait_for(&world, 1, has_none);
    world.nodes[0].stop();
    assert!(has_none(&world.nodes[0]), "{}", routes(&world.nodes[0]));
    wait_for(&world, 1, has_all);
    world.nodes[0].start();
    wait_for(&world, 0, has_all);
    wait_for(&world, 1, has_none);
}

#[test]
fn what_a_killed_daemon_leaves_is_taken_away() {
    let Some(mut world) = pair("nopreempt\n") else { return };
    world.settle();
    wait_for(&world, 0, has_all);
    world.nodes[0].daemon().kill_tree();
    wait_for(&world, 1, has_all);
    assert!(has_all(&world.nodes[0]), "nobody has taken them away yet");
    // Somebody else's, which look alike.
    world.nodes[0].shell(
        "ip rule add from 10.0.0.0/8 table 100 priority 502; ip route add 10.0.1.0/24 via 192.168.0.2 metric 9",
    );
    world.nodes[0].start();
    wait_for(&world, 0, has_none);
    let others = said(&world.nodes[0], "ip rule; ip route");
    assert!(others.contains("502:") && others.contains("10.0.1.0/24 via 192.168.0.2"), "{others}");
}

#[test]
fn a_worker_that_dies_leaves_its_routes_to_the_next() {
    let Some(mut world) = lone(ROUTES) else { return };
    wait_for(&world, 0, has_all);
    let watch = watch(&world.nodes[0]);
    let before = world.nodes[0].log().len();
    signal(worker(world.nodes[0].daemon()).unwrap(), Signal::KILL);
    world.nodes[0].wait_for_line(before, "Entering MASTER STATE");
    world.nodes[0].wait_for_line(before, "has route 10.0.4.0/24");
    assert!(has_all(&world.nodes[0]), "{}", routes(&world.nodes[0]));
    assert_eq!(changes(&watch), Vec::<String>::new());
}

#[test]
fn what_others_delete_is_put_back_unless_it_is_not_tracked() {
    let Some(world) = lone(ROUTES) else { return };
    wait_for(&world, 0, has_all);
    let node = &world.nodes[0];
    node.shell("ip route del 10.0.3.0/24; ip rule del priority 501; ip route del 10.0.1.0/24; ip rule del priority 500");
    let mut left = Vec::new();
    for one in ["route 10.0.1.0/24", "rule from 10.0.0.0/8"] {
        let line = node.wait_for_line(0, &format!("somebody else deleted {one}"));
        assert!(line.ends_with("put back"), "{line}");
    }
    for one in ["route 10.0.3.0/24", "rule to 10.0.0.0/8"] {
        left.push(node.wait_for_line(0, &format!("somebody else deleted {one}")));
    }
    assert!(left.iter().all(|line| line.contains("is not put back")), "{left:?}");
    wait_for(&world, 0, |node| routes(node).contains("10.0.1.0/24") && routes(node).contains("500:"));
    let there = routes(&world.nodes[0]);
    assert!(!there.contains("10.0.3.0/24") && !there.contains("501:"), "{there}");
}

#[test]
fn who_keeps_deleting_wins_for_a_while() {
    let Some(world) = lone(ROUTES) else { return };
    wait_for(&world, 0, has_all);
    let node = &world.nodes[0];
    node.shell("for i in $(seq 200); do ip route del 10.0.1.0/24 2>/dev/null; sleep 0.01; done");
    node.wait_for_line(0, "somebody else keeps deleting route 10.0.1.0/24");
    // After the span it is back, and stays.
    wait_for(&world, 0, has_all);
}

#[test]
fn routes_come_back_with_their_interface_and_their_source_address() {
    let Some(world) =
        lone(&ROUTES.replace("10.0.2.0/24 via 192.168.0.1 table 100", "10.0.2.0/24 dev eth2 table 100"))
    else {
        return;
    };
    let node = &world.nodes[0];
    node.wait_for_line(0, "cannot have route 10.0.2.0/24 dev eth2 table 100 now");
    prepare(node);
    wait_for(&world, 0, has_all);
    node.shell("ip link set eth2 down");
    wait_for(&world, 0, |node| !routes(node).contains("10.0.2.0/24"));
    node.shell("ip link set eth2 up");
    wait_for(&world, 0, has_all);
    // With it the kernel drops the route from it, and says nothing.
    node.shell(&format!("ip address del {VIP}/32 dev eth1"));
    node.wait_for_line(0, "put back");
    wait_for(&world, 0, has_all);
}

/// Everything that happens to routes and rules of a host from now on.
fn watch(node: &Node) -> Process {
    let watch = node.host.spawn(&["ip", "monitor", "route", "rule"]).unwrap();
    let heard = wait_until(PATIENCE, || {
        node.shell("ip rule add from 203.0.113.9 table 9 priority 9; ip rule del priority 9");
        watch.log().unwrap().contains("203.0.113.9")
    });
    assert!(heard);
    watch
}

fn changes(watch: &Process) -> Vec<String> {
    let log = watch.log().unwrap();
    log.lines().filter(|line| line.contains("10.0.") || line.contains("50")).map(str::to_owned).collect()
}

#[test]
fn a_reload_changes_what_has_changed_and_nothing_else() {
    let Some(mut world) = lone(ROUTES) else { return };
    wait_for(&world, 0, has_all);
    let watch = watch(&world.nodes[0]);
    let other = ROUTES
        .replace("10.0.2.0/24 via 192.168.0.1", "10.0.2.0/24 via 192.168.0.2")
        .replace("priority 501 no_track", "priority 502")
        .replace("10.0.3.0/24 via 192.168.0.1 no_track", "10.0.3.0/24 via 192.168.0.1");
    world.nodes[0].configure(&router("V", 51, 120, VIP, &other));
    world.nodes[0].daemon().hang_up().unwrap();
    wait_for(&world, 0, |node| {
        let there = routes(node);
        there.contains("10.0.2.0/24 via 192.168.0.2") && there.contains("502:") && !there.contains("501:")
    });
    let heard = wait_until(PATIENCE, || changes(&watch).len() >= 4);
    let changes = changes(&watch);
    assert!(heard && changes.len() == 4, "{changes:?}");
    assert!(changes.iter().all(|line| line.contains("10.0.2.0/24") || line.contains("50")), "{changes:?}");
}

#[test]
fn names_are_those_of_the_host() {
    let folder = "iproute_etc_dir /run/iproute2\n";
    let file = |table: &str| {
        let more = format!("virtual_routes {{\n10.0.1.0/24 via 192.168.0.1 dev eth1 table {table}\n}}\n");
        format!("global_defs {{\n{folder}}}\n{}", router("V", 51, 120, VIP, &more))
    };
    let Some(mut world) = notes_world([file("corp"), String::new()]) else { return };
    world.nodes[0].shell("mkdir -p /run/iproute2");
    world.nodes[0].host.write("/run/iproute2/rt_tables", "1234 corp\n").unwrap();
    world.nodes[0].start();
    wait_for(&world, 0, |node| routes(node).contains("table 1234"));
    let before = world.nodes[0].log().len();
    world.nodes[0].configure(&file("crop"));
    world.nodes[0].daemon().hang_up().unwrap();
    let refusal = world.nodes[0].wait_for_line(before, "RELOAD REFUSED");
    assert!(refusal.contains("crop"), "{refusal}");
    assert!(routes(&world.nodes[0]).contains("table 1234"));
}

const STATICS: &str = "static_ipaddress {
    192.168.1.50/24 dev eth2
}
static_routes {
    10.0.1.0/24 via 192.168.1.1 dev eth2 track_group watched
}
static_rules {
    from 10.0.0.0/8 table 100 priority 500
}
";

fn has_statics(node: &Node) -> bool {
    let there = said(node, "ip address show dev eth2; ip route show table all; ip rule");
    ["192.168.1.50/24", "10.0.1.0/24 via 192.168.1.1", "500:"].iter().all(|one| there.contains(one))
}

#[test]
fn statics_are_there_as_long_as_the_daemon() {
    let file =
        format!("track_group watched {{\ngroup {{\nV\n}}\n}}\n{STATICS}{}", router("V", 51, 120, VIP, ""));
    let Some(mut world) = notes_world([file, String::new()]) else { return };
    prepare(&world.nodes[0]);
    world.nodes[0].start();
    wait_for(&world, 0, has_statics);
    world.nodes[0]
        .shell("ip address del 192.168.1.50/24 dev eth2; ip route del 10.0.1.0/24; ip rule del priority 500");
    wait_for(&world, 0, has_statics);
    world.nodes[0].wait_for_line(0, "Entering MASTER STATE");
    // The instances of the group follow the interface.
    world.nodes[0].shell("ip link set eth2 down");
    world.nodes[0].wait_for_line(0, "Entering FAULT STATE (interface eth2 is down)");
    world.nodes[0].shell("ip link set eth2 up");
    wait_for(&world, 0, has_statics);
    let before = world.nodes[0].log().len();
    signal(worker(world.nodes[0].daemon()).unwrap(), Signal::KILL);
    assert!(has_statics(&world.nodes[0]));
    world.nodes[0].wait_for_line(before, "(static) has rule");
    assert!(has_statics(&world.nodes[0]));
    world.nodes[0].stop();
    let left = said(&world.nodes[0], "ip address show dev eth2; ip route show table all; ip rule");
    assert!(!left.contains("192.168.1.50/") && !left.contains("10.0.") && !left.contains("500:"), "{left}");
}

/// A router whose first address is a static one goes on after its worker, and after its daemon, was killed.
fn static_source_survives(once_master: &str) {
    let file =
        format!("static_ipaddress {{\n192.168.0.55/24 dev eth1\n}}\n{}", router("V", 51, 120, VIP, ""));
    let Some(mut world) = notes_world([file, String::new()]) else { return };
    world.nodes[0].shell("ip address flush dev eth1");
    world.nodes[0].start();
    wait_for(&world, 0, |node| node.log().contains("Entering MASTER STATE"));
    world.nodes[0].shell(once_master);
    let again = |world: &World, before: usize| {
        world.nodes[0].wait_for_line(before, "Entering MASTER STATE");
        assert!(!world.nodes[0].log()[before..].contains("FAULT"), "{}", world.logs());
        wait_for(world, 0, |node| node.holds(VIP.parse().unwrap()));
    };
    let before = world.nodes[0].log().len();
    signal(worker(world.nodes[0].daemon()).unwrap(), Signal::KILL);
    again(&world, before);
    world.nodes[0].daemon().kill_tree();
    // With a log of its own.
    world.nodes[0].start();
    again(&world, 0);
}

#[test]
fn a_router_speaks_from_a_static_address_that_an_earlier_run_left() {
    static_source_survives("true");
}

#[test]
fn a_router_speaks_from_a_host_that_has_its_address_behind_a_static_one() {
    static_source_survives("ip address add 192.168.0.86/24 dev eth1");
}

#[test]
fn statics_need_no_virtual_router() {
    let Some(mut world) = notes_world([STATICS.replace(" track_group watched", ""), String::new()]) else {
        return;
    };
    prepare(&world.nodes[0]);
    world.nodes[0].start();
    wait_for(&world, 0, has_statics);
    world.nodes[0].stop();
    assert!(!has_statics(&world.nodes[0]));
}

#[test]
fn an_address_that_is_not_tracked_is_not_put_back() {
    let more = "virtual_ipaddress_excluded {\n192.168.0.101 no_track\n192.168.0.102\n}\n";
    let Some(world) = lone(more) else { return };
    let holds = |host: &str| world.nodes[0].holds(host.parse().unwrap());
    let has_both = || holds("192.168.0.101") && holds("192.168.0.102");
    assert!(wait_until(PATIENCE, has_both), "{}", world.logs());
    world.nodes[0]
        .shell("ip address del 192.168.0.101/32 dev eth1; ip address del 192.168.0.102/32 dev eth1");
    let line = world.nodes[0].wait_for_line(0, "192.168.0.101/32 on eth1; it has `no_track`");
    assert!(line.contains("not put back"), "{line}");
    assert!(wait_until(PATIENCE, || holds("192.168.0.102")), "{}", world.logs());
    assert!(!holds("192.168.0.101"));
}
