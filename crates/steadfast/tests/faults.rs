//! What goes wrong around a running daemon: interfaces, addresses, rights, its own processes, its log.

mod common;

use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

use common::stranger::{runs, signal, worker};
use common::{GRACE, Node, PATIENCE, ROUTER_INTERVAL, World, interface, network, quick_world, router};
use common::{notes_in_step, notes_world};
use lab::{Heard, Lan, Signal, now, wait_until};
use model::{IfName, Instant, Prefix};

const VIP: &str = "192.168.0.100";
const BINARY: &str = env!("CARGO_BIN_EXE_steadfast");

/// Node 0 alone with this file, not started yet.
fn lone(file: &str) -> Option<World> {
    notes_world([file.to_owned(), String::new()])
}

fn name(text: &str) -> IfName {
    text.parse().unwrap()
}

/// A second router, on an interface that a test takes away while the first one must not notice.
fn on_eth9(vip: &str) -> String {
    router("B", 52, 100, vip, "").replace("interface eth1", "interface eth9")
}

#[track_caller]
fn assert_kept(world: &World, vrid: u8, since: Instant) {
    let of_router = |heard: &Heard| heard.advert().is_some_and(|advert| advert.vrid.get() == vrid);
    let heard = world.sniffer.since(since, of_router);
    assert!(heard.len() > 1, "{} advertisements of router {vrid}\n{}", heard.len(), world.logs());
    for pair in heard.windows(2) {
        let gap = pair[1].at.since(pair[0].at);
        assert!(gap < ROUTER_INTERVAL + GRACE, "{gap:?}: router {vrid} was disturbed\n{}", world.logs());
    }
}

#[test]
fn a_router_without_its_interface_waits_for_it_and_holds_up_no_other() {
    let file = router("A", 51, 100, VIP, "") + &on_eth9("10.0.0.100");
    let Some(mut world) = lone(&file) else { return };
    world.nodes[0].start();
    world.nodes[0].wait_for_line(0, "(B) Entering FAULT STATE (interface eth9 does not exist)");
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
    let begin = world.adverts_of(0, now(), 1).remove(0).at;

    let other = Lan::new().unwrap();
    let host = world.nodes[0].host.clone();
    let vip = Ipv4Addr::new(10, 0, 0, 100);
    let _cable = other.connect(&host, &name("eth9"), &[]).unwrap();
    world.nodes[0].wait_for_line(0, "(B) also at fault: interface eth9 has no IPv4 address");
    host.add_address(&name("eth9"), network(Ipv4Addr::new(10, 0, 0, 1))).unwrap();
    world.nodes[0].wait_for_line(0, "(B) Entering BACKUP STATE");
    assert!(wait_until(PATIENCE, || host.holds(vip.into())), "{}", world.logs());

    // Gone again while it is master, and back with another number.
    host.remove_interface(&name("eth9")).unwrap();
    let before = world.nodes[0].log().len();
    world.nodes[0].wait_for_line(0, "(B) Entering FAULT STATE (interface eth9");
    let _cable = other.connect(&host, &name("eth9"), &[network(Ipv4Addr::new(10, 0, 0, 1))]).unwrap();
    world.nodes[0].wait_for_line(before, "(B) Entering MASTER STATE");
    assert!(wait_until(PATIENCE, || host.holds(vip.into())), "{}", world.logs());
    assert_kept(&world, 51, begin);
}

#[test]
fn an_interface_goes_down_is_removed_renamed_and_loses_its_address() {
    let Some(mut world) = quick_world() else { return };
    world.settle();
    let host = world.nodes[0].host.clone();
    let (eth1, eth7) = (interface(), name("eth7"));
    let address = network(world.nodes[0].address);

    host.set_interface(&eth1, false).unwrap();
    follow(&world, "interface eth1 is down");
    host.set_interface(&eth1, true).unwrap();
    world.wait_for_master(0);

    host.rename_interface(&eth1, &eth7).unwrap();
    follow(&world, "interface eth1");
    assert!(!host.addresses(&eth7).unwrap().contains(&Prefix::host(world.vip.into())), "{}", world.logs());
    host.rename_interface(&eth7, &eth1).unwrap();
    world.wait_for_master(0);

    host.remove_address(&eth1, address).unwrap();
    follow(&world, "interface eth1 has no IPv4 address");
    host.add_address(&eth1, address).unwrap();
    world.wait_for_master(0);

    host.remove_interface(&eth1).unwrap();
    follow(&world, "interface eth1");
    world.nodes[0].cable = world.lan.connect(&host, &eth1, &[address]).unwrap();
    world.nodes[0].mac = host.mac(&eth1).unwrap();
    world.wait_for_master(0);
    let _client = world.ask();
    world.wait_for_belief(0);
}

