//! What virtual routers are and do: statics, instances, sockets, sync groups.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use model::vrrp::{
    Auth, Instance, Notify, OldChecksum, OwnDevice, Peer, Preempt, SyncGroup, TrackedInterface,
    TrackedScript, Tracking, Transport, Version,
};
use model::{Centis, Family, IfName, Influence, ReceiveBuffers};

use super::super::daemon::advert_bytes;
use super::page::{Page, enabled, seconds, yes};
use super::{Scene, command, kernel};
use crate::message::State;
use crate::snapshot;

/// From the delays of gratuitous ARP to the sync groups.
pub(super) fn write(scene: &Scene<'_>, page: &mut Page) {
    garp_delays(scene, page);
    statics(scene, page);
    page.title("VRRP Topology");
    let config = &scene.config.vrrp;
    config.instances.iter().for_each(|instance| write_instance(scene, instance, page));
    page.title("VRRP Sockpool");
    pool(scene).iter().for_each(|socket| write_socket(scene, socket, page));
    if !config.groups.is_empty() {
        page.title("VRRP Sync groups");
        config.groups.iter().for_each(|group| write_group(scene, group, page));
    }
}

fn garp_delays(scene: &Scene<'_>, page: &mut Page) {
    let (config, garp) = (&scene.config.vrrp, &scene.config.global.defaults.garp);
    let mut groups: Vec<_> = config
        .garp_groups
        .iter()
        .enumerate()
        .map(|(number, group)| {
            (number + 1, group.garp_interval, group.gna_interval, group.interfaces.clone())
        })
        .collect();
    if !garp.interval.is_zero() || !garp.gna_interval.is_zero() {
        let of_group = |name: &IfName| config.garp_groups.iter().any(|group| group.interfaces.contains(name));
        let names = scene.told.links.iter().map(|link| &link.name);
        let used = names.filter(|name| !of_group(name) && is_announced_on(config, name));
        groups.extend(used.map(|name| (0, garp.interval, garp.gna_interval, vec![name.clone()])));
    }
    if groups.is_empty() {
        return;
    }
    page.title("Gratuitous ARP delays");
    for (number, garp, gna, interfaces) in groups {
        page.title(format_args!("GARP delay group {number}"));
        if !garp.is_zero() {
            page.line(1, format_args!("GARP interval = {}", seconds(garp)));
        }
        if !gna.is_zero() {
            page.line(1, format_args!("GNA interval = {}", seconds(gna)));
        }
        page.line(1, "Interfaces");
        interfaces.iter().for_each(|name| page.line(2, name));
    }
}

fn is_announced_on(config: &model::vrrp::Config, name: &IfName) -> bool {
    let uses = |one: &Instance| {
        one.interface.as_ref() == Some(name) || one.addresses.iter().any(|address| address.device == *name)
    };
    config.instances.iter().any(uses)
}

fn statics(scene: &Scene<'_>, page: &mut Page) {
    let statics = &scene.config.vrrp.statics;
    let group = |group: &Option<String>| {
        group.as_ref().map_or_else(String::new, |group| format!(" track_group {group}"))
    };
    if !statics.addresses.is_empty() {
        page.title("Static Addresses");
        for one in &statics.addresses {
            page.line(5, format_args!("{}{}", kernel::address(&one.item, true), group(&one.track_group)));
        }
    }
    if !statics.routes.is_empty() {
        page.title("Static Routes");
        for one in &statics.routes {
            page.line(5, format_args!("{}{}", kernel::route(&one.item), group(&one.track_group)));
        }
    }
    if !statics.rules.is_empty() {
        page.title("Static Rules");
        for one in &statics.rules {
            page.line(5, format_args!("{}{}", kernel::rule(&one.item), group(&one.track_group)));
        }
    }
    if !scene.config.vrrp.track_groups.is_empty() {
        page.title("Static Track groups");
        for group in &scene.config.vrrp.track_groups {
            page.line(1, format_args!("Static Track Group = {}", group.name));
            page.line(3, "VRRP member instances :");
            group.members.iter().for_each(|member| page.line(5, member));
        }
    }
}

