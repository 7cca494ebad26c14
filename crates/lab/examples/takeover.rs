//! How long a pair of VRRP daemons takes to move an address, beside what the protocol's timers alone ask, and what a
//! client loses meanwhile. For any daemon that has keepalived's options; needs the rights to make namespaces.
//!
//! ```text
//! takeover [--runs 5] [--version 3] [--adv 0.1] [--by lan|client] [--how EVENT,…] -- DAEMON ARGUMENTS, {conf} the file
//! ```
//!
//! `EVENT` is what happens to the master: `stop` (SIGTERM), `crash` (SIGKILL to all of it), `power` (the same, and its
//! cable is pulled: its kernel answers no more), `overtake` (its own priority falls below the backup's); and for
//! `--by client` also `child` (SIGKILL to the process with the VRRP sockets) and `return` (it is stopped before, starts
//! again and preempts).
//!
//! By `lan`, times are the kernel's, of frames on the bridge: from the old master's last advertisement to the new
//! master's first gratuitous ARP. By `client`, the longest time without an answer at 1000 requests a second.

mod pair;

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use model::Instant;
use steadfast_lab::{Cable, Client, Heard, Host, Signal, now, wait_until};

use pair::arguments::{Arguments, Interval};
use pair::daemon::{Daemon, speaker};
use pair::report::{self, Report};
use pair::{BACKUP, Failure, MASTER, PATIENCE, Pair, interface, network};

const VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 100);
const ASKER: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 200);
/// Of the hosts, and what is left to the master when its check fails.
const PRIORITY_OF_MASTER: u8 = 150;
const PRIORITY_OF_BACKUP: u8 = 100;
const PRIORITY_FALLEN: u8 = 90;
/// A daemon that hears a master says nothing, so nothing tells that it is ready. This is enough for all.
const SETTLING: Duration = Duration::from_secs(1);
/// Between the same event in two pairs, so that their takeovers do not meet.
const APART: Duration = Duration::from_millis(60);

fn main() -> ExitCode {
    report::main(|| {
        steadfast_lab::prepare()?;
        let mut arguments = Arguments::read()?;
        let events: Events =
            arguments.take("--how", "crash,stop", "stop, crash, power, overtake, child, return")?;
        let setting = Setting {
            runs: arguments.take("--runs", "5", "a number")?,
            version: arguments.take("--version", "3", "2 or 3")?,
            interval: arguments.take("--adv", "1", "seconds, at least 0.01")?,
            by: arguments.take("--by", "lan", "lan or client")?,
            daemon: arguments.daemon()?,
        };
        events.0.into_iter().try_for_each(|event| setting.measure(event))
    })
}

/// What is measured, and of what.
struct Setting {
    runs: usize,
    version: u8,
    interval: Interval,
    by: By,
    daemon: Daemon,
}

/// Who tells how long it took.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Lan,
    Client,
}

impl FromStr for By {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "lan" => Ok(Self::Lan),
            "client" => Ok(Self::Client),
            _ => Err(()),
        }
    }
}

/// What happens to the master.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Event {
    Stop,
    Crash,
    Power,
    Overtake,
    Child,
    Return,
}

const NAMES: [(&str, Event); 6] = [
    ("stop", Event::Stop),
    ("crash", Event::Crash),
    ("power", Event::Power),
    ("overtake", Event::Overtake),
    ("child", Event::Child),
    ("return", Event::Return),
];

impl Event {
    fn name(self) -> &'static str {
        NAMES.iter().find(|(_, event)| *event == self).map_or("", |(name, _)| name)
    }
}

struct Events(Vec<Event>);

impl FromStr for Events {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let one = |name: &str| NAMES.iter().find(|(known, _)| *known == name).map(|(_, event)| *event);
        text.split(',').map(one).collect::<Option<_>>().map(Self).ok_or(())
    }
}

impl Setting {
    fn measure(&self, event: Event) -> Result<(), Failure> {
        let mut report = Report::new(event.name());
        let mut left = self.runs;
        while left > 0 {
            let count = left.min(self.at_once());
            self.measure_some(count, event, &mut report)?;
            left -= count;
        }
        Ok(report.summarise(&format!("v{} {}s", self.version, self.interval.text))?)
    }

    /// Pairs that share the waiting. What happens to one ends before the takeover of another begins; with short
    /// intervals there is no time for that.
    fn at_once(&self) -> usize {
        if self.interval.span >= Duration::from_millis(500) { 5 } else { 1 }
    }

