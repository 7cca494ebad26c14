//! Requests of a client that a director gives to real servers: every way to them, through their failures, reloads, and deaths
//! of the daemon. It needs a kernel with IPVS: `cargo xtask vm -- target/debug/deps/traffic-… --test-threads=1`.

mod common;
#[path = "traffic/network.rs"]
mod network;
#[path = "traffic/pool.rs"]
mod pool;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::PATIENCE;
use lab::{now, wait_until};
use model::Family;
use network::{Network, ONE, SORRY, TWO, Way};
use pool::{Answers, Connection};

/// From a death until everything goes elsewhere: `delay_loop`, `connect_timeout`, and as much again for a busy machine.
const BOUND: Duration = Duration::from_millis(2 * (200 + 1000));

#[test]
fn translated_over_ipv4() {
    balances(Way::Nat, Family::V4);
}

#[test]
fn translated_over_ipv6() {
    balances(Way::Nat, Family::V6);
}

#[test]
fn routed_over_ipv4() {
    balances(Way::Direct, Family::V4);
}

#[test]
fn routed_over_ipv6() {
    balances(Way::Direct, Family::V6);
}

#[test]
fn tunnelled_over_ipv4() {
    balances(Way::IpIp, Family::V4);
}

#[test]
fn tunnelled_over_ipv6() {
    balances(Way::IpIp, Family::V6);
}

#[test]
fn tunnelled_by_gre_over_ipv4() {
    balances(Way::Gre, Family::V4);
}

#[test]
fn tunnelled_by_gre_over_ipv6() {
    balances(Way::Gre, Family::V6);
}

#[test]
fn tunnelled_by_gue_over_ipv4() {
    balances(Way::Gue, Family::V4);
}

#[test]
fn tunnelled_by_gue_over_ipv6() {
    balances(Way::Gue, Family::V6);
}

/// TCP, UDP and marked packets: by weight, to the one that is left, to the sorry server, and back.
#[track_caller]
fn balances(way: Way, family: Family) {
    let Some(mut network) = Network::new(way, family) else { return };
    network.world.nodes[0].configure(&network.file());
    network.director().start();
    wait_for_weights(&network);

    network.servers[0].end();
    wait_for_only(&network, TWO);
    network.servers[1].end();
    wait_for_only(&network, SORRY);
    network.servers.iter_mut().for_each(pool::Server::begin);
    wait_for_weights(&network);

    // It does not refuse: nothing comes from it at all.
    network.servers[1].cable.cut().expect("a cable");
    wait_for_only(&network, ONE);
    network.servers[1].cable.heal().expect("a cable");
    wait_for_weights(&network);
    network.director().stop();
}

/// Waits until every service has both servers and no other, and then gives each as many requests as its weight says.
#[track_caller]
fn wait_for_weights(network: &Network) {
    let all = network.questions();
    network.wait_for_servers(&[(21, all.len()), (22, all.len()), (23, 0)]);
    for question in all {
        let answers = question.ask(&network.world.client, 16);
        let fair = answers.are_shared(&[(ONE, 12), (TWO, 4)], question.may_lose());
        assert!(fair, "{question:?}: {answers:?}\n{}", network.story());
    }
}

/// From a moment soon after now on, no request of any service goes elsewhere than to this server.
#[track_caller]
fn wait_for_only(network: &Network, name: &str) {
    let since = now();
    for question in network.questions() {
        let (mut last_wrong, mut right) = (since, 0);
        let settled = wait_until(PATIENCE, || {
            let asked = now();
            if question.ask(&network.world.client, 1).are_only_of(name) {
                right += 1;
            } else {
                (last_wrong, right) = (asked, 0);
            }
            right >= 8
        });
        assert!(settled, "{question:?} is not answered by {name}\n{}", network.story());
        let late = last_wrong.since(since);
        assert!(late < BOUND, "{question:?} went wrong after {late:?}\n{}", network.story());
    }
}

#[test]
fn a_reload_ends_no_connection() {
    let Some(mut network) = Network::new(Way::Nat, Family::V4) else { return };
    network.world.nodes[0].configure(&network.plain("", &[21, 22]));
    network.director().start();
    network.wait_for_servers(&[(21, 1), (22, 1)]);
    let mut connections: Vec<_> = (0..4).map(|_| network.connect()).collect();
    let two = connections.iter().filter(|connection| connection.server == TWO).count();
    assert_eq!(two, 2, "{connections:?}");
    ping_all(&network, &mut connections, "first");

    // One comes, another one gets its share, and it goes again.
    network.reload(&network.plain("", &[21, 22, 23]));
    network.wait_for_servers(&[(21, 1), (22, 1), (23, 1)]);
    ping_all(&network, &mut connections, "more");
    assert_eq!(
        network.questions()[0].ask(&network.world.client, 6),
        Answers::of(&[(ONE, 2), (TWO, 2), (SORRY, 2)])
    );
    network.reload(&network.plain("", &[21, 22]).replace("weight 1", "weight 5"));
    network.wait_for_servers(&[(21, 1), (22, 1), (23, 0)]);
    ping_all(&network, &mut connections, "fewer");

    // The kernel drops what is meant for a server that is not in its table, and goes on when it comes back.
    let (mut of_two, mut of_one): (Vec<_>, Vec<_>) =
        connections.into_iter().partition(|connection| connection.server == TWO);
    network.reload(&network.plain("", &[21]));
    network.wait_for_servers(&[(21, 1), (22, 0)]);
    ping_all(&network, &mut of_one, "without");
    for connection in &mut of_two {
        let error = connection.ping("lost").expect_err("nobody answers");
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
    }
    network.reload(&network.plain("", &[21, 22]));
    network.wait_for_servers(&[(21, 1), (22, 1)]);
    ping_all(&network, &mut of_two, "again");
    network.director().stop();
}

