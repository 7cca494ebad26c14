//! Steadfast on one host of a LAN, another program on the other, and many virtual routers between them.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use lab::{Heard, Process, Signal, now, wait_for, wait_until};
use model::{Instant, Prefix, Priority};

use super::cell::{self, Cell, Settings};
use super::frr;
use crate::common::{GRACE, Node, PATIENCE, World, interface, world};

pub(crate) const KEEPALIVED: &str = "/usr/sbin/keepalived";

/// What runs on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Steadfast,
    Keepalived,
    Frr,
}

/// Two hosts with one program each. What their daemons write is looked through whenever one of them ends.
pub(crate) struct Duel {
    pub(crate) world: World,
    pub(crate) settings: [Settings; 2],
    programs: [Program; 2],
    cells: Vec<Cell>,
    /// What the daemons that have ended wrote.
    past: [String; 2],
    /// The helpers of FRR.
    zebras: [Option<Process>; 2],
}

impl Duel {
    /// The first host runs the first program; `adjust` changes the settings of both. `None` where this cannot be run.
    pub(crate) fn new(
        programs: [Program; 2],
        addresses: [&str; 2],
        cells: &[Cell],
        adjust: impl FnOnce(&mut [Settings; 2]),
    ) -> Option<Self> {
        let needed = |program: &Program| match program {
            Program::Steadfast => true,
            Program::Keepalived => is_installed(KEEPALIVED),
            Program::Frr => is_installed(frr::VRRPD),
        };
        if !programs.iter().all(needed) {
            return None;
        }
        let [a, b] = addresses.map(|address| address.parse::<Ipv4Addr>().expect("an address"));
        let settings =
            |own, peer, priority| Settings { own, peer, priority, nopreempt: false, auth_pass: "1111" };
        let mut settings = [settings(a, b, 200), settings(b, a, 100)];
        adjust(&mut settings);
        let files = [0, 1].map(|index: usize| cell::file(cells, &settings[index]));
        let world = world(addresses, "192.168.0.100", files)?;
        for (node, program) in world.nodes.iter().zip(programs) {
            if program == Program::Frr {
                if !frr::can_run(&node.host) {
                    lab::skip("the user of FRR is not mapped into this user namespace");
                    return None;
                }
            } else if cells.iter().any(|cell| cell.ipv6) {
                speak_ipv6(node);
            }
        }
        Some(Self {
            world,
            settings,
            programs,
            cells: cells.to_vec(),
            past: Default::default(),
            zebras: [None, None],
        })
    }

    pub(crate) fn start(&mut self, index: usize) {
        let node = &mut self.world.nodes[index];
        match self.programs[index] {
            Program::Steadfast => {
                node.start_program(env!("CARGO_BIN_EXE_steadfast"));
            }
            Program::Keepalived => {
                // It writes its statistics there; by default to /tmp, which the hosts share.
                let mut argv = vec!["/usr/bin/env", "TMPDIR=/run", KEEPALIVED];
                argv.extend(["-n", "-l", "-D", "-f", "/run/keepalived.conf"]);
                node.daemon = Some(node.host.spawn(&argv).expect("keepalived starts"));
            }
            Program::Frr => {
                let (zebra, vrrpd) = frr::start(node, &self.cells, &self.settings[index]);
                self.zebras[index] = Some(zebra);
                node.daemon = Some(vrrpd);
            }
        }
    }

    /// SIGTERM, and waits until it is gone.
    #[track_caller]
    pub(crate) fn stop(&mut self, index: usize) {
        self.assert_no_complaint(index);
        let daemon = self.world.nodes[index].daemon();
        daemon.terminate().expect("the daemon runs");
        let status = daemon.wait(PATIENCE);
        assert!(status.is_some_and(|status| status.success()), "{status:?}\n{}", self.logs());
        self.bury(index);
    }

