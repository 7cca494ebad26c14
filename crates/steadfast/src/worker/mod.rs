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
mod filter;
mod kernel;
mod link_layer;
mod link_polls;
mod link_sockets;
mod own_links;
mod promotion;
mod settings;
mod telling;
mod translate;

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use model::{Family, IfName, Instant};
use netlink::reconcile::Slot;
use netlink::{Heard, Standing};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sys::clock::WallOffset;
use sys::ipc::Channel;
use sys::process::Pid;
use sys::reactor::{Interest, Reactor, Ready, Token};
use sys::rights::Capability;
use sys::signal::{Signal, Signals};
use vrrp::{Actions, Event, Router};

use crate::log::{Level, Log};
use crate::message::{Assignment, FromWorker};
use control::{Control, Order};
use effects::Work;
use filter::Filter;
use kernel::Kernel;
use link_layer::{Answer, LinkLayer};
use link_polls::LinkPolls;
use link_sockets::LinkSockets;
use own_links::OwnLinks;
use promotion::Promotion;

/// What the command line tells the vrrp worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerOptions {
    /// `-V`: addresses stay at exit.
    pub(crate) keep_addresses: bool,
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
    prepare_with(&[&NEEDED_RIGHTS[..], &[MEMORY_RIGHT]].concat())
}

/// The same, with these rights.
pub(crate) fn prepare_with(rights: &[Capability]) -> io::Result<Prepared> {
    sys::rights::keep_only(rights).map_err(io::Error::other)?;
    // A socket for each link: a thousand of them are beyond the usual soft limit.
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files })?;
    // The terminal and service managers signal the whole group: only the supervisor decides what that means.
    let signals =
        [Signal::TERM, Signal::INT, Signal::HUP, Signal::USR1, Signal::USR2, Signal::PIPE, Signal::XCPU];
    Ok(Prepared { signals: Signals::new(&signals)? })
}

