//! Entries of `virtual_routes` and `static_routes`.

mod encap;
mod hop;
mod metric;
mod target;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use model::address::Lifetime;
use model::route::{Insert, Kind, Path, Preference, Protocol, Route, RouteTable, Tos};
use model::{Family, Named, Prefix, Scope};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::{self, Block, Keyword};
use crate::lexer::Word;
use crate::lower::address::set_track_group;
use crate::lower::entry::Entry;
use crate::lower::{Report, Setting, Spanned, setting};
use crate::source::Span;

use hop::Hops;

/// One route, and what links it to others.
#[derive(Clone, Debug)]
pub(crate) struct RouteDraft {
    route: Route,
    /// `track_group`, of static routes.
    pub(crate) track_group: Option<Spanned<String>>,
}

/// The entries of a block.
pub(crate) fn read_all(block: Setting<'_, '_>, report: &mut Report) -> Vec<RouteDraft> {
    let Some(kind) = block.keyword.opens else { return Vec::new() };
    let lines = block.node.children().iter().map(|node| node.statement.words.as_slice());
    lines.filter_map(|words| RouteDraft::read(words, kind, report)).collect()
}

/// The routes that are meant.
pub(crate) fn resolve(drafts: Vec<RouteDraft>) -> Vec<Route> {
    drafts.into_iter().map(RouteDraft::resolve).collect()
}

impl RouteDraft {
    fn read(words: &[Word<'_>], block: Block, report: &mut Report) -> Option<Self> {
        let span = words.first()?.span.to(words.last()?.span);
        let mut reader = Reader { entry: Entry::new(words, block, "route"), block, line: Line::new(span) };
        reader.read(report)?;
        reader.line.finish(report)
    }

    pub(crate) fn resolve(self) -> Route {
        self.route
    }
}

/// A line that is being read.
struct Reader<'n, 'a> {
    entry: Entry<'n, 'a>,
    block: Block,
    line: Line,
}

/// What a line has said so far.
#[derive(Clone, Debug)]
struct Line {
    span: Span,
    kind: Option<Spanned<Kind>>,
    destination: Option<Spanned<Destination>>,
    /// What first decided the family, and how.
    family: Option<Spanned<Family>>,
    protocol: Option<Spanned<Named<Protocol>>>,
    tos: Option<Spanned<Named<Tos>>>,
    scope: Option<Spanned<Named<Scope>>>,
    hops: Hops,
    track_group: Option<Spanned<String>>,
    /// All that needs no second look.
    route: Route,
}

/// Where packets are to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Destination {
    /// Everywhere, in the family that the rest of the line decides.
    Default,
    Prefix(Prefix),
}

impl Reader<'_, '_> {
    /// Reads all words. `None` makes the entry void.
    fn read(&mut self, report: &mut Report) -> Option<()> {
        while let Some(word) = self.entry.next() {
            let keyword = keyword::lookup(self.block, &word.text);
            match keyword.filter(|keyword| !keyword.name.starts_with('(')) {
                Some(keyword) if keyword.name == "nexthop" => self.nexthops(word, report)?,
                Some(keyword) => self.option(word, keyword, report)?,
                None => self.bare(word, report)?,
            }
        }
        Some(())
    }

    fn option(&mut self, word: &Word<'_>, keyword: &Keyword, report: &mut Report) -> Option<()> {
        if matches!(keyword.name, "gw" | "or") {
            report.push(old_spelling(word));
        }
        match keyword.alias_of.unwrap_or(keyword.name) {
            "to" => self.to(word, report)?,
            "default6" => self.default6(word, report)?,
            "inet" => self.family_word(word, Family::V4, report)?,
            "inet6" => self.family_word(word, Family::V6, report)?,
            "from" => self.from(word, report)?,
            "src" => {
                let address = self.entry.address(word, report)?;
                self.line.claim(address.into(), word.span, &word.text, report)?;
                self.line.route.source = Some(address);
            }
            "tos" => self.line.tos = Some(spanned(self.entry.tos(word, report)?, word)),
            "scope" => self.line.scope = Some(spanned(self.entry.scope(word, report)?, word)),
            "protocol" => self.line.protocol = Some(spanned(self.entry.protocol(word, report)?, word)),
            "table" => self.line.route.table = RouteTable::Table(self.entry.table(word, report)?),
            "vrf" => {
                let name = self.entry.value(word, report)?;
                self.line.route.table = RouteTable::Vrf(setting::interface(name, report)?.value);
            }
            "metric" => {
                self.line.route.metric = Some(self.entry.number(word, 0..=u32::MAX.into(), report)?);
            }
            "expires" => self.expires(word, report)?,
            "pref" => self.preference(word, report)?,
            "ttl-propagate" => self.ttl_propagate(word, report)?,
            "as" => self.translation(word, report)?,
            "add" => self.line.route.insert = Insert::Add,
            "append" => self.line.route.insert = Insert::Append,
            "prepend" => self.line.route.insert = Insert::Prepend,
            "no_track" => self.line.route.tracked = false,
            "track_group" => {
                let group = self.entry.value(word, report)?;
                set_track_group(&mut self.line.track_group, group, self.entry.noun(), report);
            }
            name => {
                if !self.hop_option(word, name, report)? {
                    self.metric(word, name, report)?;
                }
            }
        }
        Some(())
    }

