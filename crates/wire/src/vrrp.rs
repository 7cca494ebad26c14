//! VRRP advertisements: version 2 (RFC 3768, authentication of RFC 2338) and version 3 (RFC 5798, RFC 9568).
//!
//! ```text
//!  0               1               2               3
//! +-------+-------+---------------+---------------+---------------+
//! |version| type 1|  virtual id   |   priority    | address count |
//! +-------+-------+---------------+---------------+---------------+
//! | v2: auth type | v2: seconds   |            checksum           |
//! | v3: 0 | interval, centiseconds|                               |
//! +---------------+---------------+---------------+---------------+
//! |  addresses, then in v2 always 8 bytes of authentication data  |
//! +---------------------------------------------------------------+
//! |   28 bytes of signature, where both sides are set up for it   |
//! ```

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use model::vrrp::Version;
use model::{Centis, Family, Priority, Vrid};

use crate::ah::Ah;
use crate::checksum::Sum;
use crate::signature::{Signature, Signed};

/// The IP protocol number (RFC 9568 §5.1.1.4).
pub const PROTOCOL: u8 = 112;
/// The only TTL or hop limit that a receiver takes (RFC 9568 §5.1.1.3): it proves that the sender is on the link.
pub const TTL: u8 = 255;

const ADVERTISEMENT: u8 = 1;
/// The header of both versions, in bytes (RFC 9568 §5.1).
pub const HEADER_BYTES: usize = 8;
const AUTH_BYTES: usize = 8;
const AUTH_NONE: u8 = 0;
const AUTH_PASS: u8 = 1;
/// The authentication type of a message that an IP authentication header protects (RFC 2338 §5.3.6.2).
pub const AUTH_AH: u8 = 2;
/// The interval field of version 3 has 12 bits (RFC 9568 §5.2.7).
const MOST_CENTIS: u16 = 0x0fff;

/// An advertisement, the only message of VRRP. Its checksum was right, but whose it is has not been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert<'a> {
    /// The version it is written in.
    pub version: Version,
    /// The virtual router it speaks for.
    pub vrid: Vrid,
    /// The sender's priority; [`Priority::RELEASE`] if it stops being master.
    pub priority: Priority,
    /// The sender's advertisement interval: whole seconds to 255 in version 2, at most 40.95 s in version 3.
    pub interval: Centis,
    /// How it is authenticated. Nothing of it has been verified. Version 3 has [`Auth::None`] and [`Auth::Signed`].
    pub auth: Auth<'a>,
    /// The virtual addresses, in the sender's order.
    pub addresses: Addresses<'a>,
}

/// The authentication of a message: of version 2 (RFC 2338 §5.3.6), or a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Auth<'a> {
    /// Type 0. The authentication data is not looked at.
    None,
    /// Type 1: a password, zero-padded. It does not print.
    Pass([u8; 8]),
    /// Type 2, inside an IP authentication header. Only [`crate::ah::parse`] makes it, and [`crate::ah::emit`] writes it.
    Ah(Ah<'a>),
    /// A signature follows the message, which is of type 0 in version 2.
    Signed(Signed<'a>),
    /// A type that is not known here, by number. Type 2 without an IP authentication header is one.
    Other(u8),
}

impl fmt::Debug for Auth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Pass(_) => f.write_str("Pass(…)"),
            Self::Ah(header) => header.fmt(f),
            Self::Signed(signed) => signed.fmt(f),
            Self::Other(number) => write!(f, "Other({number})"),
        }
    }
}

/// The virtual addresses of an advertisement as they stand in it: big-endian, one after another, 255 at most.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Addresses<'a> {
    bytes: &'a [u8],
    family: Family,
}

impl<'a> Addresses<'a> {
    /// IPv4 addresses of 4 bytes each; `None` if the last one is cut short or there are more than 255.
    #[must_use]
    pub fn v4(bytes: &'a [u8]) -> Option<Self> {
        Self::new(bytes, Family::V4)
    }

