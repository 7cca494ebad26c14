//! The monotonic clock, and wall receive times turned into it.

use std::time::Duration;

use model::Instant;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The time on `CLOCK_MONOTONIC`.
#[must_use]
pub fn now() -> Instant {
    Instant::from_nanos(nanos(clock_gettime(ClockId::Monotonic)))
}

/// A time on the wall clock, since the Unix epoch, as the kernel stamps received packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(pub Duration);

/// How far the wall clock is from the monotonic one, sampled once per turn of the loop.
///
/// The kernel stamps packets with the wall clock, which may be stepped at any moment. Every converted
/// time lies between the previous turn and this one, so a step cannot move the machine's time.
#[derive(Clone, Copy, Debug)]
pub struct WallOffset {
    previous_turn: Instant,
    this_turn: Instant,
    wall: WallTime,
}

impl WallOffset {
    /// The first turn. There is no turn before it: every packet counts as received now.
    #[must_use]
    pub fn sample() -> Self {
        let (this_turn, wall) = both_clocks();
        Self { previous_turn: this_turn, this_turn, wall }
    }

    /// Starts the next turn and says its time.
    pub fn next_turn(&mut self) -> Instant {
        let (now, wall) = both_clocks();
        *self = Self { previous_turn: self.this_turn, this_turn: now, wall };
        now
    }

    /// When this turn began.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.this_turn
    }

    /// What the wall clock read when this turn began.
    #[must_use]
    pub const fn wall(&self) -> WallTime {
        self.wall
    }

    /// `received` on the monotonic clock, never before the previous turn and never after this one.
    #[must_use]
    pub fn monotonic(&self, received: WallTime) -> Instant {
        let age = self.wall.0.saturating_sub(received.0);
        (self.this_turn - age).clamp(self.previous_turn, self.this_turn)
    }
}

/// Reads the wall clock between two looks at the other, again if this thread was put to sleep in between.
fn both_clocks() -> (Instant, WallTime) {
    const TRIES: u32 = 3;
    const AT_ONCE: Duration = Duration::from_micros(5);
    let mut before = now();
    let mut sample = (before, WallTime(Duration::ZERO));
    for _ in 0..TRIES {
        let wall = Duration::from_nanos(nanos(clock_gettime(ClockId::Realtime)));
        let after = now();
        sample = (after, WallTime(wall));
        if after.since(before) < AT_ONCE {
            break;
        }
        before = after;
    }
    sample
}

/// Nanoseconds; a clock before its origin reads zero.
fn nanos(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let fraction = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(previous: u64, now: u64, wall: u64) -> WallOffset {
        WallOffset {
            previous_turn: Instant::from_nanos(previous),
            this_turn: Instant::from_nanos(now),
            wall: WallTime(Duration::from_nanos(wall)),
        }
    }

    fn received(turn: WallOffset, wall: u64) -> u64 {
        turn.monotonic(WallTime(Duration::from_nanos(wall))).as_nanos()
    }

    #[test]
    fn the_clock_does_not_go_back() {
        let first = now();
        assert!(now() >= first);
        assert!(first > Instant::ZERO);
    }

    #[test]
    fn a_receive_time_keeps_its_age() {
        assert_eq!(received(turn(100, 1_000, 50_000), 49_700), 700);
    }

    #[test]
    fn a_clock_step_cannot_move_time() {
        let turn = turn(900, 1_000, 50_000);
        assert_eq!(received(turn, 10), 900, "the wall clock was set forward after the packet came");
        assert_eq!(received(turn, 90_000), 1_000, "the wall clock was set back after the packet came");
    }

    #[test]
    fn turns_follow_each_other() {
        let mut offset = WallOffset::sample();
        let first = offset.now();
        let second = offset.next_turn();
        assert!(second >= first);
        assert_eq!(offset.now(), second);
        assert_eq!(offset.monotonic(WallTime(Duration::ZERO)), first);
    }
}
