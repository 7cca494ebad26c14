//! The addresses of a virtual router, and who else has them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::numbers::Wrong;
use super::{Part, Router};
use crate::Code;
use crate::diagnostic::Diagnostic;
use crate::lint::address_places;
use crate::outline::Line;

pub(super) fn check(router: &Router<'_>, findings: &mut Vec<Diagnostic>) {
    for (here, there) in router.pairs() {
        findings.extend(missing(here, there));
        findings.extend(missing(there, here));
    }
}

fn advertised(part: Part<'_>) -> BTreeSet<IpAddr> {
    let addresses = part.instance.addresses.iter().filter(|address| address.advertised);
    addresses.map(|address| address.prefix.address()).collect()
}

/// The addresses of `here` that `there` does not advertise.
fn missing(here: Part<'_>, there: Part<'_>) -> Option<Diagnostic> {
    let (ours, theirs) = (advertised(here), advertised(there));
    let missing: Vec<IpAddr> = ours.difference(&theirs).copied().collect();
    let first = missing.first()?;
    let span = address_places(here.block).get(first).copied().or_else(|| here.block.value())?;
    let more = match missing.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let headline =
        format!("VRID {} has `{first}`{more} on {} and not on {}", here.instance.vrid, here.host, there.host);
    let help = format!(
        "add {} on {}, or take {} out here: when {} takes over, {} lost, and keepalived before 2.3.3 drops packets whose list is not its own, so that both hosts are master",
        if missing.len() == 1 { "it" } else { "them" },
        there.host,
        if missing.len() == 1 { "it" } else { "them" },
        there.host,
        if missing.len() == 1 { "it is" } else { "they are" },
    );
    let list = there.block.last("virtual_ipaddress").and_then(Line::head).or_else(|| there.block.value())?;
    Some(
        Diagnostic::warning(Code::ClusterAddresses, span, headline)
            .label(list, format!("the list of {}", there.host))
            .help(help),
    )
}

/// Addresses that belong to different virtual routers on different hosts.
pub(super) fn elsewhere(routers: &[Router<'_>], wrong: &Wrong, findings: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<IpAddr, (usize, Part<'_>)> = BTreeMap::new();
    for (number, router) in routers.iter().enumerate() {
        for part in &router.parts {
            let mut told = false;
            for address in part.instance.addresses.iter().map(|address| address.prefix.address()) {
                let &mut (other, owner) = first.entry(address).or_insert((number, *part));
                // Within one file it is a remark of the test, and one address stands for all of the instance.
                if other == number || owner.at == part.at || told || wrong.explains_both(other, number) {
                    continue;
                }
                told = true;
                findings.extend(belongs(address, owner, *part));
            }
        }
    }
}

fn belongs(address: IpAddr, owner: Part<'_>, part: Part<'_>) -> Option<Diagnostic> {
    let place = |part: Part<'_>| part.place("virtual_router_id");
    let headline = format!(
        "`{address}` belongs to VRID {} on {} and to VRID {} on {}",
        owner.instance.vrid, owner.host, part.instance.vrid, part.host
    );
    Some(
        Diagnostic::warning(Code::AddressElsewhere, place(part)?, headline)
            .label(place(owner)?, format!("its number on {}", owner.host))
            .help("these are two virtual routers, each with its own master, and both hosts have the address: take it out of one of them"),
    )
}
