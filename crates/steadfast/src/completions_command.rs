//! `steadfast completions`: what a shell needs to complete this program's command line.

use std::ffi::OsString;
use std::process::ExitCode;

use lexopt::Arg;

use crate::cli::{self, OptionRow};
use crate::command::{self, Command, CommandOption, Operand};

pub(crate) const COMMAND: Command = Command {
    name: "completions",
    synopsis: "bash|zsh|fish",
    summary: "Print the completion script for a shell",
    description: &[
        "Prints the script that completes the options, commands, codes and keywords of this program.",
    ],
    options: &[],
    operand: Operand::Words(SHELLS),
    statuses: &[(0, "it was printed")],
    hidden: false,
    run,
};

const SHELLS: &[&str] = &["bash", "zsh", "fish"];

fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut parser = lexopt::Parser::from_args(arguments);
    let shell = match parser.next() {
        Ok(Some(Arg::Short('h') | Arg::Long("help"))) => return COMMAND.help(),
        Ok(Some(Arg::Value(shell))) => shell,
        Ok(Some(argument)) => return COMMAND.misused(&argument.unexpected().to_string()),
        Ok(None) => return COMMAND.misused(&format!("for which shell? {}", SHELLS.join(", "))),
        Err(error) => return COMMAND.misused(&error.to_string()),
    };
    let script = match shell.to_str() {
        Some("bash") => bash(),
        Some("zsh") => zsh(),
        Some("fish") => fish(),
        _ => return COMMAND.misused(&format!("'{}' is none of {}", shell.display(), SHELLS.join(", "))),
    };
    COMMAND.answer(&script, 0)
}

const NOTE: &str = "# Made by `cargo xtask docs`; do not change it here.\n";

/// Words that `explain` takes, in quotes where a shell would see more than a word.
fn topics() -> String {
    config::explain::topics().join(" ")
}

fn bash() -> String {
    let options: Vec<_> = cli::rows().flat_map(|row| spellings(row.short, row.long)).collect();
    let valued: Vec<_> = cli::rows()
        .filter(|row| !row.placeholder.is_empty() && !row.value.starts_with('['))
        .flat_map(|row| spellings(row.short, row.long))
        .collect();
    let commands: Vec<_> = command::shown().map(|command| command.name).collect();
    let arms: String = command::shown().map(bash_arm).collect();
    format!(
        r#"{NOTE}# Completion of steadfast for bash.

_steadfast() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}}
    local words= files=
    if (( COMP_CWORD > 1 )) && [[ $command != -* ]]; then
        case $command in
{arms}        esac
    else
        case $previous in
        {valued}) files=yes ;;
        *)
            words="{options}"
            (( COMP_CWORD == 1 )) && words+=" {commands}"
            ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [[ -z $files || $word == -* ]] || COMPREPLY+=($(compgen -f -- "$word"))
}}
complete -o filenames -F _steadfast steadfast
"#,
        valued = valued.join("|"),
        options = options.join(" "),
        commands = commands.join(" "),
    )
}

fn bash_arm(command: &Command) -> String {
    let options: Vec<_> =
        command.all_options().flat_map(|option| spellings(option.short, option.long)).collect();
    let options = options.join(" ");
    let (words, files) = match command.operand {
        Operand::Files => (options, " files=yes"),
        Operand::Topic => (format!("{options} {}", topics()), ""),
        Operand::Words(words) => (format!("{options} {}", words.join(" ")), ""),
    };
    format!("        {}) words=\"{words}\"{files} ;;\n", command.name)
}

fn zsh() -> String {
    let options: String = cli::rows().flat_map(|row| zsh_daemon_option(&row)).collect();
    let commands: String = command::shown()
        .map(|command| format!("        '{}:{}'\n", command.name, quoted(command.summary)))
        .collect();
    let arms: String = command::shown().map(zsh_arm).collect();
    format!(
        r#"#compdef steadfast
{NOTE}# Completion of steadfast for zsh.

_steadfast() {{
    local -a commands
    commands=(
{commands}    )
    if (( CURRENT == 2 )) && [[ $words[CURRENT] != -* ]]; then
        _describe command commands
        return
    fi
    if [[ $words[2] != -* ]] && (( CURRENT > 2 )); then
        local command=$words[2]
        shift words
        (( CURRENT-- ))
        case $command in
{arms}        esac
        return
    fi
    _arguments -s \
{options}        '*: :'
}}

if [[ $funcstack[1] == _steadfast ]]; then
    _steadfast "$@"
else
    compdef _steadfast steadfast
fi
"#
    )
}

