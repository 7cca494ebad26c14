//! What TCP is told of a path.

use std::ops::RangeInclusive;
use std::time::Duration;

use model::route::Metric;

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lexer::Word;
use crate::lower::Report;
use crate::lower::entry::Entry;
use crate::number;

use super::Reader;

const ANY: RangeInclusive<u64> = 0..=4_294_967_295;

/// TCP times nothing more finely (`TCP_RTO_MIN`), nor waits longer (`TCP_RTO_MAX`).
const TCP_TIMES: RangeInclusive<Duration> = Duration::from_millis(200)..=Duration::from_secs(120);

/// How a metric counts time where it has no unit.
#[derive(Clone, Copy, Debug)]
struct Steps {
    per_milli: u32,
    /// The largest number of steps, and of milliseconds.
    most: u64,
}

const RTT: Steps = Steps { per_milli: 8, most: 960_000 };
const RTTVAR: Steps = Steps { per_milli: 4, most: 480_000 };
const RTO_MIN: Steps = Steps { per_milli: 1, most: 120_000 };

impl Reader<'_, '_> {
    pub(super) fn metric(&mut self, option: &Word<'_>, name: &str, report: &mut Report) -> Option<()> {
        let entry = &mut self.entry;
        let metrics = &mut self.line.route.metrics;
        match name {
            "mtu" => metrics.mtu = Some(lockable(entry, option, report, packets)?),
            "advmss" => metrics.advmss = Some(lockable(entry, option, report, packets)?),
            "reordering" => metrics.reordering = Some(lockable(entry, option, report, packets)?),
            "cwnd" => metrics.cwnd = Some(lockable(entry, option, report, packets)?),
            "ssthresh" => metrics.ssthresh = Some(lockable(entry, option, report, packets)?),
            "rtt" => metrics.rtt = Some(lockable(entry, option, report, |e, o, r| time(e, o, RTT, r))?),
            "rttvar" => {
                metrics.rttvar = Some(lockable(entry, option, report, |e, o, r| time(e, o, RTTVAR, r))?);
            }
            "rto_min" => {
                metrics.rto_min = Some(lockable(entry, option, report, |e, o, r| time(e, o, RTO_MIN, r))?);
            }
            "congctl" => {
                let name = |entry: &mut Entry<'_, '_>, option: &Word<'_>, report: &mut Report| {
                    entry.value(option, report).map(|word| word.text.clone().into_owned())
                };
                metrics.congctl = Some(lockable(entry, option, report, name)?);
            }
            "hoplimit" => metrics.hop_limit = Some(entry.number(option, 0..=255, report)?),
            "window" => metrics.window = Some(entry.number(option, ANY, report)?),
            "initcwnd" => metrics.initcwnd = Some(entry.number(option, ANY, report)?),
            "initrwnd" => metrics.initrwnd = Some(entry.number(option, ANY, report)?),
            "quickack" => metrics.quickack = Some(switch(entry, option, report)?),
            "fastopen_no_cookie" => metrics.fastopen_no_cookie = Some(switch(entry, option, report)?),
            "features" => metrics.ecn |= features(entry.value(option, report)?, report),
            _ => {}
        }
        Some(())
    }
}

