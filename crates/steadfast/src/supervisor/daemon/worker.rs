//! The worker's life: start, messages, death and the next one.

use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::Context as _;
use sys::process::{Exit, Pid};

use super::super::link::{Link, LinkError};
use super::super::pid_files::AlreadyRunning;
use super::{Daemon, MOST_DEATHS_AT_START, TOKENS};
use crate::exit;
use crate::message::{Assignment, FromWorker, MessageError, Remembered};

impl Daemon<'_> {
    pub(super) fn start_worker(&mut self) {
        if let Err(running) = self.claim_vrrp_pid_file() {
            self.log.error(&running);
            self.stop(exit::FATAL);
            return;
        }
        let remembered = self.remembered.values().cloned().collect();
        let assignment = self.assignment(remembered);
        match self.start_link(&assignment) {
            Ok(link) => self.worker_started(link),
            Err(error) => {
                let why = anyhow::Error::from(error);
                self.start_again("the vrrp worker", &format!("cannot be started: {why:#}"));
            }
        }
    }

    /// The configuration as it is now.
    pub(super) fn assignment(&mut self, remembered: Vec<Remembered>) -> Assignment {
        self.given.add(&self.config.vrrp);
        let readings = self.trackers.readings();
        let settings = self.settings();
        Assignment {
            config: self.config.vrrp.clone(),
            remembered,
            sweep: self.given.earlier(),
            nftables: self.config.global.filter.nftables.clone(),
            no_local_igmp: self.config.global.routers.no_local_igmp,
            daemon: self.config.process.instance.clone().unwrap_or_default(),
            readings,
            settings,
        }
    }

    pub(super) fn start_link(&mut self, assignment: &Assignment) -> Result<Link, LinkError> {
        let assignment = self.copy_of(assignment)?;
        Link::start(self.start.program, &self.arguments, assignment, &mut self.reactor, TOKENS)
    }

    /// What the worker reads: on disk if `tmp_config_directory` says so, unless there is no room for it.
    pub(super) fn copy_of(&self, assignment: &Assignment) -> Result<OwnedFd, MessageError> {
        let Some(directory) = &self.config.global.files.copy_directory else { return assignment.seal() };
        assignment.put_into(Path::new(directory)).or_else(|error| {
            let why = anyhow::Error::from(error);
            self.log
                .warning(format_args!("tmp_config_directory {directory}: {why:#}; it goes through memory"));
            assignment.seal()
        })
    }

    pub(super) fn worker_started(&mut self, link: Link) {
        self.log.info(format_args!("Starting VRRP child process, pid={}", link.pid()));
        if let Some(file) = &mut self.vrrp_pid_file
            && let Err(error) = file.rewrite(link.pid())
        {
            self.log.warning(format_args!("{:#}", anyhow::Error::from(error)));
        }
        self.tune(link.pid());
        self.link = Some(link);
    }

    pub(super) fn claim_vrrp_pid_file(&mut self) -> Result<(), AlreadyRunning> {
        if self.vrrp_pid_file.is_none() {
            let files = &self.start.pid_files;
            self.vrrp_pid_file = files.claim(&files.vrrp, Pid::own(), &self.log)?;
        }
        Ok(())
    }

    pub(super) fn on_messages(&mut self) {
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
        if self.is_sweeping() {
            self.on_sweeper(&message);
            return;
        }
        match message {
            FromWorker::Ready => {
                self.unproven = false;
                self.is_unreleased = true;
                self.given.is_ready(now);
                self.log.detail("the vrrp worker is ready");
                self.is_up();
            }
            FromWorker::RunScript { script, run } => {
                self.runner.check(&mut self.reactor, now, &script, run);
            }
            FromWorker::Notify(notification) => {
                self.news.happened(&mut self.reactor, &notification);
                self.runner.notify(&mut self.reactor, now, &notification);
            }
            FromWorker::State(state) => {
                let before = self.remembered.get(&state.instance);
                self.news.reported(&mut self.reactor, before, &state);
                self.remembered.insert(state.instance.clone(), state);
            }
            FromWorker::Reconfigured => self.news.reloaded(&mut self.reactor),
            FromWorker::Gone { instance } => {
                self.remembered.remove(&instance);
                // One that is another virtual router now, or was configured again meanwhile, keeps its scripts.
                if !self.config.vrrp.instances.iter().any(|one| one.name == instance) {
                    self.runner.forget_instance(&instance);
                    self.news.forget_instance(&instance);
                }
            }
            FromWorker::Late { micros } => self.on_late(micros),
            FromWorker::Foretold { request, step } => self.foretold(request, step),
            FromWorker::Snapshot { request, piece } => {
                if let Some(kept) = self.dumps.take_kept(request, &piece) {
                    self.write_kept(&kept);
                }
                if let Some(due) = self.dumps.take(request, piece) {
                    self.write_dumps(&due);
                }
            }
            FromWorker::Stopped => {
                self.log.detail("the vrrp worker has released everything");
                self.is_unreleased = false;
                self.given.clear();
            }
        }
    }

    pub(super) fn on_worker_end(&mut self) -> anyhow::Result<()> {
        // Its last words count.
        self.on_messages();
        let Some(link) = &mut self.link else { return Ok(()) };
        let Some(exit) = link.try_wait().context("cannot wait for the vrrp worker")? else { return Ok(()) };
        let pid = link.pid();
        link.unwatch(&mut self.reactor);
        self.link = None;
        self.end_dumps();
        self.control.give_up_all(&mut self.reactor, "the vrrp worker has ended; ask again");
        self.given.end(sys::clock::now());
        self.runner.abandon_checks(sys::clock::now());
        if self.stopping.is_some() {
            self.sweep_if_needed();
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
        self.start_again(&format!("vrrp worker (pid {pid})"), &how);
    }

    /// Starts another worker in a moment, unless that is hopeless or not wanted.
    fn start_again(&mut self, worker: &str, how: &str) {
        if self.unproven && self.backoff.deaths() >= MOST_DEATHS_AT_START {
            self.log.error(format_args!("{worker} {how} again and was never ready: the daemon stops"));
            self.stop(exit::INTERNAL);
        } else if self.start.options.respawn {
            self.log.error(format_args!("{worker} {how}: it is started again"));
            self.schedule_restart();
        } else {
            self.log.error(format_args!("{worker} {how}: the daemon stops"));
            self.stop(exit::FATAL);
        }
    }

    fn schedule_restart(&mut self) {
        if self.stopping.is_none() {
            self.restart_at = Some(self.backoff.died(sys::clock::now()));
        }
    }

    pub(super) fn deliver_answers(&mut self) {
        // News that no worker is there to hear are in the next one's assignment.
        for answer in self.runner.take_answers().into_iter().chain(self.trackers.take_news()) {
            let Some(link) = &mut self.link else { return };
            let outcome = link.say(&mut self.reactor, TOKENS, &answer);
            self.expect_link(outcome);
        }
    }

    /// A worker that cannot be talked to is killed, and so started anew.
    pub(super) fn expect_link(&self, outcome: Result<(), LinkError>) {
        if let Err(error) = outcome
            && let Some(link) = &self.link
        {
            self.log.error(format_args!("{:#}: it is killed", anyhow::Error::from(error)));
            link.kill();
        }
    }
}
