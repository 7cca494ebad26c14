//! `steadfast plan`: what a reload would do, asked of the daemon that runs.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::Arg;
use serde::Serialize;
use sys::ipc::{Channel, Received};
use sys::reactor::{Interest, Reactor, Token};

use crate::command::{Command, CommandOption, NO, Operand};
use crate::control::{Reply, Request, socket_of};
use crate::message::{Disturbance, Step};

pub(crate) const COMMAND: Command = Command {
    name: "plan",
    synopsis: "[--json] [-p PIDFILE] [FILE]",
    summary: "Say what a reload would do, before it is done",
    description: &[
        "Asks the running daemon what would come of a reload that read FILE, or its own file as it is now: what changes, which addresses, virtual servers and real servers come, go, move or change, and whether somebody would notice. The daemon judges the file as a reload does, and has a copy of its virtual routers carry it out. Nothing is changed.",
        "Only the user of the daemon may ask, at a socket beside its pid file.",
    ],
    options: &[
        CommandOption::flag("json", "Print one JSON object"),
        CommandOption {
            short: Some('p'),
            long: "pid",
            value: "PIDFILE",
            help: "The pid file of the daemon to ask, as it was given to it; else /run/keepalived.pid",
        },
    ],
    operand: Operand::Files,
    statuses: &[
        (0, "nobody would notice the reload"),
        (NO, "the reload would be refused, or nobody could be asked"),
        (
            MOVES,
            "an address would move to another router, or a server that goes would take its connections with it",
        ),
        (FLAPS, "an address would be nowhere for a while, or on two hosts at once"),
    ],
    hidden: false,
    run,
};

/// An address would move.
const MOVES: u8 = 3;
/// An address would flap.
const FLAPS: u8 = 4;

/// What was answered.
#[derive(Debug, Default, Serialize)]
struct Answer {
    findings: Vec<String>,
    steps: Vec<Step>,
    /// Why the reload would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("no daemon of this user takes questions at {}: {source}", .path.display())]
    Nobody {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the daemon has gone away")]
    Gone,
    #[error("the daemon does not answer")]
    Silent,
    #[error("the daemon says: {0}")]
    Failed(String),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the daemon is of another version: {0}")]
    Foreign(#[from] serde_json::Error),
}

fn run(arguments: Vec<OsString>) -> ExitCode {
    let (mut as_json, mut pid_file, mut file) = (false, PathBuf::from("/run/keepalived.pid"), None);
    let mut parser = lexopt::Parser::from_args(arguments);
    loop {
        match parser.next() {
            Ok(None) => break,
            Ok(Some(Arg::Short('h') | Arg::Long("help"))) => return COMMAND.help(),
            Ok(Some(Arg::Long("json"))) => as_json = true,
            Ok(Some(Arg::Short('p') | Arg::Long("pid"))) => match parser.value() {
                Ok(path) => pid_file = path.into(),
                Err(error) => return COMMAND.misused(&error.to_string()),
            },
            Ok(Some(Arg::Value(path))) if file.is_none() => file = Some(PathBuf::from(path)),
            Ok(Some(argument)) => return COMMAND.misused(&argument.unexpected().to_string()),
            Err(error) => return COMMAND.misused(&error.to_string()),
        }
    }
    let file = file.map(|file| std::path::absolute(&file).unwrap_or(file));
    match ask(&socket_of(&pid_file), &Request::Plan { file }) {
        Ok(answer) => print(&answer, as_json),
        Err(error) => COMMAND.fail(&error.to_string()),
    }
}

fn print(answer: &Answer, as_json: bool) -> ExitCode {
    let worst = answer.steps.iter().map(|step| step.disturbance).max().unwrap_or(Disturbance::None);
    let status = match (&answer.refused, worst) {
        (Some(_), _) => NO,
        (None, Disturbance::None) => 0,
        (None, Disturbance::Moves) => MOVES,
        (None, Disturbance::Flaps) => FLAPS,
    };
    if as_json {
        return match serde_json::to_string_pretty(answer) {
            Ok(text) => COMMAND.answer(&(text + "\n"), status),
            Err(error) => COMMAND.fail(&format!("cannot write JSON: {error}")),
        };
    }
    for finding in &answer.findings {
        crate::say(finding);
    }
    COMMAND.answer(&text(answer, worst), status)
}

fn text(answer: &Answer, worst: Disturbance) -> String {
    if let Some(why) = &answer.refused {
        return format!("The reload would be REFUSED: {why}\n");
    }
    let mut text = String::new();
    for step in &answer.steps {
        text += &format!("{} {}\n", mark(step.disturbance), step.change);
        for effect in &step.effects {
            text += &format!("      {effect}\n");
        }
    }
    text + match (answer.steps.is_empty(), worst) {
        (true, _) => "Nothing would change.\n",
        (false, Disturbance::None) => "Nobody would notice the reload.\n",
        (false, Disturbance::Moves) => {
            "~ An address would move to another router, or an address or server go as asked.\n"
        }
        (false, Disturbance::Flaps) => {
            "! An address would be nowhere for a while, or on two hosts at once.\n"
        }
    }
}

const fn mark(disturbance: Disturbance) -> char {
    match disturbance {
        Disturbance::None => ' ',
        Disturbance::Moves => '~',
        Disturbance::Flaps => '!',
    }
}

fn ask(path: &Path, request: &Request) -> Result<Answer, Unanswered> {
    let nobody = |source| Unanswered::Nobody { path: path.to_owned(), source };
    let channel = Channel::connect(path).map_err(nobody)?;
    let _sent = channel.send(&serde_json::to_vec(request)?, None)?;
    let mut reactor = Reactor::new()?;
    reactor.add(&channel, Token(0), Interest::Read)?;
    let (mut answer, mut packet, mut ready) = (Answer::default(), Vec::new(), Vec::new());
    loop {
        match channel.recv(&mut packet)? {
            Received::Message(_) => match serde_json::from_slice(&packet)? {
                Reply::Finding(line) => answer.findings.push(line),
                Reply::Step(step) => answer.steps.push(step),
                Reply::Refused(why) => {
                    answer.refused = Some(why);
                    return Ok(answer);
                }
                Reply::Taken => return Ok(answer),
                Reply::Failed(why) => return Err(Unanswered::Failed(why)),
            },
            Received::Closed => return Err(Unanswered::Gone),
            Received::Empty => {
                reactor.wait(Some(sys::clock::now() + PATIENCE), &mut ready)?;
                if ready.is_empty() {
                    return Err(Unanswered::Silent);
                }
            }
        }
    }
}

/// A daemon that has a large file to read takes a while; one that is stopped takes for ever.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
