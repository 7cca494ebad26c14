//! One virtual server: its servers, its quorum, and what the table should hold of it.

use std::collections::BTreeMap;

use model::Instant;
use model::ipvs::{Change, Destination, DestinationKey, Service, ServiceKey};
use model::lvs::{self, Checker};

use crate::probes::Verdict;
use crate::server::{Known, Server};
use crate::turn::{Timer, Turn};
use crate::{Action, Drain, Notification, Remembered, Standing, Subject, Whose, names, sentence};

/// A virtual server.
#[derive(Debug)]
pub(crate) struct Pool {
    /// Its place among all.
    pub(crate) place: usize,
    /// Its settings; its real servers are in `servers`.
    pub(crate) config: lvs::VirtualServer,
    pub(crate) name: Box<str>,
    /// The services that it is in the table.
    pub(crate) keys: Vec<ServiceKey>,
    pub(crate) servers: Vec<Server>,
    pub(crate) by_key: BTreeMap<DestinationKey, usize>,
    /// The sum of the weights of servers that are up.
    live: u64,
    /// As it has been acted upon and told.
    pub(crate) quorum: bool,
    /// It has not been acted upon yet.
    pub(crate) fresh: bool,
    /// Its checks pause.
    pub(crate) asleep: bool,
    /// Servers that a reload has removed, and until when they stay.
    pub(crate) draining: BTreeMap<DestinationKey, Drain>,
}

/// At what time quorum is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// The first configuration.
    Start,
    /// Another configuration.
    Reload,
    /// A server changed.
    Change,
}

impl Pool {
    pub(crate) fn new(
        place: usize,
        config: &lvs::VirtualServer,
        keys: Vec<ServiceKey>,
        servers: Vec<Server>,
    ) -> Self {
        let config = without_servers(config);
        let by_key = servers.iter().enumerate().map(|(place, server)| (server.key, place)).collect();
        let name = names::service(&config);
        Self {
            place,
            name,
            config,
            keys,
            servers,
            by_key,
            live: 0,
            quorum: false,
            fresh: true,
            asleep: false,
            draining: BTreeMap::new(),
        }
    }

    /// Takes over what was known of the same service before a reload.
    pub(crate) fn inherit(&mut self, old: &Self, known: &Known) {
        (self.fresh, self.quorum) = (false, old.quorum);
        for server in &mut self.servers {
            let before = old.by_key.get(&server.key).and_then(|place| old.servers.get(*place));
            if let Some(before) = before {
                server.inherit(before, known);
            }
        }
        let drains = old.draining.iter().filter(|(key, drain)| !self.has_in_place_of(**key, drain));
        self.draining = drains.map(|(key, drain)| (*key, *drain)).collect();
    }

    /// Takes over what a worker that died has left.
    pub(crate) fn remember(&mut self, remembered: &BTreeMap<Subject, Standing>) {
        let of = |server| Subject { service: self.config.service.clone(), server };
        let Some(standing) = remembered.get(&of(None)) else { return };
        (self.fresh, self.quorum) = (false, standing.up);
        for server in &mut self.servers {
            // One that was removed and is back begins anew.
            let standing = remembered.get(&of(Some(server.key)));
            if let Some(standing) = standing.filter(|standing| standing.drain.is_none()) {
                server.remember(standing);
            }
        }
        let ours = remembered.range(of(None)..).take_while(|(of, _)| of.service == self.config.service);
        for (of, standing) in ours {
            if let (Some(key), Some(drain)) = (of.server, standing.drain)
                && !self.has_in_place_of(key, &drain)
            {
                self.draining.insert(key, drain);
            }
        }
    }

    /// A check of a server has told something: what that changes, in the order in which it is told.
    pub(crate) fn hear(&mut self, (server, checker): (usize, usize), told: Told<'_>, turn: &mut Turn<'_>) {
        let Some(subject) = self.servers.get_mut(server) else { return };
        let Some(judge) = subject.judges.get_mut(checker) else { return };
        let verdict = told.verdict;
        let changed = judge.up != verdict.up;
        judge.up = verdict.up;
        if told.sets_weight {
            subject.dynamic = verdict.weight;
        }
        if verdict.up {
            self.reweigh(server, turn);
        }
        if changed || told.is_first {
            turn.say(told.sentence);
        }
        if changed && !turn.mails_servers_only {
            self.mail_of_checker(server, verdict.up, told.mail, turn);
        }
        if changed || told.is_first || told.sets_weight {
            self.settle(server, told.is_first, told.mail, turn);
        }
    }

