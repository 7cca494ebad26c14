//! `track_group`.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::{Block, nearest_of};
use crate::lower::{Instance, Report, Setting, Spanned, settings};
use crate::source::Span;

/// `track_group`, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct TrackGroup {
    pub(crate) name: Spanned<String>,
    members: Vec<Spanned<String>>,
    /// The keyword of the list.
    list: Option<Span>,
}

impl TrackGroup {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        if setting.node.arguments().is_empty() {
            let headline = "`track_group` needs a name";
            let help = "write `track_group NAME {`; this one is ignored";
            report.push(Diagnostic::warning(Code::MissingArgument, setting.span(), headline).help(help));
            return None;
        }
        if !setting.is_alone(report) {
            return None;
        }
        let name = setting.block_name(report)?;
        let mut draft = Self { name, members: Vec::new(), list: None };
        settings(setting.node.children(), Block::TrackGroup, report, |setting, report| {
            match setting.name() {
                "group" => draft.set_members(setting, report),
                _ => setting.lacks(report),
            }
        });
        if draft.list.is_none() {
            let headline = format!("{} has no members", shown(&draft.name.value));
            let help = "add a block `group { INSTANCE … }`";
            report.push(Diagnostic::note(Code::FollowerGroup, draft.name.span, headline).help(help));
        }
        Some(draft)
    }

    fn set_members(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        if let Some(first) = self.list {
            report.push(
                Diagnostic::warning(
                    Code::Repeated,
                    setting.head_span(),
                    "a second list of members is ignored",
                )
                .label(first, "this one counts"),
            );
            return;
        }
        self.list = Some(setting.head_span());
        for node in setting.node.children() {
            let words = node.head().into_iter().chain(node.arguments());
            self.members
                .extend(words.map(|word| Spanned { value: word.text.clone().into_owned(), span: word.span }));
        }
        if self.members.is_empty() {
            let headline = format!("the list of {} is empty", shown(&self.name.value));
            let help = "name the instances that follow, or take the group out";
            report.push(Diagnostic::warning(Code::FollowerGroup, setting.head_span(), headline).help(help));
        }
    }

    pub(crate) fn resolve(self, _report: &mut Report) -> Option<model::vrrp::TrackGroup> {
        let mut seen = BTreeSet::new();
        let members = self.members.into_iter().map(|member| member.value);
        let members = members.filter(|member| seen.insert(member.clone())).collect();
        Some(model::vrrp::TrackGroup { name: self.name.value, members })
    }
}

/// A group of a taken name is ignored, and so are members that do not exist. keepalived says nothing of the latter.
pub(crate) fn followers(groups: &mut Vec<TrackGroup>, instances: &[Instance], report: &mut Report) {
    let mut first: BTreeMap<String, Span> = BTreeMap::new();
    groups.retain(|group| {
        let Spanned { value, span } = &group.name;
        let taken = first.get(value).copied();
        if let Some(first) = taken {
            let headline = format!("the track group {} is defined already", shown(value));
            report.push(
                Diagnostic::warning(Code::DuplicateName, *span, headline)
                    .label(first, "this one counts")
                    .help("give it another name; this one is ignored"),
            );
        } else {
            first.insert(value.clone(), *span);
        }
        taken.is_none()
    });
    let names: BTreeSet<&str> = instances.iter().map(|instance| instance.name.value.as_str()).collect();
    for group in groups {
        group.members.retain(|member| {
            let known = names.contains(member.value.as_str());
            if !known {
                let headline = format!("there is no `vrrp_instance` {}; it is ignored", shown(&member.value));
                let note = Diagnostic::note(Code::FollowerGroup, member.span, headline);
                let compared = if report.may_suggest() { names.len() } else { 0 };
                let candidates = names.iter().take(compared);
                report.push(match nearest_of(&member.value, candidates, |name| name) {
                    Some(near) => note.help(format!("did you mean {}?", shown(near))),
                    None => note,
                });
            }
            known
        });
    }
}
