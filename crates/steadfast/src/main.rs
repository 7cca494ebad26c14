//! The daemon's one binary: supervisor, workers and commands. Wiring only.

use std::ffi::{CString, OsString};
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;

mod check_command;
mod checker;
mod cli;
mod command;
mod completions_command;
mod config_command;
mod control;
mod exit;
mod explain_command;
mod fifo;
mod fmt_command;
mod genhash_command;
mod lab_command;
mod log;
mod mail;
mod manual_command;
mod message;
mod plan_command;
mod program;
mod rehearse_command;
mod resolved;
mod script;
mod snapshot;
mod supervisor;
mod tracker;
mod worker;

use program::{GENHASH, Program};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = Program::named(&arguments.next().unwrap_or_default());
    let arguments: Vec<OsString> = arguments.collect();
    dispatch(&program, arguments).unwrap_or_else(|error| {
        say(&format!("{}: {error:#}", program.name()));
        ExitCode::from(exit::INTERNAL)
    })
}

fn dispatch(program: &Program, arguments: Vec<OsString>) -> anyhow::Result<ExitCode> {
    if program.is_genhash() {
        return Ok(command::run(GENHASH.as_ref(), arguments));
    }
    match arguments.first().map(OsString::as_os_str) {
        Some(first) if first == WORKER => run_worker(program, arguments),
        Some(first) if program.has_commands() && !first.as_encoded_bytes().starts_with(b"-") => {
            Ok(command::run(first, arguments.get(1..).unwrap_or_default().to_vec()))
        }
        _ => match cli::parse(arguments.iter().cloned()) {
            Ok(request) => serve(program, request, arguments),
            Err(error) => {
                say(&format!("{}: {error}\nTry '{} --help'.", program.name(), program.name()));
                Ok(ExitCode::from(exit::FATAL))
            }
        },
    }
}

fn serve(program: &Program, request: cli::Request, arguments: Vec<OsString>) -> anyhow::Result<ExitCode> {
    match request {
        cli::Request::Help => say(cli::usage(program).trim_end()),
        cli::Request::Version => say(program.version()),
        cli::Request::Signum(function) => {
            writeln!(std::io::stdout(), "{}", supervisor::signal_number(function))
                .context("cannot print the signal number")?;
        }
        cli::Request::Test { options, log } => {
            let code = supervisor::test(&options, log.as_deref()).context("cannot write the findings")?;
            return Ok(ExitCode::from(code));
        }
        cli::Request::Run(options) => {
            return supervisor::run(program, &options, arguments).map(ExitCode::from);
        }
    }
    Ok(ExitCode::from(exit::OK))
}

/// `--worker ROLE OPTION...`: a role in which the supervisor starts this binary again, with its own options.
fn run_worker(program: &Program, arguments: Vec<OsString>) -> anyhow::Result<ExitCode> {
    let roles = [program::VRRP, program::CHECKERS];
    let role = roles.into_iter().find(|role| arguments.get(1).is_some_and(|asked| asked == role));
    let role = role.context("no such worker")?;
    let cli::Request::Run(options) = cli::parse(arguments.into_iter().skip(2))? else {
        anyhow::bail!("a worker takes the options of the daemon");
    };
    // Executed through /proc/self/exe it would be called "exe" in process lists.
    set_process_name(program.name());
    let channel = sys::process::inherited().context("a worker is started by the supervisor only")?;
    if !options.foreground {
        close_terminal().context("cannot let go of the terminal")?;
    }
    let checks = role == program::CHECKERS;
    let prepare = if checks { checker::prepare } else { worker::prepare };
    let prepared = prepare().context("cannot prepare the process")?;
    let log = log::Log::start(program.destinations(&options, Some(role))).context("cannot start the log")?;
    let worker_options = worker::WorkerOptions {
        keep_addresses: options.keep_addresses,
        address_monitoring: options.address_monitoring,
    };
    let channel = channel.try_into().context("cannot use the channel")?;
    let code = if checks {
        checker::run(&prepared, channel, &log)
    } else {
        worker::run(prepared, channel, &log, worker_options)
    };
    log.flush(log::PATIENCE_AT_EXIT);
    Ok(code)
}

/// Sends standard output and error to `/dev/null`: a worker outlives the shell that its supervisor was started from.
fn close_terminal() -> std::io::Result<()> {
    let null = std::fs::File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(rustix::stdio::dup2_stderr(&null)?)
}

/// Gives this process the name that `ps` and `pgrep` show.
pub(crate) fn set_process_name(name: &str) {
    // A name is no reason to fail, and NUL bytes cannot come from an argument.
    drop(CString::new(name).map(|name| rustix::thread::set_name(&name)));
}

/// Writes to standard error. If that fails there is nobody left to tell.
fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// The first argument of a worker.
const WORKER: &str = "--worker";
