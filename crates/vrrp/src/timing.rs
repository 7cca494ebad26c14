//! Timer arithmetic, in exact units.

use std::net::IpAddr;
use std::time::Duration;

use model::vrrp::Version;
use model::{Centis, Priority};

/// The longest that a backup waits when its master falls below it.
const OVERTAKE_SPAN: Duration = Duration::from_millis(20);

/// The longest that two groups are kept apart: a millisecond for each address of a small network.
const RACE_SPAN: Duration = Duration::from_millis(256);

/// What a backup waits beyond the missed intervals, so that the best of several speaks first.
///
/// Version 2: `(256 - priority) / 256` seconds (RFC 3768 §6.1). Version 3: the same share of the
/// master's interval (RFC 9568 §6.1).
#[must_use]
pub fn skew_time(version: Version, priority: Priority, master_interval: Centis) -> Duration {
    let unit = match version {
        Version::V2 => Centis::SECOND,
        Version::V3 => master_interval,
    };
    // At most 655 s times 256: far below what a Duration holds.
    unit.duration().saturating_mul(256 - u32::from(priority.get())) / 256
}

/// How long a backup waits for a silent master: `adverts` (3 in the RFCs) intervals and the skew time.
#[must_use]
pub fn master_down_interval(
    version: Version,
    priority: Priority,
    master_interval: Centis,
    adverts: u8,
) -> Duration {
    master_interval.duration().saturating_mul(u32::from(adverts))
        + skew_time(version, priority, master_interval)
}

/// How long a backup waits before it takes over from a master whose own priority fell from `before`
/// to `now`, below the backup's `mine`: at most 20 ms, and the better the backup the shorter.
///
/// Every backup that followed this master has a priority of `now + 1 ..= before` (unless it does not
/// preempt), so the span is shared among just these. Within one priority the greater address goes first,
/// as it would win (RFC 9568 §6.4.3).
#[must_use]
pub fn overtake_delay(before: Priority, now: Priority, mine: Priority, address: IpAddr) -> Duration {
    let rungs = u32::from(before.get().saturating_sub(now.get())).max(1);
    let rung = u32::from(before.get().saturating_sub(mine.get())).min(rungs - 1);
    let within = 255 - u32::from(last_octet(address));
    OVERTAKE_SPAN.saturating_mul(rung * 256 + within) / (rungs * 256)
}

/// How much longer groups listen that were master at the same moment and yielded to each other: at most 256 ms, and
/// less than an interval. No two hosts of a link wait equally long, the greater address less.
pub(crate) fn race_delay(interval: Centis, address: IpAddr) -> Duration {
    let span = interval.duration().min(RACE_SPAN);
    span.saturating_mul(255 - u32::from(last_octet(address))) / 256
}

fn last_octet(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(v4) => v4.octets()[3],
        IpAddr::V6(v6) => v6.octets()[15],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 0, 14));

    #[test]
    fn skew_is_exact_for_every_priority() {
        for p in 0..=255u8 {
            let nanos = u64::from(256 - u32::from(p)) * 3_906_250;
            for interval in [1, 100, 4095] {
                let skew = skew_time(Version::V2, Priority(p), Centis::new(interval));
                assert_eq!(skew, Duration::from_nanos(nanos), "version 2 knows only seconds, priority {p}");
                let skew = skew_time(Version::V3, Priority(p), Centis::new(interval));
                let exact = u64::from(interval) * 10_000_000 * u64::from(256 - u32::from(p)) / 256;
                assert_eq!(skew, Duration::from_nanos(exact));
            }
        }
    }

    #[test]
    fn neighbouring_priorities_never_share_a_deadline() {
        for interval in [1, 10, 100, 4095] {
            for p in 1..255u8 {
                let of = |p| master_down_interval(Version::V3, Priority(p), Centis::new(interval), 3);
                assert!(of(p + 1) < of(p), "interval {interval} priority {p}");
            }
        }
    }

    #[test]
    fn the_rfc_examples() {
        let one = Centis::SECOND;
        assert_eq!(
            master_down_interval(Version::V2, Priority(100), one, 3),
            Duration::from_nanos(3_609_375_000)
        );
        assert_eq!(
            master_down_interval(Version::V3, Priority(100), Centis::new(1), 3),
            Duration::from_nanos(36_093_750)
        );
        // advert_int 2 heard by a version 2 backup: three of the master's intervals and its own skew.
        assert_eq!(
            master_down_interval(Version::V2, Priority(100), Centis::new(200), 3),
            Duration::from_nanos(6_609_375_000)
        );
    }

    #[test]
    fn better_backups_overtake_first_and_all_within_the_span() {
        for before in 2..=254u8 {
            for now in [1, before / 2, before - 1] {
                let delay = |mine| overtake_delay(Priority(before), Priority(now), Priority(mine), ADDRESS);
                for mine in now + 1..=before {
                    assert!(delay(mine) <= OVERTAKE_SPAN);
                    assert!(mine == before || delay(mine + 1) < delay(mine), "{before} {now} {mine}");
                }
            }
        }
    }

    #[test]
    fn of_equal_backups_the_greater_address_overtakes_first() {
        let of = |last| overtake_delay(Priority(93), Priority(91), Priority(92), [10, 0, 0, last].into());
        assert!(of(15) < of(14));
        assert!(of(14) > Duration::ZERO);
        assert!(of(0) <= OVERTAKE_SPAN);
    }
}