/// The first host gives the address up for this reason, and the second has it.
#[track_caller]
fn follow(world: &World, reason: &str) {
    world.nodes[0].wait_for_line(0, &format!("(V) Entering FAULT STATE ({reason}"));
    let followed =
        wait_until(PATIENCE, || world.nodes[1].holds(world.vip) && !world.nodes[0].holds(world.vip));
    assert!(followed, "{}", world.logs());
}

#[test]
fn a_virtual_address_that_is_elsewhere_on_the_host_is_remarked_on() {
    let Some(mut world) = lone(&router("V", 51, 120, VIP, "")) else { return };
    let host = world.nodes[0].host.clone();
    host.add_address(&name("lo"), Prefix::host(world.vip.into())).unwrap();
    world.nodes[0].start();
    let said = world.nodes[0].wait_for_line(0, "(V) virtual address 192.168.0.100 is already on this host");
    assert!(said.contains("as 192.168.0.100/32 on lo") && said.contains("remove it there"), "{said}");
    let held = || host.addresses(&interface()).unwrap().contains(&Prefix::host(world.vip.into()));
    assert!(wait_until(PATIENCE, held), "it is held where it belongs\n{}", world.logs());
    world.nodes[0].stop();
    assert!(world.nodes[0].holds(world.vip), "what somebody else put on `lo` is left there");
}

#[test]
fn the_host_s_own_address_is_never_deleted() {
    // As its owner (RFC 9568 §6.4.1), and by mistake.
    for priority in [255, 100] {
        let Some(mut world) = lone(&router("V", 51, priority, "192.168.0.86/24", "")) else { return };
        let own = network(world.nodes[0].address);
        let begin = now();
        world.nodes[0].start();
        let _a_while = world.adverts_of(0, begin, 6);
        // Any news of the interface makes the daemon look again from where it speaks.
        world.nodes[0].host.add_address(&interface(), network(Ipv4Addr::new(192, 168, 0, 87))).unwrap();
        let _a_while = world.adverts_of(0, now(), 3);
        assert!(!world.nodes[0].log().contains("FAULT"), "{}", world.logs());
        world.nodes[0].wait_for_line(0, "Entering MASTER STATE");
        world.nodes[0].daemon().terminate().unwrap();
        let line = "virtual address 192.168.0.86/24 on eth1 is not ours to hold now";
        world.nodes[0].wait_for_line(0, line);
        assert!(world.nodes[0].daemon().wait(PATIENCE).is_some());
        assert!(world.nodes[0].host.addresses(&interface()).unwrap().contains(&own), "{}", world.logs());
    }
}

#[test]
fn only_a_foreign_holder_of_a_virtual_address_is_remarked_on() {
    let Some(mut world) = lone(&router("V", 51, 120, VIP, "")) else { return };
    let host = world.nodes[0].host.clone();
    // A second interface on the same LAN answers for the addresses of the first.
    let second = network(Ipv4Addr::new(192, 168, 0, 87));
    let _cable = world.lan.connect(&host, &name("eth2"), &[second]).unwrap();
    world.nodes[0].start();
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
    let answers = |heard: &Heard, from| matches!(heard.message, lab::Message::Arp(arp) if arp.sender == world.vip && arp.sender_mac == from && arp.target != world.vip);
    let own = host.mac(&name("eth2")).unwrap();
    let answered = world.sniffer.wait_for(Instant::ZERO, PATIENCE, |heard| answers(heard, own));
    assert!(answered.is_some(), "{}", world.logs());
    let _a_while = world.adverts_of(0, now(), 3);
    assert!(!world.nodes[0].log().contains("is also held by"), "{}", world.logs());
    world.nodes[0].stop();

    world.nodes[1].host.add_address(&interface(), Prefix::host(world.vip.into())).unwrap();
    world.nodes[0].start();
    let said = world.nodes[0].wait_for_line(0, "(V) virtual address 192.168.0.100 is also held by");
    assert!(said.contains(&world.nodes[1].mac.to_string()) && said.contains("on eth1"), "{said}");
}

