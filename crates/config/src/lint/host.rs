//! Addresses that this host has for its own, or should have, beside those of the file.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use model::vrrp::{Instance, Transport};
use model::{IfName, Prefix, Priority};

use super::address::contains;
use super::{Host, Subject, address_places};
use crate::Code;
use crate::diagnostic::Diagnostic;
use crate::outline::Line;
use crate::source::Span;

pub(super) fn check(subject: Subject<'_>, host: &Host, findings: &mut Vec<Diagnostic>) {
    let addresses = subject.config.vrrp.instances.iter().flat_map(|instance| &instance.addresses);
    let virtuals: BTreeSet<IpAddr> = addresses.map(|address| address.prefix.address()).collect();
    let own: BTreeSet<IpAddr> = host.addresses.values().flatten().map(|prefix| prefix.address()).collect();
    let statics = subject.config.vrrp.statics.addresses.iter().map(|one| one.item.prefix.address());
    let known: BTreeSet<IpAddr> = own.iter().copied().chain(statics).collect();
    for (instance, block) in subject.instances() {
        peers(instance, block, &own, &virtuals, findings);
        if let Some(source) = instance.source
            && !own.is_empty()
            && !known.contains(&source)
            && !virtuals.contains(&source)
        {
            findings.extend(foreign_source(source, block));
        }
        let places = address_places(block);
        for address in &instance.addresses {
            let Some(&span) = places.get(&address.prefix.address()) else { continue };
            findings.extend(own_address(instance, address.prefix, span, &own, host));
            findings.extend(of_network(&address.device, address.prefix, span, host));
        }
    }
}

/// Peers that are this host, or nobody's for long.
fn peers(
    instance: &Instance,
    block: &Line,
    own: &BTreeSet<IpAddr>,
    virtuals: &BTreeSet<IpAddr>,
    findings: &mut Vec<Diagnostic>,
) {
    let Transport::Unicast { peers, .. } = &instance.transport else { return };
    for peer in peers.iter().map(|peer| peer.address) {
        let is_own = instance.source == Some(peer) || own.contains(&peer);
        if !is_own && !virtuals.contains(&peer) {
            continue;
        }
        let line = block.entries("unicast_peer").find(|line| line.keyword().parse() == Ok(peer));
        let Some(span) = line.and_then(Line::head).or_else(|| block.value()) else { continue };
        if !is_own {
            let headline = format!("`{peer}` is virtual, and no host to speak to");
            findings.push(
                Diagnostic::warning(Code::PeerIsVirtual, span, headline)
                    .help("only the master has it, so a backup is never reached; list the addresses that the other hosts have for their own"),
            );
            continue;
        }
        let headline = format!("`{peer}` is this host, and no peer of it");
        let mut finding = Diagnostic::warning(Code::PeerIsSelf, span, headline)
            .help("it would send advertisements to itself, and drop them; list only the other hosts");
        if let Some(place) = block.last("unicast_src_ip").and_then(Line::value)
            && instance.source == Some(peer)
        {
            finding = finding.label(place, "its own address");
        }
        findings.push(finding);
    }
}

fn foreign_source(source: IpAddr, block: &Line) -> Option<Diagnostic> {
    let line = ["unicast_src_ip", "mcast_src_ip"].into_iter().find_map(|keyword| block.last(keyword))?;
    let headline = format!("this host does not have `{source}`, from which advertisements are to be sent");
    Some(
        Diagnostic::warning(Code::ForeignSource, line.value()?, headline)
            .help("write an address that this host has; if the file is for another host, say `--elsewhere`"),
    )
}

/// An address that is here already, whoever is master.
fn own_address(
    instance: &Instance,
    prefix: Prefix,
    span: Span,
    own: &BTreeSet<IpAddr>,
    host: &Host,
) -> Option<Diagnostic> {
    let address = prefix.address();
    // The owner of a virtual router has its own addresses as virtual ones.
    if instance.priority == Priority::OWNER {
        return None;
    }
    if own.contains(&address) {
        let headline = format!("`{address}` is an address of this host, whoever is master");
        let help = "two hosts have it while another one is master, and a backup that gives it up is cut off; take an address that no host has";
        return Some(Diagnostic::warning(Code::HostAddress, span, headline).help(help));
    }
    host.doubtful.contains(&prefix).then(|| {
        let headline = format!("this host has `{address}` now, and not by a daemon that is known to have set it");
        let help = "an older keepalived may have set it; if it is set for good, two hosts have it while another one is master";
        Diagnostic::note(Code::HostAddress, span, headline).help(help)
    })
}

/// Addresses that no host can have.
fn of_network(device: &IfName, prefix: Prefix, span: Span, host: &Host) -> Option<Diagnostic> {
    let IpAddr::V4(address) = prefix.address() else { return None };
    let known = host.addresses.get(device).map(Vec::as_slice).unwrap_or_default();
    let around = known.iter().copied().filter(|network| contains(*network, address.into()));
    let network = std::iter::once(prefix).chain(around).find(|network| network.length() <= 30)?;
    let hosts = u32::MAX.checked_shr(network.length().into()).unwrap_or(0);
    let first = Ipv4Addr::from_bits(address.to_bits() & !hosts);
    let what = match address.to_bits() & hosts {
        0 => "network",
        bits if bits == hosts => "broadcast",
        _ => return None,
    };
    let headline = format!("`{address}` is the {what} address of `{first}/{}`", network.length());
    Some(
        Diagnostic::warning(Code::NetworkAddress, span, headline)
            .help("no client can speak to it; write the address of a host, or the right length behind it"),
    )
}
