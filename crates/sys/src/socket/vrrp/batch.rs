//! Many packets with one system call, each with its receive time.

use std::io;
use std::mem::MaybeUninit;
use std::net::Ipv6Addr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::slice;
use std::time::Duration;

use model::Instant;

use crate::clock::{WallOffset, WallTime};

/// Room for a batch of received packets, used again and again, for any number of sockets.
#[derive(Debug)]
pub struct Batch {
    packets: Box<[[u8; Self::PACKET_BYTES]]>,
    controls: Box<[[u8; CONTROL_BYTES]]>,
    sources: Box<[libc::sockaddr_in6]>,
    /// What is known of the packets that are there.
    filled: Vec<Filled>,
    dropped: Option<u32>,
}

impl Batch {
    /// Packets in a batch.
    pub const CAPACITY: usize = 32;
    /// Bytes of a packet that are kept; the rest is cut off. No VRRP packet is longer than an Ethernet frame.
    pub const PACKET_BYTES: usize = 2048;

    /// An empty batch; allocates about 70 KiB, once.
    #[must_use]
    pub fn new() -> Self {
        Self {
            packets: vec![[0; Self::PACKET_BYTES]; Self::CAPACITY].into(),
            controls: vec![[0; CONTROL_BYTES]; Self::CAPACITY].into(),
            sources: vec![NO_SOURCE; Self::CAPACITY].into(),
            filled: Vec::with_capacity(Self::CAPACITY),
            dropped: None,
        }
    }

    pub(super) fn fill(
        &mut self,
        socket: BorrowedFd<'_>,
        clock: &mut WallOffset,
    ) -> io::Result<Datagrams<'_>> {
        self.filled.clear();
        self.dropped = None;
        let mut headers = [EMPTY_HEADER; Self::CAPACITY];
        let count = self.receive(socket, &mut headers)?;
        clock.refresh();
        for ((header, control), source) in headers.iter().zip(&self.controls).zip(&self.sources).take(count) {
            let mut received = clock.now();
            let (mut destination, mut hop_limit) = (None, None);
            #[allow(clippy::unnecessary_cast, reason = "the C library chooses its width")]
            let said = &control[..header.msg_hdr.msg_controllen as usize];
            for said in ControlMessages(said) {
                match said {
                    ControlMessage::Received(time) => received = clock.monotonic(time),
                    ControlMessage::Dropped(count) => self.dropped = Some(count),
                    ControlMessage::Destination(address) => destination = Some(address),
                    ControlMessage::HopLimit(limit) => hop_limit = Some(limit),
                    ControlMessage::Other => {}
                }
            }
            let source =
                (i32::from(source.sin6_family) == libc::AF_INET6).then(|| source.sin6_addr.s6_addr.into());
            let delivery = match (source, destination, hop_limit) {
                (Some(source), Some(destination), Some(hop_limit)) => {
                    Some(Delivery { source, destination, hop_limit })
                }
                _ => None,
            };
            self.filled.push(Filled { length: header.msg_len as usize, received, delivery });
        }
        Ok(Datagrams { packets: self.filled.iter().zip(&self.packets), dropped: self.dropped })
    }

    fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        headers: &mut [libc::mmsghdr; Self::CAPACITY],
    ) -> io::Result<usize> {
        let mut rooms = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; Self::CAPACITY];
        let buffers = self.packets.iter_mut().zip(&mut self.controls).zip(&mut self.sources);
        for ((header, room), ((packet, control), source)) in headers.iter_mut().zip(&mut rooms).zip(buffers) {
            *room = libc::iovec { iov_base: packet.as_mut_ptr().cast(), iov_len: packet.len() };
            *source = NO_SOURCE;
            header.msg_hdr.msg_name = ptr::from_mut(source).cast();
            header.msg_hdr.msg_namelen = size_of_val(source) as libc::socklen_t;
            header.msg_hdr.msg_iov = room;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = control.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = CONTROL_BYTES as _;
        }
        let (fd, count) = (socket.as_raw_fd(), Self::CAPACITY as libc::c_uint);
        // SAFETY: each header points to its own room, control buffer and source, with their lengths; they and `headers`
        // outlive the call, and nothing else refers to them meanwhile.
        let result = unsafe {
            libc::recvmmsg(fd, headers.as_mut_ptr(), count, libc::MSG_DONTWAIT as _, ptr::null_mut())
        };
        if let Ok(received) = usize::try_from(result) {
            return Ok(received);
        }
        match io::Error::last_os_error() {
            error if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
            error => Err(error),
        }
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
    /// The IPv4 packet with its header, or the payload of an IPv6 packet.
    pub bytes: &'b [u8],
    /// What stood in the header of an IPv6 packet.
    pub delivery: Option<Delivery>,
    /// When the kernel received it.
    pub received: Instant,
}

/// The header of an IPv6 packet, as far as the kernel tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Who sent it.
    pub source: Ipv6Addr,
    /// Where it was sent to.
    pub destination: Ipv6Addr,
    /// With which hop limit it arrived.
    pub hop_limit: u8,
}

#[derive(Clone, Copy, Debug)]
struct Filled {
    length: usize,
    received: Instant,
    delivery: Option<Delivery>,
}

/// The packets that a socket gave, oldest first.
#[derive(Debug)]
pub struct Datagrams<'b> {
    packets: std::iter::Zip<slice::Iter<'b, Filled>, slice::Iter<'b, [u8; Batch::PACKET_BYTES]>>,
    dropped: Option<u32>,
}

