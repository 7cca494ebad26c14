//! `steadfast fmt`: a configuration in its canonical form.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::command::{Command, CommandOption, NO, Operand};

pub(crate) const COMMAND: Command = Command {
    name: "fmt",
    synopsis: "[--check] [FILE...|-]",
    summary: "Lay configuration files out in the canonical form",
    description: &[
        "Rewrites each FILE in the canonical form: four blanks for each block, one blank line between the blocks of the top level. Comments, definitions, conditions and quotes stay as they are, and the files mean what they meant. A file whose braces do not pair is left alone.",
        "Without a FILE, or for -, standard input is read and the result written to standard output.",
    ],
    options: &[CommandOption::flag("check", "Change nothing; name the files that would be changed")],
    operand: Operand::Files,
    statuses: &[
        (0, "all files have, or now have, the canonical form"),
        (NO, "a file cannot be laid out, or with --check would be changed"),
    ],
    hidden: false,
    run,
};

fn run(_arguments: Vec<OsString>) -> ExitCode {
    COMMAND.fail("not built yet")
}
