//! `track_group`.

use crate::lower::{Report, Setting, Spanned};

/// `track_group`, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct TrackGroup {
    name: Spanned<String>,
}

impl TrackGroup {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        Some(Self { name: setting.block_name(report)? })
    }

    pub(crate) fn resolve(self, _report: &mut Report) -> Option<model::vrrp::TrackGroup> {
        Some(model::vrrp::TrackGroup { name: self.name.value })
    }
}
