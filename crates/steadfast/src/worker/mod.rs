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
//! All packets are read before deadlines are looked at: after a stall the queues hold the advertisements that
//! prove the masters alive.

mod control;
mod effects;
mod kernel;
mod link_layer;
mod link_sockets;
mod telling;
mod translate;

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use model::{Family, IfName, Instant};
use netlink::Heard;
use netlink::reconcile::Slot;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sys::clock::WallOffset;
use sys::ipc::Channel;
use sys::reactor::{Interest, Reactor, Ready, Token};
use sys::rights::Capability;
use sys::signal::{Signal, Signals};
use vrrp::{Actions, Event, Router};

use crate::log::{Level, Log};
use crate::message::{Assignment, FromWorker};
use control::{Control, Order};
use effects::Work;
use kernel::Kernel;
use link_layer::{Answer, LinkLayer};
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
    // A socket for each link: a thousand of them are beyond the usual soft limit.
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files })?;
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
    /// Lines for the log that this slice has made.
    lines: Vec<(Level, String)>,
    /// The last slice ended before the line did.
    unfinished: bool,
    /// What could not be announced because its device was not up.
    unannounced: BTreeSet<(IfName, IpAddr)>,
    heard: Vec<Heard>,
    phase: Phase,
    /// It was told to stop before it had begun.
    stops_at_once: bool,
    options: WorkerOptions,
    log: Log,
}

