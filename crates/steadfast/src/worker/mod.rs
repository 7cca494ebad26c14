//! The vrrp worker: the machine with its sockets, timers and kernel work.
//!
//! A turn of its loop, which nothing but the wait at its start may block:
//!
//! ```text
//! wait for a source or the next deadline
//!   → supervisor's orders → netlink → advertisements, each with its receive time → due deadlines
//!   → advertisements out → at most a millisecond of kernel work, announcements and notifications
//! ```
//!
//! Packets are read before deadlines are looked at: after a stall the queue holds the advertisements that
//! prove the master alive.

mod control;
mod kernel;
mod link_layer;
mod link_sockets;
mod translate;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use model::vrrp::VirtualAddress;
use model::{IfName, Instant};
use sys::clock::WallOffset;
use sys::ipc::Channel;
use sys::reactor::{Interest, Reactor, Ready, Token};
use sys::rights::Capability;
use sys::signal::{Signal, Signals};
use vrrp::{Action, Actions, Event, Router};

use crate::log::{Level, Log};
use crate::message::{Assignment, FromWorker, Remembered};
use control::{Control, Order};
use kernel::{Heard, Kernel};
use link_layer::LinkLayer;
use link_sockets::LinkSockets;

/// What the command line tells the vrrp worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerOptions {
    /// `-V`: addresses stay at exit.
    pub(crate) keep_addresses: bool,
    /// `-X`: addresses are dropped before all else when a signal ends mastership.
    pub(crate) release_vips: bool,
    /// `-a`: every change of an address is logged.
    pub(crate) address_monitoring: bool,
}

/// A process in which no thread has been started yet: signals and rights are those of the threads to come.
pub(crate) struct Prepared {
    signals: Signals,
}

/// Gives up every right that VRRP does not need, and takes the signals. To be called before any thread is started.
///
/// # Errors
/// The kernel refuses.
pub(crate) fn prepare() -> io::Result<Prepared> {
    sys::rights::keep_only(&KEPT_RIGHTS).map_err(io::Error::other)?;
    // The terminal and service managers signal the whole group: only the supervisor decides what that means.
    let signals = [Signal::TERM, Signal::INT, Signal::HUP, Signal::USR1, Signal::USR2, Signal::PIPE];
    Ok(Prepared { signals: Signals::new(&signals)? })
}

/// Runs the worker until the supervisor stops it or is gone. Exit codes: see [`crate::exit`].
pub(crate) fn run(prepared: Prepared, channel: Channel, log: &Log, options: WorkerOptions) -> ExitCode {
    if let Some(missing) = KEPT_RIGHTS.into_iter().find(|right| !sys::rights::has(*right)) {
        log.error(format_args!(
            "the capability {missing} is missing: start as root, or grant it (systemd: AmbientCapabilities={missing})"
        ));
        return ExitCode::from(crate::exit::PERMISSION);
    }
    match Worker::open(prepared, channel, log.clone(), options).and_then(Worker::serve) {
        Ok(()) => ExitCode::from(crate::exit::OK),
        Err(error) => {
            log.error(format_args!("the vrrp worker cannot go on: {error}"));
            ExitCode::from(crate::exit::INTERNAL)
        }
    }
}

const KEPT_RIGHTS: [Capability; 2] = [Capability::CAP_NET_ADMIN, Capability::CAP_NET_RAW];

struct Worker {
    reactor: Reactor,
    clock: WallOffset,
    signals: Signals,
    control: Control,
    kernel: Kernel,
    sockets: LinkSockets,
    link_layer: LinkLayer,
    router: Router,
    actions: Actions,
    /// Effects that wait for their slice of time, oldest first.
    work: VecDeque<Work>,
    heard: Vec<Heard>,
    phase: Phase,
    options: WorkerOptions,
    log: Log,
}

/// What waits for its slice of time.
enum Work {
    Effect(Action),
    /// Release what an earlier run left. It stands behind the effects that say what is to be kept.
    Sweep(Vec<VirtualAddress>),
}

enum Phase {
    /// Links are not all known; the configuration may be.
    Starting(Option<Assignment>),
    Running,
    Stopping,
}

impl Worker {
    fn open(prepared: Prepared, channel: Channel, log: Log, options: WorkerOptions) -> io::Result<Self> {
        sys::sched::exact_timers()?;
        let mut reactor = Reactor::new()?;
        let kernel = Kernel::open(log.clone(), options.address_monitoring)?;
        reactor.add(&kernel, NETLINK, Interest::Read)?;
        reactor.add(&prepared.signals, SIGNALS, Interest::Read)?;
        Ok(Self {
            control: Control::new(channel, CONTROL, &mut reactor, log.clone())?,
            reactor,
            clock: WallOffset::sample(),
            signals: prepared.signals,
            kernel,
            sockets: LinkSockets::new(log.clone()),
            link_layer: LinkLayer::open(ARP)?,
            router: Router::new(),
            actions: Actions::default(),
            work: VecDeque::new(),
            heard: Vec::new(),
            phase: Phase::Starting(None),
            options,
            log,
        })
    }

