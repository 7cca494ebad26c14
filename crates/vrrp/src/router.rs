//! All virtual routers of this host: who gets an event, and who is due next.

mod links;
mod reload;
mod settle;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use model::vrrp::{Auth, Config, Instance as InstanceConfig, Transport};
use model::{IfIndex, IfName, Instant, Vrid};
use wire::vrrp::{Advert, Malformed};

use crate::announce::Pacer;
use crate::complaint::{Complaints, Verdict as Telling};
use crate::due::{Due, Waiter};
use crate::event::{Arrival, Event, Link, Port, ScriptOutcome};
use crate::group::{Group, Shared};
use crate::instance::{Instance, Key, Reject, Turn, World};
use crate::notice::Whose;
use crate::process::ProcessCheck;
use crate::script::ScriptCheck;
use crate::wall::WallClock;
use crate::{Actions, Notice, NotificationKind};

use links::PendingLink;
use settle::{notify, settle_alone};

/// Names an instance for as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(u32);

impl InstanceId {
    #[cfg(test)]
    pub(crate) const FIRST: Self = Self(0);
}

/// Where advertisements must be received.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// The socket.
    pub port: Port,
    /// The name of its interface.
    pub name: Option<IfName>,
    /// The multicast group to join, if any.
    pub group: Option<IpAddr>,
    /// They come inside IP authentication headers, which is another IP protocol.
    pub is_protected: bool,
}

/// The virtual routers, the scripts and the links that they look at.
#[derive(Clone, Debug)]
pub struct Router {
    config: Config,
    instances: BTreeMap<InstanceId, Instance>,
    by_name: BTreeMap<Arc<str>, InstanceId>,
    /// Several may share a key: they talk to different groups or peers.
    by_key: BTreeSet<(Key, InstanceId)>,
    /// Whose each virtual address is: any host on the link can make us look, as often as it likes.
    by_address: BTreeSet<(IpAddr, InstanceId)>,
    groups: BTreeMap<Arc<str>, Group>,
    /// Groups one of whose members has been told something in this turn.
    unsettled: Vec<Arc<Shared>>,
    next_id: u32,
    links: BTreeMap<IfName, Link>,
    /// Changes of links that do not count yet (`interface_up_down_delays`).
    pending_links: BTreeMap<IfName, PendingLink>,
    /// The addresses of each link: some of them are sources that are tracked.
    sources: BTreeSet<(IfIndex, IpAddr)>,
    /// Those addresses whose loss is a fault of somebody (`track_src_ip`).
    vital_sources: BTreeSet<IpAddr>,
    deaf: BTreeSet<Port>,
    scripts: BTreeMap<String, ScriptCheck>,
    /// The numbers in tracked files, as far as anybody has said.
    files: BTreeMap<String, i32>,
    processes: BTreeMap<String, ProcessCheck>,
    /// The tracked BFD sessions that are up.
    sessions: BTreeSet<String>,
    presumed: Presumed,
    /// The greatest number that a run of a removed script had: it may end yet, and must not be taken for a
    /// run of a script of the same name that comes later.
    runs_before: u64,
    due: Due,
    pacer: Pacer,
    clock: WallClock,
    refusals: Complaints<(Option<InstanceId>, Reject)>,
    malformed: BTreeMap<Malformed, u64>,
    unknown_vrid: u64,
    /// Advertisements of other virtual routers are told of.
    tells_strangers: bool,
    strangers: Complaints<(Option<IfIndex>, Vrid)>,
    /// Until then no instance begins.
    quiet_until: Option<Instant>,
}

/// What was said of trackers before the configuration that it belongs to.
#[derive(Clone, Debug, Default)]
struct Presumed {
    files: BTreeMap<String, i32>,
    processes: BTreeMap<String, u32>,
    sessions: BTreeMap<String, bool>,
}

impl Default for Router {
    fn default() -> Self {
        Self::new()
    }
}