    /// IPv6 addresses of 16 bytes each; `None` if the last one is cut short or there are more than 255.
    #[must_use]
    pub fn v6(bytes: &'a [u8]) -> Option<Self> {
        Self::new(bytes, Family::V6)
    }

    /// No address.
    #[must_use]
    pub const fn none(family: Family) -> Self {
        Self { bytes: &[], family }
    }

    /// The family of all of them.
    #[must_use]
    pub const fn family(self) -> Family {
        self.family
    }

    /// How many there are, 0..=255.
    #[must_use]
    pub fn len(self) -> usize {
        self.bytes.len() / width(self.family)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// The addresses in the order of the packet.
    pub fn iter(self) -> impl Iterator<Item = IpAddr> + 'a {
        self.bytes.chunks_exact(width(self.family)).filter_map(address)
    }

    /// The addresses as the packet carries them.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    fn new(bytes: &'a [u8], family: Family) -> Option<Self> {
        let whole = bytes.len().is_multiple_of(width(family));
        let fits = bytes.len() / width(family) <= usize::from(u8::MAX);
        (whole && fits).then_some(Self { bytes, family })
    }
}

impl fmt::Debug for Addresses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What the checksum of a version 3 message over IPv4 covers beside the message. That of IPv6 always covers the
/// pseudo-header, that of version 2 never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cover {
    /// The pseudo-header (RFC 5798 §5.2.8).
    #[default]
    Pseudo,
    /// Nothing (RFC 9568 §5.2.8).
    Alone,
    /// The pseudo-header of a packet to this group, although it goes to a peer: keepalived before 1.3.7.
    Group(Ipv4Addr),
}

/// Why an IP payload is not an advertisement. Each reason has a counter; what is wrong first is what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Malformed {
    /// Fewer bytes than the header, or than its address count (and version 2's authentication data) needs
    /// (RFC 3768 §7.1, RFC 9568 §7.1).
    #[error("message is cut short")]
    Truncated,
    /// Neither version 2 nor 3, or version 2 over IPv6, which no RFC has (RFC 9568 §5.2.1).
    #[error("version {0} is not known")]
    Version(u8),
    /// Not an advertisement, which is type 1 (RFC 9568 §5.2.2).
    #[error("type {0} is not known")]
    Type(u8),
    /// Bytes follow where the message ends by its address count (RFC 3768 §7.1, RFC 9568 §7.1).
    #[error("message is longer than its address count says")]
    Length,
    /// The message is damaged (RFC 3768 §5.3.8, RFC 9568 §5.2.8).
    #[error("checksum is wrong")]
    Checksum,
    /// An IP authentication header is around a message that says another type of authentication (RFC 2338 §5.3.6.2).
    #[error("authentication header protects a message of another authentication type")]
    Header,
    /// Virtual router identifiers start at 1 (RFC 9568 §5.2.3).
    #[error("virtual router id is 0")]
    Vrid,
    /// An interval of zero, which would make every backup take over at once (RFC 3768 §5.3.7, RFC 9568 §5.2.7).
    #[error("advertisement interval is 0")]
    Interval,
}

