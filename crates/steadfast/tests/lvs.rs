//! Virtual servers and their checks: who is told of what, through failures, reloads and deaths. Nothing here needs a kernel
//! with IPVS; where there is one, the table is looked at too.

mod common;

use std::net::TcpListener;

use common::{Node, PATIENCE, World, notes_world, router};
use lab::wait_until;

/// Node 0 alone with this file, not started yet, and a program that writes down how it was called.
fn lone(file: &str) -> Option<World> {
    let world = notes_world([file.to_owned(), String::new()])?;
    let node = &world.nodes[0];
    node.host.write_script("/run/note", "#!/bin/sh\necho \"$*\" >> /run/noted\n").unwrap();
    let check =
        "#!/bin/sh\n[ -e /run/slow ] && exec sleep 86371\nread -r status < /run/status && exit \"$status\"\n";
    node.host.write_script("/run/check", check).unwrap();
    node.shell("touch /run/noted");
    Some(world)
}

fn global(lines: &str) -> String {
    format!("global_defs {{\nscript_user root\n{lines}\n}}\n")
}

/// A virtual server with real servers on these ports of the host.
fn service(port: u16, more: &str, pool: &[String]) -> String {
    format!(
        "virtual_server 192.0.2.1 {port} {{\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\ndelay_loop 0.2\n\
         retry 1\ndelay_before_retry 0.1\nalpha\nquorum_up \"/run/note quorum {port} up\"\n\
         quorum_down \"/run/note quorum {port} down\"\n{more}\n{}}}\n",
        pool.concat()
    )
}

fn server(port: u16, check: &str) -> String {
    format!(
        "real_server 127.0.0.1 {port} {{\nweight 1\nnotify_up \"/run/note server {port} up\"\n\
         notify_down \"/run/note server {port} down\"\n{check}\n}}\n"
    )
}

const TCP: &str = "TCP_CHECK {\nconnect_timeout 1\n}";

fn listen(node: &Node, port: u16) -> TcpListener {
    node.host.run(|| TcpListener::bind(("127.0.0.1", port))).unwrap().unwrap()
}

fn noted(node: &Node) -> Vec<String> {
    node.host.read("/run/noted").unwrap().lines().map(str::to_owned).collect()
}

/// Waits until exactly so much has been noted of this subject, in this order.
#[track_caller]
fn wait_for_notes(node: &Node, subject: &str, states: &[&str]) {
    let wanted: Vec<_> = states.iter().map(|state| format!("{subject} {state}")).collect();
    let of_subject = || noted(node).into_iter().filter(|line| line.starts_with(&format!("{subject} ")));
    let seen = wait_until(PATIENCE, || of_subject().count() >= wanted.len());
    assert!(seen && of_subject().eq(wanted.iter().cloned()), "{subject}: {:?}\n{}", noted(node), node.log());
}

fn pid_in(node: &Node, path: &str) -> Option<u32> {
    node.host.read(path).ok()?.trim().parse().ok()
}

#[test]
fn quorum_and_servers_are_told_of_once_and_in_order() {
    let file = global("lvs_notify_fifo /run/lvs.fifo\nnotify_fifo /run/all.fifo")
        + &service(80, "quorum 2\nomega", &[server(8001, TCP), server(8002, TCP)]);
    let Some(mut world) = lone(&file) else { return };
    let node = &mut world.nodes[0];
    let first = listen(node, 8001);
    let second = listen(node, 8002);
    node.start();
    wait_for_notes(node, "server 8001", &["up"]);
    wait_for_notes(node, "server 8002", &["up"]);
    wait_for_notes(node, "quorum 80", &["up"]);
    drop(second);
    wait_for_notes(node, "server 8002", &["up", "down"]);
    wait_for_notes(node, "quorum 80", &["up", "down"]);
    let _second = listen(node, 8002);
    wait_for_notes(node, "quorum 80", &["up", "down", "up"]);
    let lines = "VS [192.0.2.1]:tcp:80 UP\nRS [127.0.0.1]:tcp:8001 [192.0.2.1]:tcp:80 UP";
    node.shell("cat /run/lvs.fifo > /run/lvs & cat /run/all.fifo > /run/all &");
    node.stop();
    // Those that `omega` wants told at the end, after what was told before.
    wait_for_notes(node, "server 8001", &["up", "down"]);
    wait_for_notes(node, "quorum 80", &["up", "down", "up", "down"]);
    for pipe in ["/run/lvs", "/run/all"] {
        let written = || node.host.read(pipe).unwrap();
        for line in lines.lines() {
            assert!(
                wait_until(PATIENCE, || written().lines().any(|one| one == line)),
                "{line}: {}",
                written()
            );
        }
        assert_eq!(written().lines().filter(|line| line.starts_with("VS ")).count(), 4, "{}", written());
    }
    drop(first);
}

