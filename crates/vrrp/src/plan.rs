//! What a reload would do, found out by a copy of the router that does it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::vrrp::{Config, Instance, Preempt, SyncGroup, Transport, Version, VirtualAddress};
use model::{Instant, Priority};

use crate::{Action, Actions, Change, Holding, Router, StateName, Status, diff};

/// What going over to another configuration would do, in the order in which it would be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One entry for each instance that something happens to, and one for each other change.
    pub steps: Vec<Step>,
}

/// One part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What changes in the configuration; `None` if nothing does that has a name.
    pub change: Option<Change>,
    /// What comes of it.
    pub effects: Vec<Effect>,
}

/// What comes of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It goes on in its state.
    GoesOn(StateName),
    /// It begins in this state.
    Begins(StateName),
    /// It goes over from one state to another.
    GoesOver {
        /// From this one.
        from: StateName,
        /// To this one.
        to: StateName,
    },
    /// It is no more.
    Ends,
    /// The kernel gets these.
    Adds(Vec<Thing>),
    /// These go: nobody shall have them, or another instance of this host does.
    Removes(Vec<Thing>),
    /// These go for a moment, and come back looking otherwise.
    Replaces(Vec<Thing>),
    /// A master gives these up. Nobody has them until another router takes over, or this one does again.
    GivesUp {
        /// What.
        things: Vec<Thing>,
        /// How long this router listens before it takes over again, if it may.
        returns: Option<Duration>,
    },
    /// These go to another interface of this host: clients learn another hardware address.
    ChangesInterface(Vec<Thing>),
    /// It takes over after this time unless a better router speaks.
    TakesOverUnlessHeard(Duration),
    /// It is at fault as soon as one of these scripts, which have not run yet, fails.
    DependsOn(Vec<String>),
    /// Packets to its addresses are dropped.
    Drops,
    /// A backup with a priority above this takes over.
    MayLose(Priority),
    /// It takes over from this master, which has this priority.
    Preempts {
        /// Who is master.
        master: IpAddr,
        /// Its priority.
        theirs: Priority,
        /// After how long, at most.
        within: Duration,
    },
    /// Until the others have the same setting they do not understand each other, and more than one is master.
    AloneUntilOthersFollow(&'static str),
}

/// How bad an effect is for those who use the addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disturbance {
    /// Nobody notices.
    None,
    /// An address moves to another router, orderly.
    Moves,
    /// An address is nowhere for a while, or on two hosts at once.
    Flaps,
}

/// Something that the kernel holds for a master.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thing {
    text: Box<str>,
    /// What tells it from others, beyond what is said of it.
    identity: Box<str>,
}

impl Router {
    /// What going over to `to` would do now. A copy of this router does it; nothing of this one changes.
    #[must_use]
    pub fn plan(&self, now: Instant, to: &Config) -> Plan {
        let before: BTreeMap<String, Status> = by_name(self.status());
        let mut copy = self.clone();
        copy.suppose_own_links(to);
        let mut actions = Actions::default();
        copy.reconfigure(now, to, &[], &mut actions);
        let after = by_name(copy.status());
        let mut held: BTreeMap<Arc<str>, Vec<Holding>> = BTreeMap::new();
        for action in actions.drain() {
            if let Action::Hold(holding) = action {
                held.entry(Arc::clone(&holding.name)).or_default().push(holding);
            }
        }
        let changes = diff(self.config(), to);
        let (old, new) = (Named::of(self.config()), Named::of(to));
        let mut planner = Planner { old, new, now, before, after, held, told: BTreeSet::new() };
        let mut steps: Vec<Step> = changes.into_iter().map(|change| planner.step(change)).collect();
        steps.extend(planner.others());
        Plan { steps }
    }
}

impl Plan {
    /// The worst of all effects.
    #[must_use]
    pub fn disturbance(&self) -> Disturbance {
        self.steps.iter().map(Step::disturbance).max().unwrap_or(Disturbance::None)
    }
}

impl Step {
    /// The worst of its effects.
    #[must_use]
    pub fn disturbance(&self) -> Disturbance {
        self.effects.iter().map(Effect::disturbance).max().unwrap_or(Disturbance::None)
    }
}

impl Effect {
    /// How bad it is.
    #[must_use]
    pub const fn disturbance(&self) -> Disturbance {
        match self {
            Self::GoesOn(_)
            | Self::Begins(_)
            | Self::GoesOver { .. }
            | Self::Ends
            | Self::Adds(_)
            | Self::ChangesInterface(_) => Disturbance::None,
            Self::Removes(_)
            | Self::MayLose(_)
            | Self::Preempts { .. }
            | Self::TakesOverUnlessHeard(_)
            | Self::DependsOn(_) => Disturbance::Moves,
            Self::Replaces(_) | Self::GivesUp { .. } | Self::AloneUntilOthersFollow(_) | Self::Drops => {
                Disturbance::Flaps
            }
        }
    }
}

