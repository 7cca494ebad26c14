//! Random lives of a router: whatever happens in whatever order, these things hold.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::vrrp::{
    Auth, Command, Config, Garp, Instance, Password, Preempt, ProcessMatch, RunAs, Script, SyncGroup,
    TrackedFile, TrackedInterface, TrackedProcess, TrackedScript, Tracking, Transport, Version,
    VirtualAddress,
};
use model::{Centis, Family, IfIndex, IfName, Influence, Instant, Prefix, Priority, Sources, Vrid, Weight};
use proptest::prelude::*;
use proptest::sample::select;
use steadfast_vrrp::{
    Action, Actions, Announce, Arrival, Event, Link, Notice, Outgoing, Port, Reason, Router, ScriptOutcome,
    StateName, diff,
};
use wire::vrrp::{Addresses, Advert, Malformed};

const GROUP: IpAddr = IpAddr::V4(Transport::GROUP_V4);

/// One thing that happens.
#[derive(Clone, Debug)]
enum Happening {
    Passes(Duration),
    /// Time jumps to the next deadline.
    Due,
    Advert(Packet),
    Link(IfName, Option<Link>),
    Script(ScriptOutcome, Run),
    Socket(u32, bool),
    Reload(usize),
    File(i32),
    Processes(u32),
}

#[derive(Clone, Copy, Debug)]
enum Run {
    Current,
    Stale,
}

#[derive(Clone, Debug)]
struct Packet {
    link: u32,
    source: IpAddr,
    destination: IpAddr,
    ttl: u8,
    version: Version,
    vrid: u8,
    priority: u8,
    interval: u16,
    auth: wire::vrrp::Auth<'static>,
    address: [u8; 4],
    malformed: Option<Malformed>,
}

fn name(eth: u8) -> IfName {
    format!("eth{eth}").parse().expect("it is a name")
}

fn own(eth: u8) -> IpAddr {
    [10, eth, 0, 5].into()
}

fn span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0u64..20_000).prop_map(Duration::from_micros),
        (0u64..5_000).prop_map(Duration::from_millis),
        (0u64..100_000).prop_map(Duration::from_secs),
    ]
}

fn link() -> impl Strategy<Value = Option<Link>> {
    let index = select(vec![1u32, 2, 7, 8]).prop_map(|index| IfIndex::try_from(index).expect("not 0"));
    let address = proptest::option::weighted(0.9, (1u8..3).prop_map(own));
    proptest::option::weighted(0.8, (index, proptest::bool::weighted(0.8), address)).prop_map(|link| {
        link.map(|(index, up, address)| Link {
            index,
            up,
            sources: address.map_or(Sources::NONE, Sources::from),
        })
    })
}

fn packet() -> impl Strategy<Value = Packet> {
    let hosts =
        select(vec![own(1), own(2), [10, 1, 0, 4].into(), [10, 1, 0, 6].into(), [10, 2, 0, 9].into()]);
    let auth = select(vec![
        wire::vrrp::Auth::None,
        wire::vrrp::Auth::Pass(*b"1111\0\0\0\0"),
        wire::vrrp::Auth::Other(2),
    ]);
    let malformed = proptest::option::weighted(0.1, select(vec![Malformed::Checksum, Malformed::Truncated]));
    let ip = (select(vec![1u32, 2, 7]), hosts, select(vec![GROUP, GROUP, GROUP, own(1)]));
    let ttl = select(vec![255u8, 255, 255, 1]);
    let advert = (any::<bool>(), 1u8..6, any::<u8>(), select(vec![1u16, 100, 200, 4095]), auth);
    (ip, ttl, advert, 0u8..3, malformed).prop_map(|(ip, ttl, advert, last, malformed)| {
        let (link, source, destination) = ip;
        let (v2, vrid, priority, interval, auth) = advert;
        let version = if v2 { Version::V2 } else { Version::V3 };
        let address = [10, 1, 1, last];
        Packet { link, source, destination, ttl, version, vrid, priority, interval, auth, address, malformed }
    })
}

