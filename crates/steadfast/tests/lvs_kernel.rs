//! What the check worker does to a real table of IPVS, in the virtual machine: through failures, reloads and deaths.

mod common;

use std::collections::BTreeSet;
use std::net::TcpListener;

use common::{Node, PATIENCE, World, has_ipvs, notes_world};
use lab::wait_until;

/// Node 0 alone with this file, not started yet, beside a service that somebody else has put into the table.
fn lone(file: &str) -> Option<World> {
    if !has_ipvs() {
        return None;
    }
    let world = notes_world([file.to_owned(), String::new()])?;
    world.nodes[0]
        .shell("ipvsadm -A -t 203.0.113.9:99 -s lc && ipvsadm -a -t 203.0.113.9:99 -r 203.0.113.10:99 -m");
    Some(world)
}

const FOREIGN: [&str; 2] = ["TCP 203.0.113.9:99 lc", "203.0.113.9:99 -> 203.0.113.10:99 Masq 1"];

fn file(global: &str, second: &str) -> String {
    format!(
        "global_defs {{\n{global}\n}}\nvirtual_server 192.0.2.1 80 {{\nlvs_sched wrr\nlvs_method NAT\nprotocol TCP\n\
         delay_loop 0.2\nretry 0\nquorum 2\nsorry_server 127.0.0.1 8009\n{}{second}}}\n",
        server(8001, 1)
    )
}

fn server(port: u16, weight: u32) -> String {
    format!("real_server 127.0.0.1 {port} {{\nweight {weight}\nTCP_CHECK {{\nconnect_timeout 1\n}}\n}}\n")
}

fn listen(node: &Node, port: u16) -> TcpListener {
    node.host.run(|| TcpListener::bind(("127.0.0.1", port))).unwrap().unwrap()
}

/// The table: services, and destinations behind their services; without counts of connections.
fn table(node: &Node) -> BTreeSet<String> {
    node.shell("ipvsadm -Ln > /run/table");
    let text = node.host.read("/run/table").unwrap();
    let mut service = "";
    let mut lines = BTreeSet::new();
    for line in text.lines().skip(3) {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            ["->", place, way, weight, ..] => {
                lines.insert(format!("{service} -> {place} {way} {weight}"));
            }
            [protocol, place, rest @ ..] => {
                service = place;
                lines.insert(format!("{protocol} {place} {}", rest.join(" ")));
            }
            _ => {}
        }
    }
    lines
}

/// Waits until the table has these destinations of ours, and what is not ours as it was.
#[track_caller]
fn wait_for_table(node: &Node, destinations: &[&str]) {
    let mut wanted: BTreeSet<_> = FOREIGN.map(str::to_owned).into();
    wanted.insert("TCP 192.0.2.1:80 wrr".to_owned());
    wanted.extend(destinations.iter().map(|one| format!("192.0.2.1:80 -> 127.0.0.1:{one}")));
    assert!(wait_until(PATIENCE, || table(node) == wanted), "{:#?}\n{}", table(node), node.log());
}

#[test]
fn the_table_follows_the_checks_and_a_stop_takes_away_ours_alone() {
    let Some(mut world) = lone(&file("", &server(8002, 3))) else { return };
    let node = &mut world.nodes[0];
    let _first = listen(node, 8001);
    let second = listen(node, 8002);
    node.start();
    wait_for_table(node, &["8001 Masq 1", "8002 Masq 3"]);
    drop(second);
    // Quorum is lost with it.
    wait_for_table(node, &["8009 Masq 1"]);
    let _second = listen(node, 8002);
    wait_for_table(node, &["8001 Masq 1", "8002 Masq 3"]);

    // A reload changes what differs.
    let _third = listen(node, 8003);
    node.configure(&file("", &(server(8002, 5) + &server(8003, 1))));
    node.daemon().hang_up().unwrap();
    wait_for_table(node, &["8001 Masq 1", "8002 Masq 5", "8003 Masq 1"]);

    node.stop();
    assert_eq!(table(node), FOREIGN.map(str::to_owned).into());
}

