//! The router under test, its virtual clock, and the run of one case.

use std::net::IpAddr;
use std::time::Duration;

use model::vrrp::Config;
use model::{IfIndex, IfName, Instant, Priority, Sources};
use steadfast_vrrp::{
    Action, Actions, Arrival, Event, Link, NotificationKind, Outgoing, Port, Reject, Remembered, Router,
    ScriptOutcome, Status,
};

use wire::vrrp::Cover;

use crate::document::Case;
use crate::packet::Packet;
use crate::statement::{Words, eth, plain, set};

/// Runs a case.
pub(crate) fn run(case: &Case) -> Result<(), String> {
    let mut bench = Bench::new();
    for (number, line) in &case.lines {
        let told = |why| format!("tests/rfc/{}:{number}: {why}\n    {line}  ({})", case.file, case.heading);
        bench.take(line).map_err(told)?;
    }
    if bench.router.is_none() {
        return Err(format!("{}: {}: nothing happens", case.file, case.heading));
    }
    Ok(())
}

struct Bench {
    config: Config,
    own: IpAddr,
    /// Its interface, as it was when it was last there.
    link: Link,
    is_linked: bool,
    remembered: Vec<Remembered>,
    router: Option<Router>,
    now: Instant,
    /// What was done since the last `at`, and when.
    done: Vec<(Instant, Action)>,
    /// How much of `done` was expected.
    told: usize,
    /// The latest run of the script.
    run: u64,
    /// How long no instance begins.
    delay: Duration,
}

/// Long enough after the clock's origin that something can have been before the start.
const START: Instant = Instant::from_nanos(1_000_000_000_000);

impl Bench {
    fn new() -> Self {
        let own = IpAddr::from([192, 168, 0, 14]);
        let index = IfIndex::try_from(3).expect("3 is an index");
        Self {
            config: plain(),
            own,
            link: Link { index, up: true, sources: own.into() },
            is_linked: true,
            remembered: Vec::new(),
            router: None,
            now: START,
            done: Vec::new(),
            told: 0,
            run: 0,
            delay: Duration::ZERO,
        }
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let mut words = Words::new(line);
        let mut word = words.next()?;
        if self.router.is_none() {
            if self.prepare(word, &mut words)? {
                return words.end();
            }
            self.start();
        }
        if word == "at" {
            self.advance(START + words.span()?)?;
            word = words.next()?;
        } else if word == "wakes_at" {
            self.oversleep(START + words.span()?);
            word = words.next()?;
        }
        match word {
            "receive" => self.receive(&mut words)?,
            "link" => self.change_link(&mut words)?,
            "address" => self.change_address(&mut words)?,
            "socket" => self.change_socket(&mut words)?,
            "script" => self.end_script(&mut words)?,
            "file" => {
                let (name, value) = (words.next()?, words.parse()?);
                self.call(|router, now, out| router.handle(now, Event::File { name, value }, out));
            }
            "processes" => {
                let (name, count) = (words.next()?, words.parse()?);
                self.call(|router, now, out| router.handle(now, Event::Processes { name, count }, out));
            }
            "bfd" => {
                let (session, word) = (words.next()?, words.next()?);
                let up = match word {
                    "up" => true,
                    "down" => false,
                    other => return Err(format!("a session is not `{other}`")),
                };
                self.call(|router, now, out| router.handle(now, Event::Bfd { session, up }, out));
            }
            "reload" => self.reload(&mut words)?,
            "stop" => self.call(Router::stop),
            "expect" => self.expect(&mut words)?,
            other => return Err(format!("`{other}` is no word of a script")),
        }
        words.end()
    }

    /// A setting before the start; false if the word is none.
    fn prepare(&mut self, word: &str, words: &mut Words<'_>) -> Result<bool, String> {
        match word {
            "router" => {
                self.own = words.parse()?;
                self.link.sources = self.own.into();
            }
            "link" => {
                let link = self.linked(words)?;
                self.is_linked = link.is_some();
                self.link = link.unwrap_or(self.link);
            }
            "start_delay" => self.delay = words.span()?,
            "was_master" => {
                let at = START - words.span()?;
                words.expect("ago")?;
                let configured = self.config.instances.first().map(|one| one.priority);
                let mut priority = configured.ok_or("there is no instance")?;
                let mut instance = "VI_1".to_owned();
                while let Some(word) = words.maybe() {
                    match word {
                        "prio" => priority = Priority(words.parse()?),
                        "of" => words.next()?.clone_into(&mut instance),
                        other => return Err(format!("here stands `{other}`, not `prio` or `of`")),
                    }
                }
                self.remembered.push(Remembered { instance, master: true, priority, at });
            }
            _ => return set(&mut self.config, word, words),
        }
        Ok(true)
    }

