//! What the machine asks its shell to do.

use std::net::IpAddr;
use std::sync::Arc;

use model::route::Route;
use model::rule::Rule;
use model::vrrp::{Auth, Transport, Version, VirtualAddress};
use model::{Centis, Family, IfIndex, IfName, Priority, Vrid};
use wire::signature::Signature;
use wire::vrrp::{Addresses, Advert, Cover};
use wire::{ah, ipv4};

use crate::event::Port;
use crate::{Change, InstanceId, Notice, StateName};

/// One effect. The actions of one instance take effect in the order in which they were pushed; only a
/// [`Action::Transmit`] may overtake others.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Send an advertisement now.
    Transmit(Arc<Outgoing>),
    /// The kernel should hold exactly these addresses, routes and rules for the instance; empty lists release all.
    Hold(Holding),
    /// Tell the link who has an address.
    Announce(Announce),
    /// Ask the link whether another host answers for an address that we hold (RFC 5227 §2.1.1), and hand answers
    /// back as [`crate::Event::Claim`].
    Probe {
        /// The interface to ask on.
        device: IfName,
        /// The address.
        address: IpAddr,
    },
    /// Run the operator's scripts for a transition.
    Notify(Notification),
    /// Run the operator's scripts for a transition of a sync group, after those of its members.
    NotifyGroup(GroupNotification),
    /// Tell the operator.
    Notice(Notice),
    /// Run a check script; answer with [`crate::Event::Script`].
    RunScript {
        /// Its name.
        script: Arc<str>,
        /// Tells this run from earlier ones.
        run: u64,
    },
    /// An instance is in a state: for status displays, and to be remembered if the worker dies.
    Publish {
        /// Its name.
        instance: Arc<str>,
        /// The state.
        state: StateName,
        /// Its effective priority.
        priority: Priority,
    },
    /// An instance is no more.
    Withdraw {
        /// Its name.
        instance: Arc<str>,
    },
    /// A reload changed this.
    Changed(Change),
}

/// An ordered list of actions. Reuse it: after the first turns a steady state allocates nothing.
#[derive(Debug, Default)]
pub struct Actions(Vec<Action>);

impl Actions {
    /// Adds an action after all others.
    pub fn push(&mut self, action: Action) {
        self.0.push(action);
    }

    /// Takes all actions, first pushed first.
    pub fn drain(&mut self) -> impl Iterator<Item = Action> + '_ {
        self.0.drain(..)
    }

    /// The actions that wait.
    #[must_use]
    pub fn as_slice(&self) -> &[Action] {
        &self.0
    }

    pub(crate) fn extend(&mut self, actions: impl IntoIterator<Item = Action>) {
        self.0.extend(actions);
    }

    pub(crate) fn notice(&mut self, notice: Notice) {
        self.push(Action::Notice(notice));
    }
}

/// An advertisement with all that is needed to send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The interface to send it on; `None` if the kernel is to find the way.
    pub link: Option<IfIndex>,
    /// The IP source.
    pub source: IpAddr,
    /// Where it goes.
    pub transport: Transport,
    /// Protocol version.
    pub version: Version,
    /// Virtual router.
    pub vrid: Vrid,
    /// The sender's effective priority, 0 when it stops.
    pub priority: Priority,
    /// The sender's interval.
    pub interval: Centis,
    /// Version 2 authentication.
    pub auth: Auth,
    /// The number in the authentication header, if that is how it is authenticated.
    pub sequence: u32,
    /// What a version 3 checksum over IPv4 covers.
    pub cover: Cover,
    /// The signature, if there is to be one.
    pub signature: Option<Signature>,
    /// The advertised addresses, big-endian, one after the other.
    pub addresses: Box<[u8]>,
    /// The family of `addresses`.
    pub family: Family,
}

