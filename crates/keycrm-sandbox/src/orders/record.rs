//! One kept order: the few values that lists select on, and the order itself as one line of JSON.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::totals;
use crate::dates;

/// The status of a new order.
const NEW_STATUS: u32 = 1;
/// Ids of lines are the order's id times this plus their place: unique without a counter of their own.
const LINE_IDS: u64 = 1000;

/// An order in memory; the text keeps 100,000 of them far smaller than trees would.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) id: u64,
    pub(crate) source_id: u32,
    pub(crate) source_uuid: Option<Box<str>>,
    pub(crate) status_id: u32,
    pub(crate) ordered_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) shipping_date: Option<i64>,
    pub(crate) phone: Option<Box<str>>,
    pub(crate) email: Option<Box<str>>,
    pub(crate) payment_status: Box<str>,
    pub(crate) has_tracking_code: bool,
    pub(crate) line: Box<str>,
}

impl Record {
    /// Reads a stored order, which is this line; `None` where it is not a whole one.
    pub(crate) fn from_order(order: &Value, line: &str) -> Option<Self> {
        let seconds = |value: &Value| Some(dates::parse(value.as_str()?)?.as_second());
        let text = |value: &Value| value.as_str().map(Box::from);
        let small = |value: &Value| u32::try_from(value.as_u64()?).ok();
        let created_at = seconds(&order["created_at"])?;
        Some(Self {
            id: order["id"].as_u64()?,
            source_id: small(&order["source_id"])?,
            source_uuid: text(&order["source_uuid"]),
            status_id: small(&order["status_id"]).unwrap_or(NEW_STATUS),
            ordered_at: seconds(&order["ordered_at"])?,
            updated_at: seconds(&order["updated_at"]).unwrap_or(created_at),
            shipping_date: seconds(&order["shipping"]["shipping_date"]),
            phone: text(&order["buyer"]["phone"]),
            email: text(&order["buyer"]["email"]),
            payment_status: text(&order["payment_status"])?,
            has_tracking_code: order["shipping"]["tracking_code"].is_string(),
            line: line.into(),
        })
    }

    /// The stored order as a tree.
    pub(crate) fn stored(&self) -> Map<String, Value> {
        serde_json::from_str(&self.line).unwrap_or_default()
    }
}

/// The stored form of a new order: everything that was sent and computed, absent values left out.
pub(crate) fn compose(draft: Draft, id: u64, buyer: u64, now: Timestamp) -> Map<String, Value> {
    let mut order = Map::new();
    let mut put = |key: &str, value: Value| order.insert(key.to_owned(), value);
    put("id", json!(id));
    if let Some(source_uuid) = draft.source_uuid {
        put("source_uuid", json!(source_uuid));
    }
    put("source_id", json!(draft.source_id));
    put("status_id", json!(NEW_STATUS));
    put("created_at", json!(dates::iso(now)));
    put("ordered_at", json!(dates::iso(draft.ordered_at.unwrap_or(now))));
    for (key, value) in draft.flat {
        order.entry(key).or_insert(value);
    }
    let mut put = |key: &str, value: Value| order.insert(key.to_owned(), value);
    put("buyer", Value::Object(with_id(buyer, draft.buyer)));
    if !draft.shipping.is_empty() {
        put("shipping", Value::Object(draft.shipping));
    }
    if !draft.marketing.is_empty() {
        put("marketing", Value::Object(draft.marketing));
    }
    put("products", numbered(id, draft.products));
    let payments = draft.payments.into_iter().map(|payment| dated(payment, now)).collect();
    put("payments", numbered(id, payments));
    put("custom_fields", draft.custom_fields.into_iter().map(Value::Object).collect());
    if !draft.tags.is_empty() {
        put("tags", json!(draft.tags));
    }
    totals::write(&mut order);
    order
}

/// A payment is dated when it comes, unless it says otherwise.
pub(crate) fn dated(mut payment: Map<String, Value>, now: Timestamp) -> Map<String, Value> {
    payment.entry("payment_date").or_insert_with(|| json!(dates::iso(now)));
    payment.insert("created_at".to_owned(), json!(dates::iso(now)));
    payment
}

/// Lines with the ids that follow from their owner's.
pub(crate) fn numbered(owner: u64, lines: Vec<Map<String, Value>>) -> Value {
    (0..).zip(lines).map(|(at, line)| Value::Object(with_id(line_id(owner, at), line))).collect()
}

/// The id of a line at a place.
pub(crate) fn line_id(owner: u64, at: u64) -> u64 {
    owner.saturating_mul(LINE_IDS).saturating_add(at).saturating_add(1)
}

fn with_id(id: u64, fields: Map<String, Value>) -> Map<String, Value> {
    std::iter::once(("id".to_owned(), json!(id))).chain(fields.into_iter().filter(|(key, _)| key != "id")).collect()
}