fn zsh_daemon_option(row: &OptionRow) -> Vec<String> {
    let value = match (row.placeholder, row.value.starts_with('[')) {
        ("", _) => String::new(),
        (name, true) => format!("::{name}:_files"),
        (name, false) => format!(":{name}:_files"),
    };
    let sign = |long: bool| match (row.placeholder.is_empty(), row.value.starts_with('['), long) {
        (true, ..) => "",
        (_, true, true) => "=-",
        (_, true, false) => "-",
        (_, false, true) => "=",
        (_, false, false) => "+",
    };
    let help = quoted(&row.help);
    let mut lines = Vec::new();
    if let Some(short) = row.short {
        lines.push(format!("        '-{short}{}[{help}]{value}' \\\n", sign(false)));
    }
    lines.push(format!("        '--{}{}[{help}]{value}' \\\n", row.long, sign(true)));
    lines
}

fn zsh_arm(command: &Command) -> String {
    let option = |option: &CommandOption| {
        let value = if option.value.is_empty() { String::new() } else { format!(":{}:_files", option.value) };
        let help = quoted(option.help);
        let long = format!("'--{}[{help}]{value}'", option.long);
        match option.short {
            Some(short) => format!("'-{short}[{help}]{value}' {long}"),
            None => long,
        }
    };
    let options: Vec<_> = command.all_options().map(option).collect();
    let operand = match command.operand {
        Operand::Files => "'*:file:_files'".to_owned(),
        Operand::Topic => format!("'*:topic:({})'", topics()),
        Operand::Words(words) => format!("'*:word:({})'", words.join(" ")),
    };
    format!("        {}) _arguments -s {} {operand} ;;\n", command.name, options.join(" "))
}

/// Text for single quotes inside the brackets and colons of zsh.
fn quoted(text: &str) -> String {
    text.replace('\'', "'\\''").replace('[', "\\[").replace(']', "\\]").replace(':', "\\:")
}

fn fish() -> String {
    let mut script = format!("{NOTE}# Completion of steadfast for fish.\n\ncomplete -c steadfast -f\n");
    for row in cli::rows() {
        let value = match (row.placeholder, row.value.starts_with('[')) {
            ("", _) | (_, true) => "",
            _ => " -r -F",
        };
        let short = row.short.map(|letter| format!(" -s {letter}")).unwrap_or_default();
        script += &format!(
            "complete -c steadfast -n __fish_use_subcommand{short} -l {}{value} -d '{}'\n",
            row.long,
            fish_quoted(&row.help)
        );
    }
    for command in command::shown() {
        let about = fish_quoted(command.summary);
        script +=
            &format!("complete -c steadfast -n __fish_use_subcommand -a {} -d '{about}'\n", command.name);
        let within = format!("complete -c steadfast -n '__fish_seen_subcommand_from {}'", command.name);
        for option in command.all_options() {
            let short = option.short.map(|letter| format!(" -s {letter}")).unwrap_or_default();
            let value = if option.value.is_empty() { "" } else { " -r" };
            script +=
                &format!("{within}{short} -l {}{value} -d '{}'\n", option.long, fish_quoted(option.help));
        }
        script += &match command.operand {
            Operand::Files => format!("{within} -F\n"),
            Operand::Topic => format!("{within} -a '{}'\n", topics()),
            Operand::Words(words) => format!("{within} -a '{}'\n", words.join(" ")),
        };
    }
    script
}

fn fish_quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

/// `-f --use-file`.
fn spellings(short: Option<char>, long: &str) -> Vec<String> {
    short.map(|letter| format!("-{letter}")).into_iter().chain([format!("--{long}")]).collect()
}
