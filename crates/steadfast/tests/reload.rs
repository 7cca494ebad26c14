//! SIGHUP: what changed in the file changes, and nothing else does.

mod common;

use std::net::Ipv4Addr;
use std::time::Duration;

use common::{GRACE, Node, PATIENCE, ROUTER_INTERVAL, World, interface, notes_world, quick_world, router};
use lab::{Heard, Process, now, wait_until};
use model::{Centis, Instant};

const VIP: &str = "192.168.0.100";
const OTHER_VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 101);

/// Node 0 alone, with this file.
fn lone(file: &str) -> Option<World> {
    let mut world = notes_world([file.to_owned(), String::new()])?;
    world.nodes[0].start();
    Some(world)
}

/// Gives the daemon another file, and returns how much it had written before.
fn reload(node: &mut Node, file: &str) -> usize {
    node.configure(file);
    hang_up(node)
}

fn hang_up(node: &mut Node) -> usize {
    let before = node.log().len();
    node.daemon().hang_up().unwrap();
    before
}

fn of_vrid(vrid: u8) -> impl Fn(&Heard) -> bool {
    move |heard| heard.advert().is_some_and(|advert| advert.vrid.get() == vrid)
}

/// Waits for an advertisement of this router that has another property.
#[track_caller]
fn wait_for_advert(world: &World, since: Instant, vrid: u8, wanted: impl Fn(&lab::Advert) -> bool) -> Heard {
    let matches = |heard: &Heard| of_vrid(vrid)(heard) && heard.advert().is_some_and(&wanted);
    world
        .sniffer
        .wait_for(since, PATIENCE, matches)
        .unwrap_or_else(|| panic!("no such advertisement\n{}", world.logs()))
}

/// The router advertised at its pace all the time: neither late nor out of turn, nor with another priority.
#[track_caller]
fn assert_undisturbed(world: &World, since: Instant, vrid: u8, interval: Duration) {
    let heard = world.sniffer.since(since, of_vrid(vrid));
    assert!(heard.len() > 1, "{} advertisements\n{}", heard.len(), world.logs());
    let priority = |heard: &Heard| heard.advert().map(|advert| advert.priority);
    for pair in heard.windows(2) {
        let gap = pair[1].at.since(pair[0].at);
        assert!(gap > interval / 2 && gap < interval + GRACE, "{gap:?}\n{}", world.logs());
        assert_eq!(priority(&pair[0]), priority(&pair[1]), "{}", world.logs());
    }
}

/// Everything that happens to the addresses of a host from now on.
fn watch_addresses(node: &Node) -> Process {
    let watch = node.host.spawn(&["ip", "-4", "monitor", "address"]).unwrap();
    // It says nothing when it begins to listen: an address of ours tells.
    let probe = common::network(Ipv4Addr::new(198, 51, 100, 1));
    let heard = wait_until(PATIENCE, || {
        node.host.add_address(&interface(), probe).unwrap();
        node.host.remove_address(&interface(), probe).unwrap();
        watch.log().unwrap().contains("198.51.100.1")
    });
    assert!(heard);
    watch
}

fn changes_of(watch: &Process, address: &str) -> usize {
    watch.log().unwrap().lines().filter(|line| line.contains(&format!("{address}/"))).count()
}