fn by_name(all: impl Iterator<Item = Status>) -> BTreeMap<String, Status> {
    all.map(|one| (one.name.clone(), one)).collect()
}

/// The instances of a configuration, and the groups that have them, by the instances' names.
struct Named<'a> {
    instances: BTreeMap<&'a str, &'a Instance>,
    groups: BTreeMap<&'a str, &'a SyncGroup>,
}

impl<'a> Named<'a> {
    fn of(config: &'a Config) -> Self {
        let members = |group: &'a SyncGroup| group.members.iter().map(move |name| (name.as_str(), group));
        Self {
            instances: config.instances.iter().map(|one| (one.name.as_str(), one)).collect(),
            groups: config.groups.iter().flat_map(members).collect(),
        }
    }

    fn instance(&self, name: &str) -> Option<&'a Instance> {
        self.instances.get(name).copied()
    }

    /// Vital scripts that it tracks itself or by its group.
    fn vital_scripts(&self, name: &str) -> BTreeSet<String> {
        let shared = self.groups.get(name).into_iter().flat_map(|group| &group.track_scripts);
        let own = self.instance(name).into_iter().flat_map(|one| &one.track_scripts);
        let vital = own.chain(shared).filter(|tracked| tracked.influence.weight.get() == 0);
        vital.map(|tracked| tracked.script.clone()).collect()
    }
}

struct Planner<'a> {
    old: Named<'a>,
    new: Named<'a>,
    now: Instant,
    before: BTreeMap<String, Status>,
    after: BTreeMap<String, Status>,
    /// What the kernel is asked to hold for each instance, one request after the other.
    held: BTreeMap<Arc<str>, Vec<Holding>>,
    /// Instances that a step speaks of.
    told: BTreeSet<String>,
}

