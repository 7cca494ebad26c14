//! What a seed stands for: hosts, their files, and what happens to them.

use std::fmt::Write as _;
use std::time::Duration;

use config::Severity;
use model::{IfName, Instant, Prefix};
use netlink::Errno;
use vrrp::ScriptOutcome;

use crate::common::read;
use crate::sim::{Act, Chance, Cluster, HostId, HostPlan, Interface, LanId, Quality};

/// A trial before it begins.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    seed: u64,
    pub(crate) texts: Vec<String>,
    old_kernels: Vec<bool>,
    lans: usize,
    pub(crate) acts: Vec<(Instant, Act)>,
    end: Instant,
}

/// A trial under way.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    pub(crate) cluster: Cluster,
    end: Instant,
}

/// A virtual router of the plan, as every host has it.
#[derive(Clone, Debug)]
struct Router {
    lan: usize,
    lines: String,
    unicast: bool,
    ipv6: bool,
}

impl Plan {
    /// The plan of a seed. Some of its routers speak IPv6, and some sign what they say.
    pub(crate) fn new(seed: u64) -> Self {
        // Drawn apart: whether a router speaks IPv6 changes nothing else of the plan.
        let mut families = Chance::new(!seed);
        let mut keys = Chance::new(seed.rotate_left(16) ^ 0x6ac);
        let signs = keys.percent(30);
        Self::of(seed, || families.percent(25), signs.then_some(keys))
    }

    /// The same with IPv4 only, and unsigned.
    pub(crate) fn of_ipv4(seed: u64) -> Self {
        Self::of(seed, || false, None)
    }

    fn of(seed: u64, mut is_ipv6: impl FnMut() -> bool, keys: Option<Chance>) -> Self {
        // Drawn apart, as families are.
        let mut trackers = Chance::new(seed.rotate_left(32) ^ 0x5eed);
        let mut chance = Chance::new(seed);
        let hosts = 2 + usize::from(chance.percent(50));
        let lans = 1 + usize::from(chance.percent(40));
        let routers: Vec<_> =
            (0..=chance.below(3)).map(|_| Router { ipv6: is_ipv6(), ..router(&mut chance, lans) }).collect();
        let grouped = routers.len() > 1 && chance.percent(40);
        let texts = (0..hosts).map(|host| file(&mut chance, host, hosts, lans, &routers, grouped));
        let texts: Vec<_> = texts.collect();
        let old_kernels = (0..hosts).map(|_| chance.percent(25)).collect();
        let texts: Vec<_> = texts.into_iter().map(|text| with_trackers(&mut trackers, text)).collect();
        let signs = keys.is_some();
        let texts = match keys {
            Some(mut keys) => with_keys(&mut keys, texts),
            None => texts,
        };
        let mut acts = acts(&mut chance, hosts, lans, &texts);
        if signs {
            rotate_keys(&texts, &mut acts);
        }
        track(&mut trackers, hosts, &mut acts);
        let last = acts.last().map_or(Instant::ZERO, |(at, _)| *at);
        Self { seed, texts, old_kernels, lans, acts, end: last + AFTERWARDS }
    }

    /// The cluster, with everything scheduled.
    pub(crate) fn begin(&self) -> Trial {
        let mut cluster = Cluster::new(self.seed);
        let lans: Vec<_> =
            (0..self.lans).map(|lan| cluster.add_lan(&format!("lan{lan}"), Quality::GOOD)).collect();
        for (number, text) in self.texts.iter().enumerate() {
            let interfaces = lans.iter().enumerate().map(|(at, lan)| Interface {
                name: port(at),
                lan: *lan,
                addresses: vec![Prefix::new(address(at, number).parse().unwrap(), 24).unwrap()],
            });
            let plan = HostPlan {
                name: host_name(number),
                config: read(text, Severity::Warning),
                interfaces: interfaces.collect(),
            };
            let host = cluster.add_host(plan);
            cluster.set_old_kernel(host, self.old_kernels[number]);
            cluster.schedule(Instant::ZERO, Act::Start(host));
        }
        for (at, act) in &self.acts {
            cluster.schedule(*at, act.clone());
        }
        Trial { cluster, end: self.end }
    }
}

impl Trial {
    /// Runs to the end, or to the first rule that is broken; whether none was.
    pub(crate) fn run(&mut self) -> bool {
        self.cluster.run_while_well(self.end)
    }
}

