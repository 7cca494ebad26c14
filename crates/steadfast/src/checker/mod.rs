//! The check worker: the machine of virtual servers with its checks, its table in the kernel, and its timers.
//!
//! One task does everything but the checks themselves, which are tasks of their own, bounded in number:
//!
//! ```text
//! wait for an order, an answer of a check, the kernel, or the next deadline
//!   → the machine → its actions, in order: checks begin, the table changes, the supervisor is told
//! ```

mod addresses;
mod alarm;
mod channel;
mod kernel;
mod probes;
mod watched;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use lvs::{Action, Actions, Director, Event, ProbeId};
use model::Instant;
use model::ipvs::Change;
use model::lvs::{Check, MiscCheck, Outcome};
use sys::rights::Capability;

use crate::log::Log;
use crate::message::check::{Assignment, FromChecker, Settings};
use crate::worker::{Prepared, prepare_with};

use addresses::Addresses;
use alarm::Alarm;
use channel::{Channel, Order};
use kernel::Kernel;
use probes::{Answered, Probes};

/// Gives up every right that checks and the table do not need. To be called before any thread is started.
///
/// # Errors
/// The kernel refuses.
pub(crate) fn prepare() -> io::Result<Prepared> {
    prepare_with(&RIGHTS)
}

/// Runs the worker until the supervisor stops it or is gone. Exit codes: see [`crate::exit`].
pub(crate) fn run(_prepared: &Prepared, channel: sys::ipc::Channel, log: &Log) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            log.error(format_args!("the check worker cannot begin: {error}"));
            return ExitCode::from(crate::exit::INTERNAL);
        }
    };
    // As a task like the checks: each end of one would otherwise write to the descriptor that wakes other threads' runtimes.
    let worker = log.clone();
    let outcome = runtime
        .block_on(async { tokio::spawn(async { Worker::open(channel, worker)?.serve().await }).await });
    match outcome.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(()) => ExitCode::from(crate::exit::OK),
        Err(error) => {
            log.error(format_args!("the check worker cannot go on: {error}"));
            ExitCode::from(crate::exit::INTERNAL)
        }
    }
}

/// For the table and marked packets, for pings, to speak from low ports, and to keep memory out of swap.
const RIGHTS: [Capability; 4] =
    [Capability::CAP_NET_ADMIN, Capability::CAP_NET_RAW, Capability::CAP_NET_BIND_SERVICE, MEMORY_RIGHT];

/// With it a process that keeps its memory out of swap may go on to allocate some (`checker_no_swap`).
const MEMORY_RIGHT: Capability = Capability::CAP_IPC_LOCK;

struct Worker {
    channel: Channel,
    kernel: Kernel,
    addresses: Option<Addresses>,
    alarm: Alarm,
    director: Director,
    actions: Actions,
    probes: Probes,
    /// Configurations that wait for the host's addresses to be known.
    pending: VecDeque<Box<Assignment>>,
    /// A configuration is in force.
    has_begun: bool,
    keeps_table: bool,
    is_locked: bool,
    log: Log,
}

/// What a turn begins with.
enum Turn {
    Order(Order),
    Answer(Box<Answered>),
    Addresses(Vec<addresses::News>),
    Kernel,
    Due,
}

impl Worker {
    fn open(channel: sys::ipc::Channel, log: Log) -> io::Result<Self> {
        Ok(Self {
            channel: Channel::new(channel, log.clone())?,
            kernel: Kernel::open(log.clone())?,
            addresses: None,
            alarm: Alarm::new(),
            director: Director::new(fastrand::u64(..)),
            actions: Actions::default(),
            probes: Probes::new(),
            pending: VecDeque::new(),
            has_begun: false,
            keeps_table: false,
            is_locked: false,
            log,
        })
    }

    async fn serve(mut self) -> io::Result<()> {
        loop {
            let turn = self.next_turn().await?;
            let now = sys::clock::now();
            match turn {
                Turn::Order(Order::Stop) => return self.end(now).await,
                Turn::Order(order) => self.on_order(now, order),
                Turn::Answer(answered) => self.on_answer(now, *answered),
                Turn::Addresses(news) => self.on_addresses(now, news),
                Turn::Kernel => {}
                Turn::Due => {
                    if let Some(addresses) = &mut self.addresses {
                        addresses.expire(now);
                    }
                }
            }
            for service in self.kernel.take_gone() {
                self.own(service, false);
            }
            self.begin_if_possible(now);
            if self.director.deadline().is_some_and(|at| at <= now) {
                // Those of the next moment too, so that one wake-up begins many checks.
                self.director.handle(now + TOGETHER, Event::Deadline, &mut self.actions);
            }
            self.carry_out();
        }
    }

