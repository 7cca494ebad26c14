//! Watches tracked files and counts tracked processes, for the worker.
//!
//! The [`Trackers`] belong to the supervisor's loop: they need rights that the worker has given up, and a file system
//! may let them wait. What they find goes to the worker as news, and to one that starts as [`Readings`].

mod census;
mod content;
mod files;
mod initial;
mod matching;
mod processes;

use model::{Instant, vrrp};
use sys::reactor::{Reactor, Token};
use sys::socket::process_events;

use crate::log::Log;
use crate::message::{Readings, ToWorker};

use files::Files;
use processes::Processes;

/// Everything outside of the daemon that a configuration tracks.
#[derive(Debug)]
pub(crate) struct Trackers {
    files: Files,
    processes: Processes,
}

impl Trackers {
    /// Nothing is tracked yet. The socket is one that was opened before the daemon entered a network namespace.
    pub(crate) fn new(log: Log, socket: Option<process_events::Socket>) -> Self {
        Self { files: Files::new(log.clone(), FILES), processes: Processes::new(log, PROCESSES, socket) }
    }

    /// Writes the files that a configuration wants to begin with (`init_file`). Only at the start of the daemon: what a
    /// file says later is its owner's.
    pub(crate) fn begin(&self, config: &vrrp::Config) {
        self.files.write_initial(&config.files);
    }

    /// Tracks what this configuration names, and nothing else. What is known of the rest of it stands.
    pub(crate) fn configure(&mut self, reactor: &mut Reactor, now: Instant, config: &vrrp::Config) {
        self.files.configure(reactor, now, &config.files);
        self.processes.configure(reactor, now, &config.processes);
    }

    /// Serves a source. A token that is none of theirs is no matter.
    pub(crate) fn on_ready(&mut self, now: Instant, token: Token) {
        match token {
            FILES => self.files.on_ready(now),
            PROCESSES => self.processes.on_ready(now),
            _ => {}
        }
    }

    /// When [`Self::on_deadline`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.files.deadline(), self.processes.deadline()].into_iter().flatten().min()
    }

    /// Looks at what nobody tells of.
    pub(crate) fn on_deadline(&mut self, now: Instant) {
        self.files.on_deadline(now);
        self.processes.on_deadline(now);
    }

    /// What is known.
    pub(crate) fn readings(&self) -> Readings {
        let (files, processes) = (self.files.values(), self.processes.counts());
        Readings { files, processes, ..Readings::default() }
    }

    /// What has changed since the last call.
    pub(crate) fn take_news(&mut self) -> Vec<ToWorker> {
        let files = self.files.take_news().map(|(name, value)| ToWorker::File { name, value });
        let processes = self.processes.take_news();
        files.chain(processes.map(|(name, count)| ToWorker::Processes { name, count })).collect()
    }
}

/// Between those of the supervisor's own sources and those of scripts.
const FILES: Token = Token(8);
const PROCESSES: Token = Token(9);
