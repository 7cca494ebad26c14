//! Sync groups that are not the same on all hosts.

use std::collections::{BTreeMap, BTreeSet};

use model::vrrp::SyncGroup;

use super::{Host, Part, Router};
use crate::Code;
use crate::diagnostic::{Diagnostic, shown};
use crate::source::Span;

/// A group as the virtual routers that it keeps together.
struct Together<'a> {
    at: usize,
    host: &'a Host<'a>,
    group: &'a SyncGroup,
    routers: BTreeSet<usize>,
}

/// A group is compared with the one on the first host that has one of its virtual routers.
pub(super) fn check(hosts: &[Host<'_>], routers: &[Router<'_>], findings: &mut Vec<Diagnostic>) {
    let mut numbers: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for (number, router) in routers.iter().enumerate() {
        numbers.extend(router.parts.iter().map(|part| ((part.at, part.instance.name.as_str()), number)));
    }
    let mut first: BTreeMap<usize, usize> = BTreeMap::new();
    let mut known: Vec<Together<'_>> = Vec::new();
    for (at, host) in hosts.iter().enumerate() {
        for group in &host.loaded.config.vrrp.groups {
            let members = group.members.iter().filter_map(|name| numbers.get(&(at, name.as_str())).copied());
            let together = Together { at, host, group, routers: members.collect() };
            let other =
                together.routers.iter().find_map(|number| first.get(number)).and_then(|at| known.get(*at));
            if let Some(other) = other.filter(|other| !std::ptr::eq(other.host, host)) {
                findings.extend(difference(other, &together, at, routers));
            }
            for number in &together.routers {
                first.entry(*number).or_insert(known.len());
            }
            known.push(together);
        }
    }
    ungrouped(hosts, routers, &known, findings);
}

/// Hosts that have several routers of a group and keep none of them together with anything.
fn ungrouped(
    hosts: &[Host<'_>],
    routers: &[Router<'_>],
    known: &[Together<'_>],
    findings: &mut Vec<Diagnostic>,
) {
    let grouped: BTreeSet<(usize, usize)> = known
        .iter()
        .flat_map(|together| together.routers.iter().map(|number| (together.at, *number)))
        .collect();
    let mut told = BTreeSet::new();
    for together in known {
        for (at, host) in hosts.iter().enumerate().filter(|(at, _)| *at != together.at) {
            let parts = together.routers.iter().filter_map(|number| {
                let part = routers.get(*number)?.parts.iter().find(|part| part.at == at)?;
                Some((*number, part))
            });
            let parts: Vec<_> = parts.collect();
            let [(first, part), _, ..] = parts.as_slice() else { continue };
            let is_grouped = parts.iter().any(|(number, _)| grouped.contains(&(at, *number)));
            if is_grouped || !told.insert((at, *first)) {
                continue;
            }
            findings.extend(alone(together, host, part));
        }
    }
}

fn alone(together: &Together<'_>, host: &Host<'_>, part: &Part<'_>) -> Option<Diagnostic> {
    let name = &together.group.name;
    let headline = format!(
        "{} keeps VRID {} and others together in the sync group {}, and {} has no such group",
        together.host.name,
        part.instance.vrid,
        shown(name),
        host.name
    );
    let place = together.host.loaded.outline.block("vrrp_sync_group", name)?.value()?;
    let help = format!(
        "write the group into the file of {} too: it moves them one by one, so their addresses end up on different hosts",
        host.name
    );
    Some(
        Diagnostic::warning(Code::ClusterSyncGroup, place, headline)
            .label(part.block.value()?, format!("in no group on {}", host.name))
            .help(help),
    )
}

fn difference(
    one: &Together<'_>,
    other: &Together<'_>,
    at: usize,
    routers: &[Router<'_>],
) -> Option<Diagnostic> {
    // Of the routers that both hosts have.
    let is_on_both = |number: &&usize| {
        routers
            .get(**number)
            .is_some_and(|router| router.parts.len() > 1 || router.parts.iter().any(|part| part.at == at))
    };
    let differing = one.routers.symmetric_difference(&other.routers).find(is_on_both)?;
    let vrid = routers.get(*differing)?.parts.first()?.instance.vrid;
    let (with, without) = if one.routers.contains(differing) { (one, other) } else { (other, one) };
    let place = |together: &Together<'_>| -> Option<Span> {
        together.host.loaded.outline.block("vrrp_sync_group", &together.group.name)?.value()
    };
    let headline = format!(
        "VRID {vrid} is in the sync group {} on {} and not in that of {}",
        shown(&with.group.name),
        with.host.name,
        without.host.name
    );
    Some(
        Diagnostic::warning(Code::ClusterSyncGroup, place(other)?, headline)
            .label(place(one)?, format!("the group of {}", one.host.name))
            .help("give the group the same members on all hosts: one host moves them together and the other does not, so their addresses end up on different hosts"),
    )
}
