//! The virtual addresses, routes and rules of a host, kept as their owners ask: mirror, transactions and reconcilers as
//! one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use model::route::Route;
use model::rule::Rule;
use model::vrrp::{self, Static, Statics, VirtualAddress};
use model::{Family, IfIndex, IfName, Instant, MacAddr, Prefix, Priority, Sources};

use crate::errno::Refusal;
use crate::event::{Address, Event};
use crate::mirror::{Change, Mirror};
use crate::reconcile::{Reconciler, Report, Slot};
use crate::routing::{Entry, Routing};
use crate::transaction::{Notice, Transactions};

/// What was heard from the kernel, in the form in which a virtual router takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// What there is under this name now.
    Link {
        /// The name.
        name: IfName,
        /// The link that has it.
        link: Option<Standing>,
    },
    /// The link with this number is no more, or not in this namespace.
    Gone(IfIndex),
    /// An address has come or gone.
    Address {
        /// The address.
        address: Address,
        /// It is there now.
        there: bool,
    },
    /// The kernel refused to list links or addresses. It is asked again after [`RETRY`].
    NotListed(Refusal),
}

/// A link as far as a virtual router cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its number.
    pub index: IfIndex,
    /// Up and running.
    pub up: bool,
    /// Its first own address of each family: none that is there for a virtual router.
    pub sources: Sources,
}

/// How a request to hold addresses was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what is held only after a release has to be asked for again"]
pub enum Held {
    /// It is under way.
    Begun,
    /// First something has to be released; then it is to be asked for again.
    AfterRelease,
}

/// Keeps the addresses of the owners `K` on their devices, whatever happens to them. Pure: requests are left in a
/// [`batch`](Self::batch) for the owner of the socket, who hands in what is received.
#[derive(Clone, Debug)]
pub struct Keeper<K> {
    transactions: Transactions,
    mirror: Mirror,
    reconciler: Reconciler,
    routing: Routing,
    /// The routes and rules of owners, and whether each is tracked.
    entries: BTreeMap<Option<K>, BTreeMap<Entry, bool>>,
    /// The addresses of owners. What is there as long as the daemon runs has none.
    holdings: BTreeMap<Option<K>, Arc<[VirtualAddress]>>,
    /// Virtual addresses by the configuration, those of owners left out: kernels before 5.18 do not tell them from
    /// others.
    virtual_slots: BTreeSet<Slot>,
    /// Addresses that came late, for the machine.
    late: Vec<Slot>,
    synchronised: bool,
    /// When to list everything anew, because the kernel did not take or answer something.
    retry_at: Option<Instant>,
    batch: Vec<u8>,
    notices: Vec<Notice>,
    reports: Vec<Report>,
    routing_reports: Vec<Report<Entry>>,
}

impl<K: Ord + Copy> Default for Keeper<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord + Copy> Keeper<K> {
    /// Knows nothing yet: the batch asks for all links and addresses.
    #[must_use]
    pub fn new() -> Self {
        let mut keeper = Self {
            transactions: Transactions::new(),
            mirror: Mirror::default(),
            reconciler: Reconciler::new(),
            routing: Routing::default(),
            entries: BTreeMap::new(),
            holdings: BTreeMap::new(),
            virtual_slots: BTreeSet::new(),
            late: Vec::new(),
            synchronised: false,
            retry_at: None,
            batch: Vec::new(),
            notices: Vec::new(),
            reports: Vec::new(),
            routing_reports: Vec::new(),
        };
        keeper.resynchronise();
        keeper
    }

    /// The requests to send now, as one datagram. Call [`Self::sent`] or [`Self::not_sent`] afterwards.
    #[must_use]
    pub fn batch(&self) -> &[u8] {
        &self.batch
    }

    /// The batch was sent.
    pub fn sent(&mut self) {
        self.batch.clear();
    }

    /// The batch could not be sent: its requests are lost, and listing everything anew after [`RETRY`] finds out which.
    pub fn not_sent(&mut self, now: Instant) {
        self.transactions.not_sent();
        self.retry_at = Some(now + RETRY);
        self.batch.clear();
    }

    /// Events were lost: everything is listed anew.
    pub fn resynchronise(&mut self) {
        self.transactions.resynchronise(&mut self.mirror, &mut self.batch);
    }

    /// The links and addresses as last heard.
    #[must_use]
    pub const fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// Whether all links and addresses have been heard once.
    #[must_use]
    pub const fn is_synchronised(&self) -> bool {
        self.synchronised
    }

