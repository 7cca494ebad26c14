//! `steadfast check`: what a test of one file does not see.

mod host;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use config::render::{self, Colour};
use config::{Code, Diagnostic, Loaded, Severity, SourceMap, cluster, lint};
use lexopt::Arg;

use crate::command::{Command, CommandOption, NO, Operand, USAGE};
use crate::supervisor;

pub(crate) const COMMAND: Command = Command {
    name: "check",
    synopsis: "[--short|--json] [-i ID] [--deny-notes] [--elsewhere] FILE[@ID]...",
    summary: "Check files beyond a configuration test; several, as the hosts of a cluster",
    description: &[
        "Prints what a configuration test finds, and then what keepalived accepts and what will not do what was meant. Several files are checked as the hosts of one cluster, each beside the others. docs/check.md lists the checks.",
        "One file for all hosts is given once for each, as FILE@ID: the lines that begin with @ID count. What this release does not act on yet is no finding.",
        "The scripts and networks of this host are looked at if one file is given.",
    ],
    options: &[
        CommandOption::flag("short", "Print one line for each finding"),
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
    form: Form,
    config_id: Option<String>,
    deny_notes: bool,
    elsewhere: bool,
    files: Vec<OsString>,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
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
            Ok(Some(Arg::Long("short"))) => request.form = Form::Short,
            Ok(Some(Arg::Long("json"))) => request.form = Form::Json,
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
    if request.files.is_empty() {
        return COMMAND.misused("name the file, or the files of all hosts");
    }
    check(&request)
}

fn check(request: &Request) -> ExitCode {
    let files: Vec<_> = request.files.iter().map(|file| split(file, Path::exists)).collect();
    let (mut hosts, mut sources) = (Vec::new(), SourceMap::default());
    for ((path, id), name) in files.iter().cloned().zip(names(&files)) {
        let id = id.or_else(|| request.config_id.clone());
        let (mut loaded, readable) = supervisor::outlined(path, id, std::mem::take(&mut sources));
        sources = std::mem::take(&mut loaded.sources);
        if !readable {
            for diagnostic in &loaded.diagnostics {
                COMMAND.complain(&diagnostic.headline);
            }
            return ExitCode::from(USAGE);
        }
        loaded.diagnostics.retain(|diagnostic| !diagnostic.code.is_not_built());
        hosts.push(Checked { name, loaded });
    }
    let here = hosts.len() == 1 && !request.elsewhere;
    if let [host] = hosts.as_mut_slice()
        && here
    {
        supervisor::add_findings_of_host(&mut host.loaded);
        // The test is as silent as that of keepalived on some of them.
        let not_run = host.loaded.diagnostics.iter_mut().filter(|found| found.code == Code::ScriptNotRun);
        not_run.for_each(|found| found.severity = found.severity.max(Severity::Warning));
    }
    let findings = findings(&hosts, here);
    let is_bad = |finding: &Diagnostic| request.deny_notes || finding.severity > Severity::Note;
    let status = if findings.iter().any(is_bad) { NO } else { 0 };
    COMMAND.answer(&text(&findings, &sources, request.form), status)
}

/// `FILE@ID` in its parts. A file whose name has an `@` is a file.
fn split(file: &OsStr, exists: impl Fn(&Path) -> bool) -> (PathBuf, Option<String>) {
    let bytes = file.as_bytes();
    match bytes.iter().rposition(|&byte| byte == b'@') {
        Some(at) if at > 0 && !exists(Path::new(file)) => {
            let (path, id) = (&bytes[..at], &bytes[at + 1..]);
            (OsStr::from_bytes(path).into(), Some(String::from_utf8_lossy(id).into_owned()))
        }
        _ => (file.into(), None),
    }
}

/// What the files are called in findings: their paths without what all of them have in common.
fn names(files: &[(PathBuf, Option<String>)]) -> Vec<String> {
    let parts: Vec<Vec<_>> =
        files.iter().map(|(path, _)| path.iter().map(OsStr::to_string_lossy).collect()).collect();
    let (first, others) =
        parts.split_first().map_or((&[][..], &[][..]), |(first, others)| (first.as_slice(), others));
    let shortest = parts.iter().map(Vec::len).min().unwrap_or(0);
    let all_have = |at: usize| others.iter().all(|other| other.get(at) == first.get(at));
    let common = (0..shortest.saturating_sub(1)).take_while(|&at| all_have(at)).count();
    let is_one_name = common + 1 < shortest && others.iter().all(|other| other.last() == first.last());
    let is_one_file = others.iter().all(|other| other == first);
    files
        .iter()
        .zip(&parts)
        .map(|((_, id), parts)| {
            let end = parts.len() - usize::from(is_one_name && !is_one_file);
            let path = parts[common.min(end)..end].join("/");
            match id {
                Some(id) if is_one_file => id.clone(),
                Some(id) => format!("{path}@{id}"),
                None => path,
            }
        })
        .collect()
}

/// What the test finds, then what each file has, then what does not fit between them.
fn findings(hosts: &[Checked], here: bool) -> Vec<Diagnostic> {
    let mut findings: Vec<_> = hosts.iter().flat_map(|host| host.loaded.diagnostics.clone()).collect();
    let usable: Vec<_> = hosts.iter().filter(|host| host.loaded.is_usable()).collect();
    for host in &usable {
        let known = if here { host::look(&host.loaded.config) } else { lint::Host::default() };
        findings.extend(lint::check(&host.loaded, &known));
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
        Form::Short => render::line(finding, sources) + "\n",
        Form::Full | Form::Json => render::full(finding, sources, colour) + "\n\n",
    });
    printed.collect()
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

    #[test]
    fn hosts_are_called_what_tells_them_apart() {
        let of = |files: &[&str]| {
            names(&files.iter().map(|file| split(OsStr::new(file), |_| false)).collect::<Vec<_>>())
        };
        assert_eq!(of(&["a.conf", "b.conf"]), ["a.conf", "b.conf"]);
        assert_eq!(of(&["/etc/c/a.conf", "/etc/c/b.conf"]), ["a.conf", "b.conf"]);
        assert_eq!(of(&["/srv/web1/keepalived.conf", "/srv/web2/keepalived.conf"]), ["web1", "web2"]);
        assert_eq!(of(&["all.conf@web1", "all.conf@web2"]), ["web1", "web2"]);
        assert_eq!(of(&["all.conf@web1", "b.conf"]), ["all.conf@web1", "b.conf"]);
        assert_eq!(of(&["x/all.conf"]), ["all.conf"]);
        assert_eq!(of(&["a", "a"]), ["a", "a"]);
        assert_eq!(of(&["a/b", "a/b/c"]), ["b", "b/c"]);
    }
}
