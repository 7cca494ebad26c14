//! Instances that are one virtual router by their addresses, and two by their numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{Part, Router};
use crate::Code;
use crate::diagnostic::Diagnostic;

/// The routers whose numbers are wrong. What else differs because of it is not said.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    routers: BTreeSet<usize>,
    /// The lesser number first.
    pairs: BTreeSet<(usize, usize)>,
}

impl Wrong {
    pub(super) fn explains(&self, router: usize) -> bool {
        self.routers.contains(&router)
    }

    pub(super) fn explains_both(&self, one: usize, other: usize) -> bool {
        self.pairs.contains(&(one.min(other), one.max(other)))
    }

    fn add(&mut self, one: usize, other: usize) {
        self.pairs.insert((one.min(other), one.max(other)));
    }
}

pub(super) fn check(routers: &[Router<'_>], findings: &mut Vec<Diagnostic>) -> Wrong {
    let mut wrong = Wrong::default();
    slips(routers, &mut wrong, findings);
    exchanges(routers, &mut wrong, findings);
    wrong
}

fn addresses<'a>(part: &Part<'a>) -> impl Iterator<Item = IpAddr> + use<'a> {
    part.instance.addresses.iter().map(|address| address.prefix.address())
}

/// A router that only one host has, with the addresses of one that this host does not have.
fn slips(routers: &[Router<'_>], wrong: &mut Wrong, findings: &mut Vec<Diagnostic>) {
    let mut owners: BTreeMap<IpAddr, usize> = BTreeMap::new();
    // What most hosts say is taken to be right.
    let mut by_size: Vec<_> = routers.iter().enumerate().collect();
    by_size.sort_by_key(|(_, router)| std::cmp::Reverse(router.parts.len()));
    for (number, router) in by_size {
        for address in router.parts.iter().flat_map(addresses) {
            owners.entry(address).or_insert(number);
        }
    }
    // Of two that are alone the later one is the odd one.
    for (number, router) in routers.iter().enumerate().rev() {
        let [part] = router.parts.as_slice() else { continue };
        let Some(other) = addresses(part).find_map(|address| owners.get(&address).copied()) else { continue };
        let Some(meant) = routers.get(other).filter(|_| other != number) else { continue };
        let Some(first) = meant.parts.first() else { continue };
        let is_elsewhere = meant.parts.iter().all(|one| one.at != part.at);
        // Routers of two families may have one number.
        if !is_elsewhere || first.instance.vrid == part.instance.vrid {
            continue;
        }
        wrong.add(number, other);
        wrong.routers.insert(number);
        if meant.parts.len() == 1 {
            wrong.routers.insert(other);
        }
        findings.extend(slip(first, part));
    }
}

fn slip(first: &Part<'_>, part: &Part<'_>) -> Option<Diagnostic> {
    let (one, other) = (first.instance.vrid, part.instance.vrid);
    let what = if addresses(first).collect::<BTreeSet<_>>() == addresses(part).collect() {
        "the same addresses"
    } else {
        "common addresses"
    };
    let span = part.place("virtual_router_id")?;
    let headline = format!("{} and {} have {what} under VRID {one} and {other}", first.host, part.host);
    Some(
        Diagnostic::warning(Code::AddressElsewhere, span, headline)
            .label(first.place("virtual_router_id")?, format!("its number on {}", first.host))
            .help("write the same number on all hosts: neither host hears the other, and both are master with these addresses"),
    )
}

/// Two routers, of each of which one host has the addresses that another has in the other one.
fn exchanges(routers: &[Router<'_>], wrong: &mut Wrong, findings: &mut Vec<Diagnostic>) {
    let mut known: BTreeMap<(usize, BTreeSet<IpAddr>), usize> = BTreeMap::new();
    for (number, router) in routers.iter().enumerate() {
        for part in &router.parts {
            known.insert((part.at, addresses(part).collect()), number);
        }
    }
    for (number, router) in routers.iter().enumerate() {
        for (here, there) in router.pairs() {
            let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) =
                (addresses(&here).collect(), addresses(&there).collect());
            if ours == theirs || ours.is_empty() || theirs.is_empty() {
                continue;
            }
            let (Some(&other), Some(&back)) = (known.get(&(there.at, ours)), known.get(&(here.at, theirs)))
            else {
                continue;
            };
            if other != back || other == number || wrong.explains_both(number, other) {
                continue;
            }
            wrong.add(number, other);
            wrong.routers.extend([number, other]);
            findings.extend(routers.get(other).and_then(|second| exchange(here, there, second)));
        }
    }
}

fn exchange(here: Part<'_>, there: Part<'_>, second: &Router<'_>) -> Option<Diagnostic> {
    let other = second.parts.iter().find(|part| part.at == there.at)?;
    let (one, two) = (here.instance.vrid, other.instance.vrid);
    let headline =
        format!("VRID {one} and {two} have each other's addresses on {} and {}", here.host, there.host);
    Some(
        Diagnostic::warning(Code::AddressElsewhere, there.place("virtual_router_id")?, headline)
            .label(other.place("virtual_router_id")?, format!("{} has here what is VRID {one} on {}", there.host, here.host))
            .label(here.place("virtual_router_id")?, format!("its number on {}", here.host))
            .help("exchange the numbers, or the addresses, on one of the hosts: both hosts have the addresses while each is master of one router"),
    )
}
