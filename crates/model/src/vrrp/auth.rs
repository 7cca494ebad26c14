//! How advertisements prove where they come from.

use std::fmt;
use std::num::NonZeroU8;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Secret;

/// VRRPv2 authentication (RFC 2338 §5.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Auth {
    /// None: the authentication data is zero.
    None,
    /// `auth_type PASS`.
    Pass(Password),
    /// `auth_type AH`: an IPsec authentication header keyed with the password.
    Ah(Password),
}

/// A clear-text password, zero-padded as it stands in the packet. It never prints, and serialises as [`Secret`] does.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Secret<[u8; 8]>", into = "Secret<[u8; 8]>")]
pub struct Password(pub [u8; 8]);

impl From<Secret<[u8; 8]>> for Password {
    fn from(secret: Secret<[u8; 8]>) -> Self {
        Self(*secret.reveal())
    }
}

impl From<Password> for Secret<[u8; 8]> {
    fn from(password: Password) -> Self {
        Self::new(password.0)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Signed advertisements (`auth_hmac`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hmac {
    /// The keys that are believed (`key`). Their numbers are unique.
    pub keys: Vec<HmacKey>,
    /// The number of the key that signs, one of `keys` (`active_key`).
    pub active: NonZeroU8,
    /// What tells an old advertisement from a new one (`anti_replay`).
    pub replay: Replay,
    /// What is signed, and what must be (`mode`).
    pub mode: HmacMode,
}

/// One key of `auth_hmac`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HmacKey {
    /// Its number, the same on all hosts.
    pub id: NonZeroU8,
    /// Where its bytes come from.
    pub source: KeySource,
}

/// Where the 32 to 64 bytes of a key come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeySource {
    /// They stand in the configuration, as text or `hex:`.
    Bytes(Secret<Vec<u8>>),
    /// The content of a file (`file:`).
    File(String),
}

impl KeySource {
    /// The least bytes of a key.
    pub const LEAST: usize = 32;
    /// The most bytes of a key.
    pub const MOST: usize = 64;
}

/// Protection against advertisements that somebody recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Replay {
    /// The clocks of the hosts agree: an advertisement may be this old (`time`, `time_window`).
    Time {
        /// How old.
        window: Duration,
    },
    /// Numbers that only grow (`monotonic`).
    Monotonic,
}

/// What is signed, and what must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HmacMode {
    /// All is signed, and only what is signed is believed (`enforce`).
    #[default]
    Enforce,
    /// All is signed; what is not signed is believed too (`permissive`).
    Permissive,
    /// Nothing is signed; signatures are checked where there are some (`receive-only`).
    ReceiveOnly,
}