    fn start(&mut self) {
        self.router = Some(Router::new());
        let link = self.is_linked.then_some(self.link);
        self.call(|router, now, out| router.handle(now, Event::Link { name: &eth(), link }, out));
        let delay = self.delay;
        self.call(|router, now, out| router.delay_start(now, now + delay, out));
        let (config, remembered) = (self.config.clone(), std::mem::take(&mut self.remembered));
        self.call(|router, now, out| router.reconfigure(now, &config, &remembered, out));
    }

    fn call(&mut self, call: impl FnOnce(&mut Router, Instant, &mut Actions)) {
        let mut actions = Actions::default();
        let router = self.router.as_mut().expect("the router has been started");
        call(router, self.now, &mut actions);
        for action in actions.drain() {
            if let Action::RunScript { run, .. } = action {
                self.run = run;
            }
            self.done.push((self.now, action));
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.router.as_ref()?.deadline()
    }

    fn advance(&mut self, to: Instant) -> Result<(), String> {
        if to < self.now {
            return Err("time does not go back".into());
        }
        if to > self.now {
            self.done.clear();
            self.told = 0;
        }
        while let Some(at) = self.deadline().filter(|at| *at <= to) {
            self.now = self.now.max(at);
            self.call(|router, now, out| router.handle(now, Event::Deadline, out));
        }
        self.now = to;
        Ok(())
    }

    /// The process was stopped until `to`, at which what was received meanwhile comes before what is due.
    fn oversleep(&mut self, to: Instant) {
        self.done.clear();
        self.told = 0;
        self.now = to;
    }

    fn status(&self) -> Result<Status, String> {
        let router = self.router.as_ref().ok_or("the router has not been started")?;
        router.status().next().ok_or_else(|| "the instance is gone".into())
    }

    fn linked(&self, words: &mut Words<'_>) -> Result<Option<Link>, String> {
        let link = self.link;
        Ok(match words.next()? {
            "up" => Some(Link { up: true, ..link }),
            "down" => Some(Link { up: false, ..link }),
            "missing" => None,
            "addressed" => Some(Link { up: true, sources: self.own.into(), ..link }),
            "tentative" => {
                Some(Link { up: true, sources: Sources { awaits_v6: true, ..Sources::NONE }, ..link })
            }
            "unaddressed" => Some(Link { sources: Sources::NONE, ..link }),
            "index" => {
                let index = IfIndex::try_from(words.parse::<u32>()?).map_err(|error| error.to_string())?;
                Some(Link { index, ..link })
            }
            other => return Err(format!("a link is not `{other}`")),
        })
    }

    fn change_link(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let name: IfName = words.parse()?;
        let link = self.linked(words)?;
        if name == eth() {
            self.link = link.unwrap_or(self.link);
        }
        self.call(|router, now, out| router.handle(now, Event::Link { name: &name, link }, out));
        Ok(())
    }

    fn change_address(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let address = words.parse()?;
        let there = match words.next()? {
            "comes" => true,
            "goes" => false,
            other => return Err(format!("an address does not `{other}`")),
        };
        let link = self.link.index;
        self.call(|router, now, out| router.handle(now, Event::Address { link, address, there }, out));
        Ok(())
    }

    fn change_socket(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let open = match words.next()? {
            "opens" => true,
            "fails" => false,
            other => return Err(format!("a socket does not `{other}`")),
        };
        let port = Port { link: Some(self.link.index), family: self.own.into() };
        self.call(|router, now, out| router.handle(now, Event::Socket { port, open }, out));
        Ok(())
    }

    fn end_script(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let name = words.next()?;
        let outcome = match words.next()? {
            "exits" => ScriptOutcome::Exited(words.parse()?),
            "killed" => ScriptOutcome::Killed(words.parse()?),
            "times_out" => ScriptOutcome::TimedOut,
            "not_run" => ScriptOutcome::NotRun,
            other => return Err(format!("a script does not end by `{other}`")),
        };
        let run = self.run;
        self.call(|router, now, out| router.handle(now, Event::Script { name, run, outcome }, out));
        Ok(())
    }

    fn reload(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let word = words.next()?;
        if word == "nothing" {
            self.config.instances.clear();
        } else if !set(&mut self.config, word, words)? {
            return Err(format!("`{word}` is no setting"));
        }
        let config = self.config.clone();
        self.call(|router, now, out| router.reconfigure(now, &config, &[], out));
        Ok(())
    }

    fn receive(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let packet = Packet::read(&self.config, self.own, words)?;
        let link = Some(self.link.index);
        let bytes = packet.bytes();
        let Packet { source, destination, ttl, .. } = packet;
        let advert = wire::vrrp::parse(&bytes, source, destination);
        let arrival = Arrival { link, source, destination, ttl, advert, message: &bytes };
        self.call(|router, now, out| router.handle(now, Event::Advert(arrival), out));
        Ok(())
    }

    fn expect(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        match words.next()? {
            "nothing" => self.expect_nothing(words),
            "no" => self.expect_none(words),
            "becomes" => {
                let state = words.next()?.to_uppercase();
                self.expect_log(&format!("Entering {state} STATE"))
            }
            "log" => self.expect_log(&words.rest()),
            "counted" => self.expect_counted(words),
            "priority" => equal(&self.status()?.priority, &Priority(words.parse()?)),
            "follows" => equal(&self.status()?.master, &Some(words.parse()?)),
            "deadline" => equal(&self.deadline(), &Some(START + words.span()?)),
            "all" => self.expect_all(words),
            state @ ("init" | "fault" | "backup" | "master") => {
                equal(&self.status()?.state.to_string(), &state.to_uppercase())
            }
            kind => self.expect_action(&format!("{kind} {}", words.rest())),
        }
    }

    /// Every instance, and every group, is in this state.
    fn expect_all(&self, words: &mut Words<'_>) -> Result<(), String> {
        let wanted = words.next()?.to_uppercase();
        let router = self.router.as_ref().ok_or("the router has not been started")?;
        let instances = router.status().map(|one| (one.name, one.state));
        let mut all = instances.chain(router.groups().map(|one| (one.name, one.state)));
        match all.find(|(_, state)| state.to_string() != wanted) {
            Some((name, state)) => Err(format!("{name} is {state}")),
            None => Ok(()),
        }
    }

    /// Nothing else at this moment and, if a time is given, before it.
    fn expect_nothing(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        if let Some(until) = words.maybe() {
            if until != "until" {
                return Err(format!("here stands `{until}`, not `until`"));
            }
            // `advance` forgets what was done before: look at that first.
            self.expect_untold()?;
            self.advance(START + words.span()? - Duration::from_nanos(1))?;
        }
        self.expect_untold()
    }

    /// No action of this kind, or no line with this text, since the last `at`.
    fn expect_none(&self, words: &mut Words<'_>) -> Result<(), String> {
        let kind = words.next()?;
        if kind == "log" {
            let text = words.rest();
            let told = self.logged(&text);
            return if told { Err(format!("`{text}` was logged")) } else { Ok(()) };
        }
        let wanted = format!("{kind} {}", words.rest());
        let of_kind = |(_, action): &&(Instant, Action)| {
            self.spell(action).is_some_and(|one| matches(&one, wanted.trim()))
        };
        match self.done.iter().find(of_kind) {
            Some(found) => Err(format!("there was {found:?}")),
            None => Ok(()),
        }
    }

    fn expect_untold(&self) -> Result<(), String> {
        let mut untold =
            self.done.iter().skip(self.told).filter_map(|(at, action)| Some((at, self.spell(action)?)));
        // A state is published after all that matters has been done.
        match untold.find(|(_, spelled)| !spelled.contains("publish ")) {
            Some((at, spelled)) => Err(format!("there was `{spelled}` at {:?}", at.since(START))),
            None => Ok(()),
        }
    }

    fn expect_action(&mut self, wanted: &str) -> Result<(), String> {
        let wanted = wanted.trim();
        let ahead = self.done.iter().enumerate().skip(self.told);
        let is_it = |(at, action): &(Instant, Action)| {
            *at == self.now && self.spell(action).is_some_and(|one| matches(&one, wanted))
        };
        match ahead.filter(|(_, done)| is_it(done)).map(|(place, _)| place).next() {
            Some(place) => {
                self.told = place + 1;
                Ok(())
            }
            None => Err(format!("that did not happen; what did: {:?}", self.spelled())),
        }
    }

    fn spelled(&self) -> Vec<String> {
        let spell =
            |(at, action): &(Instant, Action)| Some(format!("{:?} {}", at.since(START), self.spell(action)?));
        self.done.iter().filter_map(spell).collect()
    }

    /// An action as a script writes it, after the name of its instance unless it is the first.
    fn spell(&self, action: &Action) -> Option<String> {
        let named = |wanted: &dyn Fn(&model::vrrp::Instance) -> bool| {
            self.config.instances.iter().skip(1).find(|one| wanted(one)).map(|one| one.name.clone())
        };
        let holds = |one: &model::vrrp::Instance, address| {
            one.addresses.iter().any(|held| held.prefix.address() == address)
        };
        let name = match action {
            Action::Transmit(outgoing) => named(&|one| one.vrid == outgoing.vrid),
            Action::Hold(holding) => named(&|one| one.name == *holding.name),
            Action::Announce(announce) => named(&|one| holds(one, announce.address)),
            Action::Probe { address, .. } => named(&|one| holds(one, *address)),
            Action::Notify(notification) => named(&|one| one.name == *notification.instance),
            Action::Publish { instance, .. } | Action::Withdraw { instance } => {
                named(&|one| one.name == **instance)
            }
            Action::NotifyGroup(_) | Action::RunScript { .. } | Action::Notice(_) | Action::Changed(_) => {
                None
            }
        };
        let spelled = spell(action)?;
        Some(name.map_or_else(|| spelled.clone(), |name| format!("{name} {spelled}")))
    }

    fn logged(&self, text: &str) -> bool {
        self.done.iter().any(|(at, action)| {
            *at == self.now && matches!(action, Action::Notice(notice) if notice.to_string().contains(text))
        })
    }

    fn expect_log(&self, text: &str) -> Result<(), String> {
        if self.logged(text) {
            return Ok(());
        }
        Err(format!("that was not logged; done: {:?}", self.done))
    }

    /// `counted ttl 1`, `counted received 2`, `counted malformed 1`.
    fn expect_counted(&self, words: &mut Words<'_>) -> Result<(), String> {
        let (what, expected) = (words.next()?, words.parse::<u64>()?);
        let router = self.router.as_ref().ok_or("the router has not been started")?;
        let counters = self.status()?.counters;
        let found = match what {
            "received" => counters.received,
            "released" => counters.release_received,
            "interval_differs" => counters.interval_differs,
            "addresses_differ" => counters.addresses_differ,
            "bad_length" => counters.bad_length,
            "bad_type" => counters.bad_type,
            "bad_auth_type" => counters.bad_auth_type,
            "unknown_vrid" => router.unknown_vrid(),
            "malformed" => router.malformed().map(|(_, count)| count).sum(),
            name => {
                let named = |reason: &Reject| format!("{reason:?}").eq_ignore_ascii_case(name);
                let reason =
                    Reject::ALL.into_iter().find(named).ok_or_else(|| format!("`{name}` is no counter"))?;
                counters.rejected(reason)
            }
        };
        equal(&found, &expected)
    }
}

fn equal<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("it is {found:?}, not {expected:?}")) }
}

