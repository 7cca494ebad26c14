//! What many virtual routers cost a VRRP daemon: processor time of master and backup, memory, start, reload, takeover
//! of all. For any daemon that has keepalived's options; needs the rights to make namespaces.
//!
//! ```text
//! scale [-n 500] [--adv 0.1] [--secs 8] [--phase same|spread] -- DAEMON ARGUMENTS, {conf} the file
//! ```
//!
//! With `spread` the master's priorities differ, from 101 to 250, so that its routers become master one after the other
//! and go on to advertise at different times; otherwise they all do at once.
//!
//! There are 250 routers on each LAN, with one address each. While processor time is measured nothing listens to the
//! LAN; the interfaces' own counters say how much was sent. After that a sniffer checks that every router advertises
//! at its interval.

mod pair;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use model::Instant;
use steadfast_lab::{Lan, Message, Sniffer, now, wait_for};

use pair::arguments::{Arguments, Interval};
use pair::daemon::{Daemon, Usage};
use pair::report::{self, Report};
use pair::{BACKUP, Failure, MASTER, Member, PATIENCE, interface, missing_of, shift};

/// Virtual routers on a LAN; there are 255 numbers.
const PER_LAN: usize = 250;
/// How often the addresses of a host are counted while something is waited for: rarely enough to cost it little.
const LOOK: Duration = Duration::from_millis(20);

const PRIORITY_OF_MASTER: u8 = 150;
const PRIORITY_OF_BACKUP: u8 = 100;

/// What a host costs, by the names of the figures.
const COSTS: [[&str; 3]; 2] =
    [["master-processor", "master-pss", "master-peak"], ["backup-processor", "backup-pss", "backup-peak"]];

fn main() -> ExitCode {
    report::main(|| {
        steadfast_lab::prepare()?;
        let mut arguments = Arguments::read()?;
        let count: NonZeroUsize = arguments.take("-n", "500", "a number")?;
        let interval: Interval = arguments.take("--adv", "0.1", "seconds, at least 0.01")?;
        let seconds: u64 = arguments.take("--secs", "8", "whole seconds")?;
        let phase: Phase = arguments.take("--phase", "same", "same or spread")?;
        let daemon = arguments.daemon()?;
        let mut bench = Bench::new(count.get(), interval, phase, Duration::from_secs(seconds), daemon)?;
        let mut report = Report::new(if phase == Phase::Same { "same" } else { "spread" });
        bench.start(&mut report)?;
        bench.measure_steady_state(&mut report)?;
        bench.check_rate(&mut report)?;
        bench.reload(&mut report)?;
        bench.take_over(&mut report)
    })
}

/// When the routers advertise.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Same,
    Spread,
}

impl FromStr for Phase {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "same" => Ok(Self::Same),
            "spread" => Ok(Self::Spread),
            _ => Err(()),
        }
    }
}

struct Bench {
    count: usize,
    interval: Interval,
    phase: Phase,
    window: Duration,
    daemon: Daemon,
    lans: Vec<Lan>,
    master: Member,
    backup: Member,
}

impl Bench {
    fn new(
        count: usize,
        interval: Interval,
        phase: Phase,
        window: Duration,
        daemon: Daemon,
    ) -> Result<Self, Failure> {
        let lans: Vec<Lan> = (0..count.div_ceil(PER_LAN)).map(|_| Lan::new()).collect::<Result<_, _>>()?;
        let master = Member::new("master", MASTER, &lans)?;
        let backup = Member::new("backup", BACKUP, &lans)?;
        Ok(Self { count, interval, phase, window, daemon, lans, master, backup })
    }

    fn start(&mut self, report: &mut Report) -> Result<(), Failure> {
        let begun = now();
        self.master.start(&self.daemon, &self.file("MASTER", PRIORITY_OF_MASTER, PRIORITY_OF_MASTER))?;
        let up = self.wait_for_all(&self.master);
        report.span("start", self.expect(up, "the master does not get all addresses")?.since(begun))?;
        self.backup.start(&self.daemon, &self.file("BACKUP", PRIORITY_OF_BACKUP, PRIORITY_OF_BACKUP))?;
        thread::sleep(Duration::from_secs(3) + 3 * self.interval.span);
        let settled = self.held(&self.master) == self.count && self.held(&self.backup) == 0;
        self.expect(settled.then_some(()), "the hosts do not settle")
    }

    fn measure_steady_state(&self, report: &mut Report) -> Result<(), Failure> {
        let before = [usage(&self.master), usage(&self.backup)];
        let (sent, begun) = (self.sent(), now());
        thread::sleep(self.window);
        let after = [usage(&self.master), usage(&self.backup)];
        let window = now().since(begun).as_secs_f64();
        report.note("sent", (self.sent() - sent) as f64 / window, "frames/s")?;
        for ((names, before), after) in COSTS.iter().zip(before).zip(after) {
            let processor = after.processor.saturating_sub(before.processor);
            report.note(names[0], processor.as_secs_f64() * 100.0 / window, "%")?;
            report.note(names[1], after.proportional_kib as f64 / 1024.0, "MiB")?;
            report.note(names[2], after.peak_resident_kib as f64 / 1024.0, "MiB")?;
        }
        Ok(())
    }

