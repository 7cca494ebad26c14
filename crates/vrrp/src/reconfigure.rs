//! What a reload changes, as a printable plan.

use std::collections::BTreeMap;
use std::fmt;

use model::vrrp::{Config, Instance, Script, SyncGroup};

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
    /// Instances move together from now on.
    GroupAdded(String),
    /// Instances no longer move together.
    GroupRemoved(String),
    /// A sync group goes on with other members or settings.
    GroupChanged {
        /// Its name.
        name: String,
        /// Which settings.
        settings: Vec<&'static str>,
    },
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
            Self::GroupAdded(name) => write!(f, "VRRP_Group({name}) added"),
            Self::GroupRemoved(name) => write!(f, "VRRP_Group({name}) removed"),
            Self::GroupChanged { name, settings } => {
                write!(f, "VRRP_Group({name}) changed: {}", settings.join(", "))
            }
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
    groups(from, to, &mut changes);
    changes
}

fn groups(from: &Config, to: &Config, changes: &mut Vec<Change>) {
    let (old_groups, new_groups) = (by_name(&from.groups, group_name), by_name(&to.groups, group_name));
    for old in from.groups.iter().filter(|old| !new_groups.contains_key(old.name.as_str())) {
        changes.push(Change::GroupRemoved(old.name.clone()));
    }
    for new in &to.groups {
        match old_groups.get(new.name.as_str()) {
            None => changes.push(Change::GroupAdded(new.name.clone())),
            Some(old) if *old == new => {}
            Some(old) => {
                let (name, settings) = (new.name.clone(), group_settings(old, new));
                changes.push(Change::GroupChanged { name, settings });
            }
        }
    }
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

fn group_name(group: &SyncGroup) -> &str {
    &group.name
}

fn instance(old: &Instance, new: &Instance) -> Option<Change> {
    let name = new.name.clone();
    let identity = |one: &Instance| (one.interface.clone(), one.vrid, one.version, one.family);
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
        family: _,
        vrf,
        own_device,
        address_vmacs,
        priority,
        initial,
        advert_interval,
        down_timer_adverts,
        auth,
        hmac,
        transport,
        source,
        track_source,
        v3_checksum_as_v2,
        addresses,
        routes,
        rules,
        promote_secondaries,
        preempt,
        accept,
        strict,
        track_primary,
        track_interfaces,
        track_scripts,
        track_files,
        track_processes,
        track_bfds,
        garp,
        extra_garp,
        lower_prio_no_advert,
        higher_prio_send_advert,
        check_unicast_src,
        skip_check_adv_addr,
        owner_ignore_adverts,
        timer_expired_backup,
        poll_link,
        receive_buffer,
        lvs_sync_interface,
        notify,
        notify_priority_changes,
        smtp_alert,
    } = old;
    let same = [
        ("priority", *priority == new.priority),
        ("state", *initial == new.initial),
        ("advert_int", *advert_interval == new.advert_interval),
        ("down_timer_adverts", *down_timer_adverts == new.down_timer_adverts),
        ("vrf", *vrf == new.vrf),
        ("use_vmac", *own_device == new.own_device),
        ("use_vmac_addr", *address_vmacs == new.address_vmacs),
        ("authentication", *auth == new.auth),
        ("auth_hmac", *hmac == new.hmac),
        ("peers", *transport == new.transport),
        ("source address", *source == new.source),
        ("track_src_ip", *track_source == new.track_source),
        ("v3_checksum_as_v2", *v3_checksum_as_v2 == new.v3_checksum_as_v2),
        ("virtual_ipaddress", *addresses == new.addresses),
        ("virtual_routes", *routes == new.routes),
        ("virtual_rules", *rules == new.rules),
        ("promote_secondaries", *promote_secondaries == new.promote_secondaries),
        ("preemption", *preempt == new.preempt),
        ("accept", *accept == new.accept),
        ("strict_mode", *strict == new.strict),
        ("dont_track_primary", *track_primary == new.track_primary),
        ("track_interface", *track_interfaces == new.track_interfaces),
        ("track_script", *track_scripts == new.track_scripts),
        ("track_file", *track_files == new.track_files),
        ("track_process", *track_processes == new.track_processes),
        ("track_bfd", *track_bfds == new.track_bfds),
        ("garp", *garp == new.garp),
        ("garp_extra_if", *extra_garp == new.extra_garp),
        ("lower_prio_no_advert", *lower_prio_no_advert == new.lower_prio_no_advert),
        ("higher_prio_send_advert", *higher_prio_send_advert == new.higher_prio_send_advert),
        ("check_unicast_src", *check_unicast_src == new.check_unicast_src),
        ("skip_check_adv_addr", *skip_check_adv_addr == new.skip_check_adv_addr),
        ("owner_ignore_adverts", *owner_ignore_adverts == new.owner_ignore_adverts),
        ("timer_expired_backup", *timer_expired_backup == new.timer_expired_backup),
        ("linkbeat_use_polling", *poll_link == new.poll_link),
        ("kernel_rx_buf_size", *receive_buffer == new.receive_buffer),
        ("lvs_sync_daemon_interface", *lvs_sync_interface == new.lvs_sync_interface),
        ("notify", *notify == new.notify),
        ("notify_priority_changes", *notify_priority_changes == new.notify_priority_changes),
        ("smtp_alert", *smtp_alert == new.smtp_alert),
    ];
    same.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}

/// As [`settings`].
fn group_settings(old: &SyncGroup, new: &SyncGroup) -> Vec<&'static str> {
    let SyncGroup {
        name: _,
        members,
        track_interfaces,
        track_scripts,
        track_files,
        track_processes,
        track_bfds,
        weighted_tracking,
        notify,
        smtp_alert,
    } = old;
    let same = [
        ("group", *members == new.members),
        ("track_interface", *track_interfaces == new.track_interfaces),
        ("track_script", *track_scripts == new.track_scripts),
        ("track_file", *track_files == new.track_files),
        ("track_process", *track_processes == new.track_processes),
        ("track_bfd", *track_bfds == new.track_bfds),
        ("sync_group_tracking_weight", *weighted_tracking == new.weighted_tracking),
        ("notify", *notify == new.notify),
        ("smtp_alert", *smtp_alert == new.smtp_alert),
    ];
    same.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}
