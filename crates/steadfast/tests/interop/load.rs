//! A client that asks a thousand times in a second, while the address goes to and fro between two programs.

use std::time::Duration;

use lab::{Client, Process, now};
use model::Instant;

use super::duel::{KEEPALIVED, Program, complaints, is_installed};
use crate::common::{GRACE, PATIENCE, ROUTER_INTERVAL, World, notes_world, router};

/// Of the worse host, whose priority is 100.
const SKEW_TIME: Duration = Duration::from_millis(ROUTER_INTERVAL.as_millis() as u64 * 156 / 256);
const MASTER_DOWN_INTERVAL: Duration = ROUTER_INTERVAL.saturating_mul(3).saturating_add(SKEW_TIME);

#[test]
fn a_busy_client_is_served_while_steadfast_hands_over_to_keepalived_and_back() {
    five_changes([Program::Steadfast, Program::Keepalived]);
}

#[test]
fn a_busy_client_is_served_while_keepalived_hands_over_to_steadfast_and_back() {
    five_changes([Program::Keepalived, Program::Steadfast]);
}

#[track_caller]
fn five_changes(programs: [Program; 2]) {
    let files = [120, 100].map(|priority| router("V", 51, priority, "192.168.0.100", ""));
    if !is_installed(KEEPALIVED) {
        return;
    }
    let Some(mut world) = notes_world(files) else { return };
    start(&mut world, 0, programs);
    start(&mut world, 1, programs);
    world.wait_for_master(0);
    let client = world.ask();

    let mut bounds = Vec::new();
    let mut change = |world: &mut World, to: usize, bound: Duration, act: &dyn Fn(&mut World)| {
        let bound = bound + GRACE;
        assert_brief(world, &client, to, bound, act);
        bounds.push(bound);
    };
    change(&mut world, 1, SKEW_TIME, &|world| stop(world, 0));
    change(&mut world, 0, Duration::ZERO, &|world| start(world, 0, programs));
    change(&mut world, 1, MASTER_DOWN_INTERVAL, &|world| world.nodes[0].cable.pull().expect("a cable"));
    change(&mut world, 0, Duration::ZERO, &|world| world.nodes[0].cable.plug().expect("a cable"));
    change(&mut world, 1, SKEW_TIME, &|world| stop(world, 0));

    let (asked, answered) = (client.asked(), client.answered_since(Instant::ZERO));
    let most = bounds.iter().sum::<Duration>().div_duration_f64(Client::PERIOD).ceil();
    let lost = asked.saturating_sub(answered);
    assert!(lost as f64 <= most, "{lost} of {asked} lost, {most} at most\n{}", world.logs());
    stop(&mut world, 1);
}

fn start(world: &mut World, index: usize, programs: [Program; 2]) {
    match programs[index] {
        Program::Steadfast => world.nodes[index].start_program(env!("CARGO_BIN_EXE_steadfast")),
        Program::Keepalived => world.nodes[index].start_program(KEEPALIVED),
        Program::Frr => unreachable!("its addresses are elsewhere"),
    };
}

/// Stops it as an operator would, and looks through what it wrote.
#[track_caller]
fn stop(world: &mut World, index: usize) {
    let daemon: &mut Process = world.nodes[index].daemon();
    daemon.terminate().expect("it runs");
    let status = daemon.wait(PATIENCE).expect("it stops");
    let log = world.nodes[index].log();
    assert!(status.success(), "{status}\n{log}");
    assert_eq!(complaints(&log), Vec::<&str>::new(), "{log}");
    world.nodes[index].daemon = None;
}

/// After `act` the address goes to host `to`, and meanwhile the client is without an answer for `bound` at most.
#[track_caller]
fn assert_brief(world: &mut World, client: &Client, to: usize, bound: Duration, act: &dyn Fn(&mut World)) {
    let begin = now();
    act(world);
    world.wait_for_master(to);
    world.wait_for_belief(to);
    let settled = now();
    let answered = || client.answered_since(settled) > 0;
    assert!(lab::wait_until(PATIENCE, answered), "host {to} does not answer\n{}", world.logs());
    let outage = client.longest_outage(begin, now());
    assert!(outage.length <= bound, "to host {to}: {outage:?}, {bound:?} at most\n{}", world.logs());
}
