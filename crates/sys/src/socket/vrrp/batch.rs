//! Many packets with one system call, each with its receive time.

use std::io;
use std::mem::MaybeUninit;
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
    /// Length and receive time of the packets that are there.
    filled: Vec<(usize, Instant)>,
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
            filled: Vec::with_capacity(Self::CAPACITY),
            dropped: None,
        }
    }

    pub(super) fn fill(&mut self, socket: BorrowedFd<'_>, clock: &WallOffset) -> io::Result<Datagrams<'_>> {
        self.filled.clear();
        self.dropped = None;
        let mut headers = [EMPTY_HEADER; Self::CAPACITY];
        let count = self.receive(socket, &mut headers)?;
        for (header, control) in headers.iter().zip(&self.controls).take(count) {
            let mut received = clock.now();
            #[allow(clippy::unnecessary_cast, reason = "the C library chooses its width")]
            let said = &control[..header.msg_hdr.msg_controllen as usize];
            for said in ControlMessages(said) {
                match said {
                    ControlMessage::Received(time) => received = clock.monotonic(time),
                    ControlMessage::Dropped(count) => self.dropped = Some(count),
                    ControlMessage::Other => {}
                }
            }
            self.filled.push((header.msg_len as usize, received));
        }
        Ok(Datagrams { packets: self.filled.iter().zip(&self.packets), dropped: self.dropped })
    }

    fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        headers: &mut [libc::mmsghdr; Self::CAPACITY],
    ) -> io::Result<usize> {
        let mut rooms = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; Self::CAPACITY];
        let buffers = self.packets.iter_mut().zip(&mut self.controls);
        for ((header, room), (packet, control)) in headers.iter_mut().zip(&mut rooms).zip(buffers) {
            *room = libc::iovec { iov_base: packet.as_mut_ptr().cast(), iov_len: packet.len() };
            header.msg_hdr.msg_iov = room;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = control.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = CONTROL_BYTES as _;
        }
        let (fd, count) = (socket.as_raw_fd(), Self::CAPACITY as libc::c_uint);
        // SAFETY: each header points to its own room and control buffer, with their lengths; they and `headers`
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
    /// The IPv4 packet with its header.
    pub bytes: &'b [u8],
    /// When the kernel received it.
    pub received: Instant,
}

/// The packets that a socket gave, oldest first.
#[derive(Debug)]
pub struct Datagrams<'b> {
    packets: std::iter::Zip<slice::Iter<'b, (usize, Instant)>, slice::Iter<'b, [u8; Batch::PACKET_BYTES]>>,
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
        let (&(length, received), packet) = self.packets.next()?;
        Some(Datagram { bytes: &packet[..length.min(packet.len())], received })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.packets.size_hint()
    }
}

impl ExactSizeIterator for Datagrams<'_> {}

/// A time and a counter take 56 bytes where pointers have eight.
const CONTROL_BYTES: usize = 128;

const EMPTY_HEADER: libc::mmsghdr = {
    // SAFETY: null pointers and zero lengths are a valid header of an empty message.
    unsafe { MaybeUninit::zeroed().assume_init() }
};

/// What the kernel says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ControlMessage {
    Received(WallTime),
    Dropped(u32),
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
        let length = size_of::<usize>() + 8 + payload.len();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(libc::SOL_SOCKET.to_ne_bytes());
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
        ]
        .concat();
        let said: Vec<_> = ControlMessages(&bytes).collect();
        let received = ControlMessage::Received(WallTime(Duration::new(5, 7)));
        assert_eq!(said, [ControlMessage::Dropped(9), ControlMessage::Other, received]);
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
