//! Spans of time as people write them.

use std::time::Duration;

/// `12.5s`, `250ms`, `1m30s`: numbers with units, exact to the nanosecond.
pub(super) fn span(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, more) = rest.split_at_checked(digits)?;
        let letters = more.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(more.len());
        let (unit, more) = more.split_at_checked(letters)?;
        sum = sum.checked_add(times(number, nanos_of(unit)?)?)?;
        rest = more;
    }
    (!text.is_empty() && sum <= LONGEST).then_some(sum)
}

fn nanos_of(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" | "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// A decimal number of units.
fn times(number: &str, unit: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || (number.contains('.') && fraction.is_empty()) || fraction.len() > 9 {
        return None;
    }
    let mut nanos = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.chars() {
        // What is less than a nanosecond is nothing.
        place /= 10;
        nanos = nanos.checked_add(u64::from(digit.to_digit(10)?) * place)?;
    }
    Some(Duration::from_nanos(nanos))
}

/// A year: no rehearsal takes longer, and no sum of such spans leaves what an `Instant` holds.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_exact_and_nonsense_is_none() {
        let millis = |text| span(text).map(|span| span.as_millis());
        assert_eq!(millis("12.5s"), Some(12_500));
        assert_eq!(millis("250ms"), Some(250));
        assert_eq!(millis("1m30s"), Some(90_000));
        assert_eq!(millis("0s"), Some(0));
        assert_eq!(span("3.609375s"), Some(Duration::from_micros(3_609_375)));
        assert_eq!(span("1.5us"), Some(Duration::from_nanos(1500)));
        for wrong in
            ["", "s", "12", "1.s", ".5s", "1.2.3s", "-1s", "1x", "1s ", "99999999999999999999s", "9999h"]
        {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }
}
