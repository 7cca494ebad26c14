//! The wall clock, as a value.

use std::time::Duration;

use model::Instant;

/// What the wall clock read at a moment. It may be stepped: who runs the machine says anew what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallClock {
    /// The moment.
    pub at: Instant,
    /// The time since 1970 that it read then.
    pub reads: Duration,
}

impl WallClock {
    /// What it reads at `now`, before or after that moment.
    pub(crate) fn read(self, now: Instant) -> Duration {
        let before = self.at.since(now);
        (self.reads + now.since(self.at)).saturating_sub(before)
    }
}

impl Default for WallClock {
    /// One that began with the machine's own.
    fn default() -> Self {
        Self { at: Instant::ZERO, reads: Duration::ZERO }
    }
}