    /// SIGKILL to the whole of it.
    #[track_caller]
    pub(crate) fn crash(&mut self, index: usize) {
        self.assert_no_complaint(index);
        self.world.nodes[index].daemon().kill_tree();
        self.bury(index);
        if self.programs[index] == Program::Frr {
            // Its interfaces would hold the addresses for as long as the host runs.
            frr::remove_interfaces(&self.world.nodes[index], &self.cells);
        }
    }

    fn bury(&mut self, index: usize) {
        let daemon = self.world.nodes[index].daemon.take();
        self.zebras[index] = None;
        let log = daemon.map(|daemon: Process| daemon.log().expect("a log")).unwrap_or_default();
        assert_eq!(complaints(&log), Vec::<&str>::new(), "{:?}\n{log}", self.programs[index]);
        self.past[index].push_str(&log);
    }

    /// Waits until in every cell host `index` alone holds all addresses, advertises what its file says, and the other
    /// host is silent.
    #[track_caller]
    pub(crate) fn wait_for_master(&self, index: usize) {
        self.wait_for_addresses(index, true);
        self.wait_for_addresses(1 - index, false);
        let begin = now();
        for &cell in &self.cells {
            let heard = self.adverts(cell, index, begin, 2);
            for heard in &heard {
                let settings = &self.settings[index];
                cell.assert_content(heard.advert().expect("one"), settings, settings.priority);
            }
            let gap = heard[1].at.since(heard[0].at);
            assert!(gap < cell.interval() + GRACE, "{cell}: {gap:?} between two\n{}", self.logs());
            let other = self.settings[1 - index].own;
            let silent = self.world.sniffer.since(heard[0].at, |heard| cell.is_said_by(heard, other));
            assert!(silent.is_empty(), "{cell}: two masters: {silent:?}\n{}", self.logs());
        }
    }

    /// Waits until host `index` holds the addresses of every cell, or none of them.
    #[track_caller]
    pub(crate) fn wait_for_addresses(&self, index: usize, held: bool) {
        let node = &self.world.nodes[index];
        for cell in &self.cells {
            for vip in cell.vips() {
                let holds = || match self.programs[index] {
                    Program::Frr => frr::holds(node, cell),
                    Program::Steadfast | Program::Keepalived => node.host.holds(vip),
                };
                let right = wait_until(PATIENCE, || holds() == held);
                assert!(right, "{cell}: {vip} held by {index}: {}\n{}", !held, self.logs());
            }
        }
    }

    /// The first `count` advertisements of a cell from host `index` since then.
    #[track_caller]
    pub(crate) fn adverts(&self, cell: Cell, index: usize, since: Instant, count: usize) -> Vec<Heard> {
        let source = self.settings[index].own;
        let mut found: Vec<Heard> = Vec::new();
        for _ in 0..count {
            let from = found.last().map_or(since, |last| last.at + Duration::from_nanos(1));
            let next = self.world.sniffer.wait_for(from, PATIENCE, |heard| cell.is_said_by(heard, source));
            found.push(next.unwrap_or_else(|| panic!("{cell}: {source} is silent\n{}", self.logs())));
        }
        found
    }

    /// The first advertisement of a cell from host `index` since then that carries `priority`.
    #[track_caller]
    pub(crate) fn advert_with(&self, cell: Cell, index: usize, since: Instant, priority: u8) -> Heard {
        let source = self.settings[index].own;
        let wanted = |heard: &Heard| {
            cell.is_said_by(heard, source)
                && heard.advert().is_some_and(|advert| advert.priority == Priority(priority))
        };
        let found = self.world.sniffer.wait_for(since, PATIENCE, wanted);
        found.unwrap_or_else(|| {
            panic!("{cell}: nothing of {source} with priority {priority}\n{}", self.logs())
        })
    }

    /// All advertisements of host `index` since then.
    pub(crate) fn adverts_since(&self, index: usize, since: Instant) -> Vec<Heard> {
        self.world.adverts_since(index, since)
    }

