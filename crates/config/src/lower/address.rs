//! Entries of `virtual_ipaddress` and `virtual_ipaddress_excluded`.

use std::net::{IpAddr, Ipv4Addr};

use model::vrrp::VirtualAddress;
use model::{IfName, Prefix};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::{self, Arguments, Block, Loss, Status};
use crate::lexer::Word;
use crate::lower::{Report, Setting, setting};
use crate::number;
use crate::source::Span;

/// What the kernel takes, without the final NUL.
const LONGEST_LABEL: usize = 15;

/// One entry as it was written.
#[derive(Clone, Debug)]
pub(crate) struct AddressDraft {
    pub(crate) span: Span,
    pub(crate) prefix: Prefix,
    device: Option<IfName>,
    scope: u8,
    broadcast: Option<Ipv4Addr>,
    label: Option<String>,
}

impl AddressDraft {
    /// The entries of a block.
    pub(crate) fn read_all(block: Setting<'_, '_>, report: &mut Report) -> Vec<Self> {
        let Some(kind) = block.keyword.opens else { return Vec::new() };
        let lines = block.node.children().iter().map(|node| &node.statement.words);
        lines.filter_map(|words| Self::read(words, kind, report)).collect()
    }

    fn read(words: &[Word<'_>], block: Block, report: &mut Report) -> Option<Self> {
        let (first, options) = words.split_first()?;
        let (prefix, network) = prefix(first, report)?;
        let mut draft =
            Self { span: first.span, prefix, device: None, scope: 0, broadcast: None, label: None };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            match option.text.as_ref() {
                "dev" => {
                    draft.device =
                        Some(setting::interface(value(option, &mut options, report)?, report)?.value)
                }
                "scope" => {
                    let word = value(option, &mut options, report)?;
                    draft.scope = scope(word, report).unwrap_or(draft.scope);
                }
                "brd" | "broadcast" => {
                    let word = value(option, &mut options, report)?;
                    draft.broadcast = broadcast(word, network, report).or(draft.broadcast);
                }
                "label" => draft.label = Some(label(value(option, &mut options, report)?, report)?),
                _ => {
                    if report_option(option, block, report) {
                        options.next();
                    }
                }
            }
        }
        Some(draft)
    }

    /// The device that it names, or else `interface`.
    pub(crate) fn device<'a>(&'a self, interface: &'a IfName) -> &'a IfName {
        self.device.as_ref().unwrap_or(interface)
    }

    /// The address on `interface`, unless it names another device.
    pub(crate) fn resolve(&self, interface: &IfName, advertised: Advertised) -> VirtualAddress {
        VirtualAddress {
            scope: model::Scope(self.scope).into(),
            broadcast: self.broadcast,
            label: self.label.clone(),
            advertised: advertised == Advertised::Yes,
            ..VirtualAddress::new(self.prefix, self.device(interface).clone())
        }
    }
}

/// Whether advertisements list an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advertised {
    Yes,
    No,
}

/// An IPv4 address with its prefix length.
#[derive(Clone, Copy, Debug)]
struct Network {
    address: Ipv4Addr,
    length: u8,
}

fn prefix(word: &Word<'_>, report: &mut Report) -> Option<(Prefix, Network)> {
    let (address, length) = match word.text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (word.text.as_ref(), None),
    };
    let address = match address.parse() {
        Ok(IpAddr::V4(address)) => address,
        Ok(IpAddr::V6(_)) => {
            report.lacks("IPv6", Status::Planned(Loss::Meaning), word.span);
            return None;
        }
        Err(_) => {
            let headline = format!("{} is not an address", shown(&word.text));
            report.push(
                Diagnostic::warning(Code::InvalidAddress, word.span, headline)
                    .help("write `ADDRESS/LENGTH`; the entry is ignored"),
            );
            return None;
        }
    };
    let length = length.map_or(32, |length| prefix_length(length, word, report));
    Prefix::new(address.into(), length).ok().map(|prefix| (prefix, Network { address, length }))
}

fn prefix_length(text: &str, word: &Word<'_>, report: &mut Report) -> u8 {
    match number::integer(text).ok().and_then(|length| u8::try_from(length).ok()) {
        Some(length @ ..=32) => length,
        _ => {
            let headline = format!("{} has no valid prefix length; 32 is used", shown(&word.text));
            report.push(
                Diagnostic::warning(Code::OutOfRange, word.span, headline)
                    .help("the range is 0 to 32 for IPv4"),
            );
            32
        }
    }
}

