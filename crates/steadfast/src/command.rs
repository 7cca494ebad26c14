//! The commands: what may follow the program's name without a dash.
//!
//! `--help`, the manual page and the completions are made from the rows of [`COMMANDS`], one in each command's file.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::{
    check_command, completions_command, config_command, explain_command, fmt_command, genhash_command,
    lab_command, manual_command, plan_command, rehearse_command,
};

/// The answer is no: a word that nothing explains, a file that has errors or would change.
pub(crate) const NO: u8 = 1;
/// The command line could not be understood.
pub(crate) const USAGE: u8 = 2;

/// A command of the program.
#[derive(Debug)]
pub(crate) struct Command {
    /// The word that calls it.
    pub(crate) name: &'static str,
    /// What follows the word, in the notation of manual pages.
    pub(crate) synopsis: &'static str,
    /// What it does, in one line without a full stop.
    pub(crate) summary: &'static str,
    /// Paragraphs, without line breaks inside.
    pub(crate) description: &'static [&'static str],
    pub(crate) options: &'static [CommandOption],
    /// What words that are no options are, for completions.
    pub(crate) operand: Operand,
    /// What it leaves with, beyond 2 for a command line that it does not understand.
    pub(crate) statuses: &'static [(u8, &'static str)],
    /// Not for people: no usage, no completion.
    pub(crate) hidden: bool,
    /// Runs it with what follows its name.
    pub(crate) run: fn(Vec<OsString>) -> ExitCode,
}

/// An option of a command.
#[derive(Debug)]
pub(crate) struct CommandOption {
    /// Without its dash.
    pub(crate) short: Option<char>,
    /// Without its dashes.
    pub(crate) long: &'static str,
    /// What stands for its value; empty if it takes none.
    pub(crate) value: &'static str,
    pub(crate) help: &'static str,
}

/// What a word that is no option names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Files,
    /// A code, keyword, block or path of both.
    Topic,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// Every command, in the order of the usage text.
pub(crate) const COMMANDS: [&Command; 10] = [
    &check_command::COMMAND,
    &completions_command::COMMAND,
    &config_command::COMMAND,
    &explain_command::COMMAND,
    &fmt_command::COMMAND,
    &genhash_command::COMMAND,
    &lab_command::COMMAND,
    &manual_command::COMMAND,
    &plan_command::COMMAND,
    &rehearse_command::COMMAND,
];

/// The commands that people use.
pub(crate) fn shown() -> impl Iterator<Item = &'static Command> {
    COMMANDS.into_iter().filter(|command| !command.hidden)
}

/// Runs the command `name`.
pub(crate) fn run(name: &OsStr, arguments: Vec<OsString>) -> ExitCode {
    if let Some(command) = COMMANDS.iter().find(|command| name == command.name) {
        return (command.run)(arguments);
    }
    let names: Vec<_> = shown().map(|command| command.name).collect();
    crate::say(&format!(
        "steadfast: unknown command '{}'; commands: {}. To run the daemon give options only: see 'steadfast --help'.",
        name.display(),
        names.join(" ")
    ));
    ExitCode::from(crate::exit::FATAL)
}

impl Command {
    /// All of its options.
    pub(crate) fn all_options(&self) -> impl Iterator<Item = &CommandOption> {
        self.options.iter().chain([&HELP])
    }

    /// The statuses that it leaves with, and what they mean.
    pub(crate) fn all_statuses(&self) -> impl Iterator<Item = (u8, &'static str)> {
        self.statuses.iter().copied().chain([(USAGE, "the command line could not be understood")])
    }

    /// Its usage text.
    pub(crate) fn usage(&self) -> String {
        let mut text = format!("usage: steadfast {} {}\n", self.name, self.synopsis);
        for paragraph in self.description {
            text += "\n";
            text += &wrapped(paragraph, 100);
        }
        text += "\n";
        for option in self.all_options() {
            writeln!(text, "  {:<24} {}", option.spelling(), option.help).expect("a String takes all");
        }
        text += "\nexit status:\n";
        for (status, meaning) in self.all_statuses() {
            writeln!(text, "  {status}  {meaning}").expect("a String takes all");
        }
        text
    }

    /// Writes the usage text to standard output.
    pub(crate) fn help(&self) -> ExitCode {
        self.answer(&self.usage(), 0)
    }

    /// Writes `text` to standard output and leaves with `status`. A reader who has gone, as `head` does, is no failure.
    pub(crate) fn answer(&self, text: &str, status: u8) -> ExitCode {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.fail(&format!("cannot write: {error}"))
            }
            _ => ExitCode::from(status),
        }
    }

    /// Says what went wrong.
    pub(crate) fn fail(&self, what: &str) -> ExitCode {
        self.complain(what);
        ExitCode::from(NO)
    }

    /// Says what is wrong with the command line.
    pub(crate) fn misused(&self, what: &str) -> ExitCode {
        self.complain(&format!("{what}\nTry 'steadfast {} --help'.", self.name));
        ExitCode::from(USAGE)
    }

    /// Writes a line to standard error.
    pub(crate) fn complain(&self, what: &str) {
        crate::say(&format!("steadfast {}: {what}", self.name));
    }
}

impl CommandOption {
    /// An option without a value.
    pub(crate) const fn flag(long: &'static str, help: &'static str) -> Self {
        Self { short: None, long, value: "", help }
    }

    /// `-i, --config-id ID`.
    pub(crate) fn spelling(&self) -> String {
        let short = self.short.map(|letter| format!("-{letter}, ")).unwrap_or_default();
        let value = if self.value.is_empty() { String::new() } else { format!(" {}", self.value) };
        format!("{short}--{}{value}", self.long)
    }
}

/// What every command knows.
const HELP: CommandOption =
    CommandOption { short: Some('h'), long: "help", value: "", help: "Print this text" };

/// `text` in lines of at most `width` characters, each with its line end.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let next = length + 1 + word.chars().count();
        if length > 0 && next > width {
            lines += "\n";
            length = 0;
        } else if length > 0 {
            lines += " ";
            length += 1;
        }
        lines += word;
        length += word.chars().count();
    }
    lines + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usage_text_says_all_that_the_row_has() {
        for command in COMMANDS {
            let usage = command.usage();
            assert!(usage.starts_with(&format!("usage: steadfast {}", command.name)));
            assert!(command.options.iter().all(|option| usage.contains(&format!("--{}", option.long))));
            assert!(usage.lines().all(|line| line.chars().count() <= 120), "{usage}");
        }
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("eins zwei drei", 9), "eins zwei\ndrei\n");
        assert_eq!(wrapped("unbreakable", 3), "unbreakable\n");
    }
}