/// Reads the payload of an IP packet from `source` to `destination`, which the checksum of version 3 covers.
///
/// A version 3 checksum over IPv4 is right with the pseudo-header (RFC 5798) or over the message alone, as
/// older peers send it; that of version 2 is over the message alone, that of IPv6 always with the pseudo-header.
/// It covers a signature over IPv6 only.
///
/// # Errors
/// [`Malformed`] says what is wrong first.
pub fn parse(payload: &[u8], source: IpAddr, destination: IpAddr) -> Result<Advert<'_>, Malformed> {
    let Some((&[version_type, vrid, priority, count, b4, b5, _, _], body)) =
        payload.split_first_chunk::<HEADER_BYTES>()
    else {
        return Err(Malformed::Truncated);
    };
    let family = Family::from(source);
    let version = match (version_type >> 4, family) {
        (2, Family::V4) => Version::V2,
        (3, Family::V4 | Family::V6) => Version::V3,
        (other, Family::V4 | Family::V6) => return Err(Malformed::Version(other)),
    };
    if version_type & 0x0f != ADVERTISEMENT {
        return Err(Malformed::Type(version_type & 0x0f));
    }
    let (addresses, trailer) =
        body.split_at_checked(usize::from(count) * width(family)).ok_or(Malformed::Truncated)?;
    let (auth_data, trailer) = match version {
        Version::V2 => trailer.split_at_checked(AUTH_BYTES).ok_or(Malformed::Truncated)?,
        Version::V3 => (&[][..], trailer),
    };
    let message = payload.get(..payload.len().saturating_sub(trailer.len())).unwrap_or(payload);
    let unsigned = match version {
        Version::V2 => auth_v2(b4, auth_data),
        Version::V3 => Auth::None,
    };
    let auth = match (unsigned, Signature::try_from(trailer)) {
        (_, _) if trailer.is_empty() => unsigned,
        (Auth::None, Ok(signature)) => Auth::Signed(Signed::new(signature, message)),
        (Auth::None | Auth::Pass(_) | Auth::Ah(_) | Auth::Signed(_) | Auth::Other(_), _) => {
            return Err(Malformed::Length);
        }
    };
    let summed = match family {
        Family::V4 => message,
        Family::V6 => payload,
    };
    if !checksum_is_valid(version, summed, source, destination) {
        return Err(Malformed::Checksum);
    }
    let interval = match version {
        Version::V2 => Centis::from_secs(b5),
        Version::V3 => Centis::new(u16::from_be_bytes([b4, b5]) & MOST_CENTIS),
    };
    if interval.get() == 0 {
        return Err(Malformed::Interval);
    }
    Ok(Advert {
        version,
        vrid: Vrid::try_from(vrid).map_err(|_| Malformed::Vrid)?,
        priority: Priority(priority),
        interval,
        auth,
        addresses: Addresses { bytes: addresses, family },
    })
}

/// The bytes that [`emit`] will append: the message without its IP header, and its signature.
#[must_use]
pub const fn length(advert: &Advert<'_>) -> usize {
    let signature = match advert.auth {
        Auth::Signed(_) => Signature::BYTES,
        Auth::None | Auth::Pass(_) | Auth::Ah(_) | Auth::Other(_) => 0,
    };
    HEADER_BYTES + advert.addresses.bytes().len() + auth_bytes(advert.version) + signature
}

/// Appends the message of `advert`, sent from `source` to `destination`, with its checksum and its signature.
///
/// The checksum of version 3 covers the pseudo-header, as RFC 5798 and keepalived have it. A field holds no
/// more than its version has room for: an interval is cut to whole seconds within 1..=255 in version 2 and to
/// 0x0fff centiseconds in version 3, which carries no authentication but a signature.
pub fn emit(advert: &Advert<'_>, source: IpAddr, destination: IpAddr, out: &mut Vec<u8>) {
    emit_covering(advert, (source, destination), Cover::Pseudo, out);
}

