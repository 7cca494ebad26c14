//! The scripts around the daemon's life.

use std::time::Duration;

use model::LifecycleScript;

use super::set;
use crate::lower::notify::{self, CommandDraft};
use crate::lower::{Global, Report, Setting};

/// `startup_script` and `shutdown_script`.
#[derive(Clone, Debug, Default)]
pub(super) struct LifecycleDraft {
    pub(super) startup: ScriptDraft,
    pub(super) shutdown: ScriptDraft,
}

/// One of the two.
#[derive(Clone, Debug)]
pub(super) struct ScriptDraft {
    command: Option<CommandDraft>,
    timeout: Duration,
}

impl Default for ScriptDraft {
    fn default() -> Self {
        Self { command: None, timeout: LifecycleScript::TIMEOUT }
    }
}

impl LifecycleDraft {
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "startup_script" => self.startup.read(setting, report),
            "startup_script_timeout" => {
                set(&mut self.startup.timeout, setting.whole_seconds(report).map(|timeout| timeout.value));
            }
            "shutdown_script" => self.shutdown.read(setting, report),
            "shutdown_script_timeout" => {
                set(&mut self.shutdown.timeout, setting.whole_seconds(report).map(|timeout| timeout.value));
            }
            _ => return false,
        }
        true
    }
}

impl ScriptDraft {
    fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        notify::once(&mut self.command, setting, report);
    }

    pub(super) fn resolve(&self, global: &Global) -> Option<LifecycleScript> {
        let command = self.command.as_ref()?.resolve(None, global);
        Some(LifecycleScript { command, timeout: self.timeout })
    }
}
