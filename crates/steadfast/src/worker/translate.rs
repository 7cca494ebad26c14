//! Between the machine's words and those of the messages.

use netlink::Standing;

use crate::message::{Notification, NotificationKind, Remembered, ScriptOutcome, State};

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
        let kind = match notification.kind {
            vrrp::NotificationKind::Master => NotificationKind::Master,
            vrrp::NotificationKind::Backup => NotificationKind::Backup,
            vrrp::NotificationKind::Fault => NotificationKind::Fault,
            vrrp::NotificationKind::Stop => NotificationKind::Stop,
            vrrp::NotificationKind::Deleted => NotificationKind::Deleted,
            vrrp::NotificationKind::MasterRxLowerPriority => NotificationKind::MasterRxLowerPriority,
        };
        Self { instance: notification.instance.to_string(), kind, priority: notification.priority.get() }
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

/// A link as the kernel's side tells it, for the machine.
pub(super) const fn link(standing: Standing) -> vrrp::Link {
    vrrp::Link { index: standing.index, up: standing.up, address: standing.address }
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
