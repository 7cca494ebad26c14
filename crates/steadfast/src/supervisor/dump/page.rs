//! Text in keepalived's layout: titles, and lines that stand a blank further in for each level.

use std::fmt::{self, Write as _};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::Instant;

/// The text of a dump.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn title(&mut self, title: impl fmt::Display) {
        self.line(0, format_args!("------< {title} >------"));
    }

    /// A line that begins with so many blanks.
    pub(super) fn line(&mut self, indent: usize, content: impl fmt::Display) {
        writeln!(self.text, "{:indent$}{content}", "").expect("a String takes all");
    }
}

/// Both clocks at one moment, and the zone: what turns the daemon's times into those of people.
#[derive(Clone, Debug)]
pub(super) struct Clocks {
    now: Instant,
    wall: Duration,
    zone: TimeZone,
}

impl Clocks {
    pub(super) fn now() -> Self {
        let clocks = sys::clock::WallOffset::sample();
        let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
        Self { now: clocks.now(), wall: clocks.wall().0, zone }
    }

    /// The time since 1970.
    pub(super) fn wall(&self, at: Instant) -> Duration {
        (self.wall + at.since(self.now)).saturating_sub(self.now.since(at))
    }

    /// `1795456169.899434 (Mon Nov 23 17:49:29.899434 2026)`.
    pub(super) fn stamp(&self, at: Option<Instant>) -> String {
        let wall = at.map_or(Duration::ZERO, |at| self.wall(at));
        let seconds = i64::try_from(wall.as_secs()).unwrap_or(i64::MAX);
        let (secs, micros) = (wall.as_secs(), wall.subsec_micros());
        let moment = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        let moment = moment.to_zoned(self.zone.clone());
        let (day, year) = (moment.strftime("%a %b %e %H:%M:%S"), moment.strftime("%Y"));
        format!("{secs}.{micros:06} ({day}.{micros:06} {year})")
    }
}

pub(super) const fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

pub(super) const fn on(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

pub(super) const fn enabled(value: bool) -> &'static str {
    if value { "enabled" } else { "disabled" }
}

/// Seconds, with as many places as they need.
pub(super) fn seconds(span: Duration) -> String {
    let text = format!("{}.{:06}", span.as_secs(), span.subsec_micros());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Seconds with six places.
pub(super) fn micros(span: Duration) -> String {
    format!("{}.{:06}", span.as_secs(), span.subsec_micros())
}