fn happening() -> impl Strategy<Value = Happening> {
    let outcome = select(vec![
        ScriptOutcome::Exited(0),
        ScriptOutcome::Exited(1),
        ScriptOutcome::Killed(9),
        ScriptOutcome::TimedOut,
        ScriptOutcome::NotRun,
    ]);
    let run = select(vec![Run::Current, Run::Current, Run::Current, Run::Stale]);
    prop_oneof![
        2 => span().prop_map(Happening::Passes),
        4 => Just(Happening::Due),
        4 => packet().prop_map(Happening::Advert),
        2 => ((1u8..3).prop_map(name), link()).prop_map(|(name, link)| Happening::Link(name, link)),
        1 => (outcome, run).prop_map(|(outcome, run)| Happening::Script(outcome, run)),
        1 => (select(vec![1u32, 2, 7]), any::<bool>()).prop_map(|(link, open)| Happening::Socket(link, open)),
        1 => (0usize..4).prop_map(Happening::Reload),
        1 => select(vec![0, 0, 3, -3, 254, -254, i32::MIN, i32::MAX]).prop_map(Happening::File),
        1 => (0u32..4).prop_map(Happening::Processes),
    ]
}

fn influence() -> impl Strategy<Value = Influence> {
    (select(vec![0i16, 0, 2, -10, 253, -253]), any::<bool>()).prop_map(|(weight, reverse)| Influence {
        weight: Weight::try_from(weight).expect("in range"),
        reverse,
    })
}

fn instance(number: u8) -> impl Strategy<Value = Instance> {
    let preempt = select(vec![Preempt::Always, Preempt::Never, Preempt::After(Duration::from_secs(7))]);
    let election = (select(vec![1u8, 90, 100, 100, 254, 255]), preempt, any::<bool>(), any::<bool>());
    let rarely = || proptest::option::weighted(0.3, influence());
    let others = (rarely(), rarely());
    let tracked =
        (proptest::option::of(influence()), proptest::option::of(influence()), others, any::<bool>());
    let wire = (select(vec![1u16, 100, 100, 300]), any::<bool>(), any::<bool>(), 1u8..4);
    let garp = (select(vec![0u64, 200]), proptest::option::of(Just(Duration::from_secs(7))));
    (election, tracked, wire, garp, 1u8..3).prop_map(move |(election, tracked, wire, garp, eth)| {
        let (priority, preempt, strict, lower_prio_no_advert) = election;
        let (script, interface, (file, process), track_primary) = tracked;
        let named = |name: &str, influence| Tracking { name: name.to_owned(), influence };
        let (interval, v2, pass, addresses) = wire;
        let of_script = |influence| TrackedScript { script: "chk".to_owned(), influence };
        let of_link = |influence| TrackedInterface { interface: name(2), influence };
        let held = |last| VirtualAddress::new(Prefix::host([10, 1, number, last].into()), name(eth));
        Instance {
            priority: Priority(priority),
            preempt,
            strict,
            lower_prio_no_advert,
            track_primary,
            track_scripts: script.map(of_script).into_iter().collect(),
            track_interfaces: interface.map(of_link).into_iter().collect(),
            track_files: file.map(|influence| named("load", influence)).into_iter().collect(),
            track_processes: process.map(|influence| named("web", influence)).into_iter().collect(),
            version: if v2 { Version::V2 } else { Version::V3 },
            advert_interval: Centis::new(if v2 { interval.max(100) } else { interval }),
            auth: if pass { Auth::Pass(Password(*b"1111\0\0\0\0")) } else { Auth::None },
            addresses: (0..addresses).map(held).collect(),
            garp: Garp { interval: Duration::from_millis(garp.0), refresh: garp.1, ..Garp::default() },
            ..Instance::new(&format!("VI_{number}"), name(eth), Vrid::try_from(number).expect("from 1 on"))
        }
    })
}

/// A group of some of the instances; names of some that may not be there, or that are in another group, among them.
fn group(number: u8) -> impl Strategy<Value = SyncGroup> {
    let members = proptest::sample::subsequence(vec![1u8, 2, 3, 4], 1..=4).prop_shuffle();
    let tracked =
        (proptest::option::weighted(0.2, influence()), proptest::option::weighted(0.2, influence()));
    (members, tracked).prop_map(move |(members, (script, interface))| SyncGroup {
        track_interfaces: interface
            .map(|influence| TrackedInterface { interface: name(2), influence })
            .into_iter()
            .collect(),
        track_scripts: script
            .map(|influence| TrackedScript { script: "chk".to_owned(), influence })
            .into_iter()
            .collect(),
        ..SyncGroup::new(
            &format!("G_{number}"),
            members.iter().map(|member| format!("VI_{member}")).collect(),
        )
    })
}

