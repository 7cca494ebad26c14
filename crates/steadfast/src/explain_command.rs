//! `steadfast explain`: what a code or keyword means.

use std::ffi::OsString;
use std::process::ExitCode;

use lexopt::Arg;

use crate::command::{Command, NO, Operand};

pub(crate) const COMMAND: Command = Command {
    name: "explain",
    synopsis: "[CODE|KEYWORD|BLOCK|BLOCK/KEYWORD]...",
    summary: "Explain the code of a diagnostic, a keyword or a block",
    description: &[
        "Explains the code of a diagnostic (SF0402), a keyword wherever it may stand (priority), the keyword of one block (vrrp_instance/priority), or a block with all of its keywords (vrrp_instance). Without any, lists the codes and the blocks.",
    ],
    options: &[],
    operand: Operand::Topic,
    statuses: &[(0, "everything was explained"), (NO, "a word is not known")],
    hidden: false,
    run,
};

fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut topics = Vec::new();
    let mut parser = lexopt::Parser::from_args(arguments);
    loop {
        match parser.next() {
            Ok(None) => break,
            Ok(Some(Arg::Short('h') | Arg::Long("help"))) => return COMMAND.help(),
            Ok(Some(Arg::Value(topic))) => topics.push(topic.to_string_lossy().into_owned()),
            Ok(Some(argument)) => return COMMAND.misused(&argument.unexpected().to_string()),
            Err(error) => return COMMAND.misused(&error.to_string()),
        }
    }
    if topics.is_empty() {
        return COMMAND.answer(&config::explain::contents(), 0);
    }
    let mut pages = Vec::new();
    let mut status = 0;
    for topic in &topics {
        match config::explain::explain(topic) {
            Ok(page) => pages.push(page),
            Err(unknown) => {
                COMMAND.complain(&unknown.to_string());
                status = NO;
            }
        }
    }
    COMMAND.answer(&pages.join("\n"), status)
}
