//! The machine as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::ipvs::Table;
use model::lvs::Checker;
use model::{Checkers, Instant, lvs};

use crate::pool::{Pool, Told};
use crate::probes::{News, Probes, Seat, What};
use crate::server::{Known, file_says};
use crate::turn::{Timer, Turn};
use crate::{Action, Actions, Event, Level, ProbeId, Remembered, Standing, Subject, reload, sentence};

/// All virtual servers.
#[derive(Debug)]
pub struct Director {
    pub(crate) probes: Probes,
    pub(crate) pools: Vec<Pool>,
    pub(crate) table: Table,
    pub(crate) timers: BTreeSet<(Instant, Timer)>,
    pub(crate) known: Known,
    /// The addresses of this host.
    pub(crate) held: BTreeSet<IpAddr>,
    pub(crate) listeners: Listeners,
    pub(crate) remembered: BTreeMap<Subject, Standing>,
    pub(crate) mails_servers_only: bool,
    pub(crate) is_configured: bool,
    stopped: bool,
}

/// Who listens to what others find out.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    pub(crate) files: BTreeMap<Box<str>, Vec<Seat>>,
    pub(crate) sessions: BTreeMap<Box<str>, Vec<Seat>>,
    /// Pools whose checks pause while the address is away.
    pub(crate) addresses: BTreeMap<IpAddr, Vec<usize>>,
}

impl Director {
    /// Nothing is configured. `seed` spreads checks over time.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            probes: Probes::new(seed),
            pools: Vec::new(),
            table: Table::default(),
            timers: BTreeSet::new(),
            known: Known::default(),
            held: BTreeSet::new(),
            listeners: Listeners::default(),
            remembered: BTreeMap::new(),
            mails_servers_only: false,
            is_configured: false,
            stopped: false,
        }
    }

    /// What a worker that died has left: the newest of each subject. Before the first [`Self::configure`].
    pub fn adopt(&mut self, remembered: Vec<Remembered>) {
        for Remembered { of, state } in remembered {
            match state {
                Some(state) => drop(self.remembered.insert(of, state)),
                None => drop(self.remembered.remove(&of)),
            }
        }
    }

    /// Goes over to this configuration: start is the difference from nothing; at a reload what stays keeps its state.
    pub fn configure(
        &mut self,
        now: Instant,
        config: &lvs::Config,
        checkers: &Checkers,
        actions: &mut Actions,
    ) {
        if !self.stopped {
            reload::configure(self, now, config, checkers, actions);
        }
    }

    /// Takes note of an event.
    pub fn handle(&mut self, now: Instant, event: Event<'_>, actions: &mut Actions) {
        if self.stopped {
            return;
        }
        match event {
            Event::Deadline => {
                self.probes.ask(now, actions);
                self.ring(now, actions);
            }
            Event::Outcome { probe, run, outcome } => {
                if let Some(news) = self.probes.answer(now, (probe, run), outcome) {
                    self.spread(now, &news, actions);
                }
            }
            Event::Bfd { session, up } => self.session(now, session, up, actions),
            Event::File { name, value } => self.file(now, name, value, actions),
            Event::Address { address, held } => self.address(now, address, held, actions),
            Event::Stop => self.stop(now, actions),
        }
    }

    /// When it wants [`Event::Deadline`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let timer = self.timers.first().map(|(at, _)| *at);
        self.probes.deadline().into_iter().chain(timer).min()
    }

    /// What the kernel should hold now: the sum of all [`crate::Action::Table`].
    #[must_use]
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// Does what is due beside checks.
    fn ring(&mut self, now: Instant, actions: &mut Actions) {
        while let Some(&(at, timer)) = self.timers.first().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, timer));
            let (pools, mut turn) = self.turn(now, actions);
            match timer {
                Timer::Ramp { pool, server } => {
                    if let Some(pool) = pools.get(pool)
                        && let Some(server) = pool.servers.get(server)
                    {
                        pool.show(server.key, &mut turn);
                    }
                }
                Timer::Drained { pool, server } => {
                    if let Some(pool) = pools.get_mut(pool) {
                        pool.drained(server, &mut turn);
                    }
                }
            }
        }
    }

    /// Tells every server whose check it is.
    fn spread(&mut self, now: Instant, news: &News, actions: &mut Actions) {
        for seat in news.seats.iter() {
            let (pools, mut turn) = self.turn(now, actions);
            if let Some(pool) = pools.get_mut(seat.pool) {
                tell(pool, *seat, news, &mut turn);
            }
        }
    }

    fn session(&mut self, now: Instant, session: &str, up: bool, actions: &mut Actions) {
        self.known.sessions.insert(session.into(), up);
        for seat in self.listeners.sessions.get(session).cloned().unwrap_or_default() {
            let (pools, mut turn) = self.turn(now, actions);
            let Some(pool) = pools.get_mut(seat.pool) else { continue };
            let state = if up { "UP" } else { "DOWN" };
            let sentence = |server: &str, _| format!("BFD check of [{session}] RS({server}) is {state}");
            pool.set((seat.server, seat.checker), (up, 0), sentence, &mut turn);
        }
    }

    fn file(&mut self, now: Instant, name: &str, value: i32, actions: &mut Actions) {
        self.known.files.insert(name.into(), value);
        for seat in self.listeners.files.get(name).cloned().unwrap_or_default() {
            let (pools, mut turn) = self.turn(now, actions);
            let Some(pool) = pools.get_mut(seat.pool) else { continue };
            let checker = pool.servers.get(seat.server).and_then(|it| it.config.checkers.get(seat.checker));
            let Some(Checker::File(check)) = checker else { continue };
            let says = file_says(check, value);
            let sentence = |server: &str, up| {
                let way = if up { "leaving" } else { "now" };
                format!("({server}): tracked file {name} {way} FAULT state")
            };
            pool.set((seat.server, seat.checker), says, sentence, &mut turn);
        }
    }

    fn address(&mut self, now: Instant, address: IpAddr, held: bool, actions: &mut Actions) {
        let changed = if held { self.held.insert(address) } else { self.held.remove(&address) };
        if !changed {
            return;
        }
        for place in self.listeners.addresses.get(&address).cloned().unwrap_or_default() {
            self.wake(now, place, actions);
        }
    }

    /// Lets the checks of a pool pause or go on, as the addresses of the host are.
    fn wake(&mut self, now: Instant, place: usize, actions: &mut Actions) {
        let Some(pool) = self.pools.get_mut(place) else { return };
        let asleep = pool.sleeps(&self.held);
        if std::mem::replace(&mut pool.asleep, asleep) == asleep {
            return;
        }
        let word = if asleep { "Suspending" } else { "Activating" };
        pool.say_checkers(word, actions);
        for id in pool.probes() {
            let pools = &self.pools;
            self.probes.count_awake(now, id, |place| pools.get(place).is_some_and(|pool| pool.asleep));
        }
    }

    fn stop(&mut self, now: Instant, actions: &mut Actions) {
        self.stopped = true;
        self.probes.stop();
        self.timers.clear();
        let (pools, mut turn) = self.turn(now, actions);
        for pool in pools {
            pool.shut_down(&mut turn);
        }
    }

    pub(crate) fn turn<'a>(
        &'a mut self,
        now: Instant,
        actions: &'a mut Actions,
    ) -> (&'a mut Vec<Pool>, Turn<'a>) {
        let mails_servers_only = self.mails_servers_only;
        let turn =
            Turn { now, table: &mut self.table, timers: &mut self.timers, actions, mails_servers_only };
        (&mut self.pools, turn)
    }
}

