//! Entries of `virtual_ipaddress`, `virtual_ipaddress_excluded` and `static_ipaddress`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use model::address::{Flags, Lifetime};
use model::vrrp::VirtualAddress;
use model::{IfName, Named, Prefix, Scope};

use crate::diagnostic::{Code, Diagnostic, shown, shown_bare};
use crate::keyword::{self, Block};
use crate::lexer::Word;
use crate::lower::entry::{Entry, Written};
use crate::lower::names::{HostName, SCOPES};
use crate::lower::{Report, Setting, Spanned, setting};
use crate::number;
use crate::source::Span;

/// What the kernel takes, without the final NUL.
const LONGEST_LABEL: usize = 15;

/// The longest IPv4 prefix that leaves room for a broadcast address (RFC 3021).
const LONGEST_WITH_BROADCAST: u8 = 30;

/// What has no effect on an IPv4 address, now or ever.
const ONLY_IPV6: [&str; 4] = ["home", "-nodad", "mngtmpaddr", "preferred_lft"];

/// One entry as it was written.
#[derive(Clone, Debug)]
pub(crate) struct AddressDraft {
    pub(crate) span: Span,
    pub(crate) prefix: Prefix,
    device: Option<IfName>,
    scope: Named<Scope>,
    broadcast: Option<Spanned<Broadcast>>,
    label: Option<String>,
    peer: Option<Spanned<IpAddr>>,
    flags: Flags,
    preferred: Option<Lifetime>,
    tracked: bool,
    pub(crate) use_vmac: bool,
    /// `track_group`, of static addresses.
    pub(crate) track_group: Option<Spanned<String>>,
}

/// What follows `brd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broadcast {
    /// `+`: all host bits set.
    Ones,
    /// `-`: all host bits clear.
    Zeros,
    Address(Ipv4Addr),
}

impl AddressDraft {
    /// The entries of a block.
    pub(crate) fn read_all(block: Setting<'_, '_>, report: &mut Report) -> Vec<Self> {
        let Some(kind) = block.keyword.opens else { return Vec::new() };
        let lines = block.node.children().iter().map(|node| node.statement.words.as_slice());
        lines.filter_map(|words| Self::read(Entry::new(words, kind, "address"), kind, report)).collect()
    }

    fn read(mut entry: Entry<'_, '_>, block: Block, report: &mut Report) -> Option<Self> {
        let first = entry.next()?;
        let mut draft = Self::new(first.span, prefix(first, report)?);
        while let Some(option) = entry.next() {
            // A word that only the other kind of list knows is none here.
            let Some(keyword) = keyword::lookup(block, &option.text) else {
                report_option(option, block, report);
                continue;
            };
            if draft.is_ipv6() || !ONLY_IPV6.contains(&keyword.name) {
                report.lacks(keyword.name, keyword.status, option.span);
            }
            draft.set(option, &mut entry, report)?;
        }
        draft.settle(report);
        Some(draft)
    }

    const fn new(span: Span, prefix: Prefix) -> Self {
        Self {
            span,
            prefix,
            device: None,
            scope: Named::Number(Scope::GLOBAL),
            broadcast: None,
            label: None,
            peer: None,
            flags: Flags::NONE,
            preferred: None,
            tracked: true,
            use_vmac: false,
            track_group: None,
        }
    }

    /// Reads one option. `None` makes the entry void.
    fn set(&mut self, option: &Word<'_>, entry: &mut Entry<'_, '_>, report: &mut Report) -> Option<()> {
        match option.text.as_ref() {
            "dev" => self.set_device(option, value(option, entry, report)?, report)?,
            "scope" => self.set_scope(option, value(option, entry, report)?, report),
            "brd" | "broadcast" => self.set_broadcast(value(option, entry, report)?, report)?,
            "label" => self.set_label(value(option, entry, report)?, report)?,
            "peer" => self.set_peer(option, value(option, entry, report)?, report),
            "preferred_lft" => self.set_preferred(option, value(option, entry, report)?, report),
            "track_group" => {
                let word = value(option, entry, report)?;
                set_track_group(&mut self.track_group, word, entry.noun(), report);
            }
            "home" => self.flags.home = self.acts_on_ipv6(option, report),
            "-nodad" => self.flags.duplicate_detection = self.acts_on_ipv6(option, report),
            "mngtmpaddr" => self.flags.temporary_addresses = self.acts_on_ipv6(option, report),
            "noprefixroute" => self.flags.no_prefix_route = true,
            "autojoin" => self.flags.autojoin = true,
            "no_track" => self.tracked = false,
            "use_vmac" => self.use_vmac = true,
            _ => {}
        }
        Some(())
    }

