//! The running supervisor: one loop over signals, the worker and the scripts.

mod checker;
mod dump;
mod end;
mod given;
mod plan;
mod reload;
mod tuning;
mod worker;

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::Context as _;
use model::Instant;
use rustix::fs::Mode;
use sys::process::{Orphans, Pid, reap_orphans};
use sys::reactor::{Interest, Reactor, Ready, Token};
use sys::signal::{Signal, Signals};
use sys::socket::process_events;

use super::control::{self, Control};
use super::dump::{Kind, Requests};
use super::life::Life;
use super::link::Role as _;
use super::news::News;
use super::pid_files::{HeldFiles, PidFile};
use super::roles::{Checkers, Vrrp};
use super::schedule::Schedule;
use super::service::Service;
use super::verdict::Losses;
use super::{Start, report};
use crate::cli::Options;
use crate::control::socket_of;
use crate::exit;
use crate::log::Log;
use crate::message::Remembered;
use crate::script::{Policy, Runner};
use crate::tracker::Trackers;

use end::Stopping;
use given::Given;
pub(super) use tuning::{advert_bytes, supervisor_name};

/// The running supervisor.
pub(super) struct Daemon<'a> {
    start: Start<'a>,
    log: Log,
    arguments: Vec<OsString>,
    reactor: Reactor,
    signals: Signals,
    runner: Runner,
    news: News,
    schedule: Schedule,
    trackers: Trackers,
    service: Service,
    config: model::Config,
    /// What the file lost on its way to `config`.
    losses: Losses,
    vrrp: Life<Vrrp>,
    checker: Life<Checkers>,
    servers: checker::Servers,
    remembered: BTreeMap<String, Remembered>,
    /// A worker has been ready, and none has said since that it has released everything.
    is_unreleased: bool,
    given: Given,
    /// `startup_script` runs: no worker is started before its end.
    is_starting: bool,
    stopping: Option<Stopping>,
    /// The process that the shell waits for, until it has been told.
    background: Option<sys::process::Daemon>,
    pid_file: PidFile,
    dumps: Requests,
    /// When this daemon began.
    started_at: Instant,
    /// The real-time priority that the worker has got for running late.
    raised_to: Option<u8>,
    control: Control,
    /// Processes that were left to this one may have ended.
    orphans_due: bool,
}

/// What a daemon begins with.
pub(super) struct Beginning {
    pub(super) signals: Signals,
    pub(super) service: Service,
    /// The process that the shell waits for.
    pub(super) background: Option<sys::process::Daemon>,
    /// Those of the command line, for the worker to be started with.
    pub(super) arguments: Vec<OsString>,
    /// Of the network namespace that the daemon was started in.
    pub(super) process_events: Option<process_events::Socket>,
}

impl<'a> Daemon<'a> {
    pub(super) fn new(start: Start<'a>, beginning: Beginning, held: HeldFiles) -> anyhow::Result<Self> {
        let Beginning { signals, service, background, arguments, process_events } = beginning;
        let mut reactor = Reactor::new().context("cannot make an epoll loop")?;
        reactor.add(&signals, SIGNALS, Interest::Read).context("cannot watch signals")?;
        let vrrp = Life::new(start.log.clone(), held.vrrp);
        let checker = Life::new(start.log.clone(), held.checkers);
        Ok(Self {
            log: start.log.clone(),
            runner: Runner::new(start.log.clone()),
            news: News::new(start.log.clone()),
            schedule: Schedule::new(start.log.clone()),
            trackers: Trackers::new(start.log.clone(), process_events),
            start,
            arguments,
            reactor,
            signals,
            service,
            config: model::Config::default(),
            losses: Losses::default(),
            vrrp,
            checker,
            servers: checker::Servers::default(),
            remembered: BTreeMap::new(),
            is_unreleased: false,
            given: Given::default(),
            is_starting: true,
            stopping: None,
            background,
            pid_file: held.main,
            dumps: Requests::default(),
            started_at: sys::clock::now(),
            raised_to: None,
            control: Control::default(),
            orphans_due: false,
        })
    }

