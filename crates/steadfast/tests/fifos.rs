//! State changes on named pipes: the lines of keepalived, and readers of every kind.

mod common;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};

use common::{Node, PATIENCE, World, notes_world, router};
use lab::{now, wait_for, wait_until};

const VIP: &str = "192.168.0.100";

fn global(lines: &str) -> String {
    format!("global_defs {{\nscript_user root\n{lines}\n}}\n")
}

/// Node 0 alone with this file, not started yet.
fn lone(file: &str) -> Option<World> {
    notes_world([file.to_owned(), String::new()])
}

/// A reader that the daemon does not know of.
struct Reader {
    pipe: std::fs::File,
    text: String,
}

impl Reader {
    /// Makes the pipe before the daemon needs it, and never sees its end.
    fn make(node: &Node, path: &str) -> Self {
        node.shell(&format!("mkfifo -m 640 {path}"));
        Self::of(node, path)
    }

    fn of(node: &Node, path: &str) -> Self {
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let mut options = std::fs::OpenOptions::new();
        let pipe = options.read(true).write(true).custom_flags(flags).open(node.host.path(path)).unwrap();
        Self { pipe, text: String::new() }
    }

    fn lines(&mut self) -> Vec<String> {
        let mut bytes = Vec::new();
        if let Err(error) = self.pipe.read_to_end(&mut bytes) {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
        }
        self.text += std::str::from_utf8(&bytes).unwrap();
        self.text.split_inclusive('\n').map(str::to_owned).collect()
    }

    /// Waits until `count` of the lines are this one.
    #[track_caller]
    fn wait_for(&mut self, node: &Node, line: &str, count: usize) {
        let wanted = format!("{line}\n");
        let seen =
            wait_until(PATIENCE, || self.lines().iter().filter(|one| **one == wanted).count() >= count);
        assert!(seen, "{line} is not there {count} times\n{}\n{}", self.text, node.log());
    }
}

/// What was told of each instance and group, in order, byte for byte.
fn by_subject(lines: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let subject = line.rsplitn(3, ' ').last().unwrap_or_default();
        told.entry(subject.to_owned()).or_default().push(line.clone());
    }
    told
}

const TRACKED: &str = "vrrp_track_file number {\nfile /run/number\nweight 1\n}\n";

/// Two instances in a group that tracks an interface, one with a blank in its name that tracks a file, and two to be
/// removed.
fn files() -> [String; 2] {
    let global =
        global("notify_fifo /run/all.fifo\nvrrp_notify_fifo /run/vrrp.fifo\nvrrp_notify_priority_changes");
    let group = "vrrp_sync_group G {\ngroup {\nA\nB\n}\ntrack_interface {\neth2\n}\n}\n";
    let stays = [
        global,
        TRACKED.to_owned(),
        group.to_owned(),
        router("A", 51, 100, VIP, ""),
        router("B", 52, 100, "192.168.0.101", ""),
        router("\"C D\"", 53, 100, "192.168.0.102", "track_file {\nnumber\n}"),
    ]
    .concat();
    let goes =
        [router("E", 54, 100, "192.168.0.103", "notify_deleted"), router("F", 55, 100, "192.168.0.104", "")];
    [stays.clone() + &goes.concat(), stays]
}

/// Everything that a daemon writes to both pipes from its start to its end.
fn told_by(program: &str) -> Option<[Vec<String>; 2]> {
    let [begin, reduced] = files();
    let mut world = lone(&begin)?;
    let node = &mut world.nodes[0];
    node.shell("ip link add eth2 type veth peer name far && ip link set eth2 up && ip link set far up && echo 0 > /run/number");
    let mut all = Reader::make(node, "/run/all.fifo");
    let mut vrrp = Reader::make(node, "/run/vrrp.fifo");
    node.start_program(program);
    for name in ["A", "B", "C D", "E", "F"] {
        all.wait_for(node, &format!("INSTANCE \"{name}\" MASTER 100"), 1);
    }
    all.wait_for(node, "GROUP \"G\" MASTER 0", 1);
    node.shell("echo 5 > /run/number");
    all.wait_for(node, "INSTANCE \"C D\" MASTER_PRIORITY 105", 1);
    // keepalived reads tracked files anew at a reload, before it knows its state again.
    node.shell("echo 0 > /run/number");
    all.wait_for(node, "INSTANCE \"C D\" MASTER_PRIORITY 100", 1);
    node.shell("ip link set far down");
    all.wait_for(node, "GROUP \"G\" FAULT 0", 1);
    node.shell("ip link set far up");
    all.wait_for(node, "GROUP \"G\" MASTER 0", 2);
    node.configure(&reduced);
    node.daemon().hang_up().unwrap();
    all.wait_for(node, "INSTANCE \"E\" DELETED 100", 1);
    all.wait_for(node, "INSTANCE \"F\" FAULT 100", 1);
    node.stop();
    all.wait_for(node, "GROUP \"G\" STOP 0", 1);
    let mode = std::fs::metadata(node.host.path("/run/all.fifo")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "{program} leaves alone what it has not made");
    Some([all.lines(), vrrp.lines()])
}

