//! Sync groups that are not the same on all hosts.

use std::collections::{BTreeMap, BTreeSet};

use model::vrrp::SyncGroup;

use super::{Host, Router};
use crate::Code;
use crate::diagnostic::{Diagnostic, shown};
use crate::source::Span;

/// A group as the virtual routers that it keeps together.
struct Together<'a> {
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
            let together = Together { host, group, routers: members.collect() };
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
            .help("one host moves them together and the other does not, so their addresses end up on different hosts"),
    )
}