#[test]
fn a_reload_tells_only_of_what_differs() {
    let both = service(80, "", &[server(8001, TCP), server(8002, TCP)]);
    let Some(mut world) = lone(&(global("") + &both)) else { return };
    let node = &mut world.nodes[0];
    let _listeners = [8001, 8002, 8003, 8004].map(|port| listen(node, port));
    node.start();
    wait_for_notes(node, "server 8001", &["up"]);
    wait_for_notes(node, "server 8002", &["up"]);
    wait_for_notes(node, "quorum 80", &["up"]);
    let worker = pid_in(node, "/run/checkers.pid").unwrap();
    // One server goes, one comes, and another virtual server.
    node.configure(
        &(global("")
            + &service(80, "", &[server(8001, TCP), server(8003, TCP)])
            + &service(81, "", &[server(8004, TCP)])),
    );
    let said = node.log().len();
    node.daemon().hang_up().unwrap();
    node.wait_for_line(said, "virtual server [192.0.2.1]:tcp:80: adds [127.0.0.1]:tcp:8003");
    node.wait_for_line(said, "virtual server [192.0.2.1]:tcp:81 comes with one real server");
    wait_for_notes(node, "server 8003", &["up"]);
    wait_for_notes(node, "quorum 81", &["up"]);
    wait_for_notes(node, "quorum 80", &["up"]);
    wait_for_notes(node, "server 8004", &["up"]);
    wait_for_notes(node, "server 8001", &["up"]);
    assert_eq!(pid_in(node, "/run/checkers.pid"), Some(worker), "the same process");
    // Settings in place.
    let said = node.log().len();
    node.configure(
        &(global("")
            + &service(80, "quorum 2", &[server(8001, TCP), server(8003, TCP)])
            + &service(81, "", &[server(8004, TCP)]))
            .replace("lvs_sched rr", "lvs_sched wrr"),
    );
    node.daemon().hang_up().unwrap();
    for change in ["80: scheduler rr becomes wrr", "80: quorum 1 becomes 2", "81: scheduler rr becomes wrr"] {
        node.wait_for_line(said, &format!("virtual server [192.0.2.1]:tcp:{change}"));
    }
    // And with no virtual server any more, and a virtual router instead.
    node.configure(&(global("") + &router("V", 51, 100, "192.168.0.100", "")));
    node.daemon().hang_up().unwrap();
    let vip = world.vip;
    let node = &mut world.nodes[0];
    assert!(wait_until(PATIENCE, || node.holds(vip)), "{}", node.log());
    node.stop();
    assert_eq!(
        noted(node).iter().filter(|line| line.starts_with("quorum 80")).count(),
        1,
        "{:?}",
        noted(node)
    );
}

