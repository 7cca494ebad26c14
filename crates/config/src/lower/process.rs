//! The top level's own keywords: namespaces, pid files, link polling.

use crate::lower::{Report, Setting};

/// What the top level says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Process {}

impl Process {
    pub(crate) fn read(&mut self, _setting: Setting<'_, '_>, _report: &mut Report) {}

    pub(crate) fn resolve(self, _report: &mut Report) -> model::Process {
        model::Process::default()
    }
}