fn config() -> impl Strategy<Value = Config> {
    let instances = (1u8..5).map(|number| proptest::option::weighted(0.7, instance(number)));
    let groups = (1u8..3).map(|number| proptest::option::weighted(0.5, group(number)));
    let parts = (instances.collect::<Vec<_>>(), groups.collect::<Vec<_>>(), any::<bool>());
    parts.prop_map(|(instances, groups, init_fail)| {
        let instances: Vec<_> = instances.into_iter().flatten().collect();
        let groups: Vec<_> = groups.into_iter().flatten().collect();
        let command = Command { program: "chk".into(), arguments: Vec::new(), run_as: RunAs::Default };
        let script = Script { init_fail, ..Script::new("chk", command) };
        let tracks = instances.iter().any(|one| !one.track_scripts.is_empty())
            || groups.iter().any(|one| !one.track_scripts.is_empty());
        let scripts = tracks.then_some(script).into_iter().collect();
        let influence = Influence::default();
        let file = TrackedFile { name: "load".into(), path: "/run/load".into(), influence, initial: None };
        let process = TrackedProcess {
            name: "web".into(),
            program: "web".into(),
            matching: ProcessMatch::Name,
            influence,
            least: 1,
            most: Some(2),
            terminate_delay: Duration::from_secs(if init_fail { 5 } else { 0 }),
            fork_delay: Duration::from_millis(300),
        };
        Config {
            scripts,
            instances,
            groups,
            files: vec![file],
            processes: vec![process],
            ..Config::default()
        }
    })
}

/// A router, and what its actions have led to.
struct Life {
    router: Router,
    now: Instant,
    links: BTreeMap<IfName, Link>,
    config: Config,
    held: BTreeMap<Arc<str>, Arc<[VirtualAddress]>>,
    run: u64,
    log: Vec<Action>,
}

impl Life {
    fn new() -> Self {
        Self {
            router: Router::new(),
            now: Instant::from_nanos(1_000_000_000_000),
            links: BTreeMap::new(),
            config: Config::default(),
            held: BTreeMap::new(),
            run: 0,
            log: Vec::new(),
        }
    }

    fn happen(&mut self, what: &Happening, configs: &[Config]) {
        match what {
            Happening::Passes(span) => self.now = self.now + *span,
            Happening::Due => self.now = self.router.deadline().map_or(self.now, |at| at.max(self.now)),
            Happening::Advert(packet) => self.receive(packet),
            Happening::Link(name, link) => {
                let before = self.links.clone();
                match link {
                    Some(link) => self.links.insert(name.clone(), *link),
                    None => self.links.remove(name),
                };
                let link = *link;
                self.call(&before, |router, now, out| router.handle(now, Event::Link { name, link }, out));
            }
            Happening::Script(outcome, run) => {
                let run = match run {
                    Run::Current => self.run,
                    Run::Stale => self.run.saturating_sub(1),
                };
                let event = Event::Script { name: "chk", run, outcome: *outcome };
                self.call(&self.links.clone(), |router, now, out| router.handle(now, event, out));
            }
            Happening::Socket(link, open) => {
                let link = IfIndex::try_from(*link).expect("not 0");
                let port = Port { link: Some(link), family: Family::V4 };
                let event = Event::Socket { port, open: *open };
                self.call(&self.links.clone(), |router, now, out| router.handle(now, event, out));
            }
            Happening::File(value) => {
                let event = Event::File { name: "load", value: *value };
                self.call(&self.links.clone(), |router, now, out| router.handle(now, event, out));
            }
            Happening::Processes(count) => {
                let event = Event::Processes { name: "web", count: *count };
                self.call(&self.links.clone(), |router, now, out| router.handle(now, event, out));
            }
            Happening::Reload(which) => {
                let to = configs[which % configs.len()].clone();
                self.call(&self.links.clone(), |router, now, out| router.reconfigure(now, &to, &[], out));
                self.config = to;
            }
        }
        self.fire();
        self.check();
    }

    fn fire(&mut self) {
        self.call(&self.links.clone(), |router, now, out| router.handle(now, Event::Deadline, out));
        let deadline = self.router.deadline();
        assert!(deadline.is_none_or(|at| at > self.now), "a deadline that was due is still there");
    }

