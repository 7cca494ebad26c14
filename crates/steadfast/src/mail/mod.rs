//! Alert mails: a bounded queue and a thread that empties it, so that no mail server can hold up anything else.
//!
//! Mails go out one after the other, in the order of the events. While the server cannot be reached they wait, and it is
//! tried again more and more seldom; what is older than an hour, or does not fit the queue, is dropped, counted and told.

mod delivery;
mod letter;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::log::Log;
use delivery::{DeliveryError, Route, deliver};
pub(crate) use letter::Letter;

/// The mails of this daemon.
#[derive(Debug)]
pub(crate) struct Post {
    log: Log,
    desk: Arc<Desk>,
    /// The thread has been started.
    open: bool,
}

/// What the daemon and the thread share.
#[derive(Debug, Default)]
struct Desk {
    pile: Mutex<Pile>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pile {
    waiting: VecDeque<Letter>,
    route: Option<Arc<Route>>,
    /// The thread has taken one.
    sending: bool,
    /// Dropped because the queue was full, and not told yet.
    lost: u64,
    closing: bool,
}

impl Post {
    /// No server is known yet.
    pub(crate) fn new(log: Log) -> Self {
        Self { log, desk: Arc::default(), open: false }
    }

    /// Takes over a configuration. What waits goes to the new server.
    pub(crate) fn configure(&mut self, global: &model::Global) {
        let (mail, router_id) = (global.mail.clone(), global.router_id.clone());
        let server = mail.server.clone().filter(|_| !mail.to.is_empty());
        let route = server.map(|server| Arc::new(Route { mail, server, router_id }));
        if route.is_some() && !self.open {
            let (desk, log) = (Arc::clone(&self.desk), self.log.clone());
            match thread::Builder::new().name("mail".to_owned()).spawn(move || desk.serve(&log)) {
                Ok(_) => self.open = true,
                Err(error) => self.log.error(format_args!("no mail is sent: cannot start a thread: {error}")),
            }
        }
        let mut pile = self.desk.lock();
        if pile.route != route {
            pile.route = route;
            self.desk.changed.notify_all();
        }
    }

    /// Has a mail sent some time. Never waits.
    pub(crate) fn send(&self, letter: Letter) {
        let mut pile = self.desk.lock();
        if pile.route.is_none() || !self.open {
            return;
        }
        pile.waiting.push_back(letter);
        if pile.waiting.len() > MOST_WAITING {
            pile.waiting.pop_front();
            pile.lost += 1;
        }
        self.desk.changed.notify_all();
    }

    /// Waits until what is left has been tried once, but not longer than `patience`.
    pub(crate) fn close(&self, patience: Duration) {
        let mut pile = self.desk.lock();
        pile.closing = true;
        self.desk.changed.notify_all();
        let until = Instant::now() + patience;
        while pile.sending || !pile.waiting.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            pile = self.desk.wait(pile, left);
        }
        let unsent = pile.waiting.len() + usize::from(pile.sending);
        match unsent {
            0 => {}
            1 => self.log.warning("one mail is not sent: the daemon stops"),
            _ => self.log.warning(format_args!("{unsent} mails are not sent: the daemon stops")),
        }
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Pile> {
        self.pile.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'p>(&self, pile: MutexGuard<'p, Pile>, patience: Duration) -> MutexGuard<'p, Pile> {
        self.changed.wait_timeout(pile, patience).unwrap_or_else(PoisonError::into_inner).0
    }

    /// The thread.
    fn serve(&self, log: &Log) {
        let (mut pause, mut clear) = (FIRST_PAUSE, None);
        loop {
            let Some((letter, route)) = self.next(log) else { return };
            match deliver(&route, &letter, &mut clear, log) {
                Ok(()) => {
                    log.info(format_args!("mail sent: {}", letter.subject));
                    pause = FIRST_PAUSE;
                    self.done(None);
                }
                Err(error @ DeliveryError::Later(_)) if letter.is_young() && !self.is_closing() => {
                    if pause == FIRST_PAUSE {
                        log.warning(format_args!(
                            "mail '{}' waits: {error}; {} is tried again",
                            letter.subject, route.server.host
                        ));
                    }
                    self.done(Some(letter));
                    self.rest(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => {
                    log.error(format_args!("mail '{}' is not sent: {error}", letter.subject));
                    self.done(None);
                }
            }
        }
    }

    /// The mail that is next, once there is one; `None` when nothing follows.
    fn next(&self, log: &Log) -> Option<(Letter, Arc<Route>)> {
        let mut pile = self.lock();
        loop {
            let lost = std::mem::take(&mut pile.lost);
            match lost {
                0 => {}
                1 => log.warning(format_args!("one mail was dropped: more than {MOST_WAITING} waited")),
                _ => log.warning(format_args!("{lost} mails were dropped: more than {MOST_WAITING} waited")),
            }
            match pile.route.clone() {
                Some(route) => {
                    if let Some(letter) = pile.waiting.pop_front() {
                        pile.sending = true;
                        return Some((letter, route));
                    }
                }
                None => pile.waiting.clear(),
            }
            if pile.closing {
                self.changed.notify_all();
                return None;
            }
            pile = self.changed.wait(pile).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A mail is sent or given up, unless it comes back.
    fn done(&self, again: Option<Letter>) {
        let mut pile = self.lock();
        pile.sending = false;
        if let Some(letter) = again {
            pile.waiting.push_front(letter);
        }
        self.changed.notify_all();
    }

    fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Waits, unless there is another server to try or the daemon stops.
    fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut pile = self.lock();
        let route = pile.route.clone();
        while !pile.closing && pile.route == route {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            pile = self.wait(pile, left);
        }
    }
}

impl Letter {
    /// Whether it is still news.
    fn is_young(&self) -> bool {
        SystemTime::now().duration_since(self.at).unwrap_or_default() < NEWS_FOR
    }
}

/// Mails that wait. A flapping router must not fill the memory, nor somebody's mailbox.
const MOST_WAITING: usize = 256;

const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A mail that could not be sent for so long is not worth reading.
const NEWS_FOR: Duration = Duration::from_secs(3600);

/// How long a daemon that stops waits for its last mails.
pub(crate) const PATIENCE_AT_EXIT: Duration = Duration::from_secs(1);