    async fn next_turn(&mut self) -> io::Result<Turn> {
        let due = [
            self.director.deadline(),
            self.addresses.as_ref().and_then(Addresses::deadline),
            self.kernel.deadline(),
        ];
        self.alarm.set(due.into_iter().flatten().min());
        poll_fn(|cx| {
            if let Poll::Ready(turn) = self.poll_sources(cx) {
                return Poll::Ready(turn);
            }
            self.alarm.poll(cx).map(|()| Ok(Turn::Due))
        })
        .await
    }

    /// The supervisor first: what it says makes other things needless.
    fn poll_sources(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Turn>> {
        // It goes on when there is room.
        let _flushed = self.channel.poll_flush(cx);
        if let Poll::Ready(order) = self.channel.poll_next(cx) {
            return Poll::Ready(Ok(Turn::Order(order)));
        }
        if let Some(addresses) = &mut self.addresses
            && let Poll::Ready(news) = addresses.poll_news(cx)
        {
            return Poll::Ready(news.map(Turn::Addresses));
        }
        if let Poll::Ready(outcome) = self.kernel.poll(cx) {
            return Poll::Ready(outcome.map(|()| Turn::Kernel));
        }
        self.probes.poll_answer(cx).map(|answered| Ok(Turn::Answer(Box::new(answered))))
    }

    fn on_order(&mut self, now: Instant, order: Order) {
        match order {
            Order::Configure(assignment) => self.pending.push_back(assignment),
            Order::ScriptDone { probe, run, outcome } => {
                let event = Event::Outcome { probe: ProbeId(probe), run, outcome };
                self.director.handle(now, event, &mut self.actions);
            }
            Order::File { name, value } => {
                // What waits is older than this news.
                for waiting in &mut self.pending {
                    waiting.files.insert(name.clone(), value);
                }
                self.director.handle(now, Event::File { name: &name, value }, &mut self.actions);
            }
            Order::Router { is_master } => {
                for waiting in &mut self.pending {
                    waiting.is_master = is_master;
                }
                self.kernel.follow_router(is_master);
            }
            Order::TellProgress => {
                for progress in self.director.progress() {
                    self.channel.send(&FromChecker::Progress(Box::new(progress)));
                }
                self.channel.send(&FromChecker::ProgressTold);
            }
            Order::Stop => {}
        }
    }

    fn on_answer(&mut self, now: Instant, answered: Answered) {
        let Answered { probe, run, outcome, warning } = answered;
        if let Some(warning) = warning {
            self.log.warning(warning);
        }
        self.director.handle(now, Event::Outcome { probe, run, outcome }, &mut self.actions);
    }

    fn on_addresses(&mut self, now: Instant, news: Vec<addresses::News>) {
        for (address, held) in news {
            self.director.handle(now, Event::Address { address, held }, &mut self.actions);
        }
    }

    /// Goes over to what waits, once everything is known that it depends on.
    fn begin_if_possible(&mut self, now: Instant) {
        while let Some(mut assignment) = self.pending.pop_front() {
            if assignment.config.virtual_servers.iter().any(|server| server.ha_suspend) {
                match self.knows_addresses(assignment.checkers.netlink.monitor) {
                    Ok(true) => {}
                    Ok(false) => return self.pending.push_front(assignment),
                    Err(error) => {
                        self.log.error(format_args!(
                            "ha_suspend has no effect, all servers are checked: addresses cannot be followed: {error}"
                        ));
                        let servers = &mut assignment.config.virtual_servers;
                        servers.iter_mut().for_each(|server| server.ha_suspend = false);
                    }
                }
            }
            self.configure(now, *assignment);
        }
    }

    fn knows_addresses(&mut self, buffer: model::Buffer) -> io::Result<bool> {
        if self.addresses.is_none() {
            self.addresses = Some(Addresses::open(buffer, self.log.clone())?);
        }
        Ok(self.addresses.as_ref().is_some_and(Addresses::are_known))
    }

    fn configure(&mut self, now: Instant, assignment: Assignment) {
        self.take_settings(&assignment.settings);
        self.keeps_table = assignment.keeps_table;
        self.probes.configure(assignment.config.tls.as_ref());
        self.kernel.configure(&assignment, self.has_begun);
        if !self.has_begun {
            self.director.adopt(assignment.remembered);
        }
        for (name, value) in &assignment.files {
            self.director.handle(now, Event::File { name, value: *value }, &mut self.actions);
        }
        self.director.configure(now, &assignment.config, &assignment.checkers, &mut self.actions);
        self.carry_out();
        let told = if self.has_begun { FromChecker::Reconfigured } else { FromChecker::Ready };
        self.has_begun = true;
        self.channel.send(&told);
    }

    fn take_settings(&mut self, settings: &Settings) {
        self.log.identify(settings.ident.clone());
        crate::set_process_name(&settings.name);
        if !settings.locks_memory || self.is_locked {
            return;
        }
        // Without the right what is allocated later would soon be too much for the limit, and that ends a process.
        if !sys::rights::has(MEMORY_RIGHT) {
            self.log.warning("cannot keep memory out of swap (checker_no_swap): CAP_IPC_LOCK is missing");
            return;
        }
        match sys::sched::lock_memory() {
            Ok(()) => self.is_locked = true,
            Err(error) => self.log.warning(format_args!("cannot keep memory out of swap: {error}")),
        }
    }

    /// Carries out what the machine wants, and what that leads to.
    fn carry_out(&mut self) {
        let mut actions = std::mem::take(&mut self.actions);
        while !actions.as_slice().is_empty() {
            actions.drain().for_each(|action| self.act(action));
            // The list keeps its memory.
            std::mem::swap(&mut actions, &mut self.actions);
        }
        self.actions = actions;
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Ask { probe, run, check } => self.ask(probe, run, check),
            Action::Forget { probe } => {
                self.probes.forget(probe);
                self.channel.send(&FromChecker::ForgetScript { probe: probe.0 });
            }
            Action::Table(change) => self.change_table(change),
            Action::Notify(notification) => drop(self.channel.send(&FromChecker::Notify(notification))),
            Action::State(state) => drop(self.channel.send(&FromChecker::State(state))),
            Action::Say(level, line) => self.say(level, &line),
        }
    }