#[test]
fn an_address_that_somebody_deletes_is_put_back() {
    let Some(mut world) = quick_world() else { return };
    world.settle();
    let host = world.nodes[0].host.clone();
    let vip = Prefix::host(world.vip.into());
    let begin = now();
    for _ in 0..3 {
        host.remove_address(&interface(), vip).unwrap();
        assert!(wait_until(PATIENCE, || host.holds(world.vip.into())), "{}", world.logs());
    }
    let said =
        world.nodes[0].wait_for_line(0, "somebody else deleted virtual address 192.168.0.100/32 on eth1");
    assert!(said.contains("put back"), "{said}");
    world.wait_for_master(0);
    world.assert_regular(0, begin, ROUTER_INTERVAL);
}

#[test]
fn an_address_that_a_killed_run_left_is_removed_by_one_that_starts_as_backup() {
    let Some(mut world) = quick_world() else { return };
    world.settle();
    world.nodes[0].daemon().kill_tree();
    assert!(wait_until(PATIENCE, || world.nodes[1].holds(world.vip)), "{}", world.logs());
    assert!(world.nodes[0].holds(world.vip), "nobody has taken it away");
    world.nodes[0].configure(&router("V", 51, 50, VIP, ""));
    let begin = now();
    world.nodes[0].start();
    world.wait_for_master(1);
    assert!(world.adverts_since(0, begin).is_empty(), "{}", world.logs());
}

#[test]
fn a_flood_of_netlink_messages_leaves_the_truth() {
    let file = router("A", 51, 100, VIP, "") + &on_eth9("10.0.0.100");
    let Some(mut world) = lone(&file) else { return };
    let other = Lan::new().unwrap();
    let host = world.nodes[0].host.clone();
    let _cable = other.connect(&host, &name("eth9"), &[network(Ipv4Addr::new(10, 0, 0, 1))]).unwrap();
    world.nodes[0].start();
    world.nodes[0].wait_for_line(0, "(A) Entering MASTER");
    world.nodes[0].wait_for_line(0, "(B) Entering MASTER");
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());

    // It cannot read while more happens than its buffer takes.
    let worker = worker(world.nodes[0].daemon()).unwrap();
    signal(worker, Signal::STOP);
    let flood: String = (0..12_000)
        .map(|number| {
            format!("addr {} 198.51.100.1/32 dev lo\n", if number % 2 == 0 { "add" } else { "del" })
        })
        .collect();
    host.write("/run/flood", &flood).unwrap();
    world.nodes[0].shell("ip -batch /run/flood");
    host.remove_address(&interface(), Prefix::host(world.vip.into())).unwrap();
    host.remove_interface(&name("eth9")).unwrap();
    signal(worker, Signal::CONT);

    world.nodes[0]
        .wait_for_line(0, "netlink: the kernel dropped messages; reading all links and addresses anew");
    world.nodes[0].wait_for_line(0, "(B) Entering FAULT STATE (interface eth9");
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
    let _a_while = world.adverts_of(0, now(), 2);
    let again = network(Ipv4Addr::new(10, 0, 0, 1));
    let _cable = other.connect(&host, &name("eth9"), &[again]).unwrap();
    assert!(wait_until(PATIENCE, || host.holds(Ipv4Addr::new(10, 0, 0, 100).into())), "{}", world.logs());
    assert_eq!(common::stranger::worker(world.nodes[0].daemon()), Some(worker), "the same worker");
}

