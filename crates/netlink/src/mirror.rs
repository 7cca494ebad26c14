//! The kernel's links and addresses as last heard.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::{Family, IfIndex, IfName, Prefix};

use crate::event::{Address, Event, Link};
use crate::request::PROTOCOL;
use crate::{route, rule};

/// Links and addresses, kept up from events. Iterates in the order of indices, names and addresses.
#[derive(Clone, Debug, Default)]
pub struct Mirror {
    links: BTreeMap<IfIndex, Heard<Link>>,
    names: BTreeMap<IfName, IfIndex>,
    addresses: BTreeMap<IfIndex, BTreeMap<Key, Heard<Address>>>,
    /// Policy rules, and who has made them.
    rules: BTreeMap<rule::Form, Heard<u8>>,
    /// Addresses that are the host's own although a daemon of our kind has set them, by device.
    statics: BTreeSet<(IfName, Prefix)>,
    /// Counts dumps; what was not heard since the last one began is swept at its end.
    generation: u64,
    /// Numbers what is new in the order heard, which for the addresses of a link is the kernel's own order.
    count: u64,
    /// This kernel says who has set an address.
    tells_protocol: bool,
}

/// What tells the addresses of a link apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    prefix: Prefix,
    peer: Option<IpAddr>,
}

#[derive(Clone, Debug)]
struct Heard<T> {
    what: T,
    generation: u64,
    number: u64,
}

/// A change of the mirror.
///
/// The last change that speaks of a name is the truth about it, and so for an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A link is new, or something about it is: its name, state or hardware address.
    Link(Link),
    /// A link does not have this name any more: it is gone and its addresses with it, or it has been renamed, which
    /// kernels from 6.2 on allow while it is up, or another link has the name now. A link that goes on under another
    /// name, and the link that has taken this one, follow as [`Change::Link`].
    LinkGone {
        /// Its index.
        index: IfIndex,
        /// The name that it had.
        name: IfName,
    },
    /// An address is new, or something about it is.
    Address(Address),
    /// An address is gone.
    AddressGone(Address),
    /// A route of our kind is gone from this place. The mirror does not hold routes: there may be a million of others.
    RouteGone(route::Place),
    /// A policy rule is gone.
    RuleGone(rule::Form),
}

impl Mirror {
    /// Takes in an event, and appends what it changed. What was known already changes nothing.
    pub fn apply(&mut self, event: Event, changes: &mut Vec<Change>) {
        match event {
            Event::LinkChanged(link) => self.set_link(link, changes),
            Event::LinkGone { index, name: _ } => self.remove_link(index, changes),
            Event::AddressAdded(address) => changes.extend(self.set_address(address).map(Change::Address)),
            Event::AddressGone(address) => {
                if let Some(of_link) = self.addresses.get_mut(&address.index) {
                    of_link.remove(&key(&address));
                }
                // Said even of an unknown one: an IPv6 address may go before its coming was announced.
                changes.push(Change::AddressGone(address));
            }
            Event::RouteGone(place) => changes.push(Change::RouteGone(place)),
            Event::RuleAdded { rule, protocol } => self.set_rule(rule, protocol),
            Event::RuleGone(rule) => {
                self.rules.remove(&rule);
                changes.push(Change::RuleGone(rule));
            }
            Event::DumpDone { .. } | Event::Ack { .. } | Event::Interrupted { .. } => {}
        }
    }

    /// The link with this index. It may have lost its name to another one, by a change that has not been heard yet;
    /// [`Self::link_named`] then gives the other one.
    #[must_use]
    pub fn link(&self, index: IfIndex) -> Option<&Link> {
        self.links.get(&index).map(|heard| &heard.what)
    }

    /// The link that has this name now.
    #[must_use]
    pub fn link_named(&self, name: &IfName) -> Option<&Link> {
        self.names.get(name).and_then(|index| self.link(*index))
    }

