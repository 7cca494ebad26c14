//! A director, servers, and what the one thinks of the others. Where the kernel has IPVS, Debian's keepalived stands beside ours
//! with the same file, and has to think the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;

use lab::{Cable, Host, Lan, Process, wait_until};

use crate::common::web::is_installed;
use crate::common::{PATIENCE, has_ipvs, interface, network};

/// The first port of the virtual servers; each has one of its own, and one real server.
const FIRST_PORT: u16 = 2000;

/// A LAN with directors and servers.
pub(crate) struct Bench {
    directors: Vec<Director>,
    /// In the order of the virtual servers' ports.
    names: Vec<&'static str>,
    /// What should have been told of each so far.
    stories: Stories,
    lan: Lan,
}

/// Of each real server by its name: `up` and `down` in the order in which its scripts ran.
#[derive(Debug, Default, PartialEq)]
struct Stories(BTreeMap<String, Vec<String>>);

/// A checker of one real server.
pub(crate) struct Watch {
    name: &'static str,
    /// Address and port of the real server.
    place: &'static str,
    keyword: &'static str,
    block: &'static str,
}

pub(crate) const fn watch(
    name: &'static str,
    place: &'static str,
    keyword: &'static str,
    block: &'static str,
) -> Watch {
    Watch { name, place, keyword, block }
}

impl Watch {
    /// Of keepalived 2.2.7 no pattern ever matches in the virtual machine, and it says nothing of it; and it takes a mail
    /// server's greeting of several lines (RFC 5321 §4.2.1) for a bad one.
    fn works_in_keepalived(&self) -> bool {
        let is_matched = self.block.contains("\nregex ") && !self.block.contains("regex_no_match");
        !is_matched && self.name != "mail_in_lines"
    }
}

impl Bench {
    /// A LAN for these programs; `None` where one of them is not there, or namespaces are not permitted.
    pub(crate) fn new(programs: &[&str]) -> Option<Self> {
        if !programs.iter().all(|program| is_installed(program)) {
            return None;
        }
        match Lan::new() {
            Ok(lan) => {
                Some(Self { directors: Vec::new(), names: Vec::new(), stories: Stories::default(), lan })
            }
            Err(error) => {
                lab::skip(error);
                None
            }
        }
    }

    /// Another host on the LAN.
    pub(crate) fn host(&self, name: &str, address: &str) -> Station {
        let address: Ipv4Addr = address.parse().expect("an address");
        let host = Host::new(name).expect("a host");
        let cable = self.lan.connect(&host, &interface(), &[network(address)]).expect("a cable");
        Station { host, _cable: cable }
    }

    /// Starts the daemon with a virtual server for each checker; and keepalived, where it can work.
    pub(crate) fn start(&mut self, global: &str, watches: &[Watch]) {
        self.start_alone(global, watches);
        if has_ipvs() && is_installed("keepalived") && is_installed("ipvsadm") {
            let peer = self.host("peer", "192.168.0.12");
            self.directors.push(Director::start(
                peer,
                "keepalived",
                global,
                watches,
                Watch::works_in_keepalived,
            ));
        }
    }

    /// Starts the daemon only: it is asked for what keepalived does not know.
    pub(crate) fn start_alone(&mut self, global: &str, watches: &[Watch]) {
        self.names = watches.iter().map(|watch| watch.name).collect();
        let ours = std::env::var("STEADFAST_TEST_DAEMON");
        let ours = ours.as_deref().unwrap_or(env!("CARGO_BIN_EXE_steadfast"));
        let station = self.host("ours", "192.168.0.11");
        self.directors.push(Director::start(station, ours, global, watches, |_| true));
    }

    /// What the daemons have said.
    pub(crate) fn log(&self) -> String {
        self.directors.iter().map(Director::log).collect()
    }

    /// Waits until these servers and no others live in the eyes of every director, without having been told dead, or living,
    /// once more than that takes.
    #[track_caller]
    pub(crate) fn expect(&mut self, condition: &str, live: &[&str]) {
        assert!(live.iter().all(|name| self.names.contains(name)), "{live:?}");
        for name in &self.names {
            self.stories.go_on(name, live.contains(name));
        }
        for director in &self.directors {
            director.assert_told(condition, &self.stories);
            let named = |ports: Vec<u16>| -> BTreeSet<_> {
                ports.iter().map(|port| self.names[usize::from(port - FIRST_PORT)]).collect()
            };
            let wanted: BTreeSet<_> =
                live.iter().copied().filter(|name| director.names.contains(name)).collect();
            let same = || director.live_ports().map(named).is_none_or(|names| names == wanted);
            assert!(
                wait_until(PATIENCE, same),
                "{condition}: {:?}\n{}",
                director.live_ports(),
                director.log()
            );
        }
    }

    /// As [`expect`](Self::expect) with all of them but these.
    #[track_caller]
    pub(crate) fn expect_all_but(&mut self, condition: &str, dead: &[&str]) {
        assert!(dead.iter().all(|name| self.names.contains(name)), "{dead:?}");
        let live: Vec<_> = self.names.iter().copied().filter(|name| !dead.contains(name)).collect();
        self.expect(condition, &live);
    }

