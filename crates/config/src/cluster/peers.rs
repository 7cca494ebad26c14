//! Whether the hosts of a virtual router list each other as unicast peers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::vrrp::Transport;

use super::{Part, Router};
use crate::Code;
use crate::diagnostic::Diagnostic;
use crate::outline::Line;
use crate::source::Span;

pub(super) fn check(router: &Router<'_>, findings: &mut Vec<Diagnostic>) {
    let mut told = BTreeSet::new();
    for here in &router.parts {
        let Some(listed) = listed(*here) else { continue };
        let others = || router.parts.iter().filter(|other| other.at != here.at);
        let sources: BTreeSet<IpAddr> = others().filter_map(|other| other.instance.source).collect();
        // Only where all others are known, and have addresses of their own, a peer can be nobody.
        let all_known = others()
            .all(|other| other.instance.source.is_some() && other.instance.source != here.instance.source);
        let is_stray =
            |peer: &&IpAddr| all_known && !sources.contains(*peer) && here.instance.source != Some(**peer);
        let stray = listed.iter().find(is_stray).copied();
        let before = told.len();
        for there in others() {
            if let Some(finding) = missing(*here, *there, &listed, stray) {
                told.insert(here.at);
                findings.push(finding);
            }
        }
        if told.len() == before {
            findings.extend(stray.and_then(|stray| nobody(*here, stray)));
        }
    }
    if told.is_empty() {
        findings.extend(copied(router));
    }
}

/// The peers of a unicast host.
fn listed(part: Part<'_>) -> Option<BTreeSet<IpAddr>> {
    match &part.instance.transport {
        Transport::Unicast { peers, .. } => Some(peers.iter().map(|peer| peer.address).collect()),
        Transport::Multicast { .. } => None,
    }
}

/// Where a peer stands; where there is no such line, the list.
fn place(part: Part<'_>, peer: Option<IpAddr>) -> Option<Span> {
    let is_it = |line: &&Line| peer.is_some_and(|peer| line.keyword().parse() == Ok(peer));
    let line = part.block.entries("unicast_peer").find(is_it).or_else(|| part.block.last("unicast_peer"));
    line.and_then(Line::head).or_else(|| part.block.value())
}

/// `here` does not speak to `there`, of which the source is known, but perhaps to somebody who is no host.
fn missing(
    here: Part<'_>,
    there: Part<'_>,
    listed: &BTreeSet<IpAddr>,
    stray: Option<IpAddr>,
) -> Option<Diagnostic> {
    let source = there.instance.source?;
    // That two hosts have one address, or that one is multicast, is a finding of its own.
    let is_unicast = matches!(there.instance.transport, Transport::Unicast { .. });
    if !is_unicast || listed.contains(&source) || here.instance.source == Some(source) {
        return None;
    }
    let happens = format!("while {} is master {} hears nothing, and is master too", here.host, there.host);
    let (headline, remedy) = match stray {
        Some(stray) => (
            format!(
                "{} lists `{stray}`, which is no other host, and not `{source}`, which is {}",
                here.host, there.host
            ),
            format!("write `{source}`"),
        ),
        None => (
            format!("{} does not list `{source}` as a peer, which is {}", here.host, there.host),
            format!("add `{source}`"),
        ),
    };
    Some(
        Diagnostic::warning(Code::PeerMissing, place(here, stray)?, headline)
            .label(there.place("unicast_src_ip")?, format!("the address of {}", there.host))
            .help(format!("{remedy}: {happens}")),
    )
}

fn nobody(here: Part<'_>, stray: IpAddr) -> Option<Diagnostic> {
    let headline = format!("the peer `{stray}` of {} is none of these hosts", here.host);
    Some(
        Diagnostic::note(Code::StrayPeer, place(here, Some(stray))?, headline)
            .help("take it out, or give the file of that host too"),
    )
}

/// Lists that cannot all be right, whoever has which address: each host needs one of its own that all others list.
fn copied(router: &Router<'_>) -> Option<Diagnostic> {
    let mut addresses = BTreeSet::new();
    for part in &router.parts {
        addresses.extend(listed(*part)?);
        addresses.extend(part.instance.source);
    }
    let [first, second, ..] = router.parts.as_slice() else { return None };
    if addresses.len() >= router.parts.len() {
        return None;
    }
    let list: Vec<_> = addresses.iter().map(|address| format!("`{address}`")).collect();
    let headline = format!(
        "the hosts of VRID {} know only {} of each other: one of them lists itself",
        first.instance.vrid,
        list.join(", ")
    );
    let peer = addresses.first().copied();
    Some(
        Diagnostic::warning(Code::PeerMissing, place(*second, peer)?, headline)
            .label(place(*first, peer)?, format!("the list of {}", first.host))
            .help("list the other hosts in each file, not the same in all: a host that nobody lists hears no master, and is master too"),
    )
}
