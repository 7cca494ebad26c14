//! Two hosts on two links, with a virtual router on each link and both in one sync group: they move as one, whatever
//! happens to one of the links, beside another Steadfast and beside Debian's keepalived.

mod common;

use std::net::Ipv4Addr;
use std::path::Path;

use common::stranger::{signal, worker};
use common::{PATIENCE, router};
use lab::{Cable, Host, Lan, Process, Signal, Sniffer, now, wait_until};
use model::{IfName, Instant, Prefix, Priority};

const STEADFAST: &str = env!("CARGO_BIN_EXE_steadfast");
const KEEPALIVED: &str = "/usr/sbin/keepalived";
/// Each link's virtual address.
const VIPS: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 168, 1, 100), Ipv4Addr::new(192, 168, 2, 100)];

/// A host on both links.
struct Side {
    host: Host,
    program: &'static str,
    addresses: [Ipv4Addr; 2],
    cables: [Cable; 2],
    daemon: Option<Process>,
}

/// The links and the hosts, the first of which has the greater priority.
struct Pair {
    sides: [Side; 2],
    sniffers: [Sniffer; 2],
    _lans: [Lan; 2],
}

impl Side {
    fn new(name: &str, number: u8, program: &'static str, lans: &[Lan; 2]) -> Self {
        let host = Host::new(name).expect("a host");
        let addresses = [1, 2].map(|link| Ipv4Addr::new(192, 168, link, number));
        let cables = [0, 1].map(|link: usize| {
            let own = Prefix::new(addresses[link].into(), 24).expect("a prefix");
            lans[link].connect(&host, &interface(link), &[own]).expect("a cable")
        });
        host.write_script("/run/told.sh", "#!/bin/sh\necho \"$*\" >> /run/told\n").expect("a file");
        Self { host, program, addresses, cables, daemon: None }
    }

    fn start(&mut self) {
        // keepalived writes its statistics there; by default to /tmp, which the hosts share.
        let argv =
            ["/usr/bin/env", "TMPDIR=/run", self.program, "-n", "-l", "-D", "-f", "/run/keepalived.conf"];
        self.daemon = Some(self.host.spawn(&argv).expect("the daemon starts"));
    }

    fn daemon(&mut self) -> &mut Process {
        self.daemon.as_mut().expect("it was started")
    }

    fn stop(&mut self) {
        self.daemon().terminate().expect("it runs");
        let status = self.daemon().wait(PATIENCE).expect("it stops");
        assert!(status.success(), "{status}\n{}", self.log());
        self.daemon = None;
    }

    fn configure(&self, file: &str) {
        self.host.write("/run/new.conf", file).expect("a file");
        let (new, current) = (self.host.path("/run/new.conf"), self.host.path("/run/keepalived.conf"));
        std::fs::rename(new, current).expect("the same folder");
    }

    fn reload(&mut self, file: &str) {
        self.configure(file);
        self.daemon().hang_up().expect("it runs");
    }

    /// Which of the virtual addresses it has.
    fn holds(&self) -> [bool; 2] {
        VIPS.map(|vip| self.host.holds(vip.into()))
    }

    fn log(&self) -> String {
        self.daemon.as_ref().map(|daemon| daemon.log().expect("a log")).unwrap_or_default()
    }

    fn told(&self) -> Vec<String> {
        self.host.read("/run/told").unwrap_or_default().lines().map(str::to_owned).collect()
    }

    fn forget_told(&self) {
        self.host.write("/run/told", "").expect("a file");
    }

    /// Waits until scripts were told all of this.
    #[track_caller]
    fn wait_until_told(&self, lines: &[&str]) {
        let told = || lines.iter().all(|line| self.told().iter().any(|told| told == line));
        assert!(wait_until(PATIENCE, told), "{lines:?} is not all of {:?}\n{}", self.told(), self.log());
    }
}

