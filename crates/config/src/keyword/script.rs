//! `vrrp_script`.

use super::{FLAG, Keyword, USER, built, integer, millis, weight, word};

/// `vrrp_script`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const SCRIPT_BLOCK: &[Keyword] = &[
    built("script", word("SCRIPT")).required()
        .such_as("script \"/usr/local/bin/probe.sh 192.0.2.1\"")
        .doc("Sets the command to run."),
    built("interval", millis(0..=4_294_000_000)).or_number(1)
        .doc("Sets the time between runs. 0 is raised to 1."),
    built("timeout", millis(0..=4_294_000_000)).or("value of interval").since("1.2.6")
        .doc("Sets the time after which a run counts as failed. 0 is raised to 1."),
    built("weight", weight(-253..=253)).or_number(0)
        .doc("Sets the default priority change."),
    built("rise", integer(1..=2_147_483_647)).or_number(1)
        .doc("Sets the successes needed to go up."),
    built("fall", integer(1..=2_147_483_647)).or_number(1)
        .doc("Sets the failures needed to go down."),
    built("user", USER).or("global script_user").since("1.3.0")
        .such_as("user daemon")
        .doc("Sets the user and group of the script. An unknown user removes the script."),
    built("init_fail", FLAG).since("1.3.2")
        .doc("Starts in the failed state."),
];