    fn receive(&mut self, packet: &Packet) {
        let advert = Advert {
            version: packet.version,
            vrid: Vrid::try_from(packet.vrid).expect("from 1 on"),
            priority: Priority(packet.priority),
            interval: Centis::new(packet.interval),
            auth: packet.auth,
            addresses: Addresses::v4(&packet.address).expect("it is whole"),
        };
        let link = IfIndex::try_from(packet.link).ok();
        let advert = packet.malformed.map_or(Ok(advert), Err);
        let Packet { source, destination, ttl, .. } = *packet;
        let event = Event::Advert(Arrival { link, source, destination, ttl, advert, message: &[] });
        self.call(&self.links.clone(), |router, now, out| router.handle(now, event, out));
    }

    fn call(
        &mut self,
        links: &BTreeMap<IfName, Link>,
        call: impl FnOnce(&mut Router, Instant, &mut Actions),
    ) {
        let mut out = Actions::default();
        call(&mut self.router, self.now, &mut out);
        let actions: Vec<_> = out.drain().collect();
        for (place, action) in actions.iter().enumerate() {
            match action {
                Action::Hold(holding) if holding.addresses.is_empty() => {
                    let was = self.held.remove(&holding.name);
                    assert!(was.is_some(), "what is not held is not released");
                    self.check_release(&holding.name, &actions, place, links);
                }
                Action::Hold(holding) => {
                    self.held.insert(Arc::clone(&holding.name), Arc::clone(&holding.addresses));
                }
                Action::Announce(announce) => self.check_announce(announce),
                Action::Transmit(outgoing) => check_outgoing(outgoing),
                Action::RunScript { run, .. } => {
                    assert!(*run > self.run, "runs are numbered upwards");
                    self.run = *run;
                }
                Action::Withdraw { instance } => assert!(!self.held.contains_key(instance), "held for ever"),
                Action::Probe { address, .. } => {
                    assert!(
                        self.held
                            .values()
                            .flat_map(|held| held.iter())
                            .any(|held| held.prefix.address() == *address),
                        "asks for its own only"
                    );
                }
                Action::Notify(_)
                | Action::NotifyGroup(_)
                | Action::Notice(_)
                | Action::Publish { .. }
                | Action::Changed(_) => {}
            }
        }
        self.log.extend(actions);
        self.check_groups();
    }

    /// Nobody ever sees a group that is half in one state and half in another.
    fn check_groups(&self) {
        let states: BTreeMap<_, _> =
            self.router.status().map(|status| (status.name, (status.state, status.group))).collect();
        let mut grouped = 0;
        for group in self.router.groups() {
            assert!(!group.members.is_empty());
            for member in &group.members {
                let expected = (group.state, Some(group.name.clone()));
                assert_eq!(states[member], expected, "{member} of {}: {:?}", group.name, self.log);
            }
            grouped += group.members.len();
        }
        assert_eq!(states.values().filter(|(_, group)| group.is_some()).count(), grouped);
    }

    /// Who leaves the master state without a successor says so, if its link was up and is.
    fn check_release(
        &self,
        instance: &Arc<str>,
        actions: &[Action],
        place: usize,
        links_before: &BTreeMap<IfName, Link>,
    ) {
        let yields = actions[place..].iter().find_map(|action| match action {
            Action::Notice(Notice::Entering { instance: whose, reason, .. }) if whose == instance => {
                Some(match reason {
                    Reason::Group { member, .. } => actions.iter().any(|action| {
                        matches!(action, Action::Notice(Notice::Entering { instance, reason: Reason::Better { .. }, .. })
                            if instance == member)
                    }),
                    reason => matches!(reason, Reason::Better { .. }),
                })
            }
            _ => None,
        });
        let config = self.config.instances.iter().find(|one| *one.name == **instance).expect("it is known");
        let usable = |links: &BTreeMap<IfName, Link>| {
            let own = config.interface.as_ref().and_then(|name| links.get(name));
            own.filter(|link| link.up && link.sources.v4.is_some()).map(|link| link.index)
        };
        let usable = usable(links_before).is_some() && usable(links_before) == usable(&self.links);
        if yields == Some(true) || !usable {
            return;
        }
        let released = actions[..place].iter().any(|action| {
            matches!(action, Action::Transmit(sent) if sent.priority == Priority::RELEASE && sent.vrid == config.vrid)
        });
        assert!(released, "{instance} left in silence: {actions:?}");
    }

