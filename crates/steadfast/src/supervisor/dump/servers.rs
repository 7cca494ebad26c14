//! What virtual and real servers are, and how they stand.

use std::num::NonZeroU16;

use lvs::Standing;
use model::Family;
use model::lvs::{
    Checker, Config, FileCheck, Forwarding, Member, Pace, PersistenceMask, Protocol, RealServer, Scheduler,
    ServerGroup, Service, SorryServer, TunnelChecksum, TunnelKind, VirtualServer,
};

use super::Scene;
use super::page::{Page, enabled, micros, yes};
use super::pools::Pools;

/// From the topology to the last real server.
pub(super) fn write(scene: &Scene<'_>, pools: &Pools<'_>, page: &mut Page) {
    page.title("LVS Topology");
    let config = &scene.config.lvs;
    config.groups.iter().for_each(|group| write_group(config, pools, group, page));
    for server in &config.virtual_servers {
        write_service(scene, pools, server, page);
        for real in &server.real_servers {
            write_server(scene, pools, (server, real), page);
        }
    }
}

fn write_group(config: &Config, pools: &Pools<'_>, group: &ServerGroup, page: &mut Page) {
    page.line(1, "------< Virtual server group >------");
    let has = |family| {
        let of = |member: &Member| matches!(member, Member::Addresses { range, .. } if Family::from(range.first()) == family);
        yes(group.members.iter().any(of))
    };
    let (four, six) = (has(Family::V4), has(Family::V6));
    page.line(1, format_args!("Virtual Server Group = {}, IPv4 = {four}, IPv6 = {six}", group.name));
    for member in &group.members {
        match member {
            Member::Addresses { range, port } if range.first() == range.last() => {
                page.line(3, format_args!("VIP = {}, VPORT = {}", range.first(), number(*port)));
            }
            Member::Addresses { range, port } => {
                let (first, last) = (range.first(), range.last());
                page.line(3, format_args!("VIP Range = {first}-{last}, VPORT = {}", number(*port)));
            }
            Member::Fwmark { mark, .. } => page.line(3, format_args!("FWMARK = {mark}")),
        }
        write_users(config, group, member, page);
        let stayed = if pools.before.had(group, member) { "True" } else { "False" };
        page.line(5, format_args!("reloaded = {stayed}"));
    }
}

/// How many virtual servers use a member of a group: all that there are live.
fn write_users(config: &Config, group: &ServerGroup, member: &Member, page: &mut Page) {
    let users = |wanted: Option<Protocol>| {
        let uses = |server: &&VirtualServer| match &server.service {
            Service::Group { name, protocol } => {
                *name == group.name && wanted.is_none_or(|wanted| wanted == *protocol)
            }
            Service::Address { .. } | Service::Fwmark { .. } => false,
        };
        config.virtual_servers.iter().filter(uses).count()
    };
    match member {
        Member::Addresses { .. } => {
            let [tcp, udp, sctp] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp].map(|one| users(Some(one)));
            page.line(5, format_args!("Alive: {tcp} tcp, {udp} udp, {sctp} sctp"));
        }
        Member::Fwmark { family, .. } => {
            let all = users(None);
            let (four, six) = if *family == Family::V4 { (all, 0) } else { (0, all) };
            page.line(5, format_args!("Alive: {four} IPv4, {six} IPv6"));
        }
    }
}

fn number(port: Option<NonZeroU16>) -> u16 {
    port.map_or(0, NonZeroU16::get)
}

