//! The worker's life: start, messages, death and the next one.

use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::Context as _;
use sys::process::Pid;

use super::super::link::LinkError;
use super::Daemon;
use crate::exit;
use crate::message::check::ToChecker;
use crate::message::{Assignment, Enclosed, FromWorker, MessageError, Remembered, ToWorker};

impl Daemon<'_> {
    pub(super) fn start_worker(&mut self) {
        if let Err(running) = self.vrrp.claim(&self.start.pid_files.vrrp) {
            self.log.error(&running);
            self.stop(exit::FATAL);
            return;
        }
        let remembered = self.remembered.values().cloned().collect();
        let assignment = self.assignment(remembered);
        if let Err(error) = self.start_vrrp(&assignment)
            && let Err(code) = self.vrrp.not_started(sys::clock::now(), error, self.start.options.respawn)
        {
            self.stop(code);
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

    pub(super) fn start_vrrp(&mut self, assignment: &Assignment) -> Result<Pid, LinkError> {
        let assignment = self.copy_of(assignment)?;
        let pid = self.vrrp.start(self.start.program, &self.arguments, assignment, &mut self.reactor)?;
        self.tune(pid);
        Ok(pid)
    }

    /// What the worker reads: on disk if `tmp_config_directory` says so, unless there is no room for it.
    pub(super) fn copy_of<A: Enclosed>(&self, assignment: &A) -> Result<OwnedFd, MessageError> {
        let Some(directory) = &self.config.global.files.copy_directory else { return assignment.seal() };
        assignment.put_into(Path::new(directory)).or_else(|error| {
            let why = anyhow::Error::from(error);
            self.log
                .warning(format_args!("tmp_config_directory {directory}: {why:#}; it goes through memory"));
            assignment.seal()
        })
    }

    pub(super) fn on_messages(&mut self) {
        while let Some(message) = self.vrrp.next(&mut self.reactor) {
            self.on_message(message);
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
                self.vrrp.is_ready();
                self.is_unreleased = true;
                self.given.is_ready(now);
                self.log.detail("the vrrp worker is ready");
                self.is_up_if_ready();
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
                let instance = state.instance.clone();
                self.remembered.insert(instance.clone(), state);
                self.tell_checker_of_router(&instance);
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
        let ended = self.vrrp.take_end(&mut self.reactor).context("cannot wait for the vrrp worker")?;
        let Some((pid, exit)) = ended else { return Ok(()) };
        self.end_dumps();
        self.control.give_up_all(&mut self.reactor, "the vrrp worker has ended; ask again");
        self.given.end(sys::clock::now());
        self.runner.abandon_checks(sys::clock::now());
        if self.stopping.is_some() {
            self.sweep_if_needed();
            return Ok(());
        }
        let now = sys::clock::now();
        for last in self.remembered.values_mut() {
            // What it reported an hour ago was still so.
            last.at = now;
        }
        if let Err(code) = self.vrrp.died(now, pid, exit, self.start.options.respawn) {
            self.stop(code);
        }
        Ok(())
    }

    pub(super) fn deliver_answers(&mut self) {
        // News that no worker is there to hear are in the next one's assignment.
        let news = self.trackers.take_news();
        for order in &news {
            if let ToWorker::File { name, value } = order {
                let order = ToChecker::File { name: name.clone(), value: *value };
                self.checker.say(&mut self.reactor, &order);
            }
        }
        for answer in self.runner.take_answers().into_iter().chain(news) {
            self.vrrp.say(&mut self.reactor, &answer);
        }
    }
}
