//! One virtual router on this host.

mod carry_out;
mod decide;
mod effects;
mod state;
mod tracking;
mod verify;

use std::net::IpAddr;
use std::slice;
use std::sync::Arc;

use model::vrrp::{self, Transport, VirtualAddress};
use model::{Centis, Family, IfIndex, IfName, Instant, MacAddr, Priority, Vrid};
use wire::vrrp::Advert;

use crate::announce::{AnnouncePlan, Pacer};
use crate::complaint::Complaints;
use crate::event::{Arrival, Link};
use crate::status::{Counters, StateName, Status};
use crate::{Action, Actions, InstanceId, Notice, NotificationKind, Outgoing, priority};

use decide::{View, decide};
use effects::{Remark, announce_each, probe_each};
use state::{Backup, Master, State, Wait};
pub use state::{Cause, Reason};
pub(crate) use tracking::World;
use tracking::tell_difference;
pub use verify::Reject;
use verify::verify;

/// One virtual router: its configuration, its state, and nothing of any other.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    id: InstanceId,
    name: Arc<str>,
    config: Arc<vrrp::Instance>,
    addresses: Arc<[VirtualAddress]>,
    advertised: Box<[u8]>,
    link: Option<Link>,
    priority: Priority,
    /// The priority of the worker before this one, in force until every tracked script has answered: without
    /// their verdicts ours would be another, and perhaps lower than a backup's.
    carried: Option<Priority>,
    state: State,
    /// The advertisement as it is sent now; made anew when anything in it changes.
    outgoing: Option<Arc<Outgoing>>,
    counters: Counters,
    remarks: Complaints<Remark>,
    /// When it last spoke on yielding.
    last_word_at: Option<Instant>,
}

/// One call into an instance: the time, and where its effects go.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) now: Instant,
    pub(crate) out: &'a mut Actions,
    pub(crate) pacer: &'a mut Pacer,
}

impl Instance {
    pub(crate) fn new(id: InstanceId, config: &vrrp::Instance) -> Self {
        Self {
            id,
            name: config.name.as_str().into(),
            addresses: config.addresses.as_slice().into(),
            advertised: advertised(config),
            link: None,
            priority: config.priority,
            carried: None,
            config: Arc::new(timed(config)),
            state: State::Init,
            outgoing: None,
            counters: Counters::default(),
            remarks: Complaints::new(),
            last_word_at: None,
        }
    }

    /// Looks at the world again after a link, a script or the configuration has changed.
    pub(crate) fn observe(&mut self, world: World<'_>, turn: &mut Turn<'_>) {
        self.look(world, turn);
        let causes = self.causes(world);
        let pending = self.is_pending(world);
        match &mut self.state {
            State::Fault(known) if !causes.is_empty() => tell_difference(&self.name, known, causes, turn.out),
            State::Init | State::Fault(_) | State::Backup(_) | State::Master(_) if !causes.is_empty() => {
                self.transition(State::Fault(causes.clone()), Reason::Fault(causes), turn);
            }
            State::Init if !pending => self.start(Reason::Startup, turn),
            State::Fault(_) if !pending => self.start(Reason::Recovered, turn),
            State::Init | State::Fault(_) | State::Backup(_) | State::Master(_) => {}
        }
    }

    /// It was master with this priority until a moment ago, and the kernel still holds its addresses: unless
    /// something is at fault it goes on as that. To be called before the first `observe`, which would have it
    /// stand by, with all that the operator's scripts do then.
    pub(crate) fn adopt(&mut self, priority: Priority, world: World<'_>, turn: &mut Turn<'_>) {
        self.take_link(self.own_link(world));
        if !matches!(self.state, State::Init) || !self.causes(world).is_empty() {
            return;
        }
        if self.config.priority != Priority::OWNER {
            self.priority = priority.clamp(Priority::LEAST, Priority::MOST);
            self.carried = Some(self.priority);
        }
        self.look(world, turn);
        self.become_master(Reason::Adopted, turn);
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
        let verified = verify(&self.config, own, &self.advertised, arrival, advert, self.followed())
            .inspect_err(|reason| self.counters.reject(*reason))?;
        self.counters.received += 1;
        self.remark_differences(&verified, turn);
        let view = View { config: &self.config, priority: self.priority, address: own };
        let decision = decide(view, &self.state, &verified, turn.now);
        self.carry_out(decision, &verified, turn);
        Ok(())
    }