    /// From now on these are the virtual addresses, and those that are the host's own although we set them. Gives the
    /// devices for which that may change from where a router speaks: nothing else tells of an address that is there.
    pub fn configure(&mut self, config: &vrrp::Config) -> BTreeSet<IfName> {
        let backed_up = config.instances.iter().filter(|instance| instance.priority != Priority::OWNER);
        self.virtual_slots = backed_up.flat_map(|instance| &instance.addresses).map(Slot::of).collect();
        let virtual_slots = &self.virtual_slots;
        let statics = config.statics.addresses.iter().map(|one| (one.item.device.clone(), one.item.prefix));
        self.mirror.set_statics(statics, |device, prefix| {
            !virtual_slots.contains(&Slot { device: device.clone(), prefix })
        })
    }

    /// Whether this is one of the host's own addresses that we set.
    #[must_use]
    pub fn is_static(&self, slot: &Slot) -> bool {
        self.mirror.is_static_slot(&slot.device, slot.prefix)
    }

    /// Takes in what the kernel has said, and appends what the machine must know.
    pub fn hear(&mut self, now: Instant, events: impl IntoIterator<Item = Event>, heard: &mut Vec<Heard>) {
        for event in events {
            self.transactions.hear(event, &mut self.mirror, &mut self.batch, &mut self.notices);
        }
        for notice in std::mem::take(&mut self.notices) {
            self.reconciler.on_notice(now, &notice, &self.mirror, &mut self.reports);
            self.routing.on_notice(now, &notice, &self.mirror, &mut self.routing_reports);
            match notice {
                Notice::Changed(change) => self.take_change(change, heard),
                Notice::Synchronised => self.synchronised = true,
                Notice::NotSynchronised(refusal) => {
                    heard.push(Heard::NotListed(refusal));
                    self.retry_at = Some(now + RETRY);
                }
                Notice::Answered { .. } => {}
            }
        }
    }

    /// The kernel should hold exactly these addresses for `owner`, whose name is `name`.
    pub fn hold(&mut self, owner: K, name: &str, addresses: &Arc<[VirtualAddress]>) -> Held {
        self.hold_for(Some(owner), name, addresses)
    }

    /// The kernel should hold exactly these for nobody in particular: addresses that are the host's own, routes and rules.
    /// That they are its own is said with [`Self::configure`].
    pub fn keep(&mut self, statics: &Statics) -> Held {
        fn items<T: Clone>(statics: &[Static<T>]) -> Vec<T> {
            statics.iter().map(|one| one.item.clone()).collect()
        }
        let addresses = items(&statics.addresses);
        self.route_for(None, STATIC, &items(&statics.routes), &items(&statics.rules));
        self.hold_for(None, STATIC, &addresses.into())
    }

    fn hold_for(&mut self, owner: Option<K>, name: &str, addresses: &Arc<[VirtualAddress]>) -> Held {
        let before = self.holdings.remove(&owner).unwrap_or_else(|| Arc::new([]));
        let stays = |old: &VirtualAddress| {
            let same_slot = |new: &&VirtualAddress| (&old.device, old.prefix) == (&new.device, new.prefix);
            addresses.iter().find(same_slot).map(|new| looks_the_same(old, new))
        };
        for old in before.iter().filter(|old| stays(old) != Some(true)) {
            self.reconciler.unwant(name, &old.device, old.prefix);
        }
        if before.iter().any(|old| stays(old) == Some(false)) {
            // The kernel changes no label, scope or broadcast address: it must be deleted before it is added anew.
            let kept: Vec<_> = before.iter().filter(|old| stays(old) == Some(true)).cloned().collect();
            self.holdings.insert(owner, kept.into());
            return Held::AfterRelease;
        }
        for new in addresses.iter() {
            self.reconciler.want(name, new);
        }
        if !addresses.is_empty() {
            self.holdings.insert(owner, Arc::clone(addresses));
        }
        Held::Begun
    }

    /// The kernel should hold exactly these routes and rules for `owner`, whose name is `name`. Those that it holds already
    /// are not touched.
    pub fn route(&mut self, owner: K, name: &str, routes: &[Route], rules: &[Rule]) {
        self.route_for(Some(owner), name, routes, rules);
    }