    fn measure_some(&self, count: usize, event: Event, report: &mut Report) -> Result<(), Failure> {
        let mut scenes = Vec::new();
        for _ in 0..count {
            scenes.push(Scene::start(self, event)?);
        }
        for scene in &mut scenes {
            scene.settle(self, event)?;
        }
        thread::sleep(self.quiet());
        for scene in &mut scenes {
            scene.begin(self, event)?;
            thread::sleep(APART);
        }
        for scene in &scenes {
            match self.by {
                By::Lan => scene.report_takeover(self, event, report)?,
                By::Client => scene.report_outage(self, event, report)?,
            }
        }
        Ok(())
    }

    /// How long all is left alone before something happens.
    fn quiet(&self) -> Duration {
        SETTLING.max(3 * self.interval.span)
    }

    /// How long the backup is to wait, from the last word of a master to which this happens: the skew time after
    /// priority 0, the master down interval after silence (RFC 3768 §6.1, RFC 9568 §6.1), nothing after a word that
    /// makes it the better one.
    fn asked(&self, event: Event) -> Duration {
        let unit = if self.version == 2 { Duration::from_secs(1) } else { self.interval.span };
        let skew = unit * (256 - u32::from(PRIORITY_OF_BACKUP)) / 256;
        match event {
            Event::Stop => skew,
            Event::Crash | Event::Power | Event::Child | Event::Return => 3 * self.interval.span + skew,
            Event::Overtake => Duration::ZERO,
        }
    }

    /// The file of one of the hosts. Where a check is run, it is only the master's.
    fn file(&self, state: &str, priority: u8, event: Event) -> String {
        let checked = event == Event::Overtake && priority == PRIORITY_OF_MASTER;
        let (script, track) = if checked { (check(), "track_script { check }") } else { Default::default() };
        format!(
            "global_defs {{ router_id bench }}\n{script}
            vrrp_instance VI_1 {{
                state {state}
                interface eth1
                virtual_router_id 51
                version {}
                priority {priority}
                advert_int {}
                virtual_ipaddress {{
                    {VIP}
                }}
                {track}
            }}\n",
            self.version, self.interval.text
        )
    }
}

/// A file on the master that says that its service is well.
const WELL: &str = "/run/well";
const CHECK: &str = "/run/check";

fn check() -> String {
    let weight = i16::from(PRIORITY_FALLEN) - i16::from(PRIORITY_OF_MASTER);
    format!(
        "vrrp_script check {{
            script {CHECK}
            interval 1
            weight {weight}
            rise 1
            fall 1
            user root
        }}"
    )
}

/// A pair to which something happens.
struct Scene {
    pair: Pair,
    asker: Host,
    client: Option<Client>,
    /// When it happened.
    begun: Instant,
    _cable: Cable,
}

impl Scene {
    fn start(setting: &Setting, event: Event) -> Result<Self, Failure> {
        let mut pair = Pair::new()?;
        let asker = Host::new("client")?;
        let cable = pair.lan.connect(&asker, &interface(0), &[network(ASKER)])?;
        pair.master.host.write(WELL, "")?;
        pair.master.host.write_script(CHECK, &format!("#!/bin/sh\ntest -e {WELL}\n"))?;
        pair.master.start(&setting.daemon, &setting.file("MASTER", PRIORITY_OF_MASTER, event))?;
        pair.backup.start(&setting.daemon, &setting.file("BACKUP", PRIORITY_OF_BACKUP, event))?;
        Ok(Self { pair, asker, client: None, begun: Instant::ZERO, _cable: cable })
    }

    /// Brings the pair into the order in which the event finds it.
    fn settle(&mut self, setting: &Setting, event: Event) -> Result<(), Failure> {
        let pair = &mut self.pair;
        let settled = wait_until(PATIENCE, || pair.master.holds(VIP) && !pair.backup.holds(VIP));
        pair.expect(settled.then_some(()), "the master does not come up")?;
        if event == Event::Return {
            thread::sleep(setting.quiet());
            pair.master.stop()?;
            let moved = wait_until(PATIENCE, || pair.backup.holds(VIP) && !pair.master.holds(VIP));
            pair.expect(moved.then_some(()), "the backup does not take over")?;
        }
        if setting.by == By::Client {
            let client = self.client.insert(Client::start(&self.asker, VIP.into())?);
            let served = wait_until(PATIENCE, || client.answered_since(Instant::ZERO) > 100);
            self.pair.expect(served.then_some(()), "the address does not answer")?;
        }
        Ok(())
    }