    /// Does what is due.
    pub(crate) fn expire(&mut self, turn: &mut Turn<'_>) {
        match &mut self.state {
            State::Init | State::Fault(_) => {}
            State::Backup(backup) => {
                if backup.wait.deadline(&self.config, self.priority) <= turn.now {
                    let reason = takeover_reason(backup, turn.now);
                    if let Reason::Released { master: Some(master) } = reason {
                        // What it said has been done: should it stop once more, that is news.
                        self.remarks.forget(Remark::Release, master);
                    }
                    self.become_master(reason, turn);
                }
            }
            State::Master(master) => {
                let advert_due = master.next_advert_at <= turn.now;
                if master.announce.take_probe(turn.now) {
                    probe_each(&self.addresses, turn.out);
                }
                if let Some(count) = master.announce.take_due(turn.now, &self.config.garp) {
                    self.announce(count, turn);
                }
                if advert_due {
                    self.advertise(turn);
                }
            }
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
        self.leave(true, turn);
        if let Some(kind) = kind {
            self.notify(kind, turn.out);
        }
        turn.out.push(Action::Withdraw { instance: Arc::clone(&self.name) });
    }

    /// Takes a configuration for the same virtual router, without leaving the state that it is in.
    pub(crate) fn reconfigure(&mut self, config: &vrrp::Instance, turn: &mut Turn<'_>) {
        let before = std::mem::replace(&mut self.addresses, config.addresses.as_slice().into());
        let garp_before = self.config.garp;
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
            if before != self.addresses {
                turn.pacer.retain(self.id, &self.addresses);
                self.hold(Arc::clone(&self.addresses), turn.out);
                let added: Vec<_> =
                    self.addresses.iter().filter(|one| !before.contains(one)).cloned().collect();
                announce_each(self.id, &added, &self.config.garp, self.config.garp.repeat, turn);
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Init | State::Fault(_) => None,
            State::Backup(backup) => Some(backup.wait.deadline(&self.config, self.priority)),
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

    /// Where its packets come in: link, family and VRID.
    pub(crate) fn key(&self) -> Option<(IfIndex, Family, Vrid)> {
        self.link_index().map(|index| (index, family(&self.config), self.config.vrid))
    }

    fn own_link(&self, world: World<'_>) -> Option<Link> {
        self.config.interface.as_ref().and_then(|name| world.links.get(name)).copied()
    }

    /// Whether it uses or tracks this interface.
    pub(crate) fn tracks_link(&self, name: &IfName) -> bool {
        self.config.interface.as_ref() == Some(name)
            || self.config.track_interfaces.iter().any(|tracked| tracked.interface == *name)
    }

    /// Whether it tracks this script.
    pub(crate) fn tracks_script(&self, name: &str) -> bool {
        self.config.track_scripts.iter().any(|tracked| tracked.script == name)
    }

    pub(crate) fn status(&self) -> Status {
        let master = self.followed();
        let deadline = self.deadline().map(|at| (at, self.waits_for(at)));
        let (name, link) = (self.name.to_string(), self.link_index());
        Status {
            name,
            state: self.state.name(),
            priority: self.priority,
            master,
            deadline,
            link,
            counters: self.counters,
        }
    }

    /// The master that it follows, if it does.
    fn followed(&self) -> Option<IpAddr> {
        match &self.state {
            State::Init | State::Fault(_) | State::Master(_) => None,
            State::Backup(backup) => backup.heard.map(|heard| heard.source),
        }
    }

    fn waits_for(&self, at: Instant) -> Reason {
        match &self.state {
            State::Init | State::Fault(_) => Reason::Startup,
            State::Backup(backup) => takeover_reason(backup, at),
            State::Master(master) if master.next_advert_at == at => Reason::AdvertDue,
            State::Master(_) => Reason::AnnounceDue,
        }
    }

    fn look(&mut self, world: World<'_>, turn: &mut Turn<'_>) {
        self.take_link(self.own_link(world));
        if !self.lacks_verdict(world) {
            self.carried = None;
        }
        let known = || priority::effective(self.config.priority, self.changes(world));
        self.take_priority(self.carried.unwrap_or_else(known), turn);
    }

    fn take_link(&mut self, link: Option<Link>) {
        if self.link != link {
            self.link = link;
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

    /// RFC 9568 §6.4.1: the owner is master at once, everybody else listens first.
    fn start(&mut self, reason: Reason, turn: &mut Turn<'_>) {
        if self.priority == Priority::OWNER {
            self.become_master(Reason::Owner, turn);
        } else {
            let backup = Backup::listening(turn.now, self.config.advert_interval);
            self.transition(State::Backup(backup), reason, turn);
        }
    }

    fn become_master(&mut self, reason: Reason, turn: &mut Turn<'_>) {
        let master = Master {
            since: turn.now,
            next_advert_at: turn.now + self.config.advert_interval.duration(),
            announce: AnnouncePlan::new(turn.now, &self.config.garp),
            asserted_at: None,
            answered_at: None,
            owes_answer: false,
        };
        self.transition(State::Master(master), reason, turn);
    }

    /// The only writer of the state.
    fn transition(&mut self, to: State, reason: Reason, turn: &mut Turn<'_>) {
        self.leave(matches!(to, State::Fault(_)), turn);
        self.state = to;
        self.enter(reason, turn);
    }

    /// `releasing`: nobody has taken over, so the others must be told.
    fn leave(&mut self, releasing: bool, turn: &mut Turn<'_>) {
        match &self.state {
            State::Init | State::Fault(_) | State::Backup(_) => {}
            State::Master(_) => {
                if releasing {
                    self.transmit_release(turn.out);
                }
                turn.pacer.forget(self.id);
                self.hold(Arc::new([]), turn.out);
            }
        }
    }

    fn enter(&mut self, reason: Reason, turn: &mut Turn<'_>) {
        let (instance, state) = (Arc::clone(&self.name), self.state.name());
        let entering = Notice::Entering { instance, state, reason };
        let kind = match &self.state {
            State::Init => None,
            State::Fault(_) => Some(NotificationKind::Fault),
            State::Backup(_) => Some(NotificationKind::Backup),
            State::Master(_) => Some(NotificationKind::Master),
        };
        if state == StateName::Master {
            self.counters.became_master += 1;
            self.transmit(turn.out);
            turn.out.notice(entering);
            self.hold(Arc::clone(&self.addresses), turn.out);
            self.announce(self.config.garp.repeat, turn);
        } else {
            turn.out.notice(entering);
        }
        if let Some(kind) = kind {
            self.notify(kind, turn.out);
        }
        self.publish(turn.out);
    }

    /// Sends an advertisement and plans the next: an interval after this one was due, so that lateness does
    /// not add up.
    fn advertise(&mut self, turn: &mut Turn<'_>) {
        self.transmit(turn.out);
        let interval = self.config.advert_interval.duration();
        if let State::Master(master) = &mut self.state {
            if std::mem::take(&mut master.owes_answer) {
                master.answered_at = Some(turn.now);
            }
            let due = master.next_advert_at;
            let next = due + interval;
            master.next_advert_at =
                if due <= turn.now && next > turn.now { next } else { turn.now + interval };
        }
    }

    fn own_address(&self) -> Option<IpAddr> {
        self.config.source.or_else(|| self.link?.address)
    }
}

fn takeover_reason(backup: &Backup, now: Instant) -> Reason {
    let master = backup.heard.map(|heard| heard.source);
    match backup.wait {
        Wait::MasterDown { since, .. } => Reason::MasterDown { master, silent: now.since(since) },
        Wait::Skew { .. } => Reason::Released { master },
        Wait::Overtake { theirs, .. } => Reason::Overtake { master, theirs: Some(theirs) },
    }
}

/// The configuration, without spans of zero after which something would be due again at once, for ever.
fn timed(config: &vrrp::Instance) -> vrrp::Instance {
    let mut timed = config.clone();
    timed.advert_interval = timed.advert_interval.max(Centis::new(1));
    timed.garp.refresh = timed.garp.refresh.filter(|every| !every.is_zero());
    timed
}

/// Both configurations lead to the same priority.
fn weighs_as(one: &vrrp::Instance, other: &vrrp::Instance) -> bool {
    one.priority == other.priority
        && one.track_interfaces == other.track_interfaces
        && one.track_scripts == other.track_scripts
}

fn family(config: &vrrp::Instance) -> Family {
    match &config.transport {
        Transport::Multicast { group } => (*group).into(),
        Transport::Unicast { peers, .. } => {
            let peer = peers.first().map(|peer| peer.address);
            config.source.or(peer).map_or(Family::V4, Family::from)
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
