//! From what was typed to what is meant.
//!
//! First every block is read into a draft that remembers where each value stands. When the whole file is read, drafts
//! are resolved: defaults are applied, wherever in the file `global_defs` stands, and names are looked up.

mod address;
pub(crate) mod bfd;
mod entry;
mod garp;
mod garp_group;
mod global;
mod host;
mod instance;
mod lvs;
mod names;
mod notify;
mod process;
mod resolve;
mod route;
mod rule;
mod script;
mod secret;
mod setting;
mod statics;
mod sync_group;
pub(crate) mod track;
mod tracker;
mod unbuilt;

use std::collections::{BTreeMap, BTreeSet};

use bumpalo::Bump;
use model::{Family, IfName, vrrp};

use crate::check;
use crate::diagnostic::{Code, Diagnostic, Findings, Severity, cut_by_comment, may_hold_signs, shown};
use crate::keyword::{self, Block, Content};
use crate::preprocess::Passage;
use crate::source::Span;
use crate::tree::{Node, Tree};

pub(crate) use bfd::BfdDraft;
pub(crate) use garp_group::GarpGroup;
pub(crate) use global::Global;
pub(crate) use instance::Instance;
pub(crate) use lvs::Lvs;
pub use names::HostName;
pub(crate) use process::Process;
pub(crate) use script::Script;
use secret::Secrets;
pub(crate) use setting::{Setting, Spanned};
pub(crate) use statics::Statics;
pub(crate) use sync_group::SyncGroup;
pub(crate) use tracker::{FileTracker, ProcessTracker, TrackGroup, followers};
pub use unbuilt::Lack;

/// Who misspells more names than these does not read on.
const MOST_SUGGESTIONS: usize = 20;

/// What is said about a file.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) diagnostics: Findings,
    /// Places that hold passwords or keys.
    pub(crate) secrets: Vec<Span>,
    /// Passwords and keys that were put together from parameters.
    pub(crate) made_secrets: BTreeSet<String>,
    /// The interfaces that are named.
    pub(crate) interfaces: Vec<Spanned<IfName>>,
    /// The scripts that are named.
    pub(crate) scripts: Vec<host::ScriptDraft>,
    /// The users that are named by a line of their own.
    pub(crate) users: Vec<Spanned<vrrp::RunAs>>,
    /// Rules without a priority so far.
    pub(crate) unranked_rules: BTreeMap<Family, u32>,
    /// The names that the host has to look up.
    pub(crate) names: Vec<HostName>,
    /// What has no effect yet.
    pub(crate) unbuilt: unbuilt::Unbuilt,
    /// The same, once all is read.
    pub(crate) lacking: Vec<Lack>,
    /// The instance, group or script that is gone over: keepalived's sentences begin with it.
    pub(crate) subject: String,
    /// How many things have been read whose order matters.
    turns: usize,
    /// How many unknown names have got a suggestion.
    suggestions: usize,
    /// What is found now is no more than noted.
    is_quiet: bool,
}

impl Report {
    pub(crate) fn push(&mut self, mut diagnostic: Diagnostic) {
        if self.is_quiet {
            diagnostic.severity = Severity::Note;
        }
        self.diagnostics.push(diagnostic);
    }

    /// What `read` finds wrong is only noted.
    pub(crate) fn quietly<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.is_quiet, true);
        let value = read(self);
        self.is_quiet = before;
        value
    }

    /// Whether a similar name is to be looked for, which costs as much as there are names: a few times in a file.
    pub(crate) fn may_suggest(&mut self) -> bool {
        self.suggestions += 1;
        self.suggestions <= MOST_SUGGESTIONS
    }

    /// The next place in the order of reading. Spans do not tell it: files include each other, and text is repeated.
    pub(crate) fn turn(&mut self) -> usize {
        self.turns += 1;
        self.turns
    }
}

/// All blocks of a file as drafts.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    pub(crate) global: Global,
    pub(crate) scripts: Vec<Script>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) groups: Vec<SyncGroup>,
    pub(crate) files: Vec<FileTracker>,
    pub(crate) processes: Vec<ProcessTracker>,
    pub(crate) track_groups: Vec<TrackGroup>,
    pub(crate) bfd: Vec<BfdDraft>,
    pub(crate) statics: Statics,
    pub(crate) garp_groups: Vec<GarpGroup>,
    pub(crate) process: Process,
    pub(crate) lvs: Lvs,
}

