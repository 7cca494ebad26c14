//! What the lines of a `virtual_server` must be to each other, judged at its end as keepalived judges it.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use model::lvs::{Forwarding, Protocol, Scheduler};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::nearest_of;
use crate::lower::{Report, Spanned};
use crate::source::Span;

use super::address::Endpoint;
use super::group::Group;
use super::service::Target;
use super::virtual_server::VirtualServer;

/// Reports what does not fit and puts it right. `false` if the virtual server is of no use.
pub(super) fn apply(server: &mut VirtualServer, report: &mut Report) -> bool {
    drop_repeated(server, report);
    if server.servers.is_empty() {
        let headline = "this virtual server has no real servers; it is ignored";
        report.push(
            Diagnostic::warning(Code::EmptyPool, server.target.span, headline)
                .help("add `real_server ADDRESS PORT {`")
                .classic(format!(
                    "Virtual server {} has no real servers - ignoring",
                    title_as_written(server)
                )),
        );
        return false;
    }
    sorry_family(server, report);
    defaults(server, report);
    match server.target.value {
        Target::Address(service) => service_of_address(server, service, report),
        Target::Fwmark(_) => service_of_mark(server, report),
        Target::Group(_) => {}
    }
    quorum(server, report);
    true
}

/// The rules that need the members of the group.
pub(super) fn apply_group(server: &mut VirtualServer, group: &Group, report: &mut Report) -> bool {
    let summary = group.summary();
    if summary.has_addresses {
        protocol(server, report);
        one_packet(server, report);
        group_ports(server, group, report);
    } else {
        no_protocol(server, report);
    }
    if summary.has_marks {
        no_suspension(server, report);
        note_ports_of_marks(server, group, report);
    }
    if summary.lacks_port {
        demand_persistence(server, report);
    }
    let is_strange = summary.families.iter().any(|family| server.family.is_some_and(|own| own != *family));
    if is_strange {
        let headline = format!(
            "the group {} has members of another family than the real servers",
            shown(&group.name.value)
        );
        report.push(
            Diagnostic::note(Code::FamilyMismatch, server.target.span, headline)
                .label(group.name.span, "the group")
                .help(
                    "the virtual server is ignored; write one group for each family, or use `lvs_method TUN`",
                ),
        );
    }
    !is_strange
}

/// keepalived's test passes, and then there is no such service.
pub(super) fn tell_missing_group(
    name: &str,
    span: Span,
    groups: &BTreeMap<&str, &Group>,
    report: &mut Report,
) {
    let headline = format!("there is no group {}; the virtual server is ignored", shown(name));
    let note = Diagnostic::note(Code::UndefinedGroup, span, headline);
    report.push(match nearest_of(name, groups.values(), |group| group.name.value.as_ref()) {
        Some(near) => note
            .label(near.name.span, "a similar name")
            .help(format!("did you mean {}?", shown(&near.name.value))),
        None => note.help(format!("define it: `virtual_server_group {name} {{`")),
    });
}

/// A virtual server as keepalived writes it into its log.
fn title(server: &VirtualServer) -> String {
    title_of(&server.target.value, title_of_protocol(server.protocol()))
}

/// The same before a protocol is chosen for it.
fn title_as_written(server: &VirtualServer) -> String {
    let protocol = server.protocol.map_or("none", |protocol| title_of_protocol(protocol.value));
    title_of(&server.target.value, protocol)
}

fn title_of(target: &Target, protocol: &str) -> String {
    match target {
        Target::Address(endpoint) => endpoint.title(protocol),
        Target::Fwmark(mark) => format!("FWM {mark}"),
        Target::Group(name) => format!("[{name}]:0"),
    }
}

const fn title_of_protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Sctp => "sctp",
    }
}

/// The second of two equal servers goes.
fn drop_repeated(server: &mut VirtualServer, report: &mut Report) {
    let mut first: BTreeMap<Endpoint, Span> = BTreeMap::new();
    let protocol = title_of_protocol(server.protocol());
    let target = server.target.value.clone();
    server.servers.retain(|real| {
        let place = *first.entry(real.endpoint).or_insert(real.span);
        if place != real.span {
            let headline =
                format!("the real server `{}` is there already; it is ignored", real.endpoint.address);
            report.push(
                Diagnostic::warning(Code::DuplicateServer, real.span, headline)
                    .label(place, "the first one")
                    .classic(format!(
                        "VS {}: real server {} is duplicated - removing second rs",
                        title_of(&target, protocol),
                        real.endpoint.title(protocol)
                    )),
            );
        }
        place == real.span
    });
}