impl Router {
    /// A router without instances, which knows of no link.
    #[must_use]
    pub fn new() -> Self {
        Self {
            config: Config::default(),
            instances: BTreeMap::new(),
            by_name: BTreeMap::new(),
            by_key: BTreeSet::new(),
            by_address: BTreeSet::new(),
            groups: BTreeMap::new(),
            unsettled: Vec::new(),
            next_id: 0,
            links: BTreeMap::new(),
            pending_links: BTreeMap::new(),
            sources: BTreeSet::new(),
            vital_sources: BTreeSet::new(),
            deaf: BTreeSet::new(),
            scripts: BTreeMap::new(),
            files: BTreeMap::new(),
            processes: BTreeMap::new(),
            sessions: BTreeSet::new(),
            presumed: Presumed::default(),
            runs_before: 0,
            due: Due::new(),
            pacer: Pacer::new(),
            clock: WallClock::default(),
            refusals: Complaints::new(),
            malformed: BTreeMap::new(),
            unknown_vrid: 0,
            tells_strangers: false,
            strangers: Complaints::new(),
            quiet_until: None,
        }
    }

    /// Takes an event that happened at `now`, which must not be earlier than at the call before, except
    /// that a packet carries the time at which the kernel received it.
    pub fn handle(&mut self, now: Instant, event: Event<'_>, out: &mut Actions) {
        match event {
            Event::Advert(arrival) => self.receive(now, &arrival, out),
            Event::Link { name, link } => self.take_link(now, name, link, out),
            Event::Address { link, address, there } => self.take_address(now, link, address, there, out),
            Event::Socket { port, open } => self.take_socket(now, port, open, out),
            Event::Claim { device, address, mac } => self.those_with(now, address, out, |instance, turn| {
                instance.take_claim(device, address, mac, turn);
            }),
            Event::Held { device, address } => self.those_with(now, address, out, |instance, turn| {
                instance.take_held(device, address, turn);
            }),
            Event::Script { name, run, outcome } => self.script_ended(now, name, run, outcome, out),
            Event::File { name, value } => self.take_file(now, name, value, out),
            Event::Processes { name, count } => self.take_processes(now, name, count, out),
            Event::Bfd { session, up } => self.take_session(now, session, up, out),
            Event::Deadline => self.expire(now, out),
        }
        self.settle_groups(now, out);
    }

    /// The number that a file of the configuration to come holds. Instances begin with it, or go over to it together
    /// with the rest of the next [`Self::reconfigure`].
    pub fn presume_file(&mut self, name: &str, value: i32) {
        self.presumed.files.insert(name.to_owned(), value);
    }

    /// How many processes there are of a `vrrp_track_process` of the configuration to come; as [`Self::presume_file`].
    pub fn presume_processes(&mut self, name: &str, count: u32) {
        self.presumed.processes.insert(name.to_owned(), count);
    }

    /// Whether a BFD session that the configuration to come tracks is up; as [`Self::presume_file`].
    pub fn presume_session(&mut self, name: &str, up: bool) {
        self.presumed.sessions.insert(name.to_owned(), up);
    }

    /// No instance begins before `until`: neither a timer runs nor is an advertisement heard. To be called before the
    /// first configuration; instances that were master until a moment ago go on at once all the same.
    pub fn delay_start(&mut self, now: Instant, until: Instant, out: &mut Actions) {
        if until > now {
            self.quiet_until = Some(until);
            self.due.set(Waiter::Start, Some(until));
            out.notice(Notice::StartDelayed { by: until.since(now) });
        }
    }

    /// Whether advertisements of virtual routers that are not configured on their link are told of.
    pub const fn tell_strangers(&mut self, tells: bool) {
        self.tells_strangers = tells;
    }

    /// What the wall clock reads: signatures are dated. Say it before the first event, and at every turn.
    pub const fn set_wall_clock(&mut self, clock: WallClock) {
        self.clock = clock;
    }