    /// keepalived skips the word after it.
    fn family_word(&mut self, word: &Word<'_>, family: Family, report: &mut Report) -> Option<()> {
        report.push(family_word(word));
        self.line.claim(family, word.span, &word.text, report)
    }

    /// `from`, which only IPv6 routes have.
    fn from(&mut self, option: &Word<'_>, report: &mut Report) -> Option<()> {
        let word = self.entry.value(option, report)?;
        let prefix = self.entry.prefix(word, option, report)?;
        if prefix.address().is_ipv4() {
            let headline = "only IPv6 routes depend on where a packet comes from".to_owned();
            let advice = "use a rule with `from` and a table of its own";
            report.push(self.entry.void(Code::MixedFamilies, word.span, headline, advice));
            return None;
        }
        self.line.claim(Family::V6, option.span, &option.text, report)?;
        self.line.route.from = Some(prefix);
        Some(())
    }

    fn expires(&mut self, option: &Word<'_>, report: &mut Report) -> Option<()> {
        let seconds = self.entry.number::<u32>(option, 0..=u32::MAX.into(), report)?;
        self.line.claim(Family::V6, option.span, &option.text, report)?;
        self.line.route.lifetime = Lifetime::For(Duration::from_secs(seconds.into()));
        Some(())
    }

    fn preference(&mut self, option: &Word<'_>, report: &mut Report) -> Option<()> {
        // RFC 4191 §2.1, as the kernel numbers them.
        let named = |text: &str| match text {
            "low" => Some(Preference::Low),
            "medium" => Some(Preference::Medium),
            "high" => Some(Preference::High),
            _ => None,
        };
        let preference = match self.entry.next_if(|text| named(text).is_some()) {
            Some(word) => named(&word.text)?,
            None => match self.entry.number::<u8>(option, 0..=255, report)? {
                0 => Preference::Medium,
                1 => Preference::High,
                3 => Preference::Low,
                number => Preference::Other(number),
            },
        };
        self.line.claim(Family::V6, option.span, &option.text, report)?;
        self.line.route.preference = Some(preference);
        Some(())
    }

    fn ttl_propagate(&mut self, option: &Word<'_>, report: &mut Report) -> Option<()> {
        let word = self.entry.value(option, report)?;
        match word.text.as_ref() {
            "enabled" => self.line.route.ttl_propagate = Some(true),
            "disabled" => self.line.route.ttl_propagate = Some(false),
            _ => {
                let headline = format!("{} is neither `enabled` nor `disabled`", shown(&word.text));
                report.push(
                    Diagnostic::warning(Code::InvalidChoice, word.span, headline)
                        .help("the option is ignored"),
                );
            }
        }
        Some(())
    }

    /// `as [to] WORD`.
    fn translation(&mut self, option: &Word<'_>, report: &mut Report) -> Option<()> {
        let to = self.entry.next_if(|text| text == "to");
        let word = self.entry.next().or(to);
        let Some(word) = word else {
            self.entry.value(option, report)?;
            return None;
        };
        let headline = "a route cannot translate addresses; `as` is ignored";
        report.push(Diagnostic::warning(Code::IdleEntryOption, option.span.to(word.span), headline));
        Some(())
    }
}