enum Phase {
    /// Links are not all known; the configuration may be.
    Starting(Option<Box<Assignment>>),
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
            link_layer: LinkLayer::open([ARP, NEIGHBOURS])?,
            router: Router::new(),
            actions: Actions::default(),
            work: VecDeque::new(),
            lines: Vec::new(),
            unfinished: false,
            unannounced: BTreeSet::new(),
            heard: Vec::new(),
            phase: Phase::Starting(None),
            stops_at_once: false,
            options,
            log,
        })
    }

    fn serve(mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        loop {
            self.reactor.wait(self.deadline(), &mut ready)?;
            self.clock.next_turn();
            self.router.set_wall_clock(translate::wall(&self.clock));
            self.serve_sources(&mut ready)?;
            self.begin_if_possible();
            if matches!(self.phase, Phase::Running) && self.stops_at_once {
                self.phase = Phase::Stopping;
            }
            if matches!(self.phase, Phase::Stopping) {
                return self.end();
            }
            let now = self.clock.now();
            self.announce_late(now);
            self.kernel.expire(now);
            self.link_layer.expire(now);
            self.announce_again(now);
            self.follow_endpoints_again(now);
            self.router.handle(now, Event::Deadline, &mut self.actions);
            self.take_actions();
            self.unfinished = self.work_for(SLICE) || self.kernel.has_late();
            self.write_lines();
        }
    }

    /// Serves what is ready, and what becomes ready or stays so meanwhile, within bounds: one wait reports only
    /// so many sources, and one link gives only so many packets at once.
    fn serve_sources(&mut self, ready: &mut Vec<Ready>) -> io::Result<()> {
        for _ in 0..MOST_ROUNDS {
            ready.sort_by_key(|source| source.token.0);
            let full = ready.len() >= Reactor::MOST_READY;
            let mut drained = true;
            for source in ready.drain(..) {
                drained &= self.serve_source(source)?;
            }
            if drained && !full {
                break;
            }
            self.reactor.wait(Some(Instant::ZERO), ready)?;
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Instant> {
        if self.unfinished {
            return Some(self.clock.now());
        }
        let due = self.router.deadline().map(|at| at + self.slack());
        let others = [self.kernel.deadline(), self.link_layer.deadline(), self.sockets.retry_at()];
        others.into_iter().chain([due]).flatten().min()
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

    /// Serves one source; false if more waits in it.
    fn serve_source(&mut self, source: Ready) -> io::Result<bool> {
        match source.token {
            CONTROL => self.serve_control(source),
            NETLINK => self.serve_netlink()?,
            SIGNALS => self.serve_signals()?,
            ARP => self.serve_answers(Family::V4),
            NEIGHBOURS => self.serve_answers(Family::V6),
            token => return Ok(self.serve_link(token)),
        }
        Ok(true)
    }

    fn serve_control(&mut self, source: Ready) {
        if source.writable {
            self.control.flush(&mut self.reactor);
        }
        while source.readable
            && let Some(order) = self.control.next()
        {
            match order {
                Order::Configure(assignment) => self.configure(*assignment),
                Order::ScriptDone { script, run, outcome } => {
                    self.take_event(Event::Script { name: &script, run, outcome });
                }
                Order::File { name, value } => self.take_file(&name, value),
                Order::Processes { name, count } => self.take_processes(&name, count),
                Order::Snapshot { request, clear } => self.tell_all(request, clear),
                Order::Stop => {
                    self.stop_soon();
                    break;
                }
            }
        }
    }

    fn take_file(&mut self, name: &str, value: i32) {
        match self.phase {
            Phase::Starting(_) => self.router.presume_file(name, value),
            Phase::Running | Phase::Stopping => self.take_event(Event::File { name, value }),
        }
    }

    fn take_processes(&mut self, name: &str, count: u32) {
        match self.phase {
            Phase::Starting(_) => self.router.presume_processes(name, count),
            Phase::Running | Phase::Stopping => self.take_event(Event::Processes { name, count }),
        }
    }

    fn take_event(&mut self, event: Event<'_>) {
        self.router.handle(self.clock.now(), event, &mut self.actions);
        self.take_actions();
    }

    /// One that has not begun begins first: the worker before it has left addresses, and backups that wait for a word.
    fn stop_soon(&mut self) {
        match &mut self.phase {
            Phase::Starting(Some(_)) => self.stops_at_once = true,
            Phase::Starting(None) | Phase::Running | Phase::Stopping => self.phase = Phase::Stopping,
        }
    }

    fn serve_signals(&mut self) -> io::Result<()> {
        while let Some(signal) = self.signals.next()? {
            // Also what the kernel sends when the supervisor dies.
            if signal == Signal::TERM {
                self.stop_soon();
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
        for heard in std::mem::take(&mut self.heard) {
            match heard {
                Heard::Link { name, link } => {
                    let event = Event::Link { name: &name, link: link.map(translate::link) };
                    self.router.handle(now, event, &mut self.actions);
                    if link.is_some_and(|link| link.up) {
                        self.announce_on(&name, now);
                    }
                }
                // A link that comes back under the same number has lost the memberships of its socket.
                Heard::Gone(index) => self.sockets.close(index),
                Heard::Address { .. } | Heard::NotListed(_) => {}
            }
        }
        self.follow_endpoints();
        Ok(())
    }

    /// Sends and receives where the instances are now. Sockets that are wanted no more are closed last: a
    /// router that has just been taken away still has a word to say.
    fn follow_endpoints(&mut self) {
        let wanted = self.router.endpoints();
        self.sockets.open_wanted(&wanted, self.clock.now(), &mut self.reactor);
        self.tell_sockets();
        self.take_actions();
        self.sockets.close_unwanted(&wanted);
        self.tell_sockets();
        self.take_actions();
    }

    fn tell_sockets(&mut self) {
        let now = self.clock.now();
        for (port, open) in self.sockets.take_changes() {
            self.router.handle(now, Event::Socket { port, open }, &mut self.actions);
        }
    }

    /// What could not be held when it was asked for was announced in vain.
    fn announce_late(&mut self, now: Instant) {
        while let Some(Slot { device, prefix }) = self.kernel.take_late() {
            let held = Event::Held { device: &device, address: prefix.address() };
            self.router.handle(now, held, &mut self.actions);
        }
    }

    fn announce_on(&mut self, device: &IfName, now: Instant) {
        for (_, address) in self.unannounced.extract_if(.., |(on, _)| on == device) {
            self.router.handle(now, Event::Held { device, address }, &mut self.actions);
        }
    }

    fn follow_endpoints_again(&mut self, now: Instant) {
        if self.sockets.retry_at().is_some_and(|at| at <= now) {
            self.follow_endpoints();
        }
    }

    /// False if more packets wait.
    fn serve_link(&mut self, token: Token) -> bool {
        let Some(place) = LinkSockets::place_of(token) else { return true };
        let (router, actions) = (&mut self.router, &mut self.actions);
        let drained = self.sockets.receive(place, &self.clock, |received, arrival| {
            router.handle(received, Event::Advert(arrival), actions);
        });
        self.take_actions();
        drained
    }

    fn configure(&mut self, assignment: Assignment) {
        // Now, also if the rest must wait: what is said of a tracker after this is newer.
        for (name, value) in &assignment.readings.files {
            self.router.presume_file(name, *value);
        }
        for (name, count) in &assignment.readings.processes {
            self.router.presume_processes(name, *count);
        }
        match &mut self.phase {
            Phase::Starting(waiting) => {
                // A reload that comes before the start does not know what the first assignment remembers.
                let remembered = waiting.take().map_or_else(Vec::new, |earlier| earlier.remembered);
                let remembered = [remembered, assignment.remembered].concat();
                *waiting = Some(Box::new(Assignment { remembered, ..assignment }));
            }
            Phase::Running => {
                self.kernel.configure(&assignment.config);
                self.reconfigure(&assignment);
                self.take_actions();
                self.work.push_back(Work::Tell(FromWorker::Reconfigured));
            }
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
        // Before the links are told: on older kernels only this tells a virtual address from a router's own.
        self.kernel.configure(&assignment.config);
        for (name, link) in self.kernel.links() {
            let event = Event::Link { name, link: link.map(translate::link) };
            self.router.handle(now, event, &mut self.actions);
        }
        self.reconfigure(&assignment);
        let mut left = assignment.sweep;
        left.add(&assignment.config);
        self.work.push_back(Work::Sweep(left));
        self.control.send(&FromWorker::Ready, &mut self.reactor);
    }

    fn reconfigure(&mut self, assignment: &Assignment) {
        let remembered: Vec<_> = assignment.remembered.iter().map(translate::remembered).collect();
        self.router.reconfigure(self.clock.now(), &assignment.config, &remembered, &mut self.actions);
        self.follow_endpoints();
    }

    fn serve_answers(&mut self, family: Family) {
        let (kernel, router, actions, now) =
            (&self.kernel, &mut self.router, &mut self.actions, self.clock.now());
        self.link_layer.answers(family, |Answer { link, address, mac }| {
            // A second interface on the same link answers for every address of its host.
            if let Some(device) = kernel.name_of(link).filter(|_| !kernel.is_own(mac)) {
                router.handle(now, Event::Claim { device, address, mac }, actions);
            }
        });
        self.take_actions();
    }

    /// Ends orderly: everything that stopping asks for is done, and answered by the kernel, before the last message.
    fn end(mut self) -> io::Result<()> {
        let last_words = self.work.len();
        self.router.stop(self.clock.now(), &mut self.actions);
        self.take_actions();
        self.prepare_work_for_end(last_words);
        let until = sys::clock::now() + PATIENCE_AT_END;
        let mut ready = Vec::new();
        // What the kernel refused is tried again after a pause.
        while (self.work_for(SLICE) || !self.kernel.is_idle() || !self.kernel.is_released())
            && self.clock.next_turn() < until
        {
            self.reactor.wait(Some(self.clock.now() + SLICE), &mut ready)?;
            self.kernel.drain(self.clock.now(), &mut self.heard)?;
            self.kernel.expire(self.clock.now());
        }
        self.write_lines();
        if self.work.is_empty() && self.kernel.is_released() {
            self.tell(&FromWorker::Stopped);
        } else {
            // Without that word the supervisor starts another worker that only cleans up.
            self.log.error("the kernel has not released everything in time");
        }
        let until = sys::clock::now() + LAST_WORDS;
        while !self.control.is_flushed() && sys::clock::now() < until {
            self.reactor.wait(Some(until), &mut ready)?;
            self.control.flush(&mut self.reactor);
        }
        Ok(())
    }
}

const CONTROL: Token = Token(0);
const NETLINK: Token = Token(1);
const SIGNALS: Token = Token(2);
const ARP: Token = Token(3);
const NEIGHBOURS: Token = Token(4);
/// Kernel work between two looks at the sockets and timers.
const SLICE: Duration = Duration::from_millis(1);
/// Times that sources are looked at again before deadlines are: the backlog of a stall fits into it, a flood does
/// not hold up timers.
const MOST_ROUNDS: usize = 8;
/// How long a worker that ends waits for the kernel. The supervisor gives it five seconds in all.
const PATIENCE_AT_END: Duration = Duration::from_secs(3);
/// How long a worker that ends waits for a supervisor that does not read.
const LAST_WORDS: Duration = Duration::from_secs(1);
