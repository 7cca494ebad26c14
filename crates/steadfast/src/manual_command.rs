//! `steadfast manual`: the pages that are made from the tables, for the build of packages.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::command::{Command, Operand};

pub(crate) const COMMAND: Command = Command {
    name: "manual",
    synopsis: "5|8|keywords|errors",
    summary: "Print a page that is made from the program's tables",
    description: &["Prints steadfast.conf(5), steadfast(8), docs/keywords.md or docs/errors.md."],
    options: &[],
    operand: Operand::Words(&["5", "8", "keywords", "errors"]),
    statuses: &[(0, "it was printed")],
    hidden: true,
    run,
};

fn run(_arguments: Vec<OsString>) -> ExitCode {
    COMMAND.fail("not built yet")
}
