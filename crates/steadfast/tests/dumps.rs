//! Dumps: line by line those of Debian's keepalived on the same host with the same file, and as programs read them.

mod common;
mod dumps {
    pub(crate) mod reader;
}

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use common::{Node, PATIENCE, World, notes_world, router};
use dumps::reader;
use lab::{now, wait_for, wait_until};

const VIP: &str = "192.168.0.100";
const OURS: &str = env!("CARGO_BIN_EXE_steadfast");
const THEIRS: &str = "/usr/sbin/keepalived";

/// Passwords, labels, excluded addresses, every script.
const CLASSIC: &str = r#"
global_defs {
    router_id lb1
    notification_email {
        admin@example.com
    }
    notification_email_from lb1@example.com
    smtp_server 192.0.2.25
    smtp_helo_name lb1.example.com
    script_user root
    enable_script_security
    vrrp_garp_master_refresh 60
}
vrrp_instance VI_1 {
    state MASTER
    interface eth1
    virtual_router_id 51
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass 1111
    }
    virtual_ipaddress {
        192.168.0.100/24 dev eth1 label eth1:1
        192.168.0.101
    }
    virtual_ipaddress_excluded {
        192.168.0.102
    }
    notify_master "/bin/echo m 'a b'"
    notify_backup /bin/true
    notify_fault /bin/true nobody
    notify_stop /bin/true
    notify /bin/true
}
vrrp_instance VI_2 {
    state BACKUP
    interface eth1
    virtual_router_id 52
    priority 90
    advert_int 1
    garp_master_delay 0
    preempt_delay 30
    unicast_src_ip 192.168.0.86
    unicast_peer {
        192.168.0.99
        192.168.0.98
    }
    virtual_ipaddress {
        192.168.0.110
    }
    authentication {
        auth_type AH
        auth_pass 2222
    }
}
"#;

/// Version 3, a group, everything that can be tracked.
const TRACKING: &str = r"
global_defs {
    router_id lb2
    vrrp_version 3
    script_user root
    vrrp_garp_interval 0.01
    vrrp_higher_prio_send_advert
    vrrp_skip_check_adv_addr
}
vrrp_script chk_true {
    script /bin/true
    interval 2
    weight 10
    rise 2
    fall 3
}
vrrp_script chk_false {
    script /bin/false
    interval 1
    timeout 3
    weight -10
    user nobody
}
track_file tf {
    file /run/tf
    weight 2
}
vrrp_sync_group G1 {
    group {
        VI_2
        VI_3
    }
    notify_master /bin/true
    notify_fault /bin/true
}
vrrp_instance VI_1 {
    interface eth1
    virtual_router_id 51
    priority 100
    advert_int 0.5
    nopreempt
    virtual_ipaddress {
        192.168.0.100 brd 192.168.0.255 scope link
    }
    track_script {
        chk_true
        chk_false
    }
    track_file {
        tf weight 3
    }
    track_interface {
        lo weight 5
    }
}
vrrp_instance VI_2 {
    interface eth1
    virtual_router_id 52
    advert_int 0.5
    virtual_ipaddress {
        192.168.0.110
    }
}
vrrp_instance VI_3 {
    interface eth1
    virtual_router_id 53
    advert_int 0.5
    dont_track_primary
    down_timer_adverts 4
    virtual_ipaddress {
        192.168.0.120
    }
}
";

/// What a run of a daemon has left in its folder.
#[derive(Debug)]
struct Dumped {
    state: String,
    parent: String,
    statistics: String,
    json: String,
}

/// Runs `program` on the host until it is master of the address, has it write all dumps, and stops it.
fn dumps_of(node: &mut Node, program: &str, folder: &str) -> Dumped {
    let path = node.host.path(folder);
    fs::create_dir_all(&path).unwrap();
    let directory = format!("TMPDIR={folder}");
    let argv = ["/usr/bin/env", &directory, program, "-n", "-l", "-D", "-f", "/run/keepalived.conf"];
    node.daemon = Some(node.host.spawn(&argv).expect("the daemon starts"));
    let vips = ["192.168.0.100", "192.168.0.110"].map(|vip| vip.parse().unwrap());
    assert!(wait_until(PATIENCE, || vips.iter().all(|vip| node.holds(*vip))), "{}", node.log());
    for function in ALL {
        ask(node, function);
    }
    let read = |name: &str| {
        let whole = || fs::read_to_string(path.join(name)).ok().filter(|text| is_whole(name, text));
        wait_for(PATIENCE, whole).unwrap_or_else(|| panic!("no {name}"))
    };
    let dumped = Dumped {
        state: read("keepalived.data"),
        parent: read("keepalived_parent.data"),
        statistics: read("keepalived.stats"),
        json: read("keepalived.json"),
    };
    node.stop();
    dumped
}