/// The configuration that the blocks of the top level mean. Each is handed to `look`, and gone when it has been read.
pub(crate) fn lower<'a>(
    tree: &mut Tree<'a, impl Iterator<Item = Passage<'a>>>,
    report: &mut Report,
    mut look: impl FnMut(&[Node<'_>]),
) -> model::Config {
    let mut drafts = Drafts::default();
    let (mut instance_names, mut group_names) = (BTreeMap::new(), BTreeMap::new());
    let mut read = |setting: Setting<'_, '_>, report: &mut Report| match setting.name() {
        "global_defs" => drafts.global.read(setting.node.children(), report),
        "vrrp_script" => drafts.scripts.extend(Script::read(setting, report)),
        "vrrp_instance" => drafts.instances.extend(Instance::read(setting, &mut instance_names, report)),
        "vrrp_sync_group" => drafts.groups.extend(SyncGroup::read(setting, &mut group_names, report)),
        "vrrp_track_process" => drafts.processes.extend(ProcessTracker::read(setting, report)),
        "track_file" | "vrrp_track_file" => drafts.files.extend(FileTracker::read(setting, report)),
        "track_group" => drafts.track_groups.extend(TrackGroup::read(setting, report)),
        "bfd_instance" => drafts.bfd.extend(BfdDraft::read(setting, report)),
        "static_ipaddress" | "static_routes" | "static_rules" => {
            drafts.statics.read(setting, drafts.track_groups.len(), report);
        }
        "garp_group" => drafts.garp_groups.extend(GarpGroup::read(setting, report)),
        "virtual_server_group" | "virtual_server" | "SSL" => {
            drafts.lvs.read(setting, &drafts.bfd, &drafts.files, report);
        }
        "steadfast" => settings(setting.node.children(), Block::Steadfast, report, |setting, report| {
            setting.lacks(report);
        }),
        _ => drafts.process.read(setting, report),
    };
    let mut secrets = Secrets::default();
    let mut arena = Bump::new();
    while let Some(nodes) = tree.next(&arena) {
        nodes.iter().for_each(|node| secrets.find(node, report));
        settings(nodes, Block::Root, report, &mut read);
        look(nodes);
        arena.reset();
    }
    if drafts.global.dynamic_interfaces {
        report.interfaces.clear();
    }
    let groups = drafts.track_groups.iter().map(|group| (group.name.value.as_str(), group.name.span));
    drafts.statics.check_groups(groups, report);
    report.keep_scripts_that_run(&drafts);
    check::drafts(&mut drafts, report);
    report.tell_unbuilt();
    let Drafts {
        global,
        scripts,
        instances,
        groups,
        files,
        processes,
        track_groups,
        bfd,
        statics,
        garp_groups,
        mut process,
        lvs,
    } = drafts;
    let scripts: Vec<vrrp::Script> = scripts.iter().filter_map(|script| script.resolve(&global)).collect();
    let files: Vec<_> = files.into_iter().filter_map(|draft| draft.resolve(report)).collect();
    let processes: Vec<_> = processes.into_iter().filter_map(|draft| draft.resolve(report)).collect();
    let bfd: Vec<_> = bfd.into_iter().filter_map(|draft| draft.resolve(report)).collect();
    let trackable = track::Defaults {
        scripts: scripts.iter().map(|script| (script.name.clone(), script.influence)).collect(),
        files: files.iter().map(|file| (file.name.clone(), file.influence)).collect(),
        processes: processes.iter().map(|process| (process.name.clone(), process.influence)).collect(),
        bfds: bfd.iter().map(|session| (session.name.clone(), session.influence)).collect(),
    };
    let mut around = resolve::Surroundings::new(&global, &trackable, &groups, &instances);
    let instances: Vec<_> =
        instances.into_iter().filter_map(|draft| draft.resolve(&mut around, report)).collect();
    let by_name = instances.iter().map(|instance| (instance.name.as_str(), instance)).collect();
    let groups = groups.into_iter().map(|draft| draft.resolve(&global, &trackable, &by_name, report));
    let mut vrrp = vrrp::Config {
        groups: groups.collect(),
        instances,
        files,
        processes,
        track_groups: track_groups.into_iter().filter_map(|draft| draft.resolve(report)).collect(),
        statics: statics.resolve(&global, report),
        garp_groups: GarpGroup::resolve_all(garp_groups, report),
        links: process.take_link_watch(),
        scripts,
    };
    statics::track(&mut vrrp);
    model::Config {
        bfd,
        lvs: lvs.resolve(&global, &vrrp.files),
        process: process.resolve(report),
        global: global.resolve(&vrrp.instances, report),
        vrrp,
    }
}

/// Hands every line of a block whose keyword is known to `read`, and reports all others. That a keyword has no effect
/// yet is noted here; its value is read and checked all the same.
pub(crate) fn settings<'n, 'a>(
    nodes: &'n [Node<'a>],
    block: Block,
    report: &mut Report,
    mut read: impl FnMut(Setting<'n, 'a>, &mut Report),
) {
    for node in nodes {
        let keyword = node.keyword;
        // Commands have quoting rules of their own.
        if node.statement.unpaired.is_some() && keyword.is_none_or(|keyword| !keyword.takes_command()) {
            report_quote(node, report);
        }
        report_foreign_signs(node, report);
        let Some(keyword) = keyword else {
            report_unknown(node, block, report);
            continue;
        };
        report_cut_word(node, keyword, report);
        let setting = Setting { node, keyword, block };
        setting.refuse_words_before_list(report);
        report_lines_of_list(setting, report);
        setting.lacks(report);
        report.within(keyword.status, |report| read(setting, report));
    }
}

