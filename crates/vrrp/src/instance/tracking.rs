//! What tracked things mean for an instance: its priority, its faults, and whether it must still wait.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use model::vrrp::{OwnDevice, TrackedInterface, TrackedScript, Tracking, Transport};
use model::{Family, IfIndex, IfName, Influence};

use super::state::{Cause, State};
use super::{Instance, family};
use crate::event::{Link, Port};
use crate::process::ProcessCheck;
use crate::script::{ScriptCheck, Verdict};
use crate::{Actions, Notice};

/// What an instance may look at beyond itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World<'a> {
    pub(crate) links: &'a BTreeMap<IfName, Link>,
    /// Sockets that could not be opened.
    pub(crate) deaf: &'a BTreeSet<Port>,
    /// The addresses of links.
    pub(crate) sources: &'a BTreeSet<(IfIndex, IpAddr)>,
    pub(crate) scripts: &'a BTreeMap<String, ScriptCheck>,
    /// The numbers in tracked files; 0 where there is none.
    pub(crate) files: &'a BTreeMap<String, i32>,
    pub(crate) processes: &'a BTreeMap<String, ProcessCheck>,
    /// The BFD sessions that are up.
    pub(crate) sessions: &'a BTreeSet<String>,
    /// No instance begins yet.
    pub(crate) is_quiet: bool,
}

impl Instance {
    /// Other interfaces that matter, to it and to every member of its group.
    pub(crate) fn tracked_links(&self) -> impl Iterator<Item = &TrackedInterface> {
        let shared = self.group().into_iter().flat_map(|group| &group.config.track_interfaces);
        self.config().track_interfaces.iter().chain(shared)
    }

    /// Scripts that matter, to it and to every member of its group.
    pub(crate) fn tracked_scripts(&self) -> impl Iterator<Item = &TrackedScript> {
        let shared = self.group().into_iter().flat_map(|group| &group.config.track_scripts);
        self.config().track_scripts.iter().chain(shared)
    }

    /// Files that matter, to it and to every member of its group.
    pub(crate) fn tracked_files(&self) -> impl Iterator<Item = &Tracking> {
        let shared = self.group().into_iter().flat_map(|group| &group.config.track_files);
        self.config().track_files.iter().chain(shared)
    }

    /// Processes that matter, to it and to every member of its group.
    pub(crate) fn tracked_processes(&self) -> impl Iterator<Item = &Tracking> {
        let shared = self.group().into_iter().flat_map(|group| &group.config.track_processes);
        self.config().track_processes.iter().chain(shared)
    }

    /// BFD sessions that matter, to it and to every member of its group.
    pub(crate) fn tracked_sessions(&self) -> impl Iterator<Item = &Tracking> {
        let shared = self.group().into_iter().flat_map(|group| &group.config.track_bfds);
        self.config().track_bfds.iter().chain(shared)
    }

    /// What tracked things add to the priority.
    pub(super) fn changes<'a>(&'a self, world: World<'a>) -> impl Iterator<Item = i16> + 'a {
        let links = self.tracked_links().map(move |tracked| {
            let up = world.links.get(&tracked.interface).is_some_and(|link| link.up);
            change(tracked.influence, if up { Verdict::Up } else { Verdict::Down })
        });
        let scripts = self
            .tracked_scripts()
            .map(move |tracked| change(tracked.influence, verdict(world, &tracked.script)));
        // One that is a fault takes nothing: there is no priority to take from.
        let files = self.tracked_files().filter(move |tracked| !is_veto(tracked, world));
        let files = files.map(move |tracked| product(tracked, world));
        let processes = self
            .tracked_processes()
            .map(move |tracked| share(tracked.influence, presence(world, &tracked.name)));
        let sessions = self
            .tracked_sessions()
            .map(move |tracked| share(tracked.influence, reachability(world, &tracked.name)));
        links.chain(scripts).chain(files).chain(processes).chain(sessions)
    }

