//! Puts instances and groups into the state that follows from what they have been told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::Instant;

use crate::due::Waiter;
use crate::group::{Group, Member, Shared, Stance, decide};
use crate::instance::{Instance, Mover, Step, Turn};
use crate::{
    Action, Actions, GroupNotification, GroupStatus, InstanceId, Notice, NotificationKind, Router, StateName,
};

impl Router {
    /// Every sync group as it is, in the order of their names.
    pub fn groups(&self) -> impl Iterator<Item = GroupStatus> + '_ {
        self.groups.values().map(|group| {
            let members = group.members.iter().filter_map(|id| self.instances.get(id));
            GroupStatus {
                name: group.shared.name.to_string(),
                state: group.state,
                members: members.map(|member| member.name().to_string()).collect(),
            }
        })
    }

    /// Settles every group one of whose members has been told something since the last call; false if there is none.
    pub(super) fn settle_groups(&mut self, now: Instant, out: &mut Actions) -> bool {
        let any = !self.unsettled.is_empty();
        while let Some(shared) = self.unsettled.pop() {
            let Some(group) = self.groups.get_mut(&shared.name) else { continue };
            let mut turn = Turn { now, clock: self.clock, out, pacer: &mut self.pacer };
            if !settle_group(&mut self.instances, group, &mut turn) {
                continue;
            }
            for id in &group.members {
                let deadline = self.instances.get(id).and_then(Instance::deadline);
                self.due.set(Waiter::Instance(*id), deadline);
            }
            self.due.set(Waiter::Pacer, self.pacer.deadline());
        }
        any
    }
}

/// Settles an instance that is in no group.
pub(super) fn settle_alone(instance: &mut Instance, turn: &mut Turn<'_>) {
    let state = decide(&std::iter::once(instance.member()));
    let still_at_fault = state == StateName::Fault && instance.member().stance != Stance::Ill;
    if let Some(mut step) = instance.step(state, None, None, turn).filter(|_| !still_at_fault) {
        for phase in PHASES {
            phase(instance, &mut step, turn);
        }
    }
}

/// Settles a group, and says whether anything moved.
fn settle_group(
    instances: &mut BTreeMap<InstanceId, Instance>,
    group: &mut Group,
    turn: &mut Turn<'_>,
) -> bool {
    let state = decide(&views(instances, group));
    if state == StateName::Backup {
        tell_held_back(instances, group, turn);
    }
    let rests = state != StateName::Fault && views(instances, group).all(|member| member.state == state);
    let mut steps = if rests { Vec::new() } else { steps(instances, group, state, turn) };
    if steps.is_empty() && group.state == state {
        return false;
    }
    let changed = std::mem::replace(&mut group.state, state) != state;
    for (number, phase) in PHASES.into_iter().enumerate() {
        if number == ADDRESSES && changed {
            turn.out.notice(Notice::Syncing { group: Arc::clone(&group.shared.name), state });
        }
        if number == PUBLISH && changed {
            notify(&group.shared, NotificationKind::of(state), turn.out);
        }
        for (id, step) in &mut steps {
            if let Some(instance) = instances.get_mut(id) {
                phase(instance, step, turn);
            }
        }
    }
    true
}

/// Tells scripts what happened to a group.
pub(super) fn notify(shared: &Shared, kind: Option<NotificationKind>, out: &mut Actions) {
    let notification = kind.map(|kind| GroupNotification { group: Arc::clone(&shared.name), kind });
    out.extend(notification.map(Action::NotifyGroup));
}

type Phase = fn(&mut Instance, &mut Step, &mut Turn<'_>);

/// What every member does before any does the next.
const PHASES: [Phase; 8] = [
    |instance, step, turn| instance.part(step, turn),
    |instance, _, turn| instance.let_go(turn),
    |instance, step, turn| instance.enter(step, turn),
    |instance, step, turn| instance.take_addresses(step, turn),
    |instance, _, turn| instance.announce_takeover(turn),
    |instance, _, turn| instance.take_routes(turn),
    |instance, _, turn| instance.notify_state(turn),
    |instance, _, turn| instance.publish_state(turn),
];
const ADDRESSES: usize = 3;
const PUBLISH: usize = 7;

fn views(instances: &BTreeMap<InstanceId, Instance>, group: &Group) -> impl Iterator<Item = Member> + Clone {
    group.members.iter().filter_map(|id| instances.get(id)).map(Instance::member)
}

/// What each member that is not in `state` yet has to do.
fn steps(
    instances: &mut BTreeMap<InstanceId, Instance>,
    group: &Group,
    state: StateName,
    turn: &mut Turn<'_>,
) -> Vec<(InstanceId, Step)> {
    let mover = mover(instances, group, state);
    let race = race_delay(instances, group, mover.as_ref(), turn.now);
    let is_ill = views(instances, group).any(|member| member.stance == Stance::Ill);
    let mut steps = Vec::new();
    for id in &group.members {
        let Some(instance) = instances.get_mut(id) else { continue };
        // What was at fault works again, and a script has yet to say so: the causes that are known stand.
        let stands = state == StateName::Fault && !is_ill && instance.member().state == state;
        if !stands {
            steps.extend(instance.step(state, mover.as_ref(), race, turn).map(|step| (*id, step)));
        }
    }
    steps
}

/// The member that the others go with, if they do not go all by themselves.
fn mover(instances: &BTreeMap<InstanceId, Instance>, group: &Group, state: StateName) -> Option<Mover> {
    let members = || group.members.iter().filter_map(|id| instances.get(id));
    let of = |wanted: &dyn Fn(Member) -> bool| members().find(|instance| wanted(instance.member()));
    let found = match state {
        StateName::Init => None,
        StateName::Fault => {
            of(&|member| member.stance == Stance::Ill).or_else(|| of(&|member| member.state == state))
        }
        StateName::Backup => of(&|member| member.stance == Stance::Yields)
            .or_else(|| of(&|member| member.stance == Stance::Follows)),
        StateName::Master => of(&|member| member.state == state),
    };
    found.map(|instance| Mover {
        shared: Arc::clone(&group.shared),
        member: Arc::clone(instance.name()),
        yields: instance.member().stance == Stance::Yields,
    })
}

/// How much later than else this group listens; the same for all members, by the address of one that every host has.
fn race_delay(
    instances: &BTreeMap<InstanceId, Instance>,
    group: &Group,
    mover: Option<&Mover>,
    now: Instant,
) -> Option<Duration> {
    mover.filter(|mover| mover.yields)?;
    let members = group.members.iter().filter_map(|id| instances.get(id));
    let first = members.min_by_key(|instance| instance.config().vrid);
    first.and_then(|instance| instance.race_delay(now))
}

/// An operator who sees a silent master and a backup that does nothing must learn why.
fn tell_held_back(instances: &mut BTreeMap<InstanceId, Instance>, group: &Group, turn: &mut Turn<'_>) {
    let members = group.members.iter().filter_map(|id| instances.get(id));
    let mut holding = members.filter(|instance| instance.member().stance != Stance::Willing);
    let Some((by, master)) = holding.next().map(|one| (Arc::clone(one.name()), one.followed())) else {
        return;
    };
    for id in &group.members {
        let Some(instance) = instances.get_mut(id) else { continue };
        if let Some(reason) = instance.take_held_back(turn.now) {
            let (instance, group, by) =
                (Arc::clone(instance.name()), Arc::clone(&group.shared.name), Arc::clone(&by));
            turn.out.notice(Notice::HeldBack { instance, reason, group, by, master });
        }
    }
}
