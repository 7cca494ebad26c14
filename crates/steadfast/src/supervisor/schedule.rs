//! Reloads at a time that a file says (`reload_time_file`): `HH:MM:SS`, with a date before it if there is to be one, and
//! with a `Z` behind it if it is no local time.

use std::fs::Metadata;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use model::{Instant, Reload};

use crate::log::Log;

/// The reload that is planned, and the file that says so.
#[derive(Debug)]
pub(super) struct Schedule {
    log: Log,
    file: Option<PathBuf>,
    repeat: bool,
    /// When the file was written that was read last.
    read: Option<(SystemTime, u64)>,
    planned: Option<Plan>,
    look_at: Instant,
}

/// A point in time, and whether it comes every day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    at: Timestamp,
    daily: bool,
}

impl Schedule {
    /// Nothing is planned.
    pub(super) const fn new(log: Log) -> Self {
        Self { log, file: None, repeat: false, read: None, planned: None, look_at: Instant::ZERO }
    }

    pub(super) fn configure(&mut self, reload: &Reload) {
        let file = reload.time_file.as_ref().map(PathBuf::from);
        self.repeat = reload.repeat;
        if self.file != file {
            (self.file, self.read, self.planned) = (file, None, None);
            self.look_at = Instant::ZERO;
        }
    }

    /// When [`Self::is_due`] is to be called.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.file.is_some().then_some(self.look_at)
    }

    /// Looks at the file, and says whether its time has come. Its task is done then, unless it repeats.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let Some(file) = self.file.clone().filter(|_| self.look_at <= now) else { return false };
        let wall = Timestamp::now();
        self.look(&file, wall);
        let due = self.planned.take_if(|plan| plan.at <= wall);
        match due {
            Some(plan) if self.repeat && plan.daily => {
                // The same time of tomorrow, whatever happens to clocks tonight.
                self.read = None;
                self.look(&file, wall);
            }
            Some(_) if !self.repeat => {
                if let Err(error) = std::fs::remove_file(&file) {
                    self.log.warning(format_args!("cannot remove {}: {error}", file.display()));
                }
            }
            _ => {}
        }
        let until = self.planned.and_then(|plan| Duration::try_from(plan.at.duration_since(wall)).ok());
        self.look_at = now + until.unwrap_or(EVERY).min(EVERY);
        due.is_some()
    }

    fn look(&mut self, file: &Path, wall: Timestamp) {
        let found = std::fs::metadata(file).ok().filter(Metadata::is_file);
        let written = found.and_then(|found| Some((found.modified().ok()?, found.len())));
        if written == self.read {
            return;
        }
        self.read = written;
        let before = self.planned.take();
        let Some(line) = written.and_then(|_| first_line(file)) else {
            if before.is_some() {
                self.log.notice(format_args!("{} is gone: no reload is planned any more", file.display()));
            }
            return;
        };
        match plan(&line, wall, &TimeZone::system()) {
            Some(plan) if plan.at > wall => {
                self.log.notice(format_args!("a reload is planned for {}", plan.at));
                self.planned = Some(plan);
            }
            Some(_) => {
                self.log.notice(format_args!("{}: {line} is past; no reload is planned", file.display()))
            }
            None => self.log.warning(format_args!(
                "{}: {line:?} is neither HH:MM:SS nor YYYY-MM-DD HH:MM:SS; no reload is planned",
                file.display()
            )),
        }
    }
}

fn first_line(file: &Path) -> Option<String> {
    let mut text = Vec::new();
    std::fs::File::open(file).ok()?.take(LONGEST).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned())
}

/// What a line plans: a time without a date is the next one of that name.
fn plan(line: &str, now: Timestamp, zone: &TimeZone) -> Option<Plan> {
    let (text, zone) =
        line.strip_suffix('Z').map_or_else(|| (line, zone.clone()), |text| (text, TimeZone::UTC));
    let date = match text.len() {
        8 => {
            let time = Time::strptime("%H:%M:%S", text).ok()?;
            let today = now.to_zoned(zone.clone()).date();
            let at = |date: jiff::civil::Date| {
                Some(date.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp())
            };
            let first = at(today)?;
            let at = if first > now { first } else { at(today.checked_add(1.day()).ok()?)? };
            return Some(Plan { at, daily: true });
        }
        17 => DateTime::strptime("%y-%m-%d %H:%M:%S", text),
        19 => DateTime::strptime("%Y-%m-%d %H:%M:%S", text),
        _ => return None,
    };
    Some(Plan { at: date.ok()?.to_zoned(zone).ok()?.timestamp(), daily: false })
}

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// More than any time has.
const LONGEST: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(line: &str) -> Option<(String, bool)> {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        plan(line, now, &zone).map(|plan| (plan.at.to_string(), plan.daily))
    }

    #[test]
    fn times_are_the_next_of_their_name_and_dates_are_what_they_are() {
        for (line, at, daily) in [
            ("12:00:01Z", "2026-11-23T12:00:01Z", true),
            ("12:00:00Z", "2026-11-24T12:00:00Z", true),
            ("14:00:01", "2026-11-23T12:00:01Z", true),
            ("01:00:00", "2026-11-23T23:00:00Z", true),
            ("2026-11-23 14:00:00", "2026-11-23T12:00:00Z", false),
            ("26-12-24 14:00:00Z", "2026-12-24T14:00:00Z", false),
        ] {
            assert_eq!(planned(line), Some((at.to_owned(), daily)), "{line}");
        }
        for bad in
            ["", "12:00", " 12:00:00", "12:00:00 ", "25:00:00", "2026-02-30 12:00:00", "2026-11-23T14:00:00"]
        {
            assert_eq!(planned(bad), None, "{bad:?}");
        }
    }
}