#[test]
fn an_unchanged_file_changes_nothing() {
    let garp = "garp_master_delay 1\n";
    let Some(mut world) = lone(&router("V", 51, 120, VIP, garp)) else { return };
    let begin = now();
    let first = world.adverts_of(0, begin, 1).remove(0);
    // The second round of announcements, a second after the first.
    let announces = |heard: &Heard| heard.announces(world.vip, world.nodes[0].mac);
    let second_round = |heard: &Heard| announces(heard) && heard.at > first.at + Duration::from_millis(900);
    assert!(world.sniffer.wait_for(begin, PATIENCE, second_round).is_some(), "{}", world.logs());
    let _a_while = world.adverts_of(0, now(), 2);

    let watch = watch_addresses(&world.nodes[0]);
    let begin = now();
    let node = &mut world.nodes[0];
    for _ in 0..3 {
        let before = hang_up(node);
        node.wait_for_line(before, "means the same as before: nothing changes");
    }
    let before = node.log().len();
    let _a_while = world.adverts_of(0, now(), 4);
    assert_undisturbed(&world, begin, 51, ROUTER_INTERVAL);
    let announced = world.sniffer.since(begin, |heard| heard.announces(world.vip, world.nodes[0].mac));
    assert!(announced.is_empty(), "{announced:?}");
    assert_eq!(changes_of(&watch, VIP), 0, "{}", watch.log().unwrap());
    let log = world.nodes[0].log();
    assert!(!log[before..].contains("Entering"), "{log}");
    assert_eq!(log.matches("Entering MASTER").count(), 1, "{log}");
}

#[test]
fn a_changed_priority_is_advertised_and_the_backup_answers() {
    let Some(mut world) = quick_world() else { return };
    world.settle();
    let begin = now();
    reload(&mut world.nodes[0], &router("V", 51, 110, VIP, ""));
    let _changed = world.advert_with(0, begin, 110);
    world.assert_regular(0, begin, ROUTER_INTERVAL);
    let begin = now();
    reload(&mut world.nodes[0], &router("V", 51, 90, VIP, ""));
    let weak = world.advert_with(0, begin, 90);
    world.wait_for_master(1);
    let strong = world.adverts_of(1, begin, 1).remove(0);
    assert!(strong.at.since(weak.at) < GRACE, "{:?}", strong.at.since(weak.at));
}

#[test]
fn an_address_is_added_and_removed_without_touching_the_others() {
    let Some(mut world) = lone(&router("V", 51, 120, VIP, "")) else { return };
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)));
    let _a_while = world.adverts_of(0, now(), 2);
    let watch = watch_addresses(&world.nodes[0]);
    let begin = now();
    let mac = world.nodes[0].mac;
    reload(&mut world.nodes[0], &router("V", 51, 120, "192.168.0.100\n192.168.0.101", ""));
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(OTHER_VIP)), "{}", world.logs());
    let announced = world.sniffer.wait_for(begin, PATIENCE, |heard| heard.announces(OTHER_VIP, mac));
    assert!(announced.is_some(), "{}", world.logs());
    wait_for_advert(&world, begin, 51, |advert| advert.addresses.len() == 2);

    let begin_of_less = now();
    reload(&mut world.nodes[0], &router("V", 51, 120, VIP, ""));
    assert!(wait_until(PATIENCE, || !world.nodes[0].holds(OTHER_VIP)), "{}", world.logs());
    wait_for_advert(&world, begin_of_less, 51, |advert| advert.addresses.len() == 1);
    assert_eq!(changes_of(&watch, VIP), 0, "{}", watch.log().unwrap());
    world.assert_regular(0, begin, ROUTER_INTERVAL);
    assert_eq!(world.nodes[0].log().matches("Entering MASTER").count(), 1, "{}", world.logs());
}

#[test]
fn routers_come_and_go_and_change_beside_one_that_does_not() {
    let steady = router("STEADY", 51, 120, VIP, "");
    let with = |other: &str| format!("{steady}{other}");
    let other = |priority| router("OTHER", 52, priority, "192.168.0.101", "");
    let Some(mut world) = lone(&steady) else { return };
    let _a_while = world.adverts_of(0, now(), 2);
    let begin = now();

    reload(&mut world.nodes[0], &with(&other(100)));
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(OTHER_VIP)), "{}", world.logs());
    let since = now();
    reload(&mut world.nodes[0], &with(&other(77)));
    wait_for_advert(&world, since, 52, |advert| advert.priority.get() == 77);
    let since = now();
    reload(&mut world.nodes[0], &with(&other(77).replace("advert_int 0.3", "advert_int 0.1")));
    wait_for_advert(&world, since, 52, |advert| advert.interval == Centis::new(10));
    let since = now();
    reload(&mut world.nodes[0], &steady);
    wait_for_advert(&world, since, 52, |advert| advert.priority.get() == 0);
    assert!(wait_until(PATIENCE, || !world.nodes[0].holds(OTHER_VIP)), "{}", world.logs());

    assert_undisturbed(&world, begin, 51, ROUTER_INTERVAL);
    assert!(world.nodes[0].holds(world.vip));
    assert_eq!(world.nodes[0].log().matches("(STEADY) Entering").count(), 2, "{}", world.logs());
}

