//! Ethernet II headers (RFC 894), for sniffers and for ARP.

use model::MacAddr;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 14;
/// The type of a frame that carries IPv4.
pub const TYPE_IPV4: u16 = 0x0800;
/// The type of a frame that carries ARP.
pub const TYPE_ARP: u16 = 0x0806;
/// The type of a frame that carries IPv6.
pub const TYPE_IPV6: u16 = 0x86dd;

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The station or group addressed.
    pub destination: MacAddr,
    /// The sender.
    pub source: MacAddr,
    /// What the payload is, by EtherType.
    pub ethertype: u16,
}

/// Why bytes are not an Ethernet frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Fewer than 14 bytes (RFC 894).
    #[error("frame is cut short")]
    Truncated,
}

/// Reads the header of a frame, and what follows it, padding included.
///
/// # Errors
/// [`Malformed::Truncated`] below 14 bytes.
pub fn parse(frame: &[u8]) -> Result<(Header, &[u8]), Malformed> {
    let (&[d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1], payload) =
        frame.split_first_chunk::<HEADER_BYTES>().ok_or(Malformed::Truncated)?;
    let header = Header {
        destination: MacAddr([d0, d1, d2, d3, d4, d5]),
        source: MacAddr([s0, s1, s2, s3, s4, s5]),
        ethertype: u16::from_be_bytes([t0, t1]),
    };
    Ok((header, payload))
}

/// Appends the 14 bytes of `header`.
pub fn emit(header: &Header, out: &mut Vec<u8>) {
    out.extend_from_slice(&header.destination.0);
    out.extend_from_slice(&header.source.0);
    out.extend_from_slice(&header.ethertype.to_be_bytes());
}