#[test]
fn a_single_missing_capability_is_named() {
    let Some(mut world) = lone(&router("V", 51, 120, VIP, "")) else { return };
    for (drop, missing, present) in
        [("-net_raw", "CAP_NET_RAW", "CAP_NET_ADMIN"), ("-net_admin", "CAP_NET_ADMIN", "CAP_NET_RAW")]
    {
        let (bounding, inheritable) = (format!("--bounding-set={drop}"), format!("--inh-caps={drop}"));
        let argv = ["setpriv", &bounding, &inheritable, BINARY, "-n", "-l", "-f", "/run/keepalived.conf"];
        let mut daemon = world.nodes[0].host.spawn(&argv).unwrap();
        let status = daemon.wait(PATIENCE).expect("it gives up at once");
        let log = daemon.log().unwrap();
        assert_eq!(status.code(), Some(4), "{log}");
        assert!(log.contains(&format!("missing {missing}: run as root, or ")), "{log}");
        assert!(
            !log.contains(&format!("{present} and")) && !log.contains(&format!("and {present}")),
            "{log}"
        );
    }
    world.nodes[0].start();
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "nothing was left behind");
}

#[test]
fn a_second_daemon_on_the_same_host_does_not_touch_the_first() {
    let Some(mut world) = quick_world() else { return };
    world.settle();
    let begin = now();
    for options in [&["-n", "-l"][..], &["-l"]] {
        let argv = [&[BINARY][..], options, &["-f", "/run/keepalived.conf"]].concat();
        let mut second = world.nodes[0].host.spawn(&argv).unwrap();
        let status = second.wait(PATIENCE).expect("it leaves");
        let log = second.log().unwrap();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(log.contains("daemon is already running, pid "), "{log}");
        assert!(log.contains("/run/keepalived.pid"), "{log}");
    }
    let _a_while = world.adverts_of(0, now(), 3);
    world.assert_regular(0, begin, ROUTER_INTERVAL);
    assert!(world.nodes[0].holds(world.vip) && world.adverts_since(1, begin).is_empty());
}

#[test]
fn a_killed_worker_is_replaced_and_the_client_loses_nothing() {
    let Some(mut world) = notes_world(notes_in_step()) else { return };
    world.settle();
    // Longer than a master down interval, so that only a living memory helps.
    let _a_while = world.adverts_of(0, now(), 5);
    let client = world.ask();
    let begin = now();
    let first = worker(world.nodes[0].daemon()).unwrap();
    signal(first, Signal::KILL);
    let said = world.nodes[0].wait_for_line(0, "was killed by SIGKILL: it is started again");
    assert!(said.contains("vrrp worker"), "{said}");
    world.nodes[0].wait_for_line(0, "(VI_1) Entering MASTER STATE (was master before the restart)");
    // The backup's worker dies too, and stays backup.
    signal(worker(world.nodes[1].daemon()).unwrap(), Signal::KILL);
    let heard = world.adverts_of(0, begin, 6);
    assert!(heard.iter().all(|heard| heard.advert().unwrap().priority.get() == 101), "{}", world.logs());
    world.assert_regular(0, begin, Duration::from_secs(1));
    assert!(world.adverts_since(1, begin).is_empty(), "{}", world.logs());
    let outage = client.longest_outage(begin, now());
    assert!(outage.length < GRACE, "{outage:?}\n{}", world.logs());
    assert_ne!(worker(world.nodes[0].daemon()), Some(first));
}

#[test]
fn a_killed_supervisor_takes_everything_with_it_in_order() {
    let script = |name: &str, user: &str| {
        format!(
            "vrrp_script {name} {{\nscript \"/run/slow\"\ninterval 1\nweight 5\ntimeout 100\nuser {user}\n}}\n"
        )
    };
    let own = script("roots", "root")
        + &script("theirs", "nobody")
        + &router("V", 51, 120, VIP, "track_script {\nroots\ntheirs\n}");
    let Some(mut world) = notes_world([own, router("V", 51, 100, VIP, "")]) else { return };
    world.nodes[0].host.write_script("/run/slow", "#!/bin/sh\nexec sleep 86390\n").unwrap();
    world.settle();
    assert!(wait_until(PATIENCE, || world.nodes[0].daemon().tree().len() >= 4), "the script runs");
    let tree = world.nodes[0].daemon().tree();
    let begin = now();
    world.nodes[0].daemon().signal(Signal::KILL).unwrap();
    let release = world.advert_with(0, begin, 0);
    assert!(release.at.since(begin) < GRACE, "{:?}", release.at.since(begin));
    world.wait_for_master(1);
    let gone = wait_until(PATIENCE, || !tree.iter().any(|pid| runs(*pid)));
    let left: Vec<_> = tree.iter().filter(|pid| runs(**pid)).map(|pid| command_line(*pid)).collect();
    assert!(gone, "{left:?} is left");
}