impl Pair {
    /// Both hosts with these programs and priorities 120 and 100, started, and the first one master. `None` where this
    /// cannot be run.
    fn new(programs: [&'static str; 2]) -> Option<Self> {
        if let Some(missing) = programs.iter().find(|program| !Path::new(program).exists()) {
            lab::skip(format!("{missing} is not installed"));
            return None;
        }
        let lans = match [Lan::new(), Lan::new()] {
            [Ok(one), Ok(two)] => [one, two],
            [Err(error), _] | [_, Err(error)] => {
                lab::skip(error);
                return None;
            }
        };
        let [first, second] = programs;
        let sides = [Side::new("a", 14, first, &lans), Side::new("b", 86, second, &lans)];
        let sniffers = [0, 1].map(|link: usize| lans[link].sniff().expect("a sniffer"));
        let mut pair = Self { sides, sniffers, _lans: lans };
        for (side, priority) in pair.sides.iter_mut().zip([120, 100]) {
            side.configure(&file([priority; 2], "V1 V2"));
            side.start();
        }
        pair.wait_for_master(0);
        let [a, b] = &pair.sides;
        a.wait_until_told(&[
            "INSTANCE V1 MASTER 120",
            "INSTANCE V2 MASTER 120",
            "GROUP G MASTER 0",
            "group is master",
        ]);
        b.wait_until_told(&[
            "INSTANCE V1 BACKUP 100",
            "INSTANCE V2 BACKUP 100",
            "GROUP G BACKUP 0",
            "group is backup",
        ]);
        Some(pair)
    }

    /// Waits until host `index` alone holds both addresses.
    #[track_caller]
    fn wait_for_master(&self, index: usize) {
        let settled =
            || self.sides[index].holds() == [true; 2] && self.sides[1 - index].holds() == [false; 2];
        let held = || [0, 1].map(|index: usize| self.sides[index].holds());
        assert!(
            wait_until(PATIENCE, settled),
            "{index} is not master of both: {:?}\n{}",
            held(),
            self.logs()
        );
    }

    /// The first advertisement of host `index` on each link since then.
    #[track_caller]
    fn adverts(&self, index: usize, since: Instant) -> [Instant; 2] {
        [0, 1].map(|link: usize| {
            let source = self.sides[index].addresses[link];
            let heard = self.sniffers[link].wait_for(since, PATIENCE, |heard| heard.is_advert_of(source));
            heard.unwrap_or_else(|| panic!("{source} is silent\n{}", self.logs())).at
        })
    }

    /// The host's advertisements of priority 0 on a link since then.
    fn releases(&self, index: usize, link: usize, since: Instant) -> usize {
        let source = self.sides[index].addresses[link];
        let is_release = |priority| priority == Priority::RELEASE;
        let heard = self.sniffers[link].since(since, |heard| {
            heard.is_advert_of(source) && heard.advert().is_some_and(|advert| is_release(advert.priority))
        });
        heard.len()
    }

    fn logs(&self) -> String {
        let [a, b] = &self.sides;
        format!("--- log of a\n{}--- log of b\n{}", a.log(), b.log())
    }
}

fn interface(link: usize) -> IfName {
    format!("eth{}", link + 1).parse().expect("a name")
}

/// A virtual router on each link with these priorities, and a group of these of them.
fn file(priorities: [u8; 2], members: &str) -> String {
    let [first, second] = priorities;
    let notify = "notify /run/told.sh";
    let group = format!(
        "global_defs {{
            script_user root
        }}
        vrrp_sync_group G {{
            group {{
                {members}
            }}
            notify_master \"/run/told.sh group is master\"
            notify_backup \"/run/told.sh group is backup\"
            notify_fault \"/run/told.sh group is at fault\"
            notify_stop \"/run/told.sh group stops\"
            {notify}
        }}\n"
    );
    let one = router("V1", 51, first, "192.168.1.100/24", notify);
    let two = router("V2", 52, second, "192.168.2.100/24", notify).replace("eth1", "eth2");
    group + &one + &two
}

#[test]
fn steadfast_moves_as_one() {
    fault_crash_and_stop([STEADFAST, STEADFAST]);
}

#[test]
fn steadfast_beside_a_keepalived_that_is_backup() {
    fault_crash_and_stop([STEADFAST, KEEPALIVED]);
}

#[test]
fn steadfast_beside_a_keepalived_that_is_master() {
    fault_crash_and_stop([KEEPALIVED, STEADFAST]);
}