    fn serve(mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        loop {
            self.reactor.wait(self.deadline(), &mut ready)?;
            self.clock.next_turn();
            for source in ready.drain(..) {
                self.serve_source(source)?;
            }
            self.begin_if_possible();
            if matches!(self.phase, Phase::Stopping) {
                return self.end();
            }
            self.link_layer.expire(self.clock.now());
            self.router.handle(self.clock.now(), Event::Deadline, &mut self.actions);
            self.take_actions();
            self.work_for(SLICE)?;
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if !self.work.is_empty() {
            return Some(self.clock.now());
        }
        let due = self.router.deadline().map(|at| at + self.slack());
        [due, self.kernel.deadline(), self.link_layer.deadline()].into_iter().flatten().min()
    }

    /// How late a deadline may be so that several are met by one wake-up. Few instances want to be exact,
    /// many want the processor for other things.
    fn slack(&self) -> Duration {
        match self.router.len() {
            0..=32 => Duration::ZERO,
            33..=250 => Duration::from_micros(250),
            _ => Duration::from_micros(500),
        }
    }

    fn serve_source(&mut self, source: Ready) -> io::Result<()> {
        match source.token {
            CONTROL => self.serve_control(source),
            NETLINK => self.serve_netlink(),
            SIGNALS => self.serve_signals(),
            ARP => {
                self.serve_answers();
                Ok(())
            }
            token => {
                self.serve_link(token);
                Ok(())
            }
        }
    }

    fn serve_control(&mut self, source: Ready) -> io::Result<()> {
        if source.writable {
            self.control.flush(&mut self.reactor);
        }
        while source.readable
            && let Some(order) = self.control.next()
        {
            match order {
                Order::Configure(assignment) => self.configure(assignment),
                Order::ScriptDone { script, run, outcome } => {
                    let event = Event::Script { name: &script, run, outcome };
                    self.router.handle(self.clock.now(), event, &mut self.actions);
                    self.take_actions();
                }
                Order::Stop => {
                    self.phase = Phase::Stopping;
                    break;
                }
            }
        }
        Ok(())
    }

    fn serve_signals(&mut self) -> io::Result<()> {
        while let Some(signal) = self.signals.next()? {
            // Also what the kernel sends when the supervisor dies.
            if signal == Signal::TERM {
                self.phase = Phase::Stopping;
            }
        }
        Ok(())
    }

    fn serve_netlink(&mut self) -> io::Result<()> {
        let now = self.clock.now();
        self.kernel.drain(now, &mut self.heard)?;
        if self.heard.is_empty() {
            return Ok(());
        }
        for Heard { name, link } in std::mem::take(&mut self.heard) {
            self.router.handle(now, Event::Link { name: &name, link }, &mut self.actions);
        }
        self.sockets.follow(&self.router.endpoints(), &mut self.reactor);
        self.take_actions();
        Ok(())
    }

    fn serve_link(&mut self, token: Token) {
        let Some(link) = LinkSockets::link_of(token) else { return };
        let (router, actions) = (&mut self.router, &mut self.actions);
        self.sockets.receive(link, &self.clock, |received, arrival| {
            router.handle(received, Event::Advert(arrival), actions);
        });
        self.take_actions();
    }

    fn configure(&mut self, assignment: Assignment) {
        match &mut self.phase {
            Phase::Starting(waiting) => *waiting = Some(assignment),
            Phase::Running => self.reconfigure(&assignment),
            Phase::Stopping => {}
        }
    }

    fn begin_if_possible(&mut self) {
        let Phase::Starting(waiting) = &mut self.phase else { return };
        if !self.kernel.is_synchronised() {
            return;
        }
        let Some(assignment) = waiting.take() else { return };
        self.phase = Phase::Running;
        let now = self.clock.now();
        for Heard { name, link } in self.kernel.links() {
            self.router.handle(now, Event::Link { name: &name, link }, &mut self.actions);
        }
        self.reconfigure(&assignment);
        let instances = assignment.config.instances.into_iter();
        self.work.push_back(Work::Sweep(instances.flat_map(|instance| instance.addresses).collect()));
        self.control.send(&FromWorker::Ready, &mut self.reactor);
    }

    fn reconfigure(&mut self, assignment: &Assignment) {
        let remembered: Vec<_> = assignment.remembered.iter().map(translate::remembered).collect();
        self.router.reconfigure(self.clock.now(), &assignment.config, &remembered, &mut self.actions);
        self.sockets.follow(&self.router.endpoints(), &mut self.reactor);
        self.take_actions();
    }

    /// Sends advertisements at once and puts everything else in line.
    fn take_actions(&mut self) {
        for action in self.actions.drain() {
            match action {
                Action::Transmit(outgoing) => self.sockets.transmit(&outgoing),
                other => self.work.push_back(Work::Effect(other)),
            }
        }
    }

    /// Works through the line for about `slice`. Address changes that were begun come first: what stands behind
    /// them in the line may need them.
    fn work_for(&mut self, slice: Duration) -> io::Result<()> {
        let until = sys::clock::now() + slice;
        loop {
            if !self.kernel.step(self.clock.now())? {
                match self.work.pop_front() {
                    None => return Ok(()),
                    Some(Work::Effect(action)) => self.carry_out(action)?,
                    Some(Work::Sweep(addresses)) => self.kernel.sweep(&addresses),
                }
            }
            if sys::clock::now() >= until {
                return Ok(());
            }
        }
    }

    fn carry_out(&mut self, action: Action) -> io::Result<()> {
        match action {
            Action::Transmit(outgoing) => self.sockets.transmit(&outgoing),
            Action::Hold(holding) => self.kernel.hold(self.clock.now(), holding)?,
            Action::Announce(announce) => self.announce(&announce),
            Action::Probe { device, address } => self.probe(&device, address),
            Action::Notice(notice) => self.log.write(level(notice.level()), &notice),
            Action::Changed(change) => self.log.info(&change),
            Action::Notify(notification) => self.tell(&FromWorker::Notify(notification.into())),
            Action::RunScript { script, run } => {
                self.tell(&FromWorker::RunScript { script: script.to_string(), run });
            }
            Action::Publish { instance, state, priority } => {
                let (instance, at) = (instance.to_string(), self.clock.now());
                let last = Remembered { instance, state: state.into(), priority: priority.get(), at };
                self.tell(&FromWorker::State(last));
            }
            Action::Withdraw { instance } => {
                self.tell(&FromWorker::Gone { instance: instance.to_string() });
            }
        }
        Ok(())
    }

    fn tell(&mut self, message: &FromWorker) {
        self.control.send(message, &mut self.reactor);
    }

    fn announce(&mut self, announce: &vrrp::Announce) {
        let (device, count) = (&announce.device, announce.count);
        let IpAddr::V4(address) = announce.address else { return };
        let Some((link, mac)) = self.kernel.device(device) else { return };
        match self.link_layer.announce(link, mac, address, count) {
            Ok(()) => self.log.detail(format_args!("sent {count} gratuitous ARP on {device} for {address}")),
            Err(error) => self.log.warning(format_args!("cannot announce {address} on {device}: {error}")),
        }
    }

    fn probe(&mut self, device: &IfName, address: IpAddr) {
        let IpAddr::V4(address) = address else { return };
        let Some((link, mac)) = self.kernel.device(device) else { return };
        let now = self.clock.now();
        if let Err(error) = self.link_layer.probe(now, link, mac, address, &mut self.reactor) {
            self.log.detail(format_args!("cannot ask on {device} who has {address}: {error}"));
        }
    }

    fn serve_answers(&mut self) {
        for _ in 0..MOST_ANSWERS {
            let Some(answer) = self.link_layer.answer() else { break };
            let Some(device) = self.kernel.name_of(answer.link) else { continue };
            // A second interface on the same link answers for every address of its host.
            if !self.kernel.is_own(answer.mac) {
                let claim = Event::Claim { device, address: answer.address, mac: answer.mac };
                self.router.handle(self.clock.now(), claim, &mut self.actions);
            }
        }
        self.take_actions();
    }

    /// Ends orderly: everything that stopping asks for is done before the last message.
    fn end(mut self) -> io::Result<()> {
        self.router.stop(self.clock.now(), &mut self.actions);
        self.take_actions();
        if self.options.keep_addresses {
            self.work.retain(|work| !matches!(work, Work::Effect(Action::Hold(_))));
        }
        while !self.work.is_empty() {
            self.work_for(SLICE)?;
        }
        while self.kernel.step(self.clock.now())? {}
        self.tell(&FromWorker::Stopped);
        let until = sys::clock::now() + LAST_WORDS;
        let mut ready = Vec::new();
        while !self.control.is_flushed() && sys::clock::now() < until {
            self.reactor.wait(Some(until), &mut ready)?;
            self.control.flush(&mut self.reactor);
        }
        Ok(())
    }
}

const fn level(level: vrrp::Level) -> Level {
    match level {
        vrrp::Level::Detail => Level::Detail,
        vrrp::Level::Info => Level::Notice,
        vrrp::Level::Warning => Level::Warning,
    }
}

const CONTROL: Token = Token(0);
const NETLINK: Token = Token(1);
const SIGNALS: Token = Token(2);
const ARP: Token = Token(3);
/// Kernel work between two looks at the sockets and timers.
const SLICE: Duration = Duration::from_millis(1);
/// ARP frames that are read in a turn: a flood of them must not keep timers waiting.
const MOST_ANSWERS: usize = 64;
/// How long a worker that ends waits for a supervisor that does not read.
const LAST_WORDS: Duration = Duration::from_secs(1);