/// Runs the worker until the supervisor stops it or is gone. Exit codes: see [`crate::exit`].
pub(crate) fn run(prepared: Prepared, channel: Channel, log: &Log, options: WorkerOptions) -> ExitCode {
    if let Some(missing) = NEEDED_RIGHTS.into_iter().find(|right| !sys::rights::has(*right)) {
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

const NEEDED_RIGHTS: [Capability; 2] = [Capability::CAP_NET_ADMIN, Capability::CAP_NET_RAW];

/// With it a process that keeps its memory out of swap may go on to allocate some (`vrrp_no_swap`).
const MEMORY_RIGHT: Capability = Capability::CAP_IPC_LOCK;

struct Worker {
    reactor: Reactor,
    clock: WallOffset,
    signals: Signals,
    supervisor: Option<Pid>,
    control: Control,
    kernel: Kernel,
    own_links: OwnLinks,
    link_polls: LinkPolls,
    filter: Filter,
    sockets: LinkSockets,
    link_layer: LinkLayer,
    promotion: Promotion,
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
    /// Until when the first configuration may wait for interfaces of its own.
    begins_by: Option<Instant>,
    /// A configuration that waits for interfaces of its own, and for how long at most.
    pending: Option<(Box<Assignment>, Instant)>,
    /// It was told to stop before it had begun.
    stops_at_once: bool,
    punctuality: settings::Punctuality,
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
        let own_links = OwnLinks::open(log.clone())?;
        let link_polls = LinkPolls::new(log.clone())?;
        reactor.add(&kernel, NETLINK, Interest::Read)?;
        reactor.add(&own_links, OWN_LINKS, Interest::Read)?;
        reactor.add(&link_polls, LINK_POLLS, Interest::Read)?;
        reactor.add(&prepared.signals, SIGNALS, Interest::Read)?;
        Ok(Self {
            control: Control::new(channel, CONTROL, &mut reactor, log.clone())?,
            reactor,
            clock: WallOffset::sample(),
            signals: prepared.signals,
            supervisor: Pid::parent(),
            kernel,
            own_links,
            link_polls,
            filter: Filter::new(log.clone()),
            sockets: LinkSockets::new(log.clone()),
            promotion: Promotion::default(),
            link_layer: LinkLayer::open([ARP, NEIGHBOURS])?,
            router: Router::new(),
            actions: Actions::default(),
            work: VecDeque::new(),
            lines: Vec::new(),
            unfinished: false,
            unannounced: BTreeSet::new(),
            heard: Vec::new(),
            phase: Phase::Starting(None),
            begins_by: None,
            pending: None,
            stops_at_once: false,
            punctuality: settings::Punctuality::default(),
            options,
            log,
        })
    }

    fn serve(mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        loop {
            let due = self.deadline();
            self.reactor.wait(due, &mut ready)?;
            let now = self.clock.next_turn();
            self.note_lateness(due, now);
            if due.is_some_and(|at| at <= now) {
                // The process may have been stopped between the end of the wait and this look at the clock: what has come
                // since is to be heard before anything is judged by that clock.
                self.reactor.wait(Some(Instant::ZERO), &mut ready)?;
            }
            self.router.set_wall_clock(translate::wall(&self.clock));
            self.serve_sources(&mut ready)?;
            self.tend_own_links();
            self.begin_if_possible();
            self.reconfigure_if_possible();
            if matches!(self.phase, Phase::Running) && self.stops_at_once {
                self.phase = Phase::Stopping;
            }
            if matches!(self.phase, Phase::Stopping) {
                return self.end();
            }
            // Not by a later look at the clock: what came between this one and that may not have been read.
            self.announce_late(now);
            self.kernel.expire(now);
            self.link_layer.expire(now);
            self.announce_again(now);
            self.follow_endpoints_again(now);
            self.router.handle(now, Event::Deadline, &mut self.actions);
            self.take_actions();
            self.unfinished = self.work_for(SLICE) || self.kernel.has_late();
            self.unfinished |= self.own_links.awaits_release() && self.kernel.is_idle();
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
        let waits = self.pending.as_ref().map(|(_, until)| *until);
        let others = [
            self.kernel.deadline(),
            self.own_links.deadline(),
            self.filter.deadline(),
            self.link_layer.deadline(),
            self.sockets.retry_at(),
            self.begins_by,
            waits,
        ];
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
            OWN_LINKS => self.serve_own_links()?,
            FILTER => self.filter.hear(self.clock.now()),
            LINK_POLLS => self.serve_link_polls()?,
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
                Order::Bfd { session, up } => self.take_session(&session, up),
                Order::Snapshot { request, clear } => self.tell_all(request, clear),
                Order::Foretell { request, assignment } => self.foretell(request, &assignment),
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

    fn take_session(&mut self, session: &str, up: bool) {
        match self.phase {
            Phase::Starting(_) => self.router.presume_session(session, up),
            Phase::Running | Phase::Stopping => self.take_event(Event::Bfd { session, up }),
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
        while let Some((signal, sender)) = self.signals.next_and_sender()? {
            if signal == Signal::TERM {
                // The kernel sends it when the supervisor dies, maybe before its end of the channel is closed.
                if sender.is_some() && sender == self.supervisor {
                    self.control.tell_gone();
                }
                self.stop_soon();
            }
            if signal == Signal::XCPU {
                self.log
                    .warning("more real-time processor time without a pause than vrrp_rlimit_rttime allows");
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
                    self.own_links.review(&name);
                    self.filter.review();
                    self.take_link(&name, link, now);
                }
                // A link that comes back under the same number has lost the memberships of its socket.
                Heard::Gone(index) => self.sockets.close(index),
                Heard::Address { address, there } => {
                    let (link, address) = (address.index, address.prefix.address());
                    self.router.handle(now, Event::Address { link, address, there }, &mut self.actions);
                }
                Heard::NotListed(_) => {}
            }
        }
        self.follow_endpoints();
        Ok(())
    }

    /// A link is so now, as far as the machine may know.
    fn take_link(&mut self, name: &IfName, link: Option<Standing>, now: Instant) {
        if self.own_links.heals(name, self.kernel.mirror()) {
            return;
        }
        let link = self.visible(name, link);
        self.router.handle(now, Event::Link { name, link: link.map(translate::link) }, &mut self.actions);
        if link.is_some_and(|link| link.up) {
            self.announce_on(name, now);
        }
    }

    /// The link as the machine may know it: one of ours that is not ready is not there, and one that is polled is up only
    /// if the polls do not say otherwise.
    fn visible(&self, name: &IfName, link: Option<Standing>) -> Option<Standing> {
        let link = self.own_links.visible(name, link)?;
        Some(Standing { up: link.up && !self.link_polls.say_down(name), ..link })
    }

    fn serve_link_polls(&mut self) -> io::Result<()> {
        let changed = self.link_polls.take_changes()?;
        self.review_links(changed);
        Ok(())
    }

    fn review_links(&mut self, names: impl IntoIterator<Item = IfName>) {
        // The machine is told of all links when it begins.
        if matches!(self.phase, Phase::Starting(_)) {
            return;
        }
        for name in names {
            self.take_link(&name, self.kernel.standing(&name), self.clock.now());
        }
        self.follow_endpoints();
    }

    /// Sends and receives where the instances are now. Sockets that are wanted no more are closed last: a
    /// router that has just been taken away still has a word to say.
    fn follow_endpoints(&mut self) {
        let mut wanted = self.router.endpoints();
        // One that is being made anew has another number then.
        let heals = |name: &IfName| self.own_links.heals(name, self.kernel.mirror());
        wanted.retain(|endpoint| !endpoint.name.as_ref().is_some_and(heals));
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
        let drained = self.sockets.receive(place, &mut self.clock, |received, arrival| {
            router.handle(received, Event::Advert(arrival), actions);
        });
        self.take_actions();
        drained
    }

    fn configure(&mut self, assignment: Assignment) {
        self.take_settings(&assignment.settings);
        // Now, also if the rest must wait: what is said of a tracker after this is newer.
        for (name, value) in &assignment.readings.files {
            self.router.presume_file(name, *value);
        }
        for (name, count) in &assignment.readings.processes {
            self.router.presume_processes(name, *count);
        }
        for (session, up) in &assignment.readings.sessions {
            self.router.presume_session(session, *up);
        }
        match &mut self.phase {
            Phase::Starting(waiting) => {
                // A reload that comes before the start does not know what the first assignment remembers.
                let remembered = waiting.take().map_or_else(Vec::new, |earlier| earlier.remembered);
                let remembered = [remembered, assignment.remembered].concat();
                *waiting = Some(Box::new(Assignment { remembered, ..assignment }));
            }
            Phase::Running => {
                // What it needs is made before it is in force, so that no instance is without its interface.
                self.filter.configure(&assignment, &mut self.reactor);
                self.own_links.add(&assignment.config);
                let until = self.clock.now() + PATIENCE_WITH_LINKS;
                if self.pending.replace((Box::new(assignment), until)).is_some() {
                    // The earlier one has been overtaken before it was in force.
                    self.work.push_back(Work::Tell(FromWorker::Reconfigured));
                }
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
        if !self.own_links_stand(&assignment) {
            self.phase = Phase::Starting(Some(assignment));
            return;
        }
        self.phase = Phase::Running;
        self.begins_by = None;
        let now = self.clock.now();
        // Before the links are told: it tells a virtual address from a router's own.
        let _all_are_told = self.kernel.configure(&assignment.config);
        for (name, link) in self.kernel.links() {
            let link = self.visible(name, link);
            let event = Event::Link { name, link: link.map(translate::link) };
            self.router.handle(now, event, &mut self.actions);
        }
        for (link, address) in self.kernel.addresses() {
            let event = Event::Address { link, address, there: true };
            self.router.handle(now, event, &mut self.actions);
        }
        if let Some(until) = assignment.settings.quiet_until {
            self.router.delay_start(now, until, &mut self.actions);
        }
        self.reconfigure(&assignment);
        let mut left = assignment.sweep;
        left.add(&assignment.config);
        self.work.push_back(Work::Sweep(left));
        self.control.send(&FromWorker::Ready, &mut self.reactor);
    }

    /// Whether all interfaces are there that instances make for themselves, or no more can be waited for them.
    fn own_links_stand(&mut self, assignment: &Assignment) -> bool {
        let now = self.clock.now();
        if self.begins_by.is_none() {
            self.filter.configure(assignment, &mut self.reactor);
        }
        self.own_links.set(&assignment.config, &assignment.daemon);
        self.own_links.sweep(self.kernel.mirror());
        self.tend_own_links();
        let until = *self.begins_by.get_or_insert(now + PATIENCE_WITH_LINKS);
        self.own_links.is_settled() || until <= now
    }

    /// Goes over to the configuration that waits, if it can be.
    fn reconfigure_if_possible(&mut self) {
        let now = self.clock.now();
        let may_begin = |until: &Instant| self.own_links.is_settled() || *until <= now;
        let Some((assignment, _)) = self.pending.take_if(|(_, until)| may_begin(until)) else { return };
        let with_other_sources = self.kernel.configure(&assignment.config);
        self.reconfigure(&assignment);
        self.take_actions();
        self.review_links(with_other_sources);
        self.work.push_back(Work::Tell(FromWorker::Reconfigured));
        self.own_links.set(&assignment.config, &assignment.daemon);
        self.tend_own_links();
    }

    fn serve_own_links(&mut self) -> io::Result<()> {
        self.own_links.take_bell()?;
        self.serve_netlink()?;
        self.own_links.take_results(self.clock.now(), self.kernel.mirror());
        Ok(())
    }

    /// Begins what is due about interfaces of our own, and tells the machine which of them it can use.
    fn tend_own_links(&mut self) {
        let now = self.clock.now();
        if self.kernel.is_idle() {
            self.filter.forget_released();
        }
        // Before a VMAC comes up: the first thing that the kernel does then is to tell of memberships.
        self.filter.sync(now, self.kernel.mirror(), &self.own_links);
        let is_released = self.work.is_empty() && self.kernel.is_idle();
        self.own_links.step(now, self.kernel.mirror(), is_released);
        let changed = self.own_links.take_changes();
        if !changed.is_empty() {
            self.review_links(changed);
        }
    }

    fn reconfigure(&mut self, assignment: &Assignment) {
        let no_longer_polled = self.link_polls.set(&assignment.config);
        self.work.push_back(Work::Keep(Box::new(assignment.config.statics.clone())));
        let remembered: Vec<_> = assignment.remembered.iter().map(translate::remembered).collect();
        self.router.reconfigure(self.clock.now(), &assignment.config, &remembered, &mut self.actions);
        self.review_links(no_longer_polled);
    }

    fn serve_answers(&mut self, family: Family) {
        let (kernel, router, actions, now) =
            (&self.kernel, &mut self.router, &mut self.actions, self.clock.now());
        // What a VMAC wants to know was asked on the interface below it.
        let vmacs = self.own_links.vmacs(kernel.mirror());
        self.link_layer.answers(family, |Answer { link, address, mac }| {
            // A second interface on the same link answers for every address of its host.
            if kernel.is_own(mac) {
                return;
            }
            let above = vmacs.iter().filter(|(_, base)| *base == link).map(|(own, _)| *own);
            for device in above.chain([link]).filter_map(|link| kernel.name_of(link)) {
                router.handle(now, Event::Claim { device, address, mac }, actions);
            }
        });
        self.take_actions();
    }

    fn is_released(&self) -> bool {
        self.kernel.is_released() && (self.options.keep_addresses || self.own_links.is_released())
    }

    /// Interfaces of our own go after the addresses on them, unless the operator wants these to stay.
    fn release_own_links(&mut self) {
        if self.options.keep_addresses {
            return;
        }
        let (now, mirror) = (self.clock.now(), self.kernel.mirror());
        self.own_links.take_results(now, mirror);
        self.own_links.release();
        let is_released = self.work.is_empty() && self.kernel.is_idle() && self.kernel.is_released();
        self.own_links.step(now, mirror, is_released);
    }

    /// Ends orderly: everything that stopping asks for is done, and answered by the kernel, before the last message.
    fn end(mut self) -> io::Result<()> {
        let last_words = self.work.len();
        self.router.stop(self.clock.now(), &mut self.actions);
        self.take_actions();
        if !self.options.keep_addresses {
            self.work.push_back(Work::Keep(Box::default()));
        }
        self.prepare_work_for_end(last_words);
        self.release_own_links();
        let until = sys::clock::now() + PATIENCE_AT_END;
        let mut ready = Vec::new();
        // What the kernel refused is tried again after a pause.
        while (self.work_for(SLICE) || !self.kernel.is_idle() || !self.is_released())
            && self.clock.next_turn() < until
        {
            self.release_own_links();
            self.reactor.wait(Some(self.clock.now() + SLICE), &mut ready)?;
            self.kernel.drain(self.clock.now(), &mut self.heard)?;
            self.heard.drain(..).for_each(|heard| {
                if let Heard::Link { name, .. } = heard {
                    self.own_links.review(&name);
                }
            });
            self.kernel.expire(self.clock.now());
        }
        if !self.options.keep_addresses {
            self.filter.release(self.clock.now());
        }
        self.restore_promotion();
        self.write_lines();
        if self.work.is_empty() && self.is_released() {
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
const OWN_LINKS: Token = Token(8);
const FILTER: Token = Token(9);
const LINK_POLLS: Token = Token(10);
/// Kernel work between two looks at the sockets and timers.
const SLICE: Duration = Duration::from_millis(1);
/// Times that sources are looked at again before deadlines are: the backlog of a stall fits into it, a flood does
/// not hold up timers.
const MOST_ROUNDS: usize = 8;
/// How long a configuration waits for the interfaces that its instances make.
const PATIENCE_WITH_LINKS: Duration = Duration::from_secs(2);
/// How long a worker that ends waits for the kernel. The supervisor gives it five seconds in all.
const PATIENCE_AT_END: Duration = Duration::from_secs(3);
/// How long a worker that ends waits for a supervisor that does not read.
const LAST_WORDS: Duration = Duration::from_secs(1);
