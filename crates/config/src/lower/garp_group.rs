//! `garp_group`.

use std::collections::BTreeMap;
use std::time::Duration;

use model::IfName;

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::Block;
use crate::lower::{Report, Setting, Spanned, setting, settings};
use crate::source::Span;

/// `garp_group`, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct GarpGroup {
    garp_interval: Option<Duration>,
    gna_interval: Option<Duration>,
    interfaces: Vec<Spanned<IfName>>,
}

impl GarpGroup {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        setting.note_words_after(0, report);
        let span = setting.head_span();
        let mut group = Self { garp_interval: None, gna_interval: None, interfaces: Vec::new() };
        settings(setting.node.children(), Block::GarpGroup, report, |setting, report| {
            group.set(setting, report);
        });
        if group.garp_interval.is_none() && group.gna_interval.is_none() {
            let headline = "this group has no interval";
            report.push(
                Diagnostic::warning(Code::IdleGarpGroup, span, headline)
                    .help("add `garp_interval` or `gna_interval`; the group is ignored"),
            );
            return None;
        }
        if group.interfaces.is_empty() {
            let headline = "this group has no interface";
            let note = Diagnostic::note(Code::IdleGarpGroup, span, headline);
            report.push(note.help("add `interface IFNAME`, or several in `interfaces`"));
        }
        Some(group)
    }

    fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let mut seconds = |slot: &mut Option<Duration>| {
            *slot = setting.seconds(report).map(|interval| interval.value).or(*slot);
        };
        match setting.name() {
            "garp_interval" => seconds(&mut self.garp_interval),
            "gna_interval" => seconds(&mut self.gna_interval),
            "interface" => self.interfaces.extend(setting.interface(report)),
            "interfaces" => {
                let words = setting.entries();
                if words.is_empty() {
                    setting.warn_empty(report);
                }
                for word in words {
                    self.interfaces.extend(setting::interface(word, report));
                }
            }
            _ => setting.lacks(report),
        }
    }

    /// What the groups mean together: an interface belongs to the first that names it.
    pub(crate) fn resolve_all(groups: Vec<Self>, report: &mut Report) -> Vec<model::vrrp::GarpGroup> {
        let mut taken: BTreeMap<IfName, Span> = BTreeMap::new();
        let mut resolved = Vec::new();
        for group in groups {
            let mut interfaces = Vec::new();
            for Spanned { value, span } in group.interfaces {
                if let Some(&first) = taken.get(&value) {
                    let headline = format!("{} is in a group already", shown(value.as_str()));
                    report.push(
                        Diagnostic::warning(Code::TwoGarpGroups, span, headline)
                            .label(first, "first here")
                            .help("an interface has one pace; it is ignored here"),
                    );
                } else {
                    taken.insert(value.clone(), span);
                    interfaces.push(value);
                }
            }
            resolved.push(model::vrrp::GarpGroup {
                garp_interval: group.garp_interval.unwrap_or_default(),
                gna_interval: group.gna_interval.unwrap_or_default(),
                interfaces,
            });
        }
        resolved
    }
}
