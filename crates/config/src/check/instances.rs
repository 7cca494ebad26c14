//! Instances beside each other.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{Family, IfName, Vrid};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::{Loss, Status};
use crate::lower::{Instance, Report};
use crate::source::Span;

/// Reports what an instance lacks, and what two of them cannot both have.
pub(super) fn check(instances: &[Instance], report: &mut Report) {
    completeness(instances, report);
    virtual_routers(instances, report);
    shared_addresses(instances, report);
}

fn completeness(instances: &[Instance], report: &mut Report) {
    for instance in instances {
        let name = &instance.name;
        let mut missing = |keyword: &str, example: &str| {
            let headline = format!("{} has no valid `{keyword}`", shown(&name.value));
            let diagnostic = Diagnostic::error(Code::IncompleteInstance, name.span, headline);
            let rejected = instance.rejected.iter().rfind(|(rejected, _)| *rejected == keyword);
            report.push(match rejected {
                Some(&(_, span)) => {
                    diagnostic.label(span, "this is not valid").help(format!("write `{keyword} {example}`"))
                }
                None => diagnostic.help(format!("add a line `{keyword} {example}`")),
            });
        };
        if instance.vrid.is_none() {
            missing("virtual_router_id", "1..255, the same on all hosts");
        }
        if instance.interface.is_some() {
            continue;
        }
        if instance.needs_no_interface() {
            let name = "unicast without an interface";
            report.lacks(name, Status::Planned(Loss::Meaning), instance.name.span);
        } else {
            missing("interface", "IFNAME");
        }
    }
}

/// A virtual router on a link: the one of the multicast group, or that of a peer.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Router<'d> {
    interface: Option<&'d IfName>,
    vrid: Vrid,
    family: Family,
    /// The peer, and the source that it knows us by.
    peer: Option<(IpAddr, Option<IpAddr>)>,
}

/// Two instances may share a VRID on one interface only if they are of two families, or talk to different peers, or from
/// different addresses.
fn virtual_routers(instances: &[Instance], report: &mut Report) {
    let mut taken: BTreeMap<Router<'_>, &Instance> = BTreeMap::new();
    for instance in instances {
        let Some(vrid) = instance.vrid else { continue };
        let interface = instance.interface.as_ref().map(|interface| &interface.value);
        let source = instance.transport.source.map(|source| source.value);
        let peers = instance.transport.peers.iter().map(|peer| Some((peer.value.address, source)));
        let peers: Vec<_> = if instance.transport.peers.is_empty() { vec![None] } else { peers.collect() };
        let router = |peer| Router { interface, vrid: vrid.value, family: instance.family(), peer };
        let conflict = peers.iter().find_map(|&peer| taken.get(&router(peer)));
        if let Some(other) = conflict {
            let place =
                interface.map_or_else(|| "without an interface".to_owned(), |name| format!("on `{name}`"));
            let headline = format!("VRID {} is used twice {place}", vrid.value);
            let remark = format!("{} uses it too", shown(&other.name.value));
            let place = other.vrid.map_or(other.name.span, |vrid| vrid.span);
            report.push(
                Diagnostic::error(Code::DuplicateVrid, vrid.span, headline)
                    .label(place, remark)
                    .help("give each virtual router of a link its own number"),
            );
        }
        for peer in peers {
            taken.entry(router(peer)).or_insert(instance);
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
                let headline = format!("`{address}` on `{device}` belongs to another instance too");
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
