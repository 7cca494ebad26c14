//! The running supervisor: one loop over signals, the worker and the scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::time::Duration;

use anyhow::Context as _;
use model::Instant;
use sys::pidfile;
use sys::process::{Exit, Pid};
use sys::reactor::{Interest, Reactor, Ready, Token};
use sys::signal::{Signal, Signals};

use super::backoff::Backoff;
use super::link::{Link, LinkError, Tokens};
use super::pid_files::AlreadyRunning;
use super::report::{self, Console};
use super::{Start, check_rights};
use crate::cli::Options;
use crate::exit;
use crate::log::Log;
use crate::message::{Assignment, FromWorker, Remembered, ToWorker};
use crate::program;
use crate::script::{Runner, Security};

/// The running supervisor.
pub(super) struct Daemon<'a> {
    start: Start<'a>,
    log: Log,
    arguments: Vec<OsString>,
    reactor: Reactor,
    signals: Signals,
    runner: Runner,
    config: model::Config,
    link: Option<Link>,
    remembered: BTreeMap<String, Remembered>,
    backoff: Backoff,
    /// No worker has ever been ready.
    unproven: bool,
    restart_at: Option<Instant>,
    stopping: Option<Stopping>,
    /// The process that the shell waits for, until it has been told.
    background: Option<sys::process::Daemon>,
    _pid_file: Option<pidfile::Held>,
    vrrp_pid_file: Option<pidfile::Held>,
    /// Signals whose feature is not built yet and that were answered so.
    unanswered: BTreeSet<i32>,
}

/// An ordered stop under way.
#[derive(Clone, Copy, Debug)]
struct Stopping {
    /// What the daemon leaves with.
    code: u8,
    /// When patience ends.
    until: Instant,
    /// It has ended before: everything was killed.
    forced: bool,
}

impl<'a> Daemon<'a> {
    pub(super) fn new(
        start: Start<'a>,
        signals: Signals,
        background: Option<sys::process::Daemon>,
        arguments: Vec<OsString>,
        pid_file: Option<pidfile::Held>,
    ) -> anyhow::Result<Self> {
        let mut reactor = Reactor::new().context("cannot make an epoll loop")?;
        reactor.add(&signals, SIGNALS, Interest::Read).context("cannot watch signals")?;
        Ok(Self {
            log: start.log.clone(),
            runner: Runner::new(start.log.clone()),
            start,
            arguments,
            reactor,
            signals,
            config: model::Config::default(),
            link: None,
            remembered: BTreeMap::new(),
            backoff: Backoff::default(),
            unproven: true,
            restart_at: None,
            stopping: None,
            background,
            _pid_file: pid_file,
            vrrp_pid_file: None,
            unanswered: BTreeSet::new(),
        })
    }

    /// Runs `config` until a signal or a permanent error ends the daemon. Returns the exit code.
    pub(super) fn run(mut self, config: model::Config) -> anyhow::Result<u8> {
        self.take_over(config);
        if self.config.vrrp.instances.is_empty() {
            self.log.warning("there is nothing to run in the configuration");
            self.is_up();
        } else {
            self.start_worker();
        }
        let mut ready = Vec::new();
        loop {
            if let Some(code) = self.finished() {
                return Ok(self.leave(code));
            }
            self.reactor.wait(self.deadline(), &mut ready).context("cannot wait for events")?;
            for event in &ready {
                self.on_ready(*event)?;
            }
            self.on_deadline(sys::clock::now());
            self.deliver_answers();
        }
    }

