//! Raw sockets for advertisements, mostly of one link: over IPv4 whole packets in and out, over IPv6 their payload.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::num::NonZeroU32;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use model::IfIndex;
use nix::sys::socket::{setsockopt, sockopt};
use rustix::io::Errno;
use rustix::net::sockopt::set_ip_multicast_if_with_ifindex;
use rustix::net::{SendFlags, sendto};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Type};

use crate::clock::WallOffset;
use crate::socket::widen_receive_buffer;

mod batch;
mod v6;

pub use batch::{Batch, Datagram, Datagrams, Delivery};
pub use v6::SocketV6;

/// A raw IPv4 socket that hears one protocol, and speaks whatever it is handed, on one link only or wherever the kernel
/// routes it.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    link: Option<IfIndex>,
}

impl Socket {
    /// Opens a socket for protocol 112 on `link`, in the network namespace of the calling thread. It has joined no
    /// group, and can join none without a link.
    ///
    /// It does not hear what it sends itself.
    ///
    /// # Errors
    /// `CAP_NET_RAW` is missing (`EPERM`), or there is no such link (`ENODEV`).
    pub fn open(link: impl Into<Option<IfIndex>>) -> io::Result<Self> {
        Self::open_for(VRRP, link.into())
    }

    /// As [`Self::open`], for protocol 51, in which VRRP may be wrapped (RFC 2338 §5.3.6.2).
    ///
    /// # Errors
    /// As those of [`Self::open`].
    pub fn open_protected(link: impl Into<Option<IfIndex>>) -> io::Result<Self> {
        Self::open_for(AUTHENTICATION_HEADER, link.into())
    }

    fn open_for(protocol: i32, link: Option<IfIndex>) -> io::Result<Self> {
        let socket = socket2::Socket::new(
            Domain::IPV4,
            Type::RAW.cloexec().nonblocking(),
            Some(Protocol::from(protocol)),
        )?;
        if let Some(link) = link {
            // Before anything of another link can come in. By index: names change hands.
            socket.bind_device_by_index_v4(NonZeroU32::new(link.get()))?;
            speak_on(&socket, link)?;
        }
        socket.set_multicast_loop_v4(false)?;
        // Else it hears every group that any socket of this host has joined.
        socket.set_multicast_all_v4(false)?;
        socket.set_header_included_v4(true)?;
        socket.set_priority(PRIORITY)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        setsockopt(&socket, sockopt::RxqOvfl, &1)?;
        widen_receive_buffer(&socket)?;
        Ok(Self { fd: socket.into(), link })
    }

    /// The link it was opened on.
    #[must_use]
    pub const fn link(&self) -> Option<IfIndex> {
        self.link
    }

    /// Hears packets to `group`.
    ///
    /// # Errors
    /// `EADDRINUSE` if it is a member already, `ENODEV` if the link is gone or there is none.
    pub fn join(&self, group: Ipv4Addr) -> io::Result<()> {
        let link = self.link.ok_or(Errno::NODEV)?;
        self.borrowed().join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(link.get()))
    }

    /// Ends the membership in `group`.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` if it is no member.
    pub fn leave(&self, group: Ipv4Addr) -> io::Result<()> {
        let link = self.link.ok_or(Errno::NODEV)?;
        self.borrowed().leave_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(link.get()))
    }

    /// Takes up to [`Batch::CAPACITY`] waiting packets, oldest first, with one system call.
    ///
    /// A full batch means that more may wait.
    ///
    /// # Errors
    /// What the kernel says of the link, for example `ENETDOWN`. Nothing waiting is no error.
    pub fn recv<'b>(&self, batch: &'b mut Batch, clock: &mut WallOffset) -> io::Result<Datagrams<'b>> {
        batch.fill(self.fd.as_fd(), clock)
    }

    /// Sends `packet`, a whole IPv4 packet with its header. The kernel fills in a zero source, a zero
    /// identification, the total length and the header checksum.
    ///
    /// # Errors
    /// Whatever the kernel says; the packet is not kept. `WouldBlock` if the queue is full.
    pub fn send(&self, packet: &[u8], destination: Ipv4Addr) -> io::Result<()> {
        sendto(&self.fd, packet, SendFlags::DONTWAIT, &SocketAddrV4::new(destination, 0))?;
        Ok(())
    }

    fn borrowed(&self) -> socket2::SockRef<'_> {
        socket2::SockRef::from(&self.fd)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Sends multicast on `link`. It is here that the kernel looks whether there is one.
fn speak_on(socket: impl AsFd, link: IfIndex) -> io::Result<()> {
    let any = Ipv4Addr::UNSPECIFIED;
    match set_ip_multicast_if_with_ifindex(socket, &any, &any, link.get()) {
        Err(Errno::ADDRNOTAVAIL) => Err(Errno::NODEV.into()),
        result => Ok(result?),
    }
}

/// IP protocol 112 (RFC 9568 §5.1.1.4).
const VRRP: i32 = 112;
/// IP protocol 51 (RFC 2402 §1).
const AUTHENTICATION_HEADER: i32 = 51;

/// The first band of the default queue. 7, "control", is in the same band but asks for `CAP_NET_ADMIN`.
const PRIORITY: u32 = 6;
