//! What the vrrp worker of the daemon does, turn by turn, over a kernel that is none.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::vrrp::Config;
use model::{IfName, Instant};
use netlink::reconcile::Slot;
use netlink::{Heard, Held, Keeper, Standing};
use vrrp::{
    Action, Actions, Announce, Arrival, Event, Holding, InstanceId, Link, Outgoing, Remembered, Router,
};

use super::kernel::Kernel;
use super::{Effect, Frame, Input, Readings};

/// The worker's state.
#[derive(Clone, Debug)]
pub(crate) struct Daemon {
    router: Router,
    keeper: Keeper<InstanceId>,
    /// Effects that wait for their turn, oldest first.
    line: VecDeque<Work>,
    /// What could not be announced because its device was not up.
    unannounced: BTreeSet<(IfName, IpAddr)>,
    heard: Vec<Heard>,
    phase: Phase,
    /// It was told to stop before it had begun.
    stops_at_once: bool,
    config: Arc<Config>,
    /// What it has been told of tracked things.
    readings: Readings,
    /// What the worker before it ran with.
    former: Vec<Arc<Config>>,
    /// When it gives up to wait for the kernel at its end.
    ends_by: Option<Instant>,
    /// There is more to do at once.
    unfinished: Option<Instant>,
}

#[derive(Clone, Debug)]
enum Work {
    Effect(Action),
    Sweep,
}

#[derive(Clone, Debug)]
enum Phase {
    /// Links are not all known.
    Starting(Vec<Remembered>),
    Running,
    Stopping,
    Ended,
}

impl Daemon {
    pub(crate) fn new(
        now: Instant,
        config: Arc<Config>,
        former: Vec<Arc<Config>>,
        remembered: Vec<Remembered>,
    ) -> Self {
        Self {
            router: Router::new(),
            keeper: Keeper::new(),
            line: VecDeque::new(),
            unannounced: BTreeSet::new(),
            heard: Vec::new(),
            phase: Phase::Starting(remembered),
            stops_at_once: false,
            config,
            readings: Readings::default(),
            former,
            ends_by: None,
            unfinished: Some(now),
        }
    }

    pub(crate) const fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// Whether effects wait for their turn, or for the kernel.
    pub(crate) fn has_work(&self) -> bool {
        !self.line.is_empty() || !self.keeper.is_idle()
    }

    pub(crate) const fn is_stopping(&self) -> bool {
        matches!(self.phase, Phase::Stopping | Phase::Ended)
    }

    /// What the supervisor tells it of tracked things as it starts.
    pub(crate) fn know(&mut self, readings: Readings) {
        self.readings = readings;
    }