    fn on_ready(&mut self, event: Ready) -> anyhow::Result<()> {
        match event.token {
            SIGNALS => self.on_signals(),
            CHANNEL => {
                if event.writable
                    && let Some(link) = &mut self.link
                {
                    let outcome = link.flush(&mut self.reactor, TOKENS);
                    self.expect_link(outcome);
                }
                self.on_messages();
                Ok(())
            }
            WORKER => self.on_worker_end(),
            token => {
                self.runner.on_ready(&mut self.reactor, sys::clock::now(), token);
                Ok(())
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let stop = self.stopping.map(|stopping| stopping.until);
        [self.runner.deadline(), self.restart_at, stop].into_iter().flatten().min()
    }

    fn on_deadline(&mut self, now: Instant) {
        self.runner.on_deadline(&mut self.reactor, now);
        if self.restart_at.is_some_and(|at| at <= now) {
            self.restart_at = None;
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
                Signal::INT if self.start.options.ignore_sigint => {}
                Signal::TERM | Signal::INT => self.stop(exit::OK),
                other => self.not_built(other),
            }
        }
        if reload && self.stopping.is_none() {
            self.reload();
        }
        Ok(())
    }

    fn not_built(&mut self, signal: Signal) {
        if self.unanswered.insert(signal.number()) {
            self.log.warning(format_args!("{signal}: state and statistics dumps are not built yet"));
        }
    }

    // Configuration.

    fn reload(&mut self) {
        self.log.notice(format_args!("Reloading {}", self.start.files.path().display()));
        let reading = self.start.files.read();
        let shown = self.start.options.log_console && self.background_is_told();
        report::to_log(&self.log, &reading.loaded, if shown { Console::Shown } else { Console::Hidden });
        let config = match reading.usable() {
            Ok(config) => restrict(config.clone(), self.start.options),
            Err(unusable) => {
                self.log.error(format_args!(
                    "RELOAD REFUSED, the previous configuration stays in force: {unusable}"
                ));
                return;
            }
        };
        if self.link.is_none()
            && !config.vrrp.instances.is_empty()
            && let Err(missing) = check_rights()
        {
            self.log.error(format_args!("RELOAD REFUSED: {missing}"));
            return;
        }
        if config == self.config {
            self.log.info("the configuration means the same as before: nothing changes");
        }
        self.take_over(config);
        self.assign_anew();
    }

    /// Hands the changed configuration to the running worker, or starts one if this is the first with instances.
    fn assign_anew(&mut self) {
        if let Some(link) = &mut self.link {
            let assignment = Assignment { config: self.config.vrrp.clone(), remembered: Vec::new() };
            let outcome = link.assign(&mut self.reactor, TOKENS, &assignment);
            self.expect_link(outcome);
        } else if self.restart_at.is_none() && !self.config.vrrp.instances.is_empty() {
            self.start_worker();
        }
    }

    fn take_over(&mut self, config: model::Config) {
        if self.start.options.dump_config {
            self.dump(&config);
        }
        let security = if config.global.script_security { Security::Enforced } else { Security::Warned };
        self.runner.configure(&config.vrrp, security);
        self.config = config;
    }

    fn dump(&self, config: &model::Config) {
        match report::dump(config) {
            Ok(text) => self.log.info(text),
            Err(error) => self.log.error(format_args!("cannot show the configuration: {error}")),
        }
    }

    // The worker.

    fn start_worker(&mut self) {
        if let Err(running) = self.claim_vrrp_pid_file() {
            self.log.error(&running);
            self.stop(exit::OK);
            return;
        }
        let assignment = Assignment {
            config: self.config.vrrp.clone(),
            remembered: self.remembered.values().cloned().collect(),
        };
        let started = Link::start(self.start.program, &self.arguments, &mut self.reactor, TOKENS).and_then(
            |mut link| {
                link.assign(&mut self.reactor, TOKENS, &assignment)?;
                Ok(link)
            },
        );
        match started {
            Ok(link) => self.worker_started(link),
            Err(error) => {
                self.log.error(format_args!("{:#}", anyhow::Error::from(error)));
                self.schedule_restart();
            }
        }
    }

    fn worker_started(&mut self, link: Link) {
        self.log.info(format_args!("Starting VRRP child process, pid={}", link.pid()));
        if let Some(file) = &mut self.vrrp_pid_file
            && let Err(error) = file.rewrite(link.pid())
        {
            self.log.warning(format_args!("{:#}", anyhow::Error::from(error)));
        }
        self.link = Some(link);
    }

    fn claim_vrrp_pid_file(&mut self) -> Result<(), AlreadyRunning> {
        if self.vrrp_pid_file.is_none() {
            let files = &self.start.pid_files;
            self.vrrp_pid_file = files.claim(&files.vrrp, Pid::own(), &self.log)?;
        }
        Ok(())
    }

    fn on_messages(&mut self) {
        while let Some(link) = &mut self.link {
            match link.next(&mut self.reactor) {
                Ok(Some(message)) => self.on_message(message),
                Ok(None) => return,
                Err(error) => {
                    // One of the two does not understand the other: only a fresh worker can help.
                    self.expect_link(Err(error));
                    return;
                }
            }
        }
    }

    fn on_message(&mut self, message: FromWorker) {
        let now = sys::clock::now();
        match message {
            FromWorker::Ready => {
                self.unproven = false;
                self.log.detail("the vrrp worker is ready");
                self.is_up();
            }
            FromWorker::RunScript { script, run } => {
                self.runner.check(&mut self.reactor, now, &script, run);
            }
            FromWorker::Notify(notification) => {
                self.runner.notify(&mut self.reactor, now, &notification);
            }
            FromWorker::State(state) => {
                self.remembered.insert(state.instance.clone(), state);
            }
            FromWorker::Gone { instance } => {
                self.remembered.remove(&instance);
                // One that is another virtual router now, or was configured again meanwhile, keeps its scripts.
                if !self.config.vrrp.instances.iter().any(|one| one.name == instance) {
                    self.runner.forget_instance(&instance);
                }
            }
            FromWorker::Stopped => self.log.detail("the vrrp worker has released everything"),
        }
    }

    fn on_worker_end(&mut self) -> anyhow::Result<()> {
        // Its last words count.
        self.on_messages();
        let Some(link) = &mut self.link else { return Ok(()) };
        let Some(exit) = link.try_wait().context("cannot wait for the vrrp worker")? else { return Ok(()) };
        let pid = link.pid();
        link.unwatch(&mut self.reactor);
        self.link = None;
        self.runner.abandon_checks(sys::clock::now());
        if self.stopping.is_some() {
            return Ok(());
        }
        match exit {
            Exit::Code(code) if exit::is_permanent(code) => {
                self.log.error(format_args!(
                    "vrrp worker (pid {pid}) exited with permanent error {code}: the daemon stops"
                ));
                self.stop(code);
            }
            exit => self.worker_died(pid, exit),
        }
        Ok(())
    }

    fn worker_died(&mut self, pid: Pid, exit: Exit) {
        let now = sys::clock::now();
        for last in self.remembered.values_mut() {
            // What it reported an hour ago was still so.
            last.at = now;
        }
        let how = match exit {
            Exit::Code(code) => format!("exited with status {code}"),
            Exit::Signal(signal) => format!("was killed by {signal}"),
        };
        if self.unproven && self.backoff.deaths() >= MOST_DEATHS_AT_START {
            self.log.error(format_args!(
                "vrrp worker (pid {pid}) {how} again and was never ready: the daemon stops"
            ));
            self.stop(exit::INTERNAL);
        } else if self.start.options.respawn {
            self.log.error(format_args!("vrrp worker (pid {pid}) {how}: it is started again"));
            self.schedule_restart();
        } else {
            self.log.error(format_args!("vrrp worker (pid {pid}) {how}: the daemon stops"));
            self.stop(exit::FATAL);
        }
    }

    fn schedule_restart(&mut self) {
        if self.stopping.is_none() {
            self.restart_at = Some(self.backoff.died(sys::clock::now()));
        }
    }

    fn deliver_answers(&mut self) {
        for answer in self.runner.take_answers() {
            let Some(link) = &mut self.link else { return };
            let outcome = link.say(&mut self.reactor, TOKENS, &answer);
            self.expect_link(outcome);
        }
    }

    /// A worker that cannot be talked to is killed, and so started anew.
    fn expect_link(&self, outcome: Result<(), LinkError>) {
        if let Err(error) = outcome
            && let Some(link) = &self.link
        {
            self.log.error(format_args!("{:#}: it is killed", anyhow::Error::from(error)));
            link.kill();
        }
    }

    // The end.

    fn stop(&mut self, code: u8) {
        if self.stopping.is_some() {
            return;
        }
        self.log.notice("Stopping");
        let now = sys::clock::now();
        self.stopping = Some(Stopping { code, until: now + CHILD_WAIT_TIME, forced: false });
        self.restart_at = None;
        self.runner.abandon_checks(now);
        if let Some(link) = &mut self.link {
            let outcome = link.say(&mut self.reactor, TOKENS, &ToWorker::Stop);
            self.expect_link(outcome);
        }
    }

    /// Patience has ended.
    fn force(&mut self, now: Instant, stopping: Stopping) {
        if let Some(link) = &self.link {
            self.log.warning(format_args!(
                "vrrp worker (pid {}) has not stopped within {} s: it is killed",
                link.pid(),
                CHILD_WAIT_TIME.as_secs()
            ));
            link.kill();
        }
        self.runner.terminate_all(now);
        self.stopping = Some(Stopping { until: now + LAST_WAIT, forced: true, ..stopping });
    }

    /// The exit code, once nothing is left to wait for.
    fn finished(&self) -> Option<u8> {
        let stopping = self.stopping?;
        let quiet = self.link.is_none() && !self.runner.is_notifying() && !self.runner.is_running();
        let given_up = stopping.forced && stopping.until <= sys::clock::now();
        (quiet || given_up).then_some(stopping.code)
    }

    fn leave(self, code: u8) -> u8 {
        self.runner.kill_all();
        if let Some(background) = self.background {
            background.failed(code);
        }
        self.log.notice(format_args!("Stopped {}", program::VERSION_LINE));
        code
    }

    /// Lets the process go that the shell waits for.
    fn is_up(&mut self) {
        let Some(background) = self.background.take() else { return };
        // The console's lines must be out before it is closed.
        self.log.flush(crate::log::PATIENCE_AT_EXIT);
        if let Err(error) = background.ready() {
            self.log.warning(format_args!("cannot let go of the terminal: {error}"));
        }
    }

    const fn background_is_told(&self) -> bool {
        self.background.is_none()
    }
}

/// `config` without what the command line excludes.
pub(super) fn restrict(mut config: model::Config, options: &Options) -> model::Config {
    if !options.vrrp {
        config.vrrp = model::vrrp::Config::default();
    }
    config
}

/// The signals that the supervisor takes.
pub(super) fn signals() -> Vec<Signal> {
    let realtime = [JSON_OFFSET, STATS_CLEAR_OFFSET].into_iter().filter_map(Signal::realtime);
    [Signal::HUP, Signal::INT, Signal::TERM, Signal::USR1, Signal::USR2].into_iter().chain(realtime).collect()
}

/// `SIGRTMIN + 2` asks for the JSON dump.
pub(super) const JSON_OFFSET: u8 = 2;

/// `SIGRTMAX - 1` asks for the statistics to be zeroed; the C library counts 34 to 64.
pub(super) const STATS_CLEAR_OFFSET: u8 = 29;

const SIGNALS: Token = Token(0);
const CHANNEL: Token = Token(1);
const WORKER: Token = Token(2);
const TOKENS: Tokens = Tokens { channel: CHANNEL, child: WORKER };

/// A worker that has died so often without ever being ready will not be; whoever started the daemon is to know.
const MOST_DEATHS_AT_START: usize = 4;

/// keepalived's `child_wait_time`: how long the worker and the last notify scripts have.
const CHILD_WAIT_TIME: Duration = Duration::from_secs(5);

/// How long what was killed has to disappear.
const LAST_WAIT: Duration = Duration::from_millis(500);