    /// All links, by index.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values().map(|heard| &heard.what)
    }

    /// All addresses, by link.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.addresses.values().flat_map(BTreeMap::values).map(|heard| &heard.what)
    }

    /// The addresses of a link.
    pub fn addresses_of(&self, index: IfIndex) -> impl Iterator<Item = &Address> {
        self.heard_addresses(index).map(|heard| &heard.what)
    }

    /// Whether the link has exactly this address with exactly this prefix length.
    #[must_use]
    pub fn has(&self, index: IfIndex, prefix: Prefix) -> bool {
        let from = Key { prefix, peer: None };
        let found = self.addresses.get(&index).and_then(|of_link| of_link.range(from..).next());
        found.is_some_and(|(key, _)| key.prefix == prefix)
    }

    /// Whether somebody else than a daemon of our kind has set this address. Kernels before 5.18 do not keep who did;
    /// there the answer is no. Others mark their own addresses, that of `lo` above all, by which they are told.
    #[must_use]
    pub fn is_foreign(&self, index: IfIndex, prefix: Prefix) -> bool {
        let foreign = |address: &Address| address.prefix == prefix && address.protocol != PROTOCOL;
        self.tells_protocol && self.addresses_of(index).any(foreign)
    }

    /// Whether this is the first address of its family on the link, in the kernel's order.
    #[must_use]
    pub fn is_first(&self, index: IfIndex, prefix: Prefix) -> bool {
        let family = Family::from(prefix.address());
        self.heard_addresses(index)
            .filter(|heard| Family::from(heard.what.prefix.address()) == family)
            .min_by_key(|heard| heard.number)
            .is_some_and(|first| first.what.prefix == prefix)
    }

    /// Whether the address is, or was, there for a virtual router, and so nothing that a router speaks from.
    ///
    /// Kernels from 5.18 on tell: what carries keepalived's protocol number is, whichever process has set it, and nothing
    /// else, although it may be wanted as a virtual address too: the owner of a virtual router has its own address as
    /// one (RFC 9568 §1.7). On older kernels `or_else` decides. There it should answer yes to every address that is
    /// configured for the device, not only to those wanted now, because a worker that died has left some;
    /// but not to those of an instance with the owner's priority.
    pub fn is_virtual(&self, address: &Address, or_else: impl FnOnce(Prefix) -> bool) -> bool {
        if self.is_static(address) {
            return false;
        }
        if self.tells_protocol { address.protocol == PROTOCOL } else { or_else(address.prefix) }
    }

    /// From now on these are the addresses that are the host's own although we set them (`static_ipaddress`). Gives the
    /// devices for which that may change from where a router speaks.
    ///
    /// One that was among them and `stays_own` is one for as long as it is there: its deletion is heard as that of an
    /// address of the host.
    pub(crate) fn set_statics(
        &mut self,
        statics: impl Iterator<Item = (IfName, Prefix)>,
        stays_own: impl Fn(&IfName, Prefix) -> bool,
    ) -> BTreeSet<IfName> {
        let before = std::mem::take(&mut self.statics);
        let is_there = |name, prefix| self.link_named(name).is_some_and(|link| self.has(link.index, prefix));
        let leaving =
            before.iter().filter(|(name, prefix)| is_there(name, *prefix) && stays_own(name, *prefix));
        let statics: BTreeSet<_> = statics.chain(leaving.cloned()).collect();
        let changed = statics.symmetric_difference(&before).map(|(name, _)| name.clone()).collect();
        self.statics = statics;
        changed
    }

    /// Whether this is one of the host's own addresses that we set.
    pub(crate) fn is_static_slot(&self, device: &IfName, prefix: Prefix) -> bool {
        !self.statics.is_empty() && self.statics.contains(&(device.clone(), prefix))
    }

    fn is_static(&self, address: &Address) -> bool {
        self.link(address.index).is_some_and(|link| self.is_static_slot(&link.name, address.prefix))
    }

    /// The address that a router speaks from: the link's first one of `family` that is in use and not virtual by
    /// [`Self::is_virtual`], which `or_else` is for. A secondary address is taken only where there is no primary one: a
    /// virtual address may stand before it, which an earlier run has left.
    ///
    /// For IPv6 a link-local address is meant (RFC 9568 §5.1.2.1), so only those are looked at.
    pub fn primary(
        &self,
        index: IfIndex,
        family: Family,
        or_else: impl Fn(Prefix) -> bool,
    ) -> Option<&Address> {
        self.heard_addresses(index)
            .filter(|heard| {
                let address = &heard.what;
                Family::from(address.prefix.address()) == family
                    && is_source(address)
                    && !self.is_virtual(address, &or_else)
            })
            .min_by_key(|heard| {
                // The same bit means "temporary" for IPv6, of which no link-local address is.
                (heard.what.flags.secondary(), heard.number)
            })
            .map(|heard| &heard.what)
    }

    /// Whether the link has a link-local IPv6 address, not virtual by [`Self::is_virtual`], of which the kernel does not
    /// know yet whether somebody else has it too.
    pub fn awaits_link_local(&self, index: IfIndex, or_else: impl Fn(Prefix) -> bool) -> bool {
        self.addresses_of(index).any(|address| {
            matches!(address.prefix.address(), IpAddr::V6(v6) if v6.is_unicast_link_local())
                && address.flags.tentative()
                && !address.flags.duplicate()
                && !self.is_virtual(address, &or_else)
        })
    }

    /// Whether there is this rule, and a daemon of our kind has made it.
    #[must_use]
    pub fn has_own_rule(&self, rule: &rule::Form) -> bool {
        self.rules.get(rule).is_some_and(|heard| heard.what == PROTOCOL)
    }

    /// Begins a dump: what is not heard again until its sweep is gone.
    pub(crate) const fn mark(&mut self) {
        self.generation += 1;
    }

    /// Drops the links not heard since the mark, and appends what that changed.
    pub(crate) fn sweep_links(&mut self, changes: &mut Vec<Change>) {
        let stale = self.links.iter().filter(|(_, heard)| heard.generation < self.generation);
        for index in stale.map(|(index, _)| *index).collect::<Vec<_>>() {
            self.remove_link(index, changes);
        }
    }

    /// Drops the addresses not heard since the mark, and appends what that changed.
    pub(crate) fn sweep_addresses(&mut self, changes: &mut Vec<Change>) {
        let generation = self.generation;
        for of_link in self.addresses.values_mut() {
            let stale = of_link.extract_if(.., |_, heard| heard.generation < generation);
            changes.extend(stale.map(|(_, heard)| Change::AddressGone(heard.what)));
        }
    }

    /// Drops the rules not heard since the mark, and appends what that changed.
    pub(crate) fn sweep_rules(&mut self, changes: &mut Vec<Change>) {
        let generation = self.generation;
        let stale = self.rules.extract_if(.., |_, heard| heard.generation < generation);
        changes.extend(stale.map(|(rule, _)| Change::RuleGone(rule)));
    }

    fn set_rule(&mut self, rule: rule::Form, protocol: u8) {
        self.rules.insert(rule, Heard { what: protocol, generation: self.generation, number: self.count });
        self.count += 1;
    }

    fn heard_addresses(&self, index: IfIndex) -> impl Iterator<Item = &Heard<Address>> {
        self.addresses.get(&index).into_iter().flat_map(BTreeMap::values)
    }

    /// Takes in a link. A name belongs to one link at a time: who had it before has lost it, heard or not.
    fn set_link(&mut self, link: Link, changes: &mut Vec<Change>) {
        let known = self.links.get(&link.index);
        let number = known.map_or(self.count, |known| known.number);
        let is_news = known.is_none_or(|known| known.what != link);
        let renamed = known.filter(|known| known.what.name != link.name).map(|known| known.what.name.clone());
        if let Some(old) = renamed {
            self.take_name(link.index, old, changes);
        }
        let before = self.names.insert(link.name.clone(), link.index);
        if let Some(index) = before.filter(|before| *before != link.index) {
            changes.push(Change::LinkGone { index, name: link.name.clone() });
        }
        let heard = Heard { what: link.clone(), generation: self.generation, number };
        self.links.insert(link.index, heard);
        self.count += 1;
        if is_news || before != Some(link.index) {
            changes.push(Change::Link(link));
        }
    }

    /// Takes in an address, and gives it back if it differs from what was known.
    fn set_address(&mut self, address: Address) -> Option<Address> {
        let of_link = self.addresses.entry(address.index).or_default();
        let known = of_link.get(&key(&address));
        let changed = known.is_none_or(|known| known.what != address);
        self.tells_protocol |= address.protocol != 0;
        let number = known.map_or(self.count, |known| known.number);
        let heard = Heard { what: address.clone(), generation: self.generation, number };
        of_link.insert(key(&address), heard);
        self.count += 1;
        changed.then_some(address)
    }

    fn remove_link(&mut self, index: IfIndex, changes: &mut Vec<Change>) {
        let orphans = self.addresses.remove(&index).unwrap_or_default().into_values();
        changes.extend(orphans.map(|heard| Change::AddressGone(heard.what)));
        if let Some(Heard { what: Link { name, .. }, .. }) = self.links.remove(&index) {
            self.take_name(index, name, changes);
        }
    }

    /// Takes its name from a link, unless another one has it by now, which has been told then.
    fn take_name(&mut self, index: IfIndex, name: IfName, changes: &mut Vec<Change>) {
        if self.names.get(&name) == Some(&index) {
            self.names.remove(&name);
            changes.push(Change::LinkGone { index, name });
        }
    }
}

