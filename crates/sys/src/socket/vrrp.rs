//! The IPv4 socket of one link: protocol 112, whole packets in and out.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use model::{IfIndex, Instant};

use crate::clock::WallOffset;

/// A raw socket for protocol 112 that hears and speaks on one link only.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    link: IfIndex,
}

impl Socket {
    /// Opens a socket on `link`, in the network namespace of the calling thread. It has joined no group.
    ///
    /// # Errors
    /// `CAP_NET_RAW` is missing (`EPERM`), or there is no such link (`ENODEV`).
    pub fn open(link: IfIndex) -> io::Result<Self> {
        let _ = link;
        unimplemented!()
    }

    /// The link it was opened on.
    #[must_use]
    pub const fn link(&self) -> IfIndex {
        self.link
    }

    /// Hears packets to `group`.
    ///
    /// # Errors
    /// `EADDRINUSE` if it is a member already, `ENODEV` if the link is gone.
    pub fn join(&self, group: Ipv4Addr) -> io::Result<()> {
        let _ = group;
        unimplemented!()
    }

    /// Ends the membership in `group`.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` if it is no member.
    pub fn leave(&self, group: Ipv4Addr) -> io::Result<()> {
        let _ = group;
        unimplemented!()
    }

    /// Takes up to [`Batch::CAPACITY`] waiting packets, oldest first, with one system call.
    ///
    /// A full batch means that more may wait.
    ///
    /// # Errors
    /// What the kernel says of the link, for example `ENETDOWN`. Nothing waiting is no error.
    pub fn recv<'b>(&self, batch: &'b mut Batch, clock: &WallOffset) -> io::Result<Datagrams<'b>> {
        let _ = (batch, clock);
        unimplemented!()
    }

    /// Sends `packet`, a whole IPv4 packet with its header. The kernel fills in a zero source, a zero
    /// identification, the total length and the header checksum.
    ///
    /// # Errors
    /// Whatever the kernel says; the packet is not kept. `WouldBlock` if the queue is full.
    pub fn send(&self, packet: &[u8], destination: Ipv4Addr) -> io::Result<()> {
        let _ = (packet, destination);
        unimplemented!()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Room for a batch of received packets, used again and again, for any number of sockets.
#[derive(Debug)]
pub struct Batch {}

impl Batch {
    /// Packets in a batch.
    pub const CAPACITY: usize = 32;
    /// Bytes of a packet that are kept; the rest is cut off. No VRRP packet is longer than an Ethernet frame.
    pub const PACKET_BYTES: usize = 2048;

    /// An empty batch; allocates about 70 KiB, once.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

/// A received packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'b> {
    /// The IPv4 packet with its header.
    pub bytes: &'b [u8],
    /// When the kernel received it.
    pub received: Instant,
}

/// What [`Socket::recv`] took, oldest first.
#[derive(Debug)]
pub struct Datagrams<'b> {
    batch: &'b Batch,
}

impl Datagrams<'_> {
    /// How many packets this socket's queue has dropped since it was opened, if the kernel said so.
    #[must_use]
    pub const fn dropped(&self) -> Option<u32> {
        None
    }
}

impl<'b> Iterator for Datagrams<'b> {
    type Item = Datagram<'b>;

    fn next(&mut self) -> Option<Datagram<'b>> {
        let _ = self.batch;
        unimplemented!()
    }
}

impl ExactSizeIterator for Datagrams<'_> {
    fn len(&self) -> usize {
        unimplemented!()
    }
}