fn write_instance(scene: &Scene<'_>, instance: &Instance, page: &mut Page) {
    let told = scene.told(instance);
    page.line(1, format_args!("VRRP Instance = {}", instance.name));
    write_state(scene, instance, &told, page);
    write_link(scene, instance, &told, page);
    write_announcements(instance, page);
    write_election(instance, &told, page);
    write_authentication(instance, page);
    write_addresses(instance, &told, page);
    write_unicast(instance, page);
    let (hears, speaks) = descriptors(scene, instance);
    page.line(3, format_args!("fd_in {hears}, fd_out {speaks}"));
    write_kernel(instance, page);
    write_tracked(&instance.track_interfaces, &instance.track_scripts, page);
    write_named("Tracked files :", &instance.track_files, page);
    write_named("Tracked processes :", &instance.track_processes, page);
    write_named("Tracked BFDs :", &instance.track_bfds, page);
    page.line(3, format_args!("Using smtp notification = {}", yes(instance.smtp_alert)));
    let deleted = if instance.notify.deleted.is_some() { "Deleted" } else { "Fault" };
    page.line(3, format_args!("Notify deleted = {deleted}"));
    write_scripts(scene, &instance.notify, page);
    page.line(3, format_args!("Notify priority changes = {}", instance.notify_priority_changes));
}

fn write_state(scene: &Scene<'_>, instance: &Instance, told: &snapshot::Instance, page: &mut Page) {
    let is_v3 = instance.version == Version::V3;
    page.line(3, format_args!("VRRP Version = {}", instance.version));
    if instance.family == Family::V6 {
        page.line(3, "Using Native IPv6");
    }
    if let Some(group) = scene.group_of(&instance.name) {
        page.line(3, format_args!("Sync group = {}", group.name));
    }
    page.line(3, format_args!("State = {}", shown(told.state)));
    if told.state == State::Backup {
        let group = match instance.transport {
            Transport::Multicast { group } => group,
            Transport::Unicast { .. } => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        let master = told.master;
        page.line(3, format_args!("Master router = {}", master.map_or(group, |master| master.address)));
        page.line(3, format_args!("Master priority = {}", master.map_or(0, |master| master.priority)));
        if is_v3 {
            let interval = master.map_or(instance.advert_interval, |master| master.interval);
            page.line(3, format_args!("Master advert int = {} sec", hundredths(interval)));
        }
    }
    write_flags(scene, instance, page);
    page.line(3, format_args!("Wantstate = {}", shown(wanted(told))));
    page.line(3, "Number of config faults = 0");
    page.line(3, format_args!("Number of interface and track script faults = {}", told.faults));
    page.line(3, format_args!("Number of track scripts init = {}", u8::from(told.is_pending)));
    page.line(3, format_args!("Last transition = {}", scene.clocks.stamp(told.since)));
    match told.deadline {
        Some(at) => page.line(3, format_args!("Read timeout = {}", scene.clocks.stamp(Some(at)))),
        None => page.line(3, "Read timeout = DISABLED"),
    }
    page.line(3, format_args!("Master down timer = {} usecs", told.down_interval.as_micros()));
}

/// keepalived knows no state but these three once it has begun.
pub(super) const fn shown(state: State) -> &'static str {
    match state {
        State::Backup => "BACKUP",
        State::Master => "MASTER",
        State::Init | State::Fault => "FAULT",
    }
}

/// What it would be if nothing else than itself were in its way.
pub(super) const fn wanted(told: &snapshot::Instance) -> State {
    match told.state {
        State::Init => State::Backup,
        State::Fault if told.faults == 0 => State::Backup,
        State::Fault | State::Backup | State::Master => told.state,
    }
}

