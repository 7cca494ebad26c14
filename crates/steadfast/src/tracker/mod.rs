//! Watches tracked files and counts tracked processes, for the worker.
//!
//! The [`Trackers`] belong to the supervisor's loop: they need rights that the worker has given up, and a file system
//! may let them wait. What they find goes to the worker as news, and to one that starts as [`Readings`].

mod content;
mod files;
mod initial;

use model::{Instant, vrrp};
use sys::reactor::{Reactor, Token};

use crate::log::Log;
use crate::message::{Readings, ToWorker};

use files::Files;

/// Everything outside of the daemon that a configuration tracks.
#[derive(Debug)]
pub(crate) struct Trackers {
    files: Files,
}

impl Trackers {
    /// Nothing is tracked yet.
    pub(crate) const fn new(log: Log) -> Self {
        Self { files: Files::new(log, FILES) }
    }

    /// Writes the files that a configuration wants to begin with (`init_file`). Only at the start of the daemon: what a
    /// file says later is its owner's.
    pub(crate) fn begin(&self, config: &vrrp::Config) {
        self.files.write_initial(&config.files);
    }

    /// Tracks what this configuration names, and nothing else. What is known of the rest of it stands.
    pub(crate) fn configure(&mut self, reactor: &mut Reactor, now: Instant, config: &vrrp::Config) {
        self.files.configure(reactor, now, &config.files);
    }

    /// Serves a source. A token that is none of theirs is no matter.
    pub(crate) fn on_ready(&mut self, now: Instant, token: Token) {
        if token == FILES {
            self.files.on_ready(now);
        }
    }

    /// When [`Self::on_deadline`] is due.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.files.deadline()
    }

    /// Looks at what nobody tells of.
    pub(crate) fn on_deadline(&mut self, now: Instant) {
        self.files.on_deadline(now);
    }

    /// What is known.
    pub(crate) fn readings(&self) -> Readings {
        Readings { files: self.files.values(), ..Readings::default() }
    }

    /// What has changed since the last call.
    pub(crate) fn take_news(&mut self) -> Vec<ToWorker> {
        self.files.take_news().map(|(name, value)| ToWorker::File { name, value }).collect()
    }
}

/// Between those of the supervisor's own sources and those of scripts.
const FILES: Token = Token(8);
