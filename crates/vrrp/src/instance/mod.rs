//! One virtual router on this host.

mod carry_out;
mod decide;
mod effects;
mod sequence;
mod settle;
mod state;
mod status;
mod tracking;
mod verify;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use model::route::Route;
use model::rule::Rule;
use model::vrrp::{self, Ipvlan, OldChecksum, OwnDevice, Transport, VirtualAddress};
use model::{Centis, Family, IfIndex, IfName, Instant, MacAddr, Priority, Vrid};
use wire::vrrp::{Advert, Cover, Malformed};

use crate::announce::Pacer;
use crate::complaint::Complaints;
use crate::event::{Arrival, Link, Port};
use crate::group::Shared;
use crate::status::Counters;
use crate::wall::WallClock;
use crate::{Action, Actions, InstanceId, Notice, NotificationKind, Outgoing, priority};

use decide::{View, decide};
use effects::{Remark, announce_each, probe_each};
use sequence::Sequences;
pub(crate) use settle::{Mover, Step};
use state::{Backup, State, Tell};
pub use state::{Cause, Reason};
pub(crate) use tracking::World;
use verify::Receiver;
pub use verify::Reject;

/// One virtual router: its configuration, its state, and nothing of any other.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    id: InstanceId,
    name: Arc<str>,
    config: Arc<vrrp::Instance>,
    addresses: Arc<[VirtualAddress]>,
    routes: Arc<[Route]>,
    rules: Arc<[Rule]>,
    advertised: Box<[u8]>,
    /// Where it sends and listens.
    link: Option<Link>,
    /// What it speaks from: that link, or the one below a VMAC.
    base: Option<Link>,
    priority: Priority,
    /// What the priority would be if it had no bounds.
    total: i32,
    /// The priority of the worker before this one, in force until every tracked script has answered: without
    /// their verdicts ours would be another, and perhaps lower than a backup's.
    carried: Option<Priority>,
    /// It was master until the worker before this one died, moments ago, and goes on as that.
    recalled: bool,
    state: State,
    /// What is at fault with it; other members of its group are in its state only.
    causes: BTreeSet<Cause>,
    /// A vital script has not answered yet.
    pending: bool,
    /// The better master that it has heard in this turn: what it will be, and why.
    yields: Option<(Backup, Reason)>,
    /// Something has changed what it would be.
    unsettled: bool,
    group: Option<Arc<Shared>>,
    /// The advertisement as it is sent now; made anew when anything in it changes.
    outgoing: Option<Arc<Outgoing>>,
    /// A peer was heard that computes the checksum as keepalived did before 1.3.7.
    hears_old_checksum: bool,
    sequences: Sequences,
    counters: Counters,
    /// The total when a file made a fault of it. While it stays so, the priority stays what it was before: who hears of
    /// the fault hears the priority of the one who fails, not that of one who recovers.
    vetoed_at: Option<i32>,
    remarks: Complaints<Remark>,
    /// When it last spoke on yielding.
    last_word_at: Option<Instant>,
    /// When it entered its state; none before it left the first.
    since: Option<Instant>,
}

/// Where its packets come in: socket and VRID.
pub(crate) type Key = (Port, Vrid);

/// One call into an instance: the time, and where its effects go.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) now: Instant,
    pub(crate) clock: WallClock,
    pub(crate) out: &'a mut Actions,
    pub(crate) pacer: &'a mut Pacer,
}

impl Turn<'_> {
    /// The time since 1970.
    fn wall(&self) -> Duration {
        self.clock.read(self.now)
    }
}

impl Instance {
    pub(crate) fn new(id: InstanceId, config: &vrrp::Instance) -> Self {
        Self {
            id,
            name: config.name.as_str().into(),
            addresses: config.addresses.as_slice().into(),
            routes: config.routes.as_slice().into(),
            rules: config.rules.as_slice().into(),
            advertised: advertised(config),
            link: None,
            base: None,
            priority: config.priority,
            total: i32::from(config.priority.get()),
            carried: None,
            recalled: false,
            config: Arc::new(timed(config)),
            state: State::Init,
            causes: BTreeSet::new(),
            pending: false,
            yields: None,
            unsettled: true,
            group: None,
            outgoing: None,
            hears_old_checksum: false,
            sequences: Sequences::default(),
            counters: Counters::default(),
            vetoed_at: None,
            remarks: Complaints::new(),
            last_word_at: None,
            since: None,
        }
    }

