//! What instances look at: scripts, files, processes, interfaces.

use std::time::Duration;

use model::vrrp::LinkDelay;
use model::vrrp::{
    Instance, ParameterMatch, ProcessMatch, Script, SyncGroup, TrackedFile, TrackedProcess, Tracking,
};
use model::{IfName, Influence};

use super::page::{Page, micros};
use super::topology::weight;
use super::{Scene, command};
use crate::snapshot;

/// From the check scripts to the end of the dump.
pub(super) fn write(scene: &Scene<'_>, page: &mut Page) {
    let config = &scene.config.vrrp;
    let scripts: Vec<_> = config
        .scripts
        .iter()
        .map(|script| {
            (script, those(scene, |one| of_script(one, &script.name), |one| of_group(one, &script.name)))
        })
        .filter(|(_, tracking)| !tracking.is_empty())
        .collect();
    if !scripts.is_empty() {
        page.title("VRRP Scripts");
        scripts.iter().for_each(|(script, tracking)| write_script(scene, script, tracking, page));
    }
    write_files(scene, page);
    write_processes(scene, page);
    page.title("Interfaces");
    scene.told.links.iter().for_each(|link| write_link(scene, link, page));
}

/// Which instances are influenced, and how: `VI_1, weight 10`.
type Influenced<T = Influence> = Vec<(String, T)>;

/// Those that track something by themselves, and those whose group does.
fn those<T>(
    scene: &Scene<'_>,
    own: impl Fn(&Instance) -> Option<T>,
    of_group: impl Fn(&SyncGroup) -> Option<T>,
) -> Influenced<T> {
    let config = &scene.config.vrrp;
    let influence =
        |instance: &Instance| own(instance).or_else(|| scene.group_of(&instance.name).and_then(&of_group));
    let found = config.instances.iter();
    found.filter_map(|one| Some((one.name.clone(), influence(one)?))).collect()
}

fn of_script(instance: &Instance, name: &str) -> Option<Influence> {
    instance.track_scripts.iter().find(|tracked| tracked.script == name).map(|tracked| tracked.influence)
}

fn of_group(group: &SyncGroup, name: &str) -> Option<Influence> {
    group.track_scripts.iter().find(|tracked| tracked.script == name).map(|tracked| tracked.influence)
}

fn named(list: &[Tracking], name: &str) -> Option<Influence> {
    list.iter().find(|tracked| tracked.name == name).map(|tracked| tracked.influence)
}

fn write_tracking(tracking: &Influenced, page: &mut Page) {
    page.line(3, "Tracking instances :");
    for (name, influence) in tracking {
        page.line(5, format_args!("{name}, weight {}", weight(*influence)));
    }
}

fn write_script(scene: &Scene<'_>, script: &Script, tracking: &Influenced, page: &mut Page) {
    let told = scene.told.scripts.get(&script.name);
    let is_up = told.and_then(|told| told.is_up);
    let against = told.map_or(0, |told| told.against);
    let timeout = if script.timeout == script.interval { Duration::ZERO } else { script.timeout };
    page.line(1, format_args!("VRRP Script = {}", script.name));
    page.line(3, format_args!("Command = {}", command::words(&script.command)));
    page.line(3, format_args!("Interval = {} sec", script.interval.as_secs()));
    page.line(3, format_args!("Timeout = {} sec", timeout.as_secs()));
    page.line(3, format_args!("Weight = {}", weight(script.influence)));
    page.line(3, format_args!("Rise = {}", script.rise));
    page.line(3, format_args!("Fall = {}", script.fall));
    // keepalived's one counter goes from 0 to rise + fall - 1, and is good from rise on.
    let best = (script.rise + script.fall).saturating_sub(1);
    let result = if is_up == Some(true) { best.saturating_sub(against) } else { against };
    page.line(3, format_args!("Result = {result}"));
    page.line(3, "Insecure = no");
    page.line(3, format_args!("Init state = {}", if is_up.is_some() { "unknown" } else { "INIT" }));
    page.line(3, format_args!("Status = {}", if is_up == Some(true) { "GOOD" } else { "BAD" }));
    page.line(3, format_args!("Script uid:gid = {}", scene.users.numbers(&script.command.run_as)));
    page.line(3, "VRRP instances :");
    write_tracking(tracking, page);
    let is_running = told.is_some_and(|told| told.is_running);
    page.line(3, format_args!("State = {}", if is_running { "running" } else { "idle" }));
}