/// An action as a script writes it; what is only told is none.
fn spell(action: &Action) -> Option<String> {
    Some(match action {
        Action::Transmit(outgoing) => send(outgoing),
        Action::Hold(holding) if holding.addresses.is_empty() => "hold nothing".to_owned(),
        Action::Hold(holding) => {
            let addresses: Vec<_> =
                holding.addresses.iter().map(|one| one.prefix.address().to_string()).collect();
            format!("hold {}", addresses.join(" "))
        }
        Action::Announce(announce) => format!("announce {} x{}", announce.address, announce.count),
        Action::Probe { address, .. } => format!("probe {address}"),
        Action::Notify(notification) => format!("notify {}", kind(notification.kind)),
        Action::NotifyGroup(notification) => {
            format!("notify group {} {}", notification.group, kind(notification.kind))
        }
        Action::Publish { state, priority, .. } => format!("publish {state} {priority}"),
        Action::RunScript { script, .. } => format!("run {script}"),
        Action::Withdraw { instance } => format!("withdraw {instance}"),
        Action::Notice(_) | Action::Changed(_) => return None,
    })
}

fn send(outgoing: &Outgoing) -> String {
    let to: Vec<_> = outgoing.destinations().map(|one| one.to_string()).collect();
    let ttl = outgoing.ttl().map_or_else(String::new, |ttl| format!(" ttl {ttl}"));
    let covers = match outgoing.cover {
        Cover::Pseudo => String::new(),
        Cover::Alone => " summed alone".to_owned(),
        Cover::Group(group) => format!(" summed for {group}"),
    };
    format!(
        "send prio {} interval {} version {} from {} to {}{ttl}{covers}",
        outgoing.priority,
        outgoing.interval,
        outgoing.version,
        outgoing.source,
        to.join(",")
    )
}

/// What is wanted, word for word at the start: `send prio 100` is satisfied by a line that goes on.
fn matches(spelled: &str, wanted: &str) -> bool {
    spelled.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

const fn kind(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::Master => "MASTER",
        NotificationKind::Backup => "BACKUP",
        NotificationKind::Fault => "FAULT",
        NotificationKind::Stop => "STOP",
        NotificationKind::Deleted => "DELETED",
        NotificationKind::MasterRxLowerPriority => "MASTER_RX_LOWER_PRI",
    }
}