impl Outgoing {
    /// The message to put after the IP header.
    #[must_use]
    pub fn advert(&self) -> Advert<'_> {
        let addresses = match self.family {
            Family::V4 => Addresses::v4(&self.addresses),
            Family::V6 => Addresses::v6(&self.addresses),
        };
        Advert {
            version: self.version,
            vrid: self.vrid,
            priority: self.priority,
            interval: self.interval,
            auth: match (self.signature, self.auth) {
                (Some(signature), _) => wire::vrrp::Auth::Signed(signature.into()),
                (None, Auth::None) => wire::vrrp::Auth::None,
                (None, Auth::Pass(password)) => wire::vrrp::Auth::Pass(password.0),
                (None, Auth::Ah(_)) => wire::vrrp::Auth::Other(wire::vrrp::AUTH_AH),
            },
            addresses: addresses.unwrap_or_else(|| Addresses::none(self.family)),
        }
    }

    /// Appends what goes to `destination`: over IPv4 the whole packet, over IPv6 the message, which the kernel puts a
    /// header before. [`crate::Arrival::read`] is the other side of it.
    pub fn emit(&self, destination: IpAddr, out: &mut Vec<u8>) {
        let advert = self.advert();
        let (IpAddr::V4(source), IpAddr::V4(to)) = (self.source, destination) else {
            wire::vrrp::emit(&advert, self.source, destination, out);
            return;
        };
        let ttl = self.ttl().unwrap_or(wire::vrrp::TTL);
        if let (Auth::Ah(password), None) = (self.auth, self.signature) {
            ah::emit(&advert, (source, to), &password.0, self.sequence, ttl, out);
            return;
        }
        let header = ipv4::Header {
            source,
            destination: to,
            ttl,
            protocol: wire::vrrp::PROTOCOL,
            tos: ipv4::TOS_INTERNETWORK_CONTROL,
            // The kernel numbers it.
            identification: 0,
            dont_fragment: false,
        };
        ipv4::emit(&header, wire::vrrp::length(&advert), out);
        wire::vrrp::emit_covering(&advert, (self.source, destination), self.cover, out);
    }

    /// The socket that it goes out by.
    #[must_use]
    pub const fn port(&self) -> Port {
        Port { link: self.link, family: self.family }
    }

    /// The TTL or hop limit of its packets; the kernel's own if `None`, which IPv4 packets never have.
    #[must_use]
    pub fn ttl(&self) -> Option<u8> {
        match (&self.transport, self.family) {
            (Transport::Multicast { .. }, _) => Some(wire::vrrp::TTL),
            (Transport::Unicast { ttl, .. }, Family::V4) => Some(ttl.unwrap_or(wire::vrrp::TTL)),
            (Transport::Unicast { ttl, .. }, Family::V6) => *ttl,
        }
    }

    /// Every IP address that it goes to.
    pub fn destinations(&self) -> impl Iterator<Item = IpAddr> + '_ {
        let (group, peers) = match &self.transport {
            Transport::Multicast { group } => (Some(*group), [].as_slice()),
            Transport::Unicast { peers, .. } => (None, peers.as_slice()),
        };
        group.into_iter().chain(peers.iter().map(|peer| peer.address))
    }
}

/// What the kernel should hold for an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Whose they are.
    pub instance: InstanceId,
    /// Its name, for messages.
    pub name: Arc<str>,
    /// All its addresses.
    pub addresses: Arc<[VirtualAddress]>,
    /// All its routes.
    pub routes: Arc<[Route]>,
    /// All its policy rules.
    pub rules: Arc<[Rule]>,
    /// Where a secondary address shall outlive the one whose secondary it is, meanwhile (`promote_secondaries`).
    pub promotes: Option<IfName>,
}

impl Holding {
    /// Nothing, for this instance.
    #[must_use]
    pub fn nothing(instance: InstanceId, name: Arc<str>) -> Self {
        let (addresses, routes, rules) = (Arc::new([]), Arc::new([]), Arc::new([]));
        Self { instance, name, addresses, routes, rules, promotes: None }
    }

    /// Whether it releases all.
    #[must_use]
    pub fn is_release(&self) -> bool {
        self.addresses.is_empty() && self.routes.is_empty() && self.rules.is_empty()
    }
}

/// Gratuitous ARP for one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// Whose address it is.
    pub instance: InstanceId,
    /// The interface to send on.
    pub device: IfName,
    /// The address.
    pub address: IpAddr,
    /// How many messages, at once.
    pub count: u32,
}

/// A transition that scripts may want to know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The instance's name.
    pub instance: Arc<str>,
    /// What happened.
    pub kind: NotificationKind,
    /// Its effective priority.
    pub priority: Priority,
}

/// A transition of a sync group that scripts may want to know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupNotification {
    /// The group's name.
    pub group: Arc<str>,
    /// What happened: a state of its, or [`NotificationKind::Stop`].
    pub kind: NotificationKind,
}

/// What scripts can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationKind {
    /// It became master.
    Master,
    /// It became backup.
    Backup,
    /// It cannot work.
    Fault,
    /// The daemon stops.
    Stop,
    /// A reload removed it.
    Deleted,
    /// As master it heard an advertisement of lower priority.
    MasterRxLowerPriority,
}

impl NotificationKind {
    /// What scripts are told of this state, if anything.
    pub(crate) const fn of(state: StateName) -> Option<Self> {
        match state {
            StateName::Init => None,
            StateName::Fault => Some(Self::Fault),
            StateName::Backup => Some(Self::Backup),
            StateName::Master => Some(Self::Master),
        }
    }
}
