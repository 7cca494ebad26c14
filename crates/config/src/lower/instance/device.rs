//! `use_vmac`, `use_ipvlan` and what belongs to them.

use std::net::IpAddr;

use model::vrrp::IpvlanMode;
use model::{IfName, MacAddr, Named, Prefix};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::{self, Block};
use crate::lexer::Word;
use crate::lower::names::{GROUPS, HostName};
use crate::lower::{Report, Setting, Spanned};
use crate::number;
use crate::source::Span;

/// The interface that an instance makes, as it was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeviceDraft {
    pub(crate) vmac: Option<Spanned<VmacDraft>>,
    pub(crate) ipvlan: Option<Spanned<IpvlanDraft>>,
    /// `vmac_xmit_base`.
    pub(crate) transmit_on_base: Option<Span>,
    /// `use_vmac_addr`.
    pub(crate) vmac_for_addresses: bool,
}

/// `use_vmac`.
#[derive(Clone, Debug, Default)]
pub(crate) struct VmacDraft {
    pub(crate) name: Option<Spanned<IfName>>,
    pub(crate) mac: Option<Octets>,
    pub(crate) notify_base: bool,
    pub(crate) group: Option<Named<u32>>,
}

/// `use_ipvlan`.
#[derive(Clone, Debug, Default)]
pub(crate) struct IpvlanDraft {
    pub(crate) name: Option<Spanned<IfName>>,
    pub(crate) address: Option<Spanned<Prefix>>,
    pub(crate) mode: Option<IpvlanMode>,
    pub(crate) group: Option<Named<u32>>,
}

/// A MAC, perhaps without its last octet, which is then the VRID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Octets {
    Six([u8; 6]),
    Five([u8; 5]),
}

impl DeviceDraft {
    /// Nothing said.
    pub(crate) const EMPTY: Self =
        Self { vmac: None, ipvlan: None, transmit_on_base: None, vmac_for_addresses: false };

    /// Takes a line, if it is about VMACs. `use_ipvlan` is not: its address may settle the family.
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "use_vmac" => {
                let empty = Spanned { value: VmacDraft::default(), span: setting.span() };
                self.vmac.get_or_insert(empty).value.read(setting, report);
            }
            "vmac_xmit_base" => {
                setting.flag(report);
                self.transmit_on_base = Some(setting.span());
            }
            "use_vmac_addr" => self.vmac_for_addresses = setting.flag(report),
            _ => return false,
        }
        true
    }

    /// The name that is asked for.
    pub(crate) fn name(&self) -> Option<&Spanned<IfName>> {
        let vmac = self.vmac.as_ref().and_then(|vmac| vmac.value.name.as_ref());
        vmac.or_else(|| self.ipvlan.as_ref().and_then(|ipvlan| ipvlan.value.name.as_ref()))
    }
}

impl VmacDraft {
    fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let mut words = setting.node.arguments().iter();
        while let Some(word) = words.next() {
            match word.text.as_ref() {
                "netlink_notify_msg" => self.notify_base = true,
                "group" => self.group = link_group(word, words.next(), report).or_else(|| self.group.take()),
                "name" => {
                    if let Some(name) = value(word, words.next(), report) {
                        set_name(&mut self.name, name, report);
                    }
                }
                text if text.contains(':') => self.set_mac(word, report),
                _ => set_name(&mut self.name, word, report),
            }
        }
    }

    fn set_mac(&mut self, word: &Word<'_>, report: &mut Report) {
        let (mac, is_whole) = match mac(&word.text) {
            Ok(mac) => mac,
            Err(problem) => {
                report.push(
                    Diagnostic::warning(Code::Device, word.span, format!("{} {problem}", shown(&word.text)))
                        .help("write five or six octets as in `02:00:5e:10:00:33`; the word is ignored"),
                );
                return;
            }
        };
        if self.mac.is_some() {
            let headline = "the VMAC has a MAC already; the word is ignored";
            report.push(Diagnostic::warning(Code::DuplicateEntry, word.span, headline));
            return;
        }
        if !is_whole {
            let headline = "what follows the sixth octet is ignored";
            report.push(Diagnostic::note(Code::ExtraWords, word.span, headline));
        }
        if mac == Octets::Six(MacAddr::ZERO.0) {
            let headline = "a MAC of zeros is none; that of the virtual router is used";
            report.push(Diagnostic::note(Code::Device, word.span, headline));
            return;
        }
        self.mac = Some(mac);
    }
}

/// Octets with one or two digits each; whether these are all.
fn mac(text: &str) -> Result<(Octets, bool), &'static str> {
    let mut octets = Vec::new();
    let mut parts = text.split(':');
    for part in parts.by_ref().take(6) {
        let is_octet = (1..=2).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        let octet = u8::from_str_radix(part, 16).ok().filter(|_| is_octet);
        octets.push(octet.ok_or("is no MAC")?);
    }
    let is_whole = parts.next().is_none();
    if octets.first().is_some_and(|first| first & 1 == 1) {
        return Err("is a multicast MAC");
    }
    if matches!(octets.as_slice(), [0, 0, 0x5e, 0, 1 | 2, ..]) {
        return Err("is reserved to virtual routers, which get it without being told");
    }
    match *octets.as_slice() {
        [a, b, c, d, e, f] => Ok((Octets::Six([a, b, c, d, e, f]), is_whole)),
        [a, b, c, d, e] => Ok((Octets::Five([a, b, c, d, e]), is_whole)),
        _ => Err("has fewer than five octets"),
    }
}