    /// What every router is heard to send, the slowest above all.
    fn check_rate(&self, report: &mut Report) -> Result<(), Failure> {
        let sniffers = self.sniff()?;
        let begun = now();
        let span = Duration::from_secs(2).max(5 * self.interval.span);
        thread::sleep(span);
        let mut adverts: BTreeMap<(usize, u8), u32> = BTreeMap::new();
        for (lan, sniffer) in sniffers.iter().enumerate() {
            let heard = sniffer.since(begun, |heard| heard.is_advert_of(shift(MASTER, lan)));
            for advert in
                heard.iter().filter(|heard| heard.at < begun + span).filter_map(|heard| heard.advert())
            {
                *adverts.entry((lan, advert.vrid.get())).or_default() += 1;
            }
        }
        self.expect((adverts.len() == self.count).then_some(()), "not every router advertises")?;
        let total: u32 = adverts.values().sum();
        let least = adverts.values().min().copied().unwrap_or_default();
        report.note("advertised", f64::from(total) / span.as_secs_f64(), "adverts/s")?;
        Ok(report.note("slowest-router", f64::from(least) / span.as_secs_f64(), "adverts/s")?)
    }

    /// How long it takes until another priority of one router is heard, when all others stay as they are.
    fn reload(&mut self, report: &mut Report) -> Result<(), Failure> {
        const ANOTHER: u8 = 253;
        let sniffer = self.lans[0].sniff()?;
        self.master.host.write(pair::daemon::FILE, &self.file("MASTER", PRIORITY_OF_MASTER, ANOTHER))?;
        let begun = now();
        if let Some(process) = &mut self.master.process {
            process.hang_up()?;
        }
        let heard = sniffer.wait_for(begun, PATIENCE, |heard| {
            heard.advert().is_some_and(|advert| advert.priority.get() == ANOTHER)
        });
        let heard = self.expect(heard, "the reload has no effect")?;
        report.span("reload", heard.at.since(begun))?;
        thread::sleep(Duration::from_secs(1));
        let held = self.held(&self.master) == self.count && self.held(&self.backup) == 0;
        self.expect(held.then_some(()), "a reload moves addresses")
    }

    fn take_over(&mut self, report: &mut Report) -> Result<(), Failure> {
        let sniffers = self.sniff()?;
        let begun = now();
        self.master.crash();
        let moved = self.wait_for_all(&self.backup);
        self.expect(moved, "the backup does not take over all")?;
        let announced = self.last_announced(&sniffers, begun);
        let last = self.expect(announced, "the backup does not announce all")?;
        Ok(report.span("takeover-of-all", last.since(begun))?)
    }

    /// When the backup had announced every address once.
    fn last_announced(&self, sniffers: &[Sniffer], begun: Instant) -> Option<Instant> {
        wait_for(PATIENCE, || {
            let mut first: BTreeMap<Ipv4Addr, Instant> = BTreeMap::new();
            for (lan, sniffer) in sniffers.iter().enumerate() {
                let mac = self.backup.host.mac(&interface(lan)).ok()?;
                for heard in sniffer.since(begun, |heard| heard.from == mac) {
                    if let Message::Arp(packet) = &heard.message
                        && heard.announces(packet.sender, mac)
                    {
                        first.entry(packet.sender).or_insert(heard.at);
                    }
                }
            }
            (first.len() >= self.count).then(|| first.into_values().max()).flatten()
        })
    }

    fn sniff(&self) -> Result<Vec<Sniffer>, steadfast_lab::Error> {
        self.lans.iter().map(Lan::sniff).collect()
    }

    fn wait_for_all(&self, member: &Member) -> Option<Instant> {
        wait_for(PATIENCE, || {
            if self.held(member) == self.count {
                return Some(now());
            }
            thread::sleep(LOOK);
            None
        })
    }

    /// How many virtual addresses a host holds.
    fn held(&self, member: &Member) -> usize {
        let of = |lan| member.host.addresses(&interface(lan)).unwrap_or_default();
        let all = (0..self.lans.len()).flat_map(of);
        all.filter(|prefix| matches!(prefix.address(), IpAddr::V4(v4) if v4.octets()[0] == 10)).count()
    }

    /// Frames that the master has sent, all interfaces together: the tenth counter of `/proc/net/dev`.
    fn sent(&self) -> u64 {
        let pid = self.master.host.pid();
        let table = std::fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap_or_default();
        let lines = table.lines().filter(|line| line.trim_start().starts_with("eth"));
        let counters =
            lines.filter_map(|line| line.split(':').nth(1)?.split_whitespace().nth(9)?.parse::<u64>().ok());
        counters.sum()
    }

    /// All routers with `priority`, but for the first.
    fn file(&self, state: &str, priority: u8, first: u8) -> String {
        let mut file = "global_defs { router_id bench }\n".to_owned();
        for index in 0..self.count {
            let (lan, number) = (index / PER_LAN, index % PER_LAN + 1);
            let priority = match self.phase {
                _ if index == 0 => first,
                Phase::Spread if priority > PRIORITY_OF_BACKUP => spread(index),
                Phase::Same | Phase::Spread => priority,
            };
            let written = write!(
                file,
                "vrrp_instance I{index} {{
                    state {state}
                    interface {}
                    virtual_router_id {number}
                    version 3
                    priority {priority}
                    advert_int {}
                    garp_master_delay 0
                    virtual_ipaddress {{
                        10.{}.{number}.1/32
                    }}
                }}\n",
                interface(lan),
                self.interval.text,
                100 + lan,
            );
            debug_assert!(written.is_ok(), "a String takes everything");
        }
        file
    }

    fn expect<T>(&self, value: Option<T>, missing: &'static str) -> Result<T, Failure> {
        value.ok_or_else(|| missing_of(missing, &self.master, &self.backup))
    }
}

/// From 101 to 250.
fn spread(index: usize) -> u8 {
    PRIORITY_OF_BACKUP + 1 + u8::try_from(index % 150).expect("below 150")
}

fn usage(member: &Member) -> Usage {
    member.process.as_ref().map(Usage::of).unwrap_or_default()
}
