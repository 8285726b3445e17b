//! The bulk call: many orders of a real backlog in one request. Its answer names no order, so it proves nothing: whatever it
//! says, its orders are looked up. None is ever in a second bulk call; one that is proven absent goes by itself.

use serde_json::{Map, Value};

use super::outcome::{self, Answer, Outcome};
use super::planted::{self, Planted};
use super::reason;
use crate::limits;
use crate::order::Target;
use crate::order::schema::{self, Entry, Shape};

/// Orders in one call: as many as one look-up settles, with its controls. The CRM takes 50.
pub const BATCH: usize = limits::LOOKUP_NUMBERS - 2;
/// Fewer go singly: nothing is won.
pub const WORTH: usize = 10;
/// Orders that wait for longer than [`AGE_MS`] make a backlog, if they are more than so many.
pub const BACKLOG: i64 = 100;
/// See [`BACKLOG`]; milliseconds.
pub const AGE_MS: i64 = 120_000;
/// Orders that are looked at to fill a call.
pub const WINDOW: i64 = 200;
/// Bytes of a call, at most.
pub const BYTES: usize = 1 << 20;

/// Of the fields of a single order, those that the vendor's schema of an import does not have.
const SINGLY: &[&str] = &["manager_id", "gift_message", "is_gift", "gift_wrap", "shipping.shipping_service"];

/// Whether the bulk call takes all of an order: what its schema does not name would be lost without a word.
#[must_use]
pub fn fits(body: &Map<String, Value>) -> bool {
    body.contains_key("buyer") && body.contains_key("source_id") && takes(schema::of(Target::Order), body, "")
}

fn takes(entries: &[Entry], fields: &Map<String, Value>, group: &str) -> bool {
    let each = |(key, value): (&String, &Value)| {
        let place = format!("{group}{key}");
        let Some(entry) = entries.iter().find(|entry| entry.name == key) else { return false };
        let within = |entries, value: &Value| {
            value.as_object().is_some_and(|fields| takes(entries, fields, &format!("{place}.")))
        };
        let taken = match (&entry.shape, value) {
            (_, Value::Null) | (Shape::Value { .. }, _) => true,
            (Shape::Object(entries), value) => within(entries, value),
            (Shape::List(entries), Value::Array(values)) => values.iter().all(|value| within(entries, value)),
            (Shape::List(_), _) => false,
        };
        taken && !SINGLY.contains(&place.as_str())
    };
    fields.iter().all(each)
}

/// The call's body, of the orders' own, byte for byte.
#[must_use]
pub fn body<'b>(orders: impl Iterator<Item = &'b str>) -> String {
    format!("{{\"orders\":[{}]}}", orders.collect::<Vec<_>>().join(","))
}

/// What a bulk call came to, for all of its orders, and whether it is a surprise: then no other is made.
#[must_use]
pub fn classify(answer: Answer<'_>) -> (Outcome, bool) {
    let expected = matches!(answer, Answer::Response { status: 200..=299, .. });
    match outcome::classify(answer, None) {
        outcome @ (Outcome::NotApplied | Outcome::RateLimited(_) | Outcome::Paused(401 | 403)) => (outcome, false),
        _ if expected => (Outcome::Unknown(reason::BULK), false),
        Outcome::Rejected(_) | Outcome::NumberTaken if planted::is(Planted::BulkRefusalBelieved) => {
            (Outcome::NotApplied, true)
        }
        _ => (Outcome::Unknown(reason::BULK), true),
    }
}
