//! The times of the RFCs, worked out once more: the machine's own would be wrong together with it.

use std::time::Duration;

use model::vrrp::Version;
use model::{Centis, Priority};

/// RFC 3768 §6.1 and RFC 9568 §6.1: the better, the sooner; at most a second, or one interval of the master.
pub(super) fn skew(version: Version, priority: Priority, master_interval: Centis) -> Duration {
    let unit = match version {
        Version::V2 => Duration::from_secs(1),
        Version::V3 => master_interval.duration(),
    };
    let share = 256 - u32::from(priority.get());
    unit * share / 256
}

/// So many intervals without an advertisement, and the skew time.
pub(super) fn master_down(
    version: Version,
    priority: Priority,
    master_interval: Centis,
    adverts: u8,
) -> Duration {
    master_interval.duration() * u32::from(adverts) + skew(version, priority, master_interval)
}
