//! Addresses, routes and rules as one line each.

use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::time::Duration;

use model::address::Lifetime;
use model::route::{
    Hop, Insert, Kind, Metric, Metrics, Path, Preference, Realms, Route, RouteTable, Table, Tos,
};
use model::rule::{Action, LookupTable, Rule, Selector, Span};
use model::vrrp::VirtualAddress;
use model::{Family, Named, Prefix, Scope};

/// `10.0.0.100/24 brd 10.0.0.255 dev eth0 scope global label eth0:1 set`.
pub(super) fn address(address: &VirtualAddress, is_set: bool) -> String {
    let mut text = short(address.prefix);
    if let Some(peer) = address.peer {
        add(&mut text, "peer", peer);
    }
    if let Some(broadcast) = address.broadcast {
        add(&mut text, "brd", broadcast);
    }
    add(&mut text, "dev", &address.device);
    add(&mut text, "scope", scope_name(&address.scope));
    if let Some(label) = &address.label {
        add(&mut text, "label", label);
    }
    let flags = address.flags;
    let words = [
        (flags.home, "home"),
        (!flags.duplicate_detection && is_v6(address) && flags != model::address::Flags::NONE, "-nodad"),
        (flags.temporary_addresses, "mngtmpaddr"),
        (flags.no_prefix_route, "noprefixroute"),
        (flags.autojoin, "autojoin"),
        (!address.tracked, "no_track"),
        (address.use_vmac, "use_vmac"),
    ];
    for (_, word) in words.iter().filter(|(there, _)| *there) {
        text.push(' ');
        text.push_str(word);
    }
    if is_v6(address) {
        match address.preferred {
            Lifetime::Forever => add(&mut text, "preferred_lft", "forever"),
            Lifetime::For(Duration::ZERO) => text.push_str(" deprecated"),
            Lifetime::For(span) => add(&mut text, "preferred_lft", span.as_secs()),
        }
    }
    if is_set {
        text.push_str(" set");
    }
    text
}

fn is_v6(address: &VirtualAddress) -> bool {
    address.prefix.address().is_ipv6()
}

/// Without the length of a single address.
fn short(prefix: Prefix) -> String {
    let whole = match prefix.address() {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    if prefix.length() == whole { prefix.address().to_string() } else { prefix.to_string() }
}

fn add(text: &mut String, word: &str, value: impl fmt::Display) {
    write!(text, " {word} {value}").expect("a String takes all");
}

fn scope_name(scope: &Named<Scope>) -> String {
    let names = [(Scope::GLOBAL, "global"), (Scope(200), "site"), (Scope(253), "link"), (Scope(254), "host")];
    let name = |(number, name): &(Scope, &str)| (scope.number() == Some(*number)).then(|| (*name).to_owned());
    names.iter().find_map(name).unwrap_or_else(|| scope.to_string())
}

/// `prepend 192.168.100.0/24 via inet 10.0.0.254 dev eth0 table 7 proto 18 metric 5`.
pub(super) fn route(route: &Route) -> String {
    let mut text = match route.insert {
        Insert::Prepend => "prepend",
        Insert::Append => "append",
        Insert::Add => "add",
    }
    .to_owned();
    if let Some(kind) = kind_name(route.kind) {
        text.push(' ');
        text.push_str(kind);
    }
    text.push(' ');
    text.push_str(&route.destination.to_string());
    if let Some(from) = route.from {
        add(&mut text, "from", from);
    }
    if let Some(source) = route.source {
        add(&mut text, "src", source);
    }
    if route.tos != Named::Number(Tos(0)) {
        add(&mut text, "tos", &route.tos);
    }
    if let Path::Single(hop) = &route.path {
        add_hop(&mut text, hop);
    }
    match &route.table {
        RouteTable::Table(Named::Number(Table::MAIN)) => {}
        RouteTable::Table(table) => add(&mut text, "table", table),
        RouteTable::Vrf(vrf) => add(&mut text, "vrf", vrf),
    }
    add(&mut text, "proto", &route.protocol);
    if route.scope != Named::Number(Scope::GLOBAL) {
        add(&mut text, "scope", &route.scope);
    }
    if let Some(metric) = route.metric {
        add(&mut text, "metric", metric);
    }
    add_lifetime(&mut text, route);
    if let Path::Single(hop) = &route.path {
        add_hop_options(&mut text, hop);
    }
    add_metrics(&mut text, &route.metrics);
    if let Some(preference) = route.preference {
        add(&mut text, "pref", preference_name(preference));
    }
    add_ways(&mut text, &route.path);
    if !route.tracked {
        text.push_str(" no_track");
    }
    text
}

fn add_lifetime(text: &mut String, route: &Route) {
    if let Lifetime::For(span) = route.lifetime {
        add(text, "expires", format_args!("{}sec", span.as_secs()));
    }
}

const fn kind_name(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Unicast | Kind::Other(_) => return None,
        Kind::Local => "local",
        Kind::Broadcast => "broadcast",
        Kind::Anycast => "anycast",
        Kind::Multicast => "multicast",
        Kind::Blackhole => "blackhole",
        Kind::Unreachable => "unreachable",
        Kind::Prohibit => "prohibit",
        Kind::Throw => "throw",
        Kind::Nat => "nat",
        Kind::ExternalResolve => "xresolve",
    })
}