#[test]
fn a_server_that_is_drained_keeps_its_connections() {
    let Some(mut network) = Network::new(Way::Nat, Family::V4) else { return };
    let drain = "steadfast {\ndrain 60\n}";
    network.world.nodes[0].configure(&network.plain(drain, &[21, 22]));
    network.director().start();
    network.wait_for_servers(&[(21, 1), (22, 1)]);
    let mut connections: Vec<_> = (0..4).map(|_| network.connect()).collect();
    network.reload(&network.plain(drain, &[21]));
    let drained =
        || network.table().lines().any(|line| line.contains("10.0.0.22:8080") && line.contains(" 0 "));
    assert!(wait_until(PATIENCE, drained), "{}", network.story());
    assert!(network.questions()[0].ask(&network.world.client, 8).are_only_of(ONE), "{}", network.story());
    ping_all(&network, &mut connections, "on");
    network.director().stop();
}

#[test]
fn no_request_is_lost_while_check_workers_die_or_the_daemon_does() {
    let Some(mut network) = Network::new(Way::Nat, Family::V4) else { return };
    network.world.nodes[0].configure(&network.plain("", &[21, 22]));
    network.director().start();
    network.wait_for_servers(&[(21, 1), (22, 1)]);
    let mut connections: Vec<_> = (0..4).map(|_| network.connect()).collect();
    let checked = "TCP connection to [10.0.0.22]:tcp:8080 success";
    let answers = under_load(&mut network, |network| {
        for _ in 0..3 {
            let node = network.director();
            let said = node.log().len();
            node.shell("kill -KILL $(cat /run/checkers.pid)");
            node.wait_for_line(said, checked);
        }
        network.director().daemon().kill_tree();
        network.director().start();
        network.director().wait_for_line(0, checked);
    });
    assert_fair(&network, &answers);
    ping_all(&network, &mut connections, "on");
    network.director().stop();
    network.wait_for_servers(&[(21, 0), (22, 0)]);
}

#[test]
fn a_restart_loses_nothing_if_the_entries_stay() {
    let Some(mut network) = Network::new(Way::Nat, Family::V4) else { return };
    network.world.nodes[0].configure(&network.plain("", &[21, 22]));
    let arguments = ["-n", "-l", "-D", "-I", "-f", "/run/keepalived.conf"];
    network.director().start_with(&arguments);
    network.wait_for_servers(&[(21, 1), (22, 1)]);
    let mut connections: Vec<_> = (0..4).map(|_| network.connect()).collect();
    let answers = under_load(&mut network, |network| {
        network.director().stop();
        network.wait_for_servers(&[(21, 1), (22, 1)]);
        network.director().start_with(&arguments);
        network.director().wait_for_line(0, "TCP connection to [10.0.0.22]:tcp:8080 success");
    });
    assert_fair(&network, &answers);
    ping_all(&network, &mut connections, "on");
    network.director().stop();
}

#[test]
fn a_restart_refuses_in_between_if_the_entries_go() {
    let Some(mut network) = Network::new(Way::Nat, Family::V4) else { return };
    network.world.nodes[0].configure(&network.plain("", &[21, 22]));
    network.director().start();
    network.wait_for_servers(&[(21, 1), (22, 1)]);
    network.director().stop();
    network.wait_for_servers(&[(21, 0), (22, 0)]);
    let answers = network.questions()[0].ask(&network.world.client, 4);
    assert_eq!((answers.by_name.len(), answers.errors.len()), (0, 4), "{answers:?}");
    network.director().start();
    network.wait_for_servers(&[(21, 1), (22, 1)]);
    assert_fair(&network, &network.questions()[0].ask(&network.world.client, 8));
    network.director().stop();
}

/// Each of them is answered, if need be after what was lost has been sent again.
#[track_caller]
fn ping_all(network: &Network, connections: &mut [Connection], word: &str) {
    for connection in connections {
        let mut last = None;
        let answered = wait_until(PATIENCE, || match connection.ping(word) {
            Ok(()) => true,
            Err(error) => {
                last = Some(error);
                false
            }
        });
        assert!(answered, "{word}: {}: {last:?}\n{}", connection.server, network.story());
    }
}

/// What a client gets that asks all the time, one request after the other, while this happens and a moment longer.
fn under_load(network: &mut Network, act: impl FnOnce(&mut Network)) -> Answers {
    let (client, question) = (network.world.client.clone(), network.questions()[0]);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut all = Answers::default();
            while !stop.load(Ordering::Relaxed) {
                all.add(question.ask(&client, 8));
            }
            all.add(question.ask(&client, 8));
            all
        });
        act(network);
        stop.store(true, Ordering::Relaxed);
        load.join().expect("a client that does not panic")
    })
}

/// Every request was answered, and no server was left out.
#[track_caller]
fn assert_fair(network: &Network, answers: &Answers) {
    assert!(answers.errors.is_empty(), "{answers:?}\n{}", network.story());
    let fewest = answers.by_name.values().sum::<usize>() / 3;
    let right =
        [ONE, TWO].iter().all(|&name| answers.by_name.get(name).is_some_and(|&count| count >= fewest));
    assert!(right, "{answers:?}\n{}", network.story());
}
