//! Links that are asked for their state: a poll's word counts beside that of the kernel.

mod common;

use common::{PATIENCE, World, notes_world, router};
use lab::wait_until;

/// Two routers below these lines, of priorities 120 and 100, with `more` in their instances.
fn routers(head: &str, more: &str) -> Option<World> {
    notes_world(
        [120, 100].map(|priority| format!("{head}\n{}", router("V", 51, priority, "192.168.0.100", more))),
    )
}

/// The first host loses its link, and is in FAULT until a poll says that it is back.
fn follows_polls(head: &str, more: &str) {
    let Some(mut world) = routers(head, more) else { return };
    world.settle();
    let from = world.nodes[0].log().len();
    world.nodes[0].cable.pull().expect("a cable");
    world.nodes[0].wait_for_line(from, "polled: the link of eth1 is down");
    world.nodes[0].wait_for_line(from, "(V) Entering FAULT STATE");
    world.wait_for_master(1);
    let from = world.nodes[0].log().len();
    world.nodes[0].cable.plug().expect("a cable");
    world.nodes[0].wait_for_line(from, "polled: the link of eth1 is up");
    world.nodes[0].wait_for_line(from, "(V) Entering BACKUP STATE");
    let log = world.nodes[0].log();
    let at = |text: &str| log[from..].find(text).expect("it is there");
    assert!(at("is up") < at("Entering BACKUP"), "the kernel's word alone is not enough\n{log}");
    world.wait_for_master(0);
}

#[test]
fn the_first_method_that_works_is_used() {
    follows_polls("linkbeat_use_polling", "");
}

#[test]
fn one_instance_can_ask_for_it() {
    follows_polls("", "linkbeat_use_polling");
}

#[test]
fn an_interface_can_be_asked_by_ethtool() {
    follows_polls("linkbeat_interfaces {\neth1 ETHTOOL\n}", "");
}

#[test]
fn an_interface_can_be_asked_for_its_flags() {
    follows_polls("linkbeat_interfaces {\neth1 IOCTL\n}", "");
}

#[test]
fn what_cannot_be_asked_is_told_of_once_and_the_kernel_believed() {
    let Some(mut world) = routers("linkbeat_interfaces {\neth1 MII\n}", "") else { return };
    world.settle();
    world.nodes[0].wait_for_line(0, "cannot poll the link of eth1");
    world.nodes[0].cable.pull().expect("a cable");
    world.wait_for_master(1);
    world.nodes[0].cable.plug().expect("a cable");
    world.wait_for_master(0);
    assert_eq!(world.nodes[0].log().matches("cannot poll").count(), 1, "{}", world.logs());
}

/// A bond has the registers that others have in hardware.
#[test]
fn a_bond_can_be_asked_for_its_registers() {
    let Some(mut world) = routers("linkbeat_interfaces {\nbond0 MII\n}", "") else { return };
    let lines = "ip link add bond0 type bond mode active-backup miimon 20 && ip link set eth1 down &&
        ip link set eth1 master bond0 && ip link set bond0 up";
    let mut made = world.nodes[0].host.spawn(&["/bin/sh", "-c", lines]).expect("a shell");
    if !made.wait(PATIENCE).is_some_and(|status| status.success()) {
        return lab::skip_for_kernel(made.log().expect("a log").trim());
    }
    let file = router("V", 51, 120, "192.168.0.100", "").replace("interface eth1", "interface bond0");
    world.nodes[0].configure(&format!("linkbeat_interfaces {{\nbond0 MII\n}}\n{file}"));
    world.nodes[0]
        .shell("ip addr flush dev eth1; ip addr add 192.168.0.86/24 dev bond0; ip link set eth1 up");
    world.nodes[0].start();
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
    world.nodes[0].cable.pull().expect("a cable");
    world.nodes[0].wait_for_line(0, "polled: the link of bond0 is down");
    world.nodes[0].cable.plug().expect("a cable");
    world.nodes[0].wait_for_line(0, "polled: the link of bond0 is up");
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
}

#[test]
fn a_reload_ends_what_a_poll_has_said() {
    let Some(mut world) = routers("linkbeat_interfaces {\neth1 ETHTOOL\n}", "") else { return };
    world.settle();
    world.nodes[0].cable.pull().expect("a cable");
    world.nodes[0].wait_for_line(0, "polled: the link of eth1 is down");
    world.nodes[0].configure(&router("V", 51, 120, "192.168.0.100", ""));
    world.nodes[0].daemon().hang_up().expect("it runs");
    world.nodes[0].cable.plug().expect("a cable");
    world.wait_for_master(0);
}
