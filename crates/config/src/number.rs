//! Numbers as the language writes them: decimal, without exponent, unit or sign but `+`.

use std::fmt;

/// A text that is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NumberError {
    /// Other characters than digits, or none.
    #[error("not a number")]
    Invalid,
    /// More digits than 64 bits hold.
    #[error("too large")]
    TooLarge,
}

/// A whole number: `010` is ten, `0x10` is none.
///
/// # Errors
/// See [`NumberError`].
pub(crate) fn integer(text: &str) -> Result<i64, NumberError> {
    if let Some(number) = short(text) {
        return i64::try_from(number).map_err(|_| NumberError::TooLarge);
    }
    let text = text.trim_start();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::Invalid);
    }
    text.parse().map_err(|_| NumberError::TooLarge)
}

/// What nearly all numbers are: a few digits and nothing else.
fn short(text: &str) -> Option<u64> {
    let mut digits = text.bytes();
    let is_short = (1..=18).contains(&text.len());
    let push = |number, digit: u8| digit.is_ascii_digit().then(|| push_digit(number, digit));
    is_short.then(|| digits.try_fold(0, push)).flatten()
}

/// A whole number without a minus sign, as large as the kernel has any.
///
/// # Errors
/// See [`NumberError`].
pub(crate) fn natural(text: &str) -> Result<u64, NumberError> {
    let text = text.trim_start();
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::Invalid);
    }
    digits.parse().map_err(|_| NumberError::TooLarge)
}

/// A number whose base is in its prefix: `0x1f` and `037` are both 31.
///
/// # Errors
/// See [`NumberError`].
pub(crate) fn based(text: &str) -> Result<u32, NumberError> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(NumberError::Invalid);
    }
    u32::from_str_radix(digits, radix).map_err(|_| NumberError::TooLarge)
}

/// A number of millionths, for showing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal(pub(crate) u64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{fraction:06}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// A number with a point, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Micros {
    /// The value, rounded to the decimals asked for.
    pub(crate) value: u64,
    /// Digits were lost in that.
    pub(crate) rounded: bool,
}

/// Digits with a point perhaps: `1`, `.5`, `5.`, `+1.25`. Rounds to `decimals` digits, of at most six.
///
/// # Errors
/// See [`NumberError`].
pub(crate) fn decimal(text: &str, decimals: u8) -> Result<Micros, NumberError> {
    if let Some(value) = short(text).and_then(|seconds| seconds.checked_mul(1_000_000)) {
        return Ok(Micros { value, rounded: false });
    }
    let text = text.trim_start();
    let text = text.strip_prefix('+').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_number(whole) || !is_number(fraction) {
        return Err(NumberError::Invalid);
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| NumberError::TooLarge)? };
    let decimals = usize::from(decimals.min(6));
    let kept: u64 = fraction.bytes().chain(std::iter::repeat(b'0')).take(decimals).fold(0, push_digit);
    let lost = fraction.get(decimals..).unwrap_or_default();
    let up = u64::from(lost.bytes().next().is_some_and(|byte| byte >= b'5'));
    let unit = (decimals..6).fold(1, |unit: u64, _| unit * 10);
    let value = whole
        .checked_mul(1_000_000)
        .and_then(|micros| micros.checked_add((kept + up) * unit))
        .ok_or(NumberError::TooLarge)?;
    Ok(Micros { value, rounded: lost.bytes().any(|byte| byte != b'0') })
}

fn push_digit(number: u64, digit: u8) -> u64 {
    number * 10 + u64::from(digit.saturating_sub(b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_decimal() {
        for (text, value) in [("10", 10), ("010", 10), ("+7", 7), ("-20", -20), ("  3", 3), ("0", 0)] {
            assert_eq!(integer(text), Ok(value), "{text}");
        }
        for text in ["", "-", "0x10", "1e2", "3 ", "50z", "1.0", "--1", "٣"] {
            assert_eq!(integer(text), Err(NumberError::Invalid), "{text}");
        }
        assert_eq!(integer("99999999999999999999"), Err(NumberError::TooLarge));
    }

    #[test]
    fn naturals_have_64_bits() {
        for (text, value) in [("010", 10), ("+7", 7), ("18446744073709551615", u64::MAX)] {
            assert_eq!(natural(text), Ok(value), "{text}");
        }
        for text in ["", "+", "-1", "0x10", "++1"] {
            assert_eq!(natural(text), Err(NumberError::Invalid), "{text}");
        }
        assert_eq!(natural("18446744073709551616"), Err(NumberError::TooLarge));
    }

    #[test]
    fn bases_come_from_the_prefix() {
        for (text, value) in [("16", 16), ("0x10", 16), ("020", 16), ("0", 0), ("0XfF", 255)] {
            assert_eq!(based(text), Ok(value), "{text}");
        }
        for text in ["", "0x", "08", "-1", "+1", "link"] {
            assert_eq!(based(text), Err(NumberError::Invalid), "{text}");
        }
    }

    #[test]
    fn decimals_are_exact() {
        let exact = |value| Ok(Micros { value, rounded: false });
        for (text, value) in [("1", 1_000_000), (".5", 500_000), ("5.", 5_000_000), ("+1.25", 1_250_000)] {
            assert_eq!(decimal(text, 6), exact(value), "{text}");
        }
        assert_eq!(decimal("0.123456700", 6), Ok(Micros { value: 123_457, rounded: true }));
        assert_eq!(decimal("1.2345", 3), Ok(Micros { value: 1_235_000, rounded: true }));
        assert_eq!(decimal("0.9996", 3), Ok(Micros { value: 1_000_000, rounded: true }));
        assert_eq!(decimal("1.2000", 3), exact(1_200_000));
        for text in ["", ".", "1.2.3", "-1", "1s", "1e3", "0x1"] {
            assert_eq!(decimal(text, 6), Err(NumberError::Invalid), "{text}");
        }
        assert_eq!(decimal("18446744073709551615", 6), Err(NumberError::TooLarge));
        assert_eq!(decimal("99999999999999999999", 6), Err(NumberError::TooLarge));
    }

    #[test]
    fn decimals_print_short() {
        assert_eq!(Decimal(1_000_000).to_string(), "1");
        assert_eq!(Decimal(10_000).to_string(), "0.01");
        assert_eq!(Decimal(4_294_967_295).to_string(), "4294.967295");
    }
}
