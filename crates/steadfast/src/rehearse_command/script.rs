//! One scenario, read and played.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use sim::rehearsal::{Performed, Rehearsal};
use sim::scenario::{self, Mistake};

use super::options::Options;
use super::{COMMAND, hosts};
use crate::check_command;
use crate::command::USAGE;

/// What came of the scenario in `file`, unless something is wrong with it, which is told then.
pub(super) fn perform(rehearsal: &Rehearsal, file: &Path, options: &Options) -> Result<Performed, ExitCode> {
    let name = file.display().to_string();
    let text = read_regular(file).map_err(|error| {
        COMMAND.complain(&format!("cannot read {name}: {error}"));
        ExitCode::from(USAGE)
    })?;
    // Files that hosts reload stand beside the scenario that names them.
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    let read = |_, file: &str| {
        let named = check_command::split(OsStr::new(&folder.join(file)), Path::exists);
        hosts::reread(&named, options)
    };
    let scenario = scenario::parse(&text).map_err(|mistakes| refuse(&name, &text, &mistakes))?;
    let bound = scenario.bind(rehearsal.cluster(), read);
    let bound = bound.map_err(|mistakes| refuse(&name, &text, &mistakes))?;
    Ok(rehearsal.perform(&bound, scenario.cold))
}

/// The text of a file. A pipe would hold up the program for ever.
fn read_regular(file: &Path) -> io::Result<String> {
    if fs::metadata(file)?.is_file() {
        fs::read_to_string(file)
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

fn refuse(name: &str, text: &str, mistakes: &[Mistake]) -> ExitCode {
    let lines: Vec<_> = text.lines().collect();
    for mistake in mistakes.iter().take(MOST_SHOWN) {
        crate::say(&shown(name, lines.get(mistake.line - 1).unwrap_or(&""), mistake));
    }
    if mistakes.len() > MOST_SHOWN {
        COMMAND.complain(&format!("and {} more mistakes in {name}", mistakes.len() - MOST_SHOWN));
    }
    ExitCode::from(USAGE)
}

/// The mistake beneath the text that it is about, as findings in configurations are shown.
fn shown(name: &str, source: &str, mistake: &Mistake) -> String {
    let Mistake { line, column, length, problem, help } = mistake;
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let source = source.replace('\t', " ");
    let (before, under) = (" ".repeat(column - 1), "^".repeat(*length));
    let mut shown = format!("error: {problem}\n{margin}--> {name}:{line}:{column}\n{margin} |\n");
    // Writing to a string cannot fail.
    let _written = writeln!(shown, "{number} | {source}\n{margin} | {before}{under}");
    if let Some(help) = help {
        let _written = writeln!(shown, "{margin} = help: {help}");
    }
    shown
}

/// More mistakes than this are only counted.
const MOST_SHOWN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_shown_in_their_line() {
        let text = "# outage\nat 12.5s crsh a\n";
        let mistakes = scenario::parse(text).unwrap_err();
        assert_eq!(
            shown("o.txt", "at 12.5s crsh a", &mistakes[0]),
            "error: unknown event `crsh`\n --> o.txt:2:10\n  |\n2 | at 12.5s crsh a\n  |          ^^^^\n  = help: did you mean `crash`?\n"
        );
    }
}
