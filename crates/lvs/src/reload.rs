//! Going over to another configuration.

use std::collections::{BTreeMap, BTreeSet};

use model::ipvs::Change;
use model::lvs::{self, Checker};
use model::{Checkers, Instant};

use crate::director::{Director, Listeners};
use crate::pool::{Occasion, Pool};
use crate::probes::{Roster, Seat};
use crate::server::Server;
use crate::{Action, Actions, Remembered, services};

/// Lets `director` be what `config` says. What stays keeps its state.
pub(crate) fn configure(
    director: &mut Director,
    now: Instant,
    config: &lvs::Config,
    checkers: &Checkers,
    actions: &mut Actions,
) {
    director.mails_servers_only = checkers.mail_servers_only;
    let is_start = !std::mem::replace(&mut director.is_configured, true);
    let old: BTreeMap<lvs::Service, Pool> = std::mem::take(&mut director.pools)
        .into_iter()
        .map(|pool| (pool.config.service.clone(), pool))
        .collect();
    director.timers.clear();
    build(director, config);
    let old = inherit(director, now, old, actions);
    seat(director, now, is_start, actions);
    part(director, now, old, actions);
    settle(director, now, is_start && checkers.notify_at_start, actions);
    forget_strangers(director, actions);
}

/// What a dead worker has left of servers that the configuration does not have any more is nobody's.
fn forget_strangers(director: &mut Director, actions: &mut Actions) {
    let pools: BTreeMap<_, _> = director.pools.iter().map(|pool| (&pool.config.service, pool)).collect();
    for of in std::mem::take(&mut director.remembered).into_keys() {
        let has = |pool: &&Pool| {
            of.server.is_none_or(|key| pool.by_key.contains_key(&key) || pool.draining.contains_key(&key))
        };
        if !pools.get(&of.service).is_some_and(has) {
            actions.push(Action::State(Box::new(Remembered { of, state: None })));
        }
    }
}

/// The pools as the configuration has them, of which nothing is known.
fn build(director: &mut Director, config: &lvs::Config) {
    let groups = config.groups.iter().map(|group| (group.name.as_ref(), group)).collect();
    let mut taken = BTreeSet::new();
    let mut seen = BTreeSet::new();
    // What a second one of the same service would do, the first does.
    for server in config.virtual_servers.iter().filter(|server| seen.insert(&server.service)) {
        let place = director.pools.len();
        let keys = services::of(&server.service, &groups, &mut taken);
        let each = server.real_servers.iter();
        let servers = each.map(|real| Server::new(&server.service, real, &director.known)).collect();
        director.pools.push(Pool::new(place, server, keys, servers));
    }
}

/// Lets pools go on from those before them. What is left has no successor.
fn inherit(
    director: &mut Director,
    now: Instant,
    mut old: BTreeMap<lvs::Service, Pool>,
    actions: &mut Actions,
) -> BTreeMap<lvs::Service, Pool> {
    for place in 0..director.pools.len() {
        let Some(pool) = director.pools.get_mut(place) else { continue };
        pool.remember(&director.remembered);
        let Some(before) = old.remove(&pool.config.service) else { continue };
        pool.inherit(&before, &director.known);
        let gone: Vec<&Server> =
            before.servers.iter().filter(|server| !pool.by_key.contains_key(&server.key)).collect();
        // Its successor is not in its place yet: what it says is about the servers that go.
        let (pools, mut turn) = director.turn(now, actions);
        if let Some(pool) = pools.get_mut(place) {
            gone.into_iter().for_each(|server| pool.dismiss(server, &mut turn));
            pool.tell_sorry_gone(&before, &mut turn);
        }
    }
    old
}

/// Gives every checker its seat, and what is known there.
fn seat(director: &mut Director, now: Instant, is_start: bool, actions: &mut Actions) {
    let mut roster = director.probes.roster(is_start && director.remembered.is_empty());
    director.listeners = Listeners::default();
    for pool in &mut director.pools {
        pool.asleep = pool.sleeps(&director.held);
        if pool.config.ha_suspend {
            for address in services::addresses_of(&pool.keys) {
                director.listeners.addresses.entry(address).or_default().push(pool.place);
            }
        }
        for (place, server) in pool.servers.iter_mut().enumerate() {
            let listeners = &mut director.listeners;
            let mut seats = Seats { now, roster: &mut roster, probes: &mut director.probes, listeners };
            seats.take(pool.place, place, server);
        }
    }
    let pools = &director.pools;
    let asleep = |place: usize| pools.get(place).is_some_and(|pool| pool.asleep);
    director.probes.settle(now, roster, asleep, actions);
}

/// Where checkers sit.
struct Seats<'a> {
    now: Instant,
    roster: &'a mut Roster,
    probes: &'a mut crate::probes::Probes,
    listeners: &'a mut Listeners,
}

impl Seats<'_> {
    fn take(&mut self, pool: usize, place: usize, server: &mut Server) {
        for (checker, (config, judge)) in server.config.checkers.iter().zip(&mut server.judges).enumerate() {
            let seat = Seat { pool, server: place, checker };
            match config {
                Checker::Probe(probe) => {
                    let (id, verdict) = self.probes.seat(self.now, self.roster, (probe, seat));
                    judge.probe = Some(id);
                    if let Some((verdict, reason)) = verdict {
                        judge.up = verdict.up;
                        judge.found = (server.fresh && !verdict.up).then(|| reason.into());
                        if sets_weight(&probe.check) {
                            server.dynamic = verdict.weight;
                        }
                    }
                }
                Checker::Bfd(bfd) => {
                    self.listeners.sessions.entry(bfd.session.clone()).or_default().push(seat);
                }
                Checker::File(file) => {
                    self.listeners.files.entry(file.file.clone()).or_default().push(seat);
                }
            }
        }
    }
}

/// Whether what it says is a weight too (`misc_dynamic`).
pub(crate) fn sets_weight(check: &lvs::Check) -> bool {
    matches!(check, lvs::Check::Misc(misc) if misc.dynamic)
}

/// Takes away what the configuration does not have any more.
fn part(director: &mut Director, now: Instant, old: BTreeMap<lvs::Service, Pool>, actions: &mut Actions) {
    let kept: BTreeSet<_> = director.pools.iter().flat_map(|pool| &pool.keys).copied().collect();
    let (_, mut turn) = director.turn(now, actions);
    for (_, mut pool) in old {
        turn.say(format!("Removing Virtual Server {}", pool.name));
        pool.shut_down(&mut turn);
        pool.forget_all(&mut turn);
    }
    let gone: Vec<_> = turn.table.services.keys().filter(|key| !kept.contains(key)).copied().collect();
    for service in gone {
        turn.change(Change::RemoveService { service });
    }
}

/// Acts upon what is new, and brings the table in line.
fn settle(director: &mut Director, now: Instant, notify: bool, actions: &mut Actions) {
    let (pools, mut turn) = director.turn(now, actions);
    for pool in pools {
        let occasion = if pool.fresh { Occasion::Start } else { Occasion::Reload };
        pool.settle_all(occasion, notify, &mut turn);
        pool.show_services(&mut turn);
        pool.say_checkers(if pool.asleep { "Deactivating" } else { "Activating" }, turn.actions);
    }
}