fn write_files(scene: &Scene<'_>, page: &mut Page) {
    let mut title = Some("VRRP Track files");
    for file in &scene.config.vrrp.files {
        let TrackedFile { name, path, influence, .. } = file;
        let tracking = those(scene, |one| named(&one.track_files, name), |one| named(&one.track_files, name));
        if tracking.is_empty() {
            continue;
        }
        title.take().into_iter().for_each(|title| page.title(title));
        page.line(1, format_args!("Track file = {name}"));
        page.line(3, format_args!("File = {path}"));
        page.line(3, format_args!("Status = {}", scene.told.files.get(name).copied().unwrap_or(0)));
        page.line(3, format_args!("Weight = {}", weight(*influence)));
        write_tracking(&tracking, page);
    }
}

fn write_processes(scene: &Scene<'_>, page: &mut Page) {
    let mut title = Some("VRRP Track processes");
    for process in &scene.config.vrrp.processes {
        let name = &process.name;
        let own = |one: &Instance| named(&one.track_processes, name);
        let tracking = those(scene, own, |one| named(&one.track_processes, name));
        if !tracking.is_empty() {
            title.take().into_iter().for_each(|title| page.title(title));
            write_process(scene, process, page);
            write_tracking(&tracking, page);
        }
    }
}

fn write_process(scene: &Scene<'_>, process: &TrackedProcess, page: &mut Page) {
    let told = scene.told.processes.get(&process.name);
    page.line(1, format_args!("VRRP Track process = {}", process.name));
    page.line(3, format_args!("Process = {}", process.program));
    write_match(&process.matching, page);
    page.line(3, format_args!("Min processes = {}", process.least));
    if let Some(most) = process.most {
        page.line(3, format_args!("Max processes = {most}"));
    }
    page.line(3, format_args!("Current processes = {}", told.map_or(0, |told| told.count)));
    page.line(3, format_args!("Have quorum = {}", told.is_some_and(|told| told.is_up)));
    page.line(3, format_args!("Weight = {}", weight(process.influence)));
    page.line(3, format_args!("Terminate delay = {}s", micros(process.terminate_delay)));
    page.line(3, format_args!("Fork delay = {}s", micros(process.fork_delay)));
    let turns = told.and_then(|told| Some((told.is_up, told.turns_at?)));
    for (which, is_it) in [("Fork", false), ("Terminate", true)] {
        match turns.filter(|(is_up, _)| *is_up == is_it) {
            Some((_, at)) => {
                page.line(3, format_args!("{which} delay timer running {}", scene.clocks.stamp(Some(at))));
            }
            None => page.line(3, format_args!("{which} delay timer not running")),
        }
    }
    page.line(3, format_args!("Full command = {}", process.matching != ProcessMatch::Name));
}

fn write_match(matching: &ProcessMatch, page: &mut Page) {
    let ProcessMatch::Parameters { parameters, mode } = matching else { return };
    if !parameters.is_empty() {
        page.line(3, format_args!("Parameters = {}", parameters.join(" ")));
    }
    page.line(
        3,
        match mode {
            ParameterMatch::Exact => "Param match",
            ParameterMatch::Initial => "Param match = initial",
            ParameterMatch::Partial => "Param match = partial",
        },
    );
}

