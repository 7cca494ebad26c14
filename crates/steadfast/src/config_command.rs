//! `steadfast config`: what a configuration means.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::command::{Command, CommandOption, NO, Operand};

pub(crate) const COMMAND: Command = Command {
    name: "config",
    synopsis: "--json [-i ID] [--show-secrets] [FILE]",
    summary: "Print what a configuration file means",
    description: &[
        "Prints the configuration as a daemon would have it: includes read, definitions put in, defaults applied, names looked up. Without a FILE it is the one that the daemon reads. Findings go to standard error.",
        "Passwords and keys are replaced unless they are asked for.",
    ],
    options: &[
        CommandOption::flag(
            "json",
            "As JSON, with the schema of docs/config-json.md; there is no other form yet",
        ),
        CommandOption {
            short: Some('i'),
            long: "config-id",
            value: "ID",
            help: "Use the configuration lines that begin with @ID",
        },
        CommandOption::flag("show-secrets", "Print passwords and keys too"),
    ],
    operand: Operand::Files,
    statuses: &[(0, "it was printed"), (NO, "the file has errors or cannot be read")],
    hidden: false,
    run,
};

fn run(_arguments: Vec<OsString>) -> ExitCode {
    COMMAND.fail("not built yet")
}