/// As [`emit`], with a checksum that covers something else.
pub fn emit_covering(
    advert: &Advert<'_>,
    (source, destination): (IpAddr, IpAddr),
    cover: Cover,
    out: &mut Vec<u8>,
) {
    let header = header(advert);
    let addresses = advert.addresses.bytes();
    let auth_data = auth_data(advert.auth);
    let auth_data = auth_data.get(..auth_bytes(advert.version)).unwrap_or_default();
    let signature: &[u8] = match &advert.auth {
        Auth::Signed(signed) => signed.signature().bytes(),
        Auth::None | Auth::Pass(_) | Auth::Ah(_) | Auth::Other(_) => &[],
    };
    let length = length(advert);
    let sum = Sum::new().with(&header).with(addresses).with(auth_data);
    let (sum, summed) = match Family::from(source) {
        Family::V4 => (sum, length.saturating_sub(signature.len())),
        Family::V6 => (sum.with(signature), length),
    };
    let pseudo = |destination| sum.pseudo(source, destination, PROTOCOL, summed).unwrap_or(sum);
    let sum = match (advert.version, cover, Family::from(source)) {
        (Version::V2, _, _) | (Version::V3, Cover::Alone, Family::V4) => sum,
        (Version::V3, Cover::Group(group), Family::V4) => pseudo(group.into()),
        (Version::V3, Cover::Pseudo, Family::V4) | (Version::V3, _, Family::V6) => pseudo(destination),
    };
    out.reserve(length);
    out.extend_from_slice(&header);
    out.extend_from_slice(&sum.finish().to_be_bytes());
    out.extend_from_slice(addresses);
    out.extend_from_slice(auth_data);
    out.extend_from_slice(signature);
}

/// The header up to its checksum.
pub(crate) fn header(advert: &Advert<'_>) -> [u8; 6] {
    let (version_type, [b4, b5]) = match advert.version {
        Version::V2 => (0x20 | ADVERTISEMENT, [auth_type(advert.auth), whole_secs(advert.interval)]),
        Version::V3 => (0x30 | ADVERTISEMENT, advert.interval.get().min(MOST_CENTIS).to_be_bytes()),
    };
    let count = u8::try_from(advert.addresses.len()).unwrap_or(u8::MAX);
    [version_type, advert.vrid.get(), advert.priority.get(), count, b4, b5]
}

/// Bytes of authentication data.
pub(crate) const fn auth_bytes(version: Version) -> usize {
    match version {
        Version::V2 => AUTH_BYTES,
        Version::V3 => 0,
    }
}

fn auth_v2(auth_type: u8, data: &[u8]) -> Auth<'static> {
    match (auth_type, <[u8; AUTH_BYTES]>::try_from(data)) {
        (AUTH_NONE, _) => Auth::None,
        (AUTH_PASS, Ok(data)) => Auth::Pass(data),
        (other, _) => Auth::Other(other),
    }
}

fn checksum_is_valid(version: Version, message: &[u8], source: IpAddr, destination: IpAddr) -> bool {
    let alone = Sum::new().with(message);
    let with_pseudo =
        || alone.pseudo(source, destination, PROTOCOL, message.len()).is_some_and(Sum::is_valid);
    match (version, Family::from(source)) {
        (Version::V2, Family::V4 | Family::V6) => alone.is_valid(),
        (Version::V3, Family::V4) => with_pseudo() || alone.is_valid(),
        (Version::V3, Family::V6) => with_pseudo(),
    }
}

const fn auth_type(auth: Auth<'_>) -> u8 {
    match auth {
        Auth::None | Auth::Signed(_) => AUTH_NONE,
        Auth::Pass(_) => AUTH_PASS,
        Auth::Ah(_) => AUTH_AH,
        Auth::Other(number) => number,
    }
}

const fn auth_data(auth: Auth<'_>) -> [u8; AUTH_BYTES] {
    match auth {
        Auth::Pass(password) => password,
        Auth::None | Auth::Ah(_) | Auth::Signed(_) | Auth::Other(_) => [0; AUTH_BYTES],
    }
}

fn whole_secs(interval: Centis) -> u8 {
    u8::try_from(interval.get() / 100).unwrap_or(u8::MAX).max(1)
}