impl Planner<'_> {
    fn step(&mut self, change: Change) -> Step {
        let effects = match &change {
            Change::InstanceAdded(name) | Change::InstanceRemoved(name) | Change::InstanceReplaced(name) => {
                self.told.insert(name.clone());
                self.effects(name, &[])
            }
            Change::InstanceChanged { name, settings } => {
                self.told.insert(name.clone());
                self.effects(name, settings)
            }
            Change::ScriptAdded(_)
            | Change::ScriptRemoved(_)
            | Change::ScriptChanged(_)
            | Change::GroupAdded(_)
            | Change::GroupRemoved(_)
            | Change::GroupChanged { .. } => Vec::new(),
        };
        Step { change: Some(change), effects }
    }

    /// What happens to instances whose own settings stay: they go with a group, or what they track is new.
    fn others(&self) -> Vec<Step> {
        let moves = |name: &&String| {
            let state = |all: &BTreeMap<String, Status>| all.get(*name).map(|one| (one.state, one.priority));
            !self.told.contains(*name) && state(&self.before) != state(&self.after)
        };
        let untold = self.after.keys().filter(moves);
        untold
            .map(|name| {
                let change = Change::InstanceChanged { name: name.clone(), settings: Vec::new() };
                Step { change: Some(change), effects: self.effects(name, &[]) }
            })
            .collect()
    }

    fn effects(&self, name: &str, settings: &[&'static str]) -> Vec<Effect> {
        let (before, after) = (self.before.get(name), self.after.get(name));
        let mut effects = vec![match (before.map(|one| one.state), after.map(|one| one.state)) {
            (Some(from), Some(to)) if from == to => Effect::GoesOn(to),
            (Some(from), Some(to)) => Effect::GoesOver { from, to },
            (None, Some(to)) => Effect::Begins(to),
            (_, None) => Effect::Ends,
        }];
        let was_master = before.is_some_and(|one| one.state == StateName::Master);
        let is_master = after.is_some_and(|one| one.state == StateName::Master);
        match (was_master, is_master) {
            (true, true) => effects.extend(self.kept(name)),
            (true, false) => {
                let returns = after.filter(|one| one.state == StateName::Backup);
                let returns = returns.and_then(|one| one.deadline.as_ref()).map(|(at, _)| at.since(self.now));
                effects.push(Effect::GivesUp { things: self.held_now(name), returns });
            }
            (false, _) => {}
        }
        effects.extend(self.listening(before, after));
        if let Some(after) = after {
            effects.extend(self.new_scripts(after));
        }
        if settings.contains(&"accept") && self.new.instance(name).is_some_and(|one| !one.accept) {
            effects.push(Effect::Drops);
        }
        if let (Some(before), Some(after)) = (before, after) {
            effects.extend(self.election(before, after));
            if before.state != StateName::Fault {
                let settings = self.understanding(name, settings);
                effects.extend(settings.into_iter().map(Effect::AloneUntilOthersFollow));
            }
        }
        effects
    }

    /// What the kernel holds for a master before, between and after.
    fn kept(&self, name: &str) -> Vec<Effect> {
        let Some((last, between)) = self.held.get(name).and_then(|requests| requests.split_last()) else {
            return Vec::new();
        };
        let (old, new) = (self.things_before(name), things(last));
        let gone = |thing: &Thing| between.iter().any(|request| !things(request).contains_key(thing));
        let same = |thing: &Thing| old.get(thing) == new.get(thing) && !gone(thing);
        let list = |all: &mut dyn Iterator<Item = &Thing>| all.cloned().collect::<Vec<_>>();
        let removed = list(&mut old.keys().filter(|thing| !new.contains_key(*thing)));
        let added = list(&mut new.keys().filter(|thing| !old.contains_key(*thing)));
        let replaced = list(&mut old.keys().filter(|thing| new.contains_key(*thing) && !same(thing)));
        let elsewhere = |thing: &Thing, all: &[Thing]| all.iter().any(|other| other.is_same_address(thing));
        let (moved, removed): (Vec<_>, Vec<_>) =
            removed.into_iter().partition(|thing| elsewhere(thing, &added));
        let added: Vec<_> = added.into_iter().filter(|thing| !elsewhere(thing, &moved)).collect();
        let some = |things: Vec<Thing>| Some(things).filter(|things| !things.is_empty());
        let removed = some(removed).map(Effect::Removes);
        let replaced = some(replaced).map(Effect::Replaces);
        let moved = some(moved).map(Effect::ChangesInterface);
        removed.into_iter().chain(replaced).chain(moved).chain(some(added).map(Effect::Adds)).collect()
    }

    /// One that begins to listen takes over in the end if nobody better is there.
    fn listening(&self, before: Option<&Status>, after: Option<&Status>) -> Option<Effect> {
        let listens = |one: &&Status| one.state == StateName::Backup;
        let begins = before.is_none_or(|one| matches!(one.state, StateName::Fault | StateName::Init));
        let (at, _) = after.filter(listens).filter(|_| begins)?.deadline.as_ref()?;
        Some(Effect::TakesOverUnlessHeard(at.since(self.now)))
    }

    /// Vital scripts that it did not track before.
    fn new_scripts(&self, after: &Status) -> Option<Effect> {
        let known = self.old.vital_scripts(&after.name);
        let now = self.new.vital_scripts(&after.name);
        let new: Vec<_> = now.into_iter().filter(|script| !known.contains(script)).collect();
        (!new.is_empty()).then_some(Effect::DependsOn(new))
    }

    fn held_now(&self, name: &str) -> Vec<Thing> {
        self.things_before(name).into_keys().collect()
    }

    fn things_before(&self, name: &str) -> BTreeMap<Thing, String> {
        let old = self.old.instance(name);
        old.map_or_else(BTreeMap::new, |old| all_things(&old.addresses, &old.routes, &old.rules))
    }

    /// What another priority, or another view of preemption, does to who is master.
    fn election(&self, before: &Status, after: &Status) -> Option<Effect> {
        let config = self.new.instance(&after.name)?;
        let is_owner = config.priority == Priority::OWNER;
        match (before.state, after.state) {
            (StateName::Master, StateName::Master) if after.priority < before.priority => {
                Some(Effect::MayLose(after.priority))
            }
            (StateName::Backup, StateName::Backup) => {
                let (master, heard) = before.master.zip(before.heard)?;
                let theirs = heard.priority;
                let would = is_better(config, is_owner, after.priority, theirs);
                let did = self.old.instance(&after.name);
                let did = did.is_some_and(|old| is_better(old, false, before.priority, theirs));
                let within = after.down_interval + delay(config);
                (would && !did).then_some(Effect::Preempts { master, theirs, within })
            }
            _ => None,
        }
    }

    /// Settings that all routers of a virtual router must share, as far as other kinds of routers insist on it.
    fn understanding(&self, name: &str, settings: &[&'static str]) -> Vec<&'static str> {
        let (Some(old), Some(new)) = (self.old.instance(name), self.new.instance(name)) else {
            return Vec::new();
        };
        let is_shared = |setting: &&str| match *setting {
            "authentication" | "auth_hmac" | "v3_checksum_as_v2" => true,
            "advert_int" => new.version == Version::V2,
            "virtual_ipaddress" => new.strict,
            "peers" => is_heard_no_more(&old.transport, &new.transport),
            _ => false,
        };
        settings.iter().copied().filter(is_shared).collect()
    }
}

/// Somebody who heard us does not any more.
fn is_heard_no_more(old: &Transport, new: &Transport) -> bool {
    match (old, new) {
        (Transport::Multicast { group: old }, Transport::Multicast { group: new }) => old != new,
        (Transport::Unicast { peers: old, .. }, Transport::Unicast { peers: new, .. }) => {
            old.iter().any(|peer| !new.iter().any(|other| other.address == peer.address))
        }
        (Transport::Multicast { .. }, Transport::Unicast { .. })
        | (Transport::Unicast { .. }, Transport::Multicast { .. }) => true,
    }
}

fn is_better(config: &Instance, is_owner: bool, ours: Priority, theirs: Priority) -> bool {
    theirs != Priority::RELEASE && ours > theirs && (is_owner || config.preempt != Preempt::Never)
}

fn delay(config: &Instance) -> Duration {
    match config.preempt {
        Preempt::After(delay) => delay,
        Preempt::Always | Preempt::Never => Duration::ZERO,
    }
}

fn things(holding: &Holding) -> BTreeMap<Thing, String> {
    all_things(&holding.addresses, &holding.routes, &holding.rules)
}

/// Each by what is said of it, with all of its settings.
fn all_things(
    addresses: &[VirtualAddress],
    routes: &[model::route::Route],
    rules: &[model::rule::Rule],
) -> BTreeMap<Thing, String> {
    let addresses = addresses.iter().map(|one| {
        // Whether advertisements list it is nothing to the kernel.
        let looks = format!("{:?}", VirtualAddress { advertised: true, tracked: true, ..one.clone() });
        (Thing::new(format!("{} on {}", one.prefix, one.device), String::new()), looks)
    });
    let routes = routes.iter().map(|one| {
        let identity = format!("{:?}", (&one.from, &one.tos, &one.table, one.metric));
        (Thing::new(format!("route {}", one.destination), identity), format!("{one:?}"))
    });
    let rules = rules.iter().map(|one| {
        let identity = format!("{:?}", (one.family, one.inverted, &one.selector));
        (Thing::new(format!("rule {}", one.priority), identity), format!("{one:?}"))
    });
    addresses.chain(routes).chain(rules).collect()
}

impl Thing {
    /// The same address, on any interface.
    fn is_same_address(&self, other: &Self) -> bool {
        let address = |thing: &Self| thing.text.split_once(" on ").map(|(address, _)| address.to_owned());
        address(self).is_some_and(|own| address(other) == Some(own))
    }

    fn new(text: String, identity: String) -> Self {
        Self { text: text.into(), identity: identity.into() }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// More are only counted.
const MOST_LISTED: usize = 8;

struct List<'a>(&'a [Thing]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, thing) in self.0.iter().take(MOST_LISTED).enumerate() {
            write!(f, "{}{thing}", if number == 0 { "" } else { ", " })?;
        }
        match self.0.len().saturating_sub(MOST_LISTED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GoesOn(state) => write!(f, "goes on as {state}"),
            Self::Begins(state) => write!(f, "begins as {state}"),
            Self::GoesOver { from, to } => write!(f, "goes over from {from} to {to}"),
            Self::Ends => f.write_str("ends"),
            Self::Adds(things) => write!(f, "adds {}", List(things)),
            Self::Removes(things) => write!(f, "removes {}", List(things)),
            Self::Replaces(things) => write!(f, "removes and adds anew {}", List(things)),
            Self::GivesUp { things, returns } => {
                write!(f, "gives up {}: nobody has that until another router takes over", List(things))?;
                match returns {
                    Some(after) => write!(f, ", or this one does after {:.3}s", after.as_secs_f64()),
                    None => Ok(()),
                }
            }
            Self::ChangesInterface(things) => {
                write!(f, "changes the interface of {}: clients learn another hardware address", List(things))
            }
            Self::TakesOverUnlessHeard(after) => {
                write!(f, "takes over after {:.3}s unless a better router speaks", after.as_secs_f64())
            }
            Self::DependsOn(scripts) => {
                write!(f, "is at fault if `{}` fails, which has not run yet", scripts.join("` or `"))
            }
            Self::Drops => f.write_str("packets to its addresses are dropped (`no_accept`)"),
            Self::MayLose(priority) => write!(f, "a backup with a priority above {priority} takes over"),
            Self::Preempts { master, theirs, within } => {
                let within = within.as_secs_f64();
                write!(f, "takes over from {master}, priority {theirs}, within {within:.3}s")
            }
            Self::AloneUntilOthersFollow(setting @ "advert_int") => {
                write!(
                    f,
                    "another `{setting}`: until they have it too, keepalived's routers of version 2 refuse it, and"
                )?;
                f.write_str(" several are master at once")
            }
            Self::AloneUntilOthersFollow(setting) => {
                write!(
                    f,
                    "another `{setting}`: until the other routers have it too, several are master at once"
                )
            }
        }
    }
}