fn sorry_family(server: &mut VirtualServer, report: &mut Report) {
    if server.sorry.as_ref().is_some_and(|sorry| !sorry.fits(server.family, report)) {
        server.sorry = None;
    }
}

/// Scheduler and forwarding method, which keepalived wants to read.
fn defaults(server: &mut VirtualServer, report: &mut Report) {
    if server.scheduler.scheduler.is_none() {
        server.scheduler.scheduler = Some(Scheduler::WeightedLeastConnection);
        missing(server.target.span, "scheduler; `wlc` is used", "lvs_sched wlc", report);
        let service = title(server);
        report
            .diagnostics
            .say_classic(format!("Virtual server {service}: no scheduler set, setting default 'wlc'"));
    }
    if server.forwarding.is_none() && server.servers.iter().any(|real| real.forwarding.is_none()) {
        missing(server.target.span, "forwarding method; `NAT` is used", "lvs_method NAT", report);
        let service = title(server);
        report
            .diagnostics
            .say_classic(format!("Virtual server {service}: no forwarding method set, setting default NAT"));
    }
}

fn missing(span: Span, what: &str, line: &str, report: &mut Report) {
    let headline = format!("this virtual server has no {what}");
    report.push(
        Diagnostic::warning(Code::IncompleteService, span, headline).help(format!("add a line `{line}`")),
    );
}

fn service_of_address(server: &mut VirtualServer, service: Endpoint, report: &mut Report) {
    protocol(server, report);
    one_packet(server, report);
    if service.port.is_none() {
        demand_persistence(server, report);
    }
    for real in &mut server.servers {
        let method = real.forwarding.or(server.forwarding).unwrap_or(Forwarding::Nat);
        real.endpoint.port = fitting_port(real.endpoint, service, method, real.span, report);
    }
    if let Some(sorry) = &mut server.sorry {
        let method = sorry.forwarding.or(server.forwarding).unwrap_or(Forwarding::Nat);
        sorry.endpoint.port = fitting_port(sorry.endpoint, service, method, sorry.span, report);
    }
}

/// Only NAT changes the port.
fn fitting_port(
    endpoint: Endpoint,
    service: Endpoint,
    method: Forwarding,
    span: Span,
    report: &mut Report,
) -> Option<NonZeroU16> {
    let Some(port) = endpoint.port else { return service.port };
    if method == Forwarding::Nat || service.port == Some(port) {
        return Some(port);
    }
    let headline = format!("the port {port} is not that of the virtual server, which is used");
    report.push(
        Diagnostic::warning(Code::PortMismatch, span, headline)
            .help("only `lvs_method NAT` changes the port; leave it out here"),
    );
    service.port
}

fn service_of_mark(server: &mut VirtualServer, report: &mut Report) {
    no_protocol(server, report);
    no_suspension(server, report);
    for real in &mut server.servers {
        let method = real.forwarding.or(server.forwarding).unwrap_or(Forwarding::Nat);
        clear_port(&mut real.endpoint, method, real.span, report);
    }
    if let Some(sorry) = &mut server.sorry {
        let method = sorry.forwarding.or(server.forwarding).unwrap_or(Forwarding::Nat);
        clear_port(&mut sorry.endpoint, method, sorry.span, report);
    }
}

fn clear_port(endpoint: &mut Endpoint, method: Forwarding, span: Span, report: &mut Report) {
    if method == Forwarding::Nat {
        return;
    }
    if let Some(port) = endpoint.port.take() {
        let headline = format!("marked traffic keeps its port; {port} is ignored");
        report.push(
            Diagnostic::warning(Code::PortMismatch, span, headline)
                .help("only `lvs_method NAT` changes the port; leave it out here"),
        );
    }
}

fn group_ports(server: &VirtualServer, group: &Group, report: &mut Report) {
    let ports = &group.summary().ports;
    for real in &server.servers {
        let method = real.forwarding.or(server.forwarding).unwrap_or(Forwarding::Nat);
        if method == Forwarding::Nat {
            continue;
        }
        if real.endpoint.port.is_some() && ports.iter().any(|port| *port != real.endpoint.port) {
            let headline = "the port is not that of all members of the group";
            report.push(
                Diagnostic::warning(Code::PortMismatch, real.span, headline)
                    .label(group.name.span, "the group")
                    .help("only `lvs_method NAT` changes the port; leave it out here"),
            );
        }
    }
}

