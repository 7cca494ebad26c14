//! `virtual_server_group`.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;

use model::Family;
use model::lvs::{AddressRange, Member, ServerGroup};

use crate::diagnostic::{Code, Diagnostic, shown, shown_bare};
use crate::lexer::Word;
use crate::lower::{Report, Setting, Spanned};
use crate::number;

use super::address;

/// `virtual_server_group`, as it was written.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: Spanned<Box<str>>,
    pub(super) members: Vec<Entry>,
    summary: OnceCell<Summary>,
}

/// What virtual servers ask of the members of a group, however many there are of both.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) has_addresses: bool,
    pub(super) has_marks: bool,
    /// A line has no port, which only a persistent service can have.
    pub(super) lacks_port: bool,
    /// The ports of its addresses.
    pub(super) ports: BTreeSet<Option<NonZeroU16>>,
    /// The families that its lines say.
    pub(super) families: Vec<Family>,
}

/// One line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    Addresses {
        range: AddressRange,
        port: Option<NonZeroU16>,
    },
    /// `None` as the family of the real servers.
    Fwmark {
        mark: u32,
        family: Option<Family>,
    },
}

impl Entry {
    /// The family of its clients, if the line says.
    pub(super) fn family(&self) -> Option<Family> {
        match self {
            Self::Addresses { range, .. } => Some(Family::from(range.first())),
            Self::Fwmark { family, .. } => *family,
        }
    }
}

impl Group {
    pub(super) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        let name = setting.block_name(report)?.map(String::into_boxed_str);
        if let Some(extra) = setting.node.arguments().get(1) {
            let headline = "a group has one name";
            report.push(Diagnostic::error(Code::ExtraWords, extra.span, headline).help("take this word out"));
        }
        let lines = setting.node.children().iter().map(|node| node.statement.words.as_slice());
        let members = lines.filter_map(|words| entry(words, report)).collect();
        let group = Self { name, members, summary: OnceCell::new() };
        group.check(report).then_some(group)
    }

    /// A group that keepalived would use.
    fn check(&self, report: &mut Report) -> bool {
        let has = |family| self.members.iter().any(|entry| entry.family() == family);
        let mut sentence = None;
        let (headline, help) = if self.members.is_empty() {
            let headline = format!("the group {} has no members; it is ignored", shown(&self.name.value));
            let name = &self.name.value;
            sentence = Some(format!("virtual server group {name} has no entries - removing"));
            (headline, "write one address, range or `fwmark NUMBER` on each line")
        } else if has(None) && has(Some(Family::V4)) && has(Some(Family::V6)) {
            let name = shown(&self.name.value);
            let headline =
                format!("the group {name} has both families and a mark without one; it is ignored");
            (headline, "write `fwmark NUMBER inet` or `fwmark NUMBER inet6`")
        } else {
            return true;
        };
        let diagnostic = Diagnostic::warning(Code::UnusableGroup, self.name.span, headline).help(help);
        report.push(Diagnostic { classic: sentence, ..diagnostic });
        false
    }

    pub(super) fn summary(&self) -> &Summary {
        self.summary.get_or_init(|| {
            let has = |family| self.members.iter().any(|entry| entry.family() == Some(family));
            let ports = self.members.iter().filter_map(|entry| match entry {
                Entry::Addresses { port, .. } => Some(*port),
                Entry::Fwmark { .. } => None,
            });
            let ports: BTreeSet<_> = ports.collect();
            Summary {
                has_addresses: !ports.is_empty(),
                has_marks: self.members.iter().any(|entry| matches!(entry, Entry::Fwmark { .. })),
                lacks_port: ports.contains(&None),
                ports,
                families: [Family::V4, Family::V6].into_iter().filter(|family| has(*family)).collect(),
            }
        })
    }

    pub(super) fn resolve(self, families: &BTreeMap<Box<str>, Family>) -> ServerGroup {
        let addresses = self.members.iter().find(|entry| matches!(entry, Entry::Addresses { .. }));
        let servers = addresses
            .and_then(Entry::family)
            .or_else(|| families.get(&self.name.value).copied())
            .unwrap_or(Family::V4);
        let member = |entry| match entry {
            Entry::Addresses { range, port } => Member::Addresses { range, port },
            Entry::Fwmark { mark, family } => Member::Fwmark { mark, family: family.unwrap_or(servers) },
        };
        ServerGroup { members: self.members.into_iter().map(member).collect(), name: self.name.value }
    }
}

fn entry(words: &[Word<'_>], report: &mut Report) -> Option<Entry> {
    let (first, rest) = words.split_first()?;
    note_extra(rest.get(if first.text == "fwmark" { 2 } else { 1 }), report);
    if first.text == "fwmark" {
        return fwmark(first, rest, report);
    }
    let Some(range) = range(first, report) else {
        let (address, port) =
            (shown_bare(&first.text), rest.first().map(|word| shown_bare(&word.text)).unwrap_or_default());
        report.diagnostics.say_classic(format!(
            "Invalid virtual server group IP address {address} /port/{port} - skipping"
        ));
        return None;
    };
    let port = match rest.first() {
        Some(word) => address::port(word, report)?,
        None => None,
    };
    Some(Entry::Addresses { range, port })
}

fn note_extra(extra: Option<&Word<'_>>, report: &mut Report) {
    if let Some(extra) = extra {
        let headline = "what follows here is ignored";
        report.push(
            Diagnostic::note(Code::ExtraWords, extra.span, headline).help("write one entry on each line"),
        );
    }
}

fn fwmark(keyword: &Word<'_>, rest: &[Word<'_>], report: &mut Report) -> Option<Entry> {
    let Some(mark) = rest.first() else {
        let headline = "`fwmark` needs a number";
        report.push(
            Diagnostic::error(Code::MissingArgument, keyword.span, headline).help("write `fwmark NUMBER`"),
        );
        return None;
    };
    let family = match rest.get(1).map(|word| (word.text.as_ref(), word.span)) {
        None => None,
        Some(("inet", _)) => Some(Family::V4),
        Some(("inet6", _)) => Some(Family::V6),
        Some((other, span)) => {
            let headline = format!("{} is no address family; the line is ignored", shown(other));
            report.push(
                Diagnostic::warning(Code::InvalidChoice, span, headline).help("write `inet` or `inet6`"),
            );
            return None;
        }
    };
    mark_number(mark, report).map(|mark| Entry::Fwmark { mark, family })
}

