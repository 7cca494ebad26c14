//! One log line per cause and peer while it lasts, and a bound on all of them together.
//!
//! A stranger can send ten thousand bad packets a second from as many addresses. Each is counted; few are
//! told of: at most [`MOST_KNOWN`] pairs of cause and peer are remembered, and lines come out of a bucket.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use model::Instant;

/// A cause that was not seen for this long has ended; the next time it is told anew.
const QUIET: Duration = Duration::from_secs(60);
const MOST_KNOWN: usize = 64;
/// Lines that may be written at once.
const BUCKET: u32 = 6;
/// One more line is allowed after each of these.
const REFILL: Duration = Duration::from_secs(20);

/// Who is complained of and why. `C` is the cause.
#[derive(Clone, Debug)]
pub(crate) struct Complaints<C> {
    known: BTreeMap<(C, IpAddr), Instant>,
    lines: u32,
    refilled_at: Instant,
    untold: u64,
}

/// Whether to write a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Write it. So many others of which no line was written came before.
    Tell { untold: u64 },
    /// It lasts, or too much is being complained of: the counters know.
    Silent,
}

impl<C: Copy + Ord> Complaints<C> {
    pub(crate) const fn new() -> Self {
        Self { known: BTreeMap::new(), lines: BUCKET, refilled_at: Instant::ZERO, untold: 0 }
    }

    /// Notes that `peer` gave cause for a complaint at `now`.
    pub(crate) fn note(&mut self, now: Instant, cause: C, peer: IpAddr) -> Verdict {
        if let Some(last) = self.known.get_mut(&(cause, peer))
            && now.since(*last) < QUIET
        {
            *last = now;
            return Verdict::Silent;
        }
        if !self.take_line(now) {
            self.untold += 1;
            return Verdict::Silent;
        }
        self.make_room(now);
        self.known.insert((cause, peer), now);
        Verdict::Tell { untold: std::mem::take(&mut self.untold) }
    }

    /// What `peer` gave cause for has ended: the next time it is told anew.
    pub(crate) fn forget(&mut self, cause: C, peer: IpAddr) {
        self.known.remove(&(cause, peer));
    }

    fn take_line(&mut self, now: Instant) -> bool {
        let earned = now.since(self.refilled_at).as_secs() / REFILL.as_secs();
        if earned > 0 {
            self.lines = u32::try_from(earned).unwrap_or(BUCKET).saturating_add(self.lines).min(BUCKET);
            self.refilled_at = now;
        }
        let allowed = self.lines > 0;
        self.lines = self.lines.saturating_sub(1);
        allowed
    }

    fn make_room(&mut self, now: Instant) {
        if self.known.len() < MOST_KNOWN {
            return;
        }
        self.known.retain(|_, last| now.since(*last) < QUIET);
        if self.known.len() >= MOST_KNOWN
            && let Some(oldest) = self.known.iter().min_by_key(|(_, last)| **last).map(|(key, _)| *key)
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn one_line_per_cause_and_peer_while_it_lasts() {
        let mut complaints = Complaints::new();
        let peer = IpAddr::from([10, 0, 0, 1]);
        assert_eq!(complaints.note(at(0), 1, peer), Verdict::Tell { untold: 0 });
        for second in 1..600 {
            assert_eq!(complaints.note(at(second * 1000), 1, peer), Verdict::Silent, "still lasting");
        }
        assert_eq!(complaints.note(at(600_000), 2, peer), Verdict::Tell { untold: 0 }, "another cause");
        let later = at(599_000) + QUIET;
        assert_eq!(complaints.note(later, 1, peer), Verdict::Tell { untold: 0 }, "it had ended");
    }

    #[test]
    fn what_could_not_be_told_in_a_flood_is_told_after_it() {
        let mut complaints = Complaints::new();
        let peer = IpAddr::from([10, 0, 0, 1]);
        assert_ne!(complaints.note(at(0), 1, peer), Verdict::Silent);
        for n in 0..1000u32 {
            complaints.note(at(70_000), 0, IpAddr::from(n.to_be_bytes()));
        }
        assert_eq!(complaints.note(at(70_001), 1, peer), Verdict::Silent, "nothing left to write with");
        let after = (71..100).filter(|second| complaints.note(at(second * 1000), 1, peer) != Verdict::Silent);
        assert_eq!(after.count(), 1, "it lasts, and is told once");
    }

    #[test]
    fn a_flood_from_changing_addresses_is_told_of_a_few_times_and_does_not_grow() {
        let mut complaints = Complaints::new();
        let mut lines = 0;
        for n in 0..100_000u32 {
            let peer = IpAddr::from(n.to_be_bytes());
            if complaints.note(at(u64::from(n) / 10), 0, peer) != Verdict::Silent {
                lines += 1;
            }
        }
        assert!(lines <= 7, "{lines} lines");
        assert!(complaints.known.len() <= MOST_KNOWN);
        let told = complaints.note(at(60_000), 0, [10, 0, 0, 1].into());
        assert_eq!(told, Verdict::Tell { untold: 100_000 - lines }, "what was not told is made up for");
    }
}