    fn set_device(&mut self, option: &Word<'_>, word: &Word<'_>, report: &mut Report) -> Option<()> {
        if self.device.is_some() {
            let headline = "an address has one `dev`";
            report.push(
                Diagnostic::warning(Code::Repeated, option.span.to(word.span), headline)
                    .help("the whole address is ignored; write it once for each interface"),
            );
            return None;
        }
        self.device = Some(setting::interface(word, report)?.value);
        Some(())
    }

    /// IPv6 addresses have the scope that they begin with.
    fn set_scope(&mut self, option: &Word<'_>, word: &Word<'_>, report: &mut Report) {
        let scope = SCOPES.read(&word.text, |value| u8::try_from(value).ok().map(Scope));
        match scope {
            _ if self.is_ipv6() => report.push(ipv4_only(option, word)),
            Some(scope) => {
                report.names.extend(HostName::of(&scope, &SCOPES, word));
                self.scope = scope;
            }
            None => {
                let headline = format!("{} is no scope; it is ignored", shown(&word.text));
                report.push(
                    Diagnostic::warning(Code::InvalidChoice, word.span, headline).help(SCOPES.advice()),
                );
            }
        }
    }

    fn set_broadcast(&mut self, word: &Word<'_>, report: &mut Report) -> Option<()> {
        if self.is_ipv6() {
            let headline = "IPv6 has no broadcast addresses";
            report.push(
                Diagnostic::warning(Code::InvalidAddress, word.span, headline)
                    .help("leave `brd` out; the whole address is ignored"),
            );
            return None;
        }
        let value = match word.text.as_ref() {
            "+" => Some(Broadcast::Ones),
            "-" => Some(Broadcast::Zeros),
            text => text.parse().ok().map(Broadcast::Address),
        };
        if value.is_none() {
            let headline = format!("{} is no IPv4 broadcast address", shown(&word.text));
            report.push(
                Diagnostic::warning(Code::InvalidAddress, word.span, headline)
                    .help("write an address, `+` or `-`; the whole address is ignored"),
            );
        }
        self.broadcast = Some(Spanned { value: value?, span: word.span });
        Some(())
    }

    fn set_label(&mut self, word: &Word<'_>, report: &mut Report) -> Option<()> {
        if self.is_ipv6() {
            let headline = "IPv6 addresses have no label; it is ignored";
            report.push(Diagnostic::warning(Code::InvalidChoice, word.span, headline));
            return Some(());
        }
        if word.text.len() > LONGEST_LABEL {
            let headline = format!("the label {} is longer than {LONGEST_LABEL} bytes", shown(&word.text));
            report.push(
                Diagnostic::warning(Code::OutOfRange, word.span, headline)
                    .help("the whole address is ignored")
                    .classic(format!(
                        "Address label {} is longer than maximum length {LONGEST_LABEL} - removing address",
                        shown_bare(&word.text)
                    )),
            );
            return None;
        }
        self.label = Some(word.text.clone().into_owned()).filter(|label| !label.is_empty());
        Some(())
    }

    fn set_peer(&mut self, option: &Word<'_>, word: &Word<'_>, report: &mut Report) {
        if let Some(peer) = self.peer {
            let headline = "an address has one `peer`; this one is ignored";
            report.push(
                Diagnostic::warning(Code::Repeated, option.span.to(word.span), headline)
                    .label(peer.span, "this one counts"),
            );
            return;
        }
        let what = match word.text.parse::<IpAddr>() {
            Ok(value) if value.is_ipv6() == self.is_ipv6() => {
                self.peer = Some(Spanned { value, span: word.span });
                return;
            }
            Ok(_) => "is not of the family of the address",
            Err(_) if Written::parse(&word.text).is_some() => "must not have a prefix length",
            Err(_) => "is not an address",
        };
        let headline = format!("the peer {} {what}; it is ignored", shown(&word.text));
        report.push(Diagnostic::warning(Code::InvalidAddress, word.span, headline));
    }

