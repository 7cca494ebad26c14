//! `steadfast manual`: the pages that are made from the tables. `cargo xtask docs` writes them into the repository.

use std::ffi::OsString;
use std::process::ExitCode;

use config::manual::{self, Page};
use lexopt::Arg;

use crate::cli::{self, OptionRow};
use crate::command::{self, Command, Operand};
use crate::exit;

pub(crate) const COMMAND: Command = Command {
    name: "manual",
    synopsis: "5|8|keywords|errors",
    summary: "Print a page that is made from the program's tables",
    description: &["Prints steadfast.conf(5), steadfast(8), docs/keywords.md or docs/errors.md."],
    options: &[],
    operand: Operand::Words(PAGES),
    statuses: &[(0, "it was printed")],
    hidden: true,
    run,
};

const PAGES: &[&str] = &["5", "8", "keywords", "errors"];

fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut parser = lexopt::Parser::from_args(arguments);
    let page = match parser.next() {
        Ok(Some(Arg::Short('h') | Arg::Long("help"))) => return COMMAND.help(),
        Ok(Some(Arg::Value(page))) => page,
        Ok(Some(argument)) => return COMMAND.misused(&argument.unexpected().to_string()),
        Ok(None) => return COMMAND.misused(&format!("which page? {}", PAGES.join(", "))),
        Err(error) => return COMMAND.misused(&error.to_string()),
    };
    let text = match page.to_str() {
        Some("5") => manual::steadfast_conf(VERSION),
        Some("8") => steadfast(),
        Some("keywords") => manual::keywords(),
        Some("errors") => manual::errors(),
        _ => return COMMAND.misused(&format!("no such page; there are {}", PAGES.join(", "))),
    };
    COMMAND.answer(&text, 0)
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// steadfast(8).
fn steadfast() -> String {
    let mut page = Page::new("steadfast", 8, VERSION);
    page.section("Name");
    page.line("steadfast \\- keeps service addresses alive, with VRRP and the configuration of keepalived");
    page.section("Synopsis");
    page.line("\\fBsteadfast\\fR [\\fIOPTION\\fR...]");
    page.line(".br\n\\fBsteadfast\\fR \\fICOMMAND\\fR [...]");
    page.section("Description");
    DESCRIPTION.iter().for_each(|paragraph| page.paragraph(paragraph));
    page.section("Options");
    for OptionRow { short, long, value, help, .. } in cli::rows() {
        let short = short.map(|letter| format!("-{letter}, ")).unwrap_or_default();
        page.item(&format!("{short}--{long}{value}"), &format!("{help}."));
    }
    page.section("Commands");
    command::shown().for_each(|command| push_command(&mut page, command));
    page.section("Signals");
    SIGNALS.iter().for_each(|(signal, meaning)| page.item(signal, meaning));
    page.section("Exit status");
    page.paragraph("Of the daemon:");
    DAEMON.iter().for_each(|(status, meaning)| page.item(&status.to_string(), meaning));
    page.paragraph("Of a configuration test (`-t`), the first that fits:");
    TEST.iter().for_each(|(status, meaning)| page.item(&status.to_string(), meaning));
    page.section("Files");
    FILES.iter().for_each(|(file, meaning)| page.item(file, meaning));
    page.section("See also");
    page.line("\\fBsteadfast.conf\\fR(5), \\fBip\\-address\\fR(8), \\fBsystemd.service\\fR(5)");
    page.finish()
}

fn push_command(page: &mut Page, command: &Command) {
    page.part(&format!("{} {}", command.name, command.synopsis));
    command.description.iter().for_each(|paragraph| page.paragraph(paragraph));
    command.all_options().for_each(|option| page.item(&option.spelling(), &format!("{}.", option.help)));
    let statuses: Vec<_> =
        command.all_statuses().map(|(status, meaning)| format!("{status}, {meaning}")).collect();
    page.paragraph(&format!("Exit status: {}.", statuses.join("; ")));
}

const DESCRIPTION: &[&str] = &[
    "Steadfast runs virtual routers and virtual servers. Hosts agree by VRRP on one of them that has the service addresses, and when it fails another takes them over within about three advertisement intervals; a virtual server spreads the connections to a service address over those real servers that pass their checks, by the kernel's IPVS. It reads the configuration of keepalived 2.4, see `steadfast.conf`(5), and takes keepalived's options and signals.",
    "Without a command it runs as a daemon: a supervisor reads the files, starts a worker for VRRP and one for the checks, as far as the files need them, and runs the scripts. Options may be bundled, and long ones shortened. If the program is called by the name keepalived, there are no commands, and words that are no options are ignored.",
];

const SIGNALS: &[(&str, &str)] = &[
    ("TERM, INT", "Stop: give the addresses away and leave."),
    ("HUP", "Read the files again. A configuration that has errors changes nothing."),
    (
        "USR1, USR2, RTMIN+2, RTMAX-1",
        "Write the state, statistics or JSON dump of the virtual routers. `--signum` prints their numbers.",
    ),
];

const DAEMON: &[(u8, &str)] = &[
    (exit::OK, "A normal stop; also when the daemon runs already."),
    (
        exit::FATAL,
        "The command line cannot be understood, or something is missing without which it cannot run.",
    ),
    (exit::CONFIG, "The configuration cannot be used."),
    (exit::PERMISSION, "A permission is missing."),
    (exit::NO_FILE, "The configuration file is missing or cannot be read."),
    (exit::INTERNAL, "A bug, or a kernel that did the unexpected."),
];

const TEST: &[(u8, &str)] = &[
    (exit::NO_FILE, "The configuration file is missing or cannot be read."),
    (exit::TEST_ERRORS, "It has errors: no daemon runs with it."),
    (exit::TEST_SCRIPT_SECURITY, "It has scripts, and no `enable_script_security`."),
    (exit::TEST_WARNINGS, "It has faults that a daemon would survive."),
    (exit::OK, "Nothing was found."),
];

const FILES: &[(&str, &str)] = &[
    ("/etc/keepalived/keepalived.conf", "The configuration unless `-f` names another."),
    ("/run/keepalived.pid", "The process id of the supervisor unless `-p` names another file."),
    ("/run/vrrp.pid", "That of the worker for VRRP unless `-r` names another file."),
    ("/run/checkers.pid", "That of the worker for the checks unless `-c` names another file."),
];
