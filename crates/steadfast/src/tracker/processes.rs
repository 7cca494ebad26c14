//! Tracked processes: counted by what the kernel tells of them, or by looking every second where it does not.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Instant;
use model::vrrp::TrackedProcess;
use sys::reactor::{Interest, Reactor, Token};
use sys::socket::process_events::{Event, Received, Socket};

use crate::log::Log;

use super::census::Census;

/// The tracked processes of a configuration.
#[derive(Debug)]
pub(super) struct Processes {
    log: Log,
    token: Token,
    /// Opened before the daemon entered a network namespace: only the first one has news.
    socket: Option<Socket>,
    source: Source,
    census: Census,
    counted_at: Instant,
    /// When all are to be counted again.
    due: Option<Instant>,
    known: BTreeMap<String, u32>,
    news: BTreeMap<String, u32>,
    /// It has been said that the kernel does not tell, or that nobody can be counted.
    complained: bool,
}

/// Who tells of processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Nobody, and nobody is asked.
    Nobody,
    Kernel,
    /// A look every second.
    Looks,
}

impl Processes {
    pub(super) fn new(log: Log, token: Token, socket: Option<Socket>) -> Self {
        Self {
            log,
            token,
            socket,
            source: Source::Nobody,
            census: Census::default(),
            counted_at: Instant::ZERO,
            due: None,
            known: BTreeMap::new(),
            news: BTreeMap::new(),
            complained: false,
        }
    }

    pub(super) fn configure(&mut self, reactor: &mut Reactor, now: Instant, wanted: &[TrackedProcess]) {
        if wanted.is_empty() {
            self.close(reactor);
        } else if self.source == Source::Nobody {
            self.open(reactor);
        }
        self.census = Census::new(wanted.to_vec());
        self.known.clear();
        self.due = None;
        if self.source != Source::Nobody {
            self.count(now);
        }
        // They go with the configuration.
        self.news.clear();
    }

    fn open(&mut self, reactor: &mut Reactor) {
        let token = self.token;
        let listens = self.socket.as_mut().map(|socket| {
            socket.listen()?;
            reactor.add(&*socket, token, Interest::Read).inspect_err(|_| socket.ignore())
        });
        let why = match listens {
            Some(Ok(())) => {
                self.source = Source::Kernel;
                return;
            }
            Some(Err(error)) => error.to_string(),
            None => "it has no proc connector".to_owned(),
        };
        self.source = Source::Looks;
        if !std::mem::replace(&mut self.complained, true) {
            self.log.notice(format_args!(
                "tracked processes are counted every second, since the kernel does not tell of them here: {why}"
            ));
        }
    }

    fn close(&mut self, reactor: &mut Reactor) {
        if let Some(socket) = self.socket.as_mut().filter(|_| self.source == Source::Kernel) {
            // What is not watched is as wanted.
            drop(reactor.remove(&*socket));
            socket.ignore();
        }
        self.source = Source::Nobody;
    }

    pub(super) fn counts(&self) -> BTreeMap<String, u32> {
        self.known.clone()
    }

    pub(super) fn take_news(&mut self) -> impl Iterator<Item = (String, u32)> {
        std::mem::take(&mut self.news).into_iter()
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn on_deadline(&mut self, now: Instant) {
        if self.due.is_some_and(|at| at <= now) {
            self.count(now);
        }
    }

    /// Serves a portion of what the kernel tells: the rest is reported again.
    pub(super) fn on_ready(&mut self, now: Instant) {
        let Some(socket) = self.socket.as_ref().filter(|_| self.source == Source::Kernel) else { return };
        for _ in 0..MOST_AT_ONCE {
            match socket.recv() {
                Ok(Received::Event(Event::Fork { parent, child })) => self.census.fork(parent, child),
                Ok(Received::Event(Event::Exec(pid) | Event::Name(pid))) => self.census.look(pid),
                Ok(Received::Event(Event::Exit(pid))) => self.census.end(pid),
                Ok(Received::Other) => {}
                Ok(Received::Empty) => break,
                // Whatever makes so many processes may go on: all are counted once in a second.
                Ok(Received::Overrun) => self.due = Some(now.max(self.counted_at + PAUSE)),
                Err(error) => {
                    self.log.error(format_args!("cannot read what happens to processes: {error}"));
                    self.due = Some(now + PAUSE);
                    break;
                }
            }
        }
        self.publish();
    }

    fn count(&mut self, now: Instant) {
        self.counted_at = now;
        self.due = (self.source == Source::Looks).then_some(now + PAUSE);
        match self.census.take() {
            Ok(()) => self.publish(),
            Err(error) => {
                self.due = Some(now + PAUSE);
                if self.known.is_empty() && !std::mem::replace(&mut self.complained, true) {
                    self.log.error(format_args!("tracked processes cannot be counted: /proc: {error}"));
                }
            }
        }
    }

    fn publish(&mut self) {
        for (name, count) in self.census.counts() {
            if self.known.get(name) != Some(&count) {
                self.known.insert(name.to_owned(), count);
                self.news.insert(name.to_owned(), count);
            }
        }
    }
}

/// Between two counts of all processes.
const PAUSE: Duration = Duration::from_secs(1);

/// So that a host that makes processes without end does not keep the daemon from its other work.
const MOST_AT_ONCE: usize = 512;
