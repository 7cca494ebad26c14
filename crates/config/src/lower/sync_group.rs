//! `vrrp_sync_group`.

use std::collections::{BTreeMap, BTreeSet};

use model::vrrp::{GroupNotify, Instance, Notify};
use model::{Priority, Weight};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::Block;
use crate::lower::instance::{own_name, set};
use crate::lower::notify::NotifyDraft;
use crate::lower::track::{Defaults, TrackDraft, Tracked, Who};
use crate::lower::{Global, Report, Setting, Spanned, settings};
use crate::source::Span;

/// `vrrp_sync_group`, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct SyncGroup {
    pub(crate) name: Spanned<String>,
    pub(crate) members: Vec<Spanned<String>>,
    /// Where the list of members stands.
    list: Option<Span>,
    pub(crate) track: TrackDraft,
    pub(crate) notify: NotifyDraft,
    pub(crate) notify_priority_changes: Option<bool>,
    smtp_alert: Option<bool>,
    pub(crate) weighted_tracking: bool,
}

impl SyncGroup {
    pub(crate) fn read(
        setting: Setting<'_, '_>,
        taken: &mut BTreeMap<String, Span>,
        report: &mut Report,
    ) -> Option<Self> {
        let mut draft = Self {
            name: own_name(setting, taken, report)?,
            members: Vec::new(),
            list: None,
            track: TrackDraft::EMPTY,
            notify: NotifyDraft::EMPTY,
            notify_priority_changes: None,
            smtp_alert: None,
            weighted_tracking: false,
        };
        settings(setting.node.children(), Block::SyncGroup, report, |setting, report| {
            let taken = draft.track.read(setting, report)
                || draft.notify.read(setting, report)
                || draft.set(setting, report);
            if !taken {
                setting.lacks(report);
            }
        });
        Some(draft)
    }

    fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "group" => self.set_members(setting, report),
            "smtp_alert" => set(&mut self.smtp_alert, setting.boolean(report)),
            "notify_priority_changes" => set(&mut self.notify_priority_changes, setting.boolean(report)),
            "sync_group_tracking_weight" => self.weighted_tracking = setting.flag(report),
            "global_tracking" => {
                let headline = "`global_tracking` is an old way to say it";
                report.push(
                    Diagnostic::warning(Code::Deprecated, setting.head_span(), headline)
                        .help("write `sync_group_tracking_weight`; it means the same"),
                );
                self.weighted_tracking = setting.flag(report);
            }
            _ => return false,
        }
        true
    }

    fn set_members(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let names: Vec<_> = setting.entries();
        if names.is_empty() {
            setting.warn_empty(report);
            return;
        }
        if let Some(first) = self.list {
            let headline = "a group has one list of members; this one is ignored";
            report.push(
                Diagnostic::warning(Code::Repeated, setting.head_span(), headline)
                    .label(first, "the first one"),
            );
            return;
        }
        self.list = Some(setting.head_span());
        let member = |word: &&crate::lexer::Word<'_>| Spanned {
            value: word.text.clone().into_owned(),
            span: word.span,
        };
        self.members.extend(names.iter().map(member));
    }

    /// The group that is meant, among `instances`.
    pub(crate) fn resolve(
        self,
        global: &Global,
        trackable: &Defaults,
        instances: &BTreeMap<&str, &Instance>,
        report: &mut Report,
    ) -> model::vrrp::SyncGroup {
        let mut tracked = self.track.resolve(trackable, Who::Group, report);
        self.check_interfaces(&tracked, instances, report);
        self.clear_weights(&mut tracked, instances, report);
        model::vrrp::SyncGroup {
            track_interfaces: tracked.interfaces,
            track_scripts: tracked.scripts,
            track_files: tracked.files,
            track_processes: tracked.processes,
            track_bfds: tracked.bfds,
            weighted_tracking: self.weighted_tracking,
            notify: notify(self.notify.resolve(global)),
            smtp_alert: self.smtp_alert.unwrap_or_else(|| global.mails_of_routers()),
            members: self.members.into_iter().map(|member| member.value).collect(),
            name: self.name.value,
        }
    }

    /// What a member tracks already needs no tracking by the group.
    fn check_interfaces(
        &self,
        tracked: &Tracked,
        instances: &BTreeMap<&str, &Instance>,
        report: &mut Report,
    ) {
        let mut of_members = BTreeMap::new();
        for member in self.members.iter().filter_map(|member| instances.get(member.value.as_str())) {
            let others = member.track_interfaces.iter().map(|tracked| &tracked.interface);
            for interface in member.interface.iter().filter(|_| member.track_primary).chain(others) {
                of_members.entry(interface).or_insert(*member);
            }
        }
        let interfaces = tracked.interfaces.iter().map(|tracked| &tracked.interface);
        let kept: BTreeSet<_> = interfaces.collect();
        for draft in &self.track.interfaces {
            let Some(member) =
                of_members.remove(&draft.target.value).filter(|_| kept.contains(&draft.target.value))
            else {
                continue;
            };
            let headline =
                format!("{} tracks `{}` as a member already", shown(&member.name), draft.target.value);
            report.push(
                Diagnostic::warning(Code::SyncGroup, draft.target.span, headline)
                    .help("take it out here, or out of the instance"),
            );
        }
    }

    /// The priority of an owner never changes, and a member's state is that of the group.
    fn clear_weights(
        &self,
        tracked: &mut Tracked,
        instances: &BTreeMap<&str, &Instance>,
        report: &mut Report,
    ) {
        let members = || self.members.iter().filter_map(|member| instances.get(member.value.as_str()));
        let Some(owner) = members().find(|member| member.priority == Priority::OWNER) else { return };
        let mut clear = |name: &str, weight: &mut Weight| {
            if *weight != Weight::FAULT {
                let headline = format!(
                    "the weight of {} has no effect, as {} has priority 255; its loss is a fault",
                    shown(name),
                    shown(&owner.name)
                );
                report.push(
                    Diagnostic::warning(Code::IdleWeight, self.name.span, headline)
                        .help("give the members a `priority` below 255, or the tracker weight 0"),
                );
                *weight = Weight::FAULT;
            }
        };
        for tracked in &mut tracked.interfaces {
            clear(tracked.interface.as_str(), &mut tracked.influence.weight);
        }
        for tracked in &mut tracked.scripts {
            clear(&tracked.script, &mut tracked.influence.weight);
        }
        for list in [&mut tracked.files, &mut tracked.processes, &mut tracked.bfds] {
            for tracking in list {
                clear(&tracking.name, &mut tracking.influence.weight);
            }
        }
    }
}

/// What a group can say.
fn notify(notify: Notify) -> GroupNotify {
    let Notify { master, backup, fault, stop, deleted: _, master_rx_lower_priority: _, any } = notify;
    GroupNotify { master, backup, fault, stop, any }
}
