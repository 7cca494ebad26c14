//! Addresses that nobody reaches, or that are there twice.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::vrrp::Instance;
use model::{IfName, Prefix};

use super::{Host, Subject, address_places};
use crate::Code;
use crate::diagnostic::{Diagnostic, shown};
use crate::outline::Line;
use crate::source::Span;

pub(super) fn check(subject: Subject<'_>, host: &Host, findings: &mut Vec<Diagnostic>) {
    let statics = statics(subject);
    for (instance, block) in subject.instances() {
        let places = address_places(block);
        for address in &instance.addresses {
            let Some(&span) = places.get(&address.prefix.address()) else { continue };
            virtual_source(instance, block, address.prefix.address(), span, findings);
            if let Some(place) = statics.get(&(&address.device, address.prefix.address())) {
                let headline = format!("`{}` is a static address as well", address.prefix.address());
                findings.push(
                    Diagnostic::warning(Code::AddressTwice, span, headline)
                        .label(*place, "it is on this host all the time")
                        .help(
                            "two hosts have it while another one is master: take it out of one of the lists",
                        ),
                );
            }
            off_link(&address.device, address.prefix, span, host, subject, findings);
        }
    }
}

/// The static addresses and where they stand.
fn statics(subject: Subject<'_>) -> BTreeMap<(&IfName, IpAddr), Span> {
    let mut places: BTreeMap<&str, Span> = BTreeMap::new();
    for line in subject.outline.all("static_ipaddress").flat_map(Line::lines) {
        let word = line.keyword();
        places.extend(line.head().map(|span| (word.split('/').next().unwrap_or(word), span)));
    }
    let statics = subject.config.vrrp.statics.addresses.iter().map(|one| &one.item);
    statics
        .filter_map(|one| {
            let address = one.prefix.address();
            Some(((&one.device, address), *places.get(address.to_string().as_str())?))
        })
        .collect()
}

/// A backup does not have the address that it is to send from.
fn virtual_source(
    instance: &Instance,
    block: &Line,
    address: IpAddr,
    span: Span,
    findings: &mut Vec<Diagnostic>,
) {
    if instance.source != Some(address) {
        return;
    }
    let place =
        ["unicast_src_ip", "mcast_src_ip"].into_iter().find_map(|keyword| block.last(keyword)?.value());
    let headline = format!("`{address}` is virtual and the source of advertisements");
    let mut finding = Diagnostic::warning(Code::VirtualSource, span, headline)
        .help("only a master has it, and both hosts would speak with it; name an address that belongs to this host alone");
    if let Some(place) = place {
        finding = finding.label(place, "the source");
    }
    findings.push(finding);
}

/// Who looks for the address on the link does not find it if no network of the link has it.
fn off_link(
    device: &IfName,
    prefix: Prefix,
    span: Span,
    host: &Host,
    subject: Subject<'_>,
    findings: &mut Vec<Diagnostic>,
) {
    let Some(known) = host.addresses.get(device) else { return };
    let is_host = |prefix: &Prefix| Prefix::host(prefix.address()).length() == prefix.length();
    let address = prefix.address();
    let statics = subject.config.vrrp.statics.addresses.iter().map(|one| &one.item);
    let statics = statics.filter(|one| one.device == *device).map(|one| one.prefix);
    let mut networks: Vec<Prefix> = known.iter().copied().chain(statics).collect();
    networks.retain(|network| network.address().is_ipv4() == address.is_ipv4() && !is_host(network));
    networks.retain(|network| !matches!(network.address(), IpAddr::V6(v6) if v6.is_unicast_link_local()));
    // An address with a length of its own brings its network.
    if networks.is_empty() || !is_host(&prefix) || networks.iter().any(|network| contains(*network, address))
    {
        return;
    }
    let list: Vec<_> = networks.iter().map(|network| format!("`{network}`")).collect();
    let headline = format!("`{address}` is in no network of {}", shown(device.as_str()));
    let help = format!(
        "the link has {}; clients reach it only if a router sends its packets here, or if it is written with a length",
        list.join(", ")
    );
    findings.push(Diagnostic::note(Code::AddressOffLink, span, headline).help(help));
}

pub(super) fn contains(network: Prefix, address: IpAddr) -> bool {
    let bits = |address| match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    let ((one, width), (other, other_width)) = (bits(network.address()), bits(address));
    let length = u32::from(network.length());
    width == other_width && (length == 0 || (one ^ other).leading_zeros() >= length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_their_hosts() {
        let is_in = |network: &str, length, address: &str| {
            contains(Prefix::new(network.parse().unwrap(), length).unwrap(), address.parse().unwrap())
        };
        assert!(is_in("192.0.2.1", 24, "192.0.2.200"));
        assert!(!is_in("192.0.2.1", 25, "192.0.2.200"));
        assert!(is_in("192.0.2.1", 0, "10.0.0.1"));
        assert!(is_in("2001:db8::1", 64, "2001:db8::ffff"));
        assert!(!is_in("2001:db8::1", 64, "2001:db8:0:1::1"));
        assert!(!is_in("::", 0, "10.0.0.1"));
    }
}
