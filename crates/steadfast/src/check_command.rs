//! `steadfast check`: what a test of one file does not see.

mod host;
mod judgement;
pub(crate) mod names;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use config::lint::Scope;
use config::render::{self, Colour};
use config::{Diagnostic, Loaded, Severity, SourceMap, cluster, lint};
use lexopt::Arg;

use crate::command::{Command, CommandOption, NO, Operand, USAGE};
use crate::supervisor;

pub(crate) const COMMAND: Command = Command {
    name: "check",
    synopsis: "[--short|--json] [-i ID] [--deny-notes] [--elsewhere] FILE[@ID]...",
    summary: "Check files beyond a configuration test; several, as the hosts of a cluster",
    description: &[
        "Prints what a configuration test finds, and then what keepalived accepts and what will not do what was meant. Several files are checked as the hosts of one cluster, each beside the others. docs/check.md lists the checks.",
        "One file for all hosts is given once for each, as FILE@ID: the lines that begin with @ID count. What this release does not act on yet is told in a last note, which changes no status.",
        "The scripts, networks and addresses of this host are looked at if one file is given. Standard input is not read.",
    ],
    options: &[
        CommandOption::flag(
            "short",
            "Print one line for each finding, with the other places that it is about, and what to do",
        ),
        CommandOption::flag("json", "Print the findings as a JSON array"),
        CommandOption {
            short: Some('i'),
            long: "config-id",
            value: "ID",
            help: "Use the configuration lines that begin with @ID, where a FILE does not say",
        },
        CommandOption::flag("deny-notes", "Leave with 1 for notes too"),
        CommandOption::flag("elsewhere", "The file is for another host: do not look at this one"),
    ],
    operand: Operand::Files,
    statuses: &[(0, "nothing was found, or notes only"), (NO, "there are warnings or errors")],
    hidden: false,
    run,
};

/// What is asked for.
#[derive(Debug, Default)]
struct Request {
    /// Nothing was said about it: in full.
    form: Option<Form>,
    config_id: Option<String>,
    deny_notes: bool,
    elsewhere: bool,
    files: Vec<OsString>,
}

/// A file as the command line names it, and the id that stands behind it.
pub(crate) type NamedFile = (PathBuf, Option<String>);

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Full,
    Short,
    Json,
}

/// One file as one host has it.
#[derive(Debug)]
struct Checked {
    /// What tells it from the others.
    name: String,
    loaded: Loaded,
}

fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut request = Request::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    loop {
        match parser.next() {
            Ok(None) => break,
            Ok(Some(Arg::Short('h') | Arg::Long("help"))) => return COMMAND.help(),
            Ok(Some(Arg::Long(form @ ("short" | "json")))) => {
                let form = if form == "short" { Form::Short } else { Form::Json };
                if request.form.replace(form).is_some_and(|other| other != form) {
                    return COMMAND.misused("give --short or --json, not both");
                }
            }
            Ok(Some(Arg::Long("deny-notes"))) => request.deny_notes = true,
            Ok(Some(Arg::Long("elsewhere"))) => request.elsewhere = true,
            Ok(Some(Arg::Short('i') | Arg::Long("config-id"))) => match parser.value() {
                Ok(id) => request.config_id = Some(id.to_string_lossy().into_owned()),
                Err(error) => return COMMAND.misused(&error.to_string()),
            },
            Ok(Some(Arg::Value(file))) => request.files.push(file),
            Ok(Some(argument)) => return COMMAND.misused(&argument.unexpected().to_string()),
            Err(error) => return COMMAND.misused(&error.to_string()),
        }
    }
    let files: Vec<_> = request.files.iter().map(|file| split(file, Path::exists)).collect();
    match problem(&files) {
        Some(problem) => COMMAND.misused(&problem),
        None => check(&request, &files),
    }
}

/// What is wrong with the list of files itself.
pub(crate) fn problem(files: &[NamedFile]) -> Option<String> {
    if files.is_empty() {
        return Some("name the file, or the files of all hosts".to_owned());
    }
    if files.iter().any(|(path, _)| path == Path::new("-")) {
        return Some("standard input is not read; a file of this name is `./-`".to_owned());
    }
    let mut given = BTreeSet::new();
    let twice = files.iter().find(|(path, id)| {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        !given.insert((path, id))
    });
    twice.map(|(path, _)| {
        format!(
            "{} is given twice; a file for several hosts is given once for each, as FILE@ID",
            path.display()
        )
    })
}

