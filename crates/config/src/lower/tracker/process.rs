//! `vrrp_track_process`.

use crate::lower::{Report, Setting, Spanned};

/// `vrrp_track_process`, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct ProcessTracker {
    name: Spanned<String>,
}

impl ProcessTracker {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        Some(Self { name: setting.block_name(report)? })
    }

    pub(crate) fn resolve(self, _report: &mut Report) -> Option<model::vrrp::TrackedProcess> {
        Some(model::vrrp::TrackedProcess { name: self.name.value })
    }
}
