//! `track_file` at the top level.

use crate::lower::{Report, Setting, Spanned};

/// `track_file` at the top level, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct FileTracker {
    name: Spanned<String>,
}

impl FileTracker {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        Some(Self { name: setting.block_name(report)? })
    }

    pub(crate) fn resolve(self, _report: &mut Report) -> Option<model::vrrp::TrackedFile> {
        Some(model::vrrp::TrackedFile { name: self.name.value })
    }
}
