//! `encap`: how packets are wrapped on their way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::route::{Encap, IpTunnel, Locator, MplsLabel};

use crate::diagnostic::{Code, shown};
use crate::keyword::{self, Block};
use crate::lexer::Word;
use crate::lower::Report;
use crate::lower::entry::{self, Entry};
use crate::source::Span;

/// What follows `encap`. A route without the tunnel that it asks for would send in the clear, so it is void.
pub(super) fn read(option: &Word<'_>, entry: &mut Entry<'_, '_>, report: &mut Report) -> Option<Encap> {
    let Some(kind) = entry.next() else {
        let headline = "`encap` needs a kind of tunnel".to_owned();
        report.push(entry.void(
            Code::InvalidEncap,
            option.span,
            headline,
            "write `ip`, `ip6`, `mpls` or `ila`",
        ));
        return None;
    };
    match kind.text.as_ref() {
        "ip" => tunnel::<Ipv4Addr>(kind, Block::EncapIp, entry, report).map(Encap::Ip),
        "ip6" => tunnel::<Ipv6Addr>(kind, Block::EncapIp6, entry, report).map(Encap::Ip6),
        "mpls" => labels(kind, entry, report).map(Encap::Mpls),
        "ila" => locator(kind, entry, report).map(Encap::Ila),
        _ => {
            let headline = format!("{} is no kind of tunnel", shown(&kind.text));
            let known = ["ip", "ip6", "mpls", "ila"];
            let advice = match keyword::nearest_of(&kind.text, known.iter(), |name| name) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write `ip`, `ip6`, `mpls` or `ila`".to_owned(),
            };
            report.push(entry.void(Code::InvalidEncap, kind.span, headline, &advice));
            None
        }
    }
}

/// An address of the outer header.
trait Outer: Sized {
    /// `IPv4` or `IPv6`.
    const NAME: &'static str;

    fn of(address: IpAddr) -> Option<Self>;
}

impl Outer for Ipv4Addr {
    const NAME: &'static str = "IPv4";

    fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }
    }
}

impl Outer for Ipv6Addr {
    const NAME: &'static str = "IPv6";

    fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(address),
        }
    }
}

/// The options of `encap ip` and `encap ip6`, up to the first word that is none.
fn tunnel<A: Outer>(
    kind: &Word<'_>,
    block: Block,
    entry: &mut Entry<'_, '_>,
    report: &mut Report,
) -> Option<IpTunnel<A>> {
    let mut tunnel =
        IpTunnel { id: None, destination: None, source: None, tos: None, hop_limit: None, flags: None };
    let mut end = kind.span;
    while let Some(option) = next_option(block, entry) {
        end = option.span;
        if entry.is_empty() {
            let headline = format!("{} needs a value", shown(&option.text));
            report.push(entry.void(Code::InvalidEncap, option.span, headline, ""));
            return None;
        }
        match option.text.as_ref() {
            "id" => tunnel.id = Some(entry.number(option, 0..=u64::MAX, report)?),
            "dst" => tunnel.destination = Some(outer(option, entry, report)?),
            "src" => tunnel.source = Some(outer(option, entry, report)?),
            "tos" | "tc" => tunnel.tos = Some(entry.tos(option, report)?),
            "ttl" | "hoplimit" => tunnel.hop_limit = Some(entry.number(option, 0..=255, report)?),
            _ => tunnel.flags = Some(entry.number(option, 0..=65_535, report)?),
        }
    }
    if tunnel.id.is_none() && tunnel.destination.is_none() {
        let headline = format!("`encap {}` needs `dst ADDRESS` or `id NUMBER`", kind.text);
        report.push(entry.void(Code::InvalidEncap, kind.span.to(end), headline, ""));
        return None;
    }
    Some(tunnel)
}

/// The options of the table, and those that keepalived takes beyond it.
fn next_option<'n, 'a>(block: Block, entry: &mut Entry<'n, 'a>) -> Option<&'n Word<'a>> {
    let also = if block == Block::EncapIp { "hoplimit" } else { "tos" };
    entry.next_option(block).map(|(word, _)| word).or_else(|| entry.next_if(|text| text == also))
}

fn outer<A: Outer>(option: &Word<'_>, entry: &mut Entry<'_, '_>, report: &mut Report) -> Option<A> {
    let address = entry.address(option, report)?;
    let found = A::of(address);
    if found.is_none() {
        let headline = format!("`{address}` is no {} address, as this tunnel needs", A::NAME);
        report.push(entry.void(Code::MixedFamilies, option.span, headline, ""));
    }
    found
}

/// `LABEL[/LABEL…]`.
fn labels(kind: &Word<'_>, entry: &mut Entry<'_, '_>, report: &mut Report) -> Option<Vec<MplsLabel>> {
    let word = argument(kind, "LABEL[/LABEL…]", entry, report)?;
    let label = |text: &str| {
        let number = entry::based(text).ok().and_then(|number| u32::try_from(number).ok());
        number.and_then(|number| MplsLabel::try_from(number).ok())
    };
    let labels: Option<Vec<_>> = word.text.split('/').map(label).collect();
    if labels.is_none() {
        let headline = format!("{} is no list of MPLS labels", shown(&word.text));
        report.push(entry.void(
            Code::InvalidEncap,
            word.span,
            headline,
            "write numbers from 0 to 1048575, separated by `/`",
        ));
    }
    labels
}

/// Four groups of hexadecimal digits.
fn locator(kind: &Word<'_>, entry: &mut Entry<'_, '_>, report: &mut Report) -> Option<Locator> {
    let word = argument(kind, "LOCATOR", entry, report)?;
    let groups: Option<Vec<u16>> = word.text.split(':').map(hex_group).collect();
    let locator = groups
        .filter(|groups| groups.len() == 4)
        .map(|groups| Locator(groups.into_iter().fold(0, |locator, group| locator << 16 | u64::from(group))));
    if locator.is_none() {
        let headline = format!("{} is no locator", shown(&word.text));
        let advice = "write four groups of hexadecimal digits, such as `2001:db8:0:1`";
        report.push(entry.void(Code::InvalidEncap, word.span, headline, advice));
    }
    locator
}

fn hex_group(text: &str) -> Option<u16> {
    let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(text, 16).ok()).flatten()
}

fn argument<'n, 'a>(
    kind: &Word<'_>,
    placeholder: &str,
    entry: &mut Entry<'n, 'a>,
    report: &mut Report,
) -> Option<&'n Word<'a>> {
    let word = entry.next();
    if word.is_none() {
        let headline = format!("`encap {}` needs a value", kind.text);
        let span: Span = kind.span;
        let advice = format!("write `encap {} {placeholder}`", kind.text);
        report.push(entry.void(Code::InvalidEncap, span, headline, &advice));
    }
    word
}