#[test]
fn a_changed_interval_is_kept_from_then_on() {
    let file = router("V", 51, 120, VIP, "");
    let Some(mut world) = lone(&file) else { return };
    let _a_while = world.adverts_of(0, now(), 2);
    let begin = now();
    reload(&mut world.nodes[0], &file.replace("advert_int 0.3", "advert_int 1"));
    let first = wait_for_advert(&world, begin, 51, |advert| advert.interval == Centis::SECOND);
    let _a_while = world.adverts_of(0, now(), 3);
    assert_undisturbed(&world, first.at, 51, Duration::from_secs(1));
    assert_eq!(world.nodes[0].log().matches("Entering MASTER").count(), 1, "{}", world.logs());
}

#[test]
fn a_file_with_an_error_changes_nothing_and_says_where_it_is() {
    let file = router("V", 51, 120, VIP, "");
    let Some(mut world) = lone(&file) else { return };
    let _a_while = world.adverts_of(0, now(), 2);
    let begin = now();
    let node = &mut world.nodes[0];
    for (broken, says) in [
        (file.replace("virtual_router_id 51", "virtual_router_id 999"), "999"),
        (file.replace("interface eth1", "interfac eth1"), "interfac"),
    ] {
        let line = broken.lines().position(|line| line.contains(says)).unwrap() + 1;
        let before = reload(node, &broken);
        let refused = node.wait_for_line(before, "RELOAD REFUSED: ");
        let place = format!("/run/keepalived.conf:{line}:");
        assert!(refused.contains(&place) && refused.contains(says), "{place} {says}: {refused}");
        assert!(refused.ends_with("; the previous configuration stays in force"), "{refused}");
    }
    let before = node.log().len();
    std::fs::remove_file(node.host.path("/run/keepalived.conf")).unwrap();
    hang_up(node);
    let said = node.wait_for_line(before, "RELOAD REFUSED");
    assert!(said.contains("/run/keepalived.conf") && said.contains("No such file"), "{said}");
    let _a_while = world.adverts_of(0, now(), 2);
    assert_undisturbed(&world, begin, 51, ROUTER_INTERVAL);
    assert!(world.nodes[0].holds(world.vip));

    let begin = now();
    reload(&mut world.nodes[0], &file.replace("priority 120", "priority 119"));
    let _it_still_listens = world.advert_with(0, begin, 119);
}

