//! Dates and times: local forms in the channel's zone become UTC, as the CRM reads every time as UTC.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Locale, Misfit};
use crate::problem::Code;

/// A moment as the sender meant it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A day without a time.
    Day(Date),
    /// An instant.
    Instant(Timestamp),
}

impl Moment {
    /// For a field of date and time: `YYYY-MM-DD HH:MM:SS` in UTC; a plain day stays as it is.
    #[must_use]
    pub fn for_datetime(self) -> String {
        match self {
            Moment::Day(day) => day.to_string(),
            Moment::Instant(at) => utc(at),
        }
    }

    /// For a field of a day: the day in the channel's zone.
    #[must_use]
    pub fn for_date(self, zone: &TimeZone) -> String {
        match self {
            Moment::Day(day) => day.to_string(),
            Moment::Instant(at) => zone.to_datetime(at).date().to_string(),
        }
    }
}

/// An instant as the CRM writes it: `YYYY-MM-DD HH:MM:SS`, UTC.
#[must_use]
pub(super) fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads ISO forms (with or without an offset), `31.12.2026 14:30`, `31/12/2026`, and Unix seconds or milliseconds.
///
/// # Errors
/// What is none of them; a year before 2000 or after 2100.
pub fn moment(text: &str, zone: &TimeZone) -> Result<Moment, Misfit> {
    let found = unix(text).or_else(|| iso(text, zone)).or_else(|| day_first(text, zone));
    believed(text, found)
}

/// Reads a text in an explicit strptime format, as `%d %B %Y`.
///
/// # Errors
/// A text that does not fit the format.
pub fn moment_in_format(text: &str, format: &str, zone: &TimeZone) -> Result<Moment, Misfit> {
    let parsed = strtime::parse(format, text).ok();
    let found = parsed.and_then(|parts| {
        if let Ok(at) = parts.to_timestamp() {
            return Some(Moment::Instant(at));
        }
        match parts.to_datetime() {
            Ok(local) => in_zone(local, zone),
            Err(_) => parts.to_date().ok().map(Moment::Day),
        }
    });
    believed(text, found)
}

/// Whether a strptime format can be read at all.
///
/// # Errors
/// What is unknown in it.
pub fn check_format(format: &str) -> Result<(), String> {
    if !format.contains('%') {
        return Err("it names no part of a date; write %d.%m.%Y".to_owned());
    }
    let any = Timestamp::UNIX_EPOCH.to_zoned_datetime(TimeZone::UTC);
    strtime::format(format, &any).map(drop).map_err(|error| error.to_string())
}

/// A date that goes as it came; only what no reader would take for one is a problem.
pub(super) fn checked(text: &str, locale: &Locale) -> Result<Value, Misfit> {
    moment(text, &locale.zone).map(|_| Value::String(text.to_owned()))
}

fn believed(text: &str, found: Option<Moment>) -> Result<Moment, Misfit> {
    let hint = "Send YYYY-MM-DD HH:MM:SS, or name the form: {{ day | date('%d %m %Y') }}.";
    let found =
        found.ok_or_else(|| Misfit::new(Code::InvalidDate, format!("`{text}` is not a date or a time"), hint))?;
    let year = match found {
        Moment::Day(day) => day.year(),
        Moment::Instant(at) => TimeZone::UTC.to_datetime(at).year(),
    };
    if !(2000..=2100).contains(&year) {
        return Err(Misfit::new(Code::OutOfRange, format!("`{text}` lies outside of the years 2000–2100"), hint));
    }
    Ok(found)
}

fn unix(text: &str) -> Option<Moment> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    let at = match text.len() {
        10 => Timestamp::from_second(number),
        13 => Timestamp::from_millisecond(number),
        _ => return None,
    };
    at.ok().map(Moment::Instant)
}

fn iso(text: &str, zone: &TimeZone) -> Option<Moment> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(Moment::Instant(at));
    }
    if text.len() <= 10 {
        return text.parse::<Date>().ok().map(Moment::Day);
    }
    in_zone(text.parse::<DateTime>().ok()?, zone)
}

/// `31.12.2026`, `31.12.26`, `31/12/2026`, each with or without a time; the day comes first, as in Ukraine.
fn day_first(text: &str, zone: &TimeZone) -> Option<Moment> {
    let mut parts = text.split([' ', ',', 'T']).filter(|part| !part.is_empty());
    let numbers: Vec<i16> = parts.next()?.split(['.', '/', '-']).map(|n| n.parse().ok()).collect::<Option<_>>()?;
    let [day, month, year] = numbers.as_slice() else {
        return None;
    };
    let year = if *year < 100 { year + 2000 } else { *year };
    let date = Date::new(year, i8::try_from(*month).ok()?, i8::try_from(*day).ok()?).ok()?;
    let Some(clock) = parts.next() else {
        return Some(Moment::Day(date));
    };
    if parts.next().is_some() {
        return None;
    }
    in_zone(date.to_datetime(clock.parse::<Time>().ok()?), zone)
}

fn in_zone(local: DateTime, zone: &TimeZone) -> Option<Moment> {
    let zoned = local.to_zoned_datetime(zone.clone()).ok()?;
    Some(Moment::Instant(zoned.timestamp()))
}
