//! What tracked things mean for an instance: its priority, its faults, and whether it must still wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::vrrp::{TrackedInterface, TrackedScript, Transport};
use model::{IfIndex, IfName, Influence};

use super::Instance;
use super::state::Cause;
use crate::event::Link;
use crate::script::{ScriptCheck, Verdict};
use crate::{Actions, Notice};

/// What an instance may look at beyond itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World<'a> {
    pub(crate) links: &'a BTreeMap<IfName, Link>,
    /// Interfaces that have no socket.
    pub(crate) deaf: &'a BTreeSet<IfIndex>,
    pub(crate) scripts: &'a BTreeMap<String, ScriptCheck>,
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

    /// What tracked things add to the priority.
    pub(super) fn changes<'a>(&'a self, world: World<'a>) -> impl Iterator<Item = i16> + 'a {
        let links = self.tracked_links().map(move |tracked| {
            let up = world.links.get(&tracked.interface).is_some_and(|link| link.up);
            change(tracked.influence, if up { Verdict::Up } else { Verdict::Down })
        });
        let scripts = self
            .tracked_scripts()
            .map(move |tracked| change(tracked.influence, verdict(world, &tracked.script)));
        links.chain(scripts)
    }

    pub(super) fn causes_in(&self, world: World<'_>) -> BTreeSet<Cause> {
        let mut causes = BTreeSet::new();
        if let Some(own) = &self.config.interface {
            causes.extend(self.own_causes(own, world));
        }
        if matches!(&self.config.transport, Transport::Unicast { peers, .. } if peers.is_empty()) {
            causes.insert(Cause::NoPeers);
        }
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
        causes
    }

    /// What is wrong with its own interface.
    fn own_causes(&self, own: &IfName, world: World<'_>) -> impl Iterator<Item = Cause> {
        let link = self.own_link(world);
        let cause = match link {
            None => Some(Cause::LinkMissing(own.clone())),
            Some(link) if !link.up && self.config.track_primary => Some(Cause::LinkDown(own.clone())),
            Some(_) if self.address_on(link).is_none() => Some(Cause::NoAddress(own.clone())),
            Some(_) => None,
        };
        let is_deaf = link.is_some_and(|link| world.deaf.contains(&link.index));
        cause.into_iter().chain(is_deaf.then(|| Cause::NoSocket(own.clone())))
    }

    /// A tracked script has not answered yet.
    pub(super) fn lacks_verdict(&self, world: World<'_>) -> bool {
        self.tracked_scripts().any(|tracked| verdict(world, &tracked.script) == Verdict::Unknown)
    }

    /// A vital script has not answered yet.
    pub(super) fn is_pending(&self, world: World<'_>) -> bool {
        self.tracked_scripts().any(|tracked| {
            tracked.influence.weight.get() == 0 && verdict(world, &tracked.script) == Verdict::Unknown
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
