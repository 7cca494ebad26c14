//! Tracked files and processes: what they say moves priorities and mastership.

mod common;

use std::fs;

use common::{Node, PATIENCE, World, notes_world, router};
use lab::{now, wait_until};

const VIP: &str = "192.168.0.100";

/// Hosts of priorities 120 and 100, of which the first has this before its router and in it. Not started yet.
fn pair(before: &str, inside: &str) -> Option<World> {
    let first = before.to_owned() + &router("V", 51, 120, VIP, inside);
    notes_world([first, router("V", 51, 100, VIP, "")])
}

fn track_file(more: &str) -> String {
    format!("track_file load {{\nfile /run/load\n{more}\n}}\n")
}

const TRACKS_FILE: &str = "track_file {\nload\n}";

/// Writes what was not there before, so that nobody reads half of it.
fn replace(node: &Node, path: &str, content: &str) {
    node.host.write("/run/new", content).unwrap();
    fs::rename(node.host.path("/run/new"), node.host.path(path)).unwrap();
}

fn reload(node: &mut Node, file: &str) {
    node.configure(file);
    node.daemon().hang_up().expect("the daemon runs");
}

#[test]
fn a_file_moves_the_priority_and_with_it_the_master() {
    let Some(mut world) = pair(&track_file("weight -10"), TRACKS_FILE) else { return };
    world.settle();

    let begin = now();
    world.nodes[0].host.write("/run/load", "1\n").unwrap();
    world.advert_with(0, begin, 110);
    let begin = now();
    replace(&world.nodes[0], "/run/load", " 3 and more\n");
    world.wait_for_master(1);
    world.nodes[0].wait_for_line(0, "Changing effective priority from 110 to 90");
    assert!(world.adverts_since(0, begin).iter().all(|heard| heard.advert().unwrap().priority.get() != 120));

    let before = world.nodes[0].log().len();
    fs::remove_file(world.nodes[0].host.path("/run/load")).unwrap();
    world.nodes[0].wait_for_line(before, "Changing effective priority from 90 to 120");
    world.wait_for_master(0);

    // Beyond all priorities is a fault.
    world.nodes[0].host.write("/run/load", "1000000").unwrap();
    world.nodes[0].wait_for_line(before, "tracked file load says so");
    world.wait_for_master(1);
    world.nodes[0].host.write("/run/load", "nothing").unwrap();
    world.wait_for_master(0);
}

#[test]
fn a_file_decides_before_the_first_word_is_said() {
    let file = track_file("weight 0");
    let Some(mut world) = pair(&file, TRACKS_FILE) else { return };
    world.nodes[0].host.write("/run/load", "1\n").unwrap();
    let begin = now();
    for node in &mut world.nodes {
        node.start();
    }
    world.wait_for_master(1);
    assert!(world.adverts_since(0, begin).is_empty(), "{}", world.logs());
    let log = world.nodes[0].log();
    assert!(!log.contains("Entering BACKUP STATE") && log.contains("FAULT"), "{log}");

    // A worker that is started anew knows it too.
    let before = world.nodes[0].log().len();
    let begin = now();
    world.nodes[0].shell("kill -9 $(cat /run/vrrp.pid)");
    world.nodes[0].wait_for_line(before, "it is started again");
    world.nodes[0].wait_for_line(before, "Entering FAULT STATE");
    assert!(world.adverts_since(0, begin).is_empty(), "{}", world.logs());
    fs::remove_file(world.nodes[0].host.path("/run/load")).unwrap();
    world.wait_for_master(0);
}