fn command_line(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ")
}

#[test]
fn a_signal_to_the_whole_process_group_is_one_stop() {
    let Some(mut world) =
        notes_world([router("V", 51, 120, VIP, "notify_stop /run/stop"), router("V", 51, 100, VIP, "")])
    else {
        return;
    };
    world.nodes[0].host.write_script("/run/stop", "#!/bin/sh\nsleep 0.5\necho x >> /run/stopped\n").unwrap();
    let argv = ["setsid", "--wait", BINARY, "-n", "-l", "-D", "-f", "/run/keepalived.conf"];
    world.nodes[0].daemon = Some(world.nodes[0].host.spawn(&argv).unwrap());
    world.nodes[1].start();
    world.wait_for_master(0);
    for stop in ["TERM", "INT"] {
        let begin = now();
        world.nodes[0].shell(&format!("kill -{stop} -$(cat /run/keepalived.pid)"));
        let status = world.nodes[0].daemon().wait(PATIENCE).expect("it ends");
        assert!(status.success(), "{status}\n{}", world.logs());
        // An advertisement of its usual ones may come before the signal does.
        let release = world.advert_with(0, begin, 0);
        assert_eq!(world.adverts_since(0, release.at).len(), 1, "one last word\n{}", world.logs());
        world.wait_for_master(1);
        world.nodes[0].daemon = Some(world.nodes[0].host.spawn(&argv).unwrap());
        world.wait_for_master(0);
    }
    assert_eq!(world.nodes[0].host.read("/run/stopped").unwrap(), "x\nx\n", "notify_stop each time");
}

#[test]
fn nobody_reading_the_log_stops_nothing() {
    let Some(mut world) = quick_world() else { return };
    // A pipe that is full before the daemon writes its first line, and that nobody reads.
    let line = format!(
        "{{ head -c 65536 /dev/zero; exec {BINARY} -n -l -D -D -f /run/keepalived.conf 2>&1; }} | sleep 86395"
    );
    world.nodes[0].daemon = Some(world.nodes[0].host.spawn(&["/bin/sh", "-c", &line]).unwrap());
    world.nodes[1].start();
    world.wait_for_master(0);
    let tell = |node: &Node, signal: &str| node.shell(&format!("kill -{signal} $(cat /run/keepalived.pid)"));
    // A file with something to remark on: the remarks have nowhere to go.
    let begin = now();
    world.nodes[0].configure(&(router("V", 51, 119, VIP, "") + REMARKED));
    tell(&world.nodes[0], "HUP");
    let _changed = world.advert_with(0, begin, 119);
    // And one that is refused.
    world.nodes[0].configure(&router("V", 51, 118, VIP, "").replace("interface eth1", ""));
    tell(&world.nodes[0], "HUP");
    world.nodes[0].configure(&router("V", 51, 117, VIP, ""));
    tell(&world.nodes[0], "HUP");
    let _changed = world.advert_with(0, begin, 117);
    world.assert_regular(0, begin, ROUTER_INTERVAL);

    let begin = now();
    tell(&world.nodes[0], "TERM");
    let release = world.advert_with(0, begin, 0);
    assert!(release.at.since(begin) < GRACE, "{:?}", release.at.since(begin));
    let node = &world.nodes[0];
    assert!(wait_until(PATIENCE, || node.host.read("/run/keepalived.pid").is_err()), "it ends");
    world.wait_for_master(1);
}

