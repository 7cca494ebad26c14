//! Link-layer frames in and out (`AF_PACKET`).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use model::IfIndex;

/// The protocol that an Ethernet frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EtherType(pub u16);

impl EtherType {
    /// The address resolution protocol.
    pub const ARP: Self = Self(0x0806);
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);
}

/// Sends frames on any link and hears nothing.
#[derive(Debug)]
pub struct Sender {
    fd: OwnedFd,
}

impl Sender {
    /// Opens it in the network namespace of the calling thread.
    ///
    /// # Errors
    /// `CAP_NET_RAW` is missing (`EPERM`).
    pub fn open() -> io::Result<Self> {
        unimplemented!()
    }

    /// Sends `frame`, with its link-layer header, on `link`.
    ///
    /// # Errors
    /// Whatever the kernel says (`ENETDOWN`, `ENXIO`); the frame is not kept. `WouldBlock` if the queue is full.
    pub fn send(&self, link: IfIndex, frame: &[u8]) -> io::Result<()> {
        let _ = (link, frame);
        unimplemented!()
    }
}

impl AsFd for Sender {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Hears frames of one protocol on every link, those sent by this host left out.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
}

impl Listener {
    /// Opens it in the network namespace of the calling thread.
    ///
    /// # Errors
    /// `CAP_NET_RAW` is missing (`EPERM`).
    pub fn open(protocol: EtherType) -> io::Result<Self> {
        let _ = protocol;
        unimplemented!()
    }

    /// The next frame, cut to the length of `buffer`; `None` if none waits.
    ///
    /// # Errors
    /// What the kernel says of a link, for example `ENETDOWN`.
    pub fn recv<'b>(&self, buffer: &'b mut [u8]) -> io::Result<Option<Frame<'b>>> {
        let _ = buffer;
        unimplemented!()
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A received frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'b> {
    /// The link it came in on.
    pub link: IfIndex,
    /// The frame with its link-layer header.
    pub bytes: &'b [u8],
}
