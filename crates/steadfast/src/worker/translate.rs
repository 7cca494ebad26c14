//! Between the machine's words and those of the messages.

use netlink::Standing;
use sys::clock::WallOffset;

use crate::message::{
    Disturbance, Notification, NotificationKind, Remembered, ScriptOutcome, State, Step, Whose,
};

impl From<ScriptOutcome> for vrrp::ScriptOutcome {
    fn from(outcome: ScriptOutcome) -> Self {
        match outcome {
            ScriptOutcome::Exited(status) => Self::Exited(status),
            ScriptOutcome::Killed(signal) => Self::Killed(signal),
            ScriptOutcome::TimedOut => Self::TimedOut,
            ScriptOutcome::NotRun => Self::NotRun,
        }
    }
}

impl From<vrrp::Notification> for Notification {
    fn from(notification: vrrp::Notification) -> Self {
        let whose = Whose::Instance(notification.instance.to_string());
        Self { whose, kind: notification.kind.into(), priority: notification.priority.get() }
    }
}

impl From<vrrp::GroupNotification> for Notification {
    fn from(notification: vrrp::GroupNotification) -> Self {
        let whose = Whose::Group(notification.group.to_string());
        Self { whose, kind: notification.kind.into(), priority: 0 }
    }
}

impl From<vrrp::NotificationKind> for NotificationKind {
    fn from(kind: vrrp::NotificationKind) -> Self {
        match kind {
            vrrp::NotificationKind::Master => Self::Master,
            vrrp::NotificationKind::Backup => Self::Backup,
            vrrp::NotificationKind::Fault => Self::Fault,
            vrrp::NotificationKind::Stop => Self::Stop,
            vrrp::NotificationKind::Deleted => Self::Deleted,
            vrrp::NotificationKind::MasterRxLowerPriority => Self::MasterRxLowerPriority,
        }
    }
}

impl From<vrrp::StateName> for State {
    fn from(state: vrrp::StateName) -> Self {
        match state {
            vrrp::StateName::Init => Self::Init,
            vrrp::StateName::Fault => Self::Fault,
            vrrp::StateName::Backup => Self::Backup,
            vrrp::StateName::Master => Self::Master,
        }
    }
}

impl From<vrrp::Disturbance> for Disturbance {
    fn from(disturbance: vrrp::Disturbance) -> Self {
        match disturbance {
            vrrp::Disturbance::None => Self::None,
            vrrp::Disturbance::Moves => Self::Moves,
            vrrp::Disturbance::Flaps => Self::Flaps,
        }
    }
}

impl From<&vrrp::Step> for Step {
    fn from(step: &vrrp::Step) -> Self {
        Self {
            change: step.change.as_ref().map(ToString::to_string).unwrap_or_default(),
            effects: step.effects.iter().map(ToString::to_string).collect(),
            disturbance: step.disturbance().into(),
        }
    }
}

/// The wall clock, for the machine.
pub(super) const fn wall(clock: &WallOffset) -> vrrp::WallClock {
    vrrp::WallClock { at: clock.now(), reads: clock.wall().0 }
}

/// A link as the kernel's side tells it, for the machine.
pub(super) const fn link(standing: Standing) -> vrrp::Link {
    vrrp::Link { index: standing.index, up: standing.up, sources: standing.sources }
}

/// What the supervisor remembers, for the machine.
pub(super) fn remembered(last: &Remembered) -> vrrp::Remembered {
    vrrp::Remembered {
        instance: last.instance.clone(),
        master: last.state == State::Master,
        priority: model::Priority(last.priority),
        at: last.at,
    }
}