    fn check_announce(&self, announce: &Announce) {
        let is_held = self.held.values().any(|addresses| {
            let is_it = |one: &VirtualAddress| {
                one.prefix.address() == announce.address && one.device == announce.device
            };
            addresses.iter().any(is_it)
        });
        assert!(is_held, "{} is announced but not held", announce.address);
        assert!(announce.count > 0);
    }

    fn check(&self) {
        let mut instances = 0;
        for status in self.router.status() {
            instances += 1;
            let config = self.config.instances.iter().find(|one| one.name == status.name);
            let config = config.expect("there is no instance without a configuration");
            let held = self.held.get(status.name.as_str()).map(|held| &**held);
            let expected = (status.state == StateName::Master).then_some(config.addresses.as_slice());
            assert_eq!(held, expected, "addresses are held exactly as master");
            let priority = status.priority.get();
            assert_eq!(priority == 255, config.priority == Priority::OWNER);
            assert!(priority > 0);
            let present = config.interface.as_ref().is_some_and(|name| self.links.contains_key(name));
            assert!(present || status.state == StateName::Fault, "without an interface");
        }
        assert_eq!(instances, self.config.instances.len());
        assert!(self.held.len() <= instances, "addresses of nobody are held");
    }

    /// A reload to what is in force does nothing at all.
    fn check_idle_reload(&mut self) {
        let before = self.log.len();
        let config = self.config.clone();
        assert_eq!(diff(&config, &config), []);
        self.call(&self.links.clone(), |router, now, out| router.reconfigure(now, &config, &[], out));
        assert_eq!(&self.log[before..], []);
    }

    fn end(&mut self) {
        self.call(&self.links.clone(), Router::stop);
        assert!(self.held.is_empty(), "a stopped router holds nothing");
        assert_eq!((self.router.deadline(), self.router.status().count()), (None, 0));
        assert!(self.router.endpoints().is_empty());
    }
}

fn check_outgoing(outgoing: &Outgoing) {
    let mut bytes = Vec::new();
    let advert = outgoing.advert();
    wire::vrrp::emit(&advert, outgoing.source, GROUP, &mut bytes);
    let parsed = wire::vrrp::parse(&bytes, outgoing.source, GROUP).expect("what is sent can be read");
    assert_eq!((parsed.priority, parsed.interval), (outgoing.priority, outgoing.interval));
}

fn live(configs: &[Config], happenings: &[Happening]) -> Vec<Action> {
    let mut life = Life::new();
    for eth in [1, 2] {
        let index = IfIndex::try_from(u32::from(eth)).expect("not 0");
        let link = Link { index, up: true, sources: own(eth).into() };
        life.happen(&Happening::Link(name(eth), Some(link)), configs);
    }
    life.happen(&Happening::Reload(0), configs);
    for happening in happenings {
        life.happen(happening, configs);
        life.check_idle_reload();
    }
    life.end();
    life.log
}

proptest! {
    #[test]
    fn whatever_happens_the_promises_hold(
        configs in proptest::collection::vec(config(), 1..4),
        happenings in proptest::collection::vec(happening(), 0..120),
    ) {
        let log = live(&configs, &happenings);
        prop_assert_eq!(log, live(&configs, &happenings), "the same input, the same output");
    }

    #[test]
    fn a_configuration_does_not_differ_from_itself(config in config()) {
        prop_assert!(diff(&config, &config).is_empty());
    }

    #[test]
    fn a_difference_names_each_instance_once(from in config(), to in config()) {
        let changes = diff(&from, &to);
        let is_in = |config: &Config, name: &str| config.instances.iter().any(|one| one.name == name);
        for instance in from.instances.iter().chain(&to.instances) {
            let text = format!("({})", instance.name);
            let named = changes.iter().filter(|change| change.to_string().starts_with(&text)).count();
            let same = from.instances.iter().find(|one| one.name == instance.name)
                == to.instances.iter().find(|one| one.name == instance.name);
            prop_assert!(is_in(&from, &instance.name) || is_in(&to, &instance.name));
            prop_assert_eq!(named, usize::from(!same), "{}", instance.name);
        }
    }
}