#[test]
fn a_check_worker_that_dies_is_followed_by_one_that_knows_and_repeats_nothing() {
    let file = global("checker_process_name checks")
        + &service(80, "quorum 1", &[server(8001, TCP), server(8002, TCP)])
        + &router("V", 51, 100, "192.168.0.100", "");
    let Some(mut world) = lone(&file) else { return };
    let vip = world.vip;
    let node = &mut world.nodes[0];
    let _first = listen(node, 8001);
    let second = listen(node, 8002);
    node.start();
    wait_for_notes(node, "server 8001", &["up"]);
    wait_for_notes(node, "server 8002", &["up"]);
    wait_for_notes(node, "quorum 80", &["up"]);
    assert!(wait_until(PATIENCE, || node.holds(vip)), "{}", node.log());
    let pid = |node: &Node| pid_in(node, "/run/checkers.pid").unwrap();
    let routers = pid_in(node, "/run/vrrp.pid");
    for _ in 0..2 {
        let before = pid(node);
        node.shell("test $(cat /proc/$(cat /run/checkers.pid)/comm) = checks");
        let said = node.log().len();
        node.shell("kill -KILL $(cat /run/checkers.pid)");
        node.wait_for_line(said, "was killed by SIGKILL: it is started again");
        node.wait_for_line(said, "TCP connection to [127.0.0.1]:tcp:8001 success");
        assert_ne!(pid(node), before);
    }
    assert_eq!(pid_in(node, "/run/vrrp.pid"), routers, "the other worker lives on");
    // The new one works: and it is the first to be told anything.
    drop(second);
    wait_for_notes(node, "server 8002", &["up", "down"]);
    wait_for_notes(node, "server 8001", &["up"]);
    wait_for_notes(node, "quorum 80", &["up"]);
    node.stop();
}

#[test]
fn a_dump_of_servers_comes_also_from_a_worker_that_dies_before_it_has_told() {
    let file = global("state_dump_file /run/dump.data") + &service(80, "", &[server(8001, TCP)]);
    let Some(mut world) = lone(&file) else { return };
    let node = &mut world.nodes[0];
    let _listener = listen(node, 8001);
    node.start();
    wait_for_notes(node, "server 8001", &["up"]);
    let dump = || node.host.read("/run/dump_check.data").unwrap_or_default();
    node.shell("kill -USR1 $(cat /run/keepalived.pid)");
    assert!(wait_until(PATIENCE, || dump().contains("Has run = yes")), "{}\n{}", dump(), node.log());
    node.shell("rm /run/dump_check.data && kill -STOP $(cat /run/checkers.pid)");
    let said = node.log().len();
    node.shell("kill -USR1 $(cat /run/keepalived.pid)");
    node.wait_for_line(said, "Printing parent data on signal");
    node.shell("kill -KILL $(cat /run/checkers.pid)");
    assert!(wait_until(PATIENCE, || dump().contains("Up = yes")), "{}\n{}", dump(), node.log());
    assert!(!dump().contains("Has run"), "nobody has told: {}", dump());
    node.stop();
}

#[test]
fn a_program_checks_sets_the_weight_and_is_ended_when_it_hangs() {
    let check = "MISC_CHECK {\nmisc_path /run/check\nmisc_timeout 1\nmisc_dynamic\n}";
    let Some(mut world) = lone(&(global("") + &service(80, "", &[server(8001, check)]))) else { return };
    let node = &mut world.nodes[0];
    node.shell("echo 0 > /run/status");
    node.start();
    wait_for_notes(node, "server 8001", &["up"]);
    let said = node.log().len();
    node.shell("echo 52 > /run/new && mv /run/new /run/status");
    node.wait_for_line(said, "Changing weight from 1 to 50");
    node.shell("touch /run/slow");
    wait_for_notes(node, "server 8001", &["up", "down"]);
    node.shell("rm /run/slow");
    wait_for_notes(node, "server 8001", &["up", "down", "up"]);
    node.shell("echo 1 > /run/new && mv /run/new /run/status");
    wait_for_notes(node, "server 8001", &["up", "down", "up", "down"]);
    node.stop();
}

