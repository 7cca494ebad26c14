//! How diagnostics reach the operator, and the configuration test.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use config::render::{self, Colour};
use config::{Code, Diagnostic, Loaded, Severity, SourceMap};
use model::Namespace;

use super::files::{Files, Reading};
use super::host_names;
use super::verdict::Losses;
use crate::cli::Options;
use crate::exit;
use crate::log::{Level, Log};
use crate::resolved::{self, Secrets};
use crate::script;

/// Logs what there is to say about a reading: one line each in syslog, and with the lines concerned on the console.
pub(super) fn to_log(log: &Log, loaded: &Loaded, console: Console) {
    let told = loaded.diagnostics.get(..MOST_TOLD).unwrap_or(&loaded.diagnostics);
    for diagnostic in told {
        let level = match diagnostic.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
            Severity::Note => Level::Info,
        };
        log.write_aside(level, render::log(diagnostic, &loaded.sources));
    }
    if console == Console::Shown && !told.is_empty() {
        let colour = if io::stderr().is_terminal() { Colour::On } else { Colour::Off };
        let full = told.iter().map(|diagnostic| render::full(diagnostic, &loaded.sources, colour) + "\n");
        // By way of the log: nobody may read standard error, and this process must not wait for it.
        log.show(full.collect());
    }
    let untold = loaded.diagnostics.len() - told.len();
    if untold > 0 {
        log.warning(format_args!(
            "{untold} more remarks on the configuration: a configuration test (-t) has them"
        ));
    }
}

/// More remarks than these are those on a file that is no configuration; the log has other things to tell.
const MOST_TOLD: usize = 200;

/// Whether somebody reads standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Console {
    /// Yes.
    Shown,
    /// No, or it was not asked for.
    Hidden,
}

/// Checks the configuration, and whether this host has what it names. Returns the exit code.
pub(crate) fn test(options: &Options, log: Option<&Path>) -> io::Result<u8> {
    // Whoever writes `-t FILE` would believe that FILE was tested.
    if let Some(word) = options.ignored_words.iter().find(|word| Path::new(word).is_file()) {
        let word = word.display();
        writeln!(io::stderr(), "unexpected argument '{word}': to test that file write `-t -f {word}`")?;
        return Ok(exit::FATAL);
    }
    let mut reading = Files::of(options).read();
    reading.loaded.judge_language();
    let seen = options.vrrp && options.namespace.is_none();
    add_findings_of_host(&mut reading.loaded, if seen { Links::Seen } else { Links::Unseen });
    let mut out: Box<dyn Write> = match log {
        Some(path) => Box::new(File::options().append(true).create(true).open(path)?),
        None => Box::new(io::stderr()),
    };
    let colour = if log.is_none() && io::stderr().is_terminal() { Colour::On } else { Colour::Off };
    let written = write_full(&mut out, &reading.loaded, colour);
    if log.is_some() {
        written?;
    } // else nobody reads any more (`-t 2>&1 | head`), and the exit code is what scripts go by.
    let code = verdict(&reading);
    // The process ends here: to free a large configuration piece by piece is a tenth of the whole time.
    std::mem::forget(reading);
    Ok(code)
}

/// Whether the links that the file is about can be looked at from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// They are this host's.
    Seen,
    /// They are in another namespace, or of no interest.
    Unseen,
}

/// Adds what a configuration test says of a file on this host.
pub(crate) fn add_findings_of_host(loaded: &mut Loaded, links: Links) {
    if links == Links::Seen {
        // A test enters no other namespace: it may have no right to, and the namespace may not be there yet.
        if loaded.config.process.net_namespace == Namespace::Own {
            add_missing_interfaces(loaded, &Losses::default());
        }
        let mut names = host_names::missing(loaded);
        loaded.diagnostics.append(&mut names);
    }
    script::audit(loaded);
}

/// Adds a warning for each interface that this host does not have and the file before did not name.
pub(super) fn add_missing_interfaces(loaded: &mut Loaded, before: &Losses) {
    let Ok(mut known) = sys::netns::link_names() else { return };
    for (name, span) in loaded.interfaces.iter().filter(|(name, _)| !before.knows(name)) {
        if known.insert(name.as_str().into()) {
            let headline = format!("this host has no interface `{name}`");
            let mut diagnostic = Diagnostic::new(Severity::Warning, Code::MissingInterface, *span, headline);
            let help =
                "what needs it waits for it; add `dynamic_interfaces` to `global_defs` if it comes later";
            diagnostic.help = Some(help.to_owned());
            loaded.diagnostics.push(diagnostic);
        }
    }
}

/// What reading the configuration leads a test to leave with: keepalived's numbers, but a missing file is a failure.
///
/// As with keepalived, scripts without script security hide what else is wrong, unless a word is missing, with which it
/// stops reading at once.
fn verdict(reading: &Reading) -> u8 {
    let diagnostics = &reading.loaded.diagnostics;
    let has = |code, least| diagnostics.iter().any(|found| found.code == code && found.severity >= least);
    match reading.loaded.worst() {
        _ if reading.unreadable || has(Code::IncludeFailed, Severity::Error) => exit::NO_FILE,
        _ if has(Code::MissingArgument, Severity::Error) => exit::TEST_ERRORS,
        _ if has(Code::NoScriptSecurity, Severity::Warning) => exit::TEST_SCRIPT_SECURITY,
        Some(Severity::Error) => exit::TEST_ERRORS,
        Some(Severity::Warning) => exit::TEST_WARNINGS,
        Some(Severity::Note) | None => exit::OK,
    }
}

/// Everything that was found, with the lines concerned.
pub(super) fn write_findings(out: &mut dyn Write, loaded: &Loaded) -> io::Result<()> {
    write_full(out, loaded, Colour::Off)
}

fn write_full(out: &mut dyn Write, loaded: &Loaded, colour: Colour) -> io::Result<()> {
    for diagnostic in &loaded.diagnostics {
        writeln!(out, "{}", render::full(diagnostic, &loaded.sources, colour))?;
    }
    Ok(())
}

/// The configuration as it was understood, without its passwords.
pub(super) fn dump(config: &model::Config) -> serde_json::Result<String> {
    resolved::json(config, Secrets::Hidden)
}

/// Reads the configuration and judges it by the language alone.
pub(crate) fn understood(options: &Options) -> Loaded {
    let mut loaded = Files::of(options).read().loaded;
    loaded.judge_language();
    loaded
}

/// A file as the language has it, for further checks, and whether it could be read. Its text comes after that of
/// `sources`. Without an identifier its conditional lines are those of this host.
pub(crate) fn outlined(path: PathBuf, config_id: Option<String>, sources: SourceMap) -> (Loaded, bool) {
    let reading = Files::named(path, config_id).outlined(sources);
    (reading.loaded, !reading.unreadable)
}
