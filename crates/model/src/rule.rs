//! Policy rules (`virtual_rules`, `static_rules`).

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::route::{Protocol, Realms, Table, Tos};
use crate::{Family, IfName, Named, OutOfRange, Prefix};

/// One policy rule: which packets, and what happens to them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// Whose rule list it is in.
    pub family: Family,
    /// Its place in that list; the least comes first (`preference`, `order`, `priority`).
    pub priority: u32,
    /// It is for all packets that the selector does not match (`not`).
    pub inverted: bool,
    /// Which packets.
    pub selector: Selector,
    /// What happens.
    pub action: Action,
    /// Who made it (`protocol`).
    pub protocol: Protocol,
    /// Its loss is a fault of the instance (off: `no_track`).
    pub tracked: bool,
}

/// Which packets. What is not set matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Selector {
    /// `from`.
    pub from: Option<Prefix>,
    /// `to`.
    pub to: Option<Prefix>,
    /// `tos`, `dsfield`.
    pub tos: Option<Named<Tos>>,
    /// `fwmark`.
    pub mark: Option<Mark>,
    /// Where it came in (`iif`, `dev`).
    pub input: Option<IfName>,
    /// Where a local socket is bound to (`oif`).
    pub output: Option<IfName>,
    /// `tunnel-id`.
    pub tunnel: Option<u64>,
    /// The user that sends (`uidrange`).
    pub users: Option<Span<u32>>,
    /// `ipproto`.
    pub ip_protocol: Option<Named<u8>>,
    /// `sport`.
    pub source_ports: Option<Span<u16>>,
    /// `dport`.
    pub destination_ports: Option<Span<u16>>,
}

/// A firewall mark and the bits of it that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// The mark.
    pub value: u32,
    /// The bits; all unless configured.
    pub mask: u32,
}

/// From a first number to a last one, which is not less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(T, T)", into = "(T, T)", bound(deserialize = "T: Deserialize<'de> + Copy + Ord"))]
#[serde(bound(serialize = "T: Serialize + Copy"))]
pub struct Span<T> {
    first: T,
    last: T,
}

impl<T: Copy + Ord> Span<T> {
    /// From `first` to `last`.
    ///
    /// # Errors
    /// [`OutOfRange::Range`] if `last` is less than `first`.
    pub fn new(first: T, last: T) -> Result<Self, OutOfRange> {
        if first <= last { Ok(Self { first, last }) } else { Err(OutOfRange::Range) }
    }
}

impl<T: Copy> Span<T> {
    /// The same as the language's own type.
    #[must_use]
    pub const fn range(self) -> RangeInclusive<T> {
        self.first..=self.last
    }
}

impl<T: Copy + Ord> TryFrom<(T, T)> for Span<T> {
    type Error = OutOfRange;

    fn try_from((first, last): (T, T)) -> Result<Self, OutOfRange> {
        Self::new(first, last)
    }
}

impl<T> From<Span<T>> for (T, T) {
    fn from(span: Span<T>) -> Self {
        (span.first, span.last)
    }
}

/// What happens to a packet that a rule matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Action {
    /// A table is looked at.
    Lookup(Lookup),
    /// The rules go on at this priority, further down (`goto`).
    Goto(u32),
    /// The rules go on (`nop`).
    Nop,
    /// It is dropped without notice.
    Blackhole,
    /// It is refused: no such host.
    Unreachable,
    /// It is refused: not allowed.
    Prohibit,
}

/// A look at a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lookup {
    /// Which.
    pub table: LookupTable,
    /// `realms`; IPv4 only.
    pub realms: Option<Realms>,
    /// Routes of this prefix length or shorter do not count (`suppress_prefixlength`).
    pub suppress_prefix_length: Option<u32>,
    /// Routes through interfaces of this group do not count (`suppress_ifgroup`).
    pub suppress_group: Option<Named<u32>>,
}

/// The table that a rule looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LookupTable {
    /// `table`, `lookup`.
    Table(Named<Table>),
    /// The one of the VRF that the packet belongs to (`l3mdev`).
    L3mdev,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_go_up() {
        assert_eq!(Span::new(1, 1).map(Span::range), Ok(1..=1));
        assert_eq!(Span::new(2, 1), Err(OutOfRange::Range));
        assert!(serde_json::from_str::<Span<u16>>("[2,1]").is_err(), "serde checks too");
    }
}