    /// A session or a file has told something, and `sentence` says it.
    pub(crate) fn set(
        &mut self,
        (server, checker): (usize, usize),
        (up, offset): (bool, i64),
        sentence: impl FnOnce(&str, bool) -> String,
        turn: &mut Turn<'_>,
    ) {
        let Some(subject) = self.servers.get_mut(server) else { return };
        let judge = subject.judges.get_mut(checker);
        let Some(judge) = judge.filter(|judge| judge.up != up || judge.offset != offset) else { return };
        let changed = judge.up != up;
        (judge.up, judge.offset) = (up, offset);
        if changed {
            turn.say(sentence(&subject.name, up));
        }
        let because = if up { "=> CHECK succeed on service <=" } else { "=> CHECK failed on service <=" };
        self.settle(server, false, because, turn);
    }

    /// Lets a server be what its checkers say.
    pub(crate) fn settle(&mut self, place: usize, is_first: bool, because: &str, turn: &mut Turn<'_>) {
        let Some(server) = self.servers.get(place) else { return };
        let (was, up) = (server.up, server.passes());
        if up {
            self.reweigh(place, turn);
        }
        if was != up {
            self.turn_over(place, up, because, turn);
        } else if is_first && !up {
            // One that was presumed down is.
            self.notify_server(place, because, turn);
        }
        if !up {
            self.reweigh(place, turn);
        }
        self.publish(place, turn);
        self.judge_quorum(Occasion::Change, turn);
    }

    fn turn_over(&mut self, place: usize, up: bool, because: &str, turn: &mut Turn<'_>) {
        let Some(server) = self.servers.get_mut(place) else { return };
        server.up = up;
        server.ramp = up.then_some(turn.now);
        let weight = u64::from(server.weight);
        self.live = if up { self.live.saturating_add(weight) } else { self.live.saturating_sub(weight) };
        turn.say(moved(up, server.config.inhibit_on_failure, &server.name, &self.name));
        let key = server.key;
        self.show(key, turn);
        self.notify_server(place, because, turn);
    }

    /// Gives a server the weight that checks have made of its own.
    fn reweigh(&mut self, place: usize, turn: &mut Turn<'_>) {
        let Some(server) = self.servers.get_mut(place) else { return };
        let (before, weight) = (server.weight, server.judged_weight());
        if before == weight {
            return;
        }
        let activity = if server.up { "active" } else { "inactive" };
        turn.say(format!(
            "Changing weight from {before} to {weight} for {activity} service {} of VS {}",
            server.name, self.name
        ));
        server.weight = weight;
        if server.up {
            self.live = self.live.saturating_sub(before.into()).saturating_add(weight.into());
        }
        let key = server.key;
        self.show(key, turn);
    }

    /// Lets the servers of a new configuration be what they are, and judges quorum anew.
    pub(crate) fn settle_all(&mut self, occasion: Occasion, notify: bool, turn: &mut Turn<'_>) {
        self.live =
            self.servers.iter().filter(|server| server.up).map(|server| u64::from(server.weight)).sum();
        for place in 0..self.servers.len() {
            self.settle_configured(place, notify, turn);
        }
        self.judge_quorum(occasion, turn);
        self.publish_quorum(turn);
        self.fresh = false;
    }

    fn settle_configured(&mut self, place: usize, notify: bool, turn: &mut Turn<'_>) {
        let Some(server) = self.servers.get(place) else { return };
        let up = server.passes();
        if server.fresh {
            self.settle_fresh(place, up, notify, turn);
        } else {
            self.reweigh(place, turn);
            if self.servers.get(place).is_some_and(|server| server.up != up) {
                self.turn_over(place, up, RELOADED, turn);
            }
        }
        self.publish(place, turn);
    }

    /// Nothing has happened to a new server: it is taken to be so from its beginning.
    fn settle_fresh(&mut self, place: usize, up: bool, notify: bool, turn: &mut Turn<'_>) {
        let Some(server) = self.servers.get_mut(place) else { return };
        (server.fresh, server.up, server.weight) = (false, up, server.judged_weight());
        // The others have warm caches.
        server.ramp = (up && !self.fresh).then_some(turn.now);
        if up {
            self.live = self.live.saturating_add(server.weight.into());
            if notify {
                self.notify_server(place, "=> CHECK succeed on service <=", turn);
            }
        }
        self.tell_found(place, turn);
    }

