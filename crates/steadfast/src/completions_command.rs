//! `steadfast completions`: what a shell needs to complete this program's command line.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::command::{Command, Operand};

pub(crate) const COMMAND: Command = Command {
    name: "completions",
    synopsis: "bash|zsh|fish",
    summary: "Print the completion script for a shell",
    description: &[
        "Prints the script that completes the options, commands, codes and keywords of this program.",
    ],
    options: &[],
    operand: Operand::Words(&["bash", "zsh", "fish"]),
    statuses: &[(0, "it was printed")],
    hidden: false,
    run,
};

fn run(_arguments: Vec<OsString>) -> ExitCode {
    COMMAND.fail("not built yet")
}