    /// The router, once it has a configuration and until it is stopped.
    pub(crate) const fn router(&self) -> Option<&Router> {
        match self.phase {
            Phase::Running => Some(&self.router),
            Phase::Starting(_) | Phase::Stopping | Phase::Ended => None,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let own = [self.unfinished, self.router.deadline(), self.keeper.deadline(), self.ends_by];
        own.into_iter().flatten().min()
    }

    /// One turn; gives how long the kernel kept it waiting.
    pub(crate) fn turn(
        &mut self,
        now: Instant,
        inbox: Vec<Input>,
        generation: u32,
        kernel: &mut Kernel,
        cost: Duration,
        effects: &mut Vec<Effect>,
    ) -> Duration {
        let mut actions = Actions::default();
        self.hear(now, inbox, generation, &mut actions, effects);
        let began = self.begin_if_possible(now, &mut actions);
        if !matches!(self.phase, Phase::Stopping) {
            self.announce_late(now, &mut actions);
            self.keeper.expire(now);
            self.router.handle(now, Event::Deadline, &mut actions);
        }
        self.take(&mut actions, effects);
        if began {
            self.line.push_back(Work::Sweep);
            effects.push(Effect::Began);
            if self.stops_at_once {
                self.stop(now, &mut actions, effects);
                self.take(&mut actions, effects);
            }
        }
        let busy = self.work(now, kernel, cost, effects);
        if matches!(self.phase, Phase::Stopping) && self.may_end(now) {
            self.phase = Phase::Ended;
        }
        busy
    }

    /// In the worker's order: the supervisor's messages, netlink, packets.
    fn hear(
        &mut self,
        now: Instant,
        inbox: Vec<Input>,
        generation: u32,
        actions: &mut Actions,
        effects: &mut Vec<Effect>,
    ) {
        let mut frames = Vec::new();
        let mut from_kernel = Vec::new();
        for input in inbox {
            match input {
                Input::Script { generation: of, name, run, outcome } if of == generation => {
                    self.router.handle(now, Event::Script { name: &name, run, outcome }, actions);
                }
                Input::Tracked { generation: of, reading } if of == generation => {
                    if matches!(self.phase, Phase::Running) {
                        self.router.handle(now, reading.event(), actions);
                    }
                    self.readings.take(reading);
                }
                Input::Kernel { generation: of, events } if of == generation => from_kernel.extend(events),
                Input::Reload { generation: of, config } if of == generation => {
                    self.reload(now, config, actions);
                }
                Input::Stop { generation: of } if of == generation => self.stop(now, actions, effects),
                Input::Overrun { generation: of } if of == generation => self.keeper.resynchronise(),
                Input::Frame { at, port, frame } => frames.push((at, port, frame)),
                Input::Script { .. }
                | Input::Tracked { .. }
                | Input::Kernel { .. }
                | Input::Overrun { .. }
                | Input::Reload { .. }
                | Input::Stop { .. } => {}
            }
        }
        self.keeper.hear(now, from_kernel, &mut self.heard);
        self.serve_netlink(now, actions);
        if matches!(self.phase, Phase::Running) {
            for (at, port, frame) in frames {
                self.receive(now, at, &port, &frame, actions);
            }
        }
    }

    fn serve_netlink(&mut self, now: Instant, actions: &mut Actions) {
        for heard in std::mem::take(&mut self.heard) {
            let Heard::Link { name, link } = heard else { continue };
            if !matches!(self.phase, Phase::Running) {
                continue;
            }
            let link = link.map(as_heard);
            self.router.handle(now, Event::Link { name: &name, link }, actions);
            if link.is_some_and(|link| link.up) {
                for (_, address) in self.unannounced.extract_if(.., |(on, _)| *on == name) {
                    self.router.handle(now, Event::Held { device: &name, address }, actions);
                }
            }
        }
    }

    fn receive(&mut self, now: Instant, at: Instant, port: &IfName, frame: &Frame, actions: &mut Actions) {
        match frame {
            Frame::Advert { source, destination, bytes, .. } => {
                let Some((link, _)) = self.keeper.device(port) else { return };
                let way = (*source, *destination);
                if let Some(arrival) = Arrival::read(Some(link), way, wire::vrrp::TTL, bytes) {
                    self.router.handle(at, Event::Advert(arrival), actions);
                }
            }
            Frame::Answer { address, mac } if !self.keeper.is_own(*mac) => {
                let claim = Event::Claim { device: port, address: *address, mac: *mac };
                self.router.handle(now, claim, actions);
            }
            Frame::Answer { .. } | Frame::Announce { .. } | Frame::Ask { .. } => {}
        }
    }

    /// Whether it did.
    fn begin_if_possible(&mut self, now: Instant, actions: &mut Actions) -> bool {
        let Phase::Starting(remembered) = &mut self.phase else { return false };
        if !self.keeper.is_synchronised() {
            return false;
        }
        let remembered = std::mem::take(remembered);
        self.phase = Phase::Running;
        let _all_are_told = self.keeper.configure(&self.config);
        for (name, link) in self.keeper.links() {
            let link = link.map(as_heard);
            self.router.handle(now, Event::Link { name, link }, actions);
        }
        self.readings.presume(&self.config, &mut self.router);
        self.router.reconfigure(now, &self.config, &remembered, actions);
        true
    }

    fn announce_late(&mut self, now: Instant, actions: &mut Actions) {
        while let Some(Slot { device, prefix }) = self.keeper.take_late() {
            let held = Event::Held { device: &device, address: prefix.address() };
            self.router.handle(now, held, actions);
        }
    }

    fn reload(&mut self, now: Instant, config: Arc<Config>, actions: &mut Actions) {
        self.config = config;
        if matches!(self.phase, Phase::Running) {
            let with_other_sources = self.keeper.configure(&self.config);
            self.readings.presume(&self.config, &mut self.router);
            self.router.reconfigure(now, &self.config, &[], actions);
            for name in with_other_sources {
                let link = self.keeper.standing(&name).map(as_heard);
                self.router.handle(now, Event::Link { name: &name, link }, actions);
            }
        }
    }

    fn stop(&mut self, now: Instant, actions: &mut Actions, effects: &mut Vec<Effect>) {
        match self.phase {
            Phase::Running => {}
            // As in the worker: it begins first.
            Phase::Starting(_) => {
                self.stops_at_once = true;
                return;
            }
            Phase::Stopping | Phase::Ended => return,
        }
        // What was asked for in this turn already goes before.
        self.take(actions, effects);
        // Of what waits, nothing is taken up or told to the links any more.
        self.line.retain(|work| match work {
            Work::Effect(Action::Hold(holding)) => holding.is_release(),
            Work::Effect(Action::Announce(_) | Action::Probe { .. }) => false,
            Work::Effect(_) | Work::Sweep => true,
        });
        self.router.stop(now, actions);
        self.phase = Phase::Stopping;
        self.ends_by = Some(now + PATIENCE_AT_END);
    }

    fn may_end(&self, now: Instant) -> bool {
        let done = self.line.is_empty() && self.keeper.is_idle() && self.keeper.is_released();
        done || self.ends_by.is_some_and(|by| by <= now)
    }

    /// Sends advertisements at once and puts everything else in line.
    fn take(&mut self, actions: &mut Actions, effects: &mut Vec<Effect>) {
        for action in actions.drain() {
            match action {
                Action::Transmit(outgoing) => self.transmit(outgoing, effects),
                other => self.line.push_back(Work::Effect(other)),
            }
        }
    }

    fn transmit(&self, outgoing: Arc<Outgoing>, effects: &mut Vec<Effect>) {
        if let Some(port) = outgoing.link.and_then(|link| self.keeper.name_of(link)) {
            for destination in outgoing.destinations() {
                let mut bytes = Vec::new();
                outgoing.emit(destination, &mut bytes);
                let (source, vrid) = (outgoing.source, outgoing.vrid);
                let frame = Frame::Advert {
                    source,
                    destination,
                    vrid,
                    priority: outgoing.priority,
                    bytes: bytes.into(),
                };
                effects.push(Effect::Send { port: port.clone(), frame });
            }
        }
        effects.push(Effect::Did(Action::Transmit(outgoing)));
    }

    /// Works through the line. A kernel that takes its time keeps it waiting after each batch.
    fn work(
        &mut self,
        now: Instant,
        kernel: &mut Kernel,
        cost: Duration,
        effects: &mut Vec<Effect>,
    ) -> Duration {
        self.unfinished = None;
        loop {
            let issued = self.keeper.step(now);
            self.keeper.take_reports();
            self.keeper.take_routing_reports();
            let requests = kernel.carry_out(self.keeper.batch());
            self.keeper.sent();
            if issued > 0 && !cost.is_zero() {
                let busy = cost * requests;
                self.unfinished = Some(now + busy);
                return busy;
            }
            if issued == 0 {
                match self.line.pop_front() {
                    None => break,
                    Some(Work::Sweep) => self.sweep(),
                    Some(Work::Effect(action)) => self.carry_out(action, effects),
                }
            }
        }
        if self.keeper.has_late() {
            self.unfinished = Some(now);
        }
        Duration::ZERO
    }

    fn sweep(&mut self) {
        let former = std::mem::take(&mut self.former);
        let configs = std::iter::once(&self.config).chain(&former);
        let instances: Vec<_> = configs.flat_map(|config| &config.instances).collect();
        let (routes, rules) =
            (instances.iter().flat_map(|one| &one.routes), instances.iter().flat_map(|one| &one.rules));
        self.keeper.sweep_routing(routes, rules);
        self.keeper.sweep(instances.iter().flat_map(|instance| &instance.addresses));
    }

    fn carry_out(&mut self, action: Action, effects: &mut Vec<Effect>) {
        match &action {
            Action::Transmit(outgoing) => return self.transmit(Arc::clone(outgoing), effects),
            Action::Hold(holding) => self.hold(holding),
            Action::Announce(announce) => self.announce(announce, effects),
            Action::Probe { device, address } => {
                let frame = Frame::Ask { address: *address };
                effects.push(Effect::Send { port: device.clone(), frame });
            }
            Action::RunScript { script, run } => {
                effects.push(Effect::Run { name: Arc::clone(script), run: *run });
            }
            Action::Notice(notice) => {
                effects.push(Effect::Said(notice.clone()));
                return;
            }
            Action::Notify(_)
            | Action::NotifyGroup(_)
            | Action::Publish { .. }
            | Action::Withdraw { .. }
            | Action::Changed(_) => {}
        }
        effects.push(Effect::Did(action));
    }

    fn hold(&mut self, holding: &Holding) {
        self.keeper.route(holding.instance, &holding.name, &holding.routes, &holding.rules);
        let held = self.keeper.hold(holding.instance, &holding.name, &holding.addresses);
        if held == Held::AfterRelease {
            self.line.push_front(Work::Effect(Action::Hold(holding.clone())));
        }
    }

    fn announce(&mut self, announce: &Announce, effects: &mut Vec<Effect>) {
        let up = self.keeper.standing(&announce.device).is_some_and(|link| link.up);
        let Some((_, mac)) = self.keeper.device(&announce.device).filter(|_| up) else {
            self.unannounced.insert((announce.device.clone(), announce.address));
            return;
        };
        for _ in 0..announce.count {
            let frame = Frame::Announce { address: announce.address, mac };
            effects.push(Effect::Send { port: announce.device.clone(), frame });
        }
    }
}

/// A link as the keeper tells it, for the machine.
const fn as_heard(standing: Standing) -> Link {
    Link { index: standing.index, up: standing.up, sources: standing.sources }
}

/// How long a worker that ends waits for the kernel.
const PATIENCE_AT_END: Duration = Duration::from_secs(3);
