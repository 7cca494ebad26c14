//! A director on a virtual clock, with servers that do as they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use model::ipvs::{Change, Destination, Table};
use model::lvs::{Check, Outcome};
use model::{Checkers, Instant, lvs};
use steadfast_lvs::{Action, Actions, Director, Event, Notification, ProbeId, Remembered, Subject, Whose};

/// A director and its surroundings.
pub(crate) struct Rig {
    pub(crate) director: Director,
    pub(crate) now: Instant,
    pub(crate) config: lvs::Config,
    pub(crate) globals: Checkers,
    /// What servers answer, by address, and programs, by path; others are well.
    pub(crate) answers: BTreeMap<String, Outcome>,
    /// Who does not answer at all.
    pub(crate) silent: BTreeSet<String>,
    /// Runs on their way: their answer, and when it comes.
    pub(crate) running: BTreeMap<ProbeId, (u64, Instant, Outcome)>,
    /// When answers come; those of runs that were forgotten too.
    answers_at: BTreeSet<(Instant, ProbeId)>,
    /// The sum of all changes.
    pub(crate) kernel: Table,
    pub(crate) notified: Vec<Notification>,
    pub(crate) remembered: BTreeMap<Subject, Remembered>,
    /// How often each check was asked for.
    pub(crate) asked: Vec<(Instant, String)>,
    pub(crate) story: String,
}

impl Rig {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            director: Director::new(seed),
            now: Instant::ZERO,
            config: lvs::Config::default(),
            globals: Checkers::default(),
            answers: BTreeMap::new(),
            silent: BTreeSet::new(),
            running: BTreeMap::new(),
            answers_at: BTreeSet::new(),
            kernel: Table::default(),
            notified: Vec::new(),
            remembered: BTreeMap::new(),
            asked: Vec::new(),
            story: String::new(),
        }
    }

    /// Reads a configuration and goes over to it.
    pub(crate) fn load(&mut self, text: &str) {
        let loaded = config::load(&Text(text), "case.conf");
        self.globals = loaded.config.global.checkers.clone();
        self.configure(loaded.config.lvs);
    }

    pub(crate) fn configure(&mut self, config: lvs::Config) {
        let mut actions = Actions::default();
        self.director.configure(self.now, &config, &self.globals, &mut actions);
        self.config = config;
        self.take(&mut actions);
    }

    pub(crate) fn tell(&mut self, event: Event<'_>) {
        let mut actions = Actions::default();
        self.director.handle(self.now, event, &mut actions);
        self.take(&mut actions);
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let answer = self.answers_at.first().map(|(at, _)| *at);
            let next = self.director.deadline().into_iter().chain(answer).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = next.max(self.now);
            while let Some(&(at, probe)) = self.answers_at.first().filter(|(at, _)| *at <= self.now) {
                self.answers_at.remove(&(at, probe));
                if let Some((run, _, outcome)) = self.running.get(&probe).filter(|run| run.1 == at).cloned() {
                    self.running.remove(&probe);
                    self.tell(Event::Outcome { probe, run, outcome });
                }
            }
            self.tell(Event::Deadline);
        }
        self.now = end;
    }

    /// The worker dies; what the next one is given comes later.
    pub(crate) fn die(&mut self) {
        self.director = Director::new(99);
        self.running.clear();
        self.kernel = Table::default();
        self.director.adopt(self.remembered.values().cloned().collect());
    }

    /// The worker dies; the next one is told what this one left.
    pub(crate) fn restart(&mut self) {
        self.die();
        let config = std::mem::take(&mut self.config);
        self.configure(config);
    }

    fn take(&mut self, actions: &mut Actions) {
        let changes = actions.as_slice().iter().any(|action| matches!(action, Action::Table(_)));
        for action in actions.drain().collect::<Vec<_>>() {
            match action {
                Action::Ask { probe, run, check } => self.ask(probe, run, &check),
                Action::Forget { probe } => drop(self.running.remove(&probe)),
                Action::Table(change) => {
                    self.write(&change_line(&change));
                    self.kernel.apply(change);
                }
                Action::Notify(notification) => self.notify(*notification),
                Action::State(state) => match &state.state {
                    Some(_) => drop(self.remembered.insert(state.of.clone(), *state)),
                    None => drop(self.remembered.remove(&state.of)),
                },
                Action::Say(_, text) => self.write(&text),
            }
        }
        if changes {
            assert_eq!(
                &self.kernel,
                self.director.table(),
                "the changes add up to the table\n{}",
                self.story
            );
        }
    }

    fn ask(&mut self, probe: ProbeId, run: u64, check: &Check) {
        let target = target(check);
        self.asked.push((self.now, target.clone()));
        assert!(!self.running.contains_key(&probe), "{target} is asked while it is asked\n{}", self.story);
        let outcome = self.answers.get(&target).cloned().unwrap_or(Outcome::Passed);
        let never = Instant::from_nanos(u64::MAX);
        let at = if self.silent.contains(&target) { never } else { self.now + Duration::from_millis(10) };
        self.answers_at.insert((at, probe));
        self.running.insert(probe, (run, at, outcome));
    }

    fn notify(&mut self, notification: Notification) {
        let of = match &notification.of {
            Whose::VirtualServer { service } => format!("VS {service}"),
            Whose::RealServer { service, server } => format!("RS {server} {service}"),
            Whose::Checker { service, server } => format!("mail of a checker of {server} {service}"),
        };
        let state = if notification.up { "UP" } else { "DOWN" };
        let command = notification.command.as_ref().map(|command| format!(", runs {}", command.program));
        if !matches!(notification.of, Whose::Checker { .. }) {
            self.write(&format!("notify {of} {state}{}", command.unwrap_or_default()));
        }
        self.notified.push(notification);
    }

    fn write(&mut self, line: &str) {
        let seconds = self.now.as_nanos() / 1_000_000_000;
        let millis = self.now.as_nanos() / 1_000_000 % 1000;
        writeln!(self.story, "{seconds:>4}.{millis:03} {line}").unwrap();
    }

    /// Writes the table into the story.
    pub(crate) fn show(&mut self) {
        for (key, service) in self.kernel.services.clone() {
            let servers: Vec<String> =
                service.destinations.iter().map(|(key, value)| format!("{key} {}", value.weight)).collect();
            self.write(&format!("holds {key}: {}", servers.join(", ")));
        }
    }
}

