//! `steadfast config`: what a configuration means.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use config::Severity;
use config::render::{self, Colour};
use lexopt::Arg;

use crate::cli::Options;
use crate::command::{Command, CommandOption, NO, Operand};
use crate::resolved::{self, Secrets};
use crate::supervisor;

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

fn run(arguments: Vec<OsString>) -> ExitCode {
    let (mut as_json, mut secrets, mut options) = (false, Secrets::Hidden, Options::default());
    let mut parser = lexopt::Parser::from_args(arguments);
    loop {
        match parser.next() {
            Ok(None) => break,
            Ok(Some(Arg::Short('h') | Arg::Long("help"))) => return COMMAND.help(),
            Ok(Some(Arg::Long("json"))) => as_json = true,
            Ok(Some(Arg::Long("show-secrets"))) => secrets = Secrets::Shown,
            Ok(Some(Arg::Short('i') | Arg::Long("config-id"))) => match parser.value() {
                Ok(id) => options.config_id = Some(id.to_string_lossy().into_owned()),
                Err(error) => return COMMAND.misused(&error.to_string()),
            },
            Ok(Some(Arg::Value(file))) if options.config.is_none() => options.config = Some(file.into()),
            Ok(Some(argument)) => return COMMAND.misused(&argument.unexpected().to_string()),
            Err(error) => return COMMAND.misused(&error.to_string()),
        }
    }
    if !as_json {
        return COMMAND.misused("say --json: there is no other form yet");
    }
    print(&options, secrets)
}

fn print(options: &Options, secrets: Secrets) -> ExitCode {
    let loaded = supervisor::understood(options);
    let colour = if io::stderr().is_terminal() { Colour::On } else { Colour::Off };
    for diagnostic in loaded.diagnostics.iter().filter(|found| found.severity >= Severity::Warning) {
        crate::say(&render::full(diagnostic, &loaded.sources, colour));
    }
    if !loaded.is_usable() {
        return ExitCode::from(NO);
    }
    match resolved::json(&loaded.config, secrets) {
        Ok(text) => COMMAND.answer(&(text + "\n"), 0),
        Err(error) => COMMAND.fail(&format!("cannot write JSON: {error}")),
    }
}
