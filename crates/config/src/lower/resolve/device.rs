//! The interface that an instance makes for itself.

use std::collections::{BTreeMap, BTreeSet};

use model::vrrp::{Ipvlan, OwnDevice, Transport, Vmac};
use model::{Family, IfName, MacAddr, Named, Vrid};

use super::{Basics, Surroundings, strict_mode};
use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lower::instance::{IpvlanDraft, Octets, VmacDraft};
use crate::lower::{Instance, Report, Spanned};
use crate::source::Span;

/// The names of interfaces that instances make.
#[derive(Debug)]
pub(super) struct DeviceNames {
    /// Who asks for a name first.
    claimed: BTreeMap<IfName, Span>,
    made: BTreeSet<IfName>,
    /// The last number in a name of this beginning and end.
    last: BTreeMap<(String, Vrid), u32>,
}

impl DeviceNames {
    pub(super) fn claimed_by(instances: &[Instance]) -> Self {
        let mut claimed = BTreeMap::new();
        for name in instances.iter().filter_map(|instance| instance.device.name()) {
            claimed.entry(name.value.clone()).or_insert(name.span);
        }
        Self { claimed, made: BTreeSet::new(), last: BTreeMap::new() }
    }

    /// The name that is asked for, if nobody has it, or else one made of the VRID.
    fn take(
        &mut self,
        asked: Option<&Spanned<IfName>>,
        prefix: &str,
        basics: Basics,
        report: &mut Report,
    ) -> Option<IfName> {
        let Some(asked) = asked else { return self.make(prefix, basics.family, basics.vrid) };
        match self.claimed.get(&asked.value) {
            Some(&first) if first != asked.span => {
                let headline =
                    format!("another instance makes the interface {}", shown(asked.value.as_str()));
                report.push(
                    Diagnostic::warning(Code::Device, asked.span, headline)
                        .label(first, "here")
                        .help("the interface gets a name made from its VRID"),
                );
                self.make(prefix, basics.family, basics.vrid)
            }
            _ => Some(asked.value.clone()),
        }
    }

    /// `vrrp.51`, `vrrp6.51`; where that is taken, `vrrp1.51` and so on for both families, as with keepalived.
    pub(super) fn make(&mut self, prefix: &str, family: Family, vrid: Vrid) -> Option<IfName> {
        let first = match family {
            Family::V4 => String::new(),
            Family::V6 => "6".to_owned(),
        };
        if let Some(name) = self.claim(name(prefix, &first, vrid)?) {
            return Some(name);
        }
        loop {
            let last = self.last.entry((prefix.to_owned(), vrid)).or_insert(0);
            *last += 1;
            let number = last.to_string();
            if let Some(name) = self.claim(name(prefix, &number, vrid)?) {
                return Some(name);
            }
        }
    }

    /// The name, if nobody has it.
    fn claim(&mut self, name: IfName) -> Option<IfName> {
        (!self.claimed.contains_key(&name) && self.made.insert(name.clone())).then_some(name)
    }
}

fn name(prefix: &str, number: &str, vrid: Vrid) -> Option<IfName> {
    let end = format!("{number}.{vrid}");
    let name = cut(prefix, IfName::MAX_BYTES.checked_sub(end.len())?) + &end;
    name.parse().ok()
}

/// As much of `text` as fits, in whole characters.
fn cut(text: &str, most: usize) -> String {
    let mut kept = String::new();
    for character in text.chars() {
        if kept.len() + character.len_utf8() > most {
            break;
        }
        kept.push(character);
    }
    kept
}

