//! How fast the simulation is: simulated seconds of a router in a second, and how long a partition of a thousand virtual
//! routers takes.
//!
//! ```text
//! throughput [all | speed | thousand]
//! ```
//!
//! Figures go to standard output, a line each: `CASE QUANTITY VALUE UNIT`, which `cargo xtask bench` collects.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::vrrp::{Config, Instance, Version, VirtualAddress};
use model::{Centis, IfName, Prefix, Priority, Vrid};
use steadfast_sim::{Act, Cluster, HostId, HostPlan, Interface, LanId, Quality};
use vrrp::StateName;

/// How long a speed is measured at the least, in seconds of the real world.
const MEASURED: Duration = Duration::from_secs(1);
/// And in what portions of simulated time.
const PORTION: Duration = Duration::from_secs(600);

/// Of a hundred packets so many are lost.
const LOSS: u8 = 10;

/// Virtual routers of the large cluster, and how many of them are on a LAN: there are 255 numbers.
const MANY: usize = 1000;
const PER_LAN: usize = 250;
/// Longer than an election takes at an interval of a second.
const SETTLING: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let what = std::env::args().nth(1);
    let done = match what.as_deref() {
        None | Some("all") => speeds().and_then(|()| thousand()),
        Some("speed") => speeds(),
        Some("thousand") => thousand(),
        Some(_) => {
            drop(writeln!(io::stderr(), "usage: throughput [all | speed | thousand]"));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

fn speeds() -> io::Result<()> {
    for (count, name) in [(2, "pair"), (3, "three")] {
        for (loss, air) in [(0, "quiet"), (LOSS, "lossy")] {
            for (watched, quantity) in [(true, "watched"), (false, "unwatched")] {
                let speed = speed(count, Quality { loss, ..Quality::GOOD }, watched)?;
                note(&format!("{name}-{air}"), quantity, speed, "router-s/s")?;
            }
        }
    }
    Ok(())
}

/// Simulated seconds of a router in a second.
fn speed(count: usize, quality: Quality, watched: bool) -> io::Result<f64> {
    let mut world = World::new(count, 1, quality);
    if !watched {
        world.cluster.unwatch();
    }
    world.start();
    let (begun, from) = (Instant::now(), world.cluster.now());
    while begun.elapsed() < MEASURED {
        world.cluster.run_for(PORTION);
        world.cluster.forget_story();
        world.check_rules()?;
    }
    let taken = begun.elapsed().as_secs_f64();
    let simulated = world.cluster.now().since(from);
    world.check_work(simulated)?;
    Ok((simulated * u32::try_from(count).unwrap_or(u32::MAX)).as_secs_f64() / taken)
}

/// A thousand virtual routers on three hosts: one host is cut off, and comes back.
fn thousand() -> io::Result<()> {
    for (watched, case) in [(false, "thousand-unwatched"), (true, "thousand-watched")] {
        let mut world = World::new(3, MANY, Quality::GOOD);
        if !watched {
            world.cluster.unwatch();
        }
        world.timed(case, "start", World::start)?;
        world.check_masters(&[0, 1, 2])?;
        world.timed(case, "partition", |world| world.part_from_others(0))?;
        world.check_masters(&[0])?;
        world.check_masters(&[1, 2])?;
        world.timed(case, "heal", World::heal)?;
        world.check_masters(&[0, 1, 2])?;
        note(case, "peak", peak()?, "MiB")?;
    }
    Ok(())
}

/// Hosts `a`, `b`, … with so many virtual routers.
struct World {
    cluster: Cluster,
    lans: Vec<LanId>,
    hosts: Vec<HostId>,
    routers: usize,
}

impl World {
    fn new(hosts: usize, routers: usize, quality: Quality) -> Self {
        let mut cluster = Cluster::new(1);
        let lans: Vec<_> = (0..routers.div_ceil(PER_LAN))
            .map(|number| cluster.add_lan(&format!("lan{number}"), quality))
            .collect();
        let add = |host: usize| {
            let interfaces = lans.iter().enumerate().map(|(number, lan)| interface(number, *lan, host));
            let config = Arc::new(config(host, hosts, routers));
            let name = format!("host{host}");
            cluster.add_host(HostPlan { name, config, interfaces: interfaces.collect() })
        };
        let hosts = (0..hosts).map(add).collect();
        Self { cluster, lans, hosts, routers }
    }

    fn start(&mut self) {
        for host in &self.hosts {
            self.cluster.apply(&Act::Start(*host));
        }
        self.cluster.run_for(SETTLING);
    }

    fn part_from_others(&mut self, apart: usize) {
        let apart = self.hosts[apart];
        for lan in &self.lans {
            for other in self.hosts.iter().filter(|host| **host != apart) {
                self.cluster.apply(&Act::Cut(*lan, apart, *other));
                self.cluster.apply(&Act::Cut(*lan, *other, apart));
            }
        }
        self.cluster.run_for(SETTLING);
    }

    fn heal(&mut self) {
        for lan in &self.lans {
            self.cluster.apply(&Act::Heal(*lan));
        }
        self.cluster.run_for(SETTLING);
    }

    /// Says how long it takes, and for how much simulated time.
    fn timed(&mut self, case: &str, quantity: &str, what: impl FnOnce(&mut Self)) -> io::Result<()> {
        let begun = Instant::now();
        what(self);
        note(case, quantity, begun.elapsed().as_secs_f64() * 1000.0, "ms")?;
        self.cluster.forget_story();
        self.check_rules()
    }

    /// Of these hosts the best, and no other, is master of each virtual router.
    fn check_masters(&self, among: &[usize]) -> io::Result<()> {
        let mut masters: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for host in among {
            let mastered =
                self.cluster.status(self.hosts[*host]).filter(|one| one.state == StateName::Master);
            mastered.for_each(|status| masters.entry(status.name).or_default().push(*host));
        }
        for number in 0..self.routers {
            let best = among.iter().copied().max_by_key(|host| priority(number, *host, self.hosts.len()));
            let found = masters.get(&name(number)).map(Vec::as_slice).unwrap_or_default();
            if Some(found) != best.as_ref().map(std::slice::from_ref) {
                let name = name(number);
                return Err(io::Error::other(format!("masters of {name} are {found:?}, not {best:?}")));
            }
        }
        Ok(())
    }

    /// Somebody has advertised each second, and the others have heard most of it: all this time was really simulated.
    fn check_work(&self, simulated: Duration) -> io::Result<()> {
        let counters =
            || self.hosts.iter().flat_map(|host| self.cluster.status(*host)).map(|one| one.counters);
        let sent: u64 = counters().map(|one| one.sent).sum();
        let received: u64 = counters().map(|one| one.received).sum();
        let others = u64::try_from(self.hosts.len() - 1).unwrap_or(u64::MAX);
        if sent >= simulated.as_secs() && received >= simulated.as_secs() * others * 8 / 10 {
            return Ok(());
        }
        Err(io::Error::other(format!("{sent} sent and {received} received in {simulated:?}")))
    }

    fn check_rules(&self) -> io::Result<()> {
        match self.cluster.violations().first() {
            None => Ok(()),
            Some(violation) => Err(io::Error::other(violation.to_string())),
        }
    }
}

fn interface(number: usize, lan: LanId, host: usize) -> Interface {
    let address = Prefix::new([10, byte(number), 255, byte(host) + 1].into(), 16);
    Interface { name: device(number), lan, addresses: address.into_iter().collect() }
}

fn config(host: usize, hosts: usize, routers: usize) -> Config {
    let instances = (0..routers).map(|number| {
        let (lan, place) = (number / PER_LAN, number % PER_LAN);
        let vrid = Vrid::try_from(byte(place) + 1).expect("it is at least 1");
        let address = Prefix::host([10, byte(lan), 0, byte(place) + 1].into());
        Instance {
            version: Version::V3,
            advert_interval: Centis::SECOND,
            priority: priority(number, host, hosts),
            addresses: vec![VirtualAddress::new(address, device(lan))],
            ..Instance::new(&name(number), device(lan), vrid)
        }
    });
    Config { instances: instances.collect(), ..Config::default() }
}

/// Every host is the best in its share of the virtual routers.
fn priority(number: usize, host: usize, hosts: usize) -> Priority {
    Priority(200 - 50 * byte((number + host) % hosts))
}

fn name(number: usize) -> String {
    format!("VI_{number}")
}

fn device(number: usize) -> IfName {
    format!("eth{number}").parse().expect("it is short")
}

fn byte(number: usize) -> u8 {
    u8::try_from(number).expect("it is small")
}

fn note(case: &str, quantity: &str, value: f64, unit: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{case} {quantity} {value:.1} {unit}")
}

/// The most memory that this process has had, in MiB.
fn peak() -> io::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| io::Error::other("the kernel does not tell of memory"))
}
