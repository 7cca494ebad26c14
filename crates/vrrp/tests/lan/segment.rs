//! A LAN of hosts on a virtual clock: packets as bytes, a delay per direction, cuts, and a log of every action.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::vrrp::{Config, Instance};
use model::{IfIndex, IfName, Instant, Vrid};
use steadfast_vrrp::{
    Action, Actions, Arrival, Event, Link, Outgoing, Remembered, Router, ScriptOutcome, StateName, Status,
};

/// The place of a host on its [`Lan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostId(usize);

/// One action of one host.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: Instant,
    pub(crate) host: HostId,
    pub(crate) action: Action,
}

/// Hosts on one link.
#[derive(Debug)]
pub(crate) struct Lan {
    now: Instant,
    hosts: Vec<Host>,
    delay: Duration,
    delays: BTreeMap<(HostId, HostId), Duration>,
    cuts: BTreeSet<(HostId, HostId)>,
    /// Virtual routers whose packets are lost.
    lost: BTreeSet<Vrid>,
    pending: BTreeMap<(Instant, u64), Pending>,
    scheduled: u64,
    log: Vec<Entry>,
}

#[derive(Debug)]
struct Host {
    router: Option<Router>,
    config: Config,
    address: IpAddr,
    link: Option<Link>,
    scripts: BTreeMap<String, ScriptOutcome>,
    /// The instances whose addresses it has.
    holds: BTreeSet<Arc<str>>,
}

#[derive(Debug)]
enum Pending {
    Packet { to: HostId, source: IpAddr, destination: IpAddr, bytes: Vec<u8> },
    Script { host: HostId, name: Arc<str>, run: u64, outcome: ScriptOutcome },
}

impl Lan {
    /// An empty link on which every packet takes `delay`.
    pub(crate) fn new(delay: Duration) -> Self {
        Self {
            now: Instant::ZERO,
            hosts: Vec::new(),
            delay,
            delays: BTreeMap::new(),
            cuts: BTreeSet::new(),
            lost: BTreeSet::new(),
            pending: BTreeMap::new(),
            scheduled: 0,
            log: Vec::new(),
        }
    }

