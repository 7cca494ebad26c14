//! `bfd_instance`.

use crate::lower::{Report, Setting, Spanned};

/// `bfd_instance`, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct BfdDraft {
    name: Spanned<String>,
}

impl BfdDraft {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        Some(Self { name: setting.block_name(report)? })
    }

    pub(crate) fn resolve(self, _report: &mut Report) -> Option<model::bfd::Session> {
        Some(model::bfd::Session { name: self.name.value })
    }
}