    /// Looks at the world again after a link, a script or the configuration has changed.
    pub(crate) fn observe(&mut self, world: World<'_>, turn: &mut Turn<'_>) {
        self.look(world, turn);
        let (causes, pending) = (self.causes_in(world), self.is_pending(world));
        self.unsettled |= self.pending != pending || self.causes != causes;
        (self.causes, self.pending) = (causes, pending);
    }

    /// Whether it can go on as a worker that was master until a moment ago.
    pub(crate) fn is_recallable(&self, world: World<'_>) -> bool {
        matches!(self.state, State::Init) && self.causes_in(world).is_empty()
    }

    /// It was master with this priority until a moment ago, and the kernel still holds its addresses: it goes on as
    /// that. To be called before the first `observe`, after which it would stand by, with all that the operator's
    /// scripts do then.
    pub(crate) fn recall(&mut self, priority: Priority) {
        if self.config.priority != Priority::OWNER {
            self.priority = priority.clamp(Priority::LEAST, Priority::MOST);
            self.carried = Some(self.priority);
        }
        self.recalled = true;
        self.unsettled = true;
    }

    pub(crate) const fn group(&self) -> Option<&Arc<Shared>> {
        self.group.as_ref()
    }

    /// It belongs to this group from now on.
    pub(crate) fn join(&mut self, group: Option<&Arc<Shared>>) {
        if self.group.as_deref() == group.map(|group| &**group) {
            return;
        }
        let same_weights = match (&self.group, group) {
            (Some(before), Some(after)) => before.weighs_as(after),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !same_weights {
            self.carried = None;
        }
        self.group = group.cloned();
        self.unsettled = true;
    }

    /// Takes an advertisement that came in on our link for our VRID.
    ///
    /// # Errors
    /// The reason if it was refused. It is then counted.
    pub(crate) fn receive(
        &mut self,
        arrival: &Arrival<'_>,
        advert: Advert<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<(), Reject> {
        let Some(own) = self.own_address() else { return Ok(()) };
        let receiver = Receiver {
            config: &self.config,
            own,
            addresses: &self.advertised,
            master: self.followed(),
            wall: turn.wall(),
            sequences: &self.sequences,
        };
        let verified =
            receiver.verify(arrival, advert).inspect_err(|reason| self.counters.refuse(*reason, advert))?;
        self.sequences.heard(&self.config, arrival.source, advert.auth);
        self.counters.received += 1;
        self.remark_differences(&verified, turn);
        // What waited in the socket since before this state says nothing of times that began with it.
        let now = self.since.map_or(turn.now, |since| since.max(turn.now));
        let turn = &mut Turn { now, clock: turn.clock, out: turn.out, pacer: turn.pacer };
        let view = View { config: &self.config, priority: self.priority, address: own };
        let decision = decide(view, &self.state, &verified, turn.now);
        self.carry_out(decision, &verified, turn);
        Ok(())
    }

    /// What says that it is for it is no advertisement.
    pub(crate) fn count_malformed(&mut self, why: Malformed) {
        self.counters.malformed(why);
    }

    /// Does what is due.
    pub(crate) fn expire(&mut self, turn: &mut Turn<'_>) {
        match &mut self.state {
            State::Init | State::Fault(_) => {}
            State::Backup(backup) => {
                if backup.deadline(&self.config, self.priority).is_some_and(|at| at <= turn.now) {
                    match &mut backup.ripe {
                        Some(ripe) => ripe.tell = Tell::Due,
                        None => backup.ripen(turn.now, self.config.advert_interval),
                    }
                    self.unsettled = true;
                }
            }
            State::Master(_) => self.expire_as_master(turn),
        }
    }

    fn expire_as_master(&mut self, turn: &mut Turn<'_>) {
        let State::Master(master) = &mut self.state else { return };
        if let Some(silent) = master.overslept(&self.config, turn.now) {
            self.oversleep(silent, turn.now);
            return;
        }
        let advert_due = master.next_advert_at <= turn.now;
        let extra_due = master.announce.take_extra(turn.now, self.config.extra_garp);
        if master.announce.take_probe(turn.now) {
            probe_each(&self.addresses, turn.out);
        }
        if let Some(count) = master.announce.take_due(turn.now, &self.config.garp) {
            self.announce(count, turn);
        }
        if extra_due {
            self.announce_elsewhere(turn);
        }
        if advert_due {
            self.advertise(turn);
        }
    }

    /// Another host answers for `address` on `device`.
    pub(crate) fn take_claim(&mut self, device: &IfName, address: IpAddr, mac: MacAddr, turn: &mut Turn<'_>) {
        if self.held(device, address).is_some() {
            self.remark_claim(device, address, mac, turn);
        }
    }

    /// The kernel has `address` on `device` now, and could not have it before.
    pub(crate) fn take_held(&mut self, device: &IfName, address: IpAddr, turn: &mut Turn<'_>) {
        if let Some(held) = self.held(device, address) {
            announce_each(self.id, slice::from_ref(held), &self.config.garp, self.config.garp.repeat, turn);
        }
    }

    /// That address of ours, if we are its master.
    fn held(&self, device: &IfName, address: IpAddr) -> Option<&VirtualAddress> {
        let is_it = |held: &&VirtualAddress| held.prefix.address() == address && held.device == *device;
        self.addresses.iter().find(is_it).filter(|_| matches!(self.state, State::Master(_)))
    }

    /// Ends its part, orderly, and says so to scripts if `kind` is given.
    pub(crate) fn stop(&mut self, kind: Option<NotificationKind>, turn: &mut Turn<'_>) {
        if matches!(self.state, State::Master(_)) {
            self.transmit_release(turn);
        }
        self.let_go(turn);
        if let Some(kind) = kind {
            self.notify(kind, turn.out);
        }
        turn.out.push(Action::Withdraw { instance: Arc::clone(&self.name) });
    }

    /// Takes a configuration for the same virtual router, without leaving the state that it is in.
    pub(crate) fn reconfigure(&mut self, config: &vrrp::Instance, turn: &mut Turn<'_>) {
        let before = std::mem::replace(&mut self.addresses, config.addresses.as_slice().into());
        let routing_changes = self.take_routing(config);
        let (garp_before, extra_before) = (self.config.garp, self.config.extra_garp);
        if !weighs_as(&self.config, config) {
            self.carried = None;
        }
        self.config = Arc::new(timed(config));
        self.advertised = advertised(config);
        self.outgoing = None;
        if let State::Master(master) = &mut self.state {
            let next = turn.now + self.config.advert_interval.duration();
            master.next_advert_at = master.next_advert_at.min(next);
            master.announce.reconfigure(turn.now, &garp_before, &self.config.garp);
            master.announce.reconfigure_extra(turn.now, extra_before, self.config.extra_garp);
            if routing_changes || before != self.addresses {
                self.hold_all(turn.out);
            }
            if before != self.addresses {
                turn.pacer.retain(self.id, &self.addresses);
                let added: Vec<_> =
                    self.addresses.iter().filter(|one| !before.contains(one)).cloned().collect();
                announce_each(self.id, &added, &self.config.garp, self.config.garp.repeat, turn);
            }
        }
    }

    /// Takes what a master has beside addresses, and says whether that is something else than before.
    fn take_routing(&mut self, config: &vrrp::Instance) -> bool {
        let changes = self.config.routes != config.routes
            || self.config.rules != config.rules
            || self.config.promote_secondaries != config.promote_secondaries;
        if changes {
            self.routes = config.routes.as_slice().into();
            self.rules = config.rules.as_slice().into();
        }
        changes
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Init | State::Fault(_) => None,
            State::Backup(backup) => backup.deadline(&self.config, self.priority),
            State::Master(master) => {
                let announce = master.announce.deadline().unwrap_or(master.next_advert_at);
                Some(master.next_advert_at.min(announce))
            }
        }
    }

    pub(crate) const fn config(&self) -> &Arc<vrrp::Instance> {
        &self.config
    }

    pub(crate) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn link_index(&self) -> Option<IfIndex> {
        self.link.map(|link| link.index)
    }

    /// The socket that its packets come in by.
    pub(crate) fn port(&self) -> Option<Port> {
        let link = match self.config.home() {
            Some(_) => Some(self.link_index()?),
            None => None,
        };
        Some(Port { link, family: family(&self.config) })
    }

    pub(crate) fn key(&self) -> Option<Key> {
        self.port().map(|port| (port, self.config.vrid))
    }

    /// Whether that is where its packets come from: its group, or a peer that sends to where we are.
    pub(crate) fn expects(&self, arrival: &Arrival<'_>) -> bool {
        match &self.config.transport {
            Transport::Multicast { group } => arrival.destination == *group,
            Transport::Unicast { peers, .. } => {
                self.config.source.is_none_or(|own| own == arrival.destination)
                    && peers.iter().any(|peer| peer.address == arrival.source)
            }
        }
    }

    /// The link that it sends and listens on.
    fn own_link(&self, world: World<'_>) -> Option<Link> {
        self.config.home().and_then(|name| world.links.get(name)).copied()
    }

    /// The link whose address it speaks from.
    fn base_link(&self, world: World<'_>) -> Option<Link> {
        self.config.base().and_then(|name| world.links.get(name)).copied()
    }

    /// Whether it uses or tracks this interface.
    pub(crate) fn tracks_link(&self, name: &IfName) -> bool {
        self.config.base() == Some(name)
            || self.config.own_device.as_ref().is_some_and(|own| own.name() == name)
            || self.tracked_links().any(|tracked| tracked.interface == *name)
    }

    /// Whether the loss of this address is a fault of its.
    pub(crate) fn tracks_source(&self, address: IpAddr) -> bool {
        self.config.track_source && self.config.source == Some(address)
    }

    /// Whether it tracks this script.
    pub(crate) fn tracks_script(&self, name: &str) -> bool {
        self.tracked_scripts().any(|tracked| tracked.script == name)
    }

    /// Whether it tracks this file.
    pub(crate) fn tracks_file(&self, name: &str) -> bool {
        self.tracked_files().any(|tracked| tracked.name == name)
    }

    /// Whether it tracks these processes.
    pub(crate) fn tracks_process(&self, name: &str) -> bool {
        self.tracked_processes().any(|tracked| tracked.name == name)
    }

    /// Whether it tracks this BFD session.
    pub(crate) fn tracks_session(&self, name: &str) -> bool {
        self.tracked_sessions().any(|tracked| tracked.name == name)
    }

    fn look(&mut self, world: World<'_>, turn: &mut Turn<'_>) {
        self.take_link(self.own_link(world), self.base_link(world));
        if !self.lacks_verdict(world) {
            self.carried = None;
        }
        let known = || priority::effective(self.config.priority, self.changes(world));
        let effective = self.carried.unwrap_or_else(known);
        self.total = priority::total(self.config.priority, self.changes(world));
        self.vetoed_at = match self.vetoed_at {
            _ if !self.is_vetoed(world) => None,
            None if matches!(self.state, State::Backup(_) | State::Master(_)) => Some(self.total),
            before => before,
        };
        if self.vetoed_at != Some(self.total) {
            self.take_priority(effective, turn);
        }
    }

    fn take_link(&mut self, link: Option<Link>, base: Option<Link>) {
        if (self.link, self.base) != (link, base) {
            (self.link, self.base) = (link, base);
            self.outgoing = None;
        }
    }

    fn take_priority(&mut self, effective: Priority, turn: &mut Turn<'_>) {
        let from = std::mem::replace(&mut self.priority, effective);
        if from == effective {
            return;
        }
        self.outgoing = None;
        let instance = Arc::clone(&self.name);
        turn.out.notice(Notice::PriorityChanged { instance, from, to: effective });
        if let State::Backup(backup) = &mut self.state
            && effective < from
        {
            backup.reconsider();
        }
        // A backup that is better now need not wait for the next advertisement to learn it.
        if matches!(self.state, State::Master(_)) && effective < from && !self.config.strict {
            self.advertise(turn);
        }
        self.publish(turn.out);
    }

    /// Sends an advertisement and plans the next: an interval after this one was due, so that lateness does
    /// not add up.
    fn advertise(&mut self, turn: &mut Turn<'_>) {
        self.transmit(turn);
        let interval = self.config.advert_interval.duration();
        if let State::Master(master) = &mut self.state {
            if std::mem::take(&mut master.owes_answer) {
                master.answered_at = Some(turn.now);
            }
            master.spoke_at = turn.now;
            let due = master.next_advert_at;
            let next = due + interval;
            master.next_advert_at =
                if due <= turn.now && next > turn.now { next } else { turn.now + interval };
        }
    }

    /// The group in old checksums, if they are believed.
    pub(crate) fn old_group(&self) -> Option<Ipv4Addr> {
        match &self.config.transport {
            Transport::Unicast { checksum: OldChecksum::Detect | OldChecksum::Always, old_group, .. } => {
                Some(*old_group)
            }
            Transport::Unicast { checksum: OldChecksum::Never, .. } | Transport::Multicast { .. } => None,
        }
    }

    /// A peer has spoken with an old checksum: it must be spoken to in the same way.
    pub(crate) fn note_old_checksum(&mut self, peer: IpAddr, turn: &mut Turn<'_>) {
        if !std::mem::replace(&mut self.hears_old_checksum, true) {
            self.outgoing = None;
            turn.out.notice(Notice::OldChecksum { instance: Arc::clone(&self.name), peer });
        }
    }

    /// What its version 3 checksums cover.
    fn cover(&self) -> Cover {
        match &self.config.transport {
            Transport::Unicast { checksum: OldChecksum::Always, old_group, .. } => Cover::Group(*old_group),
            _ if self.config.v3_checksum_as_v2 => Cover::Alone,
            Transport::Unicast { checksum: OldChecksum::Detect, old_group, .. }
                if self.hears_old_checksum =>
            {
                Cover::Group(*old_group)
            }
            Transport::Unicast { .. } | Transport::Multicast { .. } => Cover::Pseudo,
        }
    }

    fn own_address(&self) -> Option<IpAddr> {
        self.address_on(self.base)
    }

    /// The address that it sends from, with this link as its base. An ipvlan has one of its own.
    fn address_on(&self, base: Option<Link>) -> Option<IpAddr> {
        let family = family(&self.config);
        self.config.source.or_else(|| match &self.config.own_device {
            Some(OwnDevice::Ipvlan(Ipvlan { address: Some(own), .. })) => Some(own.address()),
            Some(OwnDevice::Ipvlan(_)) if family == Family::V4 => None,
            Some(OwnDevice::Ipvlan(_)) => self.link?.sources.of(family),
            Some(OwnDevice::Vmac(_)) | None => base?.sources.of(family),
        })
    }
}

/// The configuration, without spans of zero after which something would be due again at once, for ever.
fn timed(config: &vrrp::Instance) -> vrrp::Instance {
    let mut timed = config.clone();
    timed.advert_interval = timed.advert_interval.max(Centis::new(1));
    timed.garp.refresh = timed.garp.refresh.filter(|every| !every.is_zero());
    timed.extra_garp = timed.extra_garp.filter(|extra| !extra.interval.is_zero());
    timed
}

/// Both configurations lead to the same priority.
fn weighs_as(one: &vrrp::Instance, other: &vrrp::Instance) -> bool {
    one.priority == other.priority
        && one.track_interfaces == other.track_interfaces
        && one.track_scripts == other.track_scripts
        && one.track_files == other.track_files
        && one.track_processes == other.track_processes
}

fn family(config: &vrrp::Instance) -> Family {
    match &config.transport {
        Transport::Multicast { group } => (*group).into(),
        Transport::Unicast { peers, .. } => {
            let peer = peers.first().map(|peer| peer.address);
            config.source.or(peer).map_or(config.family, Family::from)
        }
    }
}

fn advertised(config: &vrrp::Instance) -> Box<[u8]> {
    let mut bytes = Vec::new();
    for held in config.addresses.iter().filter(|held| held.advertised) {
        match held.prefix.address() {
            IpAddr::V4(v4) => bytes.extend(v4.octets()),
            IpAddr::V6(v6) => bytes.extend(v6.octets()),
        }
    }
    bytes.into()
}
