//! Instances beside each other.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{Family, IfName, Vrid};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lower::{Global, Instance, Report};
use crate::source::Span;

/// Reports what an instance lacks, and what two of them cannot both have.
pub(super) fn check(instances: &[Instance], global: &Global, report: &mut Report) {
    completeness(instances, report);
    virtual_routers(instances, global, report);
    shared_addresses(instances, report);
}

fn completeness(instances: &[Instance], report: &mut Report) {
    for instance in instances {
        let name = &instance.name;
        let mut missing = |keyword: &str, example: &str| {
            if instance.misspelt.contains(&keyword) {
                return;
            }
            let headline = format!("{} has no valid `{keyword}`", shown(&name.value));
            let rejected = instance.rejected.iter().rfind(|(rejected, _)| *rejected == keyword);
            // What is wrong with the value has been told; this comes after it.
            let place = rejected.map_or(name.span, |&(_, span)| span);
            let sentence = if keyword == "interface" {
                format!("({}) Unknown interface!", name.value)
            } else {
                format!("({}) the virtual router id must be set", name.value)
            };
            let diagnostic = Diagnostic::error(Code::IncompleteInstance, place, headline).classic(sentence);
            report.push(match rejected {
                Some(_) => diagnostic.label(name.span, "this instance").help(format!("write {example}")),
                None => diagnostic.help(format!("add {example}")),
            });
        };
        if instance.vrid.is_none() {
            missing(
                "virtual_router_id",
                "a number of 1 to 255 that is the same on all hosts, such as `virtual_router_id 51`",
            );
        }
        if instance.interface.is_some() {
            continue;
        }
        if !instance.needs_no_interface() {
            missing("interface", "the name of an interface, such as `interface eth0`");
        }
    }
}

/// A VRID on a link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Link<'d> {
    interface: Option<&'d IfName>,
    vrid: Vrid,
    family: Family,
}

/// A virtual router on a link: the one of a multicast group, or that of a peer.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Router<'d> {
    link: Link<'d>,
    /// The group, or a peer.
    destination: IpAddr,
    /// The source that a peer knows us by.
    source: Option<IpAddr>,
}

/// Two instances may share a VRID on one interface only if they are of two families, or talk to different groups or
/// peers, or from different addresses to the same peer.
fn virtual_routers(instances: &[Instance], global: &Global, report: &mut Report) {
    let mut taken: BTreeMap<Router<'_>, &Instance> = BTreeMap::new();
    for instance in instances {
        let Some(vrid) = instance.vrid else { continue };
        let interface = instance.interface.as_ref().map(|interface| &interface.value);
        if interface.is_none() && instance.transport.peers.is_empty() {
            // Incomplete, which has been reported: nobody knows its link.
            continue;
        }
        let family = instance.family();
        let link = Link { interface, vrid: vrid.value, family };
        let router = |destination, source| Router { link, destination, source };
        let transport = &instance.transport;
        let source = transport.source.map(|source| source.value);
        let mut routers: Vec<_> =
            transport.peers.iter().map(|peer| router(peer.value.address, source)).collect();
        if routers.is_empty() {
            let group = transport.group.map_or_else(|| global.group(family), |group| group.value);
            routers.push(router(group, None));
        }
        let conflict = routers.iter().find_map(|router| taken.get(router));
        if let Some(other) = conflict {
            let place = interface.map_or_else(
                || "without an interface".to_owned(),
                |name| format!("on {}", shown(name.as_str())),
            );
            let headline = format!("VRID {} is used twice {place}", vrid.value);
            let names = format!("{} and {}", other.name.value, instance.name.value);
            let on = interface.map_or_else(String::new, |name| format!(" on interface {name}"));
            let version = if family == Family::V4 { "IPv4" } else { "IPv6" };
            let sentence = format!("{names} both use VRID {} with {version}{on}", vrid.value);
            let remark = format!("{} uses it too", shown(&other.name.value));
            let place = other.vrid.map_or(other.name.span, |vrid| vrid.span);
            report.push(
                Diagnostic::error(Code::DuplicateVrid, vrid.span, headline)
                    .label(place, remark)
                    .help("give each virtual router of a link its own number")
                    .classic(sentence),
            );
        }
        for router in routers {
            taken.entry(router).or_insert(instance);
        }
    }
}

/// keepalived says nothing about this, and the test of such a configuration passes.
fn shared_addresses(instances: &[Instance], report: &mut Report) {
    let mut first: BTreeMap<(&IfName, IpAddr), (&Instance, Span)> = BTreeMap::new();
    for instance in instances {
        let Some(interface) = &instance.interface else { continue };
        for draft in instance.addresses.iter().chain(&instance.excluded) {
            let (device, address) = (draft.device(&interface.value), draft.prefix.address());
            let &mut (other, place) = first.entry((device, address)).or_insert((instance, draft.span));
            // Twice in one instance is reported where its addresses are resolved.
            if other.name.span != instance.name.span {
                let headline =
                    format!("`{address}` on {} belongs to another instance too", shown(device.as_str()));
                let remark = format!("{} has it", shown(&other.name.value));
                let help =
                    "the address stays as long as one of them is master; give each address to one instance";
                report.push(
                    Diagnostic::note(Code::DuplicateEntry, draft.span, headline)
                        .label(place, remark)
                        .help(help),
                );
            }
        }
    }
}