impl Line {
    fn new(span: Span) -> Self {
        let anywhere = Prefix::host(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Self {
            span,
            kind: None,
            destination: None,
            family: None,
            protocol: None,
            tos: None,
            scope: None,
            hops: Hops::default(),
            track_group: None,
            route: Route::new(anywhere, Path::None),
        }
    }

    /// The whole route is of one family; who comes first decides.
    fn claim(&mut self, family: Family, span: Span, what: &str, report: &mut Report) -> Option<()> {
        let first = *self.family.get_or_insert(Spanned { value: family, span });
        if first.value == family {
            return Some(());
        }
        let headline = format!(
            "{} is for {} and does not fit a route that is {}",
            shown(what),
            name_of(family),
            name_of(first.value)
        );
        report.push(
            Diagnostic::warning(Code::MixedFamilies, span, headline)
                .label(first.span, format!("this makes it an {} route", name_of(first.value)))
                .help("the whole route is ignored"),
        );
        None
    }

    /// The route that the words mean together.
    fn finish(mut self, report: &mut Report) -> Option<RouteDraft> {
        let Some(destination) = self.destination else {
            let headline = "this route has no destination";
            report.push(
                Diagnostic::warning(Code::NoDestination, self.span, headline)
                    .help("begin it with `ADDRESS/LENGTH` or `default`; the whole route is ignored")
                    .classic("Route must have a destination"),
            );
            return None;
        };
        let family = self.family.map_or(Family::V4, |family| family.value);
        self.route.destination = network(destination, family, report);
        self.route.kind = self.kind.map_or(Kind::Unicast, |kind| kind.value);
        self.set_ipv4_options(family, report);
        self.set_tracking(report);
        self.route.path = self.hops.path(self.kind, report)?;
        Some(RouteDraft { route: self.route, track_group: self.track_group })
    }

    /// IPv6 routes take these words, and the kernel does nothing with them.
    fn set_ipv4_options(&mut self, family: Family, report: &mut Report) {
        if family == Family::V4 {
            if let Some(tos) = self.tos.take() {
                self.route.tos = tos.value;
            }
            if let Some(scope) = self.scope.take() {
                self.route.scope = scope.value;
            }
        }
        let idle = [self.tos.as_ref().map(|tos| tos.span), self.scope.as_ref().map(|scope| scope.span)];
        for span in idle.into_iter().flatten() {
            let headline = "this has no effect on an IPv6 route";
            report.push(Diagnostic::note(Code::IdleEntryOption, span, headline));
        }
    }

    fn set_tracking(&mut self, report: &mut Report) {
        if let Some(protocol) = self.protocol.take() {
            self.route.protocol = protocol.value;
            if self.route.tracked && self.route.protocol != Protocol::KEEPALIVED.into() {
                let headline =
                    "a route of another protocol cannot be tracked; the protocol stays 18, keepalived";
                report.push(
                    Diagnostic::warning(Code::NotTracked, protocol.span, headline).help("add `no_track`"),
                );
                self.route.protocol = Protocol::KEEPALIVED.into();
            }
        }
        if self.hops.has_device() {
            return;
        }
        if self.route.tracked {
            let headline = "this route names no interface; keepalived would not track it";
            let help = if self.hops.is_multipath() {
                "here it is put back if others delete it; with `no_track` before the first `nexthop` it is not"
            } else {
                "here it is put back if others delete it; with `no_track` it is not"
            };
            report.push(
                Diagnostic::warning(Code::NotTracked, self.span, headline)
                    .help(help)
                    .classic("Warning - cannot track route with no interface specified, not tracking"),
            );
        }
        if let Some(group) = self.track_group.take() {
            let headline = "a static route without an interface cannot have a `track_group`; it is ignored";
            report.push(Diagnostic::warning(Code::NotTracked, group.span, headline).help("add `dev IFNAME`"));
        }
    }
}

/// The destination without host bits, which the kernel refuses.
fn network(destination: Spanned<Destination>, family: Family, report: &mut Report) -> Prefix {
    let prefix = match (destination.value, family) {
        (Destination::Prefix(prefix), _) => prefix,
        (Destination::Default, Family::V4) => everything(Ipv4Addr::UNSPECIFIED.into()),
        (Destination::Default, Family::V6) => everything(Ipv6Addr::UNSPECIFIED.into()),
    };
    let network = prefix.network();
    if network != prefix {
        let headline = format!("`{prefix}` has bits beyond its length; `{network}` is used");
        report.push(
            Diagnostic::note(Code::Adjusted, destination.span, headline)
                .help("keepalived hands it to the kernel as it is, which refuses it in IPv4"),
        );
    }
    network
}

fn everything(address: IpAddr) -> Prefix {
    Prefix::new(address, 0).unwrap_or_else(|_| Prefix::host(address))
}

fn spanned<T>(value: T, word: &Word<'_>) -> Spanned<T> {
    Spanned { value, span: word.span }
}

/// `IPv4` or `IPv6`.
pub(crate) const fn name_of(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// A remark on a word that keepalived reads wrongly.
pub(crate) fn family_word(word: &Word<'_>) -> Diagnostic {
    let headline = format!("keepalived skips the word after {}", shown(&word.text));
    Diagnostic::note(Code::FamilyWord, word.span, headline).help(
        "here it is read; for files that both read, leave it out: addresses say their family themselves",
    )
}

fn old_spelling(word: &Word<'_>) -> Diagnostic {
    let new = if word.text == "gw" { "via" } else { "nexthop" };
    let headline = format!("{} is an old spelling", shown(&word.text));
    Diagnostic::warning(Code::Deprecated, word.span, headline)
        .help(format!("write `{new}`"))
        .classic(format!("\"{}\" for routes is deprecated. Please use \"{new}\"", word.text))
}