fn hundredths(interval: Centis) -> String {
    format!("{}.{:02}", interval.get() / 100, interval.get() % 100)
}

fn write_flags(scene: &Scene<'_>, instance: &Instance, page: &mut Page) {
    let mut flags = Vec::new();
    match &instance.own_device {
        Some(OwnDevice::Vmac(vmac)) => {
            flags.push("Using VMAC");
            if vmac.transmit_on_base {
                flags.push("Xmit on base i/f");
            }
        }
        Some(OwnDevice::Ipvlan(_)) => flags.push("Using IPVLAN"),
        None => {}
    }
    if matches!(instance.transport, Transport::Unicast { .. }) {
        flags.push("Using unicast");
    }
    // keepalived takes a default version of 3 for a flag, for which it has no word.
    let is_default = scene.config.global.defaults.version == Version::V3;
    page.line(3, if flags.is_empty() && !is_default { "Flags: none" } else { "Flags:" });
    flags.iter().for_each(|flag| page.line(5, flag));
}

fn write_link(scene: &Scene<'_>, instance: &Instance, told: &snapshot::Instance, page: &mut Page) {
    let device = instance.own_device.as_ref().map(OwnDevice::name).or(instance.interface.as_ref());
    page.line(3, format_args!("Interface = {}", device.map_or("(none)", IfName::as_str)));
    if !instance.track_primary {
        page.line(3, "VRRP interface tracking disabled");
    }
    if instance.skip_check_adv_addr {
        page.line(3, "Skip checking advert IP addresses");
    }
    if instance.strict {
        page.line(3, "Enforcing strict VRRP compliance");
    }
    let configured = if instance.source.is_some() { " (from configuration)" } else { "" };
    match instance.source.or(told.source) {
        Some(source) => page.line(3, format_args!("Using src_ip = {source}{configured}")),
        None => page.line(3, "Using src_ip = (none)"),
    }
    if let Transport::Multicast { group } = instance.transport {
        let index = instance.interface.as_ref().and_then(|name| scene.link(name)).map(|link| link.index);
        match (group, index) {
            (IpAddr::V6(_), Some(index)) => {
                page.line(3, format_args!("Multicast address {group}, ifindex {index}"));
            }
            _ => page.line(3, format_args!("Multicast address {group}")),
        }
    }
}

fn write_announcements(instance: &Instance, page: &mut Page) {
    let garp = &instance.garp;
    let whole = |span: Option<std::time::Duration>| span.map_or(0, |span| span.as_secs());
    let mut set = |what: &str, value: &dyn fmt::Display| page.line(3, format_args!("{what} = {value}"));
    set("Gratuitous ARP delay", &whole(garp.delay));
    set("Gratuitous ARP repeat", &garp.repeat);
    set("Gratuitous ARP refresh", &whole(garp.refresh));
    set("Gratuitous ARP refresh repeat", &garp.refresh_repeat);
    set("Gratuitous ARP lower priority delay", &whole(garp.lower_prio_delay));
    set("Gratuitous ARP lower priority repeat", &garp.lower_prio_repeat);
    set("Down timer adverts", &instance.down_timer_adverts);
    if let Some(extra) = &instance.extra_garp {
        let kind = if extra.all { "i/f" } else { "VMAC" };
        set(&format!("Gratuitous ARP for each secondary {kind}"), &extra.interval.as_secs());
    }
    set("Send advert after receive lower priority advert", &!instance.lower_prio_no_advert);
    set("Send advert after receive higher priority advert", &instance.higher_prio_send_advert);
}