    fn set_preferred(&mut self, option: &Word<'_>, word: &Word<'_>, report: &mut Report) {
        const FOREVER: u32 = u32::MAX;
        let seconds = match word.text.as_ref() {
            "forever" => Some(FOREVER),
            text => number::natural(text).ok().and_then(|seconds| u32::try_from(seconds).ok()),
        };
        match seconds {
            None => {
                let headline = format!("{} is no time; `{}` is ignored", shown(&word.text), option.text);
                report.push(
                    Diagnostic::warning(Code::InvalidNumber, word.span, headline)
                        .help(format!("write `forever` or whole seconds up to {FOREVER}")),
                );
            }
            Some(_) if !self.acts_on_ipv6(option, report) => {}
            Some(FOREVER) => self.preferred = Some(Lifetime::Forever),
            Some(seconds) => {
                self.preferred = Some(Lifetime::For(Duration::from_secs(seconds.into())));
            }
        }
    }

    /// What only IPv6 addresses have is remarked on, and changes nothing, elsewhere.
    fn acts_on_ipv6(&self, option: &Word<'_>, report: &mut Report) -> bool {
        if !self.is_ipv6() {
            let headline = format!("`{}` has no effect on an IPv4 address", option.text);
            report.push(Diagnostic::note(Code::IdleEntryOption, option.span, headline));
        }
        self.is_ipv6()
    }

    const fn is_ipv6(&self) -> bool {
        self.prefix.address().is_ipv6()
    }

    /// What the options mean together.
    fn settle(&mut self, report: &mut Report) {
        let host = Prefix::host(self.prefix.address());
        if let Some(peer) = self.peer
            && self.prefix != host
        {
            let headline =
                format!("an address with a `peer` has no prefix length; /{} is used", host.length());
            report.push(
                Diagnostic::warning(Code::OptionConflict, self.span, headline)
                    .label(peer.span, "the other end of the link")
                    .help(format!("write `{}`", host.address())),
            );
            self.prefix = host;
        }
        let Some(broadcast) = self.broadcast else { return };
        if let Some(peer) = self.peer {
            let headline = "a link to one peer has no broadcast address; it is ignored";
            report.push(
                Diagnostic::warning(Code::OptionConflict, broadcast.span, headline)
                    .label(peer.span, "the other end of the link"),
            );
            self.broadcast = None;
        } else if !matches!(broadcast.value, Broadcast::Address(_))
            && self.prefix.length() > LONGEST_WITH_BROADCAST
        {
            let headline = format!("{} has no host bits for a broadcast address; it is ignored", self.prefix);
            report.push(
                Diagnostic::warning(Code::OptionConflict, broadcast.span, headline)
                    .label(self.span, "the prefix length belongs here"),
            );
            self.broadcast = None;
        }
    }

    /// The device that it names, or else `interface`.
    pub(crate) fn device<'a>(&'a self, interface: &'a IfName) -> &'a IfName {
        self.device.as_ref().unwrap_or(interface)
    }

    /// The device that it names.
    pub(crate) const fn own_device(&self) -> Option<&IfName> {
        self.device.as_ref()
    }

    /// The address on `interface`, unless it names another device.
    pub(crate) fn resolve(&self, interface: &IfName, advertised: Advertised) -> VirtualAddress {
        self.resolve_on(self.device(interface).clone(), advertised)
    }

    /// The address on that device, whatever it names.
    pub(crate) fn resolve_on(&self, device: IfName, advertised: Advertised) -> VirtualAddress {
        VirtualAddress {
            scope: self.scope.clone(),
            broadcast: self.broadcast.and_then(|broadcast| broadcast.value.in_network(self.prefix)),
            label: self.label.clone(),
            advertised: advertised == Advertised::Yes,
            peer: self.peer.map(|peer| peer.value),
            flags: self.flags,
            preferred: self.preferred.unwrap_or_else(|| Lifetime::preferred(self.prefix)),
            tracked: self.tracked,
            ..VirtualAddress::new(self.prefix, device)
        }
    }
}

