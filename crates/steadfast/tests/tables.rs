//! The kernel's IPVS table that a file makes: ours and that of Debian's keepalived, for keepalived's samples and for files made
//! at random.

mod common;
#[path = "tables/corpus.rs"]
mod corpus;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use common::web::is_installed;
use common::{PATIENCE, has_ipvs};
use lab::{Host, wait_until};

/// Files made at random.
const FILES: u64 = 12;

#[test]
fn samples_make_the_same_table() {
    let Some(director) = Director::new() else { return };
    let mut compared = 0;
    for path in samples() {
        let text = std::fs::read_to_string(&path).expect("a sample");
        compared += usize::from(director.compare(&path.display().to_string(), &text));
    }
    assert!(compared >= 10, "only {compared} samples make a table");
}

#[test]
fn random_files_make_the_same_table() {
    let Some(director) = Director::new() else { return };
    let first = std::env::var("STEADFAST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut compared = 0;
    for seed in first..first + FILES {
        let text = corpus::file(seed);
        compared += u64::from(director.compare(&format!("seed {seed}"), &text));
    }
    assert_eq!(compared, FILES, "keepalived takes every file");
}

#[test]
fn the_clients_of_a_group_are_masked_as_its_file_says() {
    let Some(director) = Director::new() else { return };
    let service = |group: &str, member: &str, mask: &str, server: &str| {
        format!(
            "virtual_server_group {group} {{\n{member}\n}}\nvirtual_server group {group} {{\n\
             lvs_sched rr\nlvs_method NAT\nprotocol TCP\npersistence_timeout 60\n\
             persistence_granularity {mask}\nreal_server {server} 80 {{\nweight 1\n}}\n}}\n"
        )
    };
    let text = service("G4", "10.2.3.1 9000", "255.255.255.0", "192.0.2.1")
        + &service("G6", "2001:db8:1::1 9000", "64", "2001:db8::1");
    director.host.write("/run/tables.conf", &text).expect("a file");
    let ours = director.table_of(&ours()).expect("a table of ours");
    let services: Vec<_> = ours.lines().filter(|line| line.starts_with("-A ")).map(str::trim_end).collect();
    let wanted =
        ["-A -t 10.2.3.1:9000 -s rr -p 60 -M 255.255.255.0", "-A -t [2001:db8:1::1]:9000 -s rr -p 60 -M 64"];
    assert_eq!(services, wanted, "{ours}");
}

/// Those of Debian's package that have virtual servers and that a host without their links can run.
fn samples() -> Vec<PathBuf> {
    let folder =
        std::fs::read_dir("/usr/share/doc/keepalived/samples").expect("the samples of Debian's package");
    let mut paths: Vec<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("\nvirtual_server")));
    paths.sort();
    paths
}

/// A host on which one daemon after the other runs.
struct Director {
    host: Host,
}

impl Director {
    fn new() -> Option<Self> {
        if !has_ipvs() || !is_installed("ipvsadm") || !is_installed("keepalived") {
            return None;
        }
        Some(Self { host: Host::new("director").expect("a host") })
    }

    /// Whether keepalived took the file. What both then put into the kernel must be the same, and gone at the end.
    #[track_caller]
    fn compare(&self, name: &str, text: &str) -> bool {
        self.host.write("/run/tables.conf", text).expect("a file");
        let Some(peer) = self.table_of("keepalived") else { return false };
        let ours = self.table_of(&ours()).unwrap_or_else(|| panic!("{name}: no table of ours\n{text}"));
        let ours: String = ours.lines().map(as_keepalived_has_it).collect();
        assert_eq!(ours, peer, "{name}: ours, then keepalived's\n{text}");
        true
    }

    /// What the daemon makes of the file, once that no longer changes; `None` if it refuses the file.
    #[track_caller]
    fn table_of(&self, program: &str) -> Option<String> {
        let argv = [program, "-n", "-l", "-C", "-f", "/run/tables.conf"];
        let mut daemon = self.host.spawn(&argv).expect("the daemon starts");
        let mut last = String::new();
        let mut same = 0;
        let settled = wait_until(PATIENCE, || {
            let table = self.ipvsadm();
            same = if table == last && !table.is_empty() { same + 1 } else { 0 };
            last = table;
            std::thread::sleep(LOOK);
            same >= 3 || daemon.ended().is_some()
        });
        assert!(settled, "{program}: the table goes on changing");
        if daemon.ended().is_some() {
            return None;
        }
        daemon.terminate().expect("it runs");
        let log = daemon.log().unwrap_or_default();
        assert!(daemon.wait(PATIENCE).is_some(), "{program} does not stop\n{log}");
        assert_eq!(self.ipvsadm(), "", "{program} leaves something\n{log}");
        Some(last)
    }

    /// Services and servers as commands, with all options, in order, then the tunnels.
    fn ipvsadm(&self) -> String {
        let mut all = String::new();
        for arguments in [&["-Sn"][..], &["-Ln", "--tun-info"]] {
            let argv = [&["ipvsadm"], arguments].concat();
            let mut process = self.host.spawn(&argv).expect("ipvsadm");
            assert!(process.wait(PATIENCE).is_some_and(|status| status.success()), "{argv:?}");
            let text = process.log().expect("its output");
            let mut lines: Vec<_> = text.lines().filter(|line| wanted(line)).collect();
            lines.sort_unstable();
            for line in lines {
                writeln!(all, "{}", line.trim_end()).expect("a String takes everything");
            }
        }
        all
    }
}

/// A line of our table, without the mask of clients if it is of a group: keepalived 2.2.7 forgets that.
fn as_keepalived_has_it(line: &str) -> String {
    let mut words: Vec<_> = line.split(' ').collect();
    if let ["-A", _, service, ..] = *words
        && corpus::is_of_group(service)
        && let Some(at) = words.iter().position(|word| *word == "-M")
    {
        words.drain(at..at + 2);
    }
    words.join(" ") + "\n"
}

/// The daemon under test.
fn ours() -> String {
    std::env::var("STEADFAST_TEST_DAEMON").unwrap_or_else(|_| env!("CARGO_BIN_EXE_steadfast").to_owned())
}

/// Between two looks at the table.
const LOOK: Duration = Duration::from_millis(100);

/// Commands, and what `-L` says of servers in tunnels.
fn wanted(line: &str) -> bool {
    line.starts_with('-')
        || (line.contains("->") && line.contains(" Tunnel ") && !line.contains("RemoteAddress"))
}