fn write_link(scene: &Scene<'_>, link: &snapshot::Link, page: &mut Page) {
    page.line(1, format_args!("Name = {}", link.name));
    page.line(3, format_args!("index = {}", link.index));
    let address = |address: Option<std::net::IpAddr>| {
        address.map_or_else(|| "(none)".to_owned(), |one| one.to_string())
    };
    page.line(3, format_args!("IPv4 address = {}", address(link.v4)));
    page.line(3, format_args!("IPv6 address = {}", address(link.v6)));
    if let Some(mac) = link.mac.filter(|_| !link.is_loopback) {
        page.line(3, format_args!("MAC = {mac}"));
        page.line(3, "MAC broadcast = ff:ff:ff:ff:ff:ff");
    }
    page.line(3, format_args!("State = {}", state(link)));
    page.line(3, "Seen up = 1");
    page.line(3, "Delayed state change running = false");
    let delay = scene.config.vrrp.links.delays.iter().find(|delay| delay.interface == link.name);
    let delay = |of: fn(&LinkDelay) -> Duration| delay.map_or(Duration::ZERO, of).as_micros();
    page.line(3, format_args!("Up debounce timer = {}us", delay(|one| one.up)));
    page.line(3, format_args!("Down debounce timer = {}us", delay(|one| one.down)));
    page.line(3, format_args!("MTU = {}", link.mtu));
    let kind = match link.mac {
        _ if link.is_loopback => "LOOPBACK",
        Some(_) => "ETHERNET",
        None => "UNKNOWN",
    };
    page.line(3, format_args!("HW Type = {kind}"));
    page.line(3, "NIC netlink status update");
    write_delay(scene, &link.name, page);
    page.line(3, "Reset ARP config counter 0");
    page.line(3, "Original arp_ignore 0");
    page.line(3, "Original arp_filter 0");
    let promoting = scene.config.vrrp.instances.iter().filter(|one| one.promote_secondaries);
    let promoting = promoting.filter(|one| one.interface.as_ref() == Some(&link.name)).count();
    page.line(3, "Original promote_secondaries 0");
    page.line(3, format_args!("Reset promote_secondaries counter {promoting}"));
    let tracking = tracking_link(scene, &link.name);
    if !tracking.is_empty() {
        page.line(3, "Tracking VRRP instances :");
        for (name, weight) in tracking {
            page.line(5, format_args!("{name}, weight {weight}"));
        }
    }
}

fn state(link: &snapshot::Link) -> String {
    let mut words = vec![
        if link.is_up { "UP" } else { "not UP" },
        if link.is_running { "RUNNING" } else { "not RUNNING" },
    ];
    if link.is_loopback {
        words.extend(["no broadcast", "loopback"]);
    }
    if !link.has_multicast {
        words.push("no multicast");
    }
    words.join(", ")
}

fn write_delay(scene: &Scene<'_>, name: &IfName, page: &mut Page) {
    let config = &scene.config.vrrp;
    let group = config.garp_groups.iter().find(|group| group.interfaces.contains(name));
    let garp = &scene.config.global.defaults.garp;
    let uses = |one: &Instance| {
        one.interface.as_ref() == Some(name) || one.addresses.iter().any(|address| address.device == *name)
    };
    let general = config.instances.iter().any(uses).then_some((garp.interval, garp.gna_interval));
    let Some((garp, gna)) = group.map(|group| (group.garp_interval, group.gna_interval)).or(general) else {
        return;
    };
    if !garp.is_zero() {
        page.line(3, format_args!("Gratuitous ARP interval {}ms", garp.as_millis()));
    }
    if !gna.is_zero() {
        page.line(3, format_args!("Gratuitous NA interval {}ms", gna.as_millis()));
    }
}

/// Who tracks an interface because it runs on it, or because the file says so.
fn tracking_link(scene: &Scene<'_>, name: &IfName) -> Influenced<String> {
    let own = |one: &Instance| {
        let tracked = one.track_interfaces.iter().find(|tracked| tracked.interface == *name);
        let runs_on = one.interface.as_ref() == Some(name);
        // keepalived's number for an interface that an instance runs on and does not track.
        let own = if one.track_primary { "0".to_owned() } else { "255".to_owned() };
        runs_on.then_some(own).or_else(|| tracked.map(|tracked| weight(tracked.influence)))
    };
    those(scene, own, |group| {
        let tracked = group.track_interfaces.iter().find(|tracked| tracked.interface == *name);
        tracked.map(|tracked| weight(tracked.influence))
    })
}