fn check(request: &Request, files: &[NamedFile]) -> ExitCode {
    let (mut hosts, mut sources) = (Vec::new(), SourceMap::default());
    let here = files.len() == 1 && !request.elsewhere;
    for ((path, id), name) in files.iter().cloned().zip(names::of(files)) {
        let id = id.or_else(|| request.config_id.clone());
        let (mut loaded, readable) = supervisor::outlined(path, id.clone(), std::mem::take(&mut sources));
        if !readable {
            for diagnostic in &loaded.diagnostics {
                COMMAND.complain(&diagnostic.headline);
            }
            return ExitCode::from(USAGE);
        }
        let unnamed = id.and_then(|id| lint::unnamed_id(&id, &loaded, &loaded.sources));
        loaded.diagnostics.extend(unnamed);
        loaded.diagnostics.retain(|diagnostic| !diagnostic.code.is_not_built());
        if here {
            supervisor::add_findings_of_host(&mut loaded, supervisor::Links::Seen);
        }
        judgement::sharpen(&mut loaded);
        sources = std::mem::take(&mut loaded.sources);
        hosts.push(Checked { name, loaded });
    }
    let mut findings = findings(&hosts, here);
    let is_bad = |finding: &Diagnostic| request.deny_notes || finding.severity > Severity::Note;
    let status = if findings.iter().any(is_bad) { NO } else { 0 };
    findings.extend(judgement::closing_note(hosts.iter().flat_map(|host| &host.loaded.unbuilt)));
    COMMAND.answer(&text(&findings, &sources, request.form.unwrap_or(Form::Full)), status)
}

/// `FILE@ID` in its parts. A file whose name has an `@` is a file.
pub(crate) fn split(file: &OsStr, exists: impl Fn(&Path) -> bool) -> NamedFile {
    let bytes = file.as_bytes();
    match bytes.iter().rposition(|&byte| byte == b'@') {
        Some(at) if at > 0 && !exists(Path::new(file)) => {
            let (path, id) = (&bytes[..at], &bytes[at + 1..]);
            (OsStr::from_bytes(path).into(), Some(String::from_utf8_lossy(id).into_owned()))
        }
        _ => (file.into(), None),
    }
}

/// What the test finds, then what each file has, then what does not fit between them.
fn findings(hosts: &[Checked], here: bool) -> Vec<Diagnostic> {
    let mut findings: Vec<_> = hosts.iter().flat_map(|host| host.loaded.diagnostics.clone()).collect();
    let usable: Vec<_> = hosts.iter().filter(|host| host.loaded.is_usable()).collect();
    for host in &usable {
        let known = if here { host::look(&host.loaded.config) } else { lint::Host::default() };
        let scope = if hosts.len() > 1 { Scope::Cluster } else { Scope::Alone };
        findings.extend(lint::check(&host.loaded, &known, scope));
    }
    if usable.len() == hosts.len() {
        let hosts: Vec<_> =
            hosts.iter().map(|host| cluster::Host { name: &host.name, loaded: &host.loaded }).collect();
        findings.extend(cluster::check(&hosts));
    } else if hosts.len() > 1 {
        COMMAND.complain("the files are not compared while one of them has errors");
    }
    findings
}

fn text(findings: &[Diagnostic], sources: &SourceMap, form: Form) -> String {
    if form == Form::Json {
        return render::json_array(findings.iter().map(|finding| (finding, sources)));
    }
    let colour = if io::stdout().is_terminal() { Colour::On } else { Colour::Off };
    // A file for several hosts says the same for each of them.
    let mut said = BTreeSet::new();
    let new = findings.iter().filter(|finding| said.insert(render::line(finding, sources)));
    let printed = new.map(|finding| match form {
        Form::Short => short(finding, sources) + "\n",
        Form::Full | Form::Json => render::full(finding, sources, colour) + "\n\n",
    });
    printed.collect()
}

/// One line: the finding, the other lines that it is about, and what to do.
fn short(finding: &Diagnostic, sources: &SourceMap) -> String {
    let place = |span| format!("{}:{}", sources.name(span), sources.location(span).line);
    let mut places = vec![place(finding.primary)];
    for (span, _) in &finding.labels {
        let place = place(*span);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let mut parts = vec![render::line(finding, sources)];
    if places.len() > 1 {
        parts.push(places[1..].join(", "));
    }
    parts.extend(finding.help.clone());
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_follows_the_last_at_sign() {
        let of = |file: &str, exists| split(OsStr::new(file), |_| exists);
        assert_eq!(of("all.conf@web1", false), ("all.conf".into(), Some("web1".to_owned())));
        assert_eq!(of("all.conf@web1", true), ("all.conf@web1".into(), None));
        assert_eq!(of("a@b@c", false), ("a@b".into(), Some("c".to_owned())));
        assert_eq!(of("@web1", false), ("@web1".into(), None));
        assert_eq!(of("all.conf", false), ("all.conf".into(), None));
    }
}
