//! IPv6 headers (RFC 8200) without extensions, as sniffers see them and as neighbour discovery writes them.

use std::net::Ipv6Addr;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 40;

/// What matters here of an IPv6 header. The flow label, which is nothing but a hint to routers, is sent as zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The sender.
    pub source: Ipv6Addr,
    /// The host or group addressed.
    pub destination: Ipv6Addr,
    /// Hops that remain.
    pub hop_limit: u8,
    /// The protocol of the payload, or the first extension header.
    pub next_header: u8,
    /// Traffic class.
    pub traffic_class: u8,
}

/// Why bytes are not an IPv6 packet that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Fewer bytes than the header, or than the payload length needs (RFC 8200 §3).
    #[error("packet is cut short")]
    Truncated,
    /// Not IP version 6 (RFC 8200 §3).
    #[error("ip version is {0}")]
    Version(u8),
}

/// Reads an IPv6 packet: its header, and its payload as the payload length bounds it.
///
/// Extension headers are left in the payload. Bytes beyond the payload length (the padding of short Ethernet frames) are
/// left out.
///
/// # Errors
/// [`Malformed`] says what is wrong first.
pub fn parse(packet: &[u8]) -> Result<(Header, &[u8]), Malformed> {
    let Some((&[first, second, _, _, l0, l1, next_header, hop_limit, ref addresses @ ..], rest)) =
        packet.split_first_chunk::<HEADER_BYTES>()
    else {
        return Err(Malformed::Truncated);
    };
    if first >> 4 != 6 {
        return Err(Malformed::Version(first >> 4));
    }
    let (source, destination) = addresses.split_at(16);
    let payload = rest.get(..usize::from(u16::from_be_bytes([l0, l1]))).ok_or(Malformed::Truncated)?;
    let header = Header {
        source: address(source),
        destination: address(destination),
        hop_limit,
        next_header,
        traffic_class: first << 4 | second >> 4,
    };
    Ok((header, payload))
}

/// Appends the 40 bytes of `header` for a payload of `payload_length` bytes that the caller appends next.
///
/// A payload longer than a packet can carry (65,535 bytes) is announced as the most that fits.
pub fn emit(header: &Header, payload_length: usize, out: &mut Vec<u8>) {
    let length = u16::try_from(payload_length).unwrap_or(u16::MAX);
    out.extend_from_slice(&[0x60 | header.traffic_class >> 4, header.traffic_class << 4, 0, 0]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&[header.next_header, header.hop_limit]);
    out.extend_from_slice(&header.source.octets());
    out.extend_from_slice(&header.destination.octets());
}

fn address(bytes: &[u8]) -> Ipv6Addr {
    <[u8; 16]>::try_from(bytes).map_or(Ipv6Addr::UNSPECIFIED, Ipv6Addr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_their_reasons() {
        let header = Header {
            source: "fe80::14".parse().unwrap(),
            destination: "ff02::12".parse().unwrap(),
            hop_limit: 255,
            next_header: 112,
            traffic_class: 0xc0,
        };
        let mut packet = Vec::new();
        emit(&header, 3, &mut packet);
        packet.extend([1, 2, 3, 0, 0]);
        assert_eq!(parse(&packet), Ok((header, &[1, 2, 3][..])), "padding is left out");
        for cut in 0..HEADER_BYTES + 3 {
            assert_eq!(parse(&packet[..cut]), Err(Malformed::Truncated));
        }
        packet[0] = 0x45;
        assert_eq!(parse(&packet), Err(Malformed::Version(4)));
    }
}
