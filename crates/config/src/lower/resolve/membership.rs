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

    /// Members of a group have one priority, unless the group allows more. keepalived 2.2.7 judges what has a weight all
    /// the same by its kind, whatever its log says: the weight of an interface or a process acts, a file of weight 1,
    /// which is the default, is a matter of faults, and all else is not tracked.
    pub(super) fn with_weights_of_a_member(
        &self,
        instance: &Instance,
        mut tracked: Tracked,
        report: &mut Report,
    ) -> Tracked {
        let Some(group) = self.0.get(&instance.name.value).filter(|group| !group.weighted_tracking) else {
            return tracked;
        };
        let mut warn = |headline: String| {
            report.push(
                Diagnostic::warning(Code::SyncGroup, instance.name.span, headline)
                    .label(group.span, "the member is named here")
                    .help("add `sync_group_tracking_weight` to the group, or make it `weight 0`"),
            );
        };
        let interfaces = tracked.interfaces.iter().map(|one| (one.interface.as_str(), one.influence.weight));
        let processes = tracked.processes.iter().map(|one| (one.name.as_str(), one.influence.weight));
        for (name, _) in interfaces.chain(processes).filter(|(_, weight)| *weight != Weight::FAULT) {
            warn(format!("the weight of {} lets members of a sync group differ in priority", shown(name)));
        }
        for file in tracked.files.iter_mut().filter(|one| one.influence.weight.get() == 1) {
            let name = shown(&file.name);
            let number = if file.influence.reverse { "0" } else { "other than 0" };
            warn(format!(
                "the weight 1 of {name} has no effect in a sync group; a number {number} in it is a fault"
            ));
            file.influence.weight = Weight::FAULT;
        }
        let mut keeps = |name: &str, weight: Weight| {
            let keeps = weight == Weight::FAULT;
            if !keeps {
                let name = shown(name);
                warn(format!("the weight of {name} has no effect in a sync group; it is not tracked"));
            }
            keeps
        };
        tracked.scripts.retain(|script| keeps(&script.script, script.influence.weight));
        for list in [&mut tracked.files, &mut tracked.bfds] {
            list.retain(|tracking| keeps(&tracking.name, tracking.influence.weight));
        }
        tracked
    }
}