    /// In every cell host `index`, which stopped after `since`, said so, and the other one followed after the skew time.
    #[track_caller]
    pub(crate) fn assert_release_is_followed(&self, index: usize, since: Instant) {
        for &cell in &self.cells {
            let source = self.settings[index].own;
            let release = self.advert_with(cell, index, since, 0);
            cell.assert_content(release.advert().expect("one"), &self.settings[index], 0);
            let after = self.world.sniffer.since(release.at + Duration::from_nanos(1), |heard| {
                cell.is_said_by(heard, source)
                    && heard.advert().is_some_and(|advert| advert.priority.get() > 0)
            });
            assert!(after.is_empty(), "{cell}: it spoke on: {after:?}\n{}", self.logs());
            let takeover = self.adverts(cell, 1 - index, release.at, 1).remove(0);
            let skew = cell.skew_time(self.settings[1 - index].priority);
            self.assert_span(cell, 1 - index, takeover.at.since(release.at), skew);
        }
    }

    /// In every cell host `index`, which crashed after `since`, was followed after the other one's master down interval.
    #[track_caller]
    pub(crate) fn assert_silence_is_followed(&self, index: usize, since: Instant) {
        for &cell in &self.cells {
            let takeover = self.adverts(cell, 1 - index, since, 1).remove(0);
            let dead = self.settings[index].own;
            let last = self.world.sniffer.last_before(takeover.at, |heard| cell.is_said_by(heard, dead));
            let last = last.expect("it has been master");
            assert!(
                last.advert().is_some_and(|advert| advert.priority.get() > 0),
                "{cell}: a crash says nothing"
            );
            let interval = cell.master_down_interval(self.settings[1 - index].priority);
            self.assert_span(cell, 1 - index, takeover.at.since(last.at), interval);
        }
    }

    /// Host `index` announced every address after `since`.
    #[track_caller]
    pub(crate) fn assert_announced(&self, index: usize, since: Instant) {
        for cell in &self.cells {
            let shared = self.programs[index] == Program::Frr || cell.more.contains("use_vmac");
            let mac = if shared { frr::virtual_mac(cell) } else { self.world.nodes[index].mac };
            for vip in cell.vips() {
                let heard = self.world.sniffer.wait_for(since, PATIENCE, |heard| heard.announces(vip, mac));
                assert!(heard.is_some(), "{vip} is not announced by host {index}\n{}", self.logs());
            }
        }
    }

    /// Host `index` followed after `span`.
    #[track_caller]
    fn assert_span(&self, cell: Cell, index: usize, span: Duration, asked: Duration) {
        // The sniffer and the hosts hear an advertisement at slightly different times.
        let mut least = asked - Duration::from_millis(5);
        let mut most = asked + GRACE;
        if self.programs[index] == Program::Frr {
            least -= frr::TICK;
            // Its first one over IPv6 is lost: it asks for the interface and sends before that has its address.
            most += if cell.ipv6 { cell.interval() } else { Duration::ZERO };
        }
        assert!((least..most).contains(&span), "{cell}: {span:?}, not {asked:?}\n{}", self.logs());
    }

    /// Neither the log nor the counters of the daemon on host `index` speak of a bad packet.
    #[track_caller]
    pub(crate) fn assert_no_complaint(&mut self, index: usize) {
        let log = self.world.nodes[index].log();
        assert_eq!(complaints(&log), Vec::<&str>::new(), "{:?}\n{log}", self.programs[index]);
        if self.programs[index] == Program::Keepalived {
            let statistics = self.statistics(index);
            assert_eq!(counted_errors(&statistics), Vec::<&str>::new(), "{statistics}\n{log}");
        }
    }

    /// The host that runs `program`.
    pub(crate) fn index_of(&self, program: Program) -> usize {
        usize::from(self.programs[0] != program)
    }

    /// Waits until the daemon on host `index` is a backup in every cell.
    #[track_caller]
    pub(crate) fn wait_for_ready(&self, index: usize) {
        let ready = || {
            let log = self.log(index);
            let line = |cell: &Cell| match self.programs[index] {
                Program::Frr => frr::begins(cell),
                Program::Steadfast | Program::Keepalived => format!("({cell}) Entering BACKUP STATE"),
            };
            self.cells.iter().all(|cell| log.contains(&line(cell)))
        };
        assert!(wait_until(PATIENCE, ready), "host {index} is no backup\n{}", self.logs());
    }

