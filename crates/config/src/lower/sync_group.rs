//! `vrrp_sync_group`.

use crate::keyword::Block;
use crate::lower::track::{Defaults, TrackDraft, Who};
use crate::lower::{Report, Setting, Spanned, settings};

/// `vrrp_sync_group`, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct SyncGroup {
    name: Spanned<String>,
    pub(crate) track: TrackDraft,
}

impl SyncGroup {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        let mut draft = Self { name: setting.block_name(report)?, track: TrackDraft::EMPTY };
        settings(setting.node.children(), Block::SyncGroup, report, |setting, report| {
            if !draft.track.read(setting, report) {
                setting.lacks(report);
            }
        });
        Some(draft)
    }

    pub(crate) fn resolve(
        self,
        _global: &crate::lower::Global,
        trackable: &Defaults,
        report: &mut Report,
    ) -> Option<model::vrrp::SyncGroup> {
        let tracked = self.track.resolve(trackable, Who::Group, report);
        Some(model::vrrp::SyncGroup {
            name: self.name.value,
            members: Vec::new(),
            track_interfaces: tracked.interfaces,
            track_scripts: tracked.scripts,
            track_files: tracked.files,
            track_processes: tracked.processes,
            track_bfds: tracked.bfds,
            weighted_tracking: false,
            notify: model::vrrp::GroupNotify::default(),
            smtp_alert: false,
        })
    }
}