fn write_service(scene: &Scene<'_>, pools: &Pools<'_>, server: &VirtualServer, page: &mut Page) {
    page.line(1, "------< Virtual server >------");
    let (family, protocol) = family_and_protocol(scene, server);
    match &server.service {
        Service::Address { address, port, .. } => {
            page.line(1, format_args!("VS VIP = {address}, VPORT = {}", number(*port)));
        }
        Service::Fwmark { mark, .. } => page.line(1, format_args!("VS FWMARK = {mark}")),
        Service::Group { .. } => {
            page.line(1, format_args!("VS GROUP = {}", lvs::service_name(server)));
        }
    }
    if let Some(name) = &server.snmp_name {
        page.line(3, format_args!("SNMP name = '{name}'"));
    }
    let family = if family == Family::V4 { "inet" } else { "inet6" };
    page.line(3, format_args!("Address family = {family}"));
    page.line(3, format_args!("connection timeout = {}", micros(server.pace.connect_timeout)));
    page.line(3, format_args!("delay_loop = {}", micros(server.pace.interval)));
    write_scheduler(server, protocol, page);
    write_persistence(server, page);
    page.line(3, format_args!("protocol = {protocol}"));
    page.line(3, format_args!("alpha is {}", on(server.alpha)));
    page.line(3, format_args!("omega is {}", on(server.omega)));
    write_pace(&server.pace, page);
    page.line(3, format_args!("Inhibit on failure is {}", on(server.inhibit_on_failure)));
    write_quorum(scene, server, page);
    if server.ha_suspend {
        page.line(3, "Using HA suspend");
    }
    page.line(3, format_args!("Using smtp notification = {}", yes(server.smtp_alert)));
    let word = if matches!(server.forwarding, Forwarding::Tunnel(_)) { "" } else { "default " };
    page.line(3, format_args!("{word}forwarding method = {}", forwarding(server.forwarding)));
    if let Some(sorry) = &server.sorry_server {
        write_sorry(server, sorry, page);
    }
    page.line(3, "alive = 1");
    let quorum = pools.standing(server, None).is_some_and(|standing| standing.up);
    page.line(3, format_args!("quorum_state_up = {}", u8::from(quorum)));
    page.line(3, format_args!("reloaded = {}", u8::from(pools.before.weight(server, None).is_some())));
}

/// What the file says of it.
fn write_pace(pace: &Pace, page: &mut Page) {
    if let Some(retry) = pace.retry {
        page.line(3, format_args!("Retry count = {retry}"));
    }
    if let Some(delay) = pace.delay_before_retry {
        page.line(3, format_args!("Retry delay = {}", micros(delay)));
    }
    if let Some(warmup) = pace.warmup {
        page.line(3, format_args!("Warmup = {}", micros(warmup)));
    }
}

fn family_and_protocol(scene: &Scene<'_>, server: &VirtualServer) -> (Family, &'static str) {
    let word = |protocol| match protocol {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
        Protocol::Sctp => "SCTP",
    };
    match &server.service {
        Service::Address { address, protocol, .. } => (Family::from(*address), word(*protocol)),
        Service::Fwmark { family, .. } => (*family, "none"),
        Service::Group { name, protocol } => {
            let group = scene.config.lvs.groups.iter().find(|group| group.name == *name);
            let first = group.and_then(|group| group.members.first());
            match first {
                Some(Member::Addresses { range, .. }) => (Family::from(range.first()), word(*protocol)),
                Some(Member::Fwmark { family, .. }) => (*family, "none"),
                None => (Family::V4, word(*protocol)),
            }
        }
    }
}

fn write_scheduler(server: &VirtualServer, protocol: &str, page: &mut Page) {
    let name = server.scheduler.word();
    page.line(3, format_args!("lvs_sched = {name}"));
    page.line(3, "Hashed = disabled");
    let flags = server.flags;
    if matches!(server.scheduler, Scheduler::SourceHash | Scheduler::Maglev) {
        page.line(3, format_args!("{name}-port = {}", enabled(flags.second)));
        page.line(3, format_args!("{name}-fallback = {}", enabled(flags.first)));
    } else {
        for (number, flag) in [(1, flags.first), (2, flags.second), (3, flags.third)] {
            page.line(3, format_args!("flag-{number} = {}", enabled(flag)));
        }
    }
    let idle = if server.one_packet && protocol != "UDP" { " (inactive due to not UDP)" } else { "" };
    page.line(3, format_args!("One packet scheduling = {}{idle}", enabled(server.one_packet)));
}

fn write_persistence(server: &VirtualServer, page: &mut Page) {
    let Some(persistence) = &server.persistence else { return };
    page.line(3, format_args!("persistence timeout = {}", persistence.timeout.as_secs()));
    if let Some(engine) = &persistence.engine {
        page.line(3, format_args!("persistence engine = {engine}"));
    }
    match persistence.mask {
        PersistenceMask::V4(mask) if mask.to_bits() != u32::MAX => {
            page.line(3, format_args!("persistence granularity = {mask}"));
        }
        PersistenceMask::V6(length) if length.get() != 128 => {
            page.line(3, format_args!("persistence granularity = {length}"));
        }
        PersistenceMask::V4(_) | PersistenceMask::V6(_) => {}
    }
}

fn write_quorum(scene: &Scene<'_>, server: &VirtualServer, page: &mut Page) {
    let quorum = &server.quorum;
    page.line(3, format_args!("quorum = {}, hysteresis = {}", quorum.weight, quorum.hysteresis));
    for (word, command) in [("up", &quorum.up), ("down", &quorum.down)] {
        if let Some(command) = command {
            page.line(3, format_args!("Quorum {word} notify script = {}", scene.users.script(command)));
        }
    }
}

