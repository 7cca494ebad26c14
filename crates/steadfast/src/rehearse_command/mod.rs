//! `steadfast rehearse`: a failover on paper, from the files of all hosts, before any of them is deployed.
//!
//! ```text
//! files ── hosts ──> sim::rehearsal ──> each failure, or one scenario ── text, json, svg ──> lines, files
//! ```

mod hosts;
mod json;
mod options;
mod report;
mod script;
mod svg;
mod text;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use sim::rehearsal::Rehearsal;

use crate::command::{Command, CommandOption, NO, Operand, USAGE};
use options::{Options, Request};
use report::Report;

pub(crate) const COMMAND: Command = Command {
    name: "rehearse",
    synopsis: "[--pairs|--scenario FILE] [--deny-doubts] [--json|--svg OUT] [--seed N] [-i ID] FILE[@ID]...",
    summary: "Play every failure of a cluster on paper, and say what becomes of its addresses",
    description: &[
        "Each FILE is the configuration of one host, which is called by its name. The hosts run on a virtual clock, with the daemon's own VRRP machine, on LANs that follow from the files; nothing of this machine is touched, and no script is run. When they have settled, each host's power, daemon and worker, each cable, each check script and each LAN fails, one at a time, and is repaired: for each virtual router it is told who is master then, how long nobody was, how long two were, why, and what does not come back.",
        "With --scenario one script of timed events is played instead, and its expectations are looked at. docs/rehearse.md has examples, the words of scenarios and the fields of the JSON.",
        "What this release does not act on yet takes no part. It leaves with 2, too, if a file cannot be read or has errors, if nothing is left to be rehearsed, or if the output cannot be written.",
    ],
    options: &[
        CommandOption::flag("pairs", "Let every two things fail at once, too; that changes no status"),
        CommandOption::flag("deny-doubts", "Leave with 1 for doubts too, such as weights that move nothing"),
        CommandOption { short: None, long: "scenario", value: "FILE", help: "Play this scenario instead" },
        CommandOption {
            short: None,
            long: "json",
            value: "OUT",
            help: "Write everything as JSON into OUT; - is standard output, without the text",
        },
        CommandOption {
            short: None,
            long: "svg",
            value: "OUT",
            help: "Draw the timelines into OUT; - is standard output, without the text",
        },
        CommandOption {
            short: None,
            long: "seed",
            value: "N",
            help: "Take all chance from this number (default 1)",
        },
        CommandOption {
            short: Some('i'),
            long: "config-id",
            value: "ID",
            help: "Use the configuration lines that begin with @ID, where a FILE does not say",
        },
    ],
    operand: Operand::Files,
    statuses: &[
        (
            0,
            "no single failure leaves an address without a master or with two; the scenario went as expected",
        ),
        (NO, "one does; it did not"),
    ],
    hidden: false,
    run,
};

fn run(arguments: Vec<OsString>) -> ExitCode {
    match options::parse(arguments) {
        Ok(Request::Help) => COMMAND.help(),
        Ok(Request::Run(options)) => rehearse(&options).unwrap_or_else(|status| status),
        Err(error) => COMMAND.misused(&error.to_string()),
    }
}

/// The status, or that of what keeps it from being rehearsed, which is told already.
fn rehearse(options: &Options) -> Result<ExitCode, ExitCode> {
    if let Some(problem) = clash(options) {
        return Err(COMMAND.misused(&problem));
    }
    let hosts = hosts::read(options)?;
    let unbuilt = hosts::unbuilt(&hosts);
    let given = hosts.into_iter().map(|host| (host.name, host.config));
    let rehearsal = Rehearsal::of(given, options.seed);
    if rehearsal.plan().routers.is_empty() {
        for one in &rehearsal.plan().left_out {
            let why = text::left_out(one.why);
            COMMAND.complain(&format!("{} of {} is left out: {why}", one.instance, one.host));
        }
        COMMAND.complain("nothing is left that could be rehearsed");
        return Err(ExitCode::from(USAGE));
    }
    let mut report = Report::new(&rehearsal, options.seed, unbuilt);
    if let Some(file) = &options.scenario {
        report.performed = Some(script::perform(&rehearsal, file, options)?);
    } else {
        report.played = rehearsal.failures().iter().map(|failure| rehearsal.play(failure)).collect();
        if options.pairs {
            report.pairs = rehearsal.pairs().iter().map(|pair| rehearsal.play(pair)).collect();
        }
    }
    let status = if report.is_good(options.deny_doubts) { 0 } else { NO };
    if let Some(out) = &options.svg {
        write(out, &svg::draw(&report))?;
    }
    if let Some(out) = &options.json {
        write(out, &json::text(&report))?;
    }
    let is_taken = [&options.svg, &options.json].into_iter().flatten().any(|out| out == STREAM);
    Ok(if is_taken { ExitCode::from(status) } else { print(&text::text(&report), status) })
}

fn write(out: &OsStr, text: &str) -> Result<(), ExitCode> {
    if out == STREAM {
        let status = print(text, 0);
        return if status == ExitCode::SUCCESS { Ok(()) } else { Err(status) };
    }
    replace(Path::new(out), text).map_err(|error| {
        COMMAND.complain(&format!("cannot write {}: {error}", Path::new(out).display()));
        ExitCode::from(USAGE)
    })
}

/// The status, unless the output cannot be written: that is no verdict on the files.
fn print(text: &str, status: u8) -> ExitCode {
    // Any other status than this one can only come from the output.
    if COMMAND.answer(text, 0) == ExitCode::SUCCESS { ExitCode::from(status) } else { ExitCode::from(USAGE) }
}

/// All of the text or nothing of it takes the place of what was there; a device or a pipe is written to.
fn replace(out: &Path, text: &str) -> io::Result<()> {
    let is_special = fs::metadata(out).is_ok_and(|there| !there.is_file());
    if is_special {
        return fs::write(out, text);
    }
    // A name that leads elsewhere goes on doing so.
    let place = fs::canonicalize(out).unwrap_or_else(|_| out.to_owned());
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = place.with_file_name(name);
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&new)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&new, &place));
    written.inspect_err(|_| {
        // What cannot be removed either is told with the first error.
        let _removed = fs::remove_file(&new);
    })
}

/// What would be overwritten although it is read, or is written twice.
fn clash(options: &Options) -> Option<String> {
    let same = |one: &Path, other: &Path| match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    };
    let outs = [&options.json, &options.svg].map(|out| out.as_deref().filter(|out| *out != STREAM));
    if let [Some(json), Some(svg)] = outs
        && same(Path::new(json), Path::new(svg))
    {
        return Some(format!("--json and --svg both write {}", Path::new(json).display()));
    }
    let files = options.files.iter().map(|file| crate::check_command::split(file, Path::exists).0);
    let inputs: Vec<_> = files.chain(options.scenario.clone()).collect();
    let mut outs = outs.into_iter().flatten().map(Path::new);
    let out = outs.find(|out| inputs.iter().any(|input| same(input, out)))?;
    Some(format!("{} is read: it cannot be written, too", out.display()))
}

/// Standard output, as an OUT.
const STREAM: &str = "-";
