//! What a reload changes, as a printable plan.

use std::collections::BTreeMap;
use std::fmt;

use model::vrrp::{Config, Instance, Script};

/// One difference between two configurations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new instance starts.
    InstanceAdded(String),
    /// An instance stops.
    InstanceRemoved(String),
    /// It is another virtual router now (interface, VRID or version): it stops, and starts anew.
    InstanceReplaced(String),
    /// It goes on with other settings.
    InstanceChanged {
        /// Its name.
        name: String,
        /// Which settings.
        settings: Vec<&'static str>,
    },
    /// A new script starts to run.
    ScriptAdded(String),
    /// A script runs no more.
    ScriptRemoved(String),
    /// A script goes on with other settings; its verdict stands.
    ScriptChanged(String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InstanceAdded(name) => write!(f, "({name}) added"),
            Self::InstanceRemoved(name) => write!(f, "({name}) removed"),
            Self::InstanceReplaced(name) => {
                write!(f, "({name}) is another virtual router now: stopped and started anew")
            }
            Self::InstanceChanged { name, settings } => {
                write!(f, "({name}) changed: {}", settings.join(", "))
            }
            Self::ScriptAdded(name) => write!(f, "VRRP_Script({name}) added"),
            Self::ScriptRemoved(name) => write!(f, "VRRP_Script({name}) removed"),
            Self::ScriptChanged(name) => write!(f, "VRRP_Script({name}) changed"),
        }
    }
}

/// What leads from one configuration to another, in the order in which it is done: what goes makes room
/// for what comes. Empty if they are equal.
#[must_use]
pub fn diff(from: &Config, to: &Config) -> Vec<Change> {
    let (old_instances, new_instances) = (by_name(&from.instances, name), by_name(&to.instances, name));
    let (old_scripts, new_scripts) = (by_name(&from.scripts, script_name), by_name(&to.scripts, script_name));
    let mut changes = Vec::new();
    for old in from.instances.iter().filter(|old| !new_instances.contains_key(old.name.as_str())) {
        changes.push(Change::InstanceRemoved(old.name.clone()));
    }
    for old in from.scripts.iter().filter(|old| !new_scripts.contains_key(old.name.as_str())) {
        changes.push(Change::ScriptRemoved(old.name.clone()));
    }
    for new in &to.scripts {
        match old_scripts.get(new.name.as_str()) {
            None => changes.push(Change::ScriptAdded(new.name.clone())),
            Some(old) if *old != new => changes.push(Change::ScriptChanged(new.name.clone())),
            Some(_) => {}
        }
    }
    for new in &to.instances {
        match old_instances.get(new.name.as_str()) {
            None => changes.push(Change::InstanceAdded(new.name.clone())),
            Some(old) => changes.extend(instance(old, new)),
        }
    }
    changes
}

fn by_name<T>(all: &[T], name: fn(&T) -> &str) -> BTreeMap<&str, &T> {
    all.iter().map(|one| (name(one), one)).collect()
}

fn name(instance: &Instance) -> &str {
    &instance.name
}

fn script_name(script: &Script) -> &str {
    &script.name
}

fn instance(old: &Instance, new: &Instance) -> Option<Change> {
    let name = new.name.clone();
    let identity = |one: &Instance| (one.interface.clone(), one.vrid, one.version);
    if identity(old) != identity(new) {
        return Some(Change::InstanceReplaced(name));
    }
    let settings = settings(old, new);
    (!settings.is_empty()).then_some(Change::InstanceChanged { name, settings })
}

/// The settings that differ. The pattern names every field, so that a new one cannot be forgotten.
fn settings(old: &Instance, new: &Instance) -> Vec<&'static str> {
    let Instance {
        name: _,
        interface: _,
        vrid: _,
        version: _,
        priority,
        initial,
        advert_interval,
        down_timer_adverts,
        auth,
        transport,
        source,
        addresses,
        preempt,
        accept,
        strict,
        track_primary,
        track_interfaces,
        track_scripts,
        garp,
        lower_prio_no_advert,
        higher_prio_send_advert,
        check_unicast_src,
        skip_check_adv_addr,
        notify,
    } = old;
    let same = [
        ("priority", *priority == new.priority),
        ("state", *initial == new.initial),
        ("advert_int", *advert_interval == new.advert_interval),
        ("down_timer_adverts", *down_timer_adverts == new.down_timer_adverts),
        ("authentication", *auth == new.auth),
        ("peers", *transport == new.transport),
        ("source address", *source == new.source),
        ("virtual_ipaddress", *addresses == new.addresses),
        ("preemption", *preempt == new.preempt),
        ("accept", *accept == new.accept),
        ("strict_mode", *strict == new.strict),
        ("dont_track_primary", *track_primary == new.track_primary),
        ("track_interface", *track_interfaces == new.track_interfaces),
        ("track_script", *track_scripts == new.track_scripts),
        ("garp", *garp == new.garp),
        ("lower_prio_no_advert", *lower_prio_no_advert == new.lower_prio_no_advert),
        ("higher_prio_send_advert", *higher_prio_send_advert == new.higher_prio_send_advert),
        ("check_unicast_src", *check_unicast_src == new.check_unicast_src),
        ("skip_check_adv_addr", *skip_check_adv_addr == new.skip_check_adv_addr),
        ("notify", *notify == new.notify),
    ];
    same.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}
