//! Links whose state is asked for once a second, because their drivers do not tell the kernel of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use model::IfName;
use model::vrrp::{Config, PollMethod};
use sys::link_state::Asker;

use crate::log::Log;

type Wanted = BTreeMap<IfName, PollMethod>;

/// What the polls say. They are made by a thread, since registers of the hardware take their time.
pub(super) struct LinkPolls {
    wanted: Wanted,
    /// The polls say that these have no link.
    down: BTreeSet<IfName>,
    thread: Option<(Sender<Wanted>, Receiver<Answer>)>,
    /// Has a byte for each answer that waits.
    bell: PipeReader,
    ring: PipeWriter,
    log: Log,
}

/// A link is up, or down, other than before.
struct Answer {
    name: IfName,
    is_up: bool,
}

impl LinkPolls {
    pub(super) fn new(log: Log) -> io::Result<Self> {
        let (bell, ring) = io::pipe()?;
        Ok(Self { wanted: Wanted::new(), down: BTreeSet::new(), thread: None, bell, ring, log })
    }

    /// These links are polled from now on. What was said of others does not count any more; they are given back.
    pub(super) fn set(&mut self, config: &Config) -> Vec<IfName> {
        let wanted = wanted(config);
        if wanted == self.wanted {
            return Vec::new();
        }
        self.wanted = wanted;
        if let Err(error) = self.tell_thread() {
            self.log.error(format_args!("links cannot be polled: {error}"));
        }
        self.down.extract_if(.., |name| !self.wanted.contains_key(name)).collect()
    }

    fn tell_thread(&mut self) -> io::Result<()> {
        if self.thread.is_none() {
            self.thread = Some(Poller::start(self.ring.try_clone()?, self.log.clone())?);
        }
        let is_told = self.thread.as_ref().is_some_and(|(jobs, _)| jobs.send(self.wanted.clone()).is_ok());
        if is_told { Ok(()) } else { Err(io::Error::other("their thread has died")) }
    }

    /// Whether the polls say that this link is down.
    pub(super) fn say_down(&self, name: &IfName) -> bool {
        self.down.contains(name)
    }

    /// Takes what the thread has said; the links that have changed.
    pub(super) fn take_changes(&mut self) -> io::Result<Vec<IfName>> {
        // Readable, so this does not wait.
        let _rings = self.bell.read(&mut [0; 64])?;
        let Some((_, answers)) = &self.thread else { return Ok(Vec::new()) };
        let mut changed = Vec::new();
        // An answer may have been on its way when the link was no longer to be polled.
        for Answer { name, is_up } in answers.try_iter().filter(|one| self.wanted.contains_key(&one.name)) {
            let is_new = if is_up { self.down.remove(&name) } else { self.down.insert(name.clone()) };
            if is_new {
                let word = if is_up { "up" } else { "down" };
                self.log.info(format_args!("polled: the link of {name} is {word}"));
                changed.push(name);
            }
        }
        Ok(changed)
    }
}

impl AsFd for LinkPolls {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

/// What a configuration asks to poll. What is said of an interface alone wins.
fn wanted(config: &Config) -> Wanted {
    let instances = config.instances.iter().filter(|one| one.poll_link || config.links.poll_all);
    let of_instances = instances.filter_map(|one| one.interface.clone());
    let mut wanted: Wanted = of_instances.map(|name| (name, PollMethod::FirstThatWorks)).collect();
    wanted.extend(config.links.polled.iter().map(|one| (one.interface.clone(), one.method)));
    wanted
}

/// Asks.
struct Poller {
    asker: Asker,
    jobs: Receiver<Wanted>,
    answers: Sender<Answer>,
    ring: PipeWriter,
    wanted: Wanted,
    /// What was said last.
    known: BTreeMap<IfName, bool>,
    /// Links that cannot be polled as they should be: this was said.
    refused: BTreeSet<IfName>,
    log: Log,
}

impl Poller {
    /// Starts the thread, in the network namespace of the caller.
    fn start(ring: PipeWriter, log: Log) -> io::Result<(Sender<Wanted>, Receiver<Answer>)> {
        let (orders, jobs) = mpsc::channel();
        let (answers, results) = mpsc::channel();
        let (wanted, known, refused) = (Wanted::new(), BTreeMap::new(), BTreeSet::new());
        let asker = Asker::open()?;
        let mut poller = Self { asker, jobs, answers, ring, wanted, known, refused, log };
        // It ends with the worker.
        thread::Builder::new()
            .name("link polls".to_owned())
            .spawn(move || while poller.turn().is_some() {})?;
        Ok((orders, results))
    }

    /// Waits for a second or another order, and asks all links. `None` if the worker is gone.
    fn turn(&mut self) -> Option<()> {
        let order = if self.wanted.is_empty() {
            self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            self.jobs.recv_timeout(BETWEEN_POLLS)
        };
        match order {
            Ok(wanted) => {
                self.known.retain(|name, _| wanted.contains_key(name));
                self.refused.clear();
                self.wanted = wanted;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        for (name, method) in &self.wanted {
            let is_up = match ask(&self.asker, name, *method) {
                Ok(is_up) => {
                    self.refused.remove(name);
                    is_up
                }
                Err(error) => {
                    if self.refused.insert(name.clone()) {
                        self.log.warning(format_args!(
                            "cannot poll the link of {name}: {error}; only what the kernel tells of it counts"
                        ));
                    }
                    true
                }
            };
            if self.known.insert(name.clone(), is_up) != Some(is_up) {
                self.answers.send(Answer { name: name.clone(), is_up }).ok()?;
                self.ring.write_all(&[0]).ok()?;
            }
        }
        Some(())
    }
}

fn ask(asker: &Asker, name: &IfName, method: PollMethod) -> io::Result<bool> {
    match method {
        PollMethod::Mii => asker.mii(name),
        PollMethod::Ethtool => asker.ethtool(name),
        PollMethod::Ioctl => asker.flags(name),
        PollMethod::FirstThatWorks => {
            asker.mii(name).or_else(|_| asker.ethtool(name)).or_else(|_| asker.flags(name))
        }
    }
}

const BETWEEN_POLLS: Duration = Duration::from_secs(1);