fn report_quote(node: &Node<'_>, report: &mut Report) {
    if let Some(unpaired) = node.statement.unpaired {
        report.push(
            Diagnostic::warning(Code::UnpairedQuote, unpaired, "this quote is not closed on its line")
                .help("the rest of the line is ignored"),
        );
    }
}

/// Remarks on a value whose end was taken for a comment.
fn report_cut_word(node: &Node<'_>, keyword: &keyword::Keyword, report: &mut Report) {
    // Nearly all lines are told apart by the first question.
    if !node.statement.is_cut_by_comment() || !keyword.takes_text() {
        return;
    }
    let Some(last) = node.arguments().last() else { return };
    let headline = if keyword.secret {
        "a comment begins inside this word, and only what stands before it counts".to_owned()
    } else {
        format!("a comment begins inside this word: {} is all that is left", shown(&last.text))
    };
    report.push(cut_by_comment(last.span, headline));
}

/// Remarks on signs that other languages have between a keyword and its value, or at the end of a line.
fn report_foreign_signs(node: &Node<'_>, report: &mut Report) {
    let Some(first) = node.arguments().first() else { return };
    if first.text == "=" {
        report.push(
            Diagnostic::note(Code::ForeignSign, first.span, "this `=` is taken for the value")
                .help("only a blank stands between a keyword and its value"),
        );
    }
    let is_plain = |keyword: &keyword::Keyword| keyword.takes_plain_value();
    let last = node.arguments().last().filter(|last| last.text.ends_with(';'));
    if let Some(last) = last.filter(|_| node.keyword.is_none_or(is_plain)) {
        let length = last.span.end() - last.span.start();
        let sign = last.span.part(length.saturating_sub(1)..length);
        report.push(
            Diagnostic::note(Code::ForeignSign, sign, "this `;` is taken for a part of the value")
                .help("nothing but its end ends a line"),
        );
    }
}

/// The lines of a list are no settings of their own.
fn report_lines_of_list(setting: Setting<'_, '_>, report: &mut Report) {
    let content = setting.keyword.opens.map(Block::content);
    if !matches!(content, Some(Content::Lines | Content::Words)) {
        return;
    }
    for line in setting.node.children() {
        report_quote(line, report);
        let last = line.statement.words.last().filter(|_| line.statement.is_cut_by_comment());
        if let Some(last) = last.filter(|last| may_hold_signs(&last.text)) {
            let headline =
                format!("a comment begins inside this word: {} is all that is left", shown(&last.text));
            report.push(cut_by_comment(last.span, headline));
        }
    }
}

fn report_unknown(node: &Node<'_>, block: Block, report: &mut Report) {
    let Some(head) = node.head() else { return };
    let place =
        if block == Block::Root { "at the top level".to_owned() } else { format!("in `{}`", block.name()) };
    let headline = format!("unknown keyword {} {place}", shown(&head.text));
    let mut diagnostic = Diagnostic::warning(Code::UnknownKeyword, head.span, headline);
    if let Some(near) = keyword::nearest(block, &head.text) {
        diagnostic = diagnostic.help(format!("did you mean `{}`?", near.name));
    } else if let Some((home, _)) = keyword::all().find(|(_, keyword)| keyword.name == head.text) {
        diagnostic = diagnostic.help(format!("it belongs into a `{}` block", home.name()));
    } else if node.block.is_some() {
        diagnostic = diagnostic.help("the whole block is ignored");
    }
    report.push(diagnostic);
}