const fn width(family: Family) -> usize {
    match family {
        Family::V4 => 4,
        Family::V6 => 16,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match <[u8; 4]>::try_from(bytes) {
        Ok(v4) => Some(v4.into()),
        Err(_) => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));

    /// `message` with its checksum made right, over itself alone.
    fn summed(message: &[u8]) -> Vec<u8> {
        let mut message = message.to_vec();
        message[6..8].fill(0);
        let checksum = Sum::new().with(&message).finish();
        message[6..8].copy_from_slice(&checksum.to_be_bytes());
        message
    }

    #[track_caller]
    fn refused(message: &[u8], why: Malformed) {
        assert_eq!(parse(&summed(message), SOURCE, GROUP), Err(why));
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let v2 = [0x21, 1, 100, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let with = |at: usize, byte: u8| {
            let mut message = v2;
            message[at] = byte;
            message
        };
        assert!(parse(&summed(&v2), SOURCE, GROUP).is_ok());
        refused(&with(0, 0x11), Malformed::Version(1));
        refused(&with(0, 0x41), Malformed::Version(4));
        refused(&with(0, 0x22), Malformed::Type(2));
        refused(&with(1, 0), Malformed::Vrid);
        refused(&with(3, 1), Malformed::Truncated);
        refused(&with(5, 0), Malformed::Interval);
        refused(&[&v2[..], &[1, 2, 3, 4]].concat(), Malformed::Length);
        refused(&[0x31, 1, 100, 0, 0xf0, 0, 0, 0], Malformed::Interval);
        assert_eq!(parse(&v2, SOURCE, GROUP), Err(Malformed::Checksum));
        let v6 = IpAddr::from([0; 16]);
        assert_eq!(parse(&summed(&v2), v6, v6), Err(Malformed::Version(2)), "no version 2 over IPv6");
    }

    #[test]
    fn version_3_over_ipv4_may_be_summed_alone() {
        let message = summed(&[0x31, 1, 100, 1, 0, 100, 0, 0, 192, 0, 2, 100]);
        let advert = parse(&message, SOURCE, GROUP).unwrap();
        let mut ours = Vec::new();
        emit(&advert, SOURCE, GROUP, &mut ours);
        assert_ne!(ours, message, "we send it with the pseudo-header");
        let mut alone = Vec::new();
        emit_covering(&advert, (SOURCE, GROUP), Cover::Alone, &mut alone);
        assert_eq!(alone, message, "unless asked not to");
        assert_eq!(parse(&ours, SOURCE, GROUP), Ok(advert));
        assert_eq!(parse(&ours, SOURCE, SOURCE), Err(Malformed::Checksum));
    }

    #[test]
    fn an_interval_is_cut_to_what_the_version_carries() {
        let sent = |version, centis| {
            let advert = Advert {
                version,
                vrid: Vrid::try_from(1).unwrap(),
                priority: Priority::DEFAULT,
                interval: Centis::new(centis),
                auth: Auth::None,
                addresses: Addresses::v4(&[]).unwrap(),
            };
            let mut message = Vec::new();
            emit(&advert, SOURCE, GROUP, &mut message);
            parse(&message, SOURCE, GROUP).map(|advert| advert.interval.get())
        };
        assert_eq!(sent(Version::V2, 20), Ok(100));
        assert_eq!(sent(Version::V2, 299), Ok(200));
        assert_eq!(sent(Version::V2, 65_535), Ok(25_500));
        assert_eq!(sent(Version::V3, 1), Ok(1));
        assert_eq!(sent(Version::V3, 5_000), Ok(4_095));
    }

    #[test]
    fn a_password_does_not_print() {
        assert_eq!(format!("{:?}", Auth::Pass(*b"s3cret\0\0")), "Pass(…)");
    }

    #[test]
    fn addresses_are_whole_and_at_most_255() {
        assert!(Addresses::v4(&[0; 5]).is_none());
        assert!(Addresses::v6(&[0; 20]).is_none());
        assert!(Addresses::v4(&[0; 4 * 255]).is_some());
        assert!(Addresses::v4(&[0; 4 * 256]).is_none());
        let two = Addresses::v4(&[192, 0, 2, 1, 192, 0, 2, 2]).unwrap();
        assert_eq!(format!("{two:?}"), "[192.0.2.1, 192.0.2.2]");
    }
}
