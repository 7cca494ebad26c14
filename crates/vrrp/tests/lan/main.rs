//! Two and three routers elect on a virtual LAN, before any socket exists.

mod effects;
mod election;
mod groups;
mod segment;
mod takeover;

use std::time::Duration;

use model::vrrp::{Instance, Version, VirtualAddress};
use model::{Centis, Prefix, Priority, Vrid};
use steadfast_vrrp::{Action, Notice, NotificationKind, StateName};

use segment::{Entry, HostId, Lan, eth};

/// The addresses of the founding notes.
const A: [u8; 4] = [192, 168, 0, 86];
const B: [u8; 4] = [192, 168, 0, 14];
const C: [u8; 4] = [192, 168, 0, 15];

/// One packet's way.
const DELAY: Duration = Duration::from_micros(200);

/// The virtual router of the founding notes with this priority.
fn instance(priority: u8) -> Instance {
    let address = Prefix::new([192, 168, 0, 100].into(), 32).expect("32 bits");
    let vrid = Vrid::try_from(51).expect("51 is a VRID");
    Instance {
        priority: Priority(priority),
        addresses: vec![VirtualAddress::new(address, eth())],
        ..Instance::new("VI_1", eth(), vrid)
    }
}

/// The same, of a version and an interval.
fn timed(priority: u8, version: Version, interval: Centis) -> Instance {
    Instance { version, advert_interval: interval, ..instance(priority) }
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// What a host did, without what is only told, one word for each.
fn steps(log: &[Entry], host: HostId) -> Vec<String> {
    log.iter().filter(|entry| entry.host == host).filter_map(|entry| step(&entry.action)).collect()
}

fn step(action: &Action) -> Option<String> {
    Some(match action {
        Action::Transmit(outgoing) => format!("advert {}", outgoing.priority),
        Action::Hold(holding) => {
            let addresses: Vec<_> = holding.addresses.iter().map(|one| one.prefix.to_string()).collect();
            format!("hold [{}]", addresses.join(" "))
        }
        Action::Announce(announce) => format!("announce {} x{}", announce.address, announce.count),
        Action::Notify(notification) => format!("notify {:?}", notification.kind),
        Action::NotifyGroup(notification) => format!("notify group {:?}", notification.kind),
        Action::Publish { state, priority, .. } => format!("publish {state} {priority}"),
        Action::Withdraw { instance } => format!("withdraw {instance}"),
        Action::RunScript { script, .. } => format!("run {script}"),
        Action::Notice(_) | Action::Changed(_) | Action::Probe { .. } => return None,
    })
}

/// The warnings that a host wrote.
fn notices(log: &[Entry], wanted: impl Fn(&Notice) -> bool) -> usize {
    let is_wanted = |entry: &&Entry| matches!(&entry.action, Action::Notice(notice) if wanted(notice));
    log.iter().filter(is_wanted).count()
}

/// How often a host was told to run a script for this.
fn notified(log: &[Entry], host: HostId, kind: NotificationKind) -> usize {
    let is_it = |entry: &&Entry| matches!(&entry.action, Action::Notify(told) if told.kind == kind);
    log.iter().filter(|entry| entry.host == host).filter(is_it).count()
}

/// How often a host entered a state.
fn entered(log: &[Entry], host: HostId, wanted: StateName) -> usize {
    let enters = |notice: &Notice| matches!(notice, Notice::Entering { state, .. } if *state == wanted);
    let own: Vec<_> = log.iter().filter(|entry| entry.host == host).cloned().collect();
    notices(&own, enters)
}

/// A LAN of running hosts with these configurations and addresses, after half a minute.
fn settled(hosts: &[([u8; 4], Instance)]) -> (Lan, Vec<HostId>) {
    let mut lan = Lan::new(DELAY);
    let ids: Vec<_> =
        hosts.iter().map(|(address, instance)| lan.add(*address, segment::only(instance.clone()))).collect();
    for id in &ids {
        lan.start(*id);
    }
    lan.run_for(secs(30));
    (lan, ids)
}