/// The files are those of slips that keepalived takes for orders.
#[test]
fn a_slip_changes_nothing_and_is_named() {
    let file = router("V", 51, 120, "192.168.0.100\n192.168.0.101", "");
    let Some(mut world) = lone(&file) else { return };
    let _a_while = world.adverts_of(0, now(), 2);
    let watch = watch_addresses(&world.nodes[0]);
    let begin = now();
    let node = &mut world.nodes[0];
    let cut_short = file.rsplit_once('}').unwrap().0;
    for (slip, code, says) in [
        (cut_short.to_owned(), "error[SF0204]", "not closed at the end of the file"),
        (String::new(), "", "configures nothing; to stop everything, stop the daemon"),
        ("global_defs {\n}\n".to_owned(), "", "configures nothing"),
        (file.replace("192.168.0.101", "192.168.0.1O1"), "warning[SF04", "192.168.0.1O1"),
        (file.replace("priority 120", "priority 1200"), "warning[SF04", "1200"),
        (
            file.replace("virtual_ipaddress", "virtual_ipaddres"),
            "warning[SF0301]",
            "did you mean `virtual_ipaddress`?",
        ),
        (format!("{file}}}\n"), "warning[SF0203]", "closes nothing"),
        (file.replace("interface eth1", "interface eht1"), "warning[SF0408]", "no interface `eht1`"),
    ] {
        let before = reload(node, &slip);
        let refused = node.wait_for_line(before, "RELOAD REFUSED: ");
        assert!(refused.contains(code) && refused.contains(says), "{code} {says}: {refused}");
        assert!(refused.contains("/run/keepalived.conf"), "{refused}");
        assert!(refused.ends_with("; the previous configuration stays in force"), "{refused}");
    }
    let _a_while = world.adverts_of(0, now(), 2);
    assert_undisturbed(&world, begin, 51, ROUTER_INTERVAL);
    assert_eq!(changes_of(&watch, VIP) + changes_of(&watch, "192.168.0.101"), 0, "{}", watch.log().unwrap());
}

#[test]
fn a_slip_that_the_daemon_was_started_with_is_no_reason_to_refuse() {
    let file = router("V", 51, 120, "192.168.0.100\n192.168.0.1O1", "");
    let Some(mut world) = lone(&file) else { return };
    let _a_while = world.adverts_of(0, now(), 1);
    let begin = now();
    reload(&mut world.nodes[0], &file.replace("priority 120", "priority 119"));
    let _it_counts = world.advert_with(0, begin, 119);
    let node = &mut world.nodes[0];
    let before = reload(node, &file.replace("192.168.0.1O1", "192.168.0.1O1\n192.168.0.1O2"));
    let refused = node.wait_for_line(before, "RELOAD REFUSED: 1 line");
    assert!(refused.contains("1O2") && !refused.contains("1O1"), "{refused}");
}

#[test]
fn the_last_of_many_reloads_counts() {
    let steady = router("STEADY", 51, 120, VIP, "");
    let Some(mut world) = lone(&steady) else { return };
    let _a_while = world.adverts_of(0, now(), 2);
    let begin = now();
    for round in 0..20_u8 {
        let other = router("OTHER", 52, 100 + round, "192.168.0.101", "");
        let file = if round % 3 == 0 { steady.clone() } else { format!("{steady}{other}") };
        reload(&mut world.nodes[0], &file);
    }
    wait_for_advert(&world, begin, 52, |advert| advert.priority.get() == 119);
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(OTHER_VIP)), "{}", world.logs());
    assert_undisturbed(&world, begin, 51, ROUTER_INTERVAL);
    assert_eq!(world.nodes[0].log().matches("(STEADY) Entering").count(), 2, "{}", world.logs());
}

#[test]
fn a_router_that_becomes_another_one_keeps_its_notify_scripts() {
    let file = |vrid| router("V", vrid, 120, VIP, "notify /run/notify.sh");
    let Some(mut world) = notes_world([file(51), String::new()]) else { return };
    let node = &mut world.nodes[0];
    node.host.write_script("/run/notify.sh", "#!/bin/sh\necho \"$@\" >> /run/told\n").unwrap();
    node.start();
    let told = |node: &Node| node.host.read("/run/told").unwrap_or_default();
    let masters = |node: &Node| told(node).matches("INSTANCE V MASTER 120\n").count();
    assert!(wait_until(PATIENCE, || masters(node) == 1), "{}", node.log());
    reload(node, &file(52));
    assert!(wait_until(PATIENCE, || masters(node) == 2), "{}\n{}", told(node), node.log());
    // Away and back before the worker has said that it is gone.
    node.configure(&router("OTHER", 99, 120, "192.168.0.101", ""));
    node.daemon().hang_up().unwrap();
    node.wait_for_line(0, "(V) removed");
    reload(node, &file(53));
    assert!(wait_until(PATIENCE, || masters(node) == 3), "{}\n{}", told(node), node.log());
}
