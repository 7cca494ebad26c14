//! The time of day in a line, and the console.

use std::io::Write as _;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The wall clock in the host's time zone.
pub(super) struct Clock {
    zone: TimeZone,
}

impl Clock {
    /// In the zone that `TZ` or `/etc/localtime` names; UTC without either.
    pub(super) fn of_this_host() -> Self {
        Self { zone: TimeZone::try_system().unwrap_or(TimeZone::UTC) }
    }

    /// `Mon Nov 23 08:19:10 2026`, as keepalived begins a line on the console.
    pub(super) fn console(&self, at: SystemTime) -> String {
        self.format("%a %b %e %H:%M:%S %Y", at)
    }

    /// `Nov 23 08:19:10`, as RFC 3164 §4.1.2 wants it.
    pub(super) fn syslog(&self, at: SystemTime) -> String {
        self.format("%b %e %H:%M:%S", at)
    }

    fn format(&self, format: &str, at: SystemTime) -> String {
        // A clock outside the years that the crate knows still gets a line.
        let timestamp = Timestamp::try_from(at).unwrap_or(Timestamp::UNIX_EPOCH);
        timestamp.to_zoned(self.zone.clone()).strftime(format).to_string()
    }

    #[cfg(test)]
    pub(super) const fn utc() -> Self {
        Self { zone: TimeZone::UTC }
    }
}

/// Writes a line to standard error. If that fails there is nowhere to say so.
pub(super) fn to_console(clock: &Clock, at: SystemTime, text: &str) {
    text_to_console(&format!("{}: {text}\n", clock.console(at)));
}

/// Writes this to standard error, as it is.
pub(super) fn text_to_console(text: &str) {
    drop(std::io::stderr().write_all(text.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_look_like_keepalived_s() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_421_950);
        assert_eq!(Clock::utc().console(at), "Mon Nov 23 08:19:10 2026");
        assert_eq!(Clock::utc().syslog(at), "Nov 23 08:19:10");
        let early = at - Duration::from_secs(20 * 86_400);
        assert_eq!(Clock::utc().console(early), "Tue Nov  3 08:19:10 2026", "days are padded with a blank");
    }
}
