//! Advertisements inside an IP authentication header (RFC 2402), as version 2 has them (RFC 2338 §5.3.6.2).
//!
//! ```text
//!  0               1               2               3
//! +---------------+---------------+-------------------------------+
//! | protocol 112  |   length 4    |               0               |
//! +---------------+---------------+-------------------------------+
//! |        security parameters index: the address of the sender   |
//! +---------------------------------------------------------------+
//! |                        sequence number                        |
//! +---------------------------------------------------------------+
//! |              the first 12 bytes of an HMAC-MD5                |
//! ```
//!
//! The HMAC covers the IP header, in which what routers change is read as zero (RFC 2402 §3.3.3.1), this header with its
//! last 12 bytes read as zero, and the message. As keepalived does it, the TTL of a multicast packet is covered: no
//! router changes that.

use std::fmt;
use std::net::Ipv4Addr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;

use crate::ipv4;
use crate::vrrp::{self, Advert, Auth, Malformed};

/// The IP protocol number (RFC 2402 §1).
pub const PROTOCOL: u8 = 51;
/// Bytes of the header.
pub const HEADER_BYTES: usize = 24;

const ICV_BYTES: usize = 12;
/// Its length in words of 32 bits, minus two (RFC 2402 §2.2).
const LENGTH: u8 = 4;

/// An authentication header, and the packet that it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ah<'a> {
    index: u32,
    sequence: u32,
    icv: [u8; ICV_BYTES],
    ip_header: &'a [u8],
    ah_header: [u8; HEADER_BYTES - ICV_BYTES],
    message: &'a [u8],
}

impl fmt::Debug for Ah<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ah(index {:#010x}, sequence {})", self.index, self.sequence)
    }
}

impl Ah<'_> {
    /// The number of the packet.
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Whether its security parameters index is this address, which should be the sender's.
    #[must_use]
    pub fn names(&self, source: Ipv4Addr) -> bool {
        self.index == u32::from(source)
    }

    /// Whether who has `key` sent this packet. Takes the same time for every wrong one.
    #[must_use]
    pub fn is_authentic(&self, key: &[u8]) -> bool {
        let verify = |ttl| self.mac(key, ttl).is_some_and(|mac| mac.verify_truncated_left(&self.icv).is_ok());
        let (covered, zeroed) = (verify(Ttl::Covered), verify(Ttl::Zeroed));
        covered | zeroed
    }

    fn mac(&self, key: &[u8], ttl: Ttl) -> Option<Hmac<Md5>> {
        let (fixed, options) = self.ip_header.split_at_checked(ipv4::HEADER_BYTES)?;
        let mut mac = Hmac::<Md5>::new_from_slice(key).ok()?;
        mac.update(&immutable(fixed.try_into().ok()?, ttl));
        mac.update(options);
        mac.update(&self.ah_header);
        mac.update(&[0; ICV_BYTES]);
        mac.update(self.message);
        Some(mac)
    }
}

/// Whether the TTL counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ttl {
    Covered,
    Zeroed,
}

/// An IP header with zeros for type of service, flags and fragment offset, checksum, and perhaps the TTL.
const fn immutable(header: [u8; ipv4::HEADER_BYTES], ttl: Ttl) -> [u8; ipv4::HEADER_BYTES] {
    let [vihl, _, tl0, tl1, id0, id1, _, _, hops, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = header;
    let hops = match ttl {
        Ttl::Covered => hops,
        Ttl::Zeroed => 0,
    };
    [vihl, 0, tl0, tl1, id0, id1, 0, 0, hops, protocol, 0, 0, s0, s1, s2, s3, d0, d1, d2, d3]
}

/// Reads `packet`, an IPv4 packet that [`ipv4::parse`] takes, of protocol 51. `None` if what it protects is no VRRP.
///
/// # Errors
/// [`Malformed`] says what is wrong first.
pub fn parse(packet: &[u8]) -> Option<Result<Advert<'_>, Malformed>> {
    let (header, payload) = ipv4::parse(packet).ok()?;
    let ip_header = packet.get(..usize::from(packet.first()? & 0x0f) * 4)?;
    let [next, ..] = *payload else { return None };
    (next == vrrp::PROTOCOL).then(|| inner(&header, ip_header, payload))
}

