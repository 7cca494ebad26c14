//! Goes over to another configuration, by what differs.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::vrrp::{Config, Instance as InstanceConfig, Script};
use model::{Instant, Priority};

use super::{InstanceId, Router, addresses};
use crate::due::Waiter;
use crate::event::Remembered;
use crate::group::{Group, Shared};
use crate::instance::{Instance, Turn, World};
use crate::process::ProcessCheck;
use crate::reconfigure::{Change, diff};
use crate::script::ScriptCheck;
use crate::{Action, Actions, NotificationKind, StateName, master_down_interval};

/// The configuration to go over to, by name.
#[derive(Debug)]
struct Target<'a> {
    instances: BTreeMap<&'a str, &'a InstanceConfig>,
    scripts: BTreeMap<&'a str, &'a Script>,
}

impl<'a> Target<'a> {
    fn new(config: &'a Config) -> Self {
        Self {
            instances: config.instances.iter().map(|one| (one.name.as_str(), one)).collect(),
            scripts: config.scripts.iter().map(|one| (one.name.as_str(), one)).collect(),
        }
    }
}

impl Router {
    /// Goes over to another configuration. What did not change is not disturbed. Start is the change from
    /// nothing: call this after the first [`Event::Link`](crate::Event::Link) of each interface, with what is
    /// `remembered` of the worker before.
    pub fn reconfigure(&mut self, now: Instant, to: &Config, remembered: &[Remembered], out: &mut Actions) {
        let target = Target::new(to);
        self.pacer.share(&to.garp_groups);
        for change in diff(&self.config, to) {
            self.apply(now, &change, &target, out);
            out.push(Action::Changed(change));
        }
        self.config = to.clone();
        let vital = to.instances.iter().filter(|instance| instance.track_source);
        self.vital_sources = vital.filter_map(|instance| instance.source).collect();
        self.form_groups();
        self.form_trackers(now, out);
        let recalled = self.recalled(now, remembered);
        for id in self.instances.keys().copied().collect::<Vec<_>>() {
            self.with_instance(now, id, out, |instance, world, turn| {
                if let Some(priority) = recalled.get(&id) {
                    instance.recall(*priority);
                }
                instance.observe(world, turn);
            });
        }
        self.settle_groups(now, out);
        self.expire(now, out);
    }

    fn apply(&mut self, now: Instant, change: &Change, target: &Target<'_>, out: &mut Actions) {
        match change {
            Change::InstanceRemoved(name) => {
                if let Some(id) = self.by_name.get(name.as_str()).copied() {
                    self.remove(now, id, Some(NotificationKind::Deleted), out);
                }
            }
            Change::InstanceReplaced(name) => {
                if let Some(id) = self.by_name.get(name.as_str()).copied() {
                    self.remove(now, id, None, out);
                }
                self.insert(name, target);
            }
            Change::InstanceAdded(name) => self.insert(name, target),
            Change::InstanceChanged { name, .. } => {
                let Some(config) = target.instances.get(name.as_str()) else { return };
                if let Some(id) = self.by_name.get(name.as_str()).copied() {
                    self.forget_addresses(id);
                    self.with_instance(now, id, out, |instance, _, turn| instance.reconfigure(config, turn));
                    self.by_address.extend(addresses(config).map(|address| (address, id)));
                }
            }
            Change::ScriptRemoved(name) => {
                if let Some(removed) = self.scripts.remove(name) {
                    self.runs_before = self.runs_before.max(removed.runs());
                }
                self.due.forget(&Waiter::Script(name.clone()));
            }
            Change::ScriptAdded(name) | Change::ScriptChanged(name) => self.take_script(now, name, target),
            // `form_groups` makes them anew, once all members are there.
            Change::GroupAdded(_) | Change::GroupRemoved(_) | Change::GroupChanged { .. } => {}
        }
    }

    fn take_script(&mut self, now: Instant, name: &str, target: &Target<'_>) {
        let Some(config) = target.scripts.get(name) else { return };
        let script = match self.scripts.get_mut(name) {
            Some(script) => {
                script.reconfigure(now, config);
                script
            }
            None => {
                let runs = self.runs_before;
                self.scripts.entry(name.to_owned()).or_insert_with(|| ScriptCheck::new(now, config, runs))
            }
        };
        self.due.set(Waiter::Script(name.to_owned()), script.deadline());
    }

    fn insert(&mut self, name: &str, target: &Target<'_>) {
        let Some(config) = target.instances.get(name) else { return };
        let id = InstanceId(self.next_id);
        self.next_id += 1;
        self.by_name.insert(name.into(), id);
        self.by_address.extend(addresses(config).map(|address| (address, id)));
        self.instances.insert(id, Instance::new(id, config));
    }

    pub(super) fn remove(
        &mut self,
        now: Instant,
        id: InstanceId,
        kind: Option<NotificationKind>,
        out: &mut Actions,
    ) {
        self.forget_addresses(id);
        let Some(mut instance) = self.instances.remove(&id) else { return };
        instance.stop(kind, &mut Turn { now, clock: self.clock, out, pacer: &mut self.pacer });
        self.by_name.remove(instance.name());
        self.forget_key(id, instance.key());
        self.due.forget(&Waiter::Instance(id));
    }

