//! What is tracked, and by whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, Severity, shown};
use crate::lower::bfd::{self, VrrpBfd};
use crate::lower::track::{TrackDraft, Trackable, Tracker, retain_defined, retain_first};
use crate::lower::{Drafts, Report, Spanned, followers};

/// Reports names that stand for nothing, or twice, or that nobody uses, and drops what keepalived drops.
pub(super) fn check(drafts: &mut Drafts, report: &mut Report) {
    // keepalived takes a second one without a word, and then looks only at the first.
    retain_first(&mut drafts.scripts, Severity::Note, report);
    retain_first(&mut drafts.files, Severity::Note, report);
    retain_first(&mut drafts.processes, Severity::Note, report);
    bfd::sessions(&mut drafts.bfd, report);
    followers(&mut drafts.track_groups, &drafts.instances, report);
    scripts_without_command(drafts, report);
    unused(drafts, report);
    undefined(drafts, report);
    let tracked = names(drafts, |track| &track.scripts);
    drafts.scripts.retain(|script| tracked.contains(&script.name.value));
}

fn scripts_without_command(drafts: &Drafts, report: &mut Report) {
    for script in drafts.scripts.iter().filter(|script| script.command.is_none()) {
        let headline = format!("{} has no command to run", shown(&script.name.value));
        report.push(
            Diagnostic::error(Code::ScriptWithoutCommand, script.name.span, headline)
                .help("add `script \"COMMAND ARGUMENTS\"`")
                .classic(format!("No script set for vrrp_script {} - removing", script.name.value)),
        );
    }
}

fn unused(drafts: &Drafts, report: &mut Report) {
    let scripts = names(drafts, |track| &track.scripts);
    let with_command = drafts.scripts.iter().filter(|script| script.command.is_some());
    for name in with_command.map(|script| &script.name).filter(|name| !scripts.contains(&name.value)) {
        let headline = format!("no instance tracks {}; it is not run", shown(&name.value));
        report.push(Diagnostic::note(Code::UnusedScript, name.span, headline));
    }
    unused_of(&drafts.processes, &names(drafts, |track| &track.processes), report);
    // Checkers use files and sessions too.
    if !drafts.lvs.has_servers() {
        let sessions: Vec<_> = drafts.bfd.iter().map(VrrpBfd).collect();
        unused_of(&drafts.files, &names(drafts, |track| &track.files), report);
        unused_of(&sessions, &names(drafts, |track| &track.bfds), report);
    }
}

fn unused_of<T: Trackable>(defined: &[T], tracked: &BTreeSet<String>, report: &mut Report) {
    for name in defined.iter().map(Trackable::name).filter(|name| !tracked.contains(&name.value)) {
        let headline = format!("nobody tracks the `{}` {}", T::BLOCK, shown(&name.value));
        report.push(Diagnostic::note(Code::UnusedTracker, name.span, headline));
    }
}

/// What the lists name, at whatever place in the file.
fn names(drafts: &Drafts, list: impl Fn(&TrackDraft) -> &Vec<Tracker<String>>) -> BTreeSet<String> {
    lists(drafts).flat_map(list).map(|tracker| tracker.target.value.clone()).collect()
}

fn lists(drafts: &Drafts) -> impl Iterator<Item = &TrackDraft> {
    let instances = drafts.instances.iter().map(|instance| &instance.track);
    instances.chain(drafts.groups.iter().map(|group| &group.track))
}

fn undefined(drafts: &mut Drafts, report: &mut Report) {
    let scripts = by_name(&drafts.scripts);
    let files = by_name(&drafts.files);
    let processes = by_name(&drafts.processes);
    let (for_vrrp, for_checkers): (Vec<_>, Vec<_>) =
        drafts.bfd.iter().map(VrrpBfd).partition(|session| session.0.is_for_vrrp());
    let (sessions, for_checkers) = (by_name(&for_vrrp), by_name(&for_checkers));
    let instances = drafts.instances.iter_mut().map(|instance| (&instance.name, &mut instance.track));
    let groups = drafts.groups.iter_mut().map(|group| (&group.name, &mut group.track));
    for (name, track) in instances.chain(groups) {
        report.subject.clone_from(&name.value);
        retain_defined(&mut track.scripts, &scripts, report);
        retain_defined(&mut track.files, &files, report);
        retain_defined(&mut track.processes, &processes, report);
        track.bfds.retain(|tracker| is_for_vrrp(tracker, &for_checkers, report));
        retain_defined(&mut track.bfds, &sessions, report);
    }
}

/// A session for checkers alone does not exist for virtual routers.
fn is_for_vrrp(
    tracker: &Tracker<String>,
    for_checkers: &BTreeMap<&str, &VrrpBfd<'_>>,
    report: &mut Report,
) -> bool {
    let target = &tracker.target;
    let Some(session) = for_checkers.get(target.value.as_str()) else { return true };
    let headline =
        format!("the session {} is for real servers only; nothing is tracked", shown(&target.value));
    report.push(
        Diagnostic::warning(Code::UndefinedTracker, target.span, headline)
            .label(session.name().span, "`checker` alone keeps it from virtual routers")
            .help("add `vrrp` to the session"),
    );
    false
}

fn by_name<T: Trackable>(defined: &[T]) -> BTreeMap<&str, &T> {
    defined
        .iter()
        .map(|one| {
            let Spanned { value, .. } = one.name();
            (value.as_str(), one)
        })
        .collect()
}