/// The number of a mark.
pub(super) fn mark_number(word: &Word<'_>, report: &mut Report) -> Option<u32> {
    let mark = number::integer(&word.text).ok().and_then(|mark| u32::try_from(mark).ok());
    if mark.is_none() {
        let headline = format!("{} is no firewall mark; it is ignored", shown(&word.text));
        report.push(
            Diagnostic::warning(Code::OutOfRange, word.span, headline).help("the range is 0 to 4294967295"),
        );
    }
    mark
}

/// `ADDRESS`, `ADDRESS-LAST`, `ADDRESS-ADDRESS` or `ADDRESS/PREFIX`.
fn range(word: &Word<'_>, report: &mut Report) -> Option<AddressRange> {
    match parse_range(&word.text) {
        Ok(range) => Some(range),
        Err(what) => {
            let headline = format!("{} {what}", shown(&word.text));
            report.push(
                Diagnostic::warning(Code::InvalidAddress, word.span, headline).help(
                    "write ADDRESS, ADDRESS-ADDRESS, ADDRESS-LAST or ADDRESS/PREFIX; the line is ignored",
                ),
            );
            None
        }
    }
}

fn parse_range(text: &str) -> Result<AddressRange, &'static str> {
    let address =
        |text: &str| text.parse::<IpAddr>().map_err(|_| "is not an address or a range of addresses");
    if let Some((first, length)) = text.split_once('/') {
        let length = number::integer(length).ok().and_then(|length| u8::try_from(length).ok());
        return network(address(first)?, length.ok_or("has no valid prefix length")?);
    }
    let Some((first, last)) = text.split_once('-') else {
        return address(text).map(AddressRange::single);
    };
    let first = address(first)?;
    let last = match last.parse() {
        Ok(last) => last,
        Err(_) => last_address(first, last)?,
    };
    AddressRange::new(first, last).ok_or("does not end after it begins")
}

/// `192.0.2.1-9` and `2001:db8::1-ff`: the last part of an address alone.
fn last_address(first: IpAddr, last: &str) -> Result<IpAddr, &'static str> {
    let (digits, radix, most) = match first {
        IpAddr::V4(_) => (last, 10, 0xff),
        IpAddr::V6(_) => (last, 16, 0xffff),
    };
    let valid = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    let last = u16::from_str_radix(digits, radix).ok().filter(|last| valid && *last <= most);
    let last = last.ok_or("has no valid end")?;
    let address = match first {
        IpAddr::V4(first) => Ipv4Addr::from_bits((first.to_bits() & !0xff) | u32::from(last)).into(),
        IpAddr::V6(first) => Ipv6Addr::from_bits((first.to_bits() & !0xffff) | u128::from(last)).into(),
    };
    if address > first { Ok(address) } else { Err("does not end after it begins") }
}

/// All addresses of a network.
fn network(address: IpAddr, length: u8) -> Result<AddressRange, &'static str> {
    let (host_bits, last) = match address {
        IpAddr::V4(address) if (1..=32).contains(&length) => {
            let mask = u32::MAX.checked_shr(length.into()).unwrap_or_default();
            (address.to_bits() & mask != 0, IpAddr::from(Ipv4Addr::from_bits(address.to_bits() | mask)))
        }
        IpAddr::V6(address) if (1..=128).contains(&length) => {
            let mask = u128::MAX.checked_shr(length.into()).unwrap_or_default();
            (address.to_bits() & mask != 0, IpAddr::from(Ipv6Addr::from_bits(address.to_bits() | mask)))
        }
        IpAddr::V4(_) | IpAddr::V6(_) => return Err("has no valid prefix length"),
    };
    if host_bits {
        return Err("has host bits");
    }
    AddressRange::new(address, last).ok_or("does not end after it begins")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let ends =
            |text: &str| parse_range(text).map(|range| (range.first().to_string(), range.last().to_string()));
        for (text, first, last) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
            ("192.0.2.1-9", "192.0.2.1", "192.0.2.9"),
            ("192.0.2.9-192.0.3.1", "192.0.2.9", "192.0.3.1"),
            ("192.0.2.8/30", "192.0.2.8", "192.0.2.11"),
            ("192.0.2.8/32", "192.0.2.8", "192.0.2.8"),
            ("2001:db8::1-ff", "2001:db8::1", "2001:db8::ff"),
            ("2001:db8::/127", "2001:db8::", "2001:db8::1"),
        ] {
            assert_eq!(ends(text), Ok((first.to_owned(), last.to_owned())), "{text}");
        }
        for text in [
            "",
            "-",
            "a",
            "192.0.2.9-7",
            "192.0.2.9-9",
            "192.0.2.9-256",
            "192.0.2.9-x",
            "192.0.2.9-",
            "192.0.2.9-+10",
            "192.0.2.9-2001:db8::1",
            "192.0.2.9/24",
            "192.0.2.9/33",
            "0.0.0.0/0",
            "2001:db8::1-10000",
            "1.1.1.1/",
            "192.0.2.9-192.0.2.1",
        ] {
            assert!(parse_range(text).is_err(), "{text}");
        }
    }
}
