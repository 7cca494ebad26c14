//! Which instances of the hosts are one virtual router.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::{Family, IfName, Vrid};

use super::{Host, Part, Router};
use crate::Code;
use crate::diagnostic::{Diagnostic, shown};
use crate::lint::Contender;

/// The virtual routers, in the order of the first host that has them.
pub(super) fn routers<'a>(hosts: &[Host<'a>]) -> Vec<Router<'a>> {
    let mut routers: Vec<Router<'a>> = Vec::new();
    let mut known: BTreeMap<(Vrid, Family), Vec<usize>> = BTreeMap::new();
    for (at, host) in hosts.iter().enumerate() {
        for contender in host.subject().contenders() {
            let Contender { instance, block, .. } = contender;
            let part = Part { at, host: host.name, instance, block, contender };
            let numbers = known.entry((instance.vrid, instance.family)).or_default();
            let free = numbers.iter().copied().filter(|&number| {
                routers.get(number).is_some_and(|router| router.parts.iter().all(|other| other.at != at))
            });
            // What has an address in common beats what has only the name of the link in common.
            let best = free.max_by_key(|&number| {
                (routers.get(number).map(|router| likeness(router, part)), usize::MAX - number)
            });
            match best.and_then(|number| routers.get_mut(number)) {
                Some(router) => router.parts.push(part),
                None => {
                    numbers.push(routers.len());
                    routers.push(Router { parts: vec![part] });
                }
            }
        }
    }
    routers
}

fn likeness(router: &Router<'_>, part: Part<'_>) -> (bool, bool) {
    let addresses = |part: &Part<'_>| -> BTreeSet<IpAddr> {
        part.instance.addresses.iter().map(|address| address.prefix.address()).collect()
    };
    let link = |part: &Part<'_>| -> Option<IfName> { part.instance.interface.clone() };
    let own = addresses(&part);
    let shares_address = router.parts.iter().any(|other| !addresses(other).is_disjoint(&own));
    (shares_address, router.parts.iter().any(|other| link(other) == link(&part)))
}

/// A virtual router that only one of the hosts has.
pub(super) fn lonely(router: &Router<'_>, hosts: usize, findings: &mut Vec<Diagnostic>) {
    let [part] = router.parts.as_slice() else { return };
    let Some(span) = part.place("virtual_router_id") else { return };
    let headline = format!(
        "VRID {} of {} is in no other file than {}",
        part.instance.vrid,
        shown(&part.instance.name),
        part.host
    );
    let others = match hosts {
        2 => "the other host does not take part",
        _ => "no other host takes part",
    };
    let help = format!(
        "{others}: when {} fails, nobody takes its addresses over; write an instance with this number into the files of the others",
        part.host
    );
    findings.push(Diagnostic::warning(Code::LonelyRouter, span, headline).help(help));
}