impl route::Links for Mirror {
    fn index(&self, name: &IfName) -> Option<IfIndex> {
        self.link_named(name).filter(|link| link.up).map(|link| link.index)
    }

    fn vrf_table(&self, name: &IfName) -> Option<u32> {
        self.link_named(name)?.vrf_table
    }
}

const fn key(address: &Address) -> Key {
    Key { prefix: address.prefix, peer: address.peer }
}

fn is_source(address: &Address) -> bool {
    let in_use = !address.flags.tentative() && !address.flags.duplicate();
    match address.prefix.address() {
        IpAddr::V4(_) => in_use,
        IpAddr::V6(v6) => in_use && v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::AddressFlags;

    fn index(number: u32) -> IfIndex {
        IfIndex::try_from(number).unwrap()
    }

    fn link(number: u32, name: &str) -> Link {
        Link::new(index(number), name.parse().unwrap())
    }

    fn address(number: u32, prefix: &str) -> Address {
        let (address, length) = prefix.split_once('/').unwrap();
        Address {
            index: index(number),
            prefix: Prefix::new(address.parse().unwrap(), length.parse().unwrap()).unwrap(),
            peer: None,
            scope: 0,
            broadcast: None,
            label: None,
            flags: AddressFlags::default(),
            protocol: 0,
        }
    }

    fn apply(mirror: &mut Mirror, events: impl IntoIterator<Item = Event>) -> Vec<Change> {
        let mut changes = Vec::new();
        events.into_iter().for_each(|event| mirror.apply(event, &mut changes));
        changes
    }

    fn named(mirror: &Mirror, name: &str) -> Option<u32> {
        mirror.link_named(&name.parse().unwrap()).map(|link| link.index.get())
    }

    #[test]
    fn what_is_known_already_is_no_change() {
        let mut mirror = Mirror::default();
        let events = [Event::LinkChanged(link(1, "eth0")), Event::AddressAdded(address(1, "192.0.2.1/24"))];
        assert_eq!(apply(&mut mirror, events.clone()).len(), 2);
        assert_eq!(apply(&mut mirror, events), []);
        let down = Link { running: false, ..link(1, "eth0") };
        assert_eq!(apply(&mut mirror, [Event::LinkChanged(down.clone())]), [Change::Link(down)]);
    }

    #[test]
    fn names_move_between_links() {
        let mut mirror = Mirror::default();
        let changed = |number, name| Event::LinkChanged(link(number, name));
        apply(&mut mirror, [changed(1, "a"), changed(2, "b")]);
        apply(&mut mirror, [changed(1, "c"), changed(2, "a"), changed(1, "b")]);
        assert_eq!((named(&mirror, "a"), named(&mirror, "b"), named(&mirror, "c")), (Some(2), Some(1), None));
        // A new link takes the name of one whose end was not heard; then that end is heard.
        apply(&mut mirror, [changed(3, "a")]);
        apply(&mut mirror, [Event::LinkGone { index: index(2), name: "a".parse().unwrap() }]);
        assert_eq!(named(&mirror, "a"), Some(3));
    }

    fn gone(number: u32, name: &str) -> Change {
        Change::LinkGone { index: index(number), name: name.parse().unwrap() }
    }

    #[test]
    fn a_rename_says_that_the_old_name_is_gone_before_the_new_one() {
        let mut mirror = Mirror::default();
        let changed = |number, name| Event::LinkChanged(link(number, name));
        apply(&mut mirror, [changed(1, "a"), changed(2, "b")]);
        assert_eq!(apply(&mut mirror, [changed(1, "c")]), [gone(1, "a"), Change::Link(link(1, "c"))]);
        let swap = apply(&mut mirror, [changed(2, "x"), changed(1, "b"), changed(2, "c")]);
        assert_eq!(
            swap,
            [
                gone(2, "b"),
                Change::Link(link(2, "x")),
                gone(1, "c"),
                Change::Link(link(1, "b")),
                gone(2, "x"),
                Change::Link(link(2, "c")),
            ]
        );
    }

    #[test]
    fn links_that_have_swapped_their_names_unheard_are_told_apart() {
        let mut mirror = Mirror::default();
        let changed = |number, name| Event::LinkChanged(link(number, name));
        apply(&mut mirror, [changed(1, "a"), changed(2, "b")]);
        let swap = apply(&mut mirror, [changed(1, "b"), changed(2, "a")]);
        let (first, second) = (Change::Link(link(1, "b")), Change::Link(link(2, "a")));
        assert_eq!(swap, [gone(1, "a"), gone(2, "b"), first.clone(), second]);
        // Back again, and the other one has not been heard yet when its old state is.
        apply(&mut mirror, [changed(2, "b")]);
        assert_eq!(named(&mirror, "b"), Some(2));
        assert_eq!(apply(&mut mirror, [changed(1, "b")]), [gone(2, "b"), first]);
    }

    #[test]
    fn the_last_change_of_a_name_is_true_after_a_link_was_made_anew_unheard() {
        let mut mirror = Mirror::default();
        let events = [Event::LinkChanged(link(2, "eth1")), Event::AddressAdded(address(2, "192.0.2.1/24"))];
        apply(&mut mirror, events);
        mirror.mark();
        let new = apply(&mut mirror, [Event::LinkChanged(link(3, "eth1"))]);
        assert_eq!(new, [gone(2, "eth1"), Change::Link(link(3, "eth1"))]);
        let mut swept = Vec::new();
        mirror.sweep_links(&mut swept);
        assert_eq!(swept, [Change::AddressGone(address(2, "192.0.2.1/24"))], "the name is another one's");
        assert_eq!(mirror.link(index(2)), None);
        assert_eq!(named(&mirror, "eth1"), Some(3));
    }

    #[test]
    fn a_link_takes_its_addresses_along() {
        let mut mirror = Mirror::default();
        let events = [
            Event::LinkChanged(link(1, "eth0")),
            Event::AddressAdded(address(1, "192.0.2.1/24")),
            Event::AddressAdded(address(2, "192.0.2.1/24")),
        ];
        apply(&mut mirror, events);
        let name = "eth0".parse::<IfName>().unwrap();
        let gone = apply(&mut mirror, [Event::LinkGone { index: index(1), name: name.clone() }]);
        let address_gone = Change::AddressGone(address(1, "192.0.2.1/24"));
        assert_eq!(gone, [address_gone, Change::LinkGone { index: index(1), name }]);
        assert_eq!(mirror.addresses().count(), 1);
    }

    #[test]
    fn addresses_of_a_peer_are_told_apart() {
        let mut mirror = Mirror::default();
        let to = |peer: [u8; 4]| Address { peer: Some(peer.into()), ..address(1, "192.0.2.1/32") };
        let events = [Event::AddressAdded(to([192, 0, 2, 7])), Event::AddressAdded(to([192, 0, 2, 8]))];
        apply(&mut mirror, events);
        assert_eq!(mirror.addresses_of(index(1)).count(), 2);
        apply(&mut mirror, [Event::AddressGone(to([192, 0, 2, 7]))]);
        assert!(mirror.has(index(1), address(1, "192.0.2.1/32").prefix));
        assert!(!mirror.has(index(1), address(1, "192.0.2.0/32").prefix));
    }

    #[test]
    fn foreign_addresses_are_told_where_the_kernel_tells_any() {
        let mut mirror = Mirror::default();
        let (own, ours) = (address(1, "192.0.2.1/24"), address(1, "192.0.2.9/24"));
        apply(&mut mirror, [Event::AddressAdded(own.clone())]);
        assert!(!mirror.is_foreign(index(1), own.prefix), "this kernel does not say");
        let ours = Address { protocol: PROTOCOL, ..ours };
        apply(&mut mirror, [Event::AddressAdded(ours.clone())]);
        assert!(mirror.is_foreign(index(1), own.prefix));
        assert!(!mirror.is_foreign(index(1), ours.prefix));
        assert!(!mirror.is_foreign(index(2), own.prefix));
    }

    #[test]
    fn the_primary_address_is_the_first_that_is_no_virtual_one() {
        let mut mirror = Mirror::default();
        let wanted = address(1, "192.0.2.3/24");
        let events = [
            Address { flags: AddressFlags(0x01), ..address(1, "192.0.2.8/24") },
            wanted.clone(),
            address(1, "192.0.2.7/24"),
            address(1, "192.0.2.1/24"),
            address(1, "2001:db8::1/64"),
            Address { flags: AddressFlags(0x40), ..address(1, "fe80::1/64") },
            address(1, "fe80::2/64"),
        ];
        apply(&mut mirror, events.map(Event::AddressAdded));
        let primary = |mirror: &Mirror, family| {
            mirror.primary(index(1), family, |prefix| prefix == wanted.prefix).cloned()
        };
        assert_eq!(primary(&mirror, Family::V4), Some(address(1, "192.0.2.7/24")), "in the order heard");
        assert_eq!(primary(&mirror, Family::V6), Some(address(1, "fe80::2/64")));
        assert_eq!(mirror.primary(index(2), Family::V4, |_| false), None);
    }

    #[test]
    fn a_secondary_address_is_a_source_where_only_virtual_ones_are_primary() {
        let mut mirror = Mirror::default();
        let left_over = Address { protocol: PROTOCOL, ..address(1, "192.0.2.9/24") };
        let secondary = |text| Address { flags: AddressFlags(0x01), ..address(1, text) };
        let second_virtual = Address { protocol: PROTOCOL, ..secondary("192.0.2.8/24") };
        let own = secondary("192.0.2.1/24");
        apply(&mut mirror, [left_over, second_virtual, own.clone()].map(Event::AddressAdded));
        assert_eq!(mirror.primary(index(1), Family::V4, |_| true), Some(&own));
    }

    #[test]
    fn a_static_address_is_the_host_s_own_until_it_is_gone() {
        let mut mirror = Mirror::default();
        let (name, ours) =
            (link(1, "eth1").name, Address { protocol: PROTOCOL, ..address(1, "192.0.2.9/24") });
        apply(&mut mirror, [Event::LinkChanged(link(1, "eth1")), Event::AddressAdded(ours.clone())]);
        let source = |mirror: &Mirror| mirror.primary(index(1), Family::V4, |_| true).cloned();
        assert_eq!(source(&mirror), None);
        let devices = BTreeSet::from([name.clone()]);
        let wanted = || std::iter::once((name.clone(), ours.prefix));
        assert_eq!(mirror.set_statics(wanted(), |_, _| true), devices);
        assert_eq!(mirror.set_statics(wanted(), |_, _| true), BTreeSet::new(), "nothing is new");
        assert_eq!(source(&mirror), Some(ours.clone()));
        assert_eq!(mirror.set_statics(std::iter::empty(), |_, _| true), BTreeSet::new());
        assert_eq!(source(&mirror), Some(ours.clone()), "it is on its way out");
        assert_eq!(mirror.set_statics(std::iter::empty(), |_, _| false), devices, "it is a virtual one now");
        assert_eq!(source(&mirror), None);
    }

    #[test]
    fn the_host_s_own_address_is_its_primary_one_though_it_is_wanted_too() {
        let mut mirror = Mirror::default();
        let left_over = Address { protocol: PROTOCOL, ..address(1, "192.0.2.9/24") };
        let own = address(1, "192.0.2.1/24");
        apply(&mut mirror, [left_over, own.clone()].map(Event::AddressAdded));
        assert_eq!(mirror.primary(index(1), Family::V4, |_| true), Some(&own));
        assert!(!mirror.is_virtual(&own, |_| true));
    }
}