    fn route_for(&mut self, owner: Option<K>, name: &str, routes: &[Route], rules: &[Rule]) {
        let before = self.entries.remove(&owner).unwrap_or_default();
        // As often as one is listed it is there once.
        let listed = routes.iter().map(Entry::route).chain(rules.iter().map(Entry::rule));
        let after: BTreeMap<Entry, bool> = listed.collect();
        for entry in before.keys().filter(|entry| !after.contains_key(*entry)) {
            self.routing.unwant(name, entry);
        }
        // In the order of the file: one route may lead to the gateway of the next.
        for (entry, tracked) in routes.iter().map(Entry::route).chain(rules.iter().map(Entry::rule)) {
            if before.get(&entry) != Some(&tracked) {
                self.routing.want(name, &entry, tracked);
            }
        }
        if !after.is_empty() {
            self.entries.insert(owner, after);
        }
    }

    /// Deletes those of the configured routes and rules that nobody wants: an earlier run left them.
    pub fn sweep_routing<'a>(
        &mut self,
        routes: impl IntoIterator<Item = &'a Route>,
        rules: impl IntoIterator<Item = &'a Rule>,
    ) {
        let routes = routes.into_iter().map(|route| Entry::route(route).0);
        let rules = rules.into_iter().map(|rule| Entry::rule(rule).0);
        self.routing.sweep(routes.chain(rules));
    }

    /// Deletes those of the `configured` addresses that nobody wants: an earlier run left them.
    pub fn sweep<'a>(&mut self, configured: impl IntoIterator<Item = &'a VirtualAddress>) {
        self.reconciler.sweep(configured, &self.mirror);
    }

    /// Puts a few operations that are due into the batch, and says how many. Routes and rules go before addresses do, and
    /// come after them.
    pub fn step(&mut self, now: Instant) -> usize {
        let (transactions, batch) = (&mut self.transactions, &mut self.batch);
        let mut ask = |request| transactions.ask(request, batch);
        let (mirror, reports) = (&self.mirror, &mut self.routing_reports);
        let mut issued = 0;
        while issued < BATCH && self.routing.issue_leaving(mirror, reports, &mut ask) {
            issued += 1;
        }
        issued += self.reconciler.issue_batch(
            now,
            mirror,
            &mut self.reports,
            BATCH.saturating_sub(issued),
            &mut ask,
        );
        while issued < BATCH && self.routing.issue_coming(now, mirror, reports, &mut ask) {
            issued += 1;
        }
        issued
    }

    /// What is worth telling since the last call.
    pub fn take_reports(&mut self) -> Vec<Report> {
        for report in &self.reports {
            if let Report::Present { slot, late: true, .. } = report {
                self.late.push(slot.clone());
            }
        }
        std::mem::take(&mut self.reports)
    }

    /// What is worth telling of routes and rules since the last call.
    pub fn take_routing_reports(&mut self) -> Vec<Report<Entry>> {
        std::mem::take(&mut self.routing_reports)
    }

    /// Whether an address waits that came to be held later than asked.
    #[must_use]
    pub const fn has_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// The next such address: it has to be announced anew.
    pub fn take_late(&mut self) -> Option<Slot> {
        self.late.pop()
    }

    /// When [`Self::step`] or [`Self::expire`] has something to do although nothing was heard.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        [self.reconciler.deadline(), self.routing.deadline(), self.retry_at].into_iter().flatten().min()
    }

    /// Lists everything anew if an earlier attempt failed and its pause is over.
    pub fn expire(&mut self, now: Instant) {
        if self.retry_at.take_if(|at| *at <= now).is_some() {
            self.resynchronise();
        }
    }

    /// Whether nothing is left on a link that should not be there.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.reconciler.is_released() && self.routing.is_released()
    }

    /// Whether nothing is left to do or to be answered.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.reconciler.is_idle() && self.routing.is_idle()
    }

    /// Whether an owner holds this address on this device.
    #[must_use]
    pub fn holds(&self, device: &IfName, address: IpAddr) -> bool {
        let mut held = self.holdings.values().flat_map(|held| held.iter());
        held.any(|one| one.device == *device && one.prefix.address() == address)
    }

    /// Where `wanted` is on this host already, set by somebody else: the link's name, and the prefix.
    pub fn elsewhere<'a>(
        &'a self,
        wanted: &'a VirtualAddress,
    ) -> impl Iterator<Item = (&'a IfName, Prefix)> + 'a {
        let same = |one: &&Address| one.prefix.address() == wanted.prefix.address();
        self.mirror.addresses().filter(same).filter_map(|other| {
            let name = &self.mirror.link(other.index)?.name;
            let same_slot = *name == wanted.device && other.prefix == wanted.prefix;
            // One that we have set ourselves is on its way out.
            let slot = Slot { device: name.clone(), prefix: other.prefix };
            let is_ours = self.reconciler.wants(name, other.prefix) || self.reconciler.added(&slot);
            (!same_slot && !is_ours).then_some((name, other.prefix))
        })
    }

    /// Every link there is.
    pub fn links(&self) -> impl Iterator<Item = (&IfName, Option<Standing>)> {
        self.mirror.links().map(|link| (&link.name, self.standing(&link.name)))
    }

    /// The link of this name.
    #[must_use]
    pub fn standing(&self, name: &IfName) -> Option<Standing> {
        let link = self.mirror.link_named(name)?;
        let index = link.index;
        Some(Standing { index, up: link.carries(), sources: self.own_addresses(index, name) })
    }

    /// Number and hardware address of a device.
    #[must_use]
    pub fn device(&self, name: &IfName) -> Option<(IfIndex, MacAddr)> {
        let link = self.mirror.link_named(name)?;
        Some((link.index, link.mac?))
    }

    /// Name of the link with this number.
    #[must_use]
    pub fn name_of(&self, index: IfIndex) -> Option<&IfName> {
        Some(&self.mirror.link(index)?.name)
    }

    /// Whether an interface of this host has that link-layer address.
    #[must_use]
    pub fn is_own(&self, mac: MacAddr) -> bool {
        self.mirror.links().any(|link| link.mac == Some(mac))
    }

    fn take_change(&self, change: Change, heard: &mut Vec<Heard>) {
        if !self.synchronised {
            return;
        }
        match change {
            Change::Link(link) => heard.push(self.heard(&link.name)),
            Change::LinkGone { index, name } => {
                heard.push(Heard::Gone(index));
                heard.push(self.heard(&name));
            }
            Change::Address(address) => self.take_address(address, true, heard),
            Change::AddressGone(address) => self.take_address(address, false, heard),
            Change::RouteGone(_) | Change::RuleGone(_) => {}
        }
    }

    /// A virtual address that comes or goes does not change from where a router speaks.
    fn take_address(&self, address: Address, there: bool, heard: &mut Vec<Heard>) {
        let link = self.mirror.link(address.index).filter(|link| {
            !self.mirror.is_virtual(&address, |prefix| self.is_configured(&link.name, prefix))
        });
        let link = link.map(|link| self.heard(&link.name));
        heard.push(Heard::Address { address, there });
        heard.extend(link);
    }

    /// A name is looked up when it is told: several links may have had it since the event.
    fn heard(&self, name: &IfName) -> Heard {
        Heard::Link { name: name.clone(), link: self.standing(name) }
    }

    fn own_addresses(&self, index: IfIndex, name: &IfName) -> Sources {
        let is_virtual = |prefix| self.is_configured(name, prefix);
        let own = |family| Some(self.mirror.primary(index, family, is_virtual)?.prefix.address());
        let v4 = own(Family::V4).and_then(as_v4);
        let v6 = own(Family::V6).and_then(as_v6);
        let awaits_v6 = v6.is_none() && self.mirror.awaits_link_local(index, is_virtual);
        Sources { v4, v6, awaits_v6 }
    }

    fn is_configured(&self, device: &IfName, prefix: Prefix) -> bool {
        self.virtual_slots.contains(&Slot { device: device.clone(), prefix })
    }
}

/// Whether the kernel could not tell the two apart: what is advertised is not its business.
fn looks_the_same(one: &VirtualAddress, other: &VirtualAddress) -> bool {
    let looks =
        |address: &VirtualAddress| (address.broadcast, address.peer, address.flags, address.preferred);
    (&one.scope, &one.label, looks(one)) == (&other.scope, &other.label, looks(other))
}

const fn as_v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(_) => None,
    }
}

const fn as_v6(address: IpAddr) -> Option<Ipv6Addr> {
    match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => Some(v6),
    }
}

/// Who wants what is there as long as the daemon runs.
const STATIC: &str = "static";
/// Requests in one datagram. More would not be cheaper each, and the kernel works them all off within the call.
const BATCH: usize = 8;
/// From a failure of the socket to the next attempt.
pub const RETRY: Duration = Duration::from_millis(500);