    fn begin(&mut self, setting: &Setting, event: Event) -> Result<(), Failure> {
        self.wait_for_quiet(setting, event)?;
        self.begun = now();
        let master = &mut self.pair.master;
        match event {
            Event::Stop => master.stop()?,
            Event::Crash => master.crash(),
            Event::Power => {
                master.crash();
                master.pull_cables()?;
            }
            Event::Overtake => std::fs::remove_file(master.host.path(WELL))?,
            Event::Child => {
                let speaker = master.process.as_ref().and_then(speaker);
                let pid = self.pair.expect(speaker, "no process of the master has a socket for VRRP")?;
                kill(pid)?;
            }
            Event::Return => {
                let file = setting.file("MASTER", PRIORITY_OF_MASTER, event);
                master.start(&setting.daemon, &file)?;
            }
        }
        Ok(())
    }

    /// With short intervals a stall of this machine lets a backup take over for a moment: that has to be past.
    fn wait_for_quiet(&self, setting: &Setting, event: Event) -> Result<(), Failure> {
        let silent = if event == Event::Return { MASTER } else { BACKUP };
        let quiet = wait_until(PATIENCE, || {
            let since = now() - setting.quiet();
            self.pair.sniffer.since(since, |heard| heard.is_advert_of(silent)).is_empty()
        });
        self.pair.expect(quiet.then_some(()), "the pair does not become quiet")
    }

    fn report_takeover(&self, setting: &Setting, event: Event, report: &mut Report) -> Result<(), Failure> {
        let (sniffer, backup) = (&self.pair.sniffer, &self.pair.backup);
        let spoke = sniffer.wait_for(self.begun, PATIENCE, |heard| heard.is_advert_of(BACKUP));
        let spoke = self.pair.expect(spoke, "the backup never advertises")?.at;
        let announced = sniffer.wait_for(self.begun, PATIENCE, |heard| heard.announces(VIP, backup.mac));
        let announced = self.pair.expect(announced, "the backup does not announce the address")?.at;
        let last = match event {
            Event::Overtake => sniffer.wait_for(self.begun, Duration::ZERO, |heard| {
                advertises(heard, MASTER, |priority| priority == PRIORITY_FALLEN)
            }),
            // Priority 0 is the last word of a master that stops.
            _ => sniffer.last_before(spoke.min(announced), |heard| heard.is_advert_of(MASTER)),
        };
        let last = self.pair.expect(last, "the master never advertised that")?.at;
        let asked = setting.asked(event);
        report.excess("over-the-timers", announced.since(last), asked)?;
        report.excess("advertised-over-the-timers", spoke.since(last), asked)?;
        report.span("after-the-last-advertisement", announced.since(last))?;
        report.span("timers-alone", asked)?;
        Ok(report.span("after-the-event", announced.since(self.begun))?)
    }

    fn report_outage(&self, setting: &Setting, event: Event, report: &mut Report) -> Result<(), Failure> {
        let Some(client) = &self.client else { return Ok(()) };
        let due = self.begun + setting.asked(event) + setting.interval.span + 2 * SETTLING;
        thread::sleep(due.since(now()));
        let fresh = Duration::from_millis(100);
        let served = wait_until(PATIENCE, || client.answered_since(now() - fresh) > 50);
        self.pair.expect(served.then_some(()), "the address does not answer any more")?;
        // The kernel of a host whose daemon was killed holds on to the address.
        let killed = matches!(event, Event::Crash | Event::Power);
        let one = killed || self.pair.master.holds(VIP) != self.pair.backup.holds(VIP);
        self.pair.expect(one.then_some(()), "not exactly one host holds the address")?;
        Ok(report.span("without-an-answer", client.longest_outage(self.begun - fresh, now()).length)?)
    }
}

fn advertises(heard: &Heard, source: Ipv4Addr, wanted: impl Fn(u8) -> bool) -> bool {
    heard.is_advert_of(source) && heard.advert().is_some_and(|advert| wanted(advert.priority.get()))
}

fn kill(pid: u32) -> std::io::Result<()> {
    let pid = pid.try_into().ok().and_then(rustix::process::Pid::from_raw);
    Ok(rustix::process::kill_process(pid.ok_or(std::io::ErrorKind::NotFound)?, Signal::KILL)?)
}
