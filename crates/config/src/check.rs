//! Rules between blocks.

mod trackers;

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{IfName, Vrid};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lower::{Drafts, Instance, Report};
use crate::source::Span;

/// Reports what is wrong between the blocks of a file, and drops what others refer to in vain.
pub(crate) fn drafts(drafts: &mut Drafts, report: &mut Report) {
    script_security(drafts, report);
    trackers::check(drafts, report);
    instance_names(&drafts.instances, report);
    completeness(&drafts.instances, report);
    virtual_routers(&drafts.instances, report);
    shared_addresses(&drafts.instances, report);
    drafts.lvs.check(&drafts.bfd, &drafts.files, report);
}

/// keepalived runs scripts without `enable_script_security`, but its test of the configuration fails.
fn script_security(drafts: &Drafts, report: &mut Report) {
    if drafts.global.script_security {
        return;
    }
    let scripts =
        drafts.scripts.iter().filter_map(|script| script.command.as_ref()).map(|command| command.span);
    let notifies = drafts.instances.iter().filter_map(|instance| instance.notify.first_command());
    let others = drafts.global.commands().chain(drafts.lvs.commands());
    if let Some(first) = scripts.chain(notifies).chain(others).min() {
        let headline = "scripts are run without script security";
        let help = "add `enable_script_security` to `global_defs`: then no script runs as root that others could change";
        report.push(Diagnostic::warning(Code::NoScriptSecurity, first, headline).help(help));
    }
}

fn instance_names(instances: &[Instance], report: &mut Report) {
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    for name in instances.iter().map(|instance| &instance.name) {
        if let Some(&first) = first.get(name.value.as_str()) {
            let headline = format!("the instance {} is defined already", shown(&name.value));
            report.push(
                Diagnostic::error(Code::DuplicateName, name.span, headline)
                    .label(first, "first here")
                    .help("give it another name"),
            );
        } else {
            first.insert(&name.value, name.span);
        }
    }
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
        if instance.interface.is_none() {
            missing("interface", "IFNAME");
        }
        if instance.vrid.is_none() {
            missing("virtual_router_id", "1..255, the same on all hosts");
        }
    }
}

/// A virtual router on a link: the one of the multicast group, or that of a peer.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Router<'d> {
    interface: &'d IfName,
    vrid: Vrid,
    peer: Option<IpAddr>,
}

/// Two instances may share a VRID on one interface only if they talk to different peers.
fn virtual_routers(instances: &[Instance], report: &mut Report) {
    let mut taken: BTreeMap<Router<'_>, &Instance> = BTreeMap::new();
    for instance in instances {
        let (Some(interface), Some(vrid)) = (&instance.interface, instance.vrid) else { continue };
        let peers = instance.peers.iter().map(|peer| Some(peer.value));
        let peers: Vec<_> = if instance.peers.is_empty() { vec![None] } else { peers.collect() };
        let router = |peer| Router { interface: &interface.value, vrid: vrid.value, peer };
        let conflict = peers.iter().find_map(|&peer| taken.get(&router(peer)));
        if let Some(other) = conflict {
            let headline = format!("VRID {} is used twice on `{}`", vrid.value, interface.value);
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
