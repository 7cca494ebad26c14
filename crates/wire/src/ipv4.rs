//! IPv4 headers (RFC 791) as raw sockets and sniffers see them.

use std::net::Ipv4Addr;

use crate::checksum::Sum;

/// Type of service of what VRRP sends: internetwork control (RFC 1122 §3.2.1.6, precedence 6).
pub const TOS_INTERNETWORK_CONTROL: u8 = 0xc0;

/// Bytes of a header without options.
pub const HEADER_BYTES: usize = 20;

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// What matters here of an IPv4 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The sender.
    pub source: Ipv4Addr,
    /// The host or group addressed.
    pub destination: Ipv4Addr,
    /// Hops that remain.
    pub ttl: u8,
    /// The protocol of the payload.
    pub protocol: u8,
    /// Type of service.
    pub tos: u8,
    /// The identification field.
    pub identification: u16,
    /// Routers must not fragment it.
    pub dont_fragment: bool,
}

/// Why bytes are not an IPv4 packet that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Fewer bytes than the header, its options or the total length need (RFC 791 §3.1).
    #[error("packet is cut short")]
    Truncated,
    /// Not IP version 4 (RFC 791 §3.1).
    #[error("ip version is {0}")]
    Version(u8),
    /// A header length below 5 words, or a total length below the header's (RFC 791 §3.1).
    #[error("ip header or total length is impossible")]
    Length,
    /// The header is damaged (RFC 791 §3.1).
    #[error("ip header checksum is wrong")]
    Checksum,
    /// A fragment: nothing that is spoken here is ever larger than a link's unit (RFC 791 §3.2).
    #[error("packet is a fragment")]
    Fragment,
}

/// Reads an IPv4 packet: its header, and its payload as the total length bounds it.
///
/// Options are skipped. Bytes beyond the total length (the padding of short Ethernet frames) are left out.
///
/// # Errors
/// [`Malformed`] says what is wrong first.
pub fn parse(packet: &[u8]) -> Result<(Header, &[u8]), Malformed> {
    let Some((fixed, _)) = packet.split_first_chunk::<HEADER_BYTES>() else {
        return Err(Malformed::Truncated);
    };
    let [vihl, tos, tl0, tl1, id0, id1, fr0, fr1, ttl, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] =
        *fixed;
    if vihl >> 4 != 4 {
        return Err(Malformed::Version(vihl >> 4));
    }
    let header_length = usize::from(vihl & 0x0f) * 4;
    let total_length = usize::from(u16::from_be_bytes([tl0, tl1]));
    if header_length < HEADER_BYTES || total_length < header_length {
        return Err(Malformed::Length);
    }
    let packet = packet.get(..total_length).ok_or(Malformed::Truncated)?;
    let (header, payload) = packet.split_at_checked(header_length).ok_or(Malformed::Truncated)?;
    if !Sum::new().with(header).is_valid() {
        return Err(Malformed::Checksum);
    }
    let fragment = u16::from_be_bytes([fr0, fr1]);
    if fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET) != 0 {
        return Err(Malformed::Fragment);
    }
    let header = Header {
        source: Ipv4Addr::new(s0, s1, s2, s3),
        destination: Ipv4Addr::new(d0, d1, d2, d3),
        ttl,
        protocol,
        tos,
        identification: u16::from_be_bytes([id0, id1]),
        dont_fragment: fragment & DONT_FRAGMENT != 0,
    };
    Ok((header, payload))
}

/// Appends the 20 bytes of `header`, checksum included, for a payload of `payload_length` bytes that the caller appends next.
///
/// A payload longer than a packet can carry (65,515 bytes) is announced as the most that fits.
pub fn emit(header: &Header, payload_length: usize, out: &mut Vec<u8>) {
    let total = u16::try_from(HEADER_BYTES.saturating_add(payload_length)).unwrap_or(u16::MAX);
    let fragment = if header.dont_fragment { DONT_FRAGMENT } else { 0 };
    let [tl0, tl1] = total.to_be_bytes();
    let [id0, id1] = header.identification.to_be_bytes();
    let [fr0, fr1] = fragment.to_be_bytes();
    let before = [0x45, header.tos, tl0, tl1, id0, id1, fr0, fr1, header.ttl, header.protocol];
    let (source, destination) = (header.source.octets(), header.destination.octets());
    let checksum = Sum::new().with(&before).with(&source).with(&destination).finish();
    out.extend_from_slice(&before);
    out.extend_from_slice(&checksum.to_be_bytes());
    out.extend_from_slice(&source);
    out.extend_from_slice(&destination);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet() -> Vec<u8> {
        let header = Header {
            source: [192, 0, 2, 1].into(),
            destination: [224, 0, 0, 18].into(),
            ttl: 255,
            protocol: 112,
            tos: TOS_INTERNETWORK_CONTROL,
            identification: 1,
            dont_fragment: false,
        };
        let mut packet = Vec::new();
        emit(&header, 4, &mut packet);
        packet.extend([1, 2, 3, 4]);
        packet
    }

    /// The packet with some bytes of its header changed and the checksum made right again.
    fn changed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut packet = packet();
        change(&mut packet);
        packet[10..12].fill(0);
        let header = usize::from(packet[0] & 0x0f) * 4;
        let checksum = Sum::new().with(&packet[..header.min(packet.len())]).finish();
        packet[10..12].copy_from_slice(&checksum.to_be_bytes());
        packet
    }

    #[test]
    fn options_are_skipped() {
        let packet = changed(|packet| {
            packet[0] = 0x46;
            packet[3] += 4;
            packet.splice(20..20, [1, 1, 1, 0]);
        });
        assert_eq!(parse(&packet).map(|(_, payload)| payload), Ok(&[1, 2, 3, 4][..]));
    }

    #[test]
    fn each_refusal_has_its_reason() {
        assert_eq!(parse(&changed(|p| p[0] = 0x65)), Err(Malformed::Version(6)));
        assert_eq!(parse(&changed(|p| p[0] = 0x44)), Err(Malformed::Length));
        assert_eq!(parse(&changed(|p| p[3] = 19)), Err(Malformed::Length));
        assert_eq!(parse(&changed(|p| p[3] = 25)), Err(Malformed::Truncated));
        assert_eq!(parse(&changed(|p| p[6] = 0x20)), Err(Malformed::Fragment));
        assert_eq!(parse(&changed(|p| p[7] = 1)), Err(Malformed::Fragment));
        assert!(parse(&changed(|p| p[6] = 0x40)).is_ok_and(|(header, _)| header.dont_fragment));
        let mut damaged = packet();
        damaged[8] = 254;
        assert_eq!(parse(&damaged), Err(Malformed::Checksum));
    }
}