fn router(chance: &mut Chance, lans: usize) -> Router {
    let lan = usize::try_from(chance.below(u64::try_from(lans).unwrap())).unwrap();
    let mut lines = String::new();
    if chance.percent(50) {
        let interval = chance.pick(&["0.1", "0.25", "1", "2"]).unwrap();
        writeln!(lines, " version 3\n advert_int {interval}").unwrap();
    } else {
        writeln!(lines, " version 2\n advert_int {}", chance.pick(&["1", "1", "2"]).unwrap()).unwrap();
        if chance.percent(20) {
            lines.push_str(" authentication {\n  auth_type PASS\n  auth_pass 1111\n }\n");
        }
    }
    if chance.percent(15) {
        lines.push_str(" garp_master_refresh 7\n");
    }
    if chance.percent(10) {
        lines.push_str(" lower_prio_no_advert\n");
    }
    if chance.percent(10) {
        lines.push_str(" higher_prio_send_advert\n");
    }
    if chance.percent(15) {
        lines.push_str(" down_timer_adverts 2\n");
    }
    Router { lan, lines, unicast: chance.percent(25), ipv6: false }
}

fn file(
    chance: &mut Chance,
    host: usize,
    hosts: usize,
    lans: usize,
    routers: &[Router],
    grouped: bool,
) -> String {
    let mut text = String::new();
    let scripts = chance.below(3);
    for script in 0..scripts {
        let weight =
            chance.pick(&["", " weight 3\n", " weight -20\n", " weight 60\n", " weight -2\n"]).unwrap();
        let (rise, fall, interval) = (1 + chance.below(2), 1 + chance.below(2), 1 + chance.below(2));
        writeln!(
            text,
            "vrrp_script chk{script} {{\n script /bin/true\n interval {interval}\n rise {rise}\n fall {fall}\n{weight}}}"
        )
        .unwrap();
    }
    // Members of a group that are better here and worse there would never agree on one master: `check` warns of that.
    let common = grouped.then(|| priority(chance));
    for (number, router) in routers.iter().enumerate() {
        let priority = common.unwrap_or_else(|| priority(chance));
        instance(chance, &mut text, (host, hosts, number), router, priority);
        if scripts > 0 && chance.percent(60) {
            writeln!(text, " track_script {{\n  chk{}\n }}", chance.below(scripts)).unwrap();
        }
        if lans > 1 && chance.percent(25) {
            let weight = chance.pick(&["", " weight 20", " weight -15"]).unwrap();
            writeln!(text, " track_interface {{\n  {}{weight}\n }}", port(1 - router.lan)).unwrap();
        }
        text.push_str("}\n");
    }
    if grouped {
        text.push_str("vrrp_sync_group G {\n group {\n");
        for number in 0..routers.len() {
            writeln!(text, "  VI_{number}").unwrap();
        }
        text.push_str(" }\n");
        if scripts > 0 && chance.percent(40) {
            writeln!(text, " track_script {{\n  chk{} weight 0\n }}", chance.below(scripts)).unwrap();
        }
        if chance.percent(25) {
            writeln!(text, " track_interface {{\n  {}\n }}", port(0)).unwrap();
        }
        text.push_str("}\n");
    }
    text
}

fn priority(chance: &mut Chance) -> u8 {
    *chance.pick(&[100, 100, 101, 99, 90, 150, 200, 1, 254, 50]).unwrap()
}

fn instance(
    chance: &mut Chance,
    text: &mut String,
    (host, hosts, number): (usize, usize, usize),
    router: &Router,
    priority: u8,
) {
    let lan = router.lan;
    writeln!(
        text,
        "vrrp_instance VI_{number} {{\n interface {}\n virtual_router_id {}",
        port(lan),
        10 + number
    )
    .unwrap();
    writeln!(text, " priority {priority}").unwrap();
    if router.ipv6 {
        text.push_str(&without_version_2(&router.lines));
    } else {
        text.push_str(&router.lines);
    }
    match chance.below(10) {
        0 | 1 => text.push_str(" nopreempt\n"),
        2 => text.push_str(" preempt_delay 3\n"),
        _ => {}
    }
    if router.unicast {
        let address = if router.ipv6 { address6 } else { address };
        writeln!(text, " unicast_src_ip {}\n unicast_peer {{", address(lan, host)).unwrap();
        for peer in (0..hosts).filter(|peer| *peer != host) {
            writeln!(text, "  {}", address(lan, peer)).unwrap();
        }
        text.push_str(" }\n");
    }
    text.push_str(" virtual_ipaddress {\n");
    if router.ipv6 {
        writeln!(text, "  fe80::{number}:100").unwrap();
    }
    for address in 0..=number {
        if router.ipv6 {
            writeln!(text, "  2001:db8:{lan}:{number}::{}/128", 100 + address).unwrap();
            continue;
        }
        writeln!(text, "  10.{lan}.{number}.{}/32", 100 + address).unwrap();
    }
    text.push_str(" }\n");
}

