//! Link-layer frames in and out (`AF_PACKET`).

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use model::IfIndex;
use rustix::net::{AddressFamily, Protocol, RawProtocol, SocketFlags, SocketType, socket_with};
use socket2::SockFilter;

use crate::socket::{set_option, widen_receive_buffer};

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
        Ok(Self { fd: raw_socket(None)? })
    }

    /// Sends `frame`, with its link-layer header, on `link`.
    ///
    /// # Errors
    /// Whatever the kernel says (`ENETDOWN`, `ENXIO`); the frame is not kept. `WouldBlock` if the queue is full,
    /// `InvalidInput` if the frame has no whole Ethernet header.
    pub fn send(&self, link: IfIndex, frame: &[u8]) -> io::Result<()> {
        let address = address_on(link, frame)?;
        // SAFETY: the pointers and lengths describe `frame` and `address`, which outlive the call and are only read.
        let result = unsafe {
            libc::sendto(
                self.fd.as_raw_fd(),
                frame.as_ptr().cast(),
                frame.len(),
                libc::MSG_DONTWAIT,
                (&raw const address).cast(),
                size_of_val(&address) as libc::socklen_t,
            )
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
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
        let fd = raw_socket(Some(protocol))?;
        set_option(&fd, libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)?;
        widen_receive_buffer(&fd)?;
        Ok(Self { fd })
    }

    /// Opens one that hears neighbour advertisements (RFC 4861 §4.4) and nothing else of IPv6.
    ///
    /// # Errors
    /// As those of [`Self::open`].
    pub fn open_for_neighbour_advertisements() -> io::Result<Self> {
        let listener = Self::open(EtherType::IPV6)?;
        // What came in between these two calls is heard all the same.
        socket2::SockRef::from(&listener.fd).attach_filter(&neighbour_advertisements())?;
        Ok(listener)
    }

    /// The next frame, cut to the length of `buffer`; `None` if none waits.
    ///
    /// # Errors
    /// What the kernel says of a link, for example `ENETDOWN`.
    pub fn recv<'b>(&self, buffer: &'b mut [u8]) -> io::Result<Option<Frame<'b>>> {
        let mut address = MaybeUninit::<libc::sockaddr_ll>::zeroed();
        let mut address_length = size_of_val(&address) as libc::socklen_t;
        // SAFETY: the pointers and lengths describe `buffer` and `address`, which outlive the call; it writes
        // no more than that into them.
        let result = unsafe {
            libc::recvfrom(
                self.fd.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                libc::MSG_DONTWAIT,
                address.as_mut_ptr().cast(),
                &raw mut address_length,
            )
        };
        let Ok(length) = usize::try_from(result) else {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(None) } else { Err(error) };
        };
        // SAFETY: zeroed above, which is a valid value; the kernel wrote over it.
        let address = unsafe { address.assume_init() };
        let link = u32::try_from(address.sll_ifindex).ok().and_then(|index| IfIndex::try_from(index).ok());
        Ok(link.map(|link| Frame { link, bytes: &buffer[..length] }))
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

/// Next header 58 of the IPv6 packet, then type 136 of ICMPv6: the lengths are those of Ethernet's and IPv6's headers.
fn neighbour_advertisements() -> [SockFilter; 6] {
    const LOAD: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
    const IS: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    let step = |code, otherwise, operand| SockFilter::new(code as u16, 0, otherwise, operand);
    [
        step(LOAD, 0, 14 + 6),
        step(IS, 3, 58),
        step(LOAD, 0, 14 + 40),
        step(IS, 1, 136),
        step(RETURN, 0, u32::MAX),
        step(RETURN, 0, 0),
    ]
}

/// Linux 4.20; older kernels hear their own frames.
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;
const ETHERNET_HEADER_BYTES: usize = 14;

fn raw_socket(protocol: Option<EtherType>) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let protocol = protocol.and_then(|EtherType(number)| RawProtocol::new(u32::from(number.to_be())));
    // Without a protocol it hears nothing.
    Ok(socket_with(AddressFamily::PACKET, SocketType::RAW, flags, protocol.map(Protocol::from_raw))?)
}

/// Where to: the link alone decides. The protocol, read from the frame, is for those who filter on the way.
fn address_on(link: IfIndex, frame: &[u8]) -> io::Result<libc::sockaddr_ll> {
    let Some([.., high, low]) = frame.first_chunk::<ETHERNET_HEADER_BYTES>() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // SAFETY: all zeros is a valid `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { MaybeUninit::zeroed().assume_init() };
    address.sll_family = libc::AF_PACKET as libc::c_ushort;
    address.sll_protocol = u16::from_ne_bytes([*high, *low]);
    address.sll_ifindex = i32::try_from(link.get()).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(address)
}
