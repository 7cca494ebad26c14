//! Check scripts and notify scripts as operators get them wrong, and what they mean when they are right.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use common::{GRACE, Node, PATIENCE, ROUTER_INTERVAL, World, interface, notes_world, router};
use lab::{Host, now, wait_for, wait_until};
use model::{Instant, Priority};

const VIP: &str = "192.168.0.100";

/// Node 0 alone with this file, not started yet.
fn lone(file: &str) -> Option<World> {
    notes_world([file.to_owned(), String::new()])
}

fn check(name: &str, script: &str, more: &str) -> String {
    format!("vrrp_script {name} {{\nscript \"{script}\"\ninterval 1\n{more}\n}}\n")
}

fn tracking(scripts: &[&str]) -> String {
    format!("track_script {{\n{}\n}}", scripts.join("\n"))
}

fn mode(node: &Node, path: &str, mode: u32) {
    fs::set_permissions(node.host.path(path), fs::Permissions::from_mode(mode)).unwrap();
}

fn directory(node: &Node, path: &str, with: u32) {
    fs::create_dir(node.host.path(path)).unwrap();
    mode(node, path, with);
}

/// The processes of a host whose command line has this word.
fn processes(host: &Host, word: &str) -> Vec<u32> {
    let own = fs::read_link(format!("/proc/{}/ns/pid", host.pid())).unwrap();
    let numbers = fs::read_dir("/proc").unwrap().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let here = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|one| one == word.as_bytes())
            && fs::read_link(format!("/proc/{pid}/ns/pid")).is_ok_and(|namespace| namespace == own)
    };
    numbers.filter(here).collect()
}

/// How many runs of a script there are. What a script has started shows its command line until it runs its own program,
/// but every run has a process group to itself.
fn runs_of(host: &Host, script: &str) -> usize {
    let group = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in brackets, may hold anything; behind it stand state, parent and group.
        stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse::<u32>().ok()
    };
    processes(host, script).iter().filter_map(group).collect::<BTreeSet<_>>().len()
}

/// The last priority that a virtual router advertised since then.
fn wait_for_priority(world: &World, since: Instant, vrid: u8, priority: u8) {
    let wanted = |heard: &lab::Heard| {
        heard
            .advert()
            .is_some_and(|advert| advert.vrid.get() == vrid && advert.priority == Priority(priority))
    };
    let heard = world.sniffer.wait_for(since, PATIENCE, wanted);
    assert!(heard.is_some(), "router {vrid} never has priority {priority}\n{}", world.logs());
}

#[test]
fn what_is_wrong_with_a_script_is_said_and_the_router_works_without_it() {
    let scripts = [
        check("missing", "/run/no/such/script", ""),
        check("plain", "/run/plain", ""),
        check("folder", "/run/folder", ""),
        check("nobody_there", "/run/good", "user no-such-user"),
        check("not_in_path", "no-such-program-anywhere", ""),
        check("no_interpreter", "/run/no_interpreter", ""),
    ];
    let names = ["missing", "plain", "folder", "nobody_there", "not_in_path", "no_interpreter"];
    let file = scripts.concat() + &router("V", 51, 120, VIP, &tracking(&names));
    let Some(mut world) = lone(&file) else { return };
    let node = &mut world.nodes[0];
    node.host.write("/run/plain", "#!/bin/sh\n").unwrap();
    node.host.write_script("/run/good", "#!/bin/sh\n").unwrap();
    node.host.write_script("/run/no_interpreter", "#!/no/such/interpreter\n").unwrap();
    directory(node, "/run/folder", 0o755);
    node.start();
    for (name, why) in [
        ("missing", "/run/no does not exist"),
        ("plain", "/run/plain is not executable for uid 0 (its mode is 0644)"),
        ("folder", "/run/folder is a directory"),
        ("nobody_there", "no-such-user"),
        ("not_in_path", "'no-such-program-anywhere' is in none of the directories of PATH"),
        ("no_interpreter", "its first line names an interpreter that does not exist"),
    ] {
        let said = node.wait_for_line(0, &format!("(vrrp_script {name}) is not run"));
        assert!(said.contains(why), "{why}: {said}");
        node.wait_for_line(0, &format!("VRRP_Script({name}) cannot be run and is ignored until it can"));
    }
    let begin = now();
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
    let _a_while = world.adverts_of(0, begin, 5);
    for name in names {
        let lines =
            world.nodes[0].log().lines().filter(|line| line.contains(&format!("script {name})"))).count();
        assert!(lines <= 2, "once for each cause, not for each run: {lines}\n{}", world.logs());
    }

    // Put right while the daemon runs.
    let before = world.nodes[0].log().len();
    mode(&world.nodes[0], "/run/plain", 0o755);
    world.nodes[0].wait_for_line(before, "VRRP_Script(plain) succeeded");
}

