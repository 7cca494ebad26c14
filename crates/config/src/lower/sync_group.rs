//! `vrrp_sync_group`.

use crate::lower::{Report, Setting, Spanned};

/// `vrrp_sync_group`, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct SyncGroup {
    name: Spanned<String>,
}

impl SyncGroup {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        Some(Self { name: setting.block_name(report)? })
    }

    pub(crate) fn resolve(
        self,
        _global: &crate::lower::Global,
        _report: &mut Report,
    ) -> Option<model::vrrp::SyncGroup> {
        Some(model::vrrp::SyncGroup {
            name: self.name.value,
            members: Vec::new(),
            track_interfaces: Vec::new(),
            track_scripts: Vec::new(),
            weighted_tracking: false,
            notify: model::vrrp::GroupNotify::default(),
            smtp_alert: false,
        })
    }
}