#[test]
fn a_reload_makes_good_what_somebody_else_has_changed() {
    let Some(mut world) = lone(&file("", &server(8002, 3))) else { return };
    let node = &mut world.nodes[0];
    let _listeners = [8001, 8002].map(|port| listen(node, port));
    node.start();
    wait_for_table(node, &["8001 Masq 1", "8002 Masq 3"]);
    let whole =
        "taken the service [192.0.2.1]:tcp:80 out of the table: it is put back with its 2 destinations";
    let cleared = "ipvsadm -C && ipvsadm -A -t 203.0.113.9:99 -s lc && ipvsadm -a -t 203.0.113.9:99 -r 203.0.113.10:99 -m";
    for (change, said) in [
        (cleared, whole),
        ("ipvsadm -D -t 192.0.2.1:80", whole),
        (
            "ipvsadm -e -t 192.0.2.1:80 -r 127.0.0.1:8002 -m -w 9",
            "changed the service [192.0.2.1]:tcp:80: set as they were: [127.0.0.1]:8002",
        ),
    ] {
        let before = node.log().len();
        node.shell(change);
        node.daemon().hang_up().unwrap();
        wait_for_table(node, &["8001 Masq 1", "8002 Masq 3"]);
        node.wait_for_line(before, "nothing changes, but what others have done to the IPVS table");
        node.wait_for_line(before, said);
    }
    let before = node.log().len();
    node.daemon().hang_up().unwrap();
    node.wait_for_line(before, "nothing changes");
    node.shell("ipvsadm -e -t 192.0.2.1:80 -r 127.0.0.1:8001 -m -w 9");
    node.daemon().hang_up().unwrap();
    node.wait_for_line(before, "[127.0.0.1]:8001");
    let log = node.log();
    let blamed = log[before..].lines().filter(|line| line.contains("something else has")).count();
    assert_eq!(blamed, 1, "{log}");
}

#[test]
fn a_check_worker_that_dies_leaves_the_table_to_the_next_one() {
    let Some(mut world) = lone(&file("", &server(8002, 3))) else { return };
    let node = &mut world.nodes[0];
    let _listeners = [8001, 8002].map(|port| listen(node, port));
    node.start();
    wait_for_table(node, &["8001 Masq 1", "8002 Masq 3"]);
    let before = table(node);
    for _ in 0..3 {
        let said = node.log().len();
        node.shell("kill -KILL $(cat /run/checkers.pid)");
        let comes_back = || {
            assert_eq!(table(node), before, "{}", node.log());
            node.log()
                .get(said..)
                .is_some_and(|log| log.contains("TCP connection to [127.0.0.1]:tcp:8002 success"))
        };
        assert!(wait_until(PATIENCE, comes_back), "{}", node.log());
    }
    // What all of them have made is taken away.
    node.stop();
    assert_eq!(table(node), FOREIGN.map(str::to_owned).into());
}

#[test]
fn what_a_killed_daemon_left_is_taken_over_and_goes_at_the_next_stop() {
    let Some(mut world) = lone(&file("", &server(8002, 3))) else { return };
    let node = &mut world.nodes[0];
    let _listeners = [8001, 8002].map(|port| listen(node, port));
    node.start();
    wait_for_table(node, &["8001 Masq 1", "8002 Masq 3"]);
    node.daemon().kill_tree();
    node.configure(&file("", &server(8002, 4)));
    node.start();
    wait_for_table(node, &["8001 Masq 1", "8002 Masq 4"]);
    node.stop();
    assert_eq!(table(node), FOREIGN.map(str::to_owned).into());
}

#[test]
fn the_whole_table_goes_if_the_file_says_so_and_stays_if_the_command_line_does() {
    let Some(mut world) = lone(&file("lvs_flush\nlvs_flush_on_stop", &server(8002, 3))) else { return };
    let node = &mut world.nodes[0];
    let _listeners = [8001, 8002].map(|port| listen(node, port));
    node.start();
    let ours =
        || table(node).iter().filter(|line| line.starts_with("192.0.2.1:80 -> 127.0.0.1:800")).count() == 2;
    assert!(wait_until(PATIENCE, ours), "{:?}\n{}", table(node), node.log());
    assert!(!table(node).contains(FOREIGN[0]));
    node.shell("ipvsadm -A -t 203.0.113.9:99 -s lc");
    node.stop();
    assert!(table(node).is_empty(), "{:?}", table(node));

    node.start_with(&["-n", "-l", "-I", "-f", "/run/keepalived.conf"]);
    let ours =
        || table(node).iter().filter(|line| line.starts_with("192.0.2.1:80 -> 127.0.0.1:800")).count() == 2;
    assert!(wait_until(PATIENCE, ours), "{:?}\n{}", table(node), node.log());
    let before = table(node);
    node.stop();
    assert_eq!(table(node), before);
}

#[test]
fn connection_synchronisation_follows_the_virtual_router() {
    let router = common::router("V", 51, 100, "192.168.0.100", "");
    let Some(mut world) = lone(&(file("lvs_sync_daemon eth1 V id 7", &server(8002, 3)) + &router)) else {
        return;
    };
    let node = &mut world.nodes[0];
    node.start();
    let says = |node: &Node, wanted: &str| {
        node.shell("ipvsadm -l --daemon > /run/sync");
        node.host.read("/run/sync").unwrap().contains(wanted)
    };
    let says_at_last =
        |node: &Node| wait_until(PATIENCE, || says(node, "master sync daemon (mcast=eth1, syncid=7"));
    assert!(says_at_last(node), "{}\n{}", node.host.read("/run/sync").unwrap(), node.log());
    assert!(!says(node, "backup sync daemon"));
    node.stop();
    assert!(!says(node, "sync daemon"), "{}", node.host.read("/run/sync").unwrap());
}
