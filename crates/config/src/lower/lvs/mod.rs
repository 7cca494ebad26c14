//! Load balancing: `virtual_server_group`, `virtual_server` and `SSL`.

use crate::lower::{Global, Report, Setting};

/// What a file says about load balancing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lvs {}

impl Lvs {
    pub(crate) fn read(&mut self, _setting: Setting<'_, '_>, _report: &mut Report) {}

    pub(crate) fn resolve(self, _global: &Global, _report: &mut Report) -> model::lvs::Config {
        model::lvs::Config::default()
    }
}
