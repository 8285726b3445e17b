//! How values are shown: times in Kyiv's clock, and buyers to those who may see them.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use super::guard::Caller;
use crate::config::Role;

fn zoned(millis: i64) -> ZonedDateTime {
    let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned_datetime(zone())
}

/// The zone of the pages' times.
pub(super) fn zone() -> TimeZone {
    TimeZone::get("Europe/Kyiv").unwrap_or(TimeZone::UTC)
}

/// `24.11.2026 10:30:05`.
pub(super) fn clock(millis: i64) -> String {
    zoned(millis).strftime("%d.%m.%Y %H:%M:%S").to_string()
}

/// `24.11 10:30`.
pub(super) fn day(millis: i64) -> String {
    zoned(millis).strftime("%d.%m %H:%M").to_string()
}

/// For machines.
pub(super) fn iso(millis: i64) -> String {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// Whether the caller may see buyers: operators call them, viewers do not.
pub(super) fn sees_buyers(caller: &Caller) -> bool {
    caller.role >= Role::Operator
}

/// A buyer's name, or its first letter.
pub(super) fn buyer(caller: &Caller, name: &str) -> String {
    if sees_buyers(caller) {
        return name.to_owned();
    }
    name.chars().next().map(|first| format!("{first}•••")).unwrap_or_default()
}

/// A phone, or its last two digits.
pub(super) fn phone(caller: &Caller, phone: &str) -> String {
    if sees_buyers(caller) || phone.is_empty() {
        return phone.to_owned();
    }
    let last: String = phone.chars().skip(phone.chars().count().saturating_sub(2)).collect();
    format!("•••{last}")
}

/// `10:00`.
pub(super) fn hour(millis: i64) -> String {
    zoned(millis).strftime("%H:%M").to_string()
}