    /// What others who ask the same had found out about a new server, which nobody could be told of before.
    fn tell_found(&mut self, place: usize, turn: &mut Turn<'_>) {
        let Some(server) = self.servers.get_mut(place) else { return };
        let checkers = server.config.checkers.iter().zip(&mut server.judges);
        let found: Vec<_> = checkers
            .filter_map(|(checker, judge)| match checker {
                Checker::Probe(probe) => Some((probe.clone(), judge.found.take()?)),
                Checker::Bfd(_) | Checker::File(_) => None,
            })
            .collect();
        for (probe, reason) in found {
            let Some(server) = self.servers.get(place) else { return };
            turn.say(sentence::failed(&probe.check, &server.name, &self.name, &reason, 0));
            let because = sentence::mail(&probe.check, false);
            // With `alpha` it was presumed so.
            if !probe.alpha && !turn.mails_servers_only {
                self.mail_of_checker(place, false, &because, turn);
            }
            self.notify_server(place, &because, turn);
        }
    }

    /// What has to be told of a server that the configuration does not have any more.
    pub(crate) fn dismiss(&mut self, old: &Server, turn: &mut Turn<'_>) {
        turn.say(format!("service {} no longer exist", old.name));
        self.forget(old.key, turn);
        if !old.up {
            return;
        }
        turn.say(moved(false, false, &old.name, &self.name));
        self.tell_server(old, false, RELOADED, turn);
        let drain = Drain { destination: old.destination(0), until: turn.now + old.config.drain };
        if !old.config.drain.is_zero() && !self.has_in_place_of(old.key, &drain) {
            self.draining.insert(old.key, drain);
            let state = Standing { drain: Some(drain), ..Standing::of(false) };
            self.tell_next(Some(old.key), Some(state), turn);
            let seconds = old.config.drain.as_secs();
            turn.say(format!(
                "service {} of VS {} keeps its connections for {seconds} s, and gets no new ones",
                old.name, self.name
            ));
        }
    }

    /// Whether a server of the configuration is in the table where one that drains would be, perhaps under another port: its
    /// weight is the one that counts.
    fn has_in_place_of(&self, key: DestinationKey, drain: &Drain) -> bool {
        let others = self.servers.iter().filter(|server| server.key.address == key.address);
        let mut others = others.map(|server| (server.key, server.destination(0)));
        others.any(|(other, value)| {
            let is_same =
                |service| seen_from(service, other, &value) == seen_from(service, key, &drain.destination);
            other == key || self.keys.iter().any(is_same)
        })
    }

    /// A sorry server that took the traffic is configured no more.
    pub(crate) fn tell_sorry_gone(&self, old: &Self, turn: &mut Turn<'_>) {
        let sorry = old.config.sorry_server.as_deref().filter(|_| old.is_sorry());
        if let Some(sorry) = sorry.filter(|_| self.config.sorry_server.is_none()) {
            let server = names::server(&self.config.service, sorry.address, sorry.port);
            turn.say(format!("Removing sorry server {server} from VS {}", self.name));
        }
    }

    /// All of it goes: what `omega` wants is told.
    pub(crate) fn shut_down(&mut self, turn: &mut Turn<'_>) {
        for server in &self.servers {
            let inhibited = if server.up { "" } else { "(inhibited) " };
            if server.up || server.config.inhibit_on_failure {
                turn.say(format!("Shutting down {inhibited}service {} from VS {}", server.name, self.name));
            }
        }
        if !self.config.omega {
            return;
        }
        for server in self.servers.iter().filter(|server| server.up) {
            self.tell_server(server, false, "=> Shutting down <=", turn);
        }
        if self.quorum {
            self.quorum = false;
            self.notify_quorum("=> Shutting down <=", turn);
        }
    }