    /// A host whose own address is `address` and whose daemon does not run yet.
    pub(crate) fn add(&mut self, address: [u8; 4], config: Config) -> HostId {
        let address = IpAddr::from(address);
        let index = IfIndex::try_from(3).expect("3 is an index");
        let link = Some(Link { index, up: true, sources: address.into() });
        let (scripts, holds) = (BTreeMap::new(), BTreeSet::new());
        self.hosts.push(Host { router: None, config, address, link, scripts, holds });
        HostId(self.hosts.len() - 1)
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn start(&mut self, host: HostId) {
        self.start_with(host, &[]);
    }

    /// Starts the daemon, which is told what the one before it was.
    pub(crate) fn start_with(&mut self, host: HostId, remembered: &[Remembered]) {
        let mut router = Router::new();
        let mut actions = Actions::default();
        let Host { config, link, .. } = &self.hosts[host.0];
        router.handle(self.now, Event::Link { name: &eth(), link: *link }, &mut actions);
        router.reconfigure(self.now, config, remembered, &mut actions);
        self.hosts[host.0].router = Some(router);
        self.perform(host, actions);
    }

    pub(crate) fn stop(&mut self, host: HostId) {
        self.call(host, Router::stop);
        self.hosts[host.0].router = None;
    }

    /// Power off: no last word, no address.
    pub(crate) fn crash(&mut self, host: HostId) {
        self.kill(host);
        self.hosts[host.0].holds.clear();
    }

    /// The worker dies: no last word, and the kernel keeps the addresses.
    pub(crate) fn kill(&mut self, host: HostId) {
        self.hosts[host.0].router = None;
    }

    pub(crate) fn reload(&mut self, host: HostId, config: &Config) {
        self.hosts[host.0].config = config.clone();
        self.call(host, |router, now, out| router.reconfigure(now, config, &[], out));
    }

    pub(crate) fn set_link(&mut self, host: HostId, link: Option<Link>) {
        self.hosts[host.0].link = link;
        self.call(host, |router, now, out| router.handle(now, Event::Link { name: &eth(), link }, out));
    }

    pub(crate) fn link(&self, host: HostId) -> Link {
        self.hosts[host.0].link.expect("the host has a link")
    }

    /// From the next run on the script ends like this.
    pub(crate) fn set_script(&mut self, host: HostId, name: &str, outcome: ScriptOutcome) {
        self.hosts[host.0].scripts.insert(name.to_owned(), outcome);
    }

    /// Packets from one host to another take this long.
    pub(crate) fn set_delay(&mut self, from: HostId, to: HostId, delay: Duration) {
        self.delays.insert((from, to), delay);
    }

    /// Packets from one host no longer reach the other; those the other way do.
    pub(crate) fn cut(&mut self, from: HostId, to: HostId) {
        self.cuts.insert((from, to));
    }

    /// Packets of this virtual router reach nobody any more: the link that a member has for itself is cut.
    pub(crate) fn lose(&mut self, vrid: Vrid) {
        self.lost.insert(vrid);
    }

    pub(crate) fn heal(&mut self) {
        self.cuts.clear();
        self.lost.clear();
    }

    /// Lets all happen that is due until `end`, and at it.
    pub(crate) fn run_until(&mut self, end: Instant) {
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            // As in the daemon: what has arrived is read before deadlines fire.
            match self.pending.first_entry().filter(|first| first.key().0 <= at) {
                Some(first) => {
                    let pending = first.remove();
                    self.deliver(pending);
                }
                None => self.expire(),
            }
        }
        self.now = end;
    }

    pub(crate) fn run_for(&mut self, span: Duration) {
        self.run_until(self.now + span);
    }

    /// Lets time pass until `host` is in `state`; gives up after ten minutes.
    pub(crate) fn run_until_state(&mut self, host: HostId, state: StateName) -> Instant {
        let end = self.now + Duration::from_secs(600);
        while self.status(host).state != state {
            let next = self.next_at().filter(|at| *at <= end);
            let next = next.unwrap_or_else(|| panic!("{host:?} never became {state}"));
            self.run_until(next);
        }
        self.now
    }

    /// Who holds addresses.
    pub(crate) fn masters(&self) -> Vec<HostId> {
        (0..self.hosts.len()).filter(|host| !self.hosts[*host].holds.is_empty()).map(HostId).collect()
    }

    /// The instances whose addresses `host` holds.
    pub(crate) fn held(&self, host: HostId) -> Vec<&str> {
        self.hosts[host.0].holds.iter().map(|name| &**name).collect()
    }

    pub(crate) fn status(&self, host: HostId) -> Status {
        let router = self.hosts[host.0].router.as_ref().expect("the daemon runs");
        router.status().next().expect("it has an instance")
    }

    pub(crate) fn log(&self) -> &[Entry] {
        &self.log
    }

    pub(crate) fn forget_log(&mut self) {
        self.log.clear();
    }

    /// When `host` last sent an advertisement.
    pub(crate) fn last_sent(&self, host: HostId) -> Instant {
        let mut sent = self.log.iter().rev().filter(|entry| entry.host == host);
        let last = sent.find(|entry| matches!(entry.action, Action::Transmit(_)));
        last.expect("it has sent something").at
    }

    fn next_at(&self) -> Option<Instant> {
        let deadline = self.hosts.iter().filter_map(|host| host.router.as_ref()?.deadline()).min();
        let pending = self.pending.first_key_value().map(|((at, _), _)| *at);
        [deadline, pending].into_iter().flatten().min()
    }

    fn expire(&mut self) {
        for host in (0..self.hosts.len()).map(HostId) {
            self.call(host, |router, now, out| router.handle(now, Event::Deadline, out));
        }
    }