/// Some acts, and at their end what repairs all of them.
fn acts(chance: &mut Chance, hosts: usize, lans: usize, texts: &[String]) -> Vec<(Instant, Act)> {
    let mut at = Instant::ZERO + Duration::from_secs(chance.below(20));
    let mut acts = Vec::new();
    for _ in 0..=chance.below(10) {
        let longest = *chance.pick(&[50, 1000, 8000, 25_000]).unwrap();
        at = at + chance.span(Duration::from_millis(1), Duration::from_millis(longest));
        let host = usize::try_from(chance.below(u64::try_from(hosts).unwrap())).unwrap();
        let lan = usize::try_from(chance.below(u64::try_from(lans).unwrap())).unwrap();
        acts.push((at, act(chance, host, hosts, lan, texts)));
    }
    at = at + Duration::from_secs(1 + chance.below(20));
    for lan in (0..lans).map(LanId::nth) {
        acts.push((at, Act::Heal(lan)));
        acts.push((at, Act::Quality(lan, Quality::GOOD)));
    }
    for host in (0..hosts).map(HostId::nth) {
        acts.push((at, Act::SlowKernel(host, Duration::ZERO, Duration::ZERO)));
        for name in (0..lans).map(port) {
            acts.push((at, Act::Interface(host, name.clone(), true)));
            acts.push((at, Act::Cable(host, name, true)));
        }
        for script in 0..2 {
            acts.push((at, Act::Script(host, format!("chk{script}"), ScriptOutcome::Exited(0))));
        }
        acts.push((at, Act::Start(host)));
    }
    acts
}

/// Routers of version 3 sign and check each advertisement, on all hosts alike.
fn with_keys(chance: &mut Chance, texts: Vec<String>) -> Vec<String> {
    let replay = chance.pick(&["time\n  time_window 30", "monotonic"]).unwrap();
    let signed = format!(
        " version 3\n auth_hmac {{\n  key 1 0123456789abcdef0123456789abcdef\n\
         key 2 fedcba9876543210fedcba9876543210\n  active_key 1\n  anti_replay {replay}\n }}\n"
    );
    texts.into_iter().map(|text| text.replace(" version 3\n", &signed)).collect()
}

/// Instead of a step of the clock, after which nobody can tell what is new, a host changes to the other key.
fn rotate_keys(texts: &[String], acts: &mut [(Instant, Act)]) {
    for (_, act) in acts {
        let Act::StepClock(host, ..) = *act else { continue };
        let Some(text) =
            (0..).map(HostId::nth).zip(texts).find_map(|(id, text)| (id == host).then_some(text))
        else {
            continue;
        };
        let other = text.replace("  active_key 1\n", "  active_key 2\n");
        *act = Act::Reload(host, read(&other, Severity::Warning), "other-key.conf".into());
    }
}

/// What else it tracks: a file, processes, a session.
fn with_trackers(chance: &mut Chance, text: String) -> String {
    if !chance.percent(40) {
        return text;
    }
    let head = "track_file load {\n file /load\n weight 1\n}\n\
        vrrp_track_process web {\n process web\n quorum 2\n delay 1\n}\n\
        bfd_instance peer {\n neighbor_ip 198.51.100.1\n}\n";
    let weight = |chance: &mut Chance, weights: &[&str]| chance.pick(weights).map(|one| (*one).to_owned());
    let mut lines = String::new();
    let any = ["weight 0", "weight 20", "weight -20", "weight 30 reverse", "weight 0 reverse"];
    if let Some(weight) = weight(chance, &["weight 1", "weight -2", "weight 3 reverse", "weight 0"]) {
        writeln!(lines, " track_file {{\n  load {weight}\n }}").unwrap();
    }
    if let Some(weight) = weight(chance, &any).filter(|_| chance.percent(50)) {
        writeln!(lines, " track_process {{\n  web {weight}\n }}").unwrap();
    }
    if let Some(weight) = weight(chance, &any).filter(|_| chance.percent(50)) {
        writeln!(lines, " track_bfd {{\n  peer {weight}\n }}").unwrap();
    }
    let first = "vrrp_instance VI_0 {\n";
    format!("{head}{}", text.replacen(first, &format!("{first}{lines}"), 1))
}

/// What is tracked changes at times of its own, and is well in the end.
fn track(chance: &mut Chance, hosts: usize, acts: &mut Vec<(Instant, Act)>) {
    let end = acts.last().map_or(Instant::ZERO, |(at, _)| *at);
    for host in (0..hosts).map(HostId::nth) {
        for _ in 0..chance.below(5) {
            let at = Instant::ZERO + chance.span(Duration::ZERO, end.since(Instant::ZERO));
            let values = [0, 1, 5, -5, 60, 200, 254, 255, -254, i32::MAX, i32::MIN];
            let act = match chance.below(3) {
                0 => Act::File(host, "load".to_owned(), *chance.pick(&values).unwrap()),
                1 => Act::Processes(host, "web".to_owned(), *chance.pick(&[0, 1, 2, 3]).unwrap()),
                _ => Act::Session(host, "peer".to_owned(), chance.percent(50)),
            };
            acts.push((at, act));
        }
        acts.push((end, Act::File(host, "load".to_owned(), 0)));
        acts.push((end, Act::Processes(host, "web".to_owned(), 2)));
        acts.push((end, Act::Session(host, "peer".to_owned(), true)));
    }
    acts.sort_by_key(|(at, _)| *at);
}