#[test]
fn a_closed_log_and_a_full_disk_stop_nothing() {
    let Some(mut world) = quick_world() else { return };
    world.nodes[0].shell(
        "mkdir /run/full && mount -t tmpfs -o size=4096 none /run/full && head -c 4096 /dev/zero > /run/full/blob",
    );
    let line = format!(
        "exec {BINARY} -n -l -D -f /run/keepalived.conf -p /run/full/k.pid -r /run/full/v.pid <&- >&- 2>&-"
    );
    world.nodes[0].daemon = Some(world.nodes[0].host.spawn(&["/bin/sh", "-c", &line]).unwrap());
    world.nodes[1].start();
    world.wait_for_master(0);
    let begin = now();
    world.nodes[0].configure(&(router("V", 51, 119, VIP, "") + REMARKED));
    world.nodes[0].daemon().hang_up().unwrap();
    let _changed = world.advert_with(0, begin, 119);
    world.nodes[0].stop();
    world.wait_for_master(1);

    // A log on a full disk, and the reason why there is no pid file.
    let line = format!(
        "exec {BINARY} -n -l -D -f /run/keepalived.conf -p /run/full/k.pid -r /run/full/v.pid 2>/dev/full"
    );
    world.nodes[0].daemon = Some(world.nodes[0].host.spawn(&["/bin/sh", "-c", &line]).unwrap());
    world.wait_for_master(0);
    world.nodes[0].stop();
    let mut daemon = world.nodes[0]
        .host
        .spawn(&[BINARY, "-n", "-l", "-f", "/run/keepalived.conf", "-p", "/run/full/k.pid"])
        .unwrap();
    assert!(
        wait_until(PATIENCE, || daemon.log().unwrap().contains("/run/full/k.pid: ")),
        "{}",
        daemon.log().unwrap()
    );
    let log = daemon.log().unwrap();
    let line = log.lines().find(|line| line.contains("/run/full/k.pid: ")).unwrap_or_default();
    assert!(line.contains("No space left on device"), "{log}");
    daemon.terminate().unwrap();
    assert!(daemon.wait(PATIENCE).is_some());
}

#[test]
fn what_a_daemon_that_marks_nothing_has_left_is_released() {
    let Some(mut world) = quick_world() else { return };
    let node = &world.nodes[1];
    node.host.add_address(&interface(), Prefix::host(world.vip.into())).unwrap();
    assert!(node.holds(world.vip));
    world.settle();
    assert!(!world.nodes[1].holds(world.vip), "{}", world.logs());
    assert!(world.nodes[1].holds(world.nodes[1].address), "the host's own address stays");
}

#[test]
fn an_interface_that_cannot_be_heard_on_is_a_fault_until_it_can() {
    const LIMIT: &str = "/proc/sys/net/ipv4/igmp_max_memberships";
    let unicast = router("U", 53, 110, "192.168.0.103", "unicast_peer {\n192.168.0.14\n}");
    let Some(mut world) = lone(&format!("{}{unicast}", router("V", 51, 120, VIP, ""))) else { return };
    let node = &mut world.nodes[0];
    node.shell(&format!("echo 0 > {LIMIT}"));
    node.start();
    node.wait_for_line(0, "(V) Entering FAULT STATE (cannot send or hear on interface eth1)");
    node.wait_for_line(0, "(U) Entering FAULT STATE");
    node.wait_for_line(0, "worker is ready");
    // Tried again every second: no news while it lasts, though the unicast router needs no group.
    let told = node.log().len();
    let begin = now();
    assert!(!wait_until(Duration::from_secs(3), || node.log().len() > told), "{}", node.log());
    // The last router of the interface goes and comes back while the cause is mended.
    let elsewhere = on_eth9("192.168.0.102") + "global_defs {\ndynamic_interfaces\n}\n";
    node.configure(&elsewhere);
    node.daemon().hang_up().unwrap();
    node.wait_for_line(told, "(V) removed");
    node.shell(&format!("echo 20 > {LIMIT}"));
    node.configure(&router("V", 51, 120, VIP, ""));
    node.daemon().hang_up().unwrap();
    assert!(wait_until(PATIENCE, || node.holds(VIP.parse().unwrap())), "{}", node.log());
    let _speaks = world.adverts_of(0, begin, 1);
}

/// Something that is warned of.
const REMARKED: &str = "global_defs {\nenable_dbus\n}\n";
