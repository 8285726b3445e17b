//! Money and quantities as whole millionths: binary floats would make totals that no shop owner accepts.

use std::ops::{Add, Sub};

use serde_json::{Number, Value};

/// Digits kept after the point.
const SCALE: usize = 6;
const ONE: i128 = 1_000_000;
/// More digits than this before or after the point is no price.
const MAX_DIGITS: usize = 15;

/// A decimal number with six digits after the point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount(i128);

impl Amount {
    pub(crate) const ZERO: Self = Self(0);

    /// One whole unit.
    pub(crate) const UNIT: Self = Self(ONE);

    /// Reads a JSON number or a numeric string, as PHP's `is_numeric` would let it pass.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Self::parse(&number.to_string()),
            Value::String(text) => Self::parse(text.trim()),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && part.is_empty()) || !all_digits(whole) || !all_digits(part) {
            return None;
        }
        if whole.len() > MAX_DIGITS || exponent > 12 {
            return None;
        }
        let part = &part[..part.len().min(MAX_DIGITS)];
        let raw: i128 = format!("{whole}{part}").parse().ok()?;
        let shift = i64::from(exponent) + i64::try_from(SCALE).ok()? - i64::try_from(part.len()).ok()?;
        let power = 10_i128.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?);
        // What is too small to keep is nothing.
        let scaled = if shift >= 0 { raw.checked_mul(power?)? } else { power.map_or(0, |power| raw / power) };
        Some(Self(if negative { -scaled } else { scaled }))
    }

    /// Price times quantity; very large products stop at the largest number.
    pub(crate) fn times(self, other: Self) -> Self {
        Self(self.0.saturating_mul(other.0) / ONE)
    }

    /// This many per cent of the amount.
    pub(crate) fn percent(self, percent: Self) -> Self {
        Self(self.times(percent).0 / 100)
    }

    /// Shared by so many; all of it where there are none.
    pub(crate) fn shared_by(self, count: Self) -> Self {
        Self(self.0.saturating_mul(ONE).checked_div(count.0).unwrap_or(self.0))
    }

    /// The amount, or nothing where it is below nothing.
    pub(crate) fn or_zero(self) -> Self {
        Self(self.0.max(0))
    }

    /// A JSON number without needless zeros.
    pub(crate) fn to_json(self) -> Value {
        serde_json::from_str::<Number>(&self.to_string()).map_or(Value::Null, Value::Number)
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        let unit = ONE.unsigned_abs();
        let part = format!("{:06}", size % unit);
        let part = part.trim_end_matches('0');
        let point = if part.is_empty() { "" } else { "." };
        write!(out, "{sign}{}{point}{part}", size / unit)
    }
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::Amount;
    use serde_json::json;

    fn shown(value: serde_json::Value) -> Option<String> {
        Amount::from_json(&value).map(|amount| amount.to_string())
    }

    #[test]
    fn numbers_and_numeric_strings_are_read_exactly() {
        for (given, wanted) in [
            (json!(1250.5), Some("1250.5")),
            (json!("0.1"), Some("0.1")),
            (json!("-3.50"), Some("-3.5")),
            (json!("1e3"), Some("1000")),
            (json!(".5"), Some("0.5")),
            (json!("-2.5e-124"), Some("0")),
            (json!("1e13"), None),
            (json!("1 249,50"), None),
            (json!(""), None),
            (json!("."), None),
            (json!(true), None),
        ] {
            assert_eq!(shown(given.clone()).as_deref(), wanted, "{given}");
        }
    }

    #[test]
    fn thirds_and_percents_do_not_drift() {
        let price = Amount::from_json(&json!("0.1")).unwrap();
        let sum: Amount = (0..3).map(|_| price).sum();
        assert_eq!(sum.to_json().to_string(), "0.3");
        let percent = Amount::from_json(&json!(11.5)).unwrap();
        assert_eq!(Amount::from_json(&json!(200)).unwrap().percent(percent).to_string(), "23");
    }
}
