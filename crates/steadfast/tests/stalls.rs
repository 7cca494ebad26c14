//! A daemon that was stopped in the middle of something: by a stall of its host, or for good.

mod common;

use std::fmt::Write as _;

use common::stranger::{signal, worker};
use common::{PATIENCE, ROUTER_INTERVAL, interface, notes_world, quick_world, router};
use lab::{Signal, now, wait_until};

#[test]
fn a_backup_that_could_not_run_for_a_while_hears_its_master_before_it_judges() {
    let Some(mut world) = quick_world() else { return };
    world.settle();
    // It may have been master for a moment, if it began before the other one.
    let settled = world.nodes[1].log().len();
    let worker = worker(world.nodes[1].daemon()).expect("a worker runs");
    signal(worker, Signal::STOP);
    // Far beyond its master down interval.
    let begin = now();
    let _stalled = world.adverts_of(0, begin, 20);
    signal(worker, Signal::CONT);
    let _after = world.adverts_of(0, now(), 10);
    assert_eq!(world.nodes[1].log()[settled..].matches("Entering MASTER").count(), 0, "{}", world.logs());
    assert_eq!(world.adverts_since(1, begin).len(), 0, "it said nothing either");
}

#[test]
fn a_stop_amid_the_takeover_of_many_addresses_leaves_none_behind() {
    let mut file = String::new();
    for vrid in 1..=100 {
        let addresses: Vec<_> = (1..=10).map(|last| format!("10.1.{vrid}.{last}/32")).collect();
        write!(file, "{}", router(&format!("V{vrid}"), vrid, 255, &addresses.join("\n"), "")).unwrap();
    }
    let Some(mut world) = notes_world([file, String::new()]) else { return };
    let held = |world: &common::World| world.nodes[0].host.addresses(&interface()).unwrap().len();
    let own = held(&world);
    world.nodes[0].start();
    assert!(wait_until(PATIENCE, || held(&world) > own), "{}", world.logs());
    world.nodes[0].stop();
    assert_eq!(held(&world), own, "{}", world.logs());
}

#[test]
fn the_last_router_of_an_interface_says_goodbye_when_a_reload_takes_it_away() {
    let Some(mut world) = notes_world([router("V", 51, 120, "192.168.0.100", ""), String::new()]) else {
        return;
    };
    world.nodes[0].start();
    let _speaks = world.adverts_of(0, now(), 2);
    let begin = now();
    let elsewhere = router("V", 51, 120, "192.168.0.100", "").replace("eth1", "eth9");
    let elsewhere = elsewhere + "global_defs {\ndynamic_interfaces\n}\n";
    world.nodes[0].configure(&elsewhere);
    world.nodes[0].daemon().hang_up().unwrap();
    let goodbye = world.advert_with(0, begin, 0);
    assert!(wait_until(PATIENCE, || !world.nodes[0].holds(world.vip)), "{}", world.logs());
    let later = world.adverts_since(0, goodbye.at + ROUTER_INTERVAL);
    assert_eq!(later.len(), 0, "nothing after priority 0");
}
