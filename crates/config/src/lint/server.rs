//! Virtual servers that fall back on what has failed, or that are never checked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::lvs::{Member, Service, VirtualServer};

use super::Subject;
use crate::Code;
use crate::diagnostic::Diagnostic;
use crate::outline::Line;
use crate::source::Span;

pub(super) fn check(subject: Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let blocks = blocks(subject);
    let virtuals = subject.config.vrrp.instances.iter().flat_map(|instance| &instance.addresses);
    let virtuals: BTreeSet<IpAddr> = virtuals.map(|address| address.prefix.address()).collect();
    for server in &subject.config.lvs.virtual_servers {
        let Some(block) = blocks.get(&key(&server.service)) else { continue };
        sorry_server(server, block, findings);
        super::checker::check(server, block, findings);
        if server.ha_suspend {
            suspended(server, block, &virtuals, subject, findings);
        }
    }
}

/// The blocks by the words that say what they serve.
fn blocks<'a>(subject: Subject<'a>) -> BTreeMap<(String, String), &'a Line> {
    let mut blocks = BTreeMap::new();
    for block in subject.outline.all("virtual_server") {
        let address = block.word(1);
        let address =
            address.parse::<IpAddr>().map_or_else(|_| address.to_owned(), |address| address.to_string());
        blocks.entry((address, block.word(2).to_owned())).or_insert(block);
    }
    blocks
}

fn key(service: &Service) -> (String, String) {
    match service {
        Service::Address { address, port, .. } => {
            (address.to_string(), port.map_or_else(String::new, |port| port.to_string()))
        }
        Service::Fwmark { mark, .. } => ("fwmark".to_owned(), mark.to_string()),
        Service::Group { name, .. } => ("group".to_owned(), name.to_string()),
    }
}

fn sorry_server(server: &VirtualServer, block: &Line, findings: &mut Vec<Diagnostic>) {
    let Some(sorry) = &server.sorry_server else { return };
    let is_it = |real: &&model::lvs::RealServer| (real.address, real.port) == (sorry.address, sorry.port);
    if server.real_servers.iter().find(is_it).is_none() {
        return;
    }
    let real = block.lines().iter().filter(|line| line.keyword() == "real_server");
    let place = real.clone().find(|line| line.word(1).parse() == Ok(sorry.address)).and_then(Line::value);
    if let Some(span) = block.place("sorry_server") {
        let headline = format!("the sorry server `{}` is one of the real servers", sorry.address);
        let mut finding = Diagnostic::warning(Code::SorryIsReal, span, headline)
            .help("it is to serve when all real servers have failed, and then it has failed too");
        if let Some(place) = place {
            finding = finding.label(place, "here as a real server");
        }
        findings.push(finding);
    }
}

/// Checks run only while the address is here, and it is nobody's to bring.
fn suspended(
    server: &VirtualServer,
    block: &Line,
    virtuals: &BTreeSet<IpAddr>,
    subject: Subject<'_>,
    findings: &mut Vec<Diagnostic>,
) {
    let is_missing = match &server.service {
        Service::Address { address, .. } => !virtuals.contains(address),
        Service::Fwmark { .. } => false,
        Service::Group { name, .. } => {
            let group = subject.config.lvs.groups.iter().find(|group| group.name == *name);
            let members = group.map(|group| group.members.as_slice()).unwrap_or_default();
            let mut ranges = members.iter().filter_map(|member| match member {
                Member::Addresses { range, .. } => Some(range),
                Member::Fwmark { .. } => None,
            });
            !members.is_empty()
                && !ranges.any(|range| virtuals.range(range.first()..=range.last()).next().is_some())
        }
    };
    let span: Option<Span> = block.last("ha_suspend").and_then(Line::head);
    if let (true, Some(span)) = (is_missing, span) {
        let headline = "no `vrrp_instance` of this file brings the address of this virtual server";
        let mut finding = Diagnostic::warning(Code::SuspendedForEver, span, headline).help(
            "with `ha_suspend` its servers are checked only while this host has the address; unless something else sets it, they never are",
        );
        if let Some(place) = block.value() {
            finding = finding.label(place, "what it serves");
        }
        findings.push(finding);
    }
}