    /// Loses or gains quorum, if the weights say so.
    fn judge_quorum(&mut self, occasion: Occasion, turn: &mut Turn<'_>) {
        let lvs::Quorum { weight, hysteresis, .. } = self.config.quorum;
        let gain = u64::from(weight) + u64::from(hysteresis);
        let lose = u64::from(weight.saturating_sub(hysteresis));
        let live = self.live;
        if !self.quorum && live >= gain {
            self.quorum = true;
            let told = format!("Gained quorum {weight}+{hysteresis}={gain} <= {live}");
            self.move_quorum(&told, turn);
        } else if self.quorum && (live < lose || (live == 0 && weight > 0)) {
            self.quorum = false;
            let word = if occasion == Occasion::Reload { "Starting with quorum down" } else { "Lost quorum" };
            self.move_quorum(&format!("{word} {weight}-{hysteresis}={lose} > {live}"), turn);
        } else if occasion == Occasion::Start && !self.quorum && self.tells_bad_start() {
            self.move_quorum(
                &format!("Starting with quorum down {weight}-{hysteresis}={lose} > {live}"),
                turn,
            );
        }
    }

    /// With `alpha` and without a sorry server, a start without quorum is what was asked for.
    fn tells_bad_start(&self) -> bool {
        !self.config.alpha || self.config.sorry_server.is_some()
    }

    fn move_quorum(&mut self, told: &str, turn: &mut Turn<'_>) {
        turn.say(format!("{told} for VS {}", self.name));
        // At a start with quorum it has not been there.
        if let Some(sorry) = self.config.sorry_server.as_ref().filter(|_| !(self.fresh && self.quorum)) {
            let (word, way) = match (self.quorum, sorry.inhibit) {
                (true, false) => ("Removing", "from"),
                (true, true) => ("Disabling", "from"),
                (false, false) => ("Adding", "to"),
                (false, true) => ("Enabling", "to"),
            };
            let server = names::server(&self.config.service, sorry.address, sorry.port);
            turn.say(format!("{word} sorry server {server} {way} VS {}", self.name));
            let alive = if self.quorum { "Adding alive servers to" } else { "Removing alive servers from" };
            turn.say(format!("{alive} the pool for VS {}", self.name));
            self.show_all(turn);
        }
        self.notify_quorum(&format!("=> {told} <="), turn);
        self.publish_quorum(turn);
    }

    /// Whether the sorry server takes the traffic.
    pub(crate) const fn is_sorry(&self) -> bool {
        !self.quorum && self.config.sorry_server.is_some()
    }

    /// What the table should hold under a key.
    fn wanted(&self, key: DestinationKey, now: Instant) -> Option<Destination> {
        let sorry = self.config.sorry_server.as_deref();
        let sorry = sorry.filter(|sorry| key == DestinationKey { address: sorry.address, port: sorry.port });
        let apologises = |weight, sorry: &lvs::SorryServer| Destination {
            weight,
            forwarding: sorry.forwarding,
            upper_threshold: None,
            lower_threshold: None,
        };
        if let Some(sorry) = sorry.filter(|_| self.is_sorry()) {
            return Some(apologises(1, sorry));
        }
        let server = self.by_key.get(&key).and_then(|place| self.servers.get(*place));
        let shown = server.and_then(|server| {
            let takes = server.up && !self.is_sorry();
            let stays = takes || server.config.inhibit_on_failure;
            stays.then(|| server.destination(if takes { server.ramped(now).0 } else { 0 }))
        });
        let kept = sorry.filter(|sorry| sorry.inhibit).map(|sorry| apologises(0, sorry));
        let drains = self.draining.get(&key).map(|drain| drain.destination);
        shown.or(kept).or(drains)
    }

    /// Everything that may be in the table.
    fn all_keys(&self) -> Vec<DestinationKey> {
        let sorry = self.config.sorry_server.iter();
        let sorry = sorry.map(|sorry| DestinationKey { address: sorry.address, port: sorry.port });
        self.by_key.keys().chain(self.draining.keys()).copied().chain(sorry).collect()
    }

    /// This service as it should be.
    pub(crate) fn service(&self, service: &ServiceKey, now: Instant) -> Service {
        let wanted = |key| {
            let value = self.wanted(key, now)?;
            Some((seen_from(service, key, &value), value))
        };
        Service {
            scheduler: self.config.scheduler,
            flags: self.config.flags,
            one_packet: self.config.one_packet,
            persistence: self.config.persistence.clone(),
            destinations: self.all_keys().into_iter().filter_map(wanted).collect(),
        }
    }