    pub(super) fn causes_in(&self, world: World<'_>) -> BTreeSet<Cause> {
        let mut causes = BTreeSet::new();
        causes.extend(self.own_causes(world));
        if matches!(&self.config.transport, Transport::Unicast { peers, .. } if peers.is_empty()) {
            causes.insert(Cause::NoPeers);
        }
        causes.extend(self.lost_source(world).map(Cause::NoSource));
        for tracked in self.tracked_links() {
            let link = world.links.get(&tracked.interface);
            if is_fault(tracked.influence, link.is_some_and(|link| link.up)) {
                let name = tracked.interface.clone();
                causes.insert(if link.is_some() { Cause::LinkDown(name) } else { Cause::LinkMissing(name) });
            }
        }
        for tracked in self.tracked_scripts() {
            let verdict = verdict(world, &tracked.script);
            let known = matches!(verdict, Verdict::Up | Verdict::Down);
            if known && is_fault(tracked.influence, verdict == Verdict::Up) {
                causes.insert(Cause::Script(tracked.script.as_str().into()));
            }
        }
        causes.extend(self.causes_of_files(world));
        for tracked in self.tracked_processes() {
            let verdict = presence(world, &tracked.name);
            if verdict != Verdict::Unknown && is_fault(tracked.influence, verdict == Verdict::Up) {
                causes.insert(Cause::Process(tracked.name.as_str().into()));
            }
        }
        for tracked in self.tracked_sessions() {
            let up = world.sessions.contains(&tracked.name);
            if is_fault(tracked.influence, up) {
                causes.insert(Cause::Session { name: tracked.name.as_str().into(), up });
            }
        }
        causes
    }

    /// The address that it has to speak from, if that is not there (`track_src_ip`).
    fn lost_source(&self, world: World<'_>) -> Option<IpAddr> {
        let source = self.config.source.filter(|_| self.config.track_source)?;
        let is_there = match self.base_link(world) {
            Some(link) => world.sources.contains(&(link.index, source)),
            None => world.sources.iter().any(|(_, address)| *address == source),
        };
        (!is_there).then_some(source)
    }

    /// A file takes more than there is of a priority.
    pub(super) fn is_vetoed(&self, world: World<'_>) -> bool {
        self.tracked_files().any(|tracked| is_veto(tracked, world))
    }

    fn causes_of_files(&self, world: World<'_>) -> impl Iterator<Item = Cause> {
        let is_fault = move |tracked: &&Tracking| match tracked.influence.weight.get() {
            0 => (value(world, &tracked.name) != 0) != tracked.influence.reverse,
            _ => is_veto(tracked, world),
        };
        self.tracked_files().filter(is_fault).map(|tracked| Cause::File(tracked.name.as_str().into()))
    }

    /// What is wrong with its interface, and with the one that it makes for itself on top.
    fn own_causes(&self, world: World<'_>) -> impl Iterator<Item = Cause> {
        let name = self.config.base();
        let own = self.config.own_device.as_ref().map(OwnDevice::name);
        let cause = name.into_iter().chain(own).find_map(|name| self.link_cause(name, world));
        let cause = cause.or_else(|| {
            let is_fine = self.address_on(self.base_link(world)).is_some() || self.awaits_address(world);
            (!is_fine).then(|| Cause::NoAddress(name.cloned(), family(self.config())))
        });
        let link = self.own_link(world).map(|link| link.index);
        let port = Port { link, family: family(self.config()) };
        let deaf = world.deaf.contains(&port).then(|| Cause::NoSocket(self.config.home().cloned()));
        cause.into_iter().chain(deaf)
    }

    fn link_cause(&self, name: &IfName, world: World<'_>) -> Option<Cause> {
        match world.links.get(name) {
            None => Some(Cause::LinkMissing(name.clone())),
            Some(link) if !link.up && self.config.track_primary => Some(Cause::LinkDown(name.clone())),
            Some(_) => None,
        }
    }

