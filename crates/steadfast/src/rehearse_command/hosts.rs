//! The files of the hosts, as `steadfast check` reads them.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use config::keyword::Loss;
use config::render::{self, Colour};
use config::{Loaded, Severity, SourceMap};
use model::vrrp::Config;

use super::COMMAND;
use super::options::Options;
use crate::check_command::{self, NamedFile};
use crate::command::USAGE;
use crate::supervisor;

/// A host to be.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) config: Arc<Config>,
    /// What stands in its file and has no effect here.
    unbuilt: BTreeSet<&'static str>,
}

/// The hosts, unless something is wrong with a file, which is told then.
pub(super) fn read(options: &Options) -> Result<Vec<Host>, ExitCode> {
    let files: Vec<_> = options.files.iter().map(|file| check_command::split(file, Path::exists)).collect();
    if let Some(problem) = check_command::problem(&files) {
        return Err(COMMAND.misused(&problem));
    }
    let mut hosts = Vec::new();
    let (mut sources, mut are_usable) = (SourceMap::default(), true);
    for (file, name) in files.iter().zip(names(&files)) {
        let mut loaded = load(file, options, sources)?;
        are_usable &= loaded.is_usable();
        show(&loaded);
        sources = std::mem::take(&mut loaded.sources);
        let lacks = loaded.unbuilt.iter().filter(|lack| lack.loss == Loss::Meaning);
        let untried = untried(&loaded.config.vrrp);
        let unbuilt = lacks.map(|lack| lack.name).chain(untried).collect();
        hosts.push(Host { name, config: Arc::new(loaded.config.vrrp), unbuilt });
    }
    if !are_usable {
        COMMAND.complain("files with errors are not rehearsed");
        return Err(ExitCode::from(USAGE));
    }
    if let Some(empty) = hosts.iter().find(|host| host.config.instances.is_empty()) {
        COMMAND.complain(&format!("{} has no vrrp_instance: nothing of it can fail over", empty.name));
        return Err(ExitCode::from(USAGE));
    }
    Ok(hosts)
}

/// The configuration of one file that a host reads later, or why it cannot be used.
pub(super) fn reread(file: &NamedFile, options: &Options) -> Result<Arc<Config>, String> {
    let id = file.1.clone().or_else(|| options.config_id.clone());
    let (mut loaded, readable) = supervisor::outlined(file.0.clone(), id, SourceMap::default());
    loaded.judge_language();
    let errors = loaded.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    let lines: Vec<_> = errors
        .map(|found| if readable { render::line(found, &loaded.sources) } else { found.headline.clone() })
        .collect();
    if lines.is_empty() { Ok(Arc::new(loaded.config.vrrp)) } else { Err(lines.join("; ")) }
}

/// What the hosts' files ask for and nothing in a rehearsal does, in order of names.
pub(super) fn unbuilt(hosts: &[Host]) -> Vec<&'static str> {
    let all: BTreeSet<_> = hosts.iter().flat_map(|host| host.unbuilt.iter().copied()).collect();
    all.into_iter().collect()
}

/// What the daemon may act on, and nothing here ever changes.
fn untried(config: &Config) -> impl Iterator<Item = &'static str> {
    let tracks_bfd = config.instances.iter().any(|one| !one.track_bfds.is_empty())
        || config.groups.iter().any(|group| !group.track_bfds.is_empty());
    let all = [
        (!config.files.is_empty(), "track_file"),
        (!config.processes.is_empty(), "track_process"),
        (tracks_bfd, "track_bfd"),
    ];
    all.into_iter().filter(|(is_there, _)| *is_there).map(|(_, name)| name)
}

fn load((path, id): &NamedFile, options: &Options, sources: SourceMap) -> Result<Loaded, ExitCode> {
    let id = id.clone().or_else(|| options.config_id.clone());
    let (mut loaded, readable) = supervisor::outlined(path.clone(), id.clone(), sources);
    if !readable {
        for diagnostic in &loaded.diagnostics {
            COMMAND.complain(&diagnostic.headline);
        }
        return Err(ExitCode::from(USAGE));
    }
    let unnamed = id.and_then(|id| config::lint::unnamed_id(&id, &loaded, &loaded.sources));
    loaded.diagnostics.extend(unnamed);
    loaded.judge_language();
    Ok(loaded)
}

/// Warnings and errors, as `check` shows them.
fn show(loaded: &Loaded) {
    let colour = if io::stderr().is_terminal() { Colour::On } else { Colour::Off };
    for finding in loaded.diagnostics.iter().filter(|finding| finding.severity > Severity::Note) {
        crate::say(&(render::full(finding, &loaded.sources, colour) + "\n"));
    }
}

/// What tells the files apart, as a word of a scenario, and without the ending that files of configurations have.
fn names(files: &[NamedFile]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for name in check_command::names::of(files) {
        let stem = name.strip_suffix(".conf").unwrap_or(&name);
        let stem = stem.replace(".conf@", "@");
        let is_plain = |letter: char| letter.is_alphanumeric() || "._-@/".contains(letter);
        let stem: String = stem.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
        let mut name = if stem.is_empty() || stem == "nobody" { "host".to_owned() } else { stem };
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_called_by_their_files() {
        let called = |files: &[(&str, Option<&str>)]| {
            let file = |(path, id): &(&str, Option<&str>)| ((*path).into(), id.map(str::to_owned));
            names(&files.iter().map(file).collect::<Vec<_>>())
        };
        assert_eq!(called(&[("a.conf", None), ("b.conf", None)]), ["a", "b"]);
        assert_eq!(
            called(&[("web1/keepalived.conf", None), ("web2/keepalived.conf", None)]),
            ["web1", "web2"]
        );
        assert_eq!(called(&[("all.conf", Some("one")), ("all.conf", Some("two"))]), ["one", "two"]);
        assert_eq!(called(&[("a.conf", None), ("a", None)]), ["a", "a_"]);
        assert_eq!(called(&[("my, file#.conf", None), ("nobody.conf", None)]), ["my__file_", "host"]);
        assert_eq!(called(&[("all.conf", Some("one")), ("b.conf", None)]), ["all@one", "b"]);
    }
}