#[test]
fn lines_are_those_of_keepalived() {
    let Some(ours) = told_by(env!("CARGO_BIN_EXE_steadfast")) else { return };
    let [all, vrrp] = &ours;
    assert_eq!(all, vrrp);
    for [first, second] in [
        ["INSTANCE \"A\" FAULT 100\n", "GROUP \"G\" FAULT 0\n"],
        ["INSTANCE \"B\" STOP 100\n", "GROUP \"G\" STOP 0\n"],
    ] {
        let place = |wanted: &str| all.iter().position(|line| line == wanted).unwrap();
        assert!(place(first) < place(second), "a group is told of after its members: {all:#?}");
    }
    if !std::path::Path::new("/usr/sbin/keepalived").exists() {
        lab::skip("keepalived is not installed");
        return;
    }
    let Some(theirs) = told_by("/usr/sbin/keepalived") else { return };
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(by_subject(ours), by_subject(theirs));
    }
}

#[test]
fn a_worse_router_is_told_of() {
    let file = global("notify_fifo /run/all.fifo") + &router("V", 51, 100, VIP, "");
    // It preempts nobody, but does not know of the master yet when it begins.
    let Some(mut world) = notes_world([file, router("V", 51, 50, VIP, "")]) else { return };
    let mut reader = Reader::make(&world.nodes[0], "/run/all.fifo");
    world.nodes[0].start();
    world.nodes[1].start();
    reader.wait_for(&world.nodes[0], "INSTANCE \"V\" MASTER 100", 1);
    // A cut makes two masters, and its end lets the better one hear the worse one.
    let begin = now();
    world.nodes[1].cable.cut().unwrap();
    let _alone = world.adverts_of(0, begin, 6);
    assert!(wait_until(PATIENCE, || world.nodes[1].holds(world.vip)), "{}", world.logs());
    world.nodes[1].cable.heal().unwrap();
    reader.wait_for(&world.nodes[0], "INSTANCE \"V\" MASTER_RX_LOWER_PRI 100", 1);
}

const READER: &str = "#!/bin/sh
echo \"$*\" >> /run/started
for last; do :; done
while read line; do
    [ -e /run/slow ] && sleep 0.1
    echo \"$line\" >> /run/read
done < \"$last\"
";

fn with_reader() -> String {
    let lines = "notify_fifo /run/all.fifo nobody nogroup\nnotify_fifo_script \"/run/reader a 'b c'\"";
    global(lines) + &router("V", 51, 120, VIP, "") + &router("W", 52, 120, "192.168.0.101", "")
}

#[test]
fn a_reader_gets_everything_up_to_the_stop_and_its_pipe_is_removed() {
    let Some(mut world) = lone(&with_reader()) else { return };
    let node = &mut world.nodes[0];
    node.host.write_script("/run/reader", READER).unwrap();
    // Its last lines are read after the worker has gone.
    node.host.write("/run/slow", "").unwrap();
    node.start();
    assert!(wait_until(PATIENCE, || node.holds(world.vip)), "{}", node.log());
    let pipe = std::fs::metadata(node.host.path("/run/all.fifo")).unwrap();
    assert_eq!((pipe.mode() & 0o777, pipe.uid()), (0o600, 65534), "nobody's alone");
    node.stop();
    let read = node.host.read("/run/read").unwrap();
    let of = |name: &str| -> Vec<&str> { read.lines().filter(|line| line.contains(name)).collect() };
    for name in ["V", "W"] {
        let [backup, master, stop] =
            ["BACKUP", "MASTER", "STOP"].map(|s| format!("INSTANCE \"{name}\" {s} 120"));
        assert_eq!(of(&format!("\"{name}\"")), [backup, master, stop], "{read}");
    }
    assert_eq!(node.host.read("/run/started").unwrap(), "a b c /run/all.fifo\n");
    assert!(!node.host.path("/run/all.fifo").exists());
}