    fn deliver(&mut self, pending: Pending) {
        match pending {
            Pending::Packet { to, source, destination, bytes } => {
                let Some(link) = self.hosts[to.0].link.filter(|link| link.up) else { return };
                let way = (source, destination);
                let arrival =
                    Arrival::read(Some(link.index), way, wire::vrrp::TTL, &bytes).expect("it is one");
                self.call(to, |router, now, out| router.handle(now, Event::Advert(arrival), out));
            }
            Pending::Script { host, name, run, outcome } => {
                let event = Event::Script { name: &name, run, outcome };
                self.call(host, |router, now, out| router.handle(now, event, out));
            }
        }
    }

    fn call(&mut self, host: HostId, call: impl FnOnce(&mut Router, Instant, &mut Actions)) {
        let mut actions = Actions::default();
        let Some(router) = &mut self.hosts[host.0].router else { return };
        call(router, self.now, &mut actions);
        assert_in_step(router);
        self.perform(host, actions);
    }

    fn perform(&mut self, host: HostId, mut actions: Actions) {
        for action in actions.drain() {
            match &action {
                Action::Transmit(outgoing) => self.send(host, outgoing),
                Action::Hold(holding) if holding.addresses.is_empty() => {
                    self.hosts[host.0].holds.remove(&holding.name);
                }
                Action::Hold(holding) => {
                    self.hosts[host.0].holds.insert(Arc::clone(&holding.name));
                }
                Action::RunScript { script, run } => self.run_script(host, script, *run),
                Action::Announce(_)
                | Action::Probe { .. }
                | Action::Notify(_)
                | Action::NotifyGroup(_)
                | Action::Notice(_)
                | Action::Publish { .. }
                | Action::Withdraw { .. }
                | Action::Changed(_) => {}
            }
            self.log.push(Entry { at: self.now, host, action });
        }
    }

    fn send(&mut self, from: HostId, outgoing: &Outgoing) {
        if self.lost.contains(&outgoing.vrid) {
            return;
        }
        for destination in outgoing.destinations() {
            let mut bytes = Vec::new();
            outgoing.emit(destination, &mut bytes);
            for to in (0..self.hosts.len()).map(HostId) {
                let is_for = destination.is_multicast() || self.hosts[to.0].address == destination;
                if to == from || !is_for || self.cuts.contains(&(from, to)) {
                    continue;
                }
                let delay = self.delays.get(&(from, to)).copied().unwrap_or(self.delay);
                let (source, bytes) = (outgoing.source, bytes.clone());
                self.schedule(delay, Pending::Packet { to, source, destination, bytes });
            }
        }
    }

    fn run_script(&mut self, host: HostId, name: &Arc<str>, run: u64) {
        let outcome = self.hosts[host.0].scripts.get(&**name).copied();
        let outcome = outcome.unwrap_or(ScriptOutcome::Exited(0));
        let script = Pending::Script { host, name: Arc::clone(name), run, outcome };
        self.schedule(Duration::from_millis(1), script);
    }

    fn schedule(&mut self, delay: Duration, pending: Pending) {
        self.scheduled += 1;
        self.pending.insert((self.now + delay, self.scheduled), pending);
    }
}

/// All members of a group are in its state, at every moment.
fn assert_in_step(router: &Router) {
    let states: BTreeMap<_, _> = router.status().map(|one| (one.name, one.state)).collect();
    for group in router.groups() {
        for member in &group.members {
            assert_eq!(states[member], group.state, "{member} of {}", group.name);
        }
    }
}

/// The interface of every host here.
pub(crate) fn eth() -> IfName {
    "eth1".parse().expect("it is a name")
}

/// A configuration of one instance.
pub(crate) fn only(instance: Instance) -> Config {
    Config { scripts: Vec::new(), instances: vec![instance], ..Config::default() }
}