#[test]
fn what_others_can_change_does_not_run_as_root_unless_that_is_wanted() {
    for enforced in [false, true] {
        let global =
            if enforced { "global_defs {\nscript_user root\nenable_script_security\n}\n" } else { "" };
        let scripts = check("open", "/run/open", "") + &check("inside", "/run/loose/script", "");
        let file = global.to_owned()
            + &scripts
            + &router("V", 51, 120, VIP, &(tracking(&["open", "inside"]) + "\nnotify /run/open"));
        let Some(mut world) = lone(&file) else { return };
        let node = &mut world.nodes[0];
        node.host.write_script("/run/open", "#!/bin/sh\n").unwrap();
        mode(node, "/run/open", 0o777);
        directory(node, "/run/loose", 0o757);
        node.host.write_script("/run/loose/script", "#!/bin/sh\n").unwrap();
        node.start();
        let verb = if enforced { "is not run: it would run as root" } else { "runs as root" };
        let open = node.wait_for_line(0, &format!("script /run/open (vrrp_script open) {verb}"));
        assert!(open.contains("/run/open") && open.contains("its mode is 0777"), "{open}");
        let inside = node.wait_for_line(0, &format!("script /run/loose/script (vrrp_script inside) {verb}"));
        assert!(inside.contains("/run/loose is writable") && inside.contains("its mode is 0757"), "{inside}");
        let verdict = if enforced { "cannot be run" } else { "succeeded" };
        node.wait_for_line(0, &format!("VRRP_Script(open) {verdict}"));
        node.wait_for_line(0, &format!("VRRP_Script(inside) {verdict}"));
        assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
    }
}

#[test]
fn a_script_that_hangs_fails_and_leaves_nothing_behind() {
    let file = check("stuck", "/run/stuck", "timeout 1\nfall 2")
        + &router("V", 51, 120, VIP, &tracking(&["stuck"]))
        + &router("OTHER", 52, 120, "192.168.0.101", "");
    let Some(mut world) = lone(&file) else { return };
    let node = &mut world.nodes[0];
    // A grandchild, and nobody listens to SIGTERM.
    let stuck = "#!/bin/sh\ntrap '' TERM\n[ -e /run/hang ] || exit 0\necho x >> /run/runs\n\
                 sh -c 'trap \"\" TERM; sleep 86391; sleep 86392'\nsleep 86393\n";
    node.host.write_script("/run/stuck", stuck).unwrap();
    node.start();
    assert!(wait_until(PATIENCE, || node.holds(world.vip)), "{}", node.log());
    let begin = now();
    node.host.write("/run/hang", "").unwrap();
    let host = node.host.clone();
    let runs = || host.read("/run/runs").unwrap_or_default().lines().count();
    let mut most = 0;
    let fault = wait_until(PATIENCE, || {
        most = most.max(runs_of(&host, "/run/stuck"));
        world.nodes[0].log().contains("(V) Entering FAULT STATE")
    });
    assert!(fault, "{}", world.logs());
    assert!(world.nodes[0].log().contains("VRRP_Script(stuck) timed out"), "{}", world.logs());
    assert!(world.nodes[0].log().contains("script stuck fails"), "{}", world.logs());
    assert!(!world.nodes[0].holds(world.vip) || wait_until(PATIENCE, || !world.nodes[0].holds(world.vip)));
    let killed = runs();
    let more = wait_until(PATIENCE, || {
        most = most.max(runs_of(&host, "/run/stuck"));
        runs() >= killed + 2
    });
    assert!(more, "it is tried again\n{}", world.logs());
    assert_eq!(most, 1, "never two at once");

    fs::remove_file(host.path("/run/hang")).unwrap();
    let back = wait_until(PATIENCE, || world.nodes[0].holds(world.vip));
    assert!(back, "{}", world.logs());
    for word in ["86391", "86392", "86393"] {
        let left = processes(&host, word);
        assert!(left.is_empty(), "sleep {word} is left: {left:?}");
    }
    let other = |heard: &lab::Heard| heard.advert().is_some_and(|advert| advert.vrid.get() == 52);
    for pair in world.sniffer.since(begin, other).windows(2) {
        let gap = pair[1].at.since(pair[0].at);
        assert!(gap < ROUTER_INTERVAL + GRACE, "{gap:?}: the other router was disturbed\n{}", world.logs());
    }
}