    /// Runs `config` until a signal or a permanent error ends the daemon. Returns the exit code.
    pub(super) fn run(mut self, config: model::Config, losses: Losses) -> anyhow::Result<u8> {
        self.trackers.begin(&config.vrrp);
        self.listen();
        self.take_over(config, losses);
        if let Some(script) = &self.config.global.startup {
            let now = sys::clock::now();
            self.runner.run_lifecycle(&mut self.reactor, now, "startup_script", script);
        }
        let mut ready = Vec::new();
        loop {
            self.begin_if_ready();
            self.wind_up(sys::clock::now());
            if let Some(code) = self.finished() {
                return Ok(self.leave(code));
            }
            self.reactor.wait(self.deadline(), &mut ready).context("cannot wait for events")?;
            for event in &ready {
                self.on_ready(*event)?;
            }
            self.on_deadline(sys::clock::now());
            self.deliver_answers();
            self.deliver_check_answers();
            self.reap_orphans()?;
        }
    }

    /// Starts the first worker, once `startup_script` has ended.
    fn begin_if_ready(&mut self) {
        if !self.is_starting || self.runner.is_in_lifecycle() || self.stopping.is_some() {
            return;
        }
        self.is_starting = false;
        if !self.start.has_work(&self.config) {
            self.say_that_nothing_runs();
            self.is_up();
        }
        if self.start.has_servers(&self.config) {
            self.start_checker();
        }
        if self.start.has_routers(&self.config) && self.stopping.is_none() {
            self.start_worker();
        }
    }

    /// Takes questions, if the pid file is ours: the name beside it is too then.
    fn listen(&mut self) {
        if !self.pid_file.is_held() {
            return;
        }
        let path = socket_of(&self.start.pid_files.main);
        match Control::listen(&path, &mut self.reactor) {
            Ok(control) => self.control = control,
            Err(error) => self.log.info(format_args!("nobody can ask at {}: {error}", path.display())),
        }
    }

    fn say_that_nothing_runs(&self) {
        let path = self.start.files.path().display();
        let lacks = match (self.start.options.vrrp, self.start.options.load_balancing) {
            (true, true) => "neither vrrp_instance nor virtual_server",
            (true, false) => "no vrrp_instance, and the command line excludes health checks (-P)",
            (false, _) => "no virtual_server, and the command line excludes VRRP (-C)",
        };
        self.log.warning(format_args!("there is nothing to run: {path} configures {lacks}"));
    }

    /// As the first process of a container this one inherits those whose parents have ended.
    fn reap_orphans(&mut self) -> anyhow::Result<()> {
        if self.orphans_due {
            // Behind a child of this daemon: when that one has been reaped, a turn from now at the latest.
            self.orphans_due = reap_orphans().context("cannot reap orphans")? != Orphans::Done;
        }
        Ok(())
    }