/// Whether advertisements list an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advertised {
    Yes,
    No,
}

impl Broadcast {
    fn in_network(self, prefix: Prefix) -> Option<Ipv4Addr> {
        let IpAddr::V4(address) = prefix.address() else { return None };
        let host_bits = u32::MAX.checked_shr(prefix.length().into()).unwrap_or_default();
        Some(match self {
            Self::Ones => Ipv4Addr::from_bits(address.to_bits() | host_bits),
            Self::Zeros => Ipv4Addr::from_bits(address.to_bits() & !host_bits),
            Self::Address(address) => address,
        })
    }
}

fn prefix(word: &Word<'_>, report: &mut Report) -> Option<Prefix> {
    let Some(written) = Written::parse(&word.text) else {
        let headline = format!("{} is not an address", shown(&word.text));
        report.push(
            Diagnostic::warning(Code::InvalidAddress, word.span, headline)
                .help("write `ADDRESS/LENGTH`; the entry is ignored")
                .classic(format!("VRRP parsed invalid IP {}. skipping IP...", shown_bare(&word.text))),
        );
        return None;
    };
    Some(written.prefix(word, report))
}

/// The word after an option. keepalived drops an address that lacks one, and runs.
fn value<'n, 'a>(option: &Word<'_>, entry: &mut Entry<'n, 'a>, report: &mut Report) -> Option<&'n Word<'a>> {
    let value = entry.next();
    if value.is_none() {
        let headline = format!("{} needs a value", shown(&option.text));
        report.push(
            Diagnostic::warning(Code::MissingArgument, option.span, headline)
                .help("the whole address is ignored"),
        );
    }
    value
}

/// The first `track_group` of an entry counts.
pub(crate) fn set_track_group(
    slot: &mut Option<Spanned<String>>,
    word: &Word<'_>,
    noun: &str,
    report: &mut Report,
) {
    if let Some(first) = slot {
        let headline = format!("an entry has one `track_group`; {} is ignored", shown(&word.text));
        report.push(
            Diagnostic::warning(Code::Repeated, word.span, headline)
                .label(first.span, format!("the {noun} has this one")),
        );
        return;
    }
    *slot = Some(Spanned { value: word.text.clone().into_owned(), span: word.span });
}

fn ipv4_only(option: &Word<'_>, word: &Word<'_>) -> Diagnostic {
    let headline = format!("IPv6 addresses have no `{}` to set; it is ignored", option.text);
    Diagnostic::warning(Code::InvalidChoice, option.span.to(word.span), headline)
        .help("how far an IPv6 address reaches follows from the address itself")
}

/// Reports a word that is no option of an address.
fn report_option(option: &Word<'_>, block: Block, report: &mut Report) {
    let headline = format!("{} is no option of an address; it is ignored", shown(&option.text));
    let sentence =
        format!("Unknown configuration entry '{}' for ip address - ignoring", shown_bare(&option.text));
    let diagnostic = Diagnostic::warning(Code::InvalidChoice, option.span, headline).classic(sentence);
    report.push(if Written::parse(&option.text).is_some() {
        diagnostic.help("each address needs a line of its own")
    } else if let Some(near) = keyword::nearest(block, &option.text) {
        diagnostic.help(format!("did you mean `{}`?", near.name))
    } else {
        diagnostic
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasts_follow_the_prefix() {
        let at = |broadcast: Broadcast, length| {
            broadcast.in_network(Prefix::new([192, 0, 2, 77].into(), length).unwrap())
        };
        assert_eq!(at(Broadcast::Ones, 24), Some(Ipv4Addr::new(192, 0, 2, 255)));
        assert_eq!(at(Broadcast::Zeros, 26), Some(Ipv4Addr::new(192, 0, 2, 64)));
        assert_eq!(at(Broadcast::Ones, 30), Some(Ipv4Addr::new(192, 0, 2, 79)));
        assert_eq!(at(Broadcast::Ones, 0), Some(Ipv4Addr::BROADCAST));
        let other = Ipv4Addr::new(192, 0, 2, 127);
        assert_eq!(at(Broadcast::Address(other), 24), Some(other));
    }
}