/// Whom a check asks.
fn target(check: &Check) -> String {
    let connection = match check {
        Check::Tcp(connection) | Check::Ping(connection) => connection,
        Check::Http(http) => &http.connection,
        Check::Smtp(smtp) => &smtp.connection,
        Check::Dns(dns) => &dns.connection,
        Check::Udp(udp) => &udp.connection,
        Check::Grpc(grpc) => &grpc.connection,
        Check::Misc(misc) => return misc.command.program.clone(),
    };
    connection.address.to_string()
}

fn change_line(change: &Change) -> String {
    match change {
        Change::SetService { service, value } => {
            let each: Vec<String> =
                value.destinations.iter().map(|(key, value)| format!("{key} {}", value.weight)).collect();
            format!("set {service} {:?}: {}", value.scheduler, each.join(", "))
        }
        Change::RemoveService { service } => format!("remove {service}"),
        Change::SetDestination { service, destination, value: Destination { weight, .. } } => {
            format!("set {service} -> {destination} {weight}")
        }
        Change::RemoveDestination { service, destination } => format!("remove {service} -> {destination}"),
    }
}

/// One command of a case.
pub(crate) fn command(rig: &mut Rig, words: &[&str]) {
    match words {
        ["run", seconds] => rig.run(Duration::from_secs_f64(seconds.parse().unwrap())),
        ["pass", who] => {
            rig.answers.remove(*who);
            rig.silent.remove(*who);
        }
        ["pass", who, weight] => {
            rig.answers.insert((*who).into(), Outcome::PassedWithWeight(weight.parse().unwrap()));
        }
        ["fail", who, why @ ..] => {
            rig.answers.insert((*who).into(), Outcome::Failed(why.join(" ").into()));
        }
        ["unknown", who, why @ ..] => {
            rig.answers.insert((*who).into(), Outcome::Unknown(why.join(" ").into()));
        }
        ["silent", who] => drop(rig.silent.insert((*who).into())),
        ["file", name, value] => rig.tell(Event::File { name, value: value.parse().unwrap() }),
        ["session", session, state] => rig.tell(Event::Bfd { session, up: *state == "up" }),
        ["address", address, state] => {
            let address: IpAddr = address.parse().unwrap();
            rig.tell(Event::Address { address, held: *state == "held" });
        }
        ["show"] => rig.show(),
        ["restart"] => rig.restart(),
        ["die"] => rig.die(),
        ["stop"] => rig.tell(Event::Stop),
        _ => panic!("no such command: {words:?}"),
    }
}

/// A file of its own.
pub(crate) struct Text<'t>(pub(crate) &'t str);

impl config::SourceProvider for Text<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        match path {
            "case.conf" => Ok(self.0.as_bytes().to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