impl Instance {
    pub(super) fn own_device(
        &self,
        basics: Basics,
        transport: &Transport,
        around: &mut Surroundings<'_>,
        report: &mut Report,
    ) -> Option<OwnDevice> {
        let prefix = around.global.vmac_prefix();
        if let Some(ipvlan) = &self.device.ipvlan {
            self.warn_beside_ipvlan(ipvlan, basics, report);
            let name = around.names.take(ipvlan.value.name.as_ref(), prefix, basics, report)?;
            return Some(OwnDevice::Ipvlan(Ipvlan {
                name,
                address: ipvlan.value.address.map(|address| address.value),
                mode: ipvlan.value.mode.unwrap_or_default(),
                group: ipvlan.value.group.clone().unwrap_or(Named::Number(0)),
            }));
        }
        let Some(vmac) = &self.device.vmac else {
            self.warn_without_vmac(report);
            return None;
        };
        let name = around.names.take(vmac.value.name.as_ref(), prefix, basics, report)?;
        Some(OwnDevice::Vmac(Vmac {
            name,
            mac: mac(vmac.value.mac, basics.family, basics.vrid),
            transmit_on_base: self.transmits_on_base(vmac, basics, transport, report),
            notify_base: vmac.value.notify_base,
            group: vmac.value.group.clone().unwrap_or(Named::Number(0)),
        }))
    }

    fn warn_beside_ipvlan(&self, ipvlan: &Spanned<IpvlanDraft>, basics: Basics, report: &mut Report) {
        if let Some(vmac) = &self.device.vmac {
            let headline = "an instance has a VMAC or an ipvlan, not both; `use_vmac` has no effect";
            report.push(Diagnostic::note(Code::Device, vmac.span, headline).label(ipvlan.span, "the ipvlan"));
        }
        self.warn_without_vmac(report);
        if basics.family == Family::V4 && ipvlan.value.address.is_none() {
            let headline = "an IPv4 ipvlan needs an address of its own; the instance stays in FAULT";
            report.push(
                Diagnostic::warning(Code::Device, ipvlan.span, headline)
                    .help("write `use_ipvlan ADDRESS/LENGTH`"),
            );
        }
    }

    fn warn_without_vmac(&self, report: &mut Report) {
        let has_vmac = self.device.vmac.is_some() && self.device.ipvlan.is_none();
        if let Some(span) = self.device.transmit_on_base.filter(|_| !has_vmac) {
            let headline = "`vmac_xmit_base` has no effect without `use_vmac`";
            let sentence = format!("({}) vmac_xmit_base is only valid with a vmac", self.name.value);
            report.push(Diagnostic::warning(Code::Device, span, headline).classic(sentence));
        }
    }

    fn transmits_on_base(
        &self,
        vmac: &Spanned<VmacDraft>,
        basics: Basics,
        transport: &Transport,
        report: &mut Report,
    ) -> bool {
        let asked = self.device.transmit_on_base;
        if matches!(transport, Transport::Unicast { .. }) {
            if asked.is_none() {
                let headline = "unicast advertisements cannot leave through a VMAC; they leave below it";
                report.push(
                    Diagnostic::warning(Code::Device, vmac.span, headline).help("add `vmac_xmit_base`"),
                );
            }
            return true;
        }
        if let Some(span) = asked.filter(|_| basics.strict) {
            report.push(strict_mode(span, "`vmac_xmit_base`; the line has no effect"));
            return false;
        }
        asked.is_some()
    }

    /// The kernel's setting belongs to real interfaces.
    pub(super) fn promotes_secondaries(&self, device: Option<&OwnDevice>, report: &mut Report) -> bool {
        let Some(span) = self.holding.promote_secondaries else { return false };
        if matches!(device, Some(OwnDevice::Vmac(_))) {
            let headline = "a VMAC always promotes secondary addresses; the line has no effect";
            report.push(Diagnostic::warning(Code::Device, span, headline));
            return false;
        }
        true
    }
}

/// As configured, or the virtual router's own (RFC 9568 §7.3).
pub(super) fn mac(configured: Option<Octets>, family: Family, vrid: Vrid) -> MacAddr {
    let vrid = vrid.get();
    let family = match family {
        Family::V4 => 1,
        Family::V6 => 2,
    };
    match configured {
        Some(Octets::Six(octets)) => MacAddr(octets),
        Some(Octets::Five([a, b, c, d, e])) => MacAddr([a, b, c, d, e, vrid]),
        None => MacAddr([0, 0, 0x5e, 0, family, vrid]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_cut_between_characters() {
        assert_eq!(cut("vrrp", 11), "vrrp");
        assert_eq!(cut("vrrp", 2), "vr");
        assert_eq!(cut("éé", 3), "é");
        assert_eq!(cut("é", 1), "");
    }
}