    fn on_ready(&mut self, event: Ready) -> anyhow::Result<()> {
        match event.token {
            SIGNALS => self.on_signals(),
            token if token == Vrrp::TOKENS.channel => {
                if event.writable {
                    self.vrrp.flush(&mut self.reactor);
                }
                self.on_messages();
                Ok(())
            }
            token if token == Vrrp::TOKENS.child => self.on_worker_end(),
            token if token == Checkers::TOKENS.channel => {
                if event.writable {
                    self.checker.flush(&mut self.reactor);
                }
                self.on_checker_messages();
                Ok(())
            }
            token if token == Checkers::TOKENS.child => self.on_checker_end(),
            token if control::is_ours(token) => {
                self.on_control(token);
                Ok(())
            }
            token => {
                self.trackers.on_ready(sys::clock::now(), token);
                self.news.on_ready(&mut self.reactor, token);
                self.runner.on_ready(&mut self.reactor, sys::clock::now(), token);
                Ok(())
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let stop = self.stopping.map(|stopping| stopping.until);
        let deadlines = [
            self.runner.deadline(),
            self.trackers.deadline(),
            self.vrrp.restart_at(),
            self.checker.restart_at(),
            stop,
        ];
        deadlines.into_iter().chain([self.winds_up_at(), self.schedule.deadline()]).flatten().min()
    }

    fn on_deadline(&mut self, now: Instant) {
        self.runner.on_deadline(&mut self.reactor, now);
        self.trackers.on_deadline(now);
        if self.schedule.is_due(now) && self.stopping.is_none() {
            self.reload();
        }
        if self.checker.is_due(now) {
            self.start_checker();
        }
        if self.vrrp.is_due(now) {
            self.start_worker();
        }
        if let Some(stopping) = self.stopping.filter(|stopping| stopping.until <= now && !stopping.forced) {
            self.force(now, stopping);
        }
    }

    // Signals.

    fn on_signals(&mut self) -> anyhow::Result<()> {
        // However many came, one reading of the files answers them all.
        let mut reload = false;
        while let Some(signal) = self.signals.next().context("cannot read signals")? {
            match signal {
                Signal::HUP => reload = true,
                Signal::CHLD => self.orphans_due = true,
                Signal::INT if self.start.options.ignore_sigint => {}
                Signal::TERM | Signal::INT => self.stop(exit::OK),
                Signal::USR1 => self.ask_for_dump(Kind::State),
                Signal::USR2 => self.ask_for_dump(Kind::Statistics),
                other if Some(other) == Signal::realtime(JSON_OFFSET) => self.ask_for_dump(Kind::Json),
                other if Some(other) == Signal::realtime(STATS_CLEAR_OFFSET) => {
                    self.ask_for_dump(Kind::StatisticsAndClear);
                }
                // No other is taken.
                _ => {}
            }
        }
        if reload && self.stopping.is_none() {
            self.reload();
        }
        Ok(())
    }

    fn take_over(&mut self, config: model::Config, losses: Losses) {
        if self.start.options.dump_config {
            self.dump(&config);
        }
        if self.start.options.umask.is_none() {
            rustix::process::umask(Mode::from_raw_mode(config.global.files.umask.get().into()));
        }
        self.runner.configure(&config.vrrp, &config.lvs, Policy::from(&config.global));
        self.servers.permit(&config.lvs);
        self.schedule.configure(&config.global.reload);
        self.news.configure(&mut self.reactor, &mut self.runner, sys::clock::now(), &config);
        self.trackers.configure(&mut self.reactor, sys::clock::now(), &config.vrrp);
        self.config = config;
        self.losses = losses;
    }

    fn dump(&self, config: &model::Config) {
        match report::dump(config) {
            Ok(text) => self.log.info(text),
            Err(error) => self.log.error(format_args!("cannot show the configuration: {error}")),
        }
    }

    /// Lets the process go that the shell waits for, and tells the service manager.
    fn is_up(&mut self) {
        self.service.is_up(&self.log);
        let Some(background) = self.background.take() else { return };
        // The console's lines must be out before it is closed.
        self.log.flush(crate::log::PATIENCE_AT_EXIT);
        if let Err(error) = background.ready() {
            self.log.warning(format_args!("cannot let go of the terminal: {error}"));
        }
    }

    /// The same, once every worker that is wanted has been ready.
    pub(super) fn is_up_if_ready(&mut self) {
        let routers = self.start.has_routers(&self.config) && self.vrrp.is_unproven();
        let servers = self.start.has_servers(&self.config) && self.checker.is_unproven();
        if !routers && !servers {
            self.is_up();
        }
    }

    const fn background_is_told(&self) -> bool {
        self.background.is_none()
    }
}

/// `config` without what the command line excludes.
pub(super) fn restrict(mut config: model::Config, options: &Options) -> model::Config {
    if !options.load_balancing {
        config.lvs = model::lvs::Config::default();
    }
    if !options.vrrp {
        // Real servers may look at files.
        let files = std::mem::take(&mut config.vrrp.files);
        config.vrrp = model::vrrp::Config { files, ..model::vrrp::Config::default() };
    }
    config
}

/// The signals that the supervisor takes.
pub(super) fn signals() -> Vec<Signal> {
    let realtime = [JSON_OFFSET, STATS_CLEAR_OFFSET].into_iter().filter_map(Signal::realtime);
    // Its own children end by their pidfds; only the first process of a container gets those of others.
    let orphans = (Pid::own().number() == 1).then_some(Signal::CHLD);
    let plain = [Signal::HUP, Signal::INT, Signal::TERM, Signal::USR1, Signal::USR2];
    plain.into_iter().chain(realtime).chain(orphans).collect()
}

/// `SIGRTMIN + 2` asks for the JSON dump.
pub(super) const JSON_OFFSET: u8 = 2;

/// `SIGRTMAX - 1` asks for the statistics to be zeroed; the C library counts 34 to 64.
pub(super) const STATS_CLEAR_OFFSET: u8 = 29;

const SIGNALS: Token = Token(0);
