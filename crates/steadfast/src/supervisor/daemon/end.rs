//! The end of the daemon: in order, and if need be without the worker's help.

use std::time::Duration;

use model::Instant;
use model::Priority;
use model::vrrp::{Config, Initial, Instance, Notify, VirtualAddress};

use super::Daemon;
use crate::message::{Assignment, FromWorker, ToWorker};
use crate::program;

/// An ordered stop under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopping {
    /// What the daemon leaves with.
    code: u8,
    /// When patience ends.
    pub(super) until: Instant,
    /// It has ended before: everything was killed.
    pub(super) forced: bool,
    /// The worker is one that only takes away what another has left.
    sweeping: bool,
    /// `shutdown_script` has been started.
    shut_down: bool,
}

impl Daemon<'_> {
    pub(super) fn stop(&mut self, code: u8) {
        if self.stopping.is_some() {
            return;
        }
        self.log.notice("Stopping");
        self.service.stops(&self.log);
        let now = sys::clock::now();
        let until = now + self.config.process.child_wait;
        self.stopping = Some(Stopping { code, until, forced: false, sweeping: false, shut_down: false });
        self.vrrp.cancel();
        self.runner.abandon_checks(now);
        self.runner.end_startup(now);
        self.stop_checker();
        if self.vrrp.is_there() {
            self.vrrp.say(&mut self.reactor, &ToWorker::Stop);
        } else {
            self.sweep_if_needed();
        }
    }

    /// Patience has ended.
    pub(super) fn force(&mut self, now: Instant, stopping: Stopping) {
        if let Some(pid) = self.vrrp.pid() {
            self.log.warning(format_args!(
                "vrrp worker (pid {}) has not stopped within {} s: it is killed",
                pid,
                self.config.process.child_wait.as_secs()
            ));
            self.vrrp.kill();
        }
        if let Some(pid) = self.checker.pid() {
            self.log.warning(format_args!(
                "check worker (pid {pid}) has not stopped within {} s: it is killed",
                self.config.process.child_wait.as_secs()
            ));
            self.checker.kill();
        }
        self.runner.terminate_all(now);
        self.stopping = Some(Stopping { until: now + LAST_WAIT, forced: true, ..stopping });
    }

    /// Whether only those are left who read what was written.
    fn is_read_out(&self) -> bool {
        self.stopping.is_some()
            && !self.vrrp.is_there()
            && !self.checker.is_there()
            && !self.runner.is_notifying()
    }

    /// Once everything is told, lets readers see the end; and last runs `shutdown_script`.
    pub(super) fn wind_up(&mut self, now: Instant) {
        if self.is_read_out() && !self.news.has_ended() {
            self.news.end(&mut self.reactor, &mut self.runner, now);
        }
        let Some(stopping) = self.stopping.filter(|stopping| !stopping.shut_down) else { return };
        if !self.is_over(stopping) {
            return;
        }
        let mut until = stopping.until;
        if let Some(script) = &self.config.global.shutdown {
            // It is ended by its own time-out, and nobody else is left to wait for.
            until = now + script.timeout + LAST_WAIT * 4;
            self.runner.kill_all();
            self.runner.run_lifecycle(&mut self.reactor, now, "shutdown_script", script);
        }
        self.stopping = Some(Stopping { shut_down: true, forced: true, until, ..stopping });
    }

    /// Whether the worker, the scripts and the readers have ended, or all that can be done about them was done.
    fn is_over(&self, stopping: Stopping) -> bool {
        let quiet = self.is_read_out() && self.news.has_ended() && !self.runner.is_running();
        let given_up = stopping.forced && stopping.until <= sys::clock::now();
        quiet || given_up
    }

    /// When [`Self::wind_up`] is to be called again. Nobody says that a pipe is empty.
    pub(super) fn winds_up_at(&self) -> Option<Instant> {
        (self.is_read_out() && !self.news.has_ended()).then(|| sys::clock::now() + DRAINED_EVERY)
    }

    /// The exit code, once nothing is left to wait for.
    pub(super) fn finished(&self) -> Option<u8> {
        let stopping = self.stopping?;
        let is_over = stopping.shut_down && (!self.runner.is_in_lifecycle() || self.is_over(stopping));
        is_over.then_some(stopping.code)
    }

    pub(super) fn leave(mut self, code: u8) -> u8 {
        self.runner.kill_all();
        self.news.close(&mut self.reactor);
        if self.is_unreleased && !self.start.options.keep_addresses {
            for VirtualAddress { prefix, device, .. } in self.given.addresses() {
                self.log.error(format_args!("{prefix} may be left on {device}: nobody has taken it away"));
            }
        }
        self.log.notice(format_args!("Stopped {}", program::VERSION_LINE));
        if let Some(background) = self.background {
            self.log.flush(crate::log::PATIENCE_AT_EXIT);
            background.failed(code);
        }
        code
    }

    // A worker that has not released its addresses itself.

    pub(super) fn is_sweeping(&self) -> bool {
        self.stopping.is_some_and(|stopping| stopping.sweeping)
    }

    /// If the last worker ended without releasing what it held, starts one that does that and nothing else.
    pub(super) fn sweep_if_needed(&mut self) {
        let Some(stopping) = self.stopping.filter(|stopping| !stopping.sweeping) else { return };
        if !self.is_unreleased || self.start.options.keep_addresses {
            return;
        }
        let assignment = self.assignment(Vec::new());
        let assignment = Assignment { config: for_sweeper(&assignment.config), ..assignment };
        match self.start_vrrp(&assignment) {
            Ok(pid) => {
                self.log.info(format_args!(
                    "the vrrp worker may have left addresses: process {pid} takes them away"
                ));
                let until = stopping.until.max(sys::clock::now() + SWEEP_TIME);
                // It may hang as well, and is killed then as the worker was.
                self.stopping = Some(Stopping { until, forced: false, sweeping: true, ..stopping });
            }
            // What is left is told at the end.
            Err(error) => self.log.error(format_args!("{:#}", anyhow::Error::from(error))),
        }
    }

    /// Once it is ready it knows what is to be taken away, and its stop does that. The rest of what it says is about
    /// virtual routers that are none.
    pub(super) fn on_sweeper(&mut self, message: &FromWorker) {
        match message {
            FromWorker::Ready => self.vrrp.say(&mut self.reactor, &ToWorker::Stop),
            FromWorker::Stopped => self.is_unreleased = false,
            FromWorker::RunScript { .. }
            | FromWorker::Notify(_)
            | FromWorker::State(_)
            | FromWorker::Reconfigured
            | FromWorker::Late { .. }
            | FromWorker::Snapshot { .. }
            | FromWorker::Gone { .. }
            | FromWorker::Foretold { .. } => {}
        }
    }
}

/// The same virtual routers, made too meek to become master within the time that a sweep takes.
fn for_sweeper(config: &Config) -> Config {
    let meek = |instance: &Instance| Instance {
        initial: Initial::Backup,
        priority: Priority(1),
        track_scripts: Vec::new(),
        track_files: Vec::new(),
        track_processes: Vec::new(),
        notify: Notify::default(),
        ..instance.clone()
    };
    Config {
        scripts: Vec::new(),
        instances: config.instances.iter().map(meek).collect(),
        ..Config::default()
    }
}

/// How often it is looked whether the last lines have been read.
const DRAINED_EVERY: Duration = Duration::from_millis(10);

/// How long what was killed has to disappear.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// How long a new worker has to take away what a killed one has left.
const SWEEP_TIME: Duration = Duration::from_secs(3);