fn write_sorry(server: &VirtualServer, sorry: &SorryServer, page: &mut Page) {
    let name = lvs::server_name(&server.service, sorry.address, sorry.port);
    page.line(3, format_args!("sorry server = {name}"));
    page.line(5, format_args!("forwarding method = {}", forwarding(sorry.forwarding)));
    page.line(5, format_args!("Inhibit on failure is {}", on(sorry.inhibit)));
}

fn write_server(
    scene: &Scene<'_>,
    pools: &Pools<'_>,
    (of, real): (&VirtualServer, &RealServer),
    page: &mut Page,
) {
    let standing = pools.standing(of, Some(real));
    page.line(3, "------< Real server >------");
    let (address, port) = (real.address, number(real.port));
    let weight = standing.map_or(real.weight, |standing| standing.effective);
    page.line(3, format_args!("RIP = {address}, RPORT = {port}, WEIGHT = {weight} EFF WEIGHT = {weight}"));
    page.line(3, format_args!("forwarding method = {}", forwarding(real.forwarding)));
    let pace = real.pace.as_deref().unwrap_or(&of.pace);
    page.line(3, format_args!("Alpha is {}", on(pace.alpha)));
    page.line(3, format_args!("connection timeout = {}", micros(pace.connect_timeout)));
    let limit = |limit: Option<std::num::NonZeroU32>| limit.map_or(0, std::num::NonZeroU32::get);
    let (lower, upper) = (limit(real.lower_threshold), limit(real.upper_threshold));
    page.line(3, format_args!("connection limit range = {lower} -> {upper}"));
    page.line(3, format_args!("Delay loop = {}", micros(pace.interval)));
    write_pace(pace, page);
    page.line(3, format_args!("Inhibit on failure is {}", on(real.inhibit_on_failure)));
    for (word, command) in [("up", &real.notify_up), ("down", &real.notify_down)] {
        if let Some(command) = command {
            page.line(5, format_args!("RS {word} notify script = {}", scene.users.script(command)));
        }
    }
    if let Some(host) = &real.virtualhost {
        page.line(4, format_args!("VirtualHost = '{host}'"));
    }
    if let Some(name) = &real.snmp_name {
        page.line(3, format_args!("SNMP name = {name}"));
    }
    page.line(3, format_args!("Using smtp notification = {}", yes(real.smtp_alert)));
    page.line(3, format_args!("initial weight = {}", real.weight));
    page.line(3, format_args!("effective weight = {weight}"));
    write_standing(pools, (of, real), standing, page);
}

fn write_standing(
    pools: &Pools<'_>,
    (of, real): (&VirtualServer, &RealServer),
    standing: Option<&Standing>,
    page: &mut Page,
) {
    let before = pools.before.weight(of, Some(real));
    page.line(3, format_args!("previous effective_weight = {}", before.unwrap_or(0)));
    let up = standing.is_some_and(|standing| standing.up);
    page.line(3, format_args!("alive = {}", u8::from(up)));
    let failed = standing.map_or(0, |standing| standing.said.iter().filter(|(_, up)| !up).count());
    page.line(3, format_args!("num failed checkers = {failed}"));
    page.line(3, format_args!("RS set = {}", u8::from(pools.is_in_table(of, real))));
    page.line(3, format_args!("reloaded = {}", u8::from(before.is_some())));
    let mut title = Some("Tracked Files");
    for checker in &real.checkers {
        if let Checker::File(file) = checker {
            title.take().into_iter().for_each(|title| page.line(3, title));
            page.line(5, format_args!("{}, weight {}", file.file, file_weight(file)));
        }
    }
}

/// `2`, or `2 reverse`.
pub(super) fn file_weight(file: &FileCheck) -> String {
    format!("{}{}", file.weight, if file.reverse { " reverse" } else { "" })
}

fn forwarding(method: Forwarding) -> String {
    let Forwarding::Tunnel(tunnel) = method else {
        return if method == Forwarding::Nat { "NAT" } else { "DR" }.to_owned();
    };
    let checksum = match tunnel.checksum {
        TunnelChecksum::None => "no checksum",
        TunnelChecksum::Outer => "checksum",
        TunnelChecksum::Remote => "remote checksum",
    };
    match tunnel.kind {
        TunnelKind::IpIp => "TUN, type = IPIP".to_owned(),
        TunnelKind::Gue { port } => format!("TUN, type = GUE, port = {port}, {checksum}"),
        TunnelKind::Gre => format!("TUN, type = GRE, {checksum}"),
    }
}

const fn on(value: bool) -> &'static str {
    if value { "ON" } else { "OFF" }
}