fn inner<'a>(header: &ipv4::Header, ip_header: &'a [u8], payload: &'a [u8]) -> Result<Advert<'a>, Malformed> {
    let (ah, message) = payload.split_first_chunk::<HEADER_BYTES>().ok_or(Malformed::Truncated)?;
    let (fixed, icv) = ah.split_first_chunk().ok_or(Malformed::Truncated)?;
    let [_, length, _, _, i0, i1, i2, i3, s0, s1, s2, s3] = *fixed;
    if length != LENGTH {
        return Err(Malformed::Length);
    }
    let advert = vrrp::parse(message, header.source.into(), header.destination.into())?;
    if advert.auth != Auth::Other(vrrp::AUTH_AH) {
        return Err(Malformed::Header);
    }
    let ah = Ah {
        index: u32::from_be_bytes([i0, i1, i2, i3]),
        sequence: u32::from_be_bytes([s0, s1, s2, s3]),
        icv: icv.try_into().map_err(|_| Malformed::Truncated)?,
        ip_header,
        ah_header: *fixed,
        message,
    };
    Ok(Advert { auth: Auth::Ah(ah), ..advert })
}

/// Appends the IP packet that carries `advert` from `source` to `destination` as number `sequence`, with its header.
///
/// Its identification is made from the sequence number and never zero: the kernel would put another there, and the
/// HMAC covers it.
pub fn emit(
    advert: &Advert<'_>,
    (source, destination): (Ipv4Addr, Ipv4Addr),
    key: &[u8],
    sequence: u32,
    ttl: u8,
    out: &mut Vec<u8>,
) {
    let advert = Advert { auth: Auth::Other(vrrp::AUTH_AH), ..*advert };
    let [_, _, id0, id1] = sequence.to_be_bytes();
    let header = ipv4::Header {
        source,
        destination,
        ttl,
        protocol: PROTOCOL,
        tos: ipv4::TOS_INTERNETWORK_CONTROL,
        identification: u16::from_be_bytes([id0, id1]).max(1),
        dont_fragment: false,
    };
    let begin = out.len();
    ipv4::emit(&header, HEADER_BYTES + vrrp::length(&advert), out);
    let ah_header = ah_header(source, sequence);
    let message_begin = out.len() + HEADER_BYTES;
    out.extend_from_slice(&ah_header);
    let icv_begin = out.len();
    out.extend_from_slice(&[0; ICV_BYTES]);
    vrrp::emit(&advert, source.into(), destination.into(), out);
    let ah = Ah {
        index: u32::from(source),
        sequence,
        icv: [0; ICV_BYTES],
        ip_header: out.get(begin..begin + ipv4::HEADER_BYTES).unwrap_or_default(),
        ah_header,
        message: out.get(message_begin..).unwrap_or_default(),
    };
    let ttl = if destination.is_multicast() { Ttl::Covered } else { Ttl::Zeroed };
    let icv = ah.mac(key, ttl).map(|mac| mac.finalize().into_bytes());
    let room = out.iter_mut().skip(icv_begin).take(ICV_BYTES);
    for (room, byte) in room.zip(icv.iter().flatten()) {
        *room = *byte;
    }
}

fn ah_header(source: Ipv4Addr, sequence: u32) -> [u8; HEADER_BYTES - ICV_BYTES] {
    let [i0, i1, i2, i3] = source.octets();
    let [s0, s1, s2, s3] = sequence.to_be_bytes();
    [vrrp::PROTOCOL, LENGTH, 0, 0, i0, i1, i2, i3, s0, s1, s2, s3]
}