/// The word after an option. keepalived stops at once if there is none.
fn value<'n, 'a: 'n>(
    option: &Word<'a>,
    rest: &mut impl Iterator<Item = &'n Word<'a>>,
    report: &mut Report,
) -> Option<&'n Word<'a>> {
    let value = rest.next();
    if value.is_none() {
        let headline = format!("`{}` needs a value", option.text);
        report.push(Diagnostic::error(Code::MissingArgument, option.span, headline));
    }
    value
}

/// The kernel's numbers (`/etc/iproute2/rt_scopes` is not read).
fn scope(word: &Word<'_>, report: &mut Report) -> Option<u8> {
    let scope = match word.text.as_ref() {
        "global" => Some(0),
        "site" => Some(200),
        "link" => Some(253),
        "host" => Some(254),
        "nowhere" => Some(255),
        text => number::based(text).ok().and_then(|scope| u8::try_from(scope).ok()),
    };
    if scope.is_none() {
        let headline = format!("{} is no scope; it is ignored", shown(&word.text));
        report.push(
            Diagnostic::warning(Code::InvalidChoice, word.span, headline)
                .help("write `global`, `site`, `link`, `host`, `nowhere` or a number up to 255"),
        );
    }
    scope
}

/// An address, or `+` and `-` for the network's own with host bits set or cleared.
fn broadcast(word: &Word<'_>, Network { address, length }: Network, report: &mut Report) -> Option<Ipv4Addr> {
    let host_bits = u32::MAX.checked_shr(length.into()).unwrap_or_default();
    let found = match word.text.as_ref() {
        "+" => Some(Ipv4Addr::from_bits(address.to_bits() | host_bits)),
        "-" => Some(Ipv4Addr::from_bits(address.to_bits() & !host_bits)),
        text => text.parse().ok(),
    };
    if found.is_none() {
        let headline = format!("{} is no IPv4 broadcast address; it is ignored", shown(&word.text));
        report.push(
            Diagnostic::warning(Code::InvalidAddress, word.span, headline)
                .help("write an address, `+` or `-`"),
        );
    }
    found
}

fn label(word: &Word<'_>, report: &mut Report) -> Option<String> {
    if word.text.len() > LONGEST_LABEL {
        let headline = format!("the label {} is longer than {LONGEST_LABEL} bytes", shown(&word.text));
        report.push(
            Diagnostic::warning(Code::OutOfRange, word.span, headline).help("the whole address is ignored"),
        );
        return None;
    }
    Some(word.text.clone().into_owned())
}

/// Reports a word that has no effect on an address; gives whether a value follows it.
fn report_option(option: &Word<'_>, block: Block, report: &mut Report) -> bool {
    if let Some(keyword) = keyword::lookup(block, &option.text)
        && keyword.status != Status::Built
    {
        report.lacks(keyword.name, keyword.status, option.span);
        return keyword.arguments != Arguments::Flag;
    }
    let headline = format!("{} is no option of an address; it is ignored", shown(&option.text));
    let diagnostic = Diagnostic::warning(Code::InvalidChoice, option.span, headline);
    let is_address = option.text.split('/').next().is_some_and(|text| text.parse::<IpAddr>().is_ok());
    report.push(if is_address {
        diagnostic.help("each address needs a line of its own")
    } else {
        diagnostic
    });
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn broadcasts_follow_the_prefix() {
        let mut sources = crate::SourceMap::default();
        let span = Span::new(sources.add("t", b""), 0..0);
        let at = |text: &'static str, length| {
            let word = Word { text: Cow::Borrowed(text), span };
            broadcast(
                &word,
                Network { address: Ipv4Addr::new(192, 0, 2, 77), length },
                &mut Report::default(),
            )
        };
        assert_eq!(at("+", 24), Some(Ipv4Addr::new(192, 0, 2, 255)));
        assert_eq!(at("-", 26), Some(Ipv4Addr::new(192, 0, 2, 64)));
        assert_eq!(at("+", 32), Some(Ipv4Addr::new(192, 0, 2, 77)));
        assert_eq!(at("+", 0), Some(Ipv4Addr::BROADCAST));
        assert_eq!(at("192.0.2.127", 24), Some(Ipv4Addr::new(192, 0, 2, 127)));
        assert_eq!(at("::1", 24), None);
    }
}