impl Datagrams<'_> {
    /// How many packets this socket's queue has dropped since it was opened, if it has and the kernel said so.
    #[must_use]
    pub const fn dropped(&self) -> Option<u32> {
        self.dropped
    }
}

impl<'b> Iterator for Datagrams<'b> {
    type Item = Datagram<'b>;

    fn next(&mut self) -> Option<Datagram<'b>> {
        let (&Filled { length, received, delivery }, packet) = self.packets.next()?;
        Some(Datagram { bytes: &packet[..length.min(packet.len())], delivery, received })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.packets.size_hint()
    }
}

impl ExactSizeIterator for Datagrams<'_> {}

/// A time, a counter, a destination and a hop limit take 120 bytes where pointers have eight.
const CONTROL_BYTES: usize = 128;

const NO_SOURCE: libc::sockaddr_in6 = {
    // SAFETY: all zeros is a valid `sockaddr_in6`, of no family.
    unsafe { MaybeUninit::zeroed().assume_init() }
};

const EMPTY_HEADER: libc::mmsghdr = {
    // SAFETY: null pointers and zero lengths are a valid header of an empty message.
    unsafe { MaybeUninit::zeroed().assume_init() }
};

/// What the kernel says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ControlMessage {
    Received(WallTime),
    Dropped(u32),
    Destination(Ipv6Addr),
    HopLimit(u8),
    Other,
}

/// Reads what the kernel wrote into a control buffer, as cmsg(3) lays it out, without pointers.
struct ControlMessages<'b>(&'b [u8]);

impl Iterator for ControlMessages<'_> {
    type Item = ControlMessage;

    fn next(&mut self) -> Option<ControlMessage> {
        const WORD: usize = size_of::<usize>();
        let length = usize::from_ne_bytes(*self.0.first_chunk()?);
        let message = self.0.get(..length)?;
        let (header, payload) = message.split_at_checked(WORD + 8)?;
        let level = i32::from_ne_bytes(*header[WORD..].first_chunk()?);
        let kind = i32::from_ne_bytes(*header[WORD + 4..].first_chunk()?);
        self.0 = self.0.get(length.next_multiple_of(WORD)..).unwrap_or_default();
        Some(match (level, kind) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => ControlMessage::Received(wall_time(payload)?),
            (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                ControlMessage::Dropped(u32::from_ne_bytes(*payload.first_chunk()?))
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                ControlMessage::Destination(Ipv6Addr::from(*payload.first_chunk::<16>()?))
            }
            (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                let limit = i32::from_ne_bytes(*payload.first_chunk()?);
                ControlMessage::HopLimit(u8::try_from(limit).ok()?)
            }
            _ => ControlMessage::Other,
        })
    }
}

/// A `timespec`: seconds and nanoseconds, each half of it.
fn wall_time(payload: &[u8]) -> Option<WallTime> {
    let (seconds, nanos) = match *payload {
        [..] if payload.len() >= 16 => {
            (i64::from_ne_bytes(*payload.first_chunk()?), i64::from_ne_bytes(*payload[8..].first_chunk()?))
        }
        [..] => (
            i64::from(i32::from_ne_bytes(*payload.first_chunk()?)),
            i64::from(i32::from_ne_bytes(*payload.get(4..)?.first_chunk()?)),
        ),
    };
    let seconds = Duration::from_secs(u64::try_from(seconds).ok()?);
    Some(WallTime(seconds + Duration::from_nanos(u64::try_from(nanos).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: i32, payload: &[u8]) -> Vec<u8> {
        message_of(libc::SOL_SOCKET, kind, payload)
    }

    fn message_of(level: i32, kind: i32, payload: &[u8]) -> Vec<u8> {
        let length = size_of::<usize>() + 8 + payload.len();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(level.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(size_of::<usize>()), 0);
        bytes
    }

    #[test]
    fn control_messages_are_read_in_any_order() {
        let time = [5_i64.to_ne_bytes(), 7_i64.to_ne_bytes()].concat();
        let bytes = [
            message(libc::SO_RXQ_OVFL, &9_u32.to_ne_bytes()),
            message(libc::SCM_RIGHTS, &[1, 2, 3]),
            message(libc::SCM_TIMESTAMPNS, &time),
            message_of(libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &255_i32.to_ne_bytes()),
            message_of(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &[7; 20]),
        ]
        .concat();
        let said: Vec<_> = ControlMessages(&bytes).collect();
        let received = ControlMessage::Received(WallTime(Duration::new(5, 7)));
        let (limit, to) = (ControlMessage::HopLimit(255), ControlMessage::Destination([7; 16].into()));
        assert_eq!(said, [ControlMessage::Dropped(9), ControlMessage::Other, received, limit, to]);
    }

    #[test]
    fn damaged_control_messages_end_the_walk() {
        let whole = message(libc::SO_RXQ_OVFL, &9_u32.to_ne_bytes());
        for cut in 0..size_of::<usize>() + 8 {
            assert_eq!(ControlMessages(&whole[..cut]).count(), 0);
        }
        for length in [0, 3, usize::MAX] {
            let mut bytes = whole.clone();
            bytes[..size_of::<usize>()].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(ControlMessages(&bytes).count(), 0);
        }
    }
}
