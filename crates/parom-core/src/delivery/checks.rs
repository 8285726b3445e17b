//! Looking back at what was delivered: an order that went twice must not stay unseen, and one that somebody deleted in the
//! CRM is not sent again.

use super::outcome::Outcome;
use super::planted::{self, Planted};
use super::reason;
use super::rows::List;

const HOUR_MS: i64 = 3_600_000;
/// After an order was doubtful, the first look back.
const SOON_MS: i64 = 10 * 60_000;
/// Between two looks back at an order.
const DAY_MS: i64 = 24 * HOUR_MS;
/// Looks back a day apart.
const DAYS: u32 = 3;

/// What a look back shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It is there, once.
    Fine,
    /// It is there more than once, or under another number of the CRM than was answered.
    Wrong(&'static str),
    /// It is not there any more.
    Gone,
    /// The answer proves nothing.
    Unclear,
}

/// When a delivered order is looked at next, milliseconds, after so many looks; none: no more. `doubted`: it was sent more
/// than once, or its delivery was found by a look. It counts from the look before, so that a clock that jumps costs none;
/// the daily ones come on the hour, so that one request has many orders.
#[must_use]
pub fn next(doubted: bool, looks: u32, now: i64) -> Option<i64> {
    if planted::is(Planted::NoCheckAfterResend) {
        return None;
    }
    if doubted && looks == 0 {
        return Some(now.saturating_add(SOON_MS));
    }
    let daily = now.saturating_add(DAY_MS + HOUR_MS - 1) / HOUR_MS * HOUR_MS;
    (looks < DAYS + u32::from(doubted)).then_some(daily)
}

/// When to look again where an answer proved nothing, milliseconds.
#[must_use]
pub fn again(now: i64) -> i64 {
    now.saturating_add(HOUR_MS)
}

/// A look back that lies further ahead than this was planned by a clock that was wrong: it is due.
pub const AHEAD_MS: i64 = 80 * HOUR_MS;

/// Whether a look back that was planned for then is due.
#[must_use]
pub fn is_due(at: i64, now: i64) -> bool {
    at <= now || at > now.saturating_add(AHEAD_MS)
}

/// Weighs the CRM's answer, of this status, to a look for the very order that a person named.
#[must_use]
pub fn weigh_named(outcome: &Outcome, status: Option<u16>) -> Checked {
    match outcome {
        Outcome::Delivered(_) => Checked::Fine,
        Outcome::Rejected(_) if status == Some(404) => Checked::Wrong(reason::NOT_THERE),
        _ => Checked::Unclear,
    }
}

/// Weighs a list's rows with an order's source and number, which the CRM took as `known`; `trusted`: something that must be
/// there was in the same answer. Their age does not count here: a clock that was wrong must not hide a second one.
#[must_use]
pub fn weigh(list: &List, source_id: i64, number: &str, known: i64, trusted: bool) -> Checked {
    let number = Some(number.trim());
    let mut ids = list.rows.iter().filter(|row| row.source_id == Some(source_id) && row.number.as_deref() == number);
    match (ids.next(), ids.next()) {
        (Some(_), Some(_)) => Checked::Wrong(reason::SEVERAL),
        (Some(row), None) if row.id == known => Checked::Fine,
        (Some(_), None) => Checked::Wrong(reason::ANOTHER_ROW),
        (None, _) if trusted => Checked::Gone,
        (None, _) => Checked::Unclear,
    }
}