    /// Ends everything, orderly: masters say so and release their addresses.
    pub fn stop(&mut self, now: Instant, out: &mut Actions) {
        for id in self.instances.keys().copied().collect::<Vec<_>>() {
            self.remove(now, id, Some(NotificationKind::Stop), out);
        }
        for group in std::mem::take(&mut self.groups).into_values() {
            notify(&group.shared, Some(NotificationKind::Stop), out);
        }
        self.scripts.clear();
        self.files.clear();
        self.processes.clear();
        self.sessions.clear();
        self.due = Due::default();
        self.config = Config::default();
    }

    /// When [`Event::Deadline`] is wanted next.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.due.first()
    }

    /// How many instances there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.instances.len()
    }

    /// Whether there is no instance.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    /// Where advertisements must be received now. Ask after link events and reconfigurations.
    #[must_use]
    pub fn endpoints(&self) -> BTreeSet<Endpoint> {
        self.instances.values().filter_map(endpoint).collect()
    }

    fn receive(&mut self, now: Instant, arrival: &Arrival<'_>, out: &mut Actions) {
        let advert = match arrival.advert {
            Ok(advert) => advert,
            Err(_) if self.receive_old(now, arrival, out) => return,
            Err(malformed) => {
                *self.malformed.entry(malformed).or_default() += 1;
                let alleged = arrival.alleged_vrid().and_then(|vrid| self.addressee(arrival, vrid));
                if let Some(instance) = alleged.and_then(|id| self.instances.get_mut(&id)) {
                    instance.count_malformed(malformed);
                }
                self.refuse(now, None, arrival, Reject::Malformed, out);
                return;
            }
        };
        let Some(id) = self.addressee(arrival, advert.vrid) else {
            // Other virtual routers on the link are nothing unusual: counted, and told only on request.
            self.unknown_vrid += 1;
            self.remark_stranger(now, arrival, advert.vrid, out);
            return;
        };
        self.hand_over(now, id, arrival, advert, out);
    }

    /// An advertisement of keepalived before 1.3.7, whose checksum only looks wrong; false if it is none.
    fn receive_old(&mut self, now: Instant, arrival: &Arrival<'_>, out: &mut Actions) -> bool {
        let id = arrival.alleged_vrid().and_then(|vrid| self.addressee(arrival, vrid));
        let Some(instance) = id.and_then(|id| self.instances.get_mut(&id)) else { return false };
        let read = instance.old_group().and_then(|group| arrival.with_old_checksum(group));
        let (Some(id), Some(advert)) = (id, read) else { return false };
        self.with_instance(now, id, out, |instance, _, turn| {
            instance.note_old_checksum(arrival.source, turn)
        });
        self.hand_over(now, id, arrival, advert, out);
        true
    }

    fn hand_over(
        &mut self,
        now: Instant,
        id: InstanceId,
        arrival: &Arrival<'_>,
        advert: Advert<'_>,
        out: &mut Actions,
    ) {
        let mut refused = None;
        self.with_instance(now, id, out, |instance, _, turn| {
            refused = instance.receive(arrival, advert, turn).err();
        });
        if let Some(reason) = refused {
            self.refuse(now, Some(id), arrival, reason, out);
        }
    }

    /// The instance that an advertisement is for: of those that share its key, the one that expects it from there.
    fn addressee(&self, arrival: &Arrival<'_>, vrid: Vrid) -> Option<InstanceId> {
        let key = (Port { link: arrival.link, family: arrival.source.into() }, vrid);
        let mut sharing =
            self.by_key.range((key, InstanceId(0))..=(key, InstanceId(u32::MAX))).map(|(_, id)| *id);
        let (first, second) = (sharing.next()?, sharing.next());
        let Some(second) = second else { return Some(first) };
        let expects =
            |id: &InstanceId| self.instances.get(id).is_some_and(|instance| instance.expects(arrival));
        [first, second].into_iter().chain(sharing).find(expects).or(Some(first))
    }

    fn remark_stranger(&mut self, now: Instant, arrival: &Arrival<'_>, vrid: Vrid, out: &mut Actions) {
        if !self.tells_strangers {
            return;
        }
        let cause = (arrival.link, vrid);
        if self.strangers.note(now, cause, arrival.source) == Telling::Silent {
            return;
        }
        let name = self.links.iter().find(|(_, link)| Some(link.index) == arrival.link).map(|(name, _)| name);
        if let Some(interface) = name.cloned() {
            out.notice(Notice::UnknownVrid { interface, vrid, peer: arrival.source });
        }
    }

    fn refuse(
        &mut self,
        now: Instant,
        id: Option<InstanceId>,
        arrival: &Arrival<'_>,
        reason: Reject,
        out: &mut Actions,
    ) {
        let Telling::Tell { untold } = self.refusals.note(now, (id, reason), arrival.source) else { return };
        let whose = match id.and_then(|id| self.instances.get(&id)) {
            Some(instance) => Whose::Instance(Arc::clone(instance.name())),
            None => match self.links.iter().find(|(_, link)| Some(link.index) == arrival.link) {
                Some((name, _)) => Whose::Interface(name.clone()),
                None => return,
            },
        };
        let detail = arrival.advert.err();
        out.notice(Notice::Refused { whose, peer: arrival.source, reason, detail, untold });
    }

    fn script_ended(
        &mut self,
        now: Instant,
        name: &str,
        run: u64,
        outcome: ScriptOutcome,
        out: &mut Actions,
    ) {
        let Some(script) = self.scripts.get_mut(name) else { return };
        let changed = script.finished(now, run, outcome, out);
        self.due.set(Waiter::Script(name.to_owned()), script.deadline());
        if changed {
            for id in self.those(|instance| instance.tracks_script(name)) {
                self.with_instance(now, id, out, |instance, world, turn| instance.observe(world, turn));
            }
        }
    }

    fn take_file(&mut self, now: Instant, name: &str, value: i32, out: &mut Actions) {
        let Some(known) = self.files.get_mut(name) else { return };
        if std::mem::replace(known, value) != value {
            for id in self.those(|instance| instance.tracks_file(name)) {
                self.with_instance(now, id, out, |instance, world, turn| instance.observe(world, turn));
            }
        }
    }

    fn take_processes(&mut self, now: Instant, name: &str, count: u32, out: &mut Actions) {
        let Some(process) = self.processes.get_mut(name) else { return };
        let changed = process.counted(now, count, out);
        self.follow_processes(now, name, changed, out);
    }

    fn follow_processes(&mut self, now: Instant, name: &str, changed: bool, out: &mut Actions) {
        let deadline = self.processes.get(name).and_then(ProcessCheck::deadline);
        self.due.set(Waiter::Process(name.to_owned()), deadline);
        if changed {
            for id in self.those(|instance| instance.tracks_process(name)) {
                self.with_instance(now, id, out, |instance, world, turn| instance.observe(world, turn));
            }
        }
    }

    fn take_session(&mut self, now: Instant, name: &str, up: bool, out: &mut Actions) {
        let those = self.those(|instance| instance.tracks_session(name));
        if those.is_empty() {
            return;
        }
        let changed = if up { self.sessions.insert(name.to_owned()) } else { self.sessions.remove(name) };
        for id in those.into_iter().filter(|_| changed) {
            self.with_instance(now, id, out, |instance, world, turn| {
                let (instance_name, session) = (Arc::clone(instance.name()), name.into());
                turn.out.notice(Notice::Session { instance: instance_name, session, up });
                instance.observe(world, turn);
            });
        }
    }

    fn expire(&mut self, now: Instant, out: &mut Actions) {
        loop {
            while let Some(waiter) = self.due.take_before(now) {
                self.serve(waiter, now, out);
            }
            if !self.settle_groups(now, out) {
                return;
            }
        }
    }

    fn serve(&mut self, waiter: Waiter, now: Instant, out: &mut Actions) {
        match waiter {
            Waiter::Instance(id) => {
                self.with_instance(now, id, out, |instance, _, turn| instance.expire(turn));
            }
            Waiter::Script(name) => {
                if let Some(script) = self.scripts.get_mut(&name) {
                    script.expire(now, out);
                    let deadline = script.deadline();
                    self.due.set(Waiter::Script(name), deadline);
                }
            }
            Waiter::Process(name) => {
                let changed = self.processes.get_mut(&name).is_some_and(|process| process.expire(now, out));
                self.follow_processes(now, &name, changed, out);
            }
            Waiter::Link(name) => self.end_delay(now, &name, out),
            Waiter::Start => self.end_quiet(now, out),
            Waiter::Pacer => {
                self.pacer.expire(now, out);
                self.due.set(Waiter::Pacer, self.pacer.deadline());
            }
        }
    }

    fn end_quiet(&mut self, now: Instant, out: &mut Actions) {
        self.quiet_until = None;
        for id in self.those(|_| true) {
            self.with_instance(now, id, out, |instance, world, turn| instance.observe(world, turn));
        }
    }

    fn those(&self, wanted: impl Fn(&Instance) -> bool) -> Vec<InstanceId> {
        self.instances.iter().filter(|(_, instance)| wanted(instance)).map(|(id, _)| *id).collect()
    }

    /// Calls into each instance whose configuration has `address`, for something that changes neither its state
    /// nor when it acts next.
    fn those_with(
        &mut self,
        now: Instant,
        address: IpAddr,
        out: &mut Actions,
        mut call: impl FnMut(&mut Instance, &mut Turn<'_>),
    ) {
        let of_address = (address, InstanceId(0))..=(address, InstanceId(u32::MAX));
        for (_, id) in self.by_address.range(of_address) {
            if let Some(instance) = self.instances.get_mut(id) {
                call(instance, &mut Turn { now, clock: self.clock, out, pacer: &mut self.pacer });
            }
        }
        self.due.set(Waiter::Pacer, self.pacer.deadline());
    }

    fn forget_addresses(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get(&id) else { return };
        for address in addresses(instance.config()) {
            self.by_address.remove(&(address, id));
        }
    }

    /// Calls into one instance, settles it unless a group has to, and puts its deadline and its key where they belong.
    fn with_instance(
        &mut self,
        now: Instant,
        id: InstanceId,
        out: &mut Actions,
        call: impl FnOnce(&mut Instance, World<'_>, &mut Turn<'_>),
    ) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let before = instance.key();
        let world = World {
            links: &self.links,
            deaf: &self.deaf,
            sources: &self.sources,
            scripts: &self.scripts,
            files: &self.files,
            processes: &self.processes,
            sessions: &self.sessions,
            is_quiet: self.quiet_until.is_some(),
        };
        let mut turn = Turn { now, clock: self.clock, out, pacer: &mut self.pacer };
        call(instance, world, &mut turn);
        if instance.take_unsettled() {
            match instance.group() {
                None => settle_alone(instance, &mut turn),
                Some(group) if self.unsettled.iter().any(|known| Arc::ptr_eq(known, group)) => {}
                Some(group) => self.unsettled.push(Arc::clone(group)),
            }
        }
        self.due.set(Waiter::Instance(id), instance.deadline());
        self.due.set(Waiter::Pacer, self.pacer.deadline());
        let after = instance.key();
        if before != after {
            self.forget_key(id, before);
            self.by_key.extend(after.map(|key| (key, id)));
        }
    }

    fn forget_key(&mut self, id: InstanceId, key: Option<Key>) {
        if let Some(key) = key {
            self.by_key.remove(&(key, id));
        }
    }
}

fn addresses(config: &InstanceConfig) -> impl Iterator<Item = IpAddr> + '_ {
    config.addresses.iter().map(|held| held.prefix.address())
}

fn endpoint(instance: &Instance) -> Option<Endpoint> {
    let config = instance.config();
    let port = instance.port()?;
    let group = match config.transport {
        Transport::Multicast { group } => Some(group),
        Transport::Unicast { .. } => None,
    };
    let is_protected = matches!(config.auth, Auth::Ah(_));
    Some(Endpoint { port, name: config.home().cloned(), group, is_protected })
}