    /// Brings the table in line at one destination.
    pub(crate) fn show(&self, destination: DestinationKey, turn: &mut Turn<'_>) {
        let wanted = self.wanted(destination, turn.now);
        for &service in &self.keys {
            match wanted {
                Some(value) => {
                    let destination = seen_from(&service, destination, &value);
                    turn.change(Change::SetDestination { service, destination, value });
                }
                None => self.hide(service, destination, turn),
            }
        }
        let place = self.by_key.get(&destination);
        if let Some((&place, server)) = place.and_then(|place| Some((place, self.servers.get(*place)?))) {
            self.time_ramp(place, server, turn);
        }
    }

    /// Takes a destination out of a service, under the port that it has there, unless another server has that too.
    fn hide(&self, service: ServiceKey, key: DestinationKey, turn: &mut Turn<'_>) {
        let seen = DestinationKey { port: service.port(), ..key };
        let ports = if seen == key { vec![key] } else { vec![key, seen] };
        for destination in ports {
            let is_anothers = || {
                let others = self.all_keys().into_iter().filter(|other| other.address == key.address);
                let mut wanted = others.filter_map(|other| Some((other, self.wanted(other, turn.now)?)));
                wanted.any(|(other, value)| seen_from(&service, other, &value) == destination)
            };
            let there = turn.table.services.get(&service);
            if there.is_some_and(|there| there.destinations.contains_key(&destination)) && !is_anothers() {
                turn.change(Change::RemoveDestination { service, destination });
            }
        }
    }

    fn time_ramp(&self, place: usize, server: &Server, turn: &mut Turn<'_>) {
        if let Some(at) = server.ramped(turn.now).1.filter(|_| server.up) {
            turn.timers.insert((at, Timer::Ramp { pool: self.place, server: place }));
        }
    }

    /// Brings the table in line at every destination: what comes, before what goes.
    fn show_all(&self, turn: &mut Turn<'_>) {
        let (come, go): (Vec<_>, Vec<_>) = self
            .all_keys()
            .into_iter()
            .partition(|key| self.wanted(*key, turn.now).is_some_and(|destination| destination.weight > 0));
        for key in come.into_iter().chain(go) {
            self.show(key, turn);
        }
    }

    /// Whole services that are new or of other settings, else what differs in them.
    pub(crate) fn show_services(&self, turn: &mut Turn<'_>) {
        for &service in &self.keys {
            let wanted = self.service(&service, turn.now);
            let same = turn.table.services.get(&service).is_some_and(|there| {
                (there.scheduler, there.flags, there.one_packet)
                    == (wanted.scheduler, wanted.flags, wanted.one_packet)
                    && there.persistence == wanted.persistence
            });
            if !same {
                turn.change(Change::SetService { service, value: wanted });
                continue;
            }
            let there = turn.table.services.get(&service);
            let gone: Vec<_> = there
                .into_iter()
                .flat_map(|there| there.destinations.keys())
                .filter(|key| !wanted.destinations.contains_key(key))
                .copied()
                .collect();
            for (&destination, &value) in &wanted.destinations {
                turn.change(Change::SetDestination { service, destination, value });
            }
            for destination in gone {
                turn.change(Change::RemoveDestination { service, destination });
            }
        }
        for (place, server) in self.servers.iter().enumerate() {
            self.time_ramp(place, server, turn);
        }
        for (&server, &Drain { until, .. }) in &self.draining {
            turn.timers.insert((until, Timer::Drained { pool: self.place, server }));
        }
    }

    /// A server that is configured no more has had its time.
    pub(crate) fn drained(&mut self, key: DestinationKey, turn: &mut Turn<'_>) {
        if self.draining.get(&key).is_some_and(|drain| drain.until <= turn.now) {
            self.draining.remove(&key);
            self.show(key, turn);
            self.forget(key, turn);
        }
    }

    /// Tells what a server is, unless that was the last that was told.
    fn notify_server(&mut self, place: usize, because: &str, turn: &mut Turn<'_>) {
        let Some(server) = self.servers.get_mut(place) else { return };
        let up = server.up;
        if server.told.replace(up) != Some(up)
            && let Some(server) = self.servers.get(place)
        {
            self.tell_server(server, up, because, turn);
        }
    }

    fn tell_server(&self, server: &Server, up: bool, because: &str, turn: &mut Turn<'_>) {
        let config = &server.config;
        turn.actions.push(Action::Notify(Box::new(Notification {
            of: Whose::RealServer { service: self.name.clone(), server: server.name.clone() },
            up,
            command: if up { config.notify_up.clone() } else { config.notify_down.clone() },
            mail: config.smtp_alert && turn.mails_servers_only,
            because: because.into(),
        })));
    }

