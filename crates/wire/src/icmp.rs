//! ICMP echo (RFC 792), for a client that watches whether an address answers.

use crate::checksum::Sum;

/// The IP protocol number.
pub const PROTOCOL: u8 = 1;

const HEADER_BYTES: usize = 8;
const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;

/// An echo request or reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo<'a> {
    /// Which of the two.
    pub kind: Kind,
    /// Tells the asking programs of a host apart.
    pub identifier: u16,
    /// Tells the questions of a program apart.
    pub sequence: u16,
    /// What a reply brings back unchanged.
    pub payload: &'a [u8],
}

/// Question or answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Type 8.
    Request,
    /// Type 0.
    Reply,
}

/// Why an IP payload is not an echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Fewer than 8 bytes (RFC 792).
    #[error("message is cut short")]
    Truncated,
    /// The message is damaged (RFC 792).
    #[error("checksum is wrong")]
    Checksum,
    /// Another ICMP message than echo, by type and code (RFC 792).
    #[error("icmp type {0} code {1} is no echo")]
    Type(u8, u8),
}

/// Reads the payload of an IPv4 packet.
///
/// # Errors
/// [`Malformed`] says what is wrong first.
pub fn parse(message: &[u8]) -> Result<Echo<'_>, Malformed> {
    let (&[icmp_type, code, _, _, i0, i1, s0, s1], payload) =
        message.split_first_chunk::<HEADER_BYTES>().ok_or(Malformed::Truncated)?;
    if !Sum::new().with(message).is_valid() {
        return Err(Malformed::Checksum);
    }
    let kind = match (icmp_type, code) {
        (ECHO_REQUEST, 0) => Kind::Request,
        (ECHO_REPLY, 0) => Kind::Reply,
        (icmp_type, code) => return Err(Malformed::Type(icmp_type, code)),
    };
    let (identifier, sequence) = (u16::from_be_bytes([i0, i1]), u16::from_be_bytes([s0, s1]));
    Ok(Echo { kind, identifier, sequence, payload })
}

/// Appends the message of `echo` with its checksum.
pub fn emit(echo: &Echo<'_>, out: &mut Vec<u8>) {
    let icmp_type = match echo.kind {
        Kind::Request => ECHO_REQUEST,
        Kind::Reply => ECHO_REPLY,
    };
    let (identifier, sequence) = (echo.identifier.to_be_bytes(), echo.sequence.to_be_bytes());
    let checksum =
        Sum::new().with(&[icmp_type, 0]).with(&identifier).with(&sequence).with(echo.payload).finish();
    out.extend_from_slice(&[icmp_type, 0]);
    out.extend_from_slice(&checksum.to_be_bytes());
    out.extend_from_slice(&identifier);
    out.extend_from_slice(&sequence);
    out.extend_from_slice(echo.payload);
}
