//! The bulk call: many orders of a real backlog in one request. Its answer names no order, so it proves nothing: whatever it
//! says, its orders are looked up. None is ever in a second bulk call; one that is proven absent goes by itself.

use serde_json::{Map, Value};

use super::outcome::{self, Answer, Outcome};
use super::planted::{self, Planted};
use crate::limits;

/// The reason of an order that is doubtful because it went in a bulk call.
pub const REASON: &str = "bulk";
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

/// What the vendor's schema of an import has of an order (§ `POST /order/import`).
const TOP: &[&str] = &[
    "source_id",
    "source_uuid",
    "buyer_comment",
    "manager_comment",
    "promocode",
    "discount_percent",
    "discount_amount",
    "shipping_price",
    "wrap_price",
    "taxes",
    "ordered_at",
    "buyer",
    "shipping",
    "marketing",
    "products",
    "payments",
    "custom_fields",
];
const BUYER: &[&str] = &["full_name", "email", "phone"];
const SHIPPING: &[&str] = &[
    "delivery_service_id",
    "tracking_code",
    "shipping_address_city",
    "shipping_address_country",
    "shipping_address_region",
    "shipping_address_zip",
    "shipping_secondary_line",
    "shipping_receive_point",
    "recipient_full_name",
    "recipient_phone",
    "warehouse_ref",
    "shipping_date",
];

/// Whether the bulk call takes all of an order: what its schema does not name would be lost without a word.
#[must_use]
pub fn fits(body: &Map<String, Value>) -> bool {
    let within = |value: Option<&Value>, known: &[&str]| match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(fields)) => fields.keys().all(|key| known.contains(&key.as_str())),
        Some(_) => false,
    };
    body.keys().all(|key| TOP.contains(&key.as_str()))
        && within(body.get("buyer"), BUYER)
        && within(body.get("shipping"), SHIPPING)
        && body.get("source_id").is_some_and(Value::is_i64)
        && body.contains_key("buyer")
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
        _ if expected => (Outcome::Unknown(REASON), false),
        Outcome::Rejected(_) | Outcome::NumberTaken if planted::is(Planted::BulkRefusalBelieved) => {
            (Outcome::NotApplied, true)
        }
        _ => (Outcome::Unknown(REASON), true),
    }
}
