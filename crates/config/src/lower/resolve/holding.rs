//! What a master holds, and how it treats what comes for it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use model::Priority;
use model::vrrp::{Version, VirtualAddress};

use super::places::Places;
use super::{Basics, strict_mode};
use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lower::address::Advertised;
use crate::lower::{Instance, Report};

impl Instance {
    pub(super) fn move_excess_addresses(&mut self, report: &mut Report) {
        let most = self.most_addresses();
        if self.addresses.len() <= most {
            return;
        }
        let excess = self.addresses.split_off(most);
        if let Some(first) = excess.first() {
            let headline = format!("an advertisement lists at most {most} addresses");
            report.push(Diagnostic::warning(Code::TooManyAddresses, first.span, headline).help(
                "from here on they are held but not advertised; move them to `virtual_ipaddress_excluded`",
            ));
        }
        self.excluded.splice(0..0, excess);
    }

    pub(super) fn check_addresses(&mut self, basics: Basics, report: &mut Report) {
        if let Some(flag) = self.holding.needs_no_address.filter(|_| basics.strict) {
            report.push(strict_mode(flag, "`no_virtual_ipaddress`"));
        }
        if self.addresses.is_empty() && (basics.strict || self.holding.needs_no_address.is_none()) {
            let headline = format!("{} has no virtual address to advertise", shown(&self.name.value));
            let help = "add a `virtual_ipaddress` block";
            let needed = basics.strict || basics.version == Version::V3;
            let make = if needed { Diagnostic::error } else { Diagnostic::warning };
            let sentence = format!("({}) No VIP specified; at least one is sensible", self.name.value);
            report.push(make(Code::NoAddresses, self.name.span, headline).help(help).classic(sentence));
        }
        self.check_first_address(basics, report);
        let mut seen = BTreeMap::new();
        for list in [&mut self.addresses, &mut self.excluded] {
            list.retain(|draft| match seen.entry(draft.prefix.address()) {
                Entry::Vacant(place) => {
                    place.insert(draft.span);
                    true
                }
                Entry::Occupied(first) => {
                    let headline = format!("`{}` is listed already", draft.prefix.address());
                    let note = Diagnostic::note(Code::DuplicateEntry, draft.span, headline);
                    report.push(note.label(*first.get(), "first here"));
                    false
                }
            });
        }
    }

    /// RFC 9568 §5.2.9: the first IPv6 address of an advertisement is that of the link.
    fn check_first_address(&self, basics: Basics, report: &mut Report) {
        let Some(first) = self.addresses.first().filter(|_| basics.strict) else { return };
        if let std::net::IpAddr::V6(address) = first.prefix.address()
            && !address.is_unicast_link_local()
        {
            report.push(
                strict_mode(first.span, "another first address than one of the link")
                    .help("put an address that begins with `fe80:` first"),
            );
        }
    }

    /// All addresses, each in its place.
    pub(super) fn held(&self, places: &mut Places<'_>, report: &mut Report) -> Vec<VirtualAddress> {
        let advertised = self.addresses.iter().map(|draft| (draft, Advertised::Yes));
        let all = advertised.chain(self.excluded.iter().map(|draft| (draft, Advertised::No)));
        let mut held = Vec::new();
        for (draft, advertised) in all {
            match places.of(draft) {
                Some(place) => held.push(VirtualAddress {
                    use_vmac: place.is_address_vmac,
                    ..draft.resolve_on(place.device, advertised)
                }),
                None => {
                    let headline = "this address has no interface to go to";
                    report.push(
                        Diagnostic::error(Code::IncompleteInstance, draft.span, headline)
                            .help("add `dev IFNAME`, as the instance has no `interface`"),
                    );
                }
            }
        }
        held
    }

    pub(super) fn accept(&self, basics: Basics, report: &mut Report) -> bool {
        if basics.priority == Priority::OWNER {
            return true;
        }
        let said = self.holding.accept;
        if !basics.strict || said.is_some_and(|said| !said.value) {
            return said.is_none_or(|said| said.value);
        }
        if let Some(accept) = said {
            if basics.version == Version::V3 {
                return true;
            }
            report.push(strict_mode(accept.span, "`accept` in VRRP version 2; the line has no effect"));
        }
        false
    }
}