fn add_hop(text: &mut String, hop: &Hop) {
    if let Some(gateway) = hop.gateway {
        let family = match Family::from(gateway) {
            Family::V4 => "inet",
            Family::V6 => "inet6",
        };
        add(text, "via", format_args!("{family} {gateway}"));
    }
    if let Some(device) = &hop.device {
        add(text, "dev", device);
    }
}

fn add_hop_options(text: &mut String, hop: &Hop) {
    if hop.onlink {
        text.push_str(" onlink");
    }
    if let Some(realms) = &hop.realms {
        add(text, "realms", realms_text(realms));
    }
}

fn realms_text(realms: &Realms) -> String {
    match &realms.from {
        Some(from) => format!("{from}/{}", realms.to),
        None => realms.to.to_string(),
    }
}

fn add_metrics(text: &mut String, metrics: &Metrics) {
    let mut number = |word: &str, metric: Option<(String, bool)>| {
        if let Some((value, locked)) = metric {
            add(text, word, format_args!("{}{value}", if locked { "lock " } else { "" }));
        }
    };
    let plain = |metric: Option<Metric<u32>>| metric.map(|one| (one.value.to_string(), one.locked));
    let timed = |metric: Option<Metric<Duration>>| metric.map(|one| (span_text(one.value), one.locked));
    let free = |value: Option<u32>| value.map(|value| (value.to_string(), false));
    number("congctl", metrics.congctl.as_ref().map(|one| (one.value.clone(), one.locked)));
    number("rtt", timed(metrics.rtt));
    number("rttvar", timed(metrics.rttvar));
    number("rto_min", timed(metrics.rto_min));
    number("features", metrics.ecn.then(|| ("ecn".to_owned(), false)));
    number("mtu", plain(metrics.mtu));
    number("window", free(metrics.window));
    number("ssthresh", plain(metrics.ssthresh));
    number("cwnd", plain(metrics.cwnd));
    number("advmss", plain(metrics.advmss));
    number("reordering", plain(metrics.reordering));
    number("hoplimit", metrics.hop_limit.map(|value| (value.to_string(), false)));
    number("initcwnd", free(metrics.initcwnd));
    number("initrwnd", free(metrics.initrwnd));
    let switch = |value: Option<bool>| value.map(|value| (u8::from(value).to_string(), false));
    number("quickack", switch(metrics.quickack));
    number("fastopen_no_cookie", switch(metrics.fastopen_no_cookie));
}

fn span_text(span: Duration) -> String {
    if span.subsec_millis() == 0 { format!("{}s", span.as_secs()) } else { format!("{}ms", span.as_millis()) }
}

