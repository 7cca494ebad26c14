//! Hosts and LANs on one virtual clock.

mod acts;
mod wiring;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use model::vrrp::Config;
use model::{IfName, Instant, Prefix};
use vrrp::{Action, ScriptOutcome, StateName, Status};

use crate::host::{Effect, Host, Input};
use crate::lan::Lan;
use crate::story::{Story, What};
use crate::watch::Watch;
use crate::{Act, Chance, HostId, LanId, Quality, Violation};

/// Hosts, the LANs between them, and what is about to happen.
///
/// Cloning it gives a second future: both go on from here, each in its own way.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(crate) now: Instant,
    chance: Chance,
    pub(crate) hosts: Vec<Host>,
    pub(crate) lans: Vec<Lan>,
    queue: BTreeMap<(Instant, u64), Happening>,
    scheduled: u64,
    pub(crate) story: Story,
    watch: Option<Watch>,
    effects: Vec<Effect>,
}

/// A host to be.
#[derive(Clone, Debug)]
pub struct HostPlan {
    /// Its name.
    pub name: String,
    /// What its daemon runs.
    pub config: Arc<Config>,
    /// Its interfaces.
    pub interfaces: Vec<Interface>,
}

/// An interface of a [`HostPlan`].
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name.
    pub name: IfName,
    /// The LAN that it is on.
    pub lan: LanId,
    /// The host's own addresses there, but for the link-local one of IPv6, which its kernel makes.
    pub addresses: Vec<Prefix>,
}

#[derive(Clone, Debug)]
enum Happening {
    Input {
        host: HostId,
        input: Input,
    },
    /// The supervisor starts the daemon, or another worker.
    Start(HostId),
    Act(Act),
}