fn act(chance: &mut Chance, number: usize, hosts: usize, lan: usize, texts: &[String]) -> Act {
    let (host, other) = (HostId::nth(number), HostId::nth((number + 1) % hosts));
    let millis = Duration::from_millis;
    match chance.below(28) {
        0 | 1 => Act::Crash(host),
        2..=4 => Act::Start(host),
        5 => Act::Stop(host),
        6 => Act::Restart(host),
        7 => Act::KillWorker(host),
        8 => Act::KillDaemon(host),
        9 => Act::ReloadSame(host),
        10 => reload(chance, host, &texts[number]),
        11 => Act::Stall(host, chance.span(millis(1), millis(9000))),
        12 => Act::StepClock(host, chance.percent(50), chance.span(millis(1), millis(3_600_000))),
        13 | 14 => Act::Cable(host, port(lan), chance.percent(50)),
        15 => Act::Interface(host, port(lan), chance.percent(50)),
        16 | 17 => Act::Script(host, format!("chk{}", chance.below(2)), outcome(chance)),
        18 | 19 => Act::Cut(LanId::nth(lan), host, other),
        20 | 21 => Act::Heal(LanId::nth(lan)),
        22 => {
            let quality = Quality {
                delay: chance.span(Duration::ZERO, millis(20)),
                jitter: chance.span(Duration::ZERO, millis(200)),
                loss: u8::try_from(chance.below(60)).unwrap(),
                duplication: u8::try_from(chance.below(30)).unwrap(),
            };
            Act::Quality(LanId::nth(lan), quality)
        }
        23 => Act::SlowKernel(host, chance.span(millis(0), millis(50)), chance.span(millis(0), millis(2))),
        24 => Act::Refuse(host, *chance.pick(&[Errno::EPERM, Errno::EBUSY]).unwrap(), 1),
        25 => Act::Deafen(host, chance.span(millis(1), millis(3000))),
        26 => Act::Add(host, port(lan), Prefix::host([10, u8::try_from(lan).unwrap(), 0, 100].into())),
        _ => Act::Delete(host, [10, u8::try_from(lan).unwrap(), 0, 100].into()),
    }
}

fn outcome(chance: &mut Chance) -> ScriptOutcome {
    *chance
        .pick(&[
            ScriptOutcome::Exited(0),
            ScriptOutcome::Exited(1),
            ScriptOutcome::Killed(9),
            ScriptOutcome::TimedOut,
        ])
        .unwrap()
}

/// Another file for the same host: other priorities, or an address more.
fn reload(chance: &mut Chance, host: HostId, text: &str) -> Act {
    let other = match chance.below(5) {
        0 => text.replace(" priority 100\n", " priority 120\n"),
        3 => text.replace("  10.0.1.101/32\n", ""),
        4 => text.replace("  10.0.0.100/32\n", "  10.0.0.101/32\n"),
        1 => text.replace("  10.0.0.100/32\n", "  10.0.0.100/32\n  10.0.0.200/32\n"),
        _ => text.replace(" priority 150\n", " priority 80\n"),
    };
    Act::Reload(host, read(&other, Severity::Warning), "other.conf".into())
}

fn port(lan: usize) -> IfName {
    format!("eth{lan}").parse().unwrap()
}

/// Version 3 alone speaks IPv6, and has no passwords.
fn without_version_2(lines: &str) -> String {
    let lines = lines.replace(" version 2\n", "");
    match lines.split_once(" authentication {") {
        Some((before, rest)) => before.to_owned() + rest.split_once(" }\n").map_or("", |(_, after)| after),
        None => lines,
    }
}

/// What the kernel of that host makes of the interface's MAC.
fn address6(lan: usize, host: usize) -> String {
    format!("fe80::ff:fe00:{:x}", host * 256 + lan)
}

fn address(lan: usize, host: usize) -> String {
    format!("192.0.{}.{}", 2 + lan, 1 + host)
}

pub(crate) fn host_name(number: usize) -> String {
    ["a", "b", "c"][number].to_owned()
}

/// After the last repair: every timer has run out, and every script has answered.
const AFTERWARDS: Duration = Duration::from_secs(60);