fn write_election(instance: &Instance, told: &snapshot::Instance, page: &mut Page) {
    let mut set = |what: &str, value: &dyn fmt::Display| page.line(3, format_args!("{what} = {value}"));
    set("Virtual Router ID", &instance.vrid);
    set("Priority", &instance.priority.get());
    set("Effective priority", &told.priority);
    set("Total priority", &told.total_priority);
    let interval = |interval: Centis| match instance.version {
        Version::V2 => format!("{} sec", seconds(interval.duration())),
        Version::V3 => format!("{} milli-sec", interval.duration().as_millis()),
    };
    set("Advert interval", &interval(instance.advert_interval));
    if let (Version::V3, State::Backup) = (instance.version, told.state) {
        let master = told.master.map_or(instance.advert_interval, |master| master.interval);
        set("Master advert interval", &interval(master));
    }
    set("Accept", &enabled(instance.accept));
    set("Preempt", &enabled(instance.preempt != Preempt::Never));
    if let Preempt::After(delay) = instance.preempt {
        set("Preempt delay", &format_args!("{} secs", seconds(delay)));
    }
    set("Promote_secondaries", &enabled(instance.promote_secondaries));
}

fn write_authentication(instance: &Instance, page: &mut Page) {
    if instance.version == Version::V2 {
        let kind = match instance.auth {
            Auth::None => "none",
            Auth::Pass(_) => "SIMPLE_PASSWORD",
            Auth::Ah(_) => "IPSEC_AH",
        };
        page.line(3, format_args!("Authentication type = {kind}"));
        if let (Auth::Pass(_), Some(password)) = (instance.auth, password(instance)) {
            page.line(3, format_args!("Password = {password}"));
        }
    }
    if let Some(bytes) = instance.receive_buffer {
        page.line(3, format_args!("Kernel rx buffer size = {bytes}"));
    }
}

/// Its password, if it has one.
pub(super) fn password(instance: &Instance) -> Option<String> {
    let (Auth::Pass(password) | Auth::Ah(password)) = instance.auth else { return None };
    let text = password.0.split(|byte| *byte == 0).next().unwrap_or_default();
    Some(String::from_utf8_lossy(text).into_owned())
}

fn write_addresses(instance: &Instance, told: &snapshot::Instance, page: &mut Page) {
    let (advertised, excluded) = addresses(instance, told);
    page.line(3, format_args!("Virtual IP ({}):", advertised.len()));
    advertised.iter().for_each(|line| page.line(5, line));
    if !excluded.is_empty() {
        page.line(3, "Virtual IP Excluded :");
        excluded.iter().for_each(|line| page.line(5, line));
    }
}

/// Those that stand in advertisements, and the others.
pub(super) fn addresses(instance: &Instance, told: &snapshot::Instance) -> (Vec<String>, Vec<String>) {
    let (mut advertised, mut excluded) = (Vec::new(), Vec::new());
    for (place, address) in instance.addresses.iter().enumerate() {
        let is_held = told.held.get(place).copied().unwrap_or(false);
        let line = kernel::address(address, told.state == State::Master && is_held);
        if address.advertised { advertised.push(line) } else { excluded.push(line) }
    }
    (advertised, excluded)
}

fn write_unicast(instance: &Instance, page: &mut Page) {
    let Transport::Unicast { peers, ttl, checksum, .. } = &instance.transport else { return };
    if let (Some(ttl), Family::V4) = (ttl, instance.family) {
        page.line(3, format_args!("Unicast TTL = {ttl}"));
    }
    page.line(3, format_args!("Check unicast src : {}", yes(instance.check_unicast_src)));
    page.line(3, "Unicast Peer :");
    for Peer { address, min_ttl, max_ttl } in peers {
        page.line(5, format_args!("{address} min_ttl {min_ttl} max_ttl {max_ttl}"));
    }
    let compatible = match checksum {
        OldChecksum::Detect => "no",
        OldChecksum::Always => "config",
        OldChecksum::Never => "never",
    };
    page.line(3, format_args!("Unicast checksum compatibility = {compatible}"));
}