#[test]
fn a_script_runs_as_its_user() {
    let file = check("theirs", "/run/who theirs", "user nobody nogroup")
        + &check("ours", "/run/who ours", "user root")
        + &router(
            "V",
            51,
            120,
            VIP,
            &(tracking(&["theirs", "ours"]) + "\nnotify \"/run/who notify\" daemon daemon"),
        );
    let Some(mut world) = lone(&file) else { return };
    let node = &mut world.nodes[0];
    directory(node, "/run/out", 0o777);
    let who = "#!/bin/sh\necho $(id -un) $(id -gn) $(id -Gn) > /run/out/$1\n";
    node.host.write_script("/run/who", who).unwrap();
    node.start();
    let wrote = |name: &str| node.host.read(&format!("/run/out/{name}")).ok().filter(|text| !text.is_empty());
    let who =
        |name: &str| wait_for(PATIENCE, || wrote(name)).unwrap_or_else(|| panic!("{name}\n{}", node.log()));
    assert_eq!(who("theirs").trim(), "nobody nogroup nogroup");
    assert!(who("ours").starts_with("root root"), "{}", who("ours"));
    assert_eq!(who("notify").trim(), "daemon daemon daemon");
}

#[test]
fn weights_move_the_priority_within_its_bounds() {
    let router = |name: &str, vrid: u8, priority: u8, script: &str| {
        let vip = format!("192.168.0.1{vrid}");
        router(name, vrid, priority, &vip, &tracking(&[script]))
    };
    let file = check("plus", "/run/check", "weight 10")
        + &check("minus", "/run/check", "weight -10")
        + &check("vital", "/run/check", "weight 0")
        + &check("much", "/run/check", "weight 50")
        + &check("little", "/run/check", "weight -50")
        + &check("patient", "/run/patient", "weight -20\nfall 3\nrise 2")
        + &router("PLUS", 51, 100, "plus")
        + &router("MINUS", 52, 100, "minus")
        + &router("VITAL", 53, 100, "vital")
        + &router("MUCH", 54, 250, "much")
        + &router("LITTLE", 55, 10, "little")
        + &router("PATIENT", 56, 100, "patient");
    let Some(mut world) = lone(&file) else { return };
    let begin = now();
    let node = &mut world.nodes[0];
    node.host.write_script("/run/check", "#!/bin/sh\ntest ! -e /run/bad\n").unwrap();
    let patient =
        "#!/bin/sh\nif [ -e /run/bad ]; then echo bad; else echo good; fi >> /run/runs\ntest ! -e /run/bad\n";
    node.host.write_script("/run/patient", patient).unwrap();
    node.start();
    for (vrid, priority) in [(51, 110), (52, 100), (53, 100), (54, 254), (55, 10), (56, 100)] {
        wait_for_priority(&world, begin, vrid, priority);
    }
    let vital = Ipv4Addr::new(192, 168, 0, 153);
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(vital)), "{}", world.logs());

    let begin = now();
    world.nodes[0].host.write("/run/bad", "").unwrap();
    for (vrid, priority) in [(51, 100), (52, 90), (53, 0), (54, 250), (55, 1)] {
        wait_for_priority(&world, begin, vrid, priority);
    }
    assert!(wait_until(PATIENCE, || !world.nodes[0].holds(vital)), "{}", world.logs());
    let runs = |kind: &str| {
        let runs = world.nodes[0].host.read("/run/runs").unwrap();
        runs.lines().filter(|line| *line == kind).count()
    };
    wait_for_priority(&world, begin, 56, 80);
    assert!((3..=5).contains(&runs("bad")), "fall 3: {}", runs("bad"));

    let good = runs("good");
    let begin = now();
    fs::remove_file(world.nodes[0].host.path("/run/bad")).unwrap();
    wait_for_priority(&world, begin, 56, 100);
    assert!((2..=4).contains(&(runs("good") - good)), "rise 2: {}", runs("good") - good);
    for (vrid, priority) in [(51, 110), (52, 100), (53, 100), (54, 254), (55, 10)] {
        wait_for_priority(&world, begin, vrid, priority);
    }
}

