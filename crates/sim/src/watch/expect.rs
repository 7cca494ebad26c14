//! What an instance should be, worked out from its host without asking the machine.

use model::vrrp::{Instance, SyncGroup, TrackedInterface, TrackedScript, Tracking, Transport};
use model::{IfName, Influence, Priority};
use vrrp::ScriptOutcome;

use crate::host::Host;

/// What should become of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// It cannot work.
    pub(super) fault: bool,
    /// Its effective priority.
    pub(super) priority: Priority,
    /// A file takes more than there is of a priority, which stays what it was.
    pub(super) is_vetoed: bool,
}

/// `None` if nothing can be expected: a script of it cannot be run.
pub(super) fn expected(host: &Host, instance: &Instance) -> Option<Expected> {
    let group = group_of(host, &instance.name);
    let alone = standing(host, instance, group)?;
    let mut fault = alone.fault;
    for member in group.map(|group| group.members.as_slice()).unwrap_or_default() {
        let other = host.instance(member);
        if let Some(other) = other.filter(|other| other.name != instance.name) {
            fault |= standing(host, other, group)?.fault;
        }
    }
    Some(Expected { fault, ..alone })
}

/// The sync group of an instance.
pub(super) fn group_of<'a>(host: &'a Host, instance: &str) -> Option<&'a SyncGroup> {
    host.config.groups.iter().find(|group| group.members.iter().any(|member| member == instance))
}

fn standing(host: &Host, instance: &Instance, group: Option<&SyncGroup>) -> Option<Expected> {
    let mut fault = !has_link(host, instance) || !has_peers(instance);
    let mut is_vetoed = false;
    let mut sum = i32::from(instance.priority.get());
    let interfaces =
        instance.track_interfaces.iter().chain(group.into_iter().flat_map(|group| &group.track_interfaces));
    let scripts =
        instance.track_scripts.iter().chain(group.into_iter().flat_map(|group| &group.track_scripts));
    let mut count = |influence: Influence, up: bool| {
        let good = up != influence.reverse;
        match influence.weight.get() {
            0 => fault |= !good,
            weight if (weight > 0) == good => sum += i32::from(weight),
            _ => {}
        }
    };
    for TrackedInterface { interface, influence } in interfaces {
        count(*influence, is_up(host, interface));
    }
    for TrackedScript { script, influence } in scripts {
        match host.scripts.get(script).copied().unwrap_or(ScriptOutcome::Exited(0)) {
            ScriptOutcome::NotRun => return None,
            outcome => count(*influence, outcome == ScriptOutcome::Exited(0)),
        }
    }
    for tracked in trackings(instance, group, |one| &one.track_files, |group| &group.track_files) {
        let value = i64::from(host.readings.file(&host.config, &tracked.name));
        let sign = if tracked.influence.reverse { -1 } else { 1 };
        match sign * value * i64::from(tracked.influence.weight.get()) {
            _ if tracked.influence.weight.get() == 0 => fault |= (value != 0) != tracked.influence.reverse,
            ..=-254 => (fault, is_vetoed) = (true, true),
            product => sum += i32::try_from(product.min(254)).unwrap_or(254),
        }
    }
    let mut share = |influence: Influence, up: bool| match influence.weight.get() {
        0 => fault |= up == influence.reverse,
        weight if (weight > 0) != up => {}
        weight => sum += i32::from(if influence.reverse { -weight } else { weight }),
    };
    for tracked in trackings(instance, group, |one| &one.track_processes, |group| &group.track_processes) {
        share(tracked.influence, are_enough(host, &tracked.name));
    }
    for tracked in trackings(instance, group, |one| &one.track_bfds, |group| &group.track_bfds) {
        share(tracked.influence, host.readings.session(&tracked.name));
    }
    let priority = match instance.priority {
        Priority::OWNER => Priority::OWNER,
        _ => Priority(u8::try_from(sum.clamp(1, 254)).unwrap_or(1)),
    };
    Some(Expected { fault, priority, is_vetoed })
}

/// What an instance tracks itself and by its group.
fn trackings<'a>(
    instance: &'a Instance,
    group: Option<&'a SyncGroup>,
    own: fn(&Instance) -> &Vec<Tracking>,
    shared: fn(&SyncGroup) -> &Vec<Tracking>,
) -> impl Iterator<Item = &'a Tracking> {
    own(instance).iter().chain(group.into_iter().flat_map(shared))
}

fn are_enough(host: &Host, name: &str) -> bool {
    let count = host.readings.processes(&host.config, name);
    let process = host.config.processes.iter().find(|process| process.name == name);
    process.is_some_and(|process| {
        u32::from(process.least) <= count && process.most.is_none_or(|most| count <= u32::from(most))
    })
}

fn has_link(host: &Host, instance: &Instance) -> bool {
    let Some(port) = instance.interface.as_ref().and_then(|name| host.ports.get(name)) else { return false };
    port.there
        && (port.running || !instance.track_primary)
        && (port.source(instance.family).is_some() || instance.source.is_some())
}

fn has_peers(instance: &Instance) -> bool {
    match &instance.transport {
        Transport::Multicast { .. } => true,
        Transport::Unicast { peers, .. } => !peers.is_empty(),
    }
}

fn is_up(host: &Host, name: &IfName) -> bool {
    host.ports.get(name).is_some_and(|port| port.there && port.running)
}
