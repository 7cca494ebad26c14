//! keepalived's command line, as its version 2.4 understands it.

mod flags;
mod getopt;

use std::ffi::OsString;
use std::path::PathBuf;

use crate::command;
use crate::log::{Facility, Verbosity};
use crate::program::Program;

use flags::{FLAGS, Flag};
pub(crate) use getopt::UsageError;
use getopt::{Item, Spelling, Value};

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Run the daemon.
    Run(Box<Options>),
    /// Check the configuration only.
    Test {
        /// How the daemon would run.
        options: Box<Options>,
        /// The file that messages are appended to; standard error if `None`.
        log: Option<PathBuf>,
    },
    /// Print the usage.
    Help,
    /// Print the version.
    Version,
    /// Print the number of a signal.
    Signum(SignalFunction),
}

/// What `--signum` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignalFunction {
    /// Stop the daemon.
    Stop,
    /// Read the files again.
    Reload,
    /// Write the state dump.
    Data,
    /// Write statistics.
    Stats,
    /// Write statistics and zero them.
    StatsClear,
    /// Write the JSON dump.
    Json,
}

/// How the daemon is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// `-f`; the default places if `None`.
    pub(crate) config: Option<PathBuf>,
    /// Whether VRRP runs (not with `-C`).
    pub(crate) vrrp: bool,
    /// Whether load balancing is wanted (not with `-P` alone).
    pub(crate) load_balancing: bool,
    /// `-n`: stay in the foreground.
    pub(crate) foreground: bool,
    /// `-l`: log to standard error too.
    pub(crate) log_console: bool,
    /// Not with `-G`: log to syslog.
    pub(crate) log_syslog: bool,
    /// `-D`.
    pub(crate) verbosity: Verbosity,
    /// `-S`.
    pub(crate) facility: Facility,
    /// `-d`: show the configuration as it was understood.
    pub(crate) dump_config: bool,
    /// `-p`.
    pub(crate) pid_file: Option<PathBuf>,
    /// `-r`.
    pub(crate) vrrp_pid_file: Option<PathBuf>,
    /// `-c`.
    pub(crate) checkers_pid_file: Option<PathBuf>,
    /// Not with `-R`: a dead worker is started again.
    pub(crate) respawn: bool,
    /// `-V`: addresses stay at exit.
    pub(crate) keep_addresses: bool,
    /// `-I`: the table of IPVS stays at exit.
    pub(crate) keep_table: bool,
    /// `-a`: log every change of an address.
    pub(crate) address_monitoring: bool,
    /// `-s`: the network namespace to run in.
    pub(crate) namespace: Option<String>,
    /// `-m`: allow core dumps.
    pub(crate) core_dump: bool,
    /// `-M`: what the kernel is to call core dumps, on the whole host.
    pub(crate) core_pattern: Option<OsString>,
    /// `--all`: workers are started even if nothing is configured for them.
    pub(crate) all_workers: bool,
    /// `-e`: every check of `include` is on from the start.
    pub(crate) all_include_checks: bool,
    /// `-i`: which conditional lines of the files count; the name of the host if `None`.
    pub(crate) config_id: Option<String>,
    /// `-u`.
    pub(crate) umask: Option<u32>,
    /// `--ignore-sigint`.
    pub(crate) ignore_sigint: bool,
    /// Options that change nothing yet, as they were spelt.
    pub(crate) without_effect: Vec<&'static str>,
    /// Words that are no option.
    pub(crate) ignored_words: Vec<OsString>,
    /// Values that were not understood, and whose options are as if they had not been given.
    pub(crate) complaints: Vec<UsageError>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            config: None,
            vrrp: true,
            load_balancing: true,
            foreground: false,
            log_console: false,
            log_syslog: true,
            verbosity: Verbosity::Normal,
            facility: Facility::DAEMON,
            dump_config: false,
            pid_file: None,
            vrrp_pid_file: None,
            checkers_pid_file: None,
            respawn: true,
            keep_addresses: false,
            keep_table: false,
            address_monitoring: false,
            namespace: None,
            core_dump: false,
            core_pattern: None,
            all_workers: false,
            all_include_checks: false,
            config_id: None,
            umask: None,
            ignore_sigint: false,
            without_effect: Vec::new(),
            ignored_words: Vec::new(),
            complaints: Vec::new(),
        }
    }
}

