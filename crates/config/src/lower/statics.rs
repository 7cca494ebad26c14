//! `static_ipaddress`, `static_routes` and `static_rules`.

use crate::lower::{Global, Report, Setting};

/// What is there whoever is master.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statics {}

impl Statics {
    pub(crate) fn read(&mut self, _setting: Setting<'_, '_>, _report: &mut Report) {}

    pub(crate) fn resolve(self, _global: &Global, _report: &mut Report) -> model::vrrp::Statics {
        model::vrrp::Statics::default()
    }
}
