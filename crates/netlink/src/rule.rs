//! Policy rules as bytes: what a request says of one, and what an event says of one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::rule::{Action, Lookup, LookupTable, Rule, Selector, Span};
use model::{Named, Prefix};

use crate::attribute::Body;
use crate::event::{Attributes, number, text};
use crate::route::{AF_INET, AF_INET6, address, known, number_of, number_of_realms};

/// A rule as the kernel tells it from others: all but who made it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Form {
    family: u8,
    from: Option<Prefix>,
    to: Option<Prefix>,
    tos: u8,
    table: u32,
    action: u8,
    inverted: bool,
    priority: u32,
    /// All else, by number of attribute, with what says nothing left out.
    others: Vec<(u16, Box<[u8]>)>,
}

/// The body of a request to add or delete `rule`. Names that are no numbers yet count as the default.
#[must_use]
pub fn body(rule: &Rule) -> Box<[u8]> {
    let lookup = match &rule.action {
        Action::Lookup(lookup) => Some(lookup),
        Action::Goto(_) | Action::Nop | Action::Blackhole | Action::Unreachable | Action::Prohibit => None,
    };
    let table = lookup.map_or(0, table);
    let Selector { from, to, tos, .. } = &rule.selector;
    let mut body = Body::new(&[
        number_of(rule.family),
        to.map_or(0, Prefix::length),
        from.map_or(0, Prefix::length),
        tos.as_ref().and_then(known).map_or(0, |tos| tos.0),
        // Larger ones stand in an attribute only.
        u8::try_from(table).unwrap_or(0),
        0,
        0,
        number_of_action(&rule.action),
    ]);
    let flags = if rule.inverted { FIB_RULE_INVERT } else { 0 };
    body.bytes(&flags.to_ne_bytes());
    body.number(FRA_PRIORITY, Some(rule.priority));
    for (kind, prefix) in [(FRA_DST, to), (FRA_SRC, from)] {
        if let Some(prefix) = prefix.filter(|prefix| prefix.length() > 0) {
            body.address(kind, prefix.network().address());
        }
    }
    write_selector(&rule.selector, &mut body);
    if let Some(lookup) = lookup {
        write_lookup(lookup, table, &mut body);
    }
    if let Action::Goto(target) = rule.action {
        body.number(FRA_GOTO, Some(target));
    }
    body.attribute(FRA_PROTOCOL, &[rule.protocol.0]);
    body.into_bytes()
}

fn write_selector(selector: &Selector, body: &mut Body) {
    for (kind, device) in [(FRA_IIFNAME, &selector.input), (FRA_OIFNAME, &selector.output)] {
        if let Some(device) = device {
            body.text(kind, device.as_str());
        }
    }
    body.number(FRA_FWMARK, selector.mark.map(|mark| mark.value));
    body.number(FRA_FWMASK, selector.mark.map(|mark| mark.mask));
    if let Some(id) = selector.tunnel {
        body.attribute(FRA_TUN_ID, &id.to_be_bytes());
    }
    if let Some(users) = selector.users.map(Span::range) {
        let ends = [users.start().to_ne_bytes(), users.end().to_ne_bytes()];
        body.attribute(FRA_UID_RANGE, ends.as_flattened());
    }
    if let Some(protocol) = selector.ip_protocol.as_ref().and_then(Named::number) {
        body.attribute(FRA_IP_PROTO, &[protocol]);
    }
    let ports = [(FRA_SPORT_RANGE, selector.source_ports), (FRA_DPORT_RANGE, selector.destination_ports)];
    for (kind, ports) in ports {
        if let Some(ports) = ports.map(Span::range) {
            let ends = [ports.start().to_ne_bytes(), ports.end().to_ne_bytes()];
            body.attribute(kind, ends.as_flattened());
        }
    }
}