fn note_ports_of_marks(server: &mut VirtualServer, group: &Group, report: &mut Report) {
    for real in &mut server.servers {
        let method = real.forwarding.or(server.forwarding).unwrap_or(Forwarding::Nat);
        if method == Forwarding::Nat || real.endpoint.port.is_none() {
            continue;
        }
        let headline = "marked traffic of the group keeps its port; this one is ignored there";
        report.push(
            Diagnostic::warning(Code::PortMismatch, real.span, headline)
                .label(group.name.span, "the group")
                .help("only `lvs_method NAT` changes the port; leave it out here"),
        );
    }
}

fn protocol(server: &mut VirtualServer, report: &mut Report) {
    if server.protocol.is_none() {
        missing(server.target.span, "protocol; `UDP` is used", "protocol TCP", report);
        report.diagnostics.say_classic(format!(
            "Virtual server {}: no protocol set - defaulting to UDP",
            title_of(&server.target.value, "none")
        ));
        server.protocol = Some(Spanned { value: Protocol::Udp, span: server.target.span });
    }
}

fn no_protocol(server: &VirtualServer, report: &mut Report) {
    if let Some(protocol) = server.protocol {
        let headline = "marked traffic has a protocol of its own; this one is ignored";
        report.push(Diagnostic::warning(Code::IdleOption, protocol.span, headline).help("take the line out"));
    }
}

fn one_packet(server: &mut VirtualServer, report: &mut Report) {
    if server.protocol() == Protocol::Udp {
        return;
    }
    if let Some(span) = server.one_packet.take() {
        let headline = "only UDP can be scheduled packet by packet; `ops` is ignored";
        report.push(Diagnostic::warning(Code::IdleOption, span, headline).help("take the line out"));
    }
}

fn no_suspension(server: &mut VirtualServer, report: &mut Report) {
    if let Some(span) = server.ha_suspend.take() {
        let headline = "a mark has no address that could be absent; `ha_suspend` is ignored";
        report.push(Diagnostic::warning(Code::IdleOption, span, headline).help("take the line out"));
    }
}

/// A service of all ports only makes sense if a client stays with its server.
fn demand_persistence(server: &mut VirtualServer, report: &mut Report) {
    if server.persistence.is_on() {
        return;
    }
    server.persistence.turn_on();
    let headline = "a service of all ports must be persistent; 360 seconds are used";
    report.push(
        Diagnostic::warning(Code::IncompleteService, server.target.span, headline)
            .help("add a line `persistence_timeout SECONDS`, or a port behind the address"),
    );
}

/// No more than all servers have, and a dead band that leaves something.
fn quorum(server: &mut VirtualServer, report: &mut Report) {
    let weights = server.servers.iter().map(|real| u64::from(real.weight.unwrap_or(server.weight)));
    let total: u64 = weights.sum();
    let (mut quorum, span) =
        server.quorum.map_or((1, server.target.span), |quorum| (quorum.value, quorum.span));
    if u64::from(quorum) > total {
        let headline = format!("all real servers together weigh {total}, less than the quorum of {quorum}");
        let help = format!("{total} is used: the service counts as up while all servers are");
        let sentence = format!(
            "Warning - quorum {quorum} for {} exceeds total weight of real servers {total}, reducing quorum to {total}",
            title(server)
        );
        report.push(Diagnostic::warning(Code::ServiceQuorum, span, headline).help(help).classic(sentence));
        quorum = u32::try_from(total).unwrap_or(quorum);
        server.quorum = Some(Spanned { value: quorum, span });
    }
    // Only who has a hysteresis is named.
    let service = server.hysteresis.map(|_| title(server)).unwrap_or_default();
    if let Some(hysteresis) = &mut server.hysteresis
        && hysteresis.value > 0
        && hysteresis.value >= quorum
    {
        let most = quorum.saturating_sub(1);
        let headline = format!("a hysteresis of {} leaves nothing of a quorum of {quorum}", hysteresis.value);
        let help = format!("it must be less than the quorum; {most} is used");
        let sentence = format!(
            "Virtual server {service}: hysteresis {} >= quorum {quorum}; setting hysteresis to {most}",
            hysteresis.value
        );
        report.push(
            Diagnostic::warning(Code::ServiceQuorum, hysteresis.span, headline).help(help).classic(sentence),
        );
        hysteresis.value = most;
    }
}
