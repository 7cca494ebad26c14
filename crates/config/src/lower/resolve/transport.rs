//! How advertisements travel.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::Family;
use model::vrrp::{Peer, Transport, Version};

use super::Basics;
use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lower::{Global, Instance, Report};

impl Instance {
    pub(super) fn transport(&self, basics: Basics, global: &Global, report: &mut Report) -> Transport {
        let draft = &self.transport;
        if draft.peers.is_empty() && !draft.fault_without_peers {
            self.warn_of_multicast(report);
            let group = draft.group.map_or_else(|| global.group(basics.family), |group| group.value);
            return Transport::Multicast { group };
        }
        if let Some(group) = draft.group {
            let headline =
                "an instance with unicast peers has no multicast destination; the line has no effect";
            report.push(Diagnostic::warning(Code::Transport, group.span, headline));
        }
        let ttl = draft.ttl.map(|ttl| ttl.value);
        let ttl = ttl.or_else(|| (basics.family == Family::V4).then_some(u8::MAX));
        let old_group = match global.group(Family::V4) {
            IpAddr::V4(group) => group,
            IpAddr::V6(_) => Transport::GROUP_V4,
        };
        Transport::Unicast { peers: self.peers(report), ttl, checksum: draft.checksum, old_group }
    }

    fn warn_of_multicast(&self, report: &mut Report) {
        if let Some(unicast) = self.transport.unicast {
            let headline = format!("{} is unicast but has no peers", shown(&self.name.value));
            report.push(
                Diagnostic::warning(Code::Transport, unicast, headline).help(
                    "advertisements go to the multicast group; list the other routers in `unicast_peer`",
                ),
            );
        }
        if let Some(ttl) = self.transport.ttl {
            let headline = "`unicast_ttl` has no effect without unicast peers";
            report.push(Diagnostic::warning(Code::Transport, ttl.span, headline));
        }
    }

    fn peers(&self, report: &mut Report) -> Vec<Peer> {
        let mut known = BTreeSet::new();
        let mut peers = Vec::new();
        for peer in &self.transport.peers {
            if known.insert(peer.value.address) {
                peers.push(peer.value);
            } else {
                let headline = format!("`{}` is listed already", peer.value.address);
                report.push(Diagnostic::note(Code::DuplicateEntry, peer.span, headline));
            }
        }
        peers
    }

    /// An ipvlan has an address of its own, and speaks from it.
    pub(super) fn source(&self) -> Option<IpAddr> {
        let ipvlan = self.device.ipvlan.as_ref().and_then(|ipvlan| ipvlan.value.address);
        let source = self.transport.source.map(|source| source.value);
        source.or_else(|| ipvlan.map(|address| address.value.address()))
    }

    pub(super) fn tracks_source(&self, report: &mut Report) -> bool {
        let Some(span) = self.transport.track_source else { return false };
        if self.source().is_none() {
            let headline = "`track_src_ip` has no effect without a source address";
            report.push(
                Diagnostic::note(Code::Transport, span, headline)
                    .help("add `mcast_src_ip ADDRESS` or `unicast_src_ip ADDRESS`"),
            );
            return false;
        }
        true
    }

    pub(super) fn v3_checksum_as_v2(&self, basics: Basics, global: &Global) -> bool {
        let asked = self.transport.v3_checksum_as_v2.unwrap_or(global.v3_checksum_as_v2);
        asked && basics.family == Family::V4 && basics.version == Version::V3
    }
}
