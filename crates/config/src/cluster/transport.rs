//! Whether advertisements can arrive: multicast or unicast, which group, and from whom.

use std::net::IpAddr;

use model::vrrp::Transport;

use super::{Part, Router, differ};
use crate::Code;
use crate::diagnostic::Diagnostic;
use crate::outline::Line;

pub(super) fn check(router: &Router<'_>, findings: &mut Vec<Diagnostic>) {
    for (here, there) in router.pairs() {
        findings.extend(kinds(here, there));
    }
    for (at, here) in router.parts.iter().enumerate() {
        for there in router.parts.get(at + 1..).unwrap_or_default() {
            findings.extend(same_source(*here, *there));
        }
    }
}

fn kinds(here: Part<'_>, there: Part<'_>) -> Option<Diagnostic> {
    let vrid = here.instance.vrid;
    let help = |what: &str| {
        format!(
            "{what}: until then neither host hears the other, and both are master with the same addresses"
        )
    };
    match (&here.instance.transport, &there.instance.transport) {
        (Transport::Multicast { group: one }, Transport::Multicast { group: other }) if one != other => {
            let headline = format!(
                "the hosts of VRID {vrid} speak to different multicast groups, `{one}` and `{other}`"
            );
            let make = |span| {
                Diagnostic::warning(Code::ClusterGroup, span, headline)
                    .help(help("write the same group on all hosts"))
            };
            let said = |part: Part<'_>, group: &IpAddr| format!("{} speaks to {group}", part.host);
            differ(make, "mcast_dst_ip", (here, said(here, one)), (there, said(there, other)))
        }
        (Transport::Unicast { .. }, Transport::Multicast { .. })
        | (Transport::Multicast { .. }, Transport::Unicast { .. }) => {
            let headline = format!("VRID {vrid} is unicast on one host and multicast on another");
            let make = |span| {
                Diagnostic::warning(Code::ClusterTransport, span, headline)
                    .help(help("give all hosts `unicast_peer`, or none"))
            };
            let said = |part: Part<'_>| match part.instance.transport {
                Transport::Unicast { .. } => format!("{} speaks to its peers", part.host),
                Transport::Multicast { .. } => format!("{} speaks to the group", part.host),
            };
            differ(make, "unicast_peer", (here, said(here)), (there, said(there)))
        }
        (Transport::Multicast { .. }, Transport::Multicast { .. })
        | (Transport::Unicast { .. }, Transport::Unicast { .. }) => None,
    }
}

fn same_source(here: Part<'_>, there: Part<'_>) -> Option<Diagnostic> {
    let source = here.instance.source.filter(|source| there.instance.source == Some(*source))?;
    let place = |part: Part<'_>| {
        let line = part.block.last("unicast_src_ip").or_else(|| part.block.last("mcast_src_ip"));
        line.and_then(Line::value).or_else(|| part.block.value())
    };
    let (span, other) = (place(here)?, place(there)?);
    let headline = format!("{} and {} both send from `{source}`", here.host, there.host);
    let help = "each takes the packets of the other for its own and drops them, so both are master; a host needs an address of its own";
    Some(
        Diagnostic::warning(Code::SameSource, other, headline)
            .label(span, format!("{} uses it", here.host))
            .help(help),
    )
}
