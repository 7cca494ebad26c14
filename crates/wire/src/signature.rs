//! Signed advertisements: 28 bytes after the message (keepalived's `auth_hmac`).
//!
//! ```text
//!  0               1               2               3
//! +---------------+---------------+-------------------------------+
//! |   scheme 1    |    key id     |               0               |
//! +---------------+---------------+-------------------------------+
//! |                 seconds since 1970 (modulo 2^32)              |
//! +-------------------------------+-------------------------------+
//! |    fraction of the second     |  counter within one timestamp |
//! +-------------------------------+-------------------------------+
//! |            the first 16 bytes of an HMAC-SHA-256              |
//! ```
//!
//! The HMAC covers a pseudo-header of 20 bytes (family, VRRP version, VRID, zero, the source address), the message with
//! its checksum read as zero, and the signature with its last 16 bytes read as zero.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::vrrp::{self, Advert};

const SCHEME: u8 = 1;
const DIGEST_BYTES: usize = 16;
const HEADER_BYTES: usize = 12;
/// Where the checksum of a VRRP message stands.
const CHECKSUM: std::ops::Range<usize> = 6..8;

/// A signature as it stands behind a message. It is public: only the key is secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; Self::BYTES]);

impl Signature {
    /// Its length.
    pub const BYTES: usize = HEADER_BYTES + DIGEST_BYTES;

    /// As it stands in the packet.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Whether it is of the one scheme that there is, with zeros where it has no meaning.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        matches!(self.0, [SCHEME, _, 0, 0, ..])
    }

    /// The number of the key that signed.
    #[must_use]
    pub const fn key(&self) -> u8 {
        let [_, key, ..] = self.0;
        key
    }

    /// When it was signed.
    #[must_use]
    pub const fn stamp(&self) -> Stamp {
        let [_, _, _, _, a, b, c, d, e, f, g, h, ..] = self.0;
        Stamp(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    fn header(key: u8, stamp: Stamp) -> [u8; HEADER_BYTES] {
        let [a, b, c, d, e, f, g, h] = stamp.0.to_be_bytes();
        [SCHEME, key, 0, 0, a, b, c, d, e, f, g, h]
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature(key {}, {:?})", self.key(), self.stamp())
    }
}

/// A signature, and the message that it stands behind.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    signature: Signature,
    message: &'a [u8],
}

/// Two are the same if their signatures are: these cover the messages.
impl PartialEq for Signed<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.signature == other.signature
    }
}

impl Eq for Signed<'_> {}

impl<'a> Signed<'a> {
    pub(crate) const fn new(signature: Signature, message: &'a [u8]) -> Self {
        Self { signature, message }
    }

    /// The signature. Whether it is right says [`Self::is_authentic`].
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Whether who has `key` signed this message and sent it from `source`. Takes the same time for every wrong
    /// signature. One that was made for sending, and not read from a packet, is not authentic.
    #[must_use]
    pub fn is_authentic(&self, key: &[u8], source: IpAddr) -> bool {
        let [version_type, vrid, ..] = *self.message else { return false };
        let (Some(before), Some(after)) =
            (self.message.get(..CHECKSUM.start), self.message.get(CHECKSUM.end..))
        else {
            return false;
        };
        let (header, digest) = self.signature.0.split_at(HEADER_BYTES);
        let whose = Whose { version: version_type >> 4, vrid, source };
        mac(key, whose, &[before, &[0; 2], after], header)
            .is_some_and(|mac| mac.verify_truncated_left(digest).is_ok())
    }
}

impl From<Signature> for Signed<'_> {
    /// For [`vrrp::emit`].
    fn from(signature: Signature) -> Self {
        Self { signature, message: &[] }
    }
}

/// Signs what [`vrrp::emit`] makes of `advert` with the key of that number, for all destinations alike.
///
/// How `advert` itself is authenticated does not matter: a signature stands in place of that.
#[must_use]
pub fn sign(advert: &Advert<'_>, source: IpAddr, id: NonZeroU8, key: &[u8], stamp: Stamp) -> Signature {
    let advert = Advert { auth: vrrp::Auth::None, ..*advert };
    let message = vrrp::header(&advert);
    let auth_data = [0; 8];
    let auth_data = auth_data.get(..vrrp::auth_bytes(advert.version)).unwrap_or_default();
    let header = Signature::header(id.get(), stamp);
    let [version_type, ..] = message;
    let whose = Whose { version: version_type >> 4, vrid: advert.vrid.get(), source };
    let parts = [&message[..], &[0; 2], advert.addresses.bytes(), auth_data];
    let digest = mac(key, whose, &parts, &header).map(|mac| mac.finalize().into_bytes());
    let mut signature = [0; Signature::BYTES];
    let bytes = header.iter().chain(digest.iter().flatten());
    for (room, byte) in signature.iter_mut().zip(bytes) {
        *room = *byte;
    }
    Signature(signature)
}

/// What the pseudo-header says.
#[derive(Clone, Copy)]
struct Whose {
    version: u8,
    vrid: u8,
    source: IpAddr,
}

/// Every length of a key is allowed (RFC 2104 §3), so there is always one.
fn mac(key: &[u8], whose: Whose, message: &[&[u8]], header: &[u8]) -> Option<Hmac<Sha256>> {
    let Whose { version, vrid, source } = whose;
    let (family, source) = match source {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            (4, [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        }
        IpAddr::V6(v6) => (6, v6.octets()),
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(&[family, version, vrid, 0]);
    mac.update(&source);
    for part in message {
        mac.update(part);
    }
    mac.update(header);
    mac.update(&[0; DIGEST_BYTES]);
    Some(mac)
}

/// A moment on the wall clock and a counter, in one number that only grows: seconds since 1970 in the upper 32 bits,
/// then 16 bits of a binary fraction, then the counter. Compared as RFC 1982 says, so that it may wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(u64);

impl Stamp {
    /// A moment, as time since 1970.
    #[must_use]
    pub fn at(since_epoch: Duration) -> Self {
        let seconds = since_epoch.as_secs() << 32;
        let fraction = (u64::from(since_epoch.subsec_nanos()) << 16) / 1_000_000_000;
        Self(seconds | fraction << 16)
    }

    /// Whether it comes after `other` (RFC 1982 §3.2).
    #[must_use]
    pub const fn is_after(self, other: Self) -> bool {
        let ahead = self.0.wrapping_sub(other.0);
        ahead != 0 && ahead < 1 << 63
    }

    /// The least stamp after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// Whether it is at most `window` away from `other`, before or after it.
    #[must_use]
    pub fn is_within(self, window: Duration, other: Self) -> bool {
        let apart = self.0.wrapping_sub(other.0).min(other.0.wrapping_sub(self.0));
        let fraction = (u64::from(window.subsec_nanos()) << 32) / 1_000_000_000;
        let window = u64::try_from(u128::from(window.as_secs()) << 32).unwrap_or(u64::MAX);
        apart <= window.saturating_add(fraction)
    }
}
