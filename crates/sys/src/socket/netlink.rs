//! Route netlink: whole datagrams to and from the kernel.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketAddrAny, SocketFlags, SocketType, bind, getsockname,
    recvfrom, sendto, socket_with,
};

use crate::socket::{filter, set_option, widen_receive_buffer};

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
        // Protocol 0 is NETLINK_ROUTE.
        Self::open_protocol(None, groups)
    }

    /// Opens a socket for packet filters (nfnetlink) instead, which hears of every change of an nftables table.
    ///
    /// # Errors
    /// The kernel has no nfnetlink, or no file descriptor left.
    pub fn open_filter() -> io::Result<Self> {
        Self::open_protocol(Some(rustix::net::netlink::NETFILTER), &[NFTABLES])
    }

    /// Opens a socket of generic netlink instead, which belongs to no group.
    ///
    /// # Errors
    /// The kernel has no file descriptor left.
    pub fn open_generic() -> io::Result<Self> {
        Self::open_protocol(Some(rustix::net::netlink::GENERIC), &[])
    }

    /// The number that messages of the kernel carry which this socket has caused.
    ///
    /// # Errors
    /// Only what means a broken program.
    pub fn port(&self) -> io::Result<u32> {
        let own = getsockname(&self.fd)?;
        SocketAddrNetlink::try_from(own).map(|own| own.pid()).map_err(io::Error::from)
    }

    fn open_protocol(protocol: Option<Protocol>, groups: &[Group]) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        set_option(&fd, libc::SOL_NETLINK, libc::NETLINK_EXT_ACK, 1)?;
        set_option(&fd, libc::SOL_NETLINK, libc::NETLINK_CAP_ACK, 1)?;
        set_option(&fd, libc::SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)?;
        widen_receive_buffer(&fd)?;
        bind(&fd, &KERNEL)?;
        for group in groups {
            set_option(&fd, libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, group.0)?;
        }
        Ok(Self { fd })
    }

    /// Of changes of routes, only those of routes of `protocol` are heard from now on: a router may have a million others, and
    /// their changes would fill the queue. Listings come whole.
    ///
    /// # Errors
    /// The kernel takes no filter.
    pub fn hear_routes_of(&self, protocol: u8) -> io::Result<()> {
        filter::attach(&self.fd, &filter::routes_of(protocol))
    }

    /// Sends `datagram`, one or more whole messages. The kernel has carried them out when this returns.
    ///
    /// # Errors
    /// Whatever the kernel says of the datagram as such; what it says of a request comes by [`Self::recv`].
    pub fn send(&self, datagram: &[u8]) -> io::Result<()> {
        sendto(&self.fd, datagram, SendFlags::DONTWAIT, &KERNEL)?;
        Ok(())
    }

    /// Receives one datagram into `buffer`, which is grown so that nothing is cut. Datagrams of other
    /// processes are dropped unseen.
    ///
    /// # Errors
    /// Only what means a broken program.
    pub fn recv(&self, buffer: &mut Vec<u8>) -> io::Result<Received> {
        loop {
            let peek = RecvFlags::PEEK | RecvFlags::TRUNC | RecvFlags::DONTWAIT;
            let length = match recvfrom(&self.fd, &mut [0; 0], peek) {
                Ok((_, length, _)) => length,
                Err(Errno::AGAIN) => return Ok(Received::Empty),
                Err(Errno::NOBUFS) => return Ok(Received::Overrun),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            buffer.clear();
            buffer.reserve(length.max(DUMP_BYTES));
            match recvfrom(&self.fd, spare_capacity(buffer), RecvFlags::DONTWAIT) {
                Ok((_, _, Some(source))) if is_kernel(&source) => return Ok(Received::Datagram),
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(Received::Empty),
                // An overrun may come between the two calls.
                Err(Errno::NOBUFS) => return Ok(Received::Overrun),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Port 0: as destination the kernel, as own address "choose one".
const KERNEL: SocketAddrNetlink = SocketAddrNetlink::new(0, 0);

/// `NFNLGRP_NFTABLES`.
const NFTABLES: Group = Group(7);

/// `libc` has no name for it. Since Linux 4.20.
const NETLINK_GET_STRICT_CHK: libc::c_int = 12;

/// The kernel makes a dump's datagrams as large as the largest read so far, up to this.
const DUMP_BYTES: usize = 32 * 1024;

pub(super) fn is_kernel(source: &SocketAddrAny) -> bool {
    SocketAddrNetlink::try_from(source.clone()).is_ok_and(|source| source.pid() == 0)
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