fn tell(pool: &mut Pool, seat: Seat, news: &News, turn: &mut Turn<'_>) {
    let Some(server) = pool.servers.get(seat.server) else { return };
    let (name, service) = (&server.name, &pool.name);
    match &news.what {
        What::Verdict { verdict, is_first, reason, retries } => {
            let sentence = if verdict.up {
                sentence::passed(&news.check, name, service)
            } else {
                sentence::failed(&news.check, name, service, reason, *retries)
            };
            let mail = sentence::mail(&news.check, verdict.up);
            let sets_weight = reload::sets_weight(&news.check);
            let (verdict, is_first) = (*verdict, *is_first);
            let told = Told { verdict, is_first, sets_weight, sentence: &sentence, mail: &mail };
            pool.hear((seat.server, seat.checker), told, turn);
        }
        What::Failure { reason } => turn.say(sentence::failed(&news.check, name, service, reason, 0)),
        What::Unknown { reason } => {
            let text = sentence::unknown(&news.check, name, reason);
            turn.actions.push(Action::Say(Level::Warning, text.into()));
        }
        What::Known => turn.say(sentence::known(&news.check, name)),
    }
}

impl Pool {
    /// Whether its checks pause (`ha_suspend`): none of its addresses is here. One without an address never does.
    pub(crate) fn sleeps(&self, held: &BTreeSet<IpAddr>) -> bool {
        let mut addresses = crate::services::addresses_of(&self.keys).peekable();
        self.config.ha_suspend
            && addresses.peek().is_some()
            && !addresses.any(|address| held.contains(&address))
    }

    /// The checks of its servers.
    pub(crate) fn probes(&self) -> Vec<ProbeId> {
        self.servers.iter().flat_map(|server| &server.judges).filter_map(|judge| judge.probe).collect()
    }

    /// Says of each checker that is asked again and again that it begins or pauses.
    pub(crate) fn say_checkers(&self, word: &str, actions: &mut Actions) {
        for server in &self.servers {
            for _ in server.judges.iter().filter(|judge| judge.probe.is_some()) {
                let text = format!("{word} healthchecker for service {} for VS {}", server.name, self.name);
                actions.push(Action::Say(Level::Detail, text.into()));
            }
        }
    }
}
