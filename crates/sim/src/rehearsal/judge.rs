//! What is to be said of a virtual router at the end of a phase.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::vrrp::SyncGroup;
use model::{Influence, Instant, Priority};
use vrrp::{Notice, Reason, StateName, Status};

use super::failure::{Failure, Fault};
use super::finding::{Finding, Remedy, WhyNotBack};
use super::plan::{Origin, Part, Plan, VirtualRouter};
use super::timeline::{Measure, Parts, Recorder, parts};
use crate::{Cluster, HostId};

/// What is looked at.
pub(super) struct Scene<'a> {
    pub(super) plan: &'a Plan,
    pub(super) cluster: &'a Cluster,
    pub(super) recorder: &'a Recorder,
    /// What has failed and is not repaired.
    pub(super) failure: Option<&'a Failure>,
    pub(super) from: Instant,
}

impl Scene<'_> {
    /// What is to be said of a router, worst first. `rest` is how its parts stood before anything failed.
    pub(super) fn findings(
        &self,
        router: &VirtualRouter,
        measure: &Measure,
        rest: &[Option<Status>],
    ) -> Vec<Finding> {
        let states: Vec<Option<Status>> =
            router.parts.iter().map(|part| standing(self.cluster, part)).collect();
        let members: Vec<_> = router.parts.iter().zip(&states).collect();
        let mut findings = self.of_sides(router, &members);
        let limit = router.parts.len() * 2 + 2;
        findings.extend((measure.changes > limit).then_some(Finding::Restless { changes: measure.changes }));
        findings.extend(self.unmoved(&members, rest));
        findings.extend(self.unserved(router, &members));
        findings.extend(self.unreachable(&members));
        findings.extend(self.tie(router));
        if let ([only], Some(_)) = (router.parts.as_slice(), self.failure) {
            let is_lost = findings.iter().any(|finding| matches!(finding, Finding::AllAtFault { .. }));
            findings.extend(is_lost.then(|| Finding::Alone { host: self.name(only) }));
            findings.retain(|finding| !is_lost || !matches!(finding, Finding::AllAtFault { .. }));
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.weight()));
        findings
    }

    fn name(&self, part: &Part) -> String {
        self.plan.host_name(part.host).to_owned()
    }

    /// Masters and their lack, side by side.
    fn of_sides(&self, router: &VirtualRouter, members: &[(&Part, &Option<Status>)]) -> Vec<Finding> {
        let sides: Parts = parts(self.cluster, router.lan);
        let on = |side: &BTreeSet<HostId>, state: StateName| -> Vec<String> {
            let those = members.iter().filter(|(part, status)| {
                side.contains(&part.host) && status.as_ref().is_some_and(|status| status.state == state)
            });
            those.map(|(part, _)| self.name(part)).collect()
        };
        let led: Vec<_> = sides.iter().map(|side| on(side, StateName::Master)).collect();
        let able: Vec<_> = sides.iter().map(|side| on(side, StateName::Backup)).collect();
        let has_master = led.iter().any(|side| !side.is_empty());
        let mut findings = Vec::new();
        for (led, able) in led.iter().zip(&able) {
            if led.len() > 1 {
                let why =
                    self.evidence(router, |notice| matches!(notice, Notice::Refused { .. }), Instant::ZERO);
                findings.push(Finding::TwoMasters { hosts: led.clone(), why });
            } else if led.is_empty() && !able.is_empty() {
                let why =
                    self.evidence(router, |notice| matches!(notice, Notice::HeldBack { .. }), self.from);
                let able = able.clone();
                findings.push(if has_master {
                    Finding::SideWithout { able, why }
                } else {
                    Finding::NoMaster { able, why }
                });
            }
        }
        if led.iter().filter(|side| !side.is_empty()).count() > 1 {
            findings.push(Finding::Apart { hosts: led.concat() });
        }
        if !has_master && able.iter().all(Vec::is_empty) {
            let hosts = members.iter().map(|(part, status)| self.unable(part, status.as_ref())).collect();
            findings.push(Finding::AllAtFault { hosts });
        }
        findings
    }

    /// The addresses that no master has, if there is one that is reached.
    fn unserved(&self, router: &VirtualRouter, members: &[(&Part, &Option<Status>)]) -> Vec<Finding> {
        let sides = parts(self.cluster, router.lan);
        let is_reached = |part: &Part| sides.iter().any(|side| side.contains(&part.host));
        let leads =
            |status: &Option<Status>| status.as_ref().is_some_and(|one| one.state == StateName::Master);
        let masters: Vec<&Part> = members
            .iter()
            .filter(|(part, status)| leads(status) && is_reached(part))
            .map(|(part, _)| *part)
            .collect();
        let (mut unset, mut unnamed) = (Vec::new(), Vec::new());
        for address in router.addresses.iter().filter(|_| !masters.is_empty()) {
            let mut places = masters.iter().flat_map(|part| {
                let all = self.plan.instance(part).into_iter().flat_map(|one| &one.addresses);
                all.filter(|one| one.prefix.address() == *address).map(|one| (part.host, one))
            });
            let is_named = places.clone().next().is_some();
            if !places.any(|(host, one)| self.cluster.holders(&one.device, one.prefix).contains(&host)) {
                if is_named { &mut unset } else { &mut unnamed }.push(*address);
            }
        }
        let hosts: Vec<_> = masters.iter().map(|part| self.name(part)).collect();
        let lacks = [(unset, true), (unnamed, false)].into_iter().filter(|(lack, _)| !lack.is_empty());
        lacks
            .map(|(addresses, configured)| Finding::Unserved { hosts: hosts.clone(), addresses, configured })
            .collect()
    }

    /// Why a part is not master, and cannot be.
    fn unable(&self, part: &Part, status: Option<&Status>) -> String {
        let host = self.name(part);
        let Some(state) = status.map(|status| status.state) else { return format!("{host} does not run") };
        let bars = self.recorder.bars(part, Instant::ZERO, self.cluster.now());
        let mut reasons =
            bars.rev().filter(|bar| bar.state == Some(state)).filter_map(|bar| bar.reason.as_ref());
        let reason = reasons.next().map(|reason| format!(" ({reason})")).unwrap_or_default();
        match state {
            StateName::Fault => format!("{host} is at fault{reason}"),
            StateName::Init => format!("{host} waits for what it tracks"),
            StateName::Backup | StateName::Master => format!("nobody reaches {host}"),
        }
    }

    /// The last thing of a kind that a daemon said about a router.
    fn evidence(
        &self,
        router: &VirtualRouter,
        is_kind: impl Fn(&Notice) -> bool,
        from: Instant,
    ) -> Option<String> {
        let is_about = |host: HostId, notice: &Notice| {
            router.parts.iter().any(|part| {
                part.host == host
                    && match notice {
                        Notice::HeldBack { instance, .. } => **instance == *part.instance,
                        Notice::Refused { whose: vrrp::Whose::Instance(instance), .. } => {
                            **instance == *part.instance
                        }
                        Notice::Refused { .. } => true,
                        _ => false,
                    }
            })
        };
        let said =
            self.recorder.warnings(from).filter(|(host, notice)| is_kind(notice) && is_about(*host, notice));
        said.last().map(|(host, notice)| format!("{} says \"{notice}\"", self.plan.host_name(host)))
    }

    /// A check or a tracked link of the master fails, and it stays.
    fn unmoved(&self, members: &[(&Part, &Option<Status>)], rest: &[Option<Status>]) -> Vec<Finding> {
        let faults = self.failure.map(|failure| failure.0.as_slice()).unwrap_or_default();
        let mut findings = Vec::new();
        for ((part, now), before) in members.iter().zip(rest) {
            let (Some(now), Some(before)) = (now, before) else { continue };
            let is_master = now.state == StateName::Master && before.state == StateName::Master;
            let others = members.iter().filter(|(other, status)| {
                other.host != part.host
                    && status.as_ref().is_some_and(|status| status.state == StateName::Backup)
            });
            let best = others
                .filter_map(|(other, status)| Some((status.as_ref()?.priority, *other)))
                .max_by_key(|(priority, _)| *priority);
            let Some((theirs, rival)) = best.filter(|_| is_master && now.priority <= before.priority) else {
                continue;
            };
            for fault in faults.iter().filter(|fault| fault.host() == part.host) {
                let Some((what, influence)) = self.tracked(part, fault) else { continue };
                let on_rival = self.tracked(rival, &fault.on(rival.host)).map(|(_, influence)| influence);
                let priorities = (before.priority, now.priority);
                let remedy = if theirs > now.priority {
                    Remedy::None
                } else {
                    remedy(influence, on_rival, priorities, theirs)
                };
                let rival = (self.name(rival), theirs, self.plan.never_preempts(rival));
                findings.push(Finding::Unmoved { host: self.name(part), what, priorities, rival, remedy });
            }
        }
        findings
    }

    /// What fails of that which a part tracks, and its failure is bad.
    fn tracked(&self, part: &Part, fault: &Fault) -> Option<(String, Influence)> {
        let instance = self.plan.instance(part)?;
        let group = self.plan.host(part.host).and_then(|host| group_of(&host.config.groups, &part.instance));
        let is_bad = |influence: &Influence| !influence.reverse || influence.weight.get() < 0;
        match fault {
            Fault::Script(_, name) => {
                let all = instance
                    .track_scripts
                    .iter()
                    .chain(group.into_iter().flat_map(|group| &group.track_scripts));
                let mut these = all.filter(|one| one.script == *name && is_bad(&one.influence));
                these.next().map(|one| (format!("{name} fails"), one.influence))
            }
            Fault::Cable(_, name) => {
                let all = instance
                    .track_interfaces
                    .iter()
                    .chain(group.into_iter().flat_map(|group| &group.track_interfaces));
                let mut these = all.filter(|one| one.interface == *name && is_bad(&one.influence));
                these.next().map(|one| (format!("{name} is down"), one.influence))
            }
            Fault::Power(_) | Fault::Stop(_) | Fault::Worker(_) | Fault::Partition(..) => None,
        }
    }

    /// Masters that hold addresses where nobody reaches them.
    fn unreachable(&self, members: &[(&Part, &Option<Status>)]) -> Vec<Finding> {
        let is_master =
            |status: &Option<Status>| status.as_ref().is_some_and(|one| one.state == StateName::Master);
        let masters: Vec<_> =
            members.iter().filter(|(_, status)| is_master(status)).map(|(part, _)| *part).collect();
        let elsewhere = masters.len() > 1;
        masters.into_iter().flat_map(|part| self.dead_devices(part, elsewhere)).collect()
    }

    /// The devices of a master's addresses that do not carry.
    fn dead_devices(&self, part: &Part, elsewhere: bool) -> Vec<Finding> {
        let Some((instance, host)) = self.plan.instance(part).zip(self.cluster.hosts.get(part.host.0)) else {
            return Vec::new();
        };
        let devices: BTreeSet<_> = instance.addresses.iter().map(|address| &address.device).collect();
        let dead = devices.into_iter().filter(|name| host.ports.contains_key(name) && !host.carries(name));
        dead.map(|name| {
            let held = instance.addresses.iter().filter(|one| one.device == *name);
            let addresses = held.map(|one| one.prefix.address()).collect();
            Finding::Unreachable { host: self.name(part), device: name.clone(), addresses, elsewhere }
        })
        .collect()
    }

    /// Two masters of equal priority met, and what decided was made up.
    fn tie(&self, router: &VirtualRouter) -> Option<Finding> {
        router.parts.iter().find_map(|part| {
            let mut bars =
                self.recorder.bars(part, self.from, self.cluster.now()).filter(|bar| bar.from >= self.from);
            let (master, priority) = bars.find_map(|bar| match &bar.reason {
                Some(Reason::Better { master, theirs, ours }) if theirs == ours => Some((*master, *ours)),
                _ => None,
            })?;
            let of_winner = |other: &&Part| self.source(other).is_some_and(|(address, _)| address == master);
            let winner = router.parts.iter().find(of_winner)?;
            let hosts = vec![self.name(winner), self.name(part)];
            let is_made_up = |part| matches!(self.source(part), Some((_, Origin::MadeUp)));
            (is_made_up(part) || is_made_up(winner)).then_some(Finding::Tie { hosts, priority })
        })
    }

    /// What a part speaks from.
    fn source(&self, part: &Part) -> Option<(IpAddr, Origin)> {
        let instance = self.plan.instance(part)?;
        if let Some(source) = instance.source {
            return Some((source, Origin::Source));
        }
        let name = instance.interface.as_ref()?;
        let source = self.cluster.hosts.get(part.host.0)?.ports.get(name)?.source(instance.family)?;
        let planned = self.plan.host(part.host)?.interfaces.get(name)?;
        let own = planned.addresses.iter().find(|one| one.prefix.address() == source);
        Some((source, own.map_or(Origin::MadeUp, |one| one.origin)))
    }

    /// Why another one is master after the repair than before the failure.
    pub(super) fn not_back(&self, router: &VirtualRouter, before: &BTreeSet<HostId>) -> Option<Finding> {
        let states: Vec<Option<Status>> =
            router.parts.iter().map(|part| standing(self.cluster, part)).collect();
        let now = masters(&states, router);
        let lost = before.difference(&now).next()?;
        let (part, status) = router.parts.iter().zip(&states).find(|(part, _)| part.host == *lost)?;
        let priority = status.as_ref()?.priority;
        let of_master = router.parts.iter().zip(&states).find(|(part, _)| now.contains(&part.host));
        let theirs = of_master.and_then(|(_, status)| status.as_ref()).map(|status| status.priority);
        let why = if self.plan.never_preempts(part) {
            WhyNotBack::NoPreempt
        } else if theirs == Some(priority) {
            WhyNotBack::Equal(priority)
        } else {
            WhyNotBack::Unknown
        };
        Some(Finding::NotBack { before: self.name(part), why })
    }
}

