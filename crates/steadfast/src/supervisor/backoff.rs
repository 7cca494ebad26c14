//! How soon a dead worker is started again.

use std::collections::VecDeque;
use std::time::Duration;

use model::Instant;

/// The recent deaths of a worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Backoff {
    deaths: VecDeque<Instant>,
}

impl Backoff {
    /// Notes a death, and says when to start again: at once after one that is not part of a series, so that the
    /// new worker can go on as master; then after ever longer pauses.
    pub(super) fn died(&mut self, now: Instant) -> Instant {
        while self.deaths.front().is_some_and(|death| now.since(*death) > SERIES) {
            self.deaths.pop_front();
        }
        self.deaths.push_back(now);
        let earlier = self.deaths.len().saturating_sub(AT_ONCE + 1);
        let pause = match u32::try_from(earlier) {
            Ok(0) if self.deaths.len() <= AT_ONCE => Duration::ZERO,
            Ok(earlier) => FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(earlier)).min(LONGEST_PAUSE),
            Err(_) => LONGEST_PAUSE,
        };
        now + pause
    }

    /// How many deaths the present series has.
    pub(super) fn deaths(&self) -> usize {
        self.deaths.len()
    }
}

/// Deaths this far apart have nothing to do with each other.
const SERIES: Duration = Duration::from_secs(60);

/// So many deaths of a series are answered at once.
const AT_ONCE: usize = 2;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn a_series_of_deaths_is_answered_ever_later() {
        let mut backoff = Backoff::default();
        let now = at(1000);
        let pauses: Vec<_> = (0..10).map(|_| backoff.died(now).since(now).as_millis()).collect();
        assert_eq!(pauses, [0, 0, 250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    }

    #[test]
    fn a_quiet_minute_ends_the_series() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.died(at(0));
        }
        assert_eq!(backoff.died(at(60_001)), at(60_001));
    }
}
