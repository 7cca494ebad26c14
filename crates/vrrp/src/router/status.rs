//! What is told of all virtual routers, and of what they look at.

use std::ops::Bound;

use model::vrrp::{Config, VirtualAddress};
use wire::vrrp::Malformed;

use super::Router;
use crate::instance::Instance;
use crate::process::ProcessCheck;
use crate::script::ScriptCheck;
use crate::status::{ProcessStatus, ScriptStatus, Status};

impl Router {
    /// Every instance as it is, in the order of their names.
    pub fn status(&self) -> impl Iterator<Item = Status> + '_ {
        self.by_name.values().filter_map(|id| self.instances.get(id)).map(Instance::status)
    }

    /// The instance that follows this name in the order of names: so one can be told after the other, with other work
    /// in between, whatever a reload does meanwhile.
    #[must_use]
    pub fn status_after(&self, name: &str) -> Option<Status> {
        let mut following = self.by_name.range::<str, _>((Bound::Excluded(name), Bound::Unbounded));
        following.find_map(|(_, id)| self.instances.get(id)).map(Instance::status)
    }

    /// The configuration that is in force.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The virtual addresses of an instance, in the order of the file.
    #[must_use]
    pub fn addresses_of(&self, name: &str) -> &[VirtualAddress] {
        let instance = self.by_name.get(name).and_then(|id| self.instances.get(id));
        instance.map_or(&[], |instance| &instance.config().addresses)
    }

    /// The counters of an instance begin anew.
    pub fn clear_counters(&mut self, name: &str) {
        if let Some(instance) = self.by_name.get(name).and_then(|id| self.instances.get_mut(id)) {
            instance.clear_counters();
        }
    }

    /// Every check script.
    pub fn scripts(&self) -> impl Iterator<Item = ScriptStatus> + '_ {
        self.scripts.values().map(ScriptCheck::status)
    }

    /// The number in every tracked file, by its name.
    pub fn files(&self) -> impl Iterator<Item = (&str, i32)> + '_ {
        self.files.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// All tracked processes.
    pub fn processes(&self) -> impl Iterator<Item = ProcessStatus> + '_ {
        self.processes.values().map(ProcessCheck::status)
    }

    /// How many packets were malformed, by the way in which they were.
    pub fn malformed(&self) -> impl Iterator<Item = (Malformed, u64)> + '_ {
        self.malformed.iter().map(|(kind, count)| (*kind, *count))
    }

    /// How many advertisements were of virtual routers that have no instance here.
    #[must_use]
    pub const fn unknown_vrid(&self) -> u64 {
        self.unknown_vrid
    }
}
