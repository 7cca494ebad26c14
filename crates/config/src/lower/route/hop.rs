//! Where packets leave: one way, or several at once.

use std::net::IpAddr;

use model::Family;
use model::route::{Hop, HopWeight, Kind, Path, WeightedHop};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::Block;
use crate::lexer::Word;
use crate::lower::entry::Entry;
use crate::lower::{Report, Spanned, setting};
use crate::source::Span;

use super::{Line, Reader, encap, name_of};

/// All that a line says of hops.
#[derive(Clone, Debug, Default)]
pub(super) struct Hops {
    /// What stands outside of `nexthop`.
    route: Hop,
    /// The first option of `route` other than `dev`.
    route_span: Option<Span>,
    /// `or`.
    second: Option<IpAddr>,
    /// The first `nexthop`.
    nexthop: Option<Span>,
    list: Vec<WeightedHop>,
}

impl Hops {
    pub(super) const fn has_device(&self) -> bool {
        self.route.device.is_some()
    }

    pub(super) const fn is_multipath(&self) -> bool {
        self.nexthop.is_some()
    }

    /// What the hops are together. `None` makes the route void.
    pub(super) fn path(self, kind: Option<Spanned<Kind>>, report: &mut Report) -> Option<Path> {
        let Self { route, route_span, second, nexthop, mut list } = self;
        if let Some(nexthop) = nexthop {
            if list.is_empty() {
                let headline = "no hop of this route can be used";
                report.push(
                    Diagnostic::warning(Code::InvalidHop, nexthop, headline)
                        .help("the whole route is ignored"),
                );
                return None;
            }
            if let Some(span) = route_span {
                let headline = "what a hop needs stands behind its `nexthop`; here it is ignored";
                let remark = "the hops begin here";
                report.push(Diagnostic::note(Code::IdleEntryOption, span, headline).label(nexthop, remark));
            }
            for hop in &mut list {
                hop.hop.device = hop.hop.device.take().or_else(|| route.device.clone());
            }
            return Some(Path::Multipath(list));
        }
        let path = match second {
            Some(second) if route.gateway.is_some() => {
                let second = Hop { gateway: Some(second), ..route.clone() };
                let hop = |hop| WeightedHop { hop, weight: HopWeight::ONE };
                Path::Multipath(vec![hop(route), hop(second)])
            }
            Some(only) => Path::Single(Hop { gateway: Some(only), ..route }),
            None if route == Hop::default() => Path::None,
            None => Path::Single(route),
        };
        Some(without_hops(path, kind, report))
    }
}

/// What is not sent on needs no way to leave.
fn without_hops(path: Path, kind: Option<Spanned<Kind>>, report: &mut Report) -> Path {
    let refuses = |kind: &Spanned<Kind>| {
        matches!(kind.value, Kind::Blackhole | Kind::Unreachable | Kind::Prohibit | Kind::Throw)
    };
    match kind.filter(refuses) {
        Some(kind) if path != Path::None => {
            let headline = "such a route sends nothing on: its gateway and interface are ignored";
            let help = "keepalived hands them to the kernel, which refuses the route in IPv4";
            report.push(Diagnostic::note(Code::IdleEntryOption, kind.span, headline).help(help));
            Path::None
        }
        _ => path,
    }
}

impl Reader<'_, '_> {
    /// Reads an option of a hop; gives whether `name` is one.
    pub(super) fn hop_option(&mut self, option: &Word<'_>, name: &str, report: &mut Report) -> Option<bool> {
        let Self { entry, line, .. } = self;
        match name {
            "dev" => {
                let word = entry.value(option, report)?;
                line.hops.route.device = Some(setting::interface(word, report)?.value);
                return Some(true);
            }
            "via" => {
                let gateway = gateway(option, entry, report)?;
                line.claim(gateway.value.into(), gateway.span, &option.text, report)?;
                line.hops.route.gateway = Some(gateway.value);
            }
            "or" => {
                let address = entry.address(option, report)?;
                if line.hops.second.is_some() {
                    let headline = "a route has one `or`; this one is ignored";
                    report.push(
                        Diagnostic::warning(Code::Repeated, option.span, headline)
                            .help("write `nexthop via ADDRESS` for each gateway"),
                    );
                    return Some(true);
                }
                line.family.get_or_insert_with(|| Spanned { value: address.into(), span: option.span });
                line.hops.second = Some(address);
                return Some(true);
            }
            "onlink" => line.hops.route.onlink = true,
            "encap" => line.hops.route.encap = Some(encap::read(option, entry, report)?),
            "realms" => {
                let realms = entry.realms(option, report)?;
                line.claim(Family::V4, option.span, &option.text, report)?;
                line.hops.route.realms = Some(realms);
            }
            _ => return Some(false),
        }
        line.hops.route_span.get_or_insert(option.span);
        Some(true)
    }

