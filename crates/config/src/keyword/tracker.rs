//! Things that are tracked, and the lists of trackers.

use super::{Block, FLAG, Keyword, built, grammar, integer, later, micros, weight, word};

/// `track_group`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const TRACK_GROUP: &[Keyword] = &[
    built("group", FLAG).opens(Block::Members).required().since("2.0.3")
        .doc("Lists the instances that follow the static item. Words, not lines, are entries. Only one."),
];

/// `track_file` at the top level.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const FILE: &[Keyword] = &[
    built("file", word("PATH")).required().since("2.1.0")
        .such_as("file /run/load")
        .doc("Names the file to watch. Directory must exist and be watchable. Only one."),
    built("weight", weight(-254..=254)).or_number(1).since("2.1.0")
        .doc("Sets the default multiplier applied to the file value."),
    built("init_file", grammar("[INTEGER] [overwrite]")).or("not created; value 0").since("2.1.0")
        .such_as("init_file 0 overwrite")
        .doc("Creates or overwrites the file at start with a value. Warning outside -254..254. Ignored on reload."),
];

/// `vrrp_track_process`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const PROCESS: &[Keyword] = &[
    built("process", grammar("COMMAND [PARAM ...]")).required().since("2.0.11")
        .such_as("process nginx")
        .doc("Names the process to look for. Only one. Parameters turn on exact parameter and full command matching."),
    built("param_match", grammar("[initial|partial]")).or("exact if parameters are given else none").since("2.0.16")
        .such_as("param_match initial")
        .doc("Chooses how parameters are compared. Bare means exact. Turns on full_command."),
    built("weight", weight(-254..=254)).or_number(0).since("2.0.11")
        .doc("Sets the default priority change."),
    built("quorum", integer(1..=65535)).or_number(1).since("2.0.11")
        .such_as("quorum 2")
        .doc("Sets the minimum number of matching processes. Must not exceed quorum_max."),
    built("quorum_max", integer(0..=65535)).or("unlimited").since("2.0.16")
        .such_as("quorum_max 10")
        .doc("Sets the maximum number of matching processes. 0 also clears quorum."),
    built("delay", micros(1..=3_600_000_000)).or_number(0).since("2.0.11")
        .doc("Sets both delays at once."),
    built("terminate_delay", micros(1..=3_600_000_000)).or_number(0).since("2.0.16")
        .doc("Delays reporting a loss of quorum."),
    built("fork_delay", micros(1..=3_600_000_000)).or_number(0).since("2.0.16")
        .doc("Delays reporting a gain of quorum."),
    built("full_command", FLAG).since("2.0.11")
        .doc("Matches the whole command line rather than the process name."),
];

/// Entries of `track_interface`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const INTERFACES: &[Keyword] = &[
    built("(interface)", grammar("IFNAME [weight INTEGER -253..253 [reverse]]")).or("weight 0")
        .such_as("eth1 weight -20")
        .doc("Follows the link state of an interface from the instance. Own interface and duplicates are ignored."),
];

/// Entries of `track_script`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const SCRIPTS: &[Keyword] = &[
    built("(script)", grammar("NAME [weight INTEGER -253..253 [reverse|noreverse]]")).or("weight of the script")
        .such_as("probe weight 20")
        .doc("Follows a vrrp_script from the instance."),
];

/// Entries of `track_file`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const FILES: &[Keyword] = &[
    built("(file)", grammar("NAME [weight INTEGER -254..254 [reverse|noreverse]]")).or("weight of the track_file")
        .such_as("load weight 2")
        .doc("Follows a track_file from the instance."),
];

/// Entries of `track_process`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const PROCESSES: &[Keyword] = &[
    built("(process)", grammar("NAME [weight INTEGER -254..254 [reverse|noreverse]]"))
        .or("weight of the vrrp_track_process")
        .such_as("nginx weight 20")
        .doc("Follows a vrrp_track_process from the instance."),
];

/// Entries of `track_bfd`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const BFDS: &[Keyword] = &[
    later("(bfd)", grammar("NAME [weight INTEGER -253..253 [reverse|noreverse]]")).or("weight of the bfd_instance")
        .such_as("peer weight 20")
        .doc("Follows a bfd_instance from the instance."),
];
