//! Which notify scripts a transition asks for.

use model::vrrp::{Command, GroupNotify, Notify};

use crate::message::{Notification, NotificationKind};

/// What a transition of one instance or group runs: the programs of one step start together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What the log calls it: `MASTER of web`.
    pub(super) label: String,
    /// The state's own script first, then the one for every state.
    pub(super) commands: Vec<Command>,
}

/// The step that `notification` asks for; `None` if no script wants to hear of it.
pub(super) fn step(notify: &Notify, notification: &Notification) -> Option<Step> {
    let Notification { whose, kind, priority } = notification;
    let own = match (kind, &notify.deleted) {
        (NotificationKind::Master, _) => &notify.master,
        (NotificationKind::Backup, _) => &notify.backup,
        (NotificationKind::Fault, _) | (NotificationKind::Deleted, None) => &notify.fault,
        (NotificationKind::Stop, _) => &notify.stop,
        (NotificationKind::Deleted, Some(deleted)) => &deleted.command,
        (NotificationKind::MasterRxLowerPriority, _) => &notify.master_rx_lower_priority,
    };
    let state = kind.word(notify.deleted.is_some());
    // Not a change of state: only its own script hears of it.
    let is_state = *kind != NotificationKind::MasterRxLowerPriority;
    let any = notify.any.as_ref().filter(|_| is_state).map(|any| {
        let mut any = any.clone();
        let [word, name] = whose.words();
        any.arguments.extend([word.into(), name.into(), state.into(), priority.to_string()]);
        any
    });
    let commands: Vec<_> = own.clone().into_iter().chain(any).collect();
    let label = format!("{state} of {whose}");
    (!commands.is_empty()).then_some(Step { label, commands })
}

/// The scripts of a group, as an instance would have them.
pub(super) fn of_group(notify: &GroupNotify) -> Notify {
    let GroupNotify { master, backup, fault, stop, any } = notify.clone();
    Notify { master, backup, fault, stop, any, ..Notify::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Whose;
    use model::vrrp::{Deleted, RunAs};

    fn command(line: &str) -> Command {
        let mut words = line.split(' ').map(str::to_owned);
        let program = words.next().unwrap();
        Command { program, arguments: words.collect(), run_as: RunAs::Default }
    }

    fn lines(notify: &Notify, kind: NotificationKind) -> Vec<String> {
        lines_of(notify, &Notification { whose: Whose::Instance("web".into()), kind, priority: 93 })
    }

    fn lines_of(notify: &Notify, notification: &Notification) -> Vec<String> {
        let commands = step(notify, notification).map(|step| step.commands).unwrap_or_default();
        commands.iter().map(|c| format!("{} {}", c.program, c.arguments.join(" "))).collect()
    }

    fn all() -> Notify {
        Notify {
            master: Some(command("/m a")),
            backup: Some(command("/b")),
            fault: Some(command("/f")),
            stop: Some(command("/s")),
            deleted: None,
            master_rx_lower_priority: Some(command("/rx x")),
            any: Some(command("/any 1")),
        }
    }

    #[test]
    fn each_state_has_its_script_and_then_the_common_one() {
        let any = |state: &str| format!("/any 1 INSTANCE web {state} 93");
        for (kind, own, state) in [
            (NotificationKind::Master, "/m a", "MASTER"),
            (NotificationKind::Backup, "/b ", "BACKUP"),
            (NotificationKind::Fault, "/f ", "FAULT"),
            (NotificationKind::Stop, "/s ", "STOP"),
        ] {
            assert_eq!(lines(&all(), kind), [own.to_owned(), any(state)]);
        }
        assert_eq!(lines(&all(), NotificationKind::MasterRxLowerPriority), ["/rx x"]);
    }

    #[test]
    fn a_removed_instance_is_faulty_unless_notify_deleted_says_otherwise() {
        let mut notify = all();
        assert_eq!(lines(&notify, NotificationKind::Deleted), ["/f ", "/any 1 INSTANCE web FAULT 93"]);
        notify.deleted = Some(Deleted { command: None });
        assert_eq!(lines(&notify, NotificationKind::Deleted), ["/any 1 INSTANCE web DELETED 93"]);
        notify.deleted = Some(Deleted { command: Some(command("/d")) });
        assert_eq!(lines(&notify, NotificationKind::Deleted), ["/d ", "/any 1 INSTANCE web DELETED 93"]);
    }

    #[test]
    fn a_group_is_called_one_and_has_no_priority() {
        let group = GroupNotify {
            master: Some(command("/m a")),
            any: Some(command("/any 1")),
            ..GroupNotify::default()
        };
        let of = |kind| {
            lines_of(&of_group(&group), &Notification { whose: Whose::Group("G".into()), kind, priority: 0 })
        };
        assert_eq!(of(NotificationKind::Master), ["/m a", "/any 1 GROUP G MASTER 0"]);
        assert_eq!(of(NotificationKind::Stop), ["/any 1 GROUP G STOP 0"]);
    }

    #[test]
    fn nothing_configured_is_no_step() {
        assert!(lines(&Notify::default(), NotificationKind::Master).is_empty());
    }
}