impl IpvlanDraft {
    /// The words of `use_ipvlan`.
    pub(super) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Self {
        let mut draft = Self::default();
        let mut words = setting.node.arguments().iter();
        while let Some(word) = words.next() {
            match word.text.as_ref() {
                "bridge" => draft.set_mode(IpvlanMode::Bridge, word, report),
                "private" => draft.set_mode(IpvlanMode::Private, word, report),
                "vepa" => draft.set_mode(IpvlanMode::Vepa, word, report),
                "group" => {
                    draft.group = link_group(word, words.next(), report).or_else(|| draft.group.take())
                }
                "name" => {
                    if let Some(name) = value(word, words.next(), report) {
                        set_name(&mut draft.name, name, report);
                    }
                }
                text => match address(text) {
                    Some(Ok(prefix)) if draft.address.is_none() => {
                        draft.address = Some(Spanned { value: prefix, span: word.span });
                    }
                    Some(Ok(_)) => {
                        let headline = "the ipvlan has an address already; the word is ignored";
                        report.push(Diagnostic::warning(Code::DuplicateEntry, word.span, headline));
                    }
                    Some(Err(problem)) => {
                        let headline = format!("{} {problem}; it is ignored", shown(text));
                        report.push(Diagnostic::warning(Code::InvalidAddress, word.span, headline));
                    }
                    None => set_name(&mut draft.name, word, report),
                },
            }
        }
        draft
    }

    fn set_mode(&mut self, mode: IpvlanMode, word: &Word<'_>, report: &mut Report) {
        if self.mode.is_some() {
            let headline = format!("the ipvlan has a mode already; {} is ignored", shown(&word.text));
            report.push(Diagnostic::warning(Code::DuplicateEntry, word.span, headline));
        } else {
            self.mode = Some(mode);
        }
    }
}

/// `ADDRESS[/LENGTH]`; `None` if it does not look like one.
fn address(text: &str) -> Option<Result<Prefix, &'static str>> {
    let (address, length) =
        text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let address: IpAddr = address.parse().ok()?;
    let Some(length) = length else { return Some(Ok(Prefix::host(address))) };
    let length = number::integer(length).ok().and_then(|length| u8::try_from(length).ok());
    Some(length.and_then(|length| Prefix::new(address, length).ok()).ok_or("has no valid prefix length"))
}

/// The word after an option.
fn value<'n, 'a>(option: &Word<'a>, next: Option<&'n Word<'a>>, report: &mut Report) -> Option<&'n Word<'a>> {
    if next.is_none() {
        let headline = format!("{} needs a value; it is ignored", shown(&option.text));
        report.push(Diagnostic::warning(Code::MissingArgument, option.span, headline));
    }
    next
}

/// A number, or a name of the host's iproute2 tables.
fn link_group(option: &Word<'_>, next: Option<&Word<'_>>, report: &mut Report) -> Option<Named<u32>> {
    let word = value(option, next, report)?;
    if word.text == "default" {
        return Some(Named::Number(0));
    }
    match number::integer(&word.text) {
        Ok(group) => match u32::try_from(group) {
            Ok(group @ 0..=0x7fff_ffff) => Some(Named::Number(group)),
            _ => {
                let headline = format!("{} is out of range for `group`; it is ignored", shown(&word.text));
                report.push(
                    Diagnostic::warning(Code::OutOfRange, word.span, headline)
                        .help("a link group is 0 to 2147483647, or a name"),
                );
                None
            }
        },
        Err(_) => {
            let group = Named::Name(word.text.clone().into_owned());
            report.names.extend(HostName::of(&group, &GROUPS, word));
            Some(group)
        }
    }
}

fn set_name(slot: &mut Option<Spanned<IfName>>, word: &Word<'_>, report: &mut Report) {
    if let Some(known) = slot {
        let headline = format!("the interface has a name already; {} is ignored", shown(&word.text));
        let mut diagnostic =
            Diagnostic::warning(Code::Device, word.span, headline).label(known.span, "this is its name");
        let options = Block::Vmac.keywords().chain(Block::Ipvlan.keywords());
        if let Some(near) = keyword::nearest_of(&word.text, options, |option| option.name) {
            diagnostic = diagnostic.help(format!("did you mean `{}`?", near.name));
        }
        report.push(diagnostic);
        return;
    }
    match word.text.parse() {
        Ok(value) => *slot = Some(Spanned { value, span: word.span }),
        Err(error) => {
            let headline = format!("{} cannot be an interface: {error}", shown(&word.text));
            report.push(
                Diagnostic::warning(Code::InvalidInterface, word.span, headline)
                    .help("the word is ignored; the interface gets a name made from its VRID"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_have_five_or_six_octets() {
        assert_eq!(mac("02:11:22:33:44:5"), Ok((Octets::Six([2, 0x11, 0x22, 0x33, 0x44, 5]), true)));
        assert_eq!(mac("02:11:22:33:44"), Ok((Octets::Five([2, 0x11, 0x22, 0x33, 0x44]), true)));
        assert_eq!(mac("02:11:22:33:44:55:66").map(|(_, is_whole)| is_whole), Ok(false));
        for bad in ["a:b", "02:11:22:33:44:zz", "002:11:22:33:44:55", ":11:22:33:44:55", "03:11:22:33:44:55"]
        {
            assert!(mac(bad).is_err(), "{bad}");
        }
        assert!(mac("00:00:5e:00:02:33").is_err(), "reserved");
        assert!(mac("00:00:5e:00:01").is_err(), "reserved");
    }

    #[test]
    fn addresses_may_have_a_length() {
        assert_eq!(address("192.0.2.1").map(|prefix| prefix.map(Prefix::length)), Some(Ok(32)));
        assert!(matches!(address("192.0.2.1/33"), Some(Err(_))));
        assert!(address("ipv51").is_none());
    }
}
