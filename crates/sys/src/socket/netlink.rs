//! Route netlink: whole datagrams to and from the kernel.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A multicast group of route netlink (`RTNLGRP_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(pub u32);

impl Group {
    /// Links.
    pub const LINK: Self = Self(libc::RTNLGRP_LINK);
    /// Neighbours.
    pub const NEIGHBOUR: Self = Self(libc::RTNLGRP_NEIGH);
    /// IPv4 addresses.
    pub const IPV4_ADDRESS: Self = Self(libc::RTNLGRP_IPV4_IFADDR);
    /// IPv6 addresses.
    pub const IPV6_ADDRESS: Self = Self(libc::RTNLGRP_IPV6_IFADDR);
    /// IPv4 routes.
    pub const IPV4_ROUTE: Self = Self(libc::RTNLGRP_IPV4_ROUTE);
    /// IPv6 routes.
    pub const IPV6_ROUTE: Self = Self(libc::RTNLGRP_IPV6_ROUTE);
    /// IPv4 rules.
    pub const IPV4_RULE: Self = Self(libc::RTNLGRP_IPV4_RULE);
    /// IPv6 rules.
    pub const IPV6_RULE: Self = Self(libc::RTNLGRP_IPV6_RULE);
}

/// What [`Socket::recv`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Received {
    /// The buffer holds a datagram: one or more netlink messages.
    Datagram,
    /// Nothing waits.
    Empty,
    /// The kernel dropped messages since the last call (`ENOBUFS`): what was learnt from them is no longer whole.
    Overrun,
}

/// A `NETLINK_ROUTE` socket with extended acknowledgements, capped ones, and strict checking of dumps.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
}

impl Socket {
    /// Opens it in the network namespace of the calling thread, as a member of `groups`.
    ///
    /// # Errors
    /// The kernel has no file descriptor left, or a group is unknown.
    pub fn open(groups: &[Group]) -> io::Result<Self> {
        let _ = groups;
        unimplemented!()
    }

    /// Sends `datagram`, one or more whole messages. The kernel has carried them out when this returns.
    ///
    /// # Errors
    /// Whatever the kernel says of the datagram as such; what it says of a request comes by [`Self::recv`].
    pub fn send(&self, datagram: &[u8]) -> io::Result<()> {
        let _ = datagram;
        unimplemented!()
    }

    /// Receives one datagram into `buffer`, which is grown so that nothing is cut. Datagrams of other
    /// processes are dropped unseen.
    ///
    /// # Errors
    /// Only what means a broken program.
    pub fn recv(&self, buffer: &mut Vec<u8>) -> io::Result<Received> {
        let _ = buffer;
        unimplemented!()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
