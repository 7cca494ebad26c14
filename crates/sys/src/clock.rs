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

/// How far the wall clock is from the monotonic one, sampled in every turn of the loop.
///
/// The kernel stamps packets with the wall clock, which may be stepped at any moment. Every converted
/// time lies between the begin of the previous turn and the last look at the clocks, so a step cannot move the machine's
/// time. A turn may be long, when the process was not let run: what came in meanwhile is told by the clock before the step
/// or by the one after it.
#[derive(Clone, Copy, Debug)]
pub struct WallOffset {
    previous_turn: Reading,
    this_turn: Reading,
    latest: Reading,
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    wall: WallTime,
}

impl WallOffset {
    /// The first turn. There is no turn before it: every packet counts as received now.
    #[must_use]
    pub fn sample() -> Self {
        let reading = both_clocks();
        Self { previous_turn: reading, this_turn: reading, latest: reading }
    }

    /// Starts the next turn and says its time.
    pub fn next_turn(&mut self) -> Instant {
        let reading = both_clocks();
        *self = Self { previous_turn: self.this_turn, this_turn: reading, latest: reading };
        reading.at
    }

    /// Looks at the clocks again within this turn. Who has read packets does so before he dates them: a process may be
    /// stopped for a while at any place, and what came meanwhile would be dated before the stop.
    pub fn refresh(&mut self) {
        self.latest = both_clocks();
    }

    /// The last look at the clock.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.latest.at
    }

    /// What the wall clock read then.
    #[must_use]
    pub const fn wall(&self) -> WallTime {
        self.latest.wall
    }

    /// `received` on the monotonic clock, never before the previous turn and never after the last look. If the clock was
    /// stepped in between and both readings are possible, the later one: a master should not seem silent for longer
    /// than it was.
    #[must_use]
    pub fn monotonic(&self, received: WallTime) -> Instant {
        let Self { previous_turn, latest, .. } = self;
        let since_previous = received.0.checked_sub(previous_turn.wall.0);
        let before_step = since_previous.map(|since| previous_turn.at + since).filter(|at| *at <= latest.at);
        let age = latest.wall.0.checked_sub(received.0);
        let after_step = age.map(|age| latest.at - age).filter(|at| *at >= previous_turn.at);
        before_step.max(after_step).unwrap_or_else(|| self.nearest(received))
    }

    /// Of a packet that waited for more than a turn, that came after the last look, or that came between two steps.
    fn nearest(&self, received: WallTime) -> Instant {
        if received.0 > self.latest.wall.0 { self.latest.at } else { self.previous_turn.at }
    }
}

/// Reads the wall clock between two looks at the other, again if this thread was put to sleep in between.
fn both_clocks() -> Reading {
    const TRIES: u32 = 3;
    const AT_ONCE: Duration = Duration::from_micros(5);
    let mut before = now();
    let mut sample = Reading { at: before, wall: WallTime(Duration::ZERO) };
    for _ in 0..TRIES {
        let wall = Duration::from_nanos(nanos(clock_gettime(ClockId::Realtime)));
        let after = now();
        sample = Reading { at: after, wall: WallTime(wall) };
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

    /// The wall clock was not stepped.
    fn turn(previous: u64, now: u64, wall: u64) -> WallOffset {
        stepped(previous, wall - (now - previous), now, wall)
    }

    fn stepped(previous: u64, previous_wall: u64, now: u64, wall: u64) -> WallOffset {
        let reading =
            |at, wall| Reading { at: Instant::from_nanos(at), wall: WallTime(Duration::from_nanos(wall)) };
        let this = reading(now, wall);
        WallOffset { previous_turn: reading(previous, previous_wall), this_turn: this, latest: this }
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
    fn a_packet_keeps_its_age_across_a_step() {
        let forward = stepped(1_000, 50_000, 2_000, 90_000);
        assert_eq!(received(forward, 50_400), 1_400, "before the step");
        assert_eq!(received(forward, 89_700), 1_700, "after it");
        assert_eq!(received(forward, 60_000), 1_000, "between two of them");
        let back = stepped(1_000, 50_000, 2_000, 20_000);
        assert_eq!(received(back, 50_400), 1_400, "before the step");
        assert_eq!(received(back, 19_700), 1_700, "after it");
        assert_eq!(received(back, 60_000), 2_000, "between two of them");
    }

    #[test]
    fn a_step_within_a_turn_does_not_age_a_packet() {
        let forward = stepped(1_000, 50_000, 2_000, 51_300);
        assert_eq!(received(forward, 50_400), 1_400);
        let back = stepped(1_000, 50_000, 2_000, 50_700);
        assert_eq!(received(back, 50_600), 1_900);
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

    #[test]
    fn what_was_read_late_is_dated_by_a_later_look_and_not_before_the_turn_before() {
        let mut offset = WallOffset::sample();
        let first = offset.next_turn();
        let second = offset.next_turn();
        std::thread::sleep(Duration::from_millis(2));
        offset.refresh();
        assert!(offset.now().since(second) >= Duration::from_millis(2));
        let now = both_clocks();
        offset.refresh();
        let dated = offset.monotonic(now.wall);
        assert!(dated > second && dated <= offset.now(), "{dated:?} {now:?}");
        assert_eq!(offset.monotonic(WallTime(Duration::ZERO)), first);
    }
}
