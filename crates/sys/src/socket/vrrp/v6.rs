//! The payload of IPv6 packets in and out. The kernel writes and reads the header, and tells what stood in it.

use std::io;
use std::net::Ipv6Addr;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;

use model::IfIndex;
use nix::sys::socket::{setsockopt, sockopt};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Type};

use super::{Batch, Datagrams, PRIORITY, VRRP};
use crate::clock::WallOffset;
use crate::socket::widen_receive_buffer;

/// A raw IPv6 socket that hears and speaks protocol 112, on one link only or wherever the kernel routes it.
#[derive(Debug)]
pub struct SocketV6 {
    fd: OwnedFd,
    link: Option<IfIndex>,
}

impl SocketV6 {
    /// Opens a socket on `link`, in the network namespace of the calling thread. It has joined no group, and can join
    /// none without a link.
    ///
    /// It does not hear what it sends itself. What is sent to a group it hears as soon as any socket of this host has
    /// joined it: Linux does not look at the memberships of raw IPv6 sockets.
    ///
    /// # Errors
    /// `CAP_NET_RAW` is missing (`EPERM`), there is no such link (`ENODEV`), or the kernel has no IPv6.
    pub fn open(link: impl Into<Option<IfIndex>>) -> io::Result<Self> {
        let link = link.into();
        let protocol = Some(Protocol::from(VRRP));
        let socket = socket2::Socket::new(Domain::IPV6, Type::RAW.cloexec().nonblocking(), protocol)?;
        if let Some(link) = link {
            // Before anything of another link can come in. By index: names change hands.
            socket.bind_device_by_index_v6(NonZeroU32::new(link.get()))?;
            // It is here that the kernel looks whether there is one.
            socket.set_multicast_if_v6(link.get())?;
        }
        socket.set_multicast_loop_v6(false)?;
        socket.set_multicast_hops_v6(EVERY_HOP)?;
        // An instance may speak from the address of another link than that on which it sends.
        socket.set_freebind_v6(true)?;
        socket.set_tclass_v6(INTERNETWORK_CONTROL)?;
        socket.set_recv_hoplimit_v6(true)?;
        setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        socket.set_priority(PRIORITY)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        setsockopt(&socket, sockopt::RxqOvfl, &1)?;
        widen_receive_buffer(&socket)?;
        Ok(Self { fd: socket.into(), link })
    }

    /// Hears packets to `group`.
    ///
    /// # Errors
    /// `EADDRINUSE` if it is a member already, `ENODEV` if the link is gone or there is none.
    pub fn join(&self, group: Ipv6Addr) -> io::Result<()> {
        let link = self.link.ok_or(Errno::NODEV)?;
        socket2::SockRef::from(&self.fd).join_multicast_v6(&group, link.get())
    }

    /// Ends the membership in `group`.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` if it is no member.
    pub fn leave(&self, group: Ipv6Addr) -> io::Result<()> {
        let link = self.link.ok_or(Errno::NODEV)?;
        socket2::SockRef::from(&self.fd).leave_multicast_v6(&group, link.get())
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

    /// Sends `payload` from `source` to `destination`, to a peer with this hop limit or else the kernel's own, to a group
    /// always with 255.
    ///
    /// # Errors
    /// Whatever the kernel says; the packet is not kept. `WouldBlock` if the queue is full.
    pub fn send(
        &self,
        payload: &[u8],
        source: Ipv6Addr,
        destination: Ipv6Addr,
        hop_limit: Option<u8>,
    ) -> io::Result<()> {
        let scope = self.link.filter(|_| is_of_link(destination)).map_or(0, IfIndex::get);
        let mut name = libc::sockaddr_in6 {
            sin6_family: libc::AF_INET6 as libc::sa_family_t,
            sin6_port: 0,
            sin6_flowinfo: 0,
            sin6_addr: libc::in6_addr { s6_addr: destination.octets() },
            sin6_scope_id: scope,
        };
        let mut control = Control::default();
        let mut from = [0; 20];
        from[..16].copy_from_slice(&source.octets());
        from[16..].copy_from_slice(&self.link.map_or(0, IfIndex::get).to_ne_bytes());
        control.push(libc::IPV6_PKTINFO, &from);
        if let Some(limit) = hop_limit {
            control.push(libc::IPV6_HOPLIMIT, &i32::from(limit).to_ne_bytes());
        }
        let mut room = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
        // SAFETY: null pointers and zero lengths are a valid header of an empty message.
        let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
        header.msg_name = ptr::from_mut(&mut name).cast();
        header.msg_namelen = size_of_val(&name) as libc::socklen_t;
        header.msg_iov = &raw mut room;
        header.msg_iovlen = 1;
        header.msg_control = control.bytes.as_mut_ptr().cast();
        header.msg_controllen = control.length as _;
        // SAFETY: the header points to the name, the room and the control messages, with their lengths; these and the
        // payload outlive the call, which only reads them.
        let result = unsafe { libc::sendmsg(self.fd.as_raw_fd(), &raw const header, libc::MSG_DONTWAIT) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

impl AsFd for SocketV6 {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Control messages to send, as cmsg(3) lays them out.
#[derive(Default)]
struct Control {
    /// Words, because the kernel reads numbers in it where they belong.
    bytes: [usize; 16],
    length: usize,
}

impl Control {
    /// Adds what `IPPROTO_IPV6` knows as `kind`; there is room for two of 20 bytes.
    fn push(&mut self, kind: i32, payload: &[u8]) {
        const WORD: usize = size_of::<usize>();
        let length = WORD + 8 + payload.len();
        let mut bytes = [0; 64];
        bytes[..WORD].copy_from_slice(&length.to_ne_bytes());
        bytes[WORD..WORD + 4].copy_from_slice(&libc::IPPROTO_IPV6.to_ne_bytes());
        bytes[WORD + 4..WORD + 8].copy_from_slice(&kind.to_ne_bytes());
        bytes[WORD + 8..length].copy_from_slice(payload);
        let words = bytes[..length.next_multiple_of(WORD)].chunks_exact(WORD);
        for (to, from) in self.bytes[self.length / WORD..].iter_mut().zip(words) {
            *to = usize::from_ne_bytes(from.try_into().unwrap_or_default());
            self.length += WORD;
        }
    }
}

fn is_of_link(address: Ipv6Addr) -> bool {
    address.is_unicast_link_local() || address.is_multicast()
}

/// To groups: the most there is (RFC 9568 §5.1.2.3).
const EVERY_HOP: u32 = 255;
/// The traffic class of routing protocols, as keepalived sets it.
const INTERNETWORK_CONTROL: u32 = 0xc0;
