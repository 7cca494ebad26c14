//! `steadfast check`: what a test of one file does not see.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::command::{Command, CommandOption, Operand};

pub(crate) const COMMAND: Command = Command {
    name: "check",
    synopsis: "[--json] FILE...",
    summary: "Check files beyond a configuration test; several, as the hosts of a cluster",
    description: &[
        "Looks for what keepalived accepts and what will not do what was meant. Several files are checked as the hosts of one cluster.",
    ],
    options: &[CommandOption::flag("json", "Print the findings as a JSON array")],
    operand: Operand::Files,
    statuses: &[(0, "nothing was found"), (1, "there are findings")],
    hidden: false,
    run,
};

fn run(_arguments: Vec<OsString>) -> ExitCode {
    COMMAND.fail("not built yet")
}