#[track_caller]
fn fault_crash_and_stop(programs: [&'static str; 2]) {
    let Some(mut pair) = Pair::new(programs) else { return };
    // One link of the master goes: both addresses do.
    let begin = now();
    pair.sides.iter().for_each(Side::forget_told);
    pair.sides[0].cables[1].pull().unwrap();
    pair.wait_for_master(1);
    assert!(pair.releases(0, 0, begin) > 0, "the sound link was not told\n{}", pair.logs());
    pair.sides[0].wait_until_told(&[
        "INSTANCE V1 FAULT 120",
        "INSTANCE V2 FAULT 120",
        "GROUP G FAULT 0",
        "group is at fault",
    ]);
    pair.sides[1].wait_until_told(&["INSTANCE V1 MASTER 100", "GROUP G MASTER 0", "group is master"]);

    // It comes back: both come back.
    pair.sides.iter().for_each(Side::forget_told);
    pair.sides[0].cables[1].plug().unwrap();
    pair.wait_for_master(0);
    pair.sides[1].wait_until_told(&["INSTANCE V2 BACKUP 100", "GROUP G BACKUP 0", "group is backup"]);

    pair.sides[0].daemon().kill_tree();
    for vip in VIPS {
        // What a crashed daemon leaves is not this test's matter.
        let link = interface(usize::from(vip == VIPS[1]));
        pair.sides[0].host.remove_address(&link, Prefix::new(vip.into(), 24).unwrap()).unwrap();
    }
    pair.wait_for_master(1);
    pair.sides[0].start();
    pair.wait_for_master(0);

    let begin = now();
    pair.sides[0].forget_told();
    pair.sides[0].stop();
    pair.wait_for_master(1);
    assert_eq!([0, 1].map(|link| pair.releases(0, link, begin) > 0), [true; 2]);
    pair.sides[0].wait_until_told(&["INSTANCE V1 STOP 120", "GROUP G STOP 0", "group stops"]);
}

#[test]
fn a_takeover_advertises_on_both_links_in_the_same_moment() {
    let Some(mut pair) = Pair::new([STEADFAST, STEADFAST]) else { return };
    let begin = now();
    pair.sides[0].stop();
    let [one, two] = pair.adverts(1, begin);
    assert!(one.max(two).since(one.min(two)) < common::GRACE / 5, "{one:?} {two:?}");
    pair.wait_for_master(1);
}

#[test]
fn a_silent_cut_of_one_link_moves_nothing_and_the_backup_says_why() {
    let Some(pair) = Pair::new([STEADFAST, STEADFAST]) else { return };
    pair.sides[1].cables[1].cut().unwrap();
    let why = "(V2) would be master (no advertisement from 192.168.2.14";
    let told = wait_until(PATIENCE, || pair.sides[1].log().contains(why));
    assert!(told, "{}", pair.logs());
    assert!(pair.sides[1].log().contains("but V1 of sync group G hears its master 192.168.1.14"));
    pair.wait_for_master(0);
    pair.sides[1].cables[1].heal().unwrap();
    let _still = pair.adverts(0, now());
    pair.wait_for_master(0);
}

#[test]
fn a_worker_that_is_killed_goes_on_as_master_of_both() {
    let Some(mut pair) = Pair::new([STEADFAST, STEADFAST]) else { return };
    let first = worker(pair.sides[0].daemon()).expect("a worker");
    let begin = now();
    pair.sides[1].forget_told();
    signal(first, Signal::KILL);
    let restarted =
        wait_until(PATIENCE, || pair.sides[0].log().matches("was master before the restart").count() == 2);
    assert!(restarted, "{}", pair.logs());
    let _both_go_on = pair.adverts(0, begin);
    pair.wait_for_master(0);
    assert_eq!(pair.sides[1].told(), Vec::<String>::new(), "nothing moved\n{}", pair.logs());
}

#[test]
fn a_reload_that_lets_a_member_join_moves_nothing() {
    let Some(mut pair) = Pair::new([STEADFAST, STEADFAST]) else { return };
    for (side, priority) in pair.sides.iter_mut().zip([120, 100]) {
        side.reload(&file([priority; 2], "V1"));
    }
    for side in &pair.sides {
        assert!(
            wait_until(PATIENCE, || side.log().contains("VRRP_Group(G) changed: group")),
            "{}",
            side.log()
        );
    }
    pair.sides.iter().for_each(Side::forget_told);
    for (side, priority) in pair.sides.iter_mut().zip([120, 100]) {
        side.reload(&file([priority; 2], "V1 V2"));
    }
    for side in &pair.sides {
        let twice = || side.log().matches("VRRP_Group(G) changed: group").count() == 2;
        assert!(wait_until(PATIENCE, twice), "{}", side.log());
    }
    let _still = pair.adverts(0, now());
    pair.wait_for_master(0);
    for side in &pair.sides {
        assert_eq!(side.told(), Vec::<String>::new(), "{}", pair.logs());
    }
}