    fn mail_of_checker(&self, place: usize, up: bool, because: &str, turn: &mut Turn<'_>) {
        let Some(server) = self.servers.get(place).filter(|server| server.config.smtp_alert) else { return };
        turn.actions.push(Action::Notify(Box::new(Notification {
            of: Whose::Checker { service: self.name.clone(), server: server.name.clone() },
            up,
            command: None,
            mail: true,
            because: because.into(),
        })));
    }

    fn notify_quorum(&self, because: &str, turn: &mut Turn<'_>) {
        let quorum = &self.config.quorum;
        turn.actions.push(Action::Notify(Box::new(Notification {
            of: Whose::VirtualServer { service: self.name.clone() },
            up: self.quorum,
            command: if self.quorum { quorum.up.clone() } else { quorum.down.clone() },
            mail: self.config.smtp_alert,
            because: because.into(),
        })));
    }

    fn publish(&mut self, place: usize, turn: &mut Turn<'_>) {
        let Some(server) = self.servers.get_mut(place) else { return };
        let (key, standing) = (server.key, server.standing());
        let digest = Some(standing.digest());
        // After a reload most servers stand as they stood.
        if std::mem::replace(&mut server.remembered, digest) != digest {
            self.tell_next(Some(key), Some(standing), turn);
        }
    }

    fn publish_quorum(&self, turn: &mut Turn<'_>) {
        self.tell_next(None, Some(Standing::of(self.quorum)), turn);
    }

    /// A real server is no more.
    fn forget(&self, server: DestinationKey, turn: &mut Turn<'_>) {
        self.tell_next(Some(server), None, turn);
    }

    /// What the next worker should know of a real server, or of the virtual one.
    fn tell_next(&self, server: Option<DestinationKey>, state: Option<Standing>, turn: &mut Turn<'_>) {
        let of = Subject { service: self.config.service.clone(), server };
        turn.actions.push(Action::State(Box::new(Remembered { of, state })));
    }

    /// All of it is no more.
    pub(crate) fn forget_all(&self, turn: &mut Turn<'_>) {
        for key in self.by_key.keys().chain(self.draining.keys()) {
            self.forget(*key, turn);
        }
        self.tell_next(None, None, turn);
    }
}

/// What a check has told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'t> {
    pub(crate) verdict: Verdict,
    /// Nothing was known before.
    pub(crate) is_first: bool,
    /// The check has a say in the weight (`misc_dynamic`).
    pub(crate) sets_weight: bool,
    /// For the log.
    pub(crate) sentence: &'t str,
    /// For a mail.
    pub(crate) mail: &'t str,
}

/// The key of a server in a service: packets that reach it as they are cannot have another port there.
fn seen_from(service: &ServiceKey, key: DestinationKey, value: &Destination) -> DestinationKey {
    match value.forwarding {
        lvs::Forwarding::Nat => key,
        lvs::Forwarding::Direct | lvs::Forwarding::Tunnel(_) => {
            DestinationKey { port: service.port(), ..key }
        }
    }
}

/// A server comes into the pool or leaves it.
fn moved(up: bool, inhibits: bool, server: &str, service: &str) -> String {
    match (up, inhibits) {
        (true, false) => format!("Adding service {server} to VS {service}"),
        (false, false) => format!("Removing service {server} from VS {service}"),
        (true, true) => format!("Enabling service {server} of VS {service}"),
        (false, true) => format!("Disabling service {server} of VS {service}"),
    }
}

/// The settings alone.
fn without_servers(config: &lvs::VirtualServer) -> lvs::VirtualServer {
    lvs::VirtualServer {
        service: config.service.clone(),
        scheduler: config.scheduler,
        flags: config.flags,
        one_packet: config.one_packet,
        persistence: config.persistence.clone(),
        quorum: config.quorum.clone(),
        sorry_server: config.sorry_server.clone(),
        ha_suspend: config.ha_suspend,
        alpha: config.alpha,
        omega: config.omega,
        smtp_alert: config.smtp_alert,
        snmp_name: config.snmp_name.clone(),
        nth_of_group: config.nth_of_group,
        forwarding: config.forwarding,
        inhibit_on_failure: config.inhibit_on_failure,
        pace: config.pace,
        real_servers: Vec::new(),
    }
}

/// What a mail says about a change that a reload makes.
const RELOADED: &str = "=> Configuration reloaded <=";