/// What would make a master yield that had and has these priorities, when a thing fails that acts on it so, and on the
/// rival so.
fn remedy(
    influence: Influence,
    on_rival: Option<Influence>,
    (before, after): (Priority, Priority),
    theirs: Priority,
) -> Remedy {
    let weight = influence.weight.get();
    let number = |priority: Priority| i16::from(priority.get());
    // Nobody can be below the least of all.
    if weight == 0 || theirs.get() <= 1 || before == after {
        return Remedy::None;
    }
    if weight < 0 {
        return Remedy::Weight(number(theirs) - number(before) - 1);
    }
    // What is added while all is well is only lost: the rival needs as much of it.
    let bonus = on_rival.filter(|influence| !influence.reverse).map_or(0, |influence| influence.weight.get());
    if bonus > 0 {
        return Remedy::BothWeights(number(after) - (number(theirs) - bonus) + 1);
    }
    Remedy::LowerBy(after.get().saturating_sub(theirs.get()).saturating_add(1))
}

/// How a part stands now; `None` if no daemon runs it.
pub(super) fn standing(cluster: &Cluster, part: &Part) -> Option<Status> {
    cluster.status(part.host).find(|status| status.name == part.instance)
}

/// Who is master.
pub(super) fn masters(states: &[Option<Status>], router: &VirtualRouter) -> BTreeSet<HostId> {
    let is_master =
        |status: &Option<Status>| status.as_ref().is_some_and(|one| one.state == StateName::Master);
    router
        .parts
        .iter()
        .zip(states)
        .filter(|(_, status)| is_master(status))
        .map(|(part, _)| part.host)
        .collect()
}

fn group_of<'a>(groups: &'a [SyncGroup], instance: &str) -> Option<&'a SyncGroup> {
    groups.iter().find(|group| group.members.iter().any(|member| member == instance))
}
