//! Routes and rules as operators know them, in the words of a configuration.

use std::fmt;

use model::route::{self, Hop, Kind, RouteTable, Table};
use model::rule::{self, Action, LookupTable};

use crate::route::hops;

/// Enough of a route to find it in the configuration.
pub(super) struct Route<'a>(pub(super) &'a route::Route);

/// The same for a rule.
pub(super) struct Rule<'a>(pub(super) &'a rule::Rule);

impl fmt::Display for Route<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let route = self.0;
        if let Some(kind) = word(route.kind) {
            write!(f, "{kind} ")?;
        }
        match route.destination.length() {
            0 => f.write_str("default")?,
            _ => write!(f, "{}", route.destination)?,
        }
        for Hop { gateway, device, .. } in hops(route) {
            if let Some(gateway) = gateway {
                write!(f, " via {gateway}")?;
            }
            if let Some(device) = device {
                write!(f, " dev {device}")?;
            }
        }
        match &route.table {
            RouteTable::Table(table) if table.number() == Some(Table::MAIN) => Ok(()),
            RouteTable::Table(table) => write!(f, " table {table}"),
            RouteTable::Vrf(vrf) => write!(f, " vrf {vrf}"),
        }
    }
}

impl fmt::Display for Rule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = self.0;
        if rule.inverted {
            f.write_str("not ")?;
        }
        match (rule.selector.from, rule.selector.to) {
            (None, None) => f.write_str("from all")?,
            (Some(from), None) => write!(f, "from {from}")?,
            (None, Some(to)) => write!(f, "to {to}")?,
            (Some(from), Some(to)) => write!(f, "from {from} to {to}")?,
        }
        match &rule.action {
            Action::Lookup(lookup) => match &lookup.table {
                LookupTable::Table(table) => write!(f, " lookup {table}")?,
                LookupTable::L3mdev => f.write_str(" l3mdev")?,
            },
            Action::Goto(target) => write!(f, " goto {target}")?,
            Action::Nop => f.write_str(" nop")?,
            Action::Blackhole => f.write_str(" blackhole")?,
            Action::Unreachable => f.write_str(" unreachable")?,
            Action::Prohibit => f.write_str(" prohibit")?,
        }
        write!(f, " priority {}", rule.priority)
    }
}

const fn word(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Unicast | Kind::Other(_) => None,
        Kind::Local => Some("local"),
        Kind::Broadcast => Some("broadcast"),
        Kind::Anycast => Some("anycast"),
        Kind::Multicast => Some("multicast"),
        Kind::Blackhole => Some("blackhole"),
        Kind::Unreachable => Some("unreachable"),
        Kind::Prohibit => Some("prohibit"),
        Kind::Throw => Some("throw"),
        Kind::Nat => Some("nat"),
        Kind::ExternalResolve => Some("xresolve"),
    }
}