    /// Stops both and looks through what they wrote.
    #[track_caller]
    pub(crate) fn finish(&mut self) {
        for index in [1, 0] {
            if self.world.nodes[index].daemon.is_some() {
                self.stop(index);
            }
        }
    }

    /// What keepalived counted (SIGUSR2).
    #[track_caller]
    pub(crate) fn statistics(&mut self, index: usize) -> String {
        const FILE: &str = "/run/keepalived.stats";
        let node = &mut self.world.nodes[index];
        std::fs::remove_file(node.host.path(FILE)).ok(); // there may be none yet
        node.daemon().signal(Signal::USR2).expect("keepalived runs");
        // Each instance has two lines of this kind, of which the second is its last.
        let complete =
            |text: &String| text.matches("Sent:").count() == 2 * self.cells.len() && text.ends_with('\n');
        let statistics = wait_for(PATIENCE, || node.host.read(FILE).ok().filter(complete));
        statistics.unwrap_or_else(|| panic!("no statistics\n{}", self.logs()))
    }

    /// What the daemon on host `index` has written since it was started.
    pub(crate) fn log(&self, index: usize) -> String {
        self.world.nodes[index].log()
    }

    /// What all daemons wrote, for a failed assertion.
    pub(crate) fn logs(&self) -> String {
        let [a, b] = &self.programs;
        format!("--- before, {a:?}\n{}--- before, {b:?}\n{}{}", self.past[0], self.past[1], self.world.logs())
    }
}

/// The host has a link-local and a global address that tell which it is, and no other one.
fn speak_ipv6(node: &Node) {
    let eth = interface();
    let is_link_local =
        |prefix: &Prefix| matches!(prefix.address(), IpAddr::V6(v6) if v6.is_unicast_link_local());
    let known = || node.host.addresses(&eth).ok()?.into_iter().find(is_link_local);
    let own = wait_for(PATIENCE, known).expect("the kernel has made one");
    node.host.remove_address(&eth, own).expect("it is there");
    for address in [cell::link_local(node.address), cell::global(node.address)] {
        node.host.add_address(&eth, Prefix::new(address.into(), 64).expect("a prefix")).expect("an address");
    }
}

/// The lines of a log that find fault with something.
pub(crate) fn complaints(log: &str) -> Vec<&str> {
    // How masters are elected; and FRR, of an interface that comes up at this very moment.
    const NO_FAULTS: [&str; 2] = ["lower priority", "failed to find address to bind"];
    const WORDS: [&str; 13] = [
        "bogus",
        "mismatch",
        "invalid",
        "discard",
        "refused",
        "error",
        "fail",
        "warning",
        "incorrect",
        "ignor",
        "drop",
        "unexpected",
        "panic",
    ];
    let is_one = |line: &&str| {
        let line = line.to_lowercase();
        WORDS.iter().any(|word| line.contains(word)) && !NO_FAULTS.iter().any(|words| line.contains(words))
    };
    log.lines().filter(is_one).collect()
}

/// The lines of keepalived's statistics that count a bad packet.
pub(crate) fn counted_errors(statistics: &str) -> Vec<&str> {
    let mut in_errors = false;
    let is_one = |line: &&str| {
        let line = line.trim();
        if line.ends_with(':') {
            in_errors = line.ends_with("Errors:");
        }
        in_errors && !line.ends_with(':') && !line.ends_with(" 0")
    };
    statistics.lines().filter(is_one).collect()
}

/// Whether a program is there; says so and, where tests must not be skipped, fails if not.
#[track_caller]
pub(crate) fn is_installed(program: &str) -> bool {
    let there = std::path::Path::new(program).exists();
    if !there {
        lab::skip(format_args!("{program} is not installed"));
    }
    there
}