fn write_lookup(lookup: &Lookup, table: u32, body: &mut Body) {
    match lookup.table {
        LookupTable::Table(_) => body.number(FRA_TABLE, Some(table)),
        LookupTable::L3mdev => body.attribute(FRA_L3MDEV, &[1]),
    }
    body.number(FRA_FLOW, lookup.realms.as_ref().map(number_of_realms));
    body.number(FRA_SUPPRESS_PREFIXLEN, lookup.suppress_prefix_length);
    body.number(FRA_SUPPRESS_IFGROUP, lookup.suppress_group.as_ref().and_then(Named::number));
}

/// The rule that a message is about, and who made it; 0 if that is not said.
pub(crate) fn form(body: &[u8]) -> Option<(Form, u8)> {
    let (&[family, to_length, from_length, tos, table, _, _, action, f0, f1, f2, f3], attributes) =
        body.split_first_chunk::<12>()?;
    if family != AF_INET && family != AF_INET6 {
        return None;
    }
    let anywhere = || match family {
        AF_INET => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        _ => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let prefix = |address: Option<IpAddr>, length: u8| {
        Prefix::new(address.unwrap_or_else(anywhere), length).ok().filter(|_| length > 0)
    };
    let (mut from, mut to, mut protocol) = (None, None, 0);
    let (mut table, mut priority, mut others) = (u32::from(table), 0, Vec::new());
    for attribute in Attributes(attributes) {
        let (kind, value) = attribute.ok()?;
        match kind {
            FRA_DST => to = address(family, value),
            FRA_SRC => from = address(family, value),
            FRA_TABLE => table = number(value)?,
            FRA_PRIORITY => priority = number(value)?,
            FRA_PROTOCOL => protocol = value.first().copied()?,
            // The kernel names these of every rule, with all bits set where they say nothing.
            FRA_SUPPRESS_PREFIXLEN | FRA_SUPPRESS_IFGROUP if number(value) == Some(u32::MAX) => {}
            FRA_L3MDEV if value == [0] => {}
            FRA_IIFNAME | FRA_OIFNAME => others.push((kind, text(value)?.as_bytes().into())),
            FRA_GOTO
            | FRA_FWMARK
            | FRA_FWMASK
            | FRA_FLOW
            | FRA_TUN_ID
            | FRA_SUPPRESS_IFGROUP
            | FRA_SUPPRESS_PREFIXLEN
            | FRA_L3MDEV
            | FRA_UID_RANGE
            | FRA_IP_PROTO
            | FRA_SPORT_RANGE
            | FRA_DPORT_RANGE => others.push((kind, value.into())),
            _ => {}
        }
    }
    others.sort_unstable();
    let inverted = u32::from_ne_bytes([f0, f1, f2, f3]) & FIB_RULE_INVERT != 0;
    let (from, to) = (prefix(from, from_length), prefix(to, to_length));
    Some((Form { family, from, to, tos, table, action, inverted, priority, others }, protocol))
}

fn table(lookup: &Lookup) -> u32 {
    match &lookup.table {
        LookupTable::Table(table) => known(table).map_or(0, |table| table.0),
        LookupTable::L3mdev => 0,
    }
}

const fn number_of_action(action: &Action) -> u8 {
    match action {
        Action::Lookup(_) => 1,
        Action::Goto(_) => 2,
        Action::Nop => 3,
        Action::Blackhole => 6,
        Action::Unreachable => 7,
        Action::Prohibit => 8,
    }
}

const FIB_RULE_INVERT: u32 = 2;
const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_GOTO: u16 = 4;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_FLOW: u16 = 11;
const FRA_TUN_ID: u16 = 12;
const FRA_SUPPRESS_IFGROUP: u16 = 13;
const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
const FRA_TABLE: u16 = 15;
const FRA_FWMASK: u16 = 16;
const FRA_OIFNAME: u16 = 17;
const FRA_L3MDEV: u16 = 19;
const FRA_UID_RANGE: u16 = 20;
const FRA_PROTOCOL: u16 = 21;
const FRA_IP_PROTO: u16 = 22;
const FRA_SPORT_RANGE: u16 = 23;
const FRA_DPORT_RANGE: u16 = 24;