#[test]
fn many_scripts_do_not_delay_advertisements() {
    const SCRIPTS: usize = 60;
    let names: Vec<String> = (0..SCRIPTS).map(|number| format!("c{number}")).collect();
    let scripts: String =
        names.iter().map(|name| check(name, &format!("/run/check {name}"), "weight 1")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let quick = router("V", 51, 100, VIP, &tracking(&names)).replace("advert_int 0.3", "advert_int 0.1");
    let Some(mut world) = lone(&(scripts + &quick)) else { return };
    let begin = now();
    let node = &mut world.nodes[0];
    node.host.write_script("/run/check", "#!/bin/sh\necho x >> /run/ran.$1\n").unwrap();
    node.start();
    wait_for_priority(&world, begin, 51, 160);
    let begin = now();
    let _three_seconds = world.adverts_of(0, begin, 30);
    let heard = world.adverts_since(0, begin);
    let gaps: Vec<Duration> = heard.windows(2).map(|pair| pair[1].at.since(pair[0].at)).collect();
    let longest = gaps.iter().max().unwrap();
    assert!(*longest < Duration::from_millis(250), "{longest:?}: a backup would soon take over");
    let ran = |name: &str| {
        let ran = world.nodes[0].host.read(&format!("/run/ran.{name}")).unwrap_or_default();
        ran.lines().count() >= 2
    };
    assert!(wait_until(PATIENCE, || names.iter().all(|name| ran(name))), "all run all the time");
}

/// Writes its arguments when it begins and when it ends.
const NOTIFY: &str = "#!/bin/sh\necho \"begin $*\" >> /run/told\n\
                      case \"$*\" in *MASTER*) sleep 1 ;; esac\necho \"end $*\" >> /run/told\n";

fn told(node: &Node) -> Vec<String> {
    node.host.read("/run/told").unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn notify_scripts_run_in_order_whatever_they_take() {
    let file = router(
        "V",
        51,
        120,
        VIP,
        "notify /run/notify\nnotify_master \"/run/own my own words\"\nnotify_fault /run/own",
    );
    let Some(mut world) = lone(&file) else { return };
    let node = &mut world.nodes[0];
    node.host.write_script("/run/notify", NOTIFY).unwrap();
    node.host.write_script("/run/own", "#!/bin/sh\necho \"own $*\" >> /run/own.told\n").unwrap();
    node.start();
    assert!(wait_until(PATIENCE, || node.holds(world.vip)), "{}", node.log());
    // While the script for MASTER still runs.
    node.host.set_interface(&interface(), false).unwrap();
    node.wait_for_line(0, "Entering FAULT STATE (interface eth1 is down)");
    node.host.set_interface(&interface(), true).unwrap();
    let expected: Vec<String> = ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER"]
        .iter()
        .flat_map(|state| ["begin", "end"].map(|edge| format!("{edge} INSTANCE V {state} 120")))
        .collect();
    assert!(wait_until(PATIENCE, || told(node).len() >= expected.len()), "{:?}\n{}", told(node), node.log());
    assert_eq!(told(node), expected, "{}", node.log());
    assert_eq!(node.host.read("/run/own.told").unwrap(), "own my own words\nown \nown my own words\n");
}

#[test]
fn a_notify_script_that_hangs_blocks_nothing() {
    let notify = "notify_master /run/stuck\nnotify_stop /run/farewell";
    let file =
        router("V", 51, 120, VIP, notify) + &router("OTHER", 52, 120, "192.168.0.101", "notify /run/notify");
    let Some(mut world) = notes_world([file, router("V", 51, 100, VIP, "")]) else { return };
    let node = &world.nodes[0];
    node.host
        .write_script("/run/stuck", "#!/bin/sh\ntrap '' TERM\necho x >> /run/stuck.ran\nsleep 86394\n")
        .unwrap();
    node.host.write_script("/run/notify", NOTIFY).unwrap();
    node.host.write_script("/run/farewell", "#!/bin/sh\necho x >> /run/farewell.ran\n").unwrap();
    world.settle();
    assert!(wait_until(PATIENCE, || !processes(&world.nodes[0].host, "86394").is_empty()));
    let begin = now();
    let others_end = || told(&world.nodes[0]).contains(&"end INSTANCE OTHER MASTER 120".to_owned());
    assert!(wait_until(PATIENCE, others_end), "{}", world.logs());
    let _a_while = world.adverts_of(0, begin, 5);
    let of_v = |heard: &lab::Heard| heard.advert().is_some_and(|advert| advert.vrid.get() == 51);
    for pair in world.sniffer.since(begin, of_v).windows(2) {
        assert!(pair[1].at.since(pair[0].at) < ROUTER_INTERVAL + GRACE, "{}", world.logs());
    }

    let begin = now();
    world.nodes[0].daemon().terminate().unwrap();
    let release = world.advert_with(0, begin, 0);
    assert!(release.at.since(begin) < GRACE, "the LAN is told at once: {:?}", release.at.since(begin));
    let status = world.nodes[0].daemon().wait(Duration::from_secs(10)).expect("it does not wait for ever");
    assert!(status.success(), "{status}");
    assert!(processes(&world.nodes[0].host, "86394").is_empty(), "{}", world.logs());
    assert!(world.nodes[0].log().contains("notify scripts of V are ended"), "{}", world.logs());
}

#[test]
fn the_daemon_waits_for_notify_stop_and_a_removed_router_says_goodbye() {
    let steady = router("STEADY", 51, 120, VIP, "notify_stop /run/slow_stop");
    let deleted = router("GONE", 52, 120, "192.168.0.101", "notify_deleted /run/deleted\nnotify /run/any");
    let faulty = router("FAULTY", 53, 120, "192.168.0.102", "notify_fault \"/run/fault because\"");
    let Some(mut world) = lone(&format!("{steady}{deleted}{faulty}")) else { return };
    let node = &mut world.nodes[0];
    node.host
        .write_script("/run/slow_stop", "#!/bin/sh\nsleep 1.5\necho \"$*\" >> /run/slow_stop.ran\n")
        .unwrap();
    for name in ["deleted", "any", "fault"] {
        let script = format!("#!/bin/sh\necho \"$*\" >> /run/{name}.ran\n");
        node.host.write_script(&format!("/run/{name}"), &script).unwrap();
    }
    node.start();
    assert!(wait_until(PATIENCE, || node.holds(Ipv4Addr::new(192, 168, 0, 101))), "{}", node.log());
    let ran = |node: &Node, name: &str| node.host.read(&format!("/run/{name}.ran")).unwrap_or_default();
    assert!(wait_until(PATIENCE, || ran(node, "any").contains("MASTER")), "{}", node.log());

    node.configure(&steady);
    node.daemon().hang_up().unwrap();
    assert!(wait_until(PATIENCE, || ran(node, "deleted") == "\n"), "{}", node.log());
    let any = "INSTANCE GONE BACKUP 120\nINSTANCE GONE MASTER 120\nINSTANCE GONE DELETED 120\n";
    assert!(wait_until(PATIENCE, || ran(node, "any") == any), "{}\n{}", ran(node, "any"), node.log());
    // Without `notify_deleted`, as with keepalived.
    assert!(wait_until(PATIENCE, || ran(node, "fault") == "because\n"), "{}", node.log());

    node.stop();
    assert_eq!(ran(&world.nodes[0], "slow_stop"), "\n", "it had ended when the daemon had");
}