    /// Files, processes and sessions that the configuration names. What is known of them stands.
    fn form_trackers(&mut self, now: Instant, out: &mut Actions) {
        let presumed = std::mem::take(&mut self.presumed);
        let mut known = std::mem::take(&mut self.files);
        known.extend(presumed.files);
        let value = |name: &String| known.get(name).copied().unwrap_or(0);
        self.files = self.config.files.iter().map(|file| (file.name.clone(), value(&file.name))).collect();
        let mut known = std::mem::take(&mut self.processes);
        for config in &self.config.processes {
            let mut process = known.remove(&config.name).unwrap_or_else(|| ProcessCheck::new(config));
            process.reconfigure(now, config, presumed.processes.get(&config.name).copied(), out);
            self.due.set(Waiter::Process(config.name.clone()), process.deadline());
            self.processes.insert(config.name.clone(), process);
        }
        for gone in known.into_keys() {
            self.due.forget(&Waiter::Process(gone));
        }
        for (name, up) in presumed.sessions {
            if up {
                self.sessions.insert(name)
            } else {
                self.sessions.remove(&name)
            };
        }
        let of_instances = self.config.instances.iter().flat_map(|one| &one.track_bfds);
        let of_groups = self.config.groups.iter().flat_map(|group| &group.track_bfds);
        let tracked: BTreeSet<_> = of_instances.chain(of_groups).map(|one| one.name.as_str()).collect();
        self.sessions.retain(|name| tracked.contains(name.as_str()));
    }

    /// Makes the groups of the configuration out of the instances that there are. One that goes on keeps its state.
    fn form_groups(&mut self) {
        let mut before = std::mem::take(&mut self.groups);
        let mut homes: BTreeMap<InstanceId, Arc<Shared>> = BTreeMap::new();
        for config in &self.config.groups {
            let same = before.remove(config.name.as_str());
            let state = same.as_ref().map_or(StateName::Init, |group| group.state);
            let shared = same.map(|group| group.shared).filter(|shared| shared.config == *config);
            let shared = shared.unwrap_or_else(|| Arc::new(Shared::new(config)));
            let mut members = Vec::new();
            for id in config.members.iter().filter_map(|name| self.by_name.get(name.as_str())) {
                if let Entry::Vacant(home) = homes.entry(*id) {
                    home.insert(Arc::clone(&shared));
                    members.push(*id);
                }
            }
            if !members.is_empty() {
                self.groups.insert(Arc::clone(&shared.name), Group { shared, members, state });
            }
        }
        for (id, instance) in &mut self.instances {
            instance.join(homes.get(id));
        }
        self.unsettled.extend(self.groups.values().map(|group| Arc::clone(&group.shared)));
    }

    /// The instances that go on as masters, and the priorities that they had. Of a group it is all members or none: one
    /// that something has happened to takes the others with it.
    fn recalled(&mut self, now: Instant, remembered: &[Remembered]) -> BTreeMap<InstanceId, Priority> {
        let mut living = self.living_masters(now, remembered);
        self.presume_nothing(living.keys());
        let world = World {
            links: &self.links,
            deaf: &self.deaf,
            sources: &self.sources,
            scripts: &self.scripts,
            files: &self.files,
            processes: &self.processes,
            sessions: &self.sessions,
            is_quiet: self.quiet_until.is_some(),
        };
        living.retain(|id, _| self.instances.get(id).is_some_and(|instance| instance.is_recallable(world)));
        for group in self.groups.values() {
            if !group.members.iter().all(|id| living.contains_key(id)) {
                living.retain(|id, _| !group.members.contains(id));
            }
        }
        living
    }

    /// The instances that were master until a moment ago, and the priorities that they had.
    fn living_masters(&self, now: Instant, remembered: &[Remembered]) -> BTreeMap<InstanceId, Priority> {
        let living = |last: &Remembered| {
            let id = self.by_name.get(last.instance.as_str())?;
            let instance = self.instances.get(id)?;
            is_living_master(last, instance.config(), now).then_some((*id, last.priority))
        };
        remembered.iter().filter_map(living).collect()
    }

    /// What these instances track has no verdict until it gives one.
    fn presume_nothing<'a>(&mut self, instances: impl Iterator<Item = &'a InstanceId>) {
        for instance in instances.filter_map(|id| self.instances.get(id)) {
            for tracked in instance.tracked_scripts() {
                if let Some(script) = self.scripts.get_mut(&tracked.script) {
                    script.presume_nothing();
                }
            }
        }
    }
}

/// Others have not yet taken over from a master that they heard less than a master down interval ago. They wait
/// longer than one of its own priority would: theirs is lower.
fn is_living_master(last: &Remembered, config: &InstanceConfig, now: Instant) -> bool {
    let patience = master_down_interval(
        config.version,
        last.priority,
        config.advert_interval,
        config.down_timer_adverts,
    );
    last.master && last.instance == config.name && now.since(last.at) < patience
}
