//! What an instance has from its sync group.

use std::collections::BTreeMap;

use model::Weight;

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lower::track::Tracked;
use crate::lower::{Instance, Report, SyncGroup};
use crate::source::Span;

/// What members have from their group, by the member's name.
#[derive(Debug)]
pub(crate) struct Memberships(BTreeMap<String, Membership>);

#[derive(Clone, Copy, Debug)]
struct Membership {
    /// Where the group names it.
    span: Span,
    notify_priority_changes: Option<bool>,
    weighted_tracking: bool,
}

impl Memberships {
    pub(crate) fn of(groups: &[SyncGroup]) -> Self {
        let mut all = BTreeMap::new();
        for group in groups {
            for member in &group.members {
                let membership = Membership {
                    span: member.span,
                    notify_priority_changes: group.notify_priority_changes,
                    weighted_tracking: group.weighted_tracking,
                };
                all.insert(member.value.clone(), membership);
            }
        }
        Self(all)
    }

    pub(super) fn notify_priority_changes(&self, instance: &str) -> Option<bool> {
        self.0.get(instance)?.notify_priority_changes
    }

    /// Members of a group have one priority, unless the group allows more: an interface keeps no weight, and all else
    /// that has one is not tracked.
    pub(super) fn without_weights(
        &self,
        instance: &Instance,
        mut tracked: Tracked,
        report: &mut Report,
    ) -> Tracked {
        let Some(group) = self.0.get(&instance.name.value).filter(|group| !group.weighted_tracking) else {
            return tracked;
        };
        let mut warn = |name: &str, consequence: &str| {
            let headline =
                format!("the weight of {} has no effect in a sync group; {consequence}", shown(name));
            report.push(
                Diagnostic::warning(Code::SyncGroup, instance.name.span, headline)
                    .label(group.span, "the member is named here")
                    .help("add `sync_group_tracking_weight` to the group, or take the weight away"),
            );
        };
        for interface in &mut tracked.interfaces {
            if interface.influence.weight != Weight::FAULT {
                warn(interface.interface.as_str(), "its loss is a fault");
                interface.influence.weight = Weight::FAULT;
            }
        }
        let mut keeps = |name: &str, weight: Weight| {
            let keeps = weight == Weight::FAULT;
            if !keeps {
                warn(name, "it is not tracked");
            }
            keeps
        };
        tracked.scripts.retain(|script| keeps(&script.script, script.influence.weight));
        for list in [&mut tracked.files, &mut tracked.processes, &mut tracked.bfds] {
            list.retain(|tracking| keeps(&tracking.name, tracking.influence.weight));
        }
        tracked
    }
}