fn preference_name(preference: Preference) -> String {
    match preference {
        Preference::Low => "low".to_owned(),
        Preference::Medium => "medium".to_owned(),
        Preference::High => "high".to_owned(),
        Preference::Other(number) => number.to_string(),
    }
}

fn add_ways(text: &mut String, path: &Path) {
    let Path::Multipath(ways) = path else { return };
    for way in ways {
        text.push_str(" nexthop");
        add_hop(text, &way.hop);
        if way.weight != model::route::HopWeight::ONE {
            add(text, "weight", way.weight);
        }
        add_hop_options(text, &way.hop);
    }
}

/// `from 10.0.0.100 to 1.2.3.0/24 priority 100 tos 0x0 fwmark 0x3 iif eth0 protocol 18 lookup 5`.
pub(super) fn rule(rule: &Rule) -> String {
    let selector = &rule.selector;
    let mut text = if rule.inverted { "not from".to_owned() } else { "from".to_owned() };
    text.push(' ');
    text.push_str(&selector.from.map_or_else(|| "all".to_owned(), short));
    if let Some(to) = selector.to {
        add(&mut text, "to", short(to));
    }
    add(&mut text, "priority", rule.priority);
    match &selector.tos {
        Some(Named::Name(name)) => add(&mut text, "tos", name),
        Some(Named::Number(tos)) => add(&mut text, "tos", format_args!("{:#x}", tos.0)),
        None => text.push_str(" tos 0x0"),
    }
    add_selector(&mut text, selector);
    if let Action::Lookup(lookup) = &rule.action {
        if let Some(length) = lookup.suppress_prefix_length {
            add(&mut text, "suppress_prefixlen", length);
        }
        if let Some(group) = &lookup.suppress_group {
            add(&mut text, "suppress_ifgroup", group);
        }
    }
    add_traffic(&mut text, selector);
    if selector.ip_protocol.is_none() {
        add(&mut text, "protocol", rule.protocol);
    }
    if let Action::Lookup(lookup) = &rule.action
        && let Some(realms) = &lookup.realms
    {
        add(&mut text, "realms", realms_text(realms));
    }
    add_action(&mut text, &rule.action);
    if !rule.tracked {
        text.push_str(" no_track");
    }
    text
}

fn add_selector(text: &mut String, selector: &Selector) {
    if let Some(mark) = selector.mark {
        add(text, "fwmark", format_args!("{:#x}", mark.value));
        if mark.mask != u32::MAX {
            write!(text, "/{:#x}", mark.mask).expect("a String takes all");
        }
    }
    if let Some(input) = &selector.input {
        add(text, "iif", input);
    }
    if let Some(output) = &selector.output {
        add(text, "oif", output);
    }
    if let Some(tunnel) = selector.tunnel {
        add(text, "tunnel-id", tunnel);
    }
}

fn add_traffic(text: &mut String, selector: &Selector) {
    if let Some(users) = selector.users {
        add(text, "uidrange", span(users));
    }
    if let Some(protocol) = &selector.ip_protocol {
        add(text, "ipproto", protocol);
    }
    if let Some(ports) = selector.source_ports {
        add(text, "sport", span(ports));
    }
    if let Some(ports) = selector.destination_ports {
        add(text, "dport", span(ports));
    }
}

fn span<T: Copy + fmt::Display>(span: Span<T>) -> String {
    let range = span.range();
    format!("{}-{}", range.start(), range.end())
}

fn add_action(text: &mut String, action: &Action) {
    match action {
        Action::Lookup(lookup) => match &lookup.table {
            LookupTable::Table(table) => add(text, "lookup", table),
            LookupTable::L3mdev => text.push_str(" l3mdev"),
        },
        Action::Goto(target) => add(text, "goto", target),
        Action::Nop => text.push_str(" type nop"),
        Action::Blackhole => text.push_str(" type blackhole"),
        Action::Unreachable => text.push_str(" type unreachable"),
        Action::Prohibit => text.push_str(" type prohibit"),
    }
}
