//! Chance that can be repeated: the same seed gives the same numbers, on every machine and in every release.

use std::time::Duration;

use rand_core::{Rng as _, SeedableRng as _};
use rand_xorshift::XorShiftRng;

/// A sequence of numbers that a seed determines.
#[derive(Clone, Debug)]
pub struct Chance(XorShiftRng);

impl Chance {
    /// The sequence of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(XorShiftRng::seed_from_u64(seed))
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The bias of the remainder is far below what any trial could notice.
        self.0.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// Yes in `percent` of a hundred cases.
    pub fn percent(&mut self, percent: u8) -> bool {
        percent > 0 && self.below(100) < u64::from(percent)
    }

    /// A span from `least` up to `most`, inclusive.
    pub fn span(&mut self, least: Duration, most: Duration) -> Duration {
        let width = most.saturating_sub(least);
        let nanos = u64::try_from(width.as_nanos()).unwrap_or(u64::MAX - 1);
        least + Duration::from_nanos(self.below(nanos + 1))
    }

    /// One of these, if there is any.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let length = u64::try_from(all.len()).unwrap_or(u64::MAX);
        all.get(usize::try_from(self.below(length)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        // Kept seeds of once-bad trials stand on these.
        let mut chance = Chance::new(7);
        let drawn: Vec<_> = (0..4).map(|_| chance.below(1000)).collect();
        assert_eq!(drawn, DRAWN_OF_SEVEN);
        assert_eq!(Chance::new(7).below(0), 0);
    }

    #[test]
    fn spans_stay_within_their_bounds() {
        let mut chance = Chance::new(1);
        let (least, most) = (Duration::from_millis(3), Duration::from_millis(4));
        assert!((0..1000).map(|_| chance.span(least, most)).all(|span| span >= least && span <= most));
        assert_eq!(chance.span(most, least), most, "an empty range is its beginning");
    }

    const DRAWN_OF_SEVEN: [u64; 4] = [962, 659, 335, 984];
}
