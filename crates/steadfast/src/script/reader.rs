//! The programs that read named pipes: started with the daemon, started again when they end, ended with it.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Instant, vrrp};
use sys::process::Exit;
use sys::reactor::{Reactor, Token};

use super::{Purpose, Runner, describe};

/// The readers by the paths of their pipes.
#[derive(Debug, Default)]
pub(super) struct Readers {
    readers: BTreeMap<String, Reader>,
    /// The pipes have ended: whoever has not left by then is asked to.
    ends_at: Option<Instant>,
}

/// One reader.
#[derive(Debug)]
struct Reader {
    /// With the path as its last argument.
    command: vrrp::Command,
    running: Option<Token>,
    started_at: Instant,
    starts_at: Option<Instant>,
    /// After how long it is started again.
    pause: Duration,
}

impl Runner {
    /// Lets each of these commands read the pipe at that path. One that reads it already goes on.
    pub(crate) fn read_pipes<'c>(
        &mut self,
        reactor: &mut Reactor,
        now: Instant,
        wanted: impl IntoIterator<Item = (&'c str, &'c vrrp::Command)>,
    ) {
        let mut before = std::mem::take(&mut self.readers.readers);
        for (path, command) in wanted {
            let mut command = command.clone();
            command.arguments.push(path.to_owned());
            let reader = match before.remove(path) {
                Some(reader) if reader.command == command => reader,
                Some(reader) => {
                    // The next one starts when this one has ended: two would take lines from each other.
                    self.end_reader(now, &reader);
                    let starts_at = reader.running.is_none().then_some(now);
                    Reader { command, starts_at, pause: FIRST_PAUSE, ..reader }
                }
                None => {
                    let (running, starts_at) = (None, Some(now));
                    Reader { command, running, started_at: now, starts_at, pause: FIRST_PAUSE }
                }
            };
            self.readers.readers.insert(path.to_owned(), reader);
        }
        for reader in before.values() {
            self.end_reader(now, reader);
        }
        self.start_readers(reactor, now);
    }

    fn end_reader(&mut self, now: Instant, reader: &Reader) {
        if let Some(run) = reader.running.and_then(|token| self.runs.get_mut(&token)) {
            run.terminate(now);
        }
    }

    fn start_readers(&mut self, reactor: &mut Reactor, now: Instant) {
        let is_due = |reader: &Reader| reader.starts_at.is_some_and(|at| at <= now);
        let due: Vec<_> = self.readers.readers.iter().filter(|(_, reader)| is_due(reader)).collect();
        let due: Vec<_> =
            due.into_iter().map(|(path, reader)| (path.clone(), reader.command.clone())).collect();
        for (path, command) in due {
            let purpose = Purpose::Reader { path: path.clone() };
            let running = self.start(reactor, now, &command, purpose, None, &format!("reader of {path}"));
            let Some(reader) = self.readers.readers.get_mut(&path) else { continue };
            reader.running = running;
            reader.started_at = now;
            reader.starts_at = match running {
                Some(_) => None,
                None => Some(now + reader.next_pause()),
            };
        }
    }

    pub(super) fn reader_ended(&mut self, now: Instant, token: Token, path: &str, exit: Option<Exit>) {
        let Some(reader) = self.readers.readers.get_mut(path).filter(|one| one.running == Some(token)) else {
            return;
        };
        reader.running = None;
        if self.readers.ends_at.is_some() {
            return;
        }
        if now.since(reader.started_at) >= GOOD_RUN {
            reader.pause = FIRST_PAUSE;
        }
        let pause = reader.next_pause();
        reader.starts_at = Some(now + pause);
        let how = exit.map_or_else(|| "ended".to_owned(), describe);
        self.log.warning(format_args!(
            "script {}, which reads {path}, {how}: it is started again in {} s",
            reader.command.program,
            pause.as_secs_f32()
        ));
    }

    /// Whether a program reads a pipe.
    pub(crate) fn is_reading(&self) -> bool {
        self.readers.readers.values().any(|reader| reader.running.is_some())
    }

    /// The pipes have come to their end: readers may leave by themselves for a moment, then they are asked to.
    pub(crate) fn end_readers(&mut self, now: Instant) {
        if self.readers.ends_at.is_none() {
            self.readers.ends_at = Some(now + LEAVE_TIME);
            self.readers.readers.values_mut().for_each(|reader| reader.starts_at = None);
        }
    }

    /// Starts readers again, and ends those that do not leave.
    pub(super) fn on_reader_deadline(&mut self, reactor: &mut Reactor, now: Instant) {
        match self.readers.ends_at {
            Some(at) if at <= now => {
                let readers = std::mem::take(&mut self.readers.readers);
                readers.values().for_each(|reader| self.end_reader(now, reader));
            }
            Some(_) => {}
            None => self.start_readers(reactor, now),
        }
    }
}

impl Readers {
    pub(super) fn deadline(&self) -> Option<Instant> {
        let ends_at = self.ends_at.filter(|_| !self.readers.is_empty());
        self.readers.values().filter_map(|reader| reader.starts_at).chain(ends_at).min()
    }

    /// Nobody is started any more.
    pub(super) fn forget(&mut self) {
        self.readers.clear();
    }
}

impl Reader {
    fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

/// From the end of a reader to its next start.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A reader that ran so long does not end in a series.
const GOOD_RUN: Duration = Duration::from_secs(30);

/// How long a reader has to act on the last lines, once it has read them and nothing will follow.
const LEAVE_TIME: Duration = Duration::from_millis(500);