impl Cluster {
    /// An empty one. All chance in it comes from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            chance: Chance::new(seed),
            hosts: Vec::new(),
            lans: Vec::new(),
            queue: BTreeMap::new(),
            scheduled: 0,
            story: Story::new(false),
            watch: Some(Watch::default()),
            effects: Vec::new(),
        }
    }

    /// Records every packet and action, not only changes.
    pub fn record_all(&mut self) {
        self.story = Story::new(true);
    }

    /// Nobody looks for broken rules any more.
    pub fn unwatch(&mut self) {
        self.watch = None;
    }

    /// A LAN.
    pub fn add_lan(&mut self, name: &str, quality: Quality) -> LanId {
        self.lans.push(Lan::new(name.to_owned(), quality));
        LanId(self.lans.len() - 1)
    }

    /// The name of a LAN.
    #[must_use]
    pub fn lan_name(&self, lan: LanId) -> &str {
        self.lans.get(lan.0).map_or("?", |lan| &lan.name)
    }

    /// The longest that a packet takes there.
    pub(crate) fn longest(&self, lan: LanId) -> Duration {
        self.lans.get(lan.0).map_or(Duration::ZERO, |lan| lan.quality.longest())
    }

    pub(crate) fn is_whole(&self, lan: LanId) -> bool {
        self.lans.get(lan.0).is_none_or(Lan::is_whole)
    }

    /// The name of a host.
    #[must_use]
    pub fn host_name(&self, host: HostId) -> &str {
        self.hosts.get(host.0).map_or("?", |host| &host.name)
    }

    /// Every host.
    pub fn hosts(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.hosts.len()).map(HostId)
    }

    /// Every LAN.
    pub fn lans(&self) -> impl Iterator<Item = LanId> + use<> {
        (0..self.lans.len()).map(LanId)
    }

    /// The time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// What happened so far.
    #[must_use]
    pub const fn story(&self) -> &Story {
        &self.story
    }

    /// What happened so far, a line for each entry.
    #[must_use]
    pub fn told(&self) -> String {
        let mut told = String::new();
        for entry in self.story.entries() {
            let host = entry.host.map_or("", |host| self.host_name(host));
            let (at, what) = (entry.at, &entry.what);
            // Writing to a string cannot fail.
            let _written = writeln!(told, "{at} {host:8} {what}");
        }
        told
    }

    /// Forgets what happened so far.
    pub fn forget_story(&mut self) {
        self.story.forget();
    }

    /// The rules that were broken so far.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        self.watch.as_ref().map_or(&[], Watch::found)
    }

    /// Every instance of a host whose daemon runs.
    pub fn status(&self, host: HostId) -> impl Iterator<Item = Status> + '_ {
        self.hosts.get(host.0).and_then(Host::router).into_iter().flat_map(|router| router.status())
    }

    /// The hosts on which the instance `name` is master.
    #[must_use]
    pub fn masters(&self, name: &str) -> Vec<HostId> {
        let is_master = |status: Status| status.name == name && status.state == StateName::Master;
        self.hosts().filter(|host| self.status(*host).any(is_master)).collect()
    }

    /// The hosts whose kernel holds this address on this device.
    #[must_use]
    pub fn holders(&self, device: &IfName, prefix: Prefix) -> Vec<HostId> {
        self.hosts.iter().filter(|host| host.holds(device, prefix)).map(|host| host.id).collect()
    }

    /// The act as a line of a scenario says it.
    #[must_use]
    pub fn describe(&self, act: &Act) -> String {
        acts::describe(self, act)
    }

    /// Something will happen at this time.
    pub fn schedule(&mut self, at: Instant, act: Act) {
        self.put(at, Happening::Act(act));
    }

    /// Lets all happen that is due until `end`, and at it.
    pub fn run_until(&mut self, end: Instant) {
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            self.step(at);
        }
        self.now = self.now.max(end);
        self.judge();
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Duration) {
        self.run_until(self.now + span);
    }

    /// Like [`Self::run_until`], but stops when a rule is broken; whether none was.
    pub fn run_while_well(&mut self, end: Instant) -> bool {
        while self.violations().is_empty()
            && let Some(at) = self.next_at().filter(|at| *at <= end)
        {
            self.step(at);
        }
        if self.violations().is_empty() {
            self.now = self.now.max(end);
            self.judge();
        }
        self.violations().is_empty()
    }

    fn next_at(&self) -> Option<Instant> {
        let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
        let watched = self.watch.as_ref().and_then(Watch::deadline);
        let hosts = self.hosts.iter().filter_map(Host::deadline);
        hosts.chain(queued).chain(watched).min().map(|at| at.max(self.now))
    }

    /// All that is due at `at`: what arrives first, as in the daemon, then the hosts' turns.
    fn step(&mut self, at: Instant) {
        self.now = at;
        while let Some(first) = self.queue.first_entry().filter(|first| first.key().0 <= at) {
            let happening = first.remove();
            self.happen(happening);
        }
        for host in self.hosts() {
            let due = self.hosts.get(host.0).and_then(Host::deadline).is_some_and(|due| due <= at);
            if due {
                self.turn(host);
            }
        }
        self.judge();
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Input { host, input } => self.reach(host, input),
            Happening::Start(host) => self.start(host),
            Happening::Act(act) => self.apply(&act),
        }
    }

    fn reach(&mut self, id: HostId, input: Input) {
        if let Input::Frame { port, frame, .. } = &input {
            self.arrive(id, port, frame);
            if !self.hosts.get(id.0).is_some_and(|host| host.carries(port)) {
                return;
            }
        }
        if let Some(host) = self.hosts.get_mut(id.0) {
            host.take(input);
        }
    }

    fn turn(&mut self, id: HostId) {
        let mut effects = std::mem::take(&mut self.effects);
        if let Some(host) = self.hosts.get_mut(id.0) {
            host.turn(self.now, &mut effects);
        }
        self.perform(id, &mut effects);
        self.effects = effects;
        self.watch(|watch, cluster| watch.after_turn(cluster, id));
    }

    /// Does what a host has asked for, and hands on what its kernel has said.
    fn perform(&mut self, id: HostId, effects: &mut Vec<Effect>) {
        self.watch(|watch, cluster| watch.look(cluster, id, effects));
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { port, frame } => self.send(id, &port, &frame),
                Effect::Run { name, run } => self.run_script(id, name, run),
                Effect::Did(action) => self.record(id, action),
                Effect::Said(notice) => self.story.tell(self.now, Some(id), What::Said(notice)),
                Effect::Began => self.story.tell(self.now, Some(id), What::Began),
                Effect::Stopped => self.story.tell(self.now, Some(id), What::Stopped),
            }
        }
        self.hear_kernel(id);
    }

    fn record(&mut self, id: HostId, action: Action) {
        let what = match action {
            Action::Publish { instance, state, priority } => {
                What::State { instance: instance.to_string(), state, priority }
            }
            Action::Withdraw { instance } => What::Gone(instance.to_string()),
            other if self.story.is_full() => What::Did(other),
            _ => return,
        };
        self.story.tell(self.now, Some(id), what);
    }

    /// The kernel's words reach the daemon after its delay.
    fn hear_kernel(&mut self, id: HostId) {
        let Some(host) = self.hosts.get_mut(id.0) else { return };
        if let Some(input) = host.take_said(self.now) {
            let at = self.now + host.kernel_delay;
            self.put(at, Happening::Input { host: id, input });
        }
    }

    fn run_script(&mut self, id: HostId, name: Arc<str>, run: u64) {
        let Some(host) = self.hosts.get(id.0) else { return };
        let outcome = host.scripts.get(&*name).copied().unwrap_or(ScriptOutcome::Exited(0));
        let of = |script: &&model::vrrp::Script| script.name == *name;
        let timeout = host.config.scripts.iter().find(of).map_or(SCRIPT_TAKES, |script| script.timeout);
        let takes = if outcome == ScriptOutcome::TimedOut { timeout } else { SCRIPT_TAKES };
        let input = Input::Script { generation: host.generation, name, run, outcome };
        self.put(self.now + takes, Happening::Input { host: id, input });
    }

    fn put(&mut self, at: Instant, happening: Happening) {
        self.scheduled += 1;
        self.queue.insert((at.max(self.now), self.scheduled), happening);
    }

    fn judge(&mut self) {
        self.watch(|watch, cluster| watch.judge(cluster));
    }

    /// Lets the watch look at the rest of the cluster.
    fn watch(&mut self, look: impl FnOnce(&mut Watch, &Self)) {
        let Some(mut watch) = self.watch.take() else { return };
        let known = watch.found().len();
        look(&mut watch, self);
        for violation in watch.found().iter().skip(known) {
            self.story.tell(self.now, None, What::Broken(violation.clone()));
        }
        self.watch = Some(watch);
    }
}

/// How long a check script runs unless it hangs.
const SCRIPT_TAKES: Duration = Duration::from_millis(3);