    fn ask(&mut self, probe: ProbeId, run: u64, check: Arc<Check>) {
        let Check::Misc(misc) = &*check else { return self.probes.ask(probe, run, check) };
        let check: Box<MiscCheck> = misc.clone();
        if !self.channel.send(&FromChecker::RunScript { probe: probe.0, run, check }) {
            let outcome = Outcome::Unknown("its command is too long".into());
            self.director.handle(
                sys::clock::now(),
                Event::Outcome { probe, run, outcome },
                &mut self.actions,
            );
        }
    }

    fn change_table(&mut self, change: Change) {
        if let Change::SetService { service, .. } = &change {
            self.own(*service, true);
        }
        self.kernel.apply(change);
    }

    fn own(&mut self, service: model::ipvs::ServiceKey, owned: bool) {
        self.channel.send(&FromChecker::Owns { service, owned });
    }

    fn say(&self, level: lvs::Level, line: &str) {
        match level {
            lvs::Level::Detail => self.log.detail(line),
            lvs::Level::Info => self.log.info(line),
            lvs::Level::Warning => self.log.warning(line),
        }
    }

    /// Tells what is to be told, takes the services out of the table, and says so.
    async fn end(mut self, now: Instant) -> io::Result<()> {
        // Stopped before it knew the addresses: what earlier workers left is still to be taken away.
        while let Some(assignment) = self.pending.pop_front() {
            self.configure(now, *assignment);
        }
        self.director.handle(now, Event::Stop, &mut self.actions);
        self.carry_out();
        self.probes.forget_all();
        if !self.keeps_table {
            self.kernel.release();
        }
        self.wait_for_release().await?;
        let left = self.kernel.count();
        if self.keeps_table || left == 0 {
            self.channel.send(&FromChecker::Stopped);
        } else {
            // Without that word the supervisor starts another worker that only cleans up.
            self.log
                .error(format_args!("{left} virtual servers have not been taken out of the table in time"));
        }
        poll_fn(|cx| self.channel.poll_flush(cx)).await;
        Ok(())
    }

    /// What was refused, or could not be sent, is tried again as long as there is time.
    async fn wait_for_release(&mut self) -> io::Result<()> {
        let mut patience = pin!(tokio::time::sleep(MOST_RELEASE_TIME));
        poll_fn(|cx| {
            // It goes on when there is room.
            let _flushed = self.channel.poll_flush(cx);
            loop {
                let is_done = self.kernel.is_idle() && (self.keeps_table || self.kernel.count() == 0);
                if is_done || patience.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Ok(()));
                }
                if let Poll::Ready(outcome) = self.kernel.poll(cx) {
                    outcome?;
                    continue;
                }
                self.alarm.set(self.kernel.deadline());
                if self.alarm.poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

/// The kernel answers at once, or not at all.
const MOST_RELEASE_TIME: Duration = Duration::from_secs(3);

/// So much earlier than it is due a check may be made.
const TOGETHER: Duration = Duration::from_millis(10);
