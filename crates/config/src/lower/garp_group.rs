//! `garp_group`.

use crate::lower::{Report, Setting};

/// `garp_group`, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct GarpGroup {}

impl GarpGroup {
    pub(crate) fn read(_setting: Setting<'_, '_>, _report: &mut Report) -> Option<Self> {
        Some(Self {})
    }

    pub(crate) fn resolve(self, _report: &mut Report) -> Option<model::vrrp::GarpGroup> {
        let interval = std::time::Duration::ZERO;
        Some(model::vrrp::GarpGroup {
            garp_interval: interval,
            gna_interval: interval,
            interfaces: Vec::new(),
        })
    }
}