#[test]
fn the_members_of_a_group_follow_its_file_and_a_folder_may_come_late() {
    let group = "vrrp_sync_group G {\ngroup {\nV\nW\n}\ntrack_file {\nload weight 0\n}\n}\n";
    let files = |priority: u8, more: &str| {
        more.to_owned()
            + &router("V", 51, priority, VIP, "")
            + &router("W", 52, priority, "192.168.0.101", "")
    };
    let tracked = format!("track_file load {{\nfile /run/late/load\n}}\n{group}");
    let untracked = "vrrp_sync_group G {\ngroup {\nV\nW\n}\n}\n";
    let Some(mut world) = notes_world([files(120, &tracked), files(100, untracked)]) else { return };
    world.nodes[0].start();
    world.nodes[0].wait_for_line(0, "/run/late, the folder of a tracked file, does not exist yet");
    world.nodes[1].start();
    let other = "192.168.0.101".parse().unwrap();
    let both = |world: &World, index: usize| {
        wait_until(PATIENCE, || {
            let (master, backup) = (&world.nodes[index], &world.nodes[1 - index]);
            [world.vip, other].iter().all(|vip| master.holds(*vip) && !backup.holds(*vip))
        })
    };
    assert!(both(&world, 0), "{}", world.logs());
    fs::create_dir(world.nodes[0].host.path("/run/late")).unwrap();
    world.nodes[0].host.write("/run/late/load", "1").unwrap();
    assert!(both(&world, 1), "{}", world.logs());
    fs::remove_dir_all(world.nodes[0].host.path("/run/late")).unwrap();
    assert!(both(&world, 0), "{}", world.logs());
}

#[test]
fn a_file_begins_with_its_number_at_the_start_and_only_then() {
    let file = |more: &str| track_file(more) + &router("V", 51, 120, VIP, TRACKS_FILE);
    let Some(mut world) = notes_world([file("init_file -5"), String::new()]) else { return };
    let load = world.nodes[0].host.path("/run/load");
    let begin = now();
    world.nodes[0].start();
    world.advert_with(0, begin, 115);
    assert_eq!(fs::read_to_string(&load).unwrap(), "-5\n");

    let begin = now();
    reload(&mut world.nodes[0], &file("init_file 7 overwrite\nweight 2"));
    world.advert_with(0, begin, 110);
    assert_eq!(fs::read_to_string(&load).unwrap(), "-5\n");

    world.nodes[0].stop();
    let begin = now();
    world.nodes[0].start();
    world.advert_with(0, begin, 134);
    assert_eq!(fs::read_to_string(&load).unwrap(), "7\n");
}

#[test]
fn a_reload_tracks_other_files() {
    let file = |path: &str, weight: &str| {
        format!("track_file load {{\nfile {path}\nweight {weight}\n}}\n")
            + &router("V", 51, 120, VIP, TRACKS_FILE)
    };
    let Some(mut world) = notes_world([file("/run/load", "-1"), String::new()]) else { return };
    for (path, value) in [("/run/load", "10"), ("/run/other", "20")] {
        world.nodes[0].host.write(path, value).unwrap();
    }
    let begin = now();
    world.nodes[0].start();
    world.advert_with(0, begin, 110);
    let begin = now();
    reload(&mut world.nodes[0], &file("/run/other", "1"));
    world.advert_with(0, begin, 140);
    // At once, not by way of the old file with the new weight or the other way round.
    let strange: Vec<_> = world
        .adverts_since(0, begin)
        .into_iter()
        .filter(|heard| ![110, 140].contains(&heard.advert().unwrap().priority.get()))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
    let begin = now();
    world.nodes[0].host.write("/run/load", "50").unwrap();
    world.nodes[0].host.write("/run/other", "30").unwrap();
    world.advert_with(0, begin, 150);
    let begin = now();
    reload(&mut world.nodes[0], &router("V", 51, 120, VIP, ""));
    world.advert_with(0, begin, 120);
    assert!(!world.nodes[0].log().contains("from 140 to 170"), "{}", world.logs());
}

