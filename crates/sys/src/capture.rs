//! Every frame of an interface with the kernel's receive time.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use model::IfIndex;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, SockaddrStorage, recvmsg, setsockopt,
    socket, sockopt,
};

use crate::clock::WallTime;

/// A packet socket that hears all frames of one interface, other hosts' frames included.
#[derive(Debug)]
pub struct Capture {
    socket: OwnedFd,
}

/// A captured frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When the kernel saw it.
    pub at: WallTime,
    /// The frame from its link-layer header on (a raw IPv4 socket's packet from its IP header on), cut to the buffer's
    /// length.
    pub bytes: &'a [u8],
}

impl Capture {
    /// Starts to capture on the interface `index` of the calling thread's network namespace. Reading never blocks.
    ///
    /// # Errors
    /// Whatever the kernel says; `EPERM` without `CAP_NET_RAW`.
    pub fn open(index: IfIndex) -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        // Protocol none: nothing is captured before the socket is bound to its interface.
        let socket = socket(AddressFamily::Packet, SockType::Raw, flags, None)?;
        stamp(&socket)?;
        enlarge(&socket)?;
        hear_all(&socket, index)?;
        bind(&socket, index)?;
        Ok(Self { socket })
    }

    /// The next frame, or `None` if there is none yet.
    ///
    /// # Errors
    /// Whatever the kernel says, `ENETDOWN` once after the interface went down.
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> io::Result<Option<Frame<'b>>> {
        receive(self, buffer)
    }
}

impl AsFd for Capture {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Asks the kernel to note the receive time of each packet of `socket`, for [`receive`].
///
/// # Errors
/// It is no socket.
pub fn stamp(socket: &impl AsFd) -> io::Result<()> {
    Ok(setsockopt(&socket.as_fd(), sockopt::ReceiveTimestampns, &true)?)
}

/// The next packet of a socket that was given to [`stamp`], or `None` if there is none yet. Never blocks.
///
/// # Errors
/// Whatever the kernel says.
pub fn receive<'b>(socket: &impl AsFd, buffer: &'b mut [u8]) -> io::Result<Option<Frame<'b>>> {
    let mut control = nix::cmsg_space!(libc::timespec);
    let (length, at) = {
        let mut parts = [IoSliceMut::new(buffer)];
        let (fd, flags) = (socket.as_fd().as_raw_fd(), MsgFlags::MSG_DONTWAIT);
        let message = match recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut control), flags) {
            Ok(message) => message,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        let stamp = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::ScmTimestampns(stamp) => Some(WallTime(Duration::from(stamp))),
            _ => None,
        });
        (message.bytes, stamp.ok_or(io::ErrorKind::InvalidData)?)
    };
    Ok(Some(Frame { at, bytes: buffer.get(..length).unwrap_or_default() }))
}

/// Room for some seconds of a busy LAN; beyond `net.core.rmem_max` where the rights allow.
fn enlarge(socket: &OwnedFd) -> io::Result<()> {
    const BYTES: usize = 32 << 20;
    if setsockopt(socket, sockopt::RcvBufForce, &BYTES).is_err() {
        setsockopt(socket, sockopt::RcvBuf, &BYTES)?;
    }
    Ok(())
}

/// Promiscuous: a bridge then hands up what it forwards between two of its ports.
fn hear_all(socket: &OwnedFd, index: IfIndex) -> io::Result<()> {
    let request = libc::packet_mreq {
        mr_ifindex: signed(index),
        mr_type: libc::PACKET_MR_PROMISC as libc::c_ushort,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    // SAFETY: the pointer and the length describe `request`, which outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_ADD_MEMBERSHIP,
            (&raw const request).cast(),
            size_of_val(&request) as libc::socklen_t,
        )
    };
    Errno::result(result).map(drop).map_err(Into::into)
}

fn bind(socket: &OwnedFd, index: IfIndex) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as libc::c_ushort,
        sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
        sll_ifindex: signed(index),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: the pointer and the length describe `address`, which outlives the call.
    let result = unsafe {
        libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size_of_val(&address) as libc::socklen_t)
    };
    Errno::result(result).map(drop).map_err(Into::into)
}

fn signed(index: IfIndex) -> libc::c_int {
    index.get().cast_signed()
}
