//! Where and how the daemon's processes run: names, pid files, priorities, limits, namespaces, delays.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use common::{Node, PATIENCE, World, notes_world, router};
use lab::{now, wait_for, wait_until};
use rustix::net::sockopt::socket_recv_buffer_size;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

const VIP: &str = "192.168.0.100";

/// Hosts of priorities 120 and 100, of which the first has `before` before its router. Not started yet.
fn pair(before: &str) -> Option<World> {
    let first = before.to_owned() + &router("V", 51, 120, VIP, "");
    notes_world([first, router("V", 51, 100, VIP, "")])
}

fn globals(settings: &str) -> String {
    format!("global_defs {{\n{settings}\n}}\n")
}

fn proc_file(pid: u32, name: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default()
}

/// The numbers behind the name in `/proc/PID/stat`: the first of them is field 3 of `proc(5)`.
fn stat(pid: u32) -> Vec<String> {
    let text = proc_file(pid, "stat");
    let behind = text.rsplit(')').next().unwrap_or_default();
    behind.split_whitespace().map(str::to_owned).collect()
}

/// Nice value, real-time priority and policy (`proc(5)`, fields 19, 40 and 41).
fn scheduling(pid: u32) -> [i64; 3] {
    let fields = stat(pid);
    [19, 40, 41].map(|field: usize| fields.get(field - 3).and_then(|text| text.parse().ok()).unwrap_or(-99))
}