fn write_kernel(instance: &Instance, page: &mut Page) {
    if !instance.routes.is_empty() {
        page.line(3, "Virtual Routes :");
        instance.routes.iter().for_each(|route| page.line(5, kernel::route(route)));
    }
    if !instance.rules.is_empty() {
        page.line(3, "Virtual Rules :");
        instance.rules.iter().for_each(|rule| page.line(5, kernel::rule(rule)));
    }
}

fn write_tracked(interfaces: &[TrackedInterface], scripts: &[TrackedScript], page: &mut Page) {
    if !interfaces.is_empty() {
        page.line(3, "Tracked interfaces :");
        for TrackedInterface { interface, influence } in interfaces {
            page.line(5, format_args!("{interface} weight {}", weight(*influence)));
        }
    }
    if !scripts.is_empty() {
        page.line(3, "Tracked scripts :");
        for TrackedScript { script, influence } in scripts {
            page.line(5, format_args!("{script} weight {}", weight(*influence)));
        }
    }
}

fn write_named(title: &str, trackers: &[Tracking], page: &mut Page) {
    if !trackers.is_empty() {
        page.line(3, title);
        for Tracking { name, influence } in trackers {
            page.line(5, format_args!("{name}, weight {}", weight(*influence)));
        }
    }
}

/// `-2 reverse`.
pub(super) fn weight(Influence { weight, reverse }: Influence) -> String {
    format!("{}{}", weight.get(), if reverse { " reverse" } else { "" })
}

fn write_scripts(scene: &Scene<'_>, notify: &Notify, page: &mut Page) {
    let deleted = notify.deleted.as_ref().and_then(|deleted| deleted.command.as_ref());
    for (which, script) in [
        ("Backup", notify.backup.as_ref()),
        ("Master", notify.master.as_ref()),
        ("Fault", notify.fault.as_ref()),
        ("Stop", notify.stop.as_ref()),
        ("Deleted", deleted),
        ("Generic", notify.any.as_ref()),
        ("Master rx lower pri", notify.master_rx_lower_priority.as_ref()),
    ] {
        if let Some(script) = script {
            page.line(3, format_args!("{which} state transition script = {}", scene.users.script(script)));
        }
    }
}

/// Where instances hear and speak together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    interface: Option<IfName>,
    family: u8,
    is_protected: bool,
    is_unicast: bool,
    /// Of unicast only: otherwise all on a link share the socket.
    source: Option<IpAddr>,
}

struct Pooled<'a> {
    place: Place,
    members: Vec<&'a Instance>,
}

fn place(scene: &Scene<'_>, instance: &Instance) -> Place {
    let is_unicast = matches!(instance.transport, Transport::Unicast { .. });
    Place {
        interface: instance.interface.clone(),
        family: if instance.family == Family::V6 { 6 } else { 4 },
        is_protected: matches!(instance.auth, Auth::Ah(_)),
        is_unicast,
        source: instance.source.or_else(|| scene.told(instance).source).filter(|_| is_unicast),
    }
}

fn pool<'a>(scene: &Scene<'a>) -> Vec<Pooled<'a>> {
    let mut pool: Vec<Pooled<'a>> = Vec::new();
    let mut places: BTreeMap<Place, usize> = BTreeMap::new();
    for instance in &scene.config.vrrp.instances {
        let place = place(scene, instance);
        let at = *places.entry(place.clone()).or_insert_with(|| {
            pool.push(Pooled { place, members: Vec::new() });
            pool.len() - 1
        });
        if let Some(pooled) = pool.get_mut(at) {
            pooled.members.push(instance);
        }
    }
    pool
}