#[test]
fn what_is_no_file_stops_nobody() {
    let Some(mut world) = pair(&track_file("weight -10\ninit_file 1 overwrite"), TRACKS_FILE) else { return };
    world.nodes[0].shell("mkfifo /run/load");
    world.nodes[0].start();
    world.nodes[0].wait_for_line(0, "/run/load does not begin with 1: it is not a regular file");
    world.nodes[0].wait_for_line(0, "not a regular file, so taken as 0");
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
    let begin = now();
    replace(&world.nodes[0], "/run/load", "2");
    world.advert_with(0, begin, 100);
}

fn track_process(more: &str) -> String {
    format!("vrrp_track_process web {{\n{more}\n}}\n")
}

const TRACKS_PROCESS: &str = "track_process {\nweb\n}";

/// A program of this name that sleeps, in a folder of the host.
fn start_program(node: &Node, path: &str) -> lab::Process {
    let program = node.host.path(path);
    if program.symlink_metadata().is_err() {
        std::os::unix::fs::symlink("/bin/sleep", program).expect("a program");
    }
    node.host.spawn(&[path, "10000"]).expect("it starts")
}

#[test]
fn a_vital_process_that_ends_is_a_fault_until_it_is_back() {
    // The hosts' own process namespaces keep those of other tests away.
    let process = track_process("process trackweb1");
    let Some(mut world) = pair(&process, TRACKS_PROCESS) else { return };
    let service = start_program(&world.nodes[0], "/run/trackweb1");
    world.settle();
    world.nodes[0].wait_for_line(0, "tracked processes are counted every second");
    drop(service);
    world.nodes[0].wait_for_line(0, "Quorum lost for tracked process web (0 run)");
    world.nodes[0].wait_for_line(0, "not as many processes web run as must");
    world.wait_for_master(1);
    let before = world.nodes[0].log().len();
    let _service = start_program(&world.nodes[0], "/run/trackweb1");
    world.nodes[0].wait_for_line(before, "Quorum gained for tracked process web (1 run)");
    world.wait_for_master(0);

    // A worker that is started anew does not wait for the next change.
    let begin = now();
    let before = world.nodes[0].log().len();
    world.nodes[0].shell("kill -9 $(cat /run/vrrp.pid)");
    world.nodes[0].wait_for_line(before, "it is started again");
    world.nodes[0].wait_for_line(before, "Entering MASTER STATE");
    assert!(world.adverts_since(1, begin).is_empty(), "{}", world.logs());
}

#[test]
fn a_quorum_of_processes_is_worth_its_weight_between_its_bounds() {
    let process =
        track_process("process /run/trackweb2 10000\nquorum 2\nquorum_max 3\nweight 10\nterminate_delay 0.5");
    let file = process + &router("V", 51, 120, VIP, TRACKS_PROCESS);
    let Some(mut world) = notes_world([file.clone(), String::new()]) else { return };
    let mut services = vec![start_program(&world.nodes[0], "/run/trackweb2")];
    let begin = now();
    world.nodes[0].start();
    world.advert_with(0, begin, 120);
    services.push(start_program(&world.nodes[0], "/run/trackweb2"));
    let begin = now();
    world.advert_with(0, begin, 130);
    services.extend([(); 2].map(|()| start_program(&world.nodes[0], "/run/trackweb2")));
    world.nodes[0].wait_for_line(0, "Quorum lost for tracked process web (4 run)");
    let begin = now();
    world.advert_with(0, begin, 120);
    services.truncate(2);
    let begin = now();
    world.advert_with(0, begin, 130);

    // Another program of the same tracker, and none at last.
    let begin = now();
    reload(&mut world.nodes[0], &file.replace("trackweb2 10000", "trackweb3 10000"));
    world.advert_with(0, begin, 120);
    let _others = [(); 2].map(|()| start_program(&world.nodes[0], "/run/trackweb3"));
    let begin = now();
    world.advert_with(0, begin, 130);
    reload(&mut world.nodes[0], &router("V", 51, 121, VIP, ""));
    let begin = now();
    world.advert_with(0, begin, 121);
    world.nodes[0].stop();
}