/// `Name: value` lines of `/proc/PID/status`.
fn status(pid: u32) -> BTreeMap<String, String> {
    let text = proc_file(pid, "status");
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

fn worker_of(node: &mut Node) -> u32 {
    let supervisor = node.daemon().pid();
    let child = || {
        let text = proc_file(supervisor, &format!("task/{supervisor}/children"));
        text.split_whitespace().next().and_then(|pid| pid.parse().ok())
    };
    wait_for(PATIENCE, child).expect("a worker")
}

const SCHED_RR: i64 = 2;

#[test]
fn the_worker_has_the_names_priorities_and_limits_of_the_file() {
    let settings = "process_name lb\nvrrp_process_name lb_vrrp\nvrrp_rt_priority 20\nvrrp_rlimit_rttime 200000\n\
                    vrrp_cpu_affinity 0\nvrrp_no_swap";
    let Some(mut world) = pair(&globals(settings)) else { return };
    world.settle();
    let node = &mut world.nodes[0];
    let (supervisor, worker) = (node.daemon().pid(), worker_of(node));
    assert_eq!(proc_file(supervisor, "comm").trim(), "lb");
    assert_eq!(proc_file(worker, "comm").trim(), "lb_vrrp");
    assert_eq!(scheduling(worker)[1..], [20, SCHED_RR], "{}", node.log());
    assert_eq!(scheduling(supervisor)[1..], [0, 0]);
    let told = status(worker);
    assert_eq!(told["Cpus_allowed_list"], "0");
    assert_ne!(told["VmLck"], "0 kB", "{}", node.log());
    let limits = proc_file(worker, "limits");
    let limit = limits.lines().find(|line| line.starts_with("Max realtime timeout")).expect("it is there");
    assert!(limit.split_whitespace().any(|word| word == "200000"), "{limit}");
}

#[test]
fn a_reload_changes_the_priority_of_the_running_worker() {
    let Some(mut world) = pair(&globals("vrrp_priority 3")) else { return };
    world.settle();
    let node = &mut world.nodes[0];
    let worker = worker_of(node);
    assert_eq!(scheduling(worker)[0], 3, "{}", node.log());
    node.configure(&(globals("vrrp_priority 5") + &router("V", 51, 120, VIP, "")));
    node.daemon().hang_up().unwrap();
    assert!(wait_until(PATIENCE, || scheduling(worker)[0] == 5), "{}", node.log());
    assert_eq!(worker_of(node), worker, "it is the same one");
}

#[test]
fn a_worker_that_runs_late_is_given_a_real_time_priority() {
    let Some(mut world) = pair(&globals("max_auto_priority 2\nmin_auto_priority_delay 500000")) else {
        return;
    };
    world.settle();
    let node = &mut world.nodes[0];
    let worker = worker_of(node);
    assert_eq!(scheduling(worker)[1], 0);
    for expected in [1, 2] {
        let before = node.log().len();
        stall(worker);
        node.wait_for_line(before, &format!("its real-time priority becomes {expected}"));
        assert!(wait_until(PATIENCE, || scheduling(worker)[1..] == [expected, SCHED_RR]), "{}", node.log());
    }
}

/// Keeps a process from running for longer than anything of it may be late.
fn stall(pid: u32) {
    let line = format!("kill -STOP {pid}; sleep 1.2; kill -CONT {pid}");
    let status = Command::new("/bin/sh").args(["-c", &line]).status().expect("a shell");
    assert!(status.success());
}

#[test]
fn pid_files_carry_the_name_of_the_instance() {
    let Some(mut world) = pair("instance web\n") else { return };
    world.settle();
    let node = &mut world.nodes[0];
    let read = |node: &Node, path: &str| node.host.read(path).ok()?.trim().parse::<u32>().ok();
    // The host has a pid namespace of its own.
    let inside = |pid| status(pid)["NSpid"].split_whitespace().last().and_then(|pid| pid.parse().ok());
    let (supervisor, worker) = (node.daemon().pid(), worker_of(node));
    assert_eq!(read(node, "/run/keepalived/keepalived_web.pid"), inside(supervisor));
    assert_eq!(read(node, "/run/keepalived/vrrp_web.pid"), inside(worker));
    node.stop();
    assert!(!node.host.path("/run/keepalived/keepalived_web.pid").exists());
}

#[test]
fn the_daemon_lives_in_the_namespace_that_its_file_names() {
    let Some(mut world) = pair("net_namespace blue\n") else { return };
    let node = &mut world.nodes[0];
    node.shell(
        "ip netns add blue && ip link set eth1 netns blue && ip -n blue link set eth1 up && \
         ip -n blue addr add 192.168.0.86/24 dev eth1",
    );
    node.start();
    node.wait_for_line(0, "Entering MASTER STATE");
    let held = || {
        let status = node.host.spawn(&["/bin/sh", "-c", &format!("ip -n blue addr | grep -q {VIP}/")]);
        status.is_ok_and(|mut shell| shell.wait(PATIENCE).is_some_and(|status| status.success()))
    };
    assert!(wait_until(PATIENCE, held), "{}", node.log());
    assert!(!node.holds(world.vip));
    assert!(node.host.path("/run/keepalived/blue/keepalived.pid").exists());
}

#[test]
fn a_delayed_start_is_told_and_kept() {
    let Some(mut world) = pair(&globals("vrrp_startup_delay 2.5")) else { return };
    let begin = now();
    world.nodes[0].start();
    world.nodes[0].wait_for_line(0, "Delaying startup for 2.");
    let first = world.adverts_of(0, begin, 1)[0].at;
    // The delay, and then a master down interval of three advertisements.
    assert!(first.since(begin).as_millis() > 2500 + 900, "{:?}", first.since(begin));
    assert!(!world.nodes[0].log().contains("FAULT"));
}

#[test]
fn the_delay_after_boot_has_passed_long_ago() {
    let Some(mut world) = pair(&globals("vrrp_delay_after_boot 0.001")) else { return };
    world.settle();
    assert!(!world.nodes[0].log().contains("Delaying startup"));
}

#[test]
fn strangers_on_the_link_are_told_of_on_request() {
    let first = globals("log_unknown_vrids") + &router("V", 51, 120, VIP, "");
    let Some(mut world) = notes_world([first, router("W", 99, 100, "192.168.0.199", "")]) else { return };
    for node in &mut world.nodes {
        node.start();
    }
    world.nodes[0].wait_for_line(0, "Unknown VRID(99) received on interface(eth1) from 192.168.0.14");
    assert!(!world.nodes[1].log().contains("Unknown VRID"), "only on request");
}

#[test]
fn receive_queues_are_as_large_as_the_file_says() {
    let instance = router("V", 51, 120, VIP, "kernel_rx_buf_size 30000");
    let file =
        globals("vrrp_netlink_monitor_rcv_bufs 700000\nvrrp_netlink_monitor_rcv_bufs_force") + &instance;
    let Some(mut world) = notes_world([file, router("V", 51, 100, VIP, "")]) else { return };
    world.settle();
    let node = &mut world.nodes[0];
    let worker = worker_of(node);
    // The kernel keeps twice as much, for its own account of each packet.
    let has = |bytes: usize| queues(worker).contains(&(2 * bytes));
    assert!(wait_until(PATIENCE, || has(30_000) && has(700_000)), "{:?}\n{}", queues(worker), node.log());
    let mtus = globals("vrrp_rx_bufs_policy MTU\nvrrp_rx_bufs_multiplier 4");
    node.configure(&(mtus + &router("V", 51, 120, VIP, "")));
    node.daemon().hang_up().unwrap();
    assert!(wait_until(PATIENCE, || has(6_000)), "{:?}\n{}", queues(worker), node.log());
}

/// The receive queues of a process's sockets, in bytes.
fn queues(pid: u32) -> Vec<usize> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process");
    let process = pidfd_open(number, PidfdFlags::empty()).expect("it runs");
    let names = fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors").flatten();
    let descriptors = names.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let copies = descriptors.filter_map(|fd| pidfd_getfd(&process, fd, PidfdGetfdFlags::empty()).ok());
    copies.filter_map(|copy| socket_recv_buffer_size(&copy).ok()).collect()
}
