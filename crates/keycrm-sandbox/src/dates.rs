//! Dates of requests and answers. Everything is UTC, as the vendor documents it.

use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::Value;

/// Reads `2026-05-04 08:15:30`, the same with `T`, an offset or `Z`, or a plain date (midnight).
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let local: civil::DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(local).ok()
}

/// The end of a range: a plain date there means its whole day.
pub(crate) fn parse_end(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() == "2026-05-04".len() {
        return parse(&format!("{text} 23:59:59"));
    }
    parse(text)
}

/// Writes `2026-05-04T08:15:30.000000Z`.
pub(crate) fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// Writes `2026-05-04 08:15:30` from the ISO form.
pub(crate) fn spaced(iso: &str) -> String {
    let whole = iso.split('.').next().unwrap_or(iso);
    whole.replacen('T', " ", 1)
}

/// Rewrites every ISO date of an answer: those whose keys end as the CRM's date keys do.
pub(crate) fn respell(value: &mut Value) {
    match value {
        Value::Array(members) => members.iter_mut().for_each(respell),
        Value::Object(fields) => {
            for (key, field) in fields {
                let is_date = key.ends_with("_at") || key.ends_with("_date");
                match field {
                    Value::String(text) if is_date && text.ends_with('Z') => *text = spaced(text),
                    other => respell(other),
                }
            }
        }
        _ => {}
    }
}

/// Writes the day alone.
pub(crate) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