/// Reads a command line, without the program's name.
///
/// `-h`, `-v` and `--signum` act as soon as they are met, as keepalived does it: what follows is not read.
///
/// # Errors
/// The first thing that is wrong with it.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, UsageError> {
    let mut options = Options::default();
    let mut test = None;
    let (items, outcome) = getopt::parse(&FLAGS, arguments);
    for item in items {
        let (flag, value) = match item {
            Item::Word(word) => {
                options.ignored_words.push(word);
                continue;
            }
            Item::Flag(flag, value) => (flag, value),
        };
        match flag {
            Flag::Help => return Ok(Request::Help),
            Flag::Version => return Ok(Request::Version),
            Flag::Signum => return signal_function(&value.unwrap_or_default()).map(Request::Signum),
            Flag::ConfigTest => test = Some(value.map(PathBuf::from)),
            other => flags::apply(&mut options, other, value)?,
        }
    }
    outcome?;
    let options = Box::new(options);
    Ok(match test {
        Some(log) => Request::Test { options, log },
        None => Request::Run(options),
    })
}

/// An option as people are told of it.
pub(crate) struct OptionRow {
    pub(crate) short: Option<char>,
    pub(crate) long: &'static str,
    /// `=FILE`, `[=FILE]`, or nothing.
    pub(crate) value: String,
    pub(crate) help: String,
    /// What its value is called; empty if it takes none.
    pub(crate) placeholder: &'static str,
}

/// Every option, in the order of the usage text.
pub(crate) fn rows() -> impl Iterator<Item = OptionRow> {
    FLAGS.iter().map(|Spelling { short, long, value, flag, placeholder, help }| OptionRow {
        short: short.map(char::from),
        long,
        value: match value {
            Value::None => String::new(),
            Value::Required => format!("={placeholder}"),
            Value::Optional => format!("[={placeholder}]"),
        },
        help: format!("{help}{}", if flag.is_idle() { " (no effect yet)" } else { "" }),
        placeholder,
    })
}

/// The usage text of `program`.
pub(crate) fn usage(program: &Program) -> String {
    use std::fmt::Write as _;

    let name = program.name();
    let mut text = format!("Usage: {name} [OPTION...]\n");
    for OptionRow { short, long, value, help, .. } in rows() {
        let short = short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        writeln!(text, "  {short}--{:<28} {help}", format!("{long}{value}")).expect("a String takes all");
    }
    if program.has_commands() {
        write!(text, "\nor: {name} COMMAND [...]\n").expect("a String takes all");
        for command in command::shown() {
            writeln!(text, "  {:<14} {}", command.name, command.summary).expect("a String takes all");
        }
        writeln!(text, "'{name} COMMAND --help' tells more.").expect("a String takes all");
    }
    text
}

fn signal_function(name: &std::ffi::OsStr) -> Result<SignalFunction, UsageError> {
    Ok(match name.to_str() {
        Some("STOP") => SignalFunction::Stop,
        Some("RELOAD") => SignalFunction::Reload,
        Some("DATA") => SignalFunction::Data,
        Some("STATS") => SignalFunction::Stats,
        Some("STATS_CLEAR") => SignalFunction::StatsClear,
        Some("JSON") => SignalFunction::Json,
        _ => {
            return Err(UsageError::BadValue {
                option: "--signum",
                value: name.to_string_lossy().into_owned(),
                expected: "STOP, RELOAD, DATA, STATS, STATS_CLEAR or JSON",
            });
        }
    })
}

#[cfg(test)]
mod tests;