/// `[lock] VALUE`.
fn lockable<'n, 'a, T>(
    entry: &mut Entry<'n, 'a>,
    option: &Word<'_>,
    report: &mut Report,
    read: impl FnOnce(&mut Entry<'n, 'a>, &Word<'_>, &mut Report) -> Option<T>,
) -> Option<Metric<T>> {
    let lock = entry.next_if(|text| text == "lock");
    let value = read(entry, option, report)?;
    Some(Metric { value, locked: lock.is_some() })
}

fn packets(entry: &mut Entry<'_, '_>, option: &Word<'_>, report: &mut Report) -> Option<u32> {
    entry.number(option, ANY, report)
}

/// `0` or `1`.
fn switch(entry: &mut Entry<'_, '_>, option: &Word<'_>, report: &mut Report) -> Option<bool> {
    entry.number::<u8>(option, 0..=1, report).map(|number| number == 1)
}

fn features(word: &Word<'_>, report: &mut Report) -> bool {
    if word.text == "ecn" {
        return true;
    }
    let headline = format!("{} is no feature of a route; it is ignored", shown(&word.text));
    report.push(Diagnostic::warning(Code::InvalidChoice, word.span, headline).help("the only one is `ecn`"));
    false
}

/// A number with the unit `s` or `ms`, or of steps.
fn time(entry: &mut Entry<'_, '_>, option: &Word<'_>, steps: Steps, report: &mut Report) -> Option<Duration> {
    let word = entry.value(option, report)?;
    let (value, rounded) = match Time::parse(&word.text, steps) {
        Ok(time) => (time.value, time.rounded),
        Err(error) => {
            let (code, what) = match error {
                number::NumberError::Invalid => (Code::InvalidNumber, "is not a time"),
                number::NumberError::TooLarge => (Code::OutOfRange, "is out of range"),
            };
            let headline = format!("{} {what} for {}", shown(&word.text), shown(&option.text));
            report.push(entry.void(code, word.span, headline, "write `NUMBERms` or `NUMBERs`, up to 120 s"));
            return None;
        }
    };
    let used = value.clamp(*TCP_TIMES.start(), *TCP_TIMES.end());
    if rounded {
        let headline = format!("{} has too many decimals; {used:?} is used", shown(&word.text));
        report.push(Diagnostic::warning(Code::Adjusted, word.span, headline));
    } else if used != value {
        let headline = format!("TCP counts from 200 ms to 120 s; {used:?} is used");
        report.push(Diagnostic::note(Code::Adjusted, word.span, headline));
    }
    Some(used)
}

/// A time as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Time {
    value: Duration,
    rounded: bool,
}

impl Time {
    fn parse(text: &str, steps: Steps) -> Result<Self, number::NumberError> {
        let unsuffixed = text.strip_suffix(['s', 'S']);
        let millis = unsuffixed.and_then(|text| text.strip_suffix(['m', 'M']));
        let (digits, decimals, step, most) = match (millis, unsuffixed) {
            (Some(digits), _) => (digits, 0, Duration::from_millis(1), steps.most),
            (None, Some(digits)) => (digits, 3, Duration::from_secs(1), steps.most / 1000),
            (None, None) => (text, 0, Duration::from_millis(1) / steps.per_milli, steps.most),
        };
        let number = number::decimal(digits, decimals)?;
        if number.value > most * 1_000_000 {
            return Err(number::NumberError::TooLarge);
        }
        // Whole steps and, for seconds alone, their thousandths.
        let (whole, part) = (number.value / 1_000_000, number.value % 1_000_000);
        let whole = u32::try_from(whole).map_err(|_| number::NumberError::TooLarge)?;
        Ok(Self { value: step * whole + Duration::from_micros(part), rounded: number.rounded })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_or_steps() {
        let exact = |micros| Ok(Time { value: Duration::from_micros(micros), rounded: false });
        for (text, micros) in [
            ("1s", 1_000_000),
            ("1.5S", 1_500_000),
            (".5s", 500_000),
            ("250ms", 250_000),
            ("500MS", 500_000),
            ("1601", 200_125),
            ("960000", 120_000_000),
            ("0", 0),
        ] {
            assert_eq!(Time::parse(text, RTT), exact(micros), "{text}");
        }
        assert_eq!(Time::parse("801", RTTVAR), exact(200_250));
        assert_eq!(Time::parse("201", RTO_MIN), exact(201_000));
        let rounded = Time { value: Duration::from_millis(251), rounded: true };
        assert_eq!(Time::parse("250.5ms", RTT), Ok(rounded));
        for text in ["960001", "961s", "960001ms", "99999999999999999999s"] {
            assert_eq!(Time::parse(text, RTT), Err(number::NumberError::TooLarge), "{text}");
        }
        for text in ["", "s", "ms", "1us", "1m", "-1s", "1e3", "0x1s"] {
            assert_eq!(Time::parse(text, RTT), Err(number::NumberError::Invalid), "{text}");
        }
    }
}