/// Has the daemon write a dump, as programs do it: the signal is the one that `--signum` says.
fn ask(node: &mut Node, function: &str) {
    let number = Command::new(OURS).arg(format!("--signum={function}")).output().expect("it answers");
    let number = String::from_utf8(number.stdout).expect("a number");
    let pid = node.daemon().pid().to_string();
    let status =
        Command::new("kill").args([&format!("-{}", number.trim()), &pid]).status().expect("a program");
    assert!(status.success(), "{function} is {number}");
}

const ALL: [&str; 3] = ["DATA", "STATS", "JSON"];

/// keepalived writes its files piece by piece.
fn is_whole(name: &str, text: &str) -> bool {
    match name {
        "keepalived.data" => text.contains("Name = eth1") && text.ends_with('\n'),
        "keepalived.json" => text.ends_with("]\n"),
        "keepalived.stats" => text.ends_with('\n') && text.matches("Priority Zero").count() >= 2,
        _ => text.contains("umask"),
    }
}

/// Without what cannot be the same in two runs, and without the version of a library that only one of them has.
fn comparable(text: &str) -> Vec<String> {
    const RUNNING: [&str; 8] = [
        "Last transition = ",
        "Read timeout = ",
        "Received: ",
        "Sent: ",
        " fd_in ",
        "GARP next time ",
        "Not IPv6 forwarding",
        "libnftnl version",
    ];
    let is_kept = |line: &&str| {
        !["GARP next", "Not IPv6", "rp_filter", "libnftnl"].iter().any(|word| line.contains(word))
    };
    let masked = |line: &str| match RUNNING.iter().find(|word| line.contains(*word)) {
        Some(word) => format!("{}{word}…", &line[..line.find(word).expect("it has it")]),
        None => line.to_owned(),
    };
    text.lines().filter(is_kept).map(masked).collect()
}

#[track_caller]
fn assert_same(what: &str, ours: &str, theirs: &str) {
    let (ours, theirs) = (comparable(ours), comparable(theirs));
    for (number, (our, their)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(our, their, "line {} of {what}:\n{}", number + 1, ours.join("\n"));
    }
    assert_eq!(ours.len(), theirs.len(), "{what}");
}

/// Both run after each other: two masters of one address would disturb each other.
fn both(file: &str) -> Option<[Dumped; 2]> {
    if !Path::new(THEIRS).exists() {
        lab::skip("keepalived is not installed");
        return None;
    }
    let mut world = notes_world([file.to_owned(), String::new()])?;
    let node = &mut world.nodes[0];
    node.host.write("/run/tf", "3\n").unwrap();
    let theirs = dumps_of(node, THEIRS, "/run/theirs");
    let ours = dumps_of(node, OURS, "/run/ours");
    Some([ours, theirs])
}

