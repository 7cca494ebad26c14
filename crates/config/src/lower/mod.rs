//! From what was typed to what is meant.
//!
//! First every block is read into a draft that remembers where each value stands. When the whole file is read, drafts
//! are resolved: defaults are applied, wherever in the file `global_defs` stands, and names are looked up.

mod address;
mod garp;
mod global;
mod instance;
mod notify;
mod resolve;
mod script;
mod setting;
mod track;

use std::collections::BTreeMap;

use model::{IfName, vrrp};

use crate::check;
use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::{self, Block, Loss, Status};
use crate::source::Span;
use crate::tree::Node;

pub(crate) use global::Global;
pub(crate) use instance::Instance;
pub(crate) use script::Script;
pub(crate) use setting::{Setting, Spanned};

/// What is said about a file.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Places that hold passwords or keys.
    pub(crate) secrets: Vec<Span>,
    /// The interfaces that are named.
    pub(crate) interfaces: Vec<Spanned<IfName>>,
}

impl Report {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// All blocks of a file as drafts.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    pub(crate) global: Global,
    pub(crate) scripts: Vec<Script>,
    pub(crate) instances: Vec<Instance>,
}

/// The configuration that a tree means.
pub(crate) fn lower(tree: &[Node<'_>], report: &mut Report) -> model::Config {
    let mut drafts = Drafts::default();
    settings(tree, Block::Root, report, |setting, report| match setting.name() {
        "global_defs" => drafts.global.read(setting.node.children(), report),
        "vrrp_script" => drafts.scripts.extend(Script::read(setting, report)),
        "vrrp_instance" => drafts.instances.extend(Instance::read(setting, report)),
        _ => report.push(not_built(setting)),
    });
    if drafts.global.dynamic_interfaces {
        report.interfaces.clear();
    }
    check::drafts(&mut drafts, report);
    let Drafts { global, scripts, instances } = drafts;
    let scripts: Vec<vrrp::Script> = scripts.iter().filter_map(|script| script.resolve(&global)).collect();
    let by_name: BTreeMap<_, _> = scripts.iter().map(|script| (script.name.as_str(), script)).collect();
    let instances = instances.into_iter().filter_map(|draft| draft.resolve(&global, &by_name, report));
    let instances = instances.collect();
    model::Config { global: global.resolve(), vrrp: vrrp::Config { scripts, instances } }
}

/// Hands every line of a block whose keyword is built to `read`, and reports all others.
pub(crate) fn settings<'n, 'a>(
    nodes: &'n [Node<'a>],
    block: Block,
    report: &mut Report,
    mut read: impl FnMut(Setting<'n, 'a>, &mut Report),
) {
    for node in nodes {
        let keyword = node.head().and_then(|head| keyword::lookup(block, &head.text));
        // Commands have quoting rules of their own.
        if let Some(unpaired) = node.statement.unpaired
            && keyword.is_none_or(|keyword| !keyword.takes_command())
        {
            report.push(
                Diagnostic::warning(Code::UnpairedQuote, unpaired, "this quote is not closed on its line")
                    .help("the rest of the line is ignored"),
            );
        }
        let Some(keyword) = keyword else {
            report_unknown(node, block, report);
            continue;
        };
        let setting = Setting { node, keyword, block };
        match keyword.status {
            Status::Built => read(setting, report),
            Status::Planned(_) => report.push(not_built(setting)),
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

/// What follows the keyword.
pub(crate) fn secrets(node: &Node<'_>) -> Option<Span> {
    let unpaired = node.statement.unpaired;
    node.arguments().first().map(|word| word.span).or(unpaired)
}

/// A keyword of keepalived that has no effect yet.
pub(crate) fn not_built(setting: Setting<'_, '_>) -> Diagnostic {
    planned(setting.name(), setting.keyword.status, setting.head_span())
}

/// As [`not_built`], for a word in the middle of a line.
pub(crate) fn planned(name: &str, status: Status, span: Span) -> Diagnostic {
    let headline = format!("`{name}` is not built yet and has no effect");
    match status {
        Status::Planned(Loss::Meaning) => Diagnostic::error(Code::NotBuilt, span, headline)
            .help("without it this host would not do what the file says"),
        Status::Planned(Loss::Director) => Diagnostic::error(Code::NoDirector, span, headline)
            .help("to run the virtual routers of this file alone, start with `-P`"),
        Status::Planned(Loss::Comfort) | Status::Built => Diagnostic::warning(Code::NotBuilt, span, headline),
    }
}