    /// Stops the daemons; nobody was told more than was expected.
    #[track_caller]
    pub(crate) fn end(mut self) {
        for director in &mut self.directors {
            director.daemon.terminate().expect("it runs");
            let ended = director.daemon.wait(PATIENCE);
            assert!(ended.is_some_and(|status| status.success()), "{ended:?}\n{}", director.log());
            director.assert_told("at the end", &self.stories);
        }
    }
}

fn file(global: &str, watches: &[Watch], names: &BTreeSet<&str>) -> String {
    let mut file = format!("global_defs {{\nscript_user root\n}}\n{global}\n");
    let places = watches.iter().zip(FIRST_PORT..).filter(|(watch, _)| names.contains(watch.name));
    for (Watch { name, place, keyword, block }, port) in places {
        let (opening, closing) = if *keyword == "GRPC_CHECK" { ("steadfast {\n", "}\n") } else { ("", "") };
        write!(
            file,
            "virtual_server 192.0.2.1 {port} {{\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\ndelay_loop 0.3\n\
             retry 1\ndelay_before_retry 0.2\nalpha\nreal_server {place} {{\nweight 1\nnotify_up \"/run/note {name} up\"\n\
             notify_down \"/run/note {name} down\"\n{opening}{keyword} {{\nconnect_timeout 1\n{block}\n}}\n{closing}}}\n}}\n"
        )
        .expect("a String takes everything");
    }
    file
}

impl Stories {
    fn read(text: &str) -> Self {
        let mut stories = Self::default();
        for (name, state) in text.lines().filter_map(|line| line.split_once(' ')) {
            // A server that is not up yet, or never will be, may be found dead by the first check.
            if state == "up" || stories.0.contains_key(name) {
                stories.0.entry(name.to_owned()).or_default().push(state.to_owned());
            }
        }
        stories
    }

    /// Only those of these servers.
    fn of(&self, names: &BTreeSet<&str>) -> Self {
        let stories = self.0.iter().filter(|(name, _)| names.contains(name.as_str()));
        Self(stories.map(|(name, story)| (name.clone(), story.clone())).collect())
    }

    /// Begins with dead servers, as `alpha` has them; of a state that stays nothing is told.
    fn go_on(&mut self, name: &str, lives: bool) {
        let lived = self.0.get(name).and_then(|story| story.last()).is_some_and(|last| last == "up");
        if lives != lived {
            let state = if lives { "up" } else { "down" };
            self.0.entry(name.to_owned()).or_default().push(state.to_owned());
        }
    }
}

/// A host on the LAN.
pub(crate) struct Station {
    pub(crate) host: Host,
    _cable: Cable,
}

impl Station {
    pub(crate) fn spawn(&self, argv: &[&str]) -> Process {
        self.host.spawn(argv).unwrap_or_else(|error| panic!("{argv:?}: {error}"))
    }

    /// Runs a line of shell on this host; what it prints.
    #[track_caller]
    pub(crate) fn shell(&self, line: &str) -> String {
        let mut shell = self.spawn(&["/bin/sh", "-c", line]);
        let status = shell.wait(PATIENCE).expect("it ends");
        let log = shell.log().expect("a log");
        assert!(status.success(), "{line}: {status}: {log}");
        log
    }
}

struct Director {
    /// Those that it watches.
    names: BTreeSet<&'static str>,
    daemon: Process,
    station: Station,
}

impl Director {
    fn start(
        station: Station,
        program: &str,
        global: &str,
        watches: &[Watch],
        takes: fn(&Watch) -> bool,
    ) -> Self {
        let names: BTreeSet<_> =
            watches.iter().filter(|watch| takes(watch)).map(|watch| watch.name).collect();
        let file = file(global, watches, &names);
        station.host.write_script("/run/note", "#!/bin/sh\necho \"$*\" >> /run/noted\n").expect("a file");
        station.host.write("/run/noted", "").expect("a file");
        station.host.write("/run/keepalived.conf", &file).expect("a file");
        let daemon = station.spawn(&[program, "-n", "-l", "-D", "-C", "-f", "/run/keepalived.conf"]);
        Self { names, daemon, station }
    }

    fn log(&self) -> String {
        format!("--- log of {}\n{}", self.station.host.name(), self.daemon.log().expect("a log"))
    }

    #[track_caller]
    fn assert_told(&self, condition: &str, wanted: &Stories) {
        let told = || Stories::read(&self.station.host.read("/run/noted").expect("a file"));
        let wanted = wanted.of(&self.names);
        let right = wait_until(PATIENCE, || told() == wanted);
        assert!(right, "{condition}\nwanted {wanted:?}\ntold {:?}\n{}", told(), self.log());
    }

    /// The ports of the virtual servers that have a real server in the kernel's table; `None` without IPVS.
    fn live_ports(&self) -> Option<Vec<u16>> {
        if !Path::new("/proc/net/ip_vs").exists() {
            return None;
        }
        let table = self.station.shell("ipvsadm -Sn");
        let port = |line: &str| line.strip_prefix("-a -t 192.0.2.1:")?.split_once(' ')?.0.parse::<u16>().ok();
        Some(table.lines().filter_map(port).collect())
    }
}