fn write_socket(scene: &Scene<'_>, pooled: &Pooled<'_>, page: &mut Page) {
    let (place, members) = (&pooled.place, &pooled.members);
    let (hears, speaks) = members.first().map_or((-1, -1), |instance| descriptors(scene, instance));
    page.line(1, format_args!("fd_in {hears} fd_out = {speaks}"));
    page.line(3, format_args!("Interface = {}", place.interface.as_ref().map_or("(none)", IfName::as_str)));
    page.line(3, format_args!("Family = IPv{}", place.family));
    page.line(3, format_args!("Protocol = {}", if place.is_protected { "AH" } else { "VRRP" }));
    page.line(3, format_args!("Type = {}", if place.is_unicast { "Unicast" } else { "Multicast" }));
    if let Some(source) = place.source {
        page.line(3, format_args!("Address = {source}"));
    }
    page.line(3, format_args!("Rx buf size = {}", buffer(scene, pooled)));
    page.line(3, "VRRP instances");
    for member in members {
        page.line(5, format_args!("{} vrid {}", member.name, member.vrid));
    }
}

/// The size that is asked for; 0 is the system's.
fn buffer(scene: &Scene<'_>, pooled: &Pooled<'_>) -> u64 {
    let own = pooled.members.iter().filter_map(|one| one.receive_buffer).map(|bytes| bytes.get()).max();
    let general = match scene.config.global.routers.receive {
        ReceiveBuffers::System => 0,
        ReceiveBuffers::Bytes(bytes) => u64::from(bytes),
        ReceiveBuffers::Mtu(times) => {
            let link = pooled.place.interface.as_ref().and_then(|name| scene.link(name));
            link.map_or(0, |link| u64::from(link.mtu) * u64::from(times.get()))
        }
        ReceiveBuffers::Advert(times) => {
            let longest = pooled.members.iter().map(|one| advert_bytes(one)).max().unwrap_or(0);
            u64::from(longest) * u64::from(times.get())
        }
    };
    own.map_or(general, u64::from)
}

fn descriptors(scene: &Scene<'_>, instance: &Instance) -> (i32, i32) {
    let index = instance.interface.as_ref().and_then(|name| scene.link(name)).map(|link| link.index);
    let (is_v6, is_protected) = (instance.family == Family::V6, matches!(instance.auth, Auth::Ah(_)));
    let mut sockets = scene.told.sockets.iter();
    let found =
        sockets.find(|one| one.link == index && one.is_v6 == is_v6 && one.is_protected == is_protected);
    found.map_or((-1, -1), |one| (one.hears, one.speaks))
}

fn write_group(scene: &Scene<'_>, group: &SyncGroup, page: &mut Page) {
    let members: Vec<_> = group.members.iter().filter_map(|name| scene.told.instances.get(name)).collect();
    let state = members.first().map_or(State::Init, |member| member.state);
    page.line(1, format_args!("VRRP Sync Group = {}, {}", group.name, shown(state)));
    let faults = members.iter().filter(|member| member.faults > 0).count();
    let pending = members.iter().filter(|member| member.is_pending).count();
    page.line(3, format_args!("Num member fault {faults}, num member init {pending}"));
    page.line(3, "VRRP member instances :");
    group.members.iter().for_each(|member| page.line(5, member));
    if group.weighted_tracking {
        page.line(3, "sync group tracking weight set");
    }
    page.line(3, format_args!("Using smtp notification = {}", yes(group.smtp_alert)));
    write_tracked(&group.track_interfaces, &group.track_scripts, page);
    write_named("Tracked files :", &group.track_files, page);
    write_named("Tracked processes :", &group.track_processes, page);
    write_named("Tracked BFDs :", &group.track_bfds, page);
    let notify = &group.notify;
    for (which, script) in [
        ("Backup", &notify.backup),
        ("Master", &notify.master),
        ("Fault", &notify.fault),
        ("Stop", &notify.stop),
        ("Generic", &notify.any),
    ] {
        if let Some(script) = script {
            page.line(3, format_args!("{which} state transition script = {}", scene.users.script(script)));
        }
    }
}

/// The command words, for programs that read dumps.
pub(super) fn words(script: &model::vrrp::Command) -> String {
    command::words(script)
}