#[test]
fn a_check_that_cannot_be_run_leaves_the_server_and_says_which_program_and_why() {
    let check = "MISC_CHECK {\nmisc_path /run/no/such/check\nmisc_timeout 1\n}";
    let pool = [server(8001, check), server(8002, "MISC_CHECK {\nmisc_path /run/check\n}")];
    let Some(mut world) = lone(&(global("") + &service(80, "", &pool))) else { return };
    let node = &mut world.nodes[0];
    node.shell("echo 0 > /run/status");
    node.start();
    node.wait_for_line(
        0,
        "MISC_CHECK on service [127.0.0.1]:tcp:8001 cannot be made: script /run/no/such/check is not run: /run/no does \
         not exist; the server stays as it is",
    );
    // One that goes away while the daemon runs.
    wait_for_notes(node, "server 8002", &["up"]);
    node.shell("rm /run/check");
    node.wait_for_line(
        0,
        "MISC_CHECK on service [127.0.0.1]:tcp:8002 cannot be made: script /run/check is not run: /run/check does not \
         exist",
    );
    wait_for_notes(node, "server 8002", &["up"]);
    node.stop();
}

#[test]
fn workers_without_a_supervisor_release_everything_and_say_why() {
    let file =
        global("") + &service(80, "", &[server(8001, TCP)]) + &router("V", 51, 100, "192.168.0.100", "");
    let Some(mut world) = lone(&file) else { return };
    let vip = world.vip;
    let node = &mut world.nodes[0];
    let _listener = listen(node, 8001);
    node.start();
    wait_for_notes(node, "server 8001", &["up"]);
    assert!(wait_until(PATIENCE, || node.holds(vip)), "{}", node.log());
    node.shell("kill -KILL $(cat /run/keepalived.pid)");
    node.wait_for_line(0, "the supervisor is gone, so the check worker stops too");
    node.wait_for_line(0, "the supervisor is gone, so the vrrp worker stops too");
    node.wait_for_line(0, "Shutting down service [127.0.0.1]:tcp:8001 from VS [192.0.2.1]:tcp:80");
    assert!(wait_until(PATIENCE, || !node.holds(vip)), "{}", node.log());
}

#[test]
fn a_file_takes_a_server_out() {
    let file = global("")
        + "track_file drain {\nfile /run/drain\n}\n"
        + &service(80, "", &[server(8001, "FILE_CHECK {\ntrack_file drain\nweight 0\n}")]);
    for arguments in [&[][..], &["-C"]] {
        let Some(mut world) = lone(&file) else { return };
        let node = &mut world.nodes[0];
        node.shell("echo 0 > /run/drain");
        node.start_with(&[&["-n", "-l", "-D", "-f", "/run/keepalived.conf"][..], arguments].concat());
        node.wait_for_line(0, "the check worker is ready");
        node.shell("echo 1 > /run/drain");
        wait_for_notes(node, "server 8001", &["down"]);
        node.shell("echo 0 > /run/drain");
        wait_for_notes(node, "server 8001", &["down", "up"]);
        node.stop();
    }
}

#[test]
fn checks_pause_while_the_address_is_elsewhere() {
    let pool = [server(8001, TCP)];
    let service = service(80, "ha_suspend", &pool).replace("192.0.2.1 ", "192.168.0.100 ");
    let Some(mut world) = lone(&(global("") + &service)) else { return };
    let node = &mut world.nodes[0];
    let listener = listen(node, 8001);
    node.start();
    node.wait_for_line(0, "the check worker is ready");
    node.shell("ip address add 192.168.0.100/32 dev eth1");
    wait_for_notes(node, "server 8001", &["up"]);
    node.shell("ip address del 192.168.0.100/32 dev eth1");
    node.wait_for_line(0, "Suspending healthchecker");
    drop(listener);
    node.shell("ip address add 192.168.0.100/32 dev eth1");
    wait_for_notes(node, "server 8001", &["up", "down"]);
    node.stop();
}
