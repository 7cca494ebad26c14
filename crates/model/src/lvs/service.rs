//! What traffic a virtual server takes.

use std::net::IpAddr;
use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use crate::Family;

/// The key of an IPVS service, or the name of many (the words after `virtual_server`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Service {
    /// Traffic to an address.
    Address {
        /// The address.
        address: IpAddr,
        /// The port; every port if `None`.
        port: Option<NonZeroU16>,
        /// The transport (`protocol`).
        protocol: Protocol,
    },
    /// Traffic that netfilter has marked (`fwmark`).
    Fwmark {
        /// The mark.
        mark: u32,
        /// Of which clients (`ip_family`, else as the real servers).
        family: Family,
    },
    /// Traffic to any member of a [`ServerGroup`] (`group`).
    Group {
        /// The group's name.
        name: Box<str>,
        /// The transport of its addresses (`protocol`).
        protocol: Protocol,
    },
}

/// A transport protocol that IPVS balances (`protocol`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// Services that share one pool (`virtual_server_group`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerGroup {
    /// Its name.
    pub name: Box<str>,
    /// Its lines, in file order.
    pub members: Vec<Member>,
}

/// One line of a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Member {
    /// One service for each address.
    Addresses {
        /// The addresses.
        range: AddressRange,
        /// The port; every port if `None`.
        port: Option<NonZeroU16>,
    },
    /// Traffic that netfilter has marked (`fwmark`).
    Fwmark {
        /// The mark.
        mark: u32,
        /// Of which addresses; that of the real servers if the line does not say.
        family: Family,
    },
}

/// Addresses that follow each other, both ends included. A single address is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AddressRange {
    first: IpAddr,
    last: IpAddr,
}

impl AddressRange {
    /// From `first` to `last`, if these are of one family and in order.
    #[must_use]
    pub fn new(first: IpAddr, last: IpAddr) -> Option<Self> {
        (Family::from(first) == Family::from(last) && first <= last).then_some(Self { first, last })
    }

    /// `address` alone.
    #[must_use]
    pub const fn single(address: IpAddr) -> Self {
        Self { first: address, last: address }
    }

    /// The first address.
    #[must_use]
    pub const fn first(self) -> IpAddr {
        self.first
    }

    /// The last address.
    #[must_use]
    pub const fn last(self) -> IpAddr {
        self.last
    }
}
