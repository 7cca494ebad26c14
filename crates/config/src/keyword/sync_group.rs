//! `vrrp_sync_group`.

use super::{BOOL, Block, FLAG, Keyword, SCRIPT, built, needed, word};

/// `vrrp_sync_group`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const SYNC_GROUP: &[Keyword] = &[
    built("group", FLAG).opens(Block::Members).required()
        .doc("Lists the member instances. Words, not lines, are entries. Only one. Instances may be defined later."),
    built("track_interface", FLAG).opens(Block::TrackInterfaces).since("2.0.0")
        .doc("Tracks interfaces for all members."),
    built("track_script", FLAG).opens(Block::TrackScripts).since("2.0.0")
        .doc("Tracks scripts for all members."),
    built("track_file", FLAG).opens(Block::TrackFiles).since("2.0.0")
        .doc("Tracks files for all members."),
    built("track_process", FLAG).opens(Block::TrackProcesses).since("2.0.11")
        .doc("Tracks processes for all members."),
    needed("track_bfd", FLAG).opens(Block::TrackBfds).since("2.0.0")
        .doc("Tracks BFD sessions for all members."),
    built("notify_master", SCRIPT)
        .doc("Runs a command when the group becomes master. Only one."),
    built("notify_backup", SCRIPT)
        .doc("Runs a command when the group becomes backup. Only one."),
    built("notify_fault", SCRIPT)
        .doc("Runs a command when the group enters fault. Only one."),
    built("notify_stop", SCRIPT).since("2.0.0")
        .doc("Runs a command when VRRP stops. Only one."),
    built("notify", SCRIPT)
        .doc("Runs a command on every state change of the group. Only one. GROUP, name, state and priority are appended as arguments."),
    built("smtp_alert", BOOL).or("value of smtp_alert_vrrp, then smtp_alert, then false")
        .doc("Mails state changes of the group."),
    built("notify_priority_changes", BOOL).or("value of vrrp_notify_priority_changes").since("2.2.0")
        .doc("Sets the default for member instances."),
    built("global_tracking", FLAG).since("1.2.3")
        .doc("Allows weighted tracking by members. Deprecated, now acts as sync_group_tracking_weight."),
    built("sync_group_tracking_weight", FLAG).since("2.0.0")
        .doc("Allows weighted tracking although members then differ in priority."),
];

/// Entries of `group`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const MEMBERS: &[Keyword] = &[
    built("(instance)", word("NAME"))
        .such_as("mail")
        .doc("Adds one member instance."),
];