    /// It does not work yet, and will as soon as the kernel has made sure that nobody else has its address.
    fn awaits_address(&self, world: World<'_>) -> bool {
        let begins = matches!(self.state, State::Init | State::Fault(_));
        let base = self.base_link(world);
        let speaker = match self.config.own_device {
            Some(OwnDevice::Ipvlan(_)) => self.own_link(world),
            Some(OwnDevice::Vmac(_)) | None => base,
        };
        let awaits = speaker.is_some_and(|link| link.up && link.sources.awaits_v6);
        begins && awaits && family(self.config()) == Family::V6 && self.address_on(base).is_none()
    }

    /// A tracked script has not answered yet.
    pub(super) fn lacks_verdict(&self, world: World<'_>) -> bool {
        self.tracked_scripts().any(|tracked| verdict(world, &tracked.script) == Verdict::Unknown)
            || self.tracked_processes().any(|tracked| presence(world, &tracked.name) == Verdict::Unknown)
    }

    /// A vital script has not answered yet, the address that it sends from is not usable yet, or it is too early
    /// for all.
    pub(super) fn is_pending(&self, world: World<'_>) -> bool {
        world.is_quiet
            || self.awaits_address(world)
            || self.tracked_scripts().any(|tracked| {
                tracked.influence.weight.get() == 0 && verdict(world, &tracked.script) == Verdict::Unknown
            })
            || self.tracked_processes().any(|tracked| {
                tracked.influence.weight.get() == 0 && presence(world, &tracked.name) == Verdict::Unknown
            })
    }
}

/// Tells what has been added to and taken from the causes of a fault.
pub(super) fn tell_difference(
    name: &Arc<str>,
    known: &mut BTreeSet<Cause>,
    causes: BTreeSet<Cause>,
    out: &mut Actions,
) {
    for cause in causes.difference(known).cloned() {
        out.notice(Notice::FaultAdded { instance: Arc::clone(name), cause });
    }
    for cause in known.difference(&causes).cloned() {
        out.notice(Notice::FaultCleared { instance: Arc::clone(name), cause });
    }
    *known = causes;
}

fn verdict(world: World<'_>, script: &str) -> Verdict {
    world.scripts.get(script).map_or(Verdict::NotRun, ScriptCheck::verdict)
}

fn presence(world: World<'_>, name: &str) -> Verdict {
    match world.processes.get(name).and_then(ProcessCheck::verdict) {
        None => Verdict::Unknown,
        Some(true) => Verdict::Up,
        Some(false) => Verdict::Down,
    }
}

fn reachability(world: World<'_>, session: &str) -> Verdict {
    if world.sessions.contains(session) { Verdict::Up } else { Verdict::Down }
}

/// What processes and BFD sessions add to the priority. Reversed, they take as much.
fn share(influence: Influence, verdict: Verdict) -> i16 {
    let share = change(Influence { reverse: false, ..influence }, verdict);
    if influence.reverse { -share } else { share }
}

fn value(world: World<'_>, name: &str) -> i32 {
    world.files.get(name).copied().unwrap_or(0)
}

/// What a file adds to the priority: its number times the weight, and never more than there is of a priority.
fn product(tracked: &Tracking, world: World<'_>) -> i16 {
    let weight = i32::from(tracked.influence.weight.get());
    let weight = if tracked.influence.reverse { -weight } else { weight };
    let product = value(world, &tracked.name).saturating_mul(weight);
    let within = product.clamp(-i32::from(WHOLE_PRIORITY), i32::from(WHOLE_PRIORITY));
    i16::try_from(within).unwrap_or(0)
}

fn is_veto(tracked: &Tracking, world: World<'_>) -> bool {
    product(tracked, world) <= -WHOLE_PRIORITY
}

/// A file that takes this much is a fault.
const WHOLE_PRIORITY: i16 = 254;

fn change(influence: Influence, verdict: Verdict) -> i16 {
    let up = match verdict {
        Verdict::Unknown | Verdict::NotRun => return 0,
        Verdict::Up => !influence.reverse,
        Verdict::Down => influence.reverse,
    };
    let weight = influence.weight.get();
    if (weight > 0) == up { weight } else { 0 }
}

const fn is_fault(influence: Influence, up: bool) -> bool {
    influence.weight.get() == 0 && up == influence.reverse
}
