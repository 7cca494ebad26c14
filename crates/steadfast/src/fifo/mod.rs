//! The named pipes that programs read state changes from (`notify_fifo`, `vrrp_notify_fifo`).
//!
//! They belong to the supervisor's loop and never wait for a reader: what a pipe does not take stands in a bounded
//! line, and what falls out of that is counted and told.

mod pipe;

use std::path::Path;

use sys::reactor::{Reactor, Token};
use sys::users::Credentials;

use crate::log::Log;
use pipe::Pipe;

/// A pipe as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    /// Where it is.
    pub(crate) path: &'a Path,
    /// Whose it is to be, if it has to be made; the daemon's own if `None`.
    pub(crate) owner: Option<Credentials>,
    /// What is written to it.
    pub(crate) hears: Hears,
}

/// Whose news are written to a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hears {
    /// Those of virtual routers and sync groups.
    pub(crate) routers: bool,
    /// Those of virtual and real servers.
    pub(crate) servers: bool,
}

/// All pipes.
#[derive(Debug)]
pub(crate) struct Pipes {
    log: Log,
    pipes: Vec<(Pipe, Hears)>,
    next_token: u64,
}

impl Pipes {
    /// None yet.
    pub(crate) const fn new(log: Log) -> Self {
        Self { log, pipes: Vec::new(), next_token: FIRST_TOKEN }
    }

    /// Opens what is wanted and not open yet, and closes the rest. Whoever reads a pipe that stays notices nothing.
    pub(crate) fn configure(&mut self, reactor: &mut Reactor, wanted: &[Wanted<'_>]) {
        let mut before = std::mem::take(&mut self.pipes);
        for Wanted { path, owner, hears } in wanted {
            let same = before.iter().position(|(pipe, _)| pipe.path() == *path && pipe.is_there());
            let pipe = match same {
                Some(index) => Ok(before.swap_remove(index).0),
                None => {
                    self.next_token += 1;
                    Pipe::open(path, owner.as_ref(), Token(self.next_token))
                }
            };
            match pipe {
                Ok(pipe) => self.pipes.push((pipe, *hears)),
                Err(error) => self.log.error(format_args!(
                    "nobody is told of state changes by way of {}: {:#}",
                    path.display(),
                    anyhow::Error::from(error)
                )),
            }
        }
        for (pipe, _) in before {
            pipe.close(reactor, &self.log);
        }
    }

    /// Whether the pipe at `path` is open.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.pipes.iter().any(|(pipe, _)| pipe.path() == path)
    }

    /// Writes a line about routers, which has its line feed, to every pipe that hears of them, now or as soon as
    /// there is room.
    pub(crate) fn write(&mut self, reactor: &mut Reactor, line: &str) {
        for (pipe, _) in self.pipes.iter_mut().filter(|(_, hears)| hears.routers) {
            pipe.write(reactor, line, &self.log);
        }
    }

    /// The same of a line about servers.
    pub(crate) fn write_of_servers(&mut self, reactor: &mut Reactor, line: &str) {
        for (pipe, _) in self.pipes.iter_mut().filter(|(_, hears)| hears.servers) {
            pipe.write(reactor, line, &self.log);
        }
    }

    /// Serves a pipe that has room again. A token that is none of a pipe's is no matter.
    pub(crate) fn on_ready(&mut self, reactor: &mut Reactor, token: Token) {
        if let Some(pipe) = self.pipes.iter_mut().map(|(pipe, _)| pipe).find(|pipe| pipe.token() == token) {
            pipe.flush(reactor, &self.log);
        }
    }

    /// Whether everything that was written has been read.
    pub(crate) fn are_drained(&self) -> bool {
        self.pipes.iter().all(|(pipe, _)| pipe.is_drained())
    }

    /// Lets readers see the end. The files stay until [`Self::remove`].
    pub(crate) fn end(&mut self, reactor: &mut Reactor) {
        for (pipe, _) in &mut self.pipes {
            pipe.end(reactor, &self.log);
        }
    }

    /// Removes the files that were made for this daemon.
    pub(crate) fn remove(&mut self, reactor: &mut Reactor) {
        for (pipe, _) in self.pipes.drain(..) {
            pipe.close(reactor, &self.log);
        }
    }
}

/// Between the supervisor's own tokens and those of programs.
const FIRST_TOKEN: u64 = 1 << 12;