#[test]
fn a_reader_that_dies_is_started_again_and_loses_nothing_that_it_has_not_read() {
    let Some(mut world) = lone(&with_reader()) else { return };
    let node = &mut world.nodes[0];
    node.host.write_script("/run/reader", "#!/bin/sh\necho x >> /run/deaths\nexit 3\n").unwrap();
    node.start();
    assert!(wait_until(PATIENCE, || node.holds(world.vip)), "{}", node.log());
    node.wait_for_line(
        0,
        "/run/reader, which reads /run/all.fifo, exited with status 3: it is started again",
    );
    let deaths = || node.host.read("/run/deaths").unwrap_or_default().lines().count();
    assert!(wait_until(PATIENCE, || deaths() >= 3), "{}", node.log());

    node.host.write_script("/run/good", READER).unwrap();
    std::fs::rename(node.host.path("/run/good"), node.host.path("/run/reader")).unwrap();
    let read = || node.host.read("/run/read").unwrap_or_default();
    assert!(wait_until(PATIENCE, || read().contains("INSTANCE \"V\" MASTER 120")), "{}", node.log());
    assert!(read().contains("INSTANCE \"W\" BACKUP 120"), "from the beginning: {}", read());
    world.nodes[0].stop();
}

#[test]
fn a_reader_that_hangs_disturbs_nobody_and_is_ended() {
    let Some(mut world) = lone(&with_reader()) else { return };
    let node = &mut world.nodes[0];
    node.host.write_script("/run/reader", "#!/bin/sh\ntrap '' TERM\nsleep 86391\nsleep 86392\n").unwrap();
    node.start();
    assert!(wait_until(PATIENCE, || node.holds(world.vip)), "{}", node.log());
    world.nodes[0].stop();
    let left = || {
        let list = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            line.starts_with(b"sleep\x00863").then_some(())
        });
        list.count()
    };
    assert!(wait_until(PATIENCE, || left() == 0), "the reader lives on");
}

#[test]
fn a_reload_leaves_the_reader_of_a_pipe_that_stays_alone() {
    let Some(mut world) = lone(&with_reader()) else { return };
    let node = &mut world.nodes[0];
    node.host.write_script("/run/reader", READER).unwrap();
    node.host.write_script("/run/other", READER).unwrap();
    node.start();
    assert!(wait_until(PATIENCE, || node.holds(world.vip)), "{}", node.log());
    let states = with_reader().replace("script_user", "fifo_write_vrrp_states_on_reload\nscript_user");
    node.configure(&states);
    node.daemon().hang_up().unwrap();
    let masters =
        |node: &Node| node.host.read("/run/read").unwrap_or_default().matches("\"V\" MASTER 120").count();
    assert!(wait_until(PATIENCE, || masters(node) == 2), "{}", node.log());
    assert_eq!(node.host.read("/run/started").unwrap().lines().count(), 1);

    node.configure(&states.replace("/run/reader a", "/run/other a"));
    node.daemon().hang_up().unwrap();
    let started = |node: &Node| node.host.read("/run/started").unwrap().lines().count();
    assert!(wait_until(PATIENCE, || started(node) == 2), "another one reads\n{}", node.log());
    assert!(wait_until(PATIENCE, || masters(node) == 3), "{}", node.log());

    // No pipe any more.
    node.configure(&router("V", 51, 120, VIP, ""));
    node.daemon().hang_up().unwrap();
    let gone = wait_for(PATIENCE, || (!node.host.path("/run/all.fifo").exists()).then_some(()));
    assert!(gone.is_some(), "{}", node.log());
    world.nodes[0].stop();
}

#[test]
fn what_is_no_pipe_is_not_written_to() {
    let file = global("notify_fifo /run/text\nvrrp_notify_fifo /run/no/such/folder/fifo")
        + &router("V", 51, 120, VIP, "");
    let Some(mut world) = lone(&file) else { return };
    let node = &mut world.nodes[0];
    node.host.write("/run/text", "precious").unwrap();
    node.start();
    node.wait_for_line(0, "/run/text: there is something else that is no named pipe");
    node.wait_for_line(0, "/run/no/such/folder/fifo: it cannot be made");
    assert!(wait_until(PATIENCE, || node.holds(world.vip)), "{}", node.log());
    world.nodes[0].stop();
    assert_eq!(world.nodes[0].host.read("/run/text").unwrap(), "precious");
}
