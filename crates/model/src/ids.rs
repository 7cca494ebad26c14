//! Identifiers and ranks of the VRRP world.

use std::fmt;
use std::num::NonZeroU8;

use serde::{Deserialize, Serialize};

use crate::OutOfRange;

/// A virtual router identifier, 1..=255 (RFC 9568 §5.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Vrid(NonZeroU8);

impl Vrid {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0.get()
    }
}

impl TryFrom<u8> for Vrid {
    type Error = OutOfRange;

    fn try_from(vrid: u8) -> Result<Self, OutOfRange> {
        NonZeroU8::new(vrid).map(Self).ok_or(OutOfRange::Vrid)
    }
}

impl fmt::Display for Vrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A priority as an advertisement carries it (RFC 9568 §5.2.4).
///
/// 255 belongs to the owner of the addresses, 1..=254 to everybody else; 0 is said by a master that
/// stops. Configured and effective priorities are never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Priority(pub u8);

impl Priority {
    /// "I stop being master."
    pub const RELEASE: Self = Self(0);
    /// The least that a running router may have.
    pub const LEAST: Self = Self(1);
    /// What a backup has if its configuration does not say.
    pub const DEFAULT: Self = Self(100);
    /// The most that a router has that does not own the addresses.
    pub const MOST: Self = Self(254);
    /// The owner of the addresses.
    pub const OWNER: Self = Self(255);

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a tracked thing adds to a priority, -254..=254; beyond 253 only for files and processes. Zero means that its failure is a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weight(i16);

impl Weight {
    /// A failure is a fault of the instance.
    pub const FAULT: Self = Self(0);

    /// The number.
    #[must_use]
    pub const fn get(self) -> i16 {
        self.0
    }
}

impl TryFrom<i16> for Weight {
    type Error = OutOfRange;

    fn try_from(weight: i16) -> Result<Self, OutOfRange> {
        if (-254..=254).contains(&weight) { Ok(Self(weight)) } else { Err(OutOfRange::Weight) }
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How the state of a tracked thing acts on an instance.
///
/// * weight 0: down is a fault (up, if `reverse`);
/// * positive: added to the priority while up (down, if `reverse`);
/// * negative: taken from the priority while down (up, if `reverse`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Influence {
    /// The change of priority.
    pub weight: Weight,
    /// Up and down change places.
    pub reverse: bool,
}
