//! Points in time and the unit that VRRP counts in.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::OutOfRange;

/// A point on the host's monotonic clock (`CLOCK_MONOTONIC`), in nanoseconds since that clock's origin.
///
/// Unlike [`std::time::Instant`] it can be made from a number, printed and stored: simulated clocks,
/// traces and state hand-over need that. Arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(u64);

impl Instant {
    /// The clock's origin.
    pub const ZERO: Self = Self(0);

    /// The point `nanos` nanoseconds after the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`, zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

/// Hundredths of a second, the unit of the VRRPv3 advertisement interval (RFC 9568 §5.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Centis(u16);

impl Centis {
    /// One second, the default advertisement interval.
    pub const SECOND: Self = Self(100);

    /// `centis` hundredths of a second.
    #[must_use]
    pub const fn new(centis: u16) -> Self {
        Self(centis)
    }

    /// Whole seconds, as a VRRPv2 packet carries them.
    #[must_use]
    pub fn from_secs(secs: u8) -> Self {
        Self(u16::from(secs) * 100)
    }

    /// The count of hundredths.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whole seconds if there is no remainder and they fit a VRRPv2 packet.
    #[must_use]
    pub fn whole_secs(self) -> Option<u8> {
        self.0.is_multiple_of(100).then(|| u8::try_from(self.0 / 100).ok()).flatten()
    }

    /// The same span as a [`Duration`].
    #[must_use]
    pub const fn duration(self) -> Duration {
        // Widening; `u64::from` is not const.
        Duration::from_millis(10).saturating_mul(widen(self.0))
    }
}

const fn widen(value: u16) -> u32 {
    let [high, low] = value.to_be_bytes();
    u32::from_be_bytes([0, 0, high, low])
}

impl TryFrom<Duration> for Centis {
    type Error = OutOfRange;

    /// Rounds down to whole hundredths.
    fn try_from(span: Duration) -> Result<Self, OutOfRange> {
        u16::try_from(span.as_millis() / 10).map(Self).map_err(|_| OutOfRange::Centis)
    }
}

impl fmt::Display for Centis {
    /// `2s`, `0.25s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (secs, 0) => write!(f, "{secs}s"),
            (secs, tenths) if tenths.is_multiple_of(10) => write!(f, "{secs}.{}s", tenths / 10),
            (secs, centis) => write!(f, "{secs}.{centis:02}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_saturate_instead_of_wrapping() {
        let t = Instant::from_nanos(5);
        assert_eq!(t - Duration::from_secs(1), Instant::ZERO);
        assert_eq!(t + Duration::MAX, Instant::from_nanos(u64::MAX));
        assert_eq!(Instant::ZERO.since(t), Duration::ZERO);
        assert_eq!((t + Duration::from_nanos(7)).since(t), Duration::from_nanos(7));
    }

    #[test]
    fn centis_print_and_convert_exactly() {
        assert_eq!(Centis::new(200).to_string(), "2s");
        assert_eq!(Centis::new(25).to_string(), "0.25s");
        assert_eq!(Centis::new(105).to_string(), "1.05s");
        assert_eq!(Centis::new(110).to_string(), "1.1s");
        assert_eq!(Centis::new(65535).duration(), Duration::from_millis(655_350));
        assert_eq!(Centis::new(25_500).whole_secs(), Some(255));
        assert_eq!(Centis::new(25_600).whole_secs(), None);
        assert_eq!(Centis::new(150).whole_secs(), None);
        assert_eq!(Centis::try_from(Duration::from_millis(1_009)), Ok(Centis::new(100)));
        assert_eq!(Centis::try_from(Duration::from_secs(700)), Err(OutOfRange::Centis));
    }
}