    /// Reads all hops of a multipath route, which are the rest of the line.
    pub(super) fn nexthops(&mut self, first: &Word<'_>, report: &mut Report) -> Option<()> {
        let Self { entry, line, .. } = self;
        if line.hops.second.is_some() {
            let headline = "a route has either `or` or `nexthop`".to_owned();
            let advice = "write `nexthop via ADDRESS` for each gateway";
            report.push(entry.void(Code::OptionConflict, first.span, headline, advice));
            return None;
        }
        line.hops.nexthop = Some(first.span);
        loop {
            match read_hop(entry, line, report) {
                Some(hop) => line.hops.list.push(hop),
                // The other hops are used, as with keepalived.
                None if is_fatal(report) => return None,
                None => while entry.next_if(|text| text != "nexthop").is_some() {},
            }
            let Some(next) = entry.next() else { return Some(()) };
            if next.text != "nexthop" {
                report.push(trailing(next, entry));
                while entry.next().is_some() {}
                return Some(());
            }
        }
    }
}

/// A missing word ends keepalived, so nothing more can be said of the line.
fn is_fatal(report: &Report) -> bool {
    report.diagnostics.last_code() == Some(Code::MissingArgument)
}

fn trailing(word: &Word<'_>, entry: &Entry<'_, '_>) -> Diagnostic {
    let headline = format!("{} is no option of a hop", shown(&word.text));
    Diagnostic::warning(Code::InvalidChoice, word.span, headline)
        .help(format!(
            "options of the {} go before the first `nexthop`; the rest of the line is ignored",
            entry.noun()
        ))
        .classic(format!("Route has trailing nonsense after nexthops - {}", word.text))
}

/// One hop. `None` makes it void, not the route.
fn read_hop(entry: &mut Entry<'_, '_>, line: &mut Line, report: &mut Report) -> Option<WeightedHop> {
    let mut hop = Hop::default();
    let mut weight = HopWeight::ONE;
    while let Some((option, keyword)) = entry.next_option(Block::Nexthop) {
        match keyword.name {
            "via" => hop.gateway = Some(hop_gateway(option, entry, line, report)?),
            "dev" => hop.device = Some(setting::interface(entry.value(option, report)?, report)?.value),
            "onlink" => hop.onlink = true,
            "weight" => {
                let number = entry.number::<u16>(option, 1..=256, report).or_else(|| left_out(report))?;
                weight = HopWeight::try_from(number).ok()?;
            }
            "encap" => hop.encap = Some(encap::read(option, entry, report).or_else(|| left_out(report))?),
            "realms" => {
                let realms = entry.realms(option, report).or_else(|| left_out(report))?;
                fits(Family::V4, option.span, line, report)?;
                hop.realms = Some(realms);
            }
            _ => {
                let to = entry.next_if(|text| text == "to");
                entry.next().or(to).or_else(|| entry.value(option, report))?;
                let headline = "a hop cannot translate addresses";
                report.push(void_hop(option.span, headline.to_owned()));
                return None;
            }
        }
    }
    Some(WeightedHop { hop, weight })
}

fn hop_gateway(
    option: &Word<'_>,
    entry: &mut Entry<'_, '_>,
    line: &mut Line,
    report: &mut Report,
) -> Option<IpAddr> {
    let gateway = gateway(option, entry, report).or_else(|| left_out(report))?;
    fits(gateway.value.into(), gateway.span, line, report)?;
    Some(gateway.value)
}

/// What was just reported makes the hop void, not the whole route.
fn left_out<T>(report: &mut Report) -> Option<T> {
    if let Some(diagnostic) = report.diagnostics.last_mut()
        && let Some(help) = &diagnostic.help
    {
        diagnostic.help = Some(help.replace("the whole route is ignored", "the hop is left out"));
    }
    None
}

fn fits(family: Family, span: Span, line: &mut Line, report: &mut Report) -> Option<()> {
    let first = *line.family.get_or_insert(Spanned { value: family, span });
    if first.value == family {
        return Some(());
    }
    let headline = format!("this is for {}, and the route is {}", name_of(family), name_of(first.value));
    let remark = format!("this makes it an {} route", name_of(first.value));
    report.push(void_hop(span, headline).label(first.span, remark));
    None
}

fn void_hop(span: Span, headline: String) -> Diagnostic {
    Diagnostic::warning(Code::InvalidHop, span, headline).help("the hop is left out")
}

/// `[inet|inet6] ADDRESS`.
fn gateway(option: &Word<'_>, entry: &mut Entry<'_, '_>, report: &mut Report) -> Option<Spanned<IpAddr>> {
    let word = entry.next_if(|text| matches!(text, "inet" | "inet6"));
    let address = entry.address(word.unwrap_or(option), report)?;
    if let Some(word) = word
        && (word.text == "inet6") != address.is_ipv6()
    {
        let headline = format!("`{address}` is not of the family {}", shown(&word.text));
        report.push(entry.void(Code::MixedFamilies, word.span, headline, ""));
        return None;
    }
    Some(Spanned { value: address, span: option.span })
}