#[track_caller]
fn assert_like_keepalived(file: &str) {
    let Some([ours, theirs]) = both(file) else { return };
    assert_same("keepalived.data", &ours.state, &theirs.state);
    // The parent of keepalived has not worked these two out yet.
    let worked_out = |text: &str| {
        let is_open = |line: &&str| !line.contains("Gratuitous ARP lower priority");
        text.lines().filter(is_open).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_same("keepalived_parent.data", &worked_out(&ours.parent), &worked_out(&theirs.parent));
    assert_same("keepalived.stats", &ours.statistics, &theirs.statistics);
    let (our_json, their_json) = (reader::shape(&ours.json), reader::shape(&theirs.json));
    for (our, their) in our_json.iter().zip(&their_json) {
        assert_eq!(our, their, "{}\n{}", ours.json, theirs.json);
    }
    assert_eq!(our_json.len(), their_json.len());
}

#[test]
fn classic_routers_are_dumped_as_keepalived_does() {
    assert_like_keepalived(CLASSIC);
}

#[test]
fn groups_and_what_is_tracked_are_dumped_as_keepalived_does() {
    assert_like_keepalived(TRACKING);
}

/// A host with one router whose dumps go where the file says.
fn alone(globals: &str) -> Option<World> {
    let file = format!("global_defs {{\n{globals}\n}}\n{}", router("V", 51, 120, VIP, ""));
    notes_world([file, router("V", 51, 100, VIP, "")])
}

const IN_RUN: &str = "state_dump_file /run/dumps/\nstats_dump_file /run/dumps/\njson_dump_file /run/dumps/\n";

fn read(node: &Node, path: &str) -> Option<String> {
    fs::read_to_string(node.host.path(path)).ok()
}

#[test]
fn programs_find_in_the_dumps_what_they_look_for() {
    let Some(mut world) = alone(IN_RUN) else { return };
    fs::create_dir(world.nodes[0].host.path("/run/dumps")).unwrap();
    world.settle();
    let node = &mut world.nodes[0];
    for function in ALL {
        ask(node, function);
    }
    // No half of a file is ever seen: what is there can be read at once.
    let file = |name: &str| wait_for(PATIENCE, || read(node, &format!("/run/dumps/{name}"))).expect(name);
    let routers = reader::of_state(&file("keepalived.data"));
    assert_eq!(routers["V"]["State"], "MASTER");
    assert_eq!(routers["V"]["Interface"], "eth1");
    assert_eq!(routers["V"]["Virtual Router ID"], "51");
    assert_eq!(routers["V"]["Gratuitous ARP delay"], "5");
    assert_eq!(routers["V"]["Virtual IP"], "192.168.0.100 dev eth1 scope global set");
    let counted = reader::of_statistics(&file("keepalived.stats"));
    assert_eq!(counted["V"]["Became master"], 1);
    assert!(counted["V"]["Advertisements/Sent"] >= 1, "{counted:?}");
    let json: serde_json::Value = serde_json::from_str(&file("keepalived.json")).unwrap();
    let told = &json[0];
    assert_eq!((&told["data"]["iname"], &told["data"]["state"]), (&"V".into(), &2.into()));
    assert_eq!(told["data"]["vips"][0], "192.168.0.100 dev eth1 scope global set");
    assert!(told["stats"]["advert_sent"].as_u64().unwrap() >= 1);
}

#[test]
fn counters_begin_anew_once_they_are_told() {
    let Some(mut world) = alone(IN_RUN) else { return };
    fs::create_dir(world.nodes[0].host.path("/run/dumps")).unwrap();
    world.settle();
    let node = &mut world.nodes[0];
    let became = |node: &mut Node, function| {
        let path = node.host.path("/run/dumps/keepalived.stats");
        drop(fs::remove_file(&path));
        ask(node, function);
        let text = wait_for(PATIENCE, || fs::read_to_string(&path).ok()).expect("statistics");
        reader::of_statistics(&text)["V"]["Became master"]
    };
    assert_eq!(became(node, "STATS_CLEAR"), 1, "told, then cleared");
    assert_eq!(became(node, "STATS"), 0);
}

#[test]
fn a_link_in_the_place_of_a_dump_leads_nowhere() {
    let Some(mut world) = alone(IN_RUN) else { return };
    let host = &world.nodes[0].host;
    fs::create_dir(host.path("/run/dumps")).unwrap();
    host.write("/run/precious", "mine").unwrap();
    symlink("/run/precious", host.path("/run/dumps/keepalived.json")).unwrap();
    world.settle();
    let node = &mut world.nodes[0];
    ask(node, "JSON");
    let path = node.host.path("/run/dumps/keepalived.json");
    let is_file = || fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
    assert!(wait_until(PATIENCE, is_file), "{}", node.log());
    assert_eq!(read(node, "/run/precious").as_deref(), Some("mine"));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds passwords");
}

#[test]
fn names_layout_and_places_are_those_of_the_file() {
    let globals = "state_dump_file /run/dumps/here.data\njson_dump_file /run/dumps/x.json\njson_version 2\n\
                   data_use_instance";
    let file = format!("instance web\nglobal_defs {{\n{globals}\n}}\n{}", router("V", 51, 120, VIP, ""));
    let Some(mut world) = notes_world([file, router("V", 51, 100, VIP, "")]) else { return };
    fs::create_dir(world.nodes[0].host.path("/run/dumps")).unwrap();
    world.settle();
    let node = &mut world.nodes[0];
    ask(node, "DATA");
    ask(node, "JSON");
    let file = |name: &str| wait_for(PATIENCE, || read(node, &format!("/run/dumps/{name}"))).expect(name);
    assert!(file("here.web.data").contains("\n Instance name = web\n"));
    assert!(file("here_parent.web.data").starts_with("------< Global definitions >------\n"));
    let json: serde_json::Value = serde_json::from_str(&file("x.json")).unwrap();
    assert_eq!(json["vrrp"][0]["data"]["iname"], "V");
}

#[test]
fn dumps_do_not_hold_up_advertisements() {
    let Some(mut world) = alone(IN_RUN) else { return };
    fs::create_dir(world.nodes[0].host.path("/run/dumps")).unwrap();
    world.settle();
    let begin = now();
    let mut asked = 0;
    while world.adverts_since(0, begin).len() < 5 {
        for function in ALL {
            ask(&mut world.nodes[0], function);
            asked += 1;
        }
        std::thread::yield_now();
    }
    assert!(asked > 3);
    world.assert_regular(0, begin, common::ROUTER_INTERVAL);
}
