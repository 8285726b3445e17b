//! One kept order: the few values that lists select on, and the order itself as one line of JSON.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::draft::Draft;
use crate::dates;

/// The status of a new order; nothing here changes it.
pub(crate) const NEW_STATUS: u32 = 1;
/// Ids of lines are the order's id times this plus their place: unique without a counter of their own.
const LINE_IDS: u64 = 1000;

/// An order in memory; the text keeps 100,000 of them far smaller than trees would.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) id: u64,
    pub(crate) source_id: u32,
    pub(crate) source_uuid: Option<Box<str>>,
    pub(crate) ordered_at: i64,
    pub(crate) created_at: i64,
    pub(crate) shipping_date: Option<i64>,
    pub(crate) phone: Option<Box<str>>,
    pub(crate) email: Option<Box<str>>,
    pub(crate) payment_status: Box<str>,
    pub(crate) has_tracking_code: bool,
    pub(crate) line: Box<str>,
}

impl Record {
    /// Reads a stored line; `None` where it is not a whole order.
    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let order: Value = serde_json::from_str(line).ok()?;
        let seconds = |value: &Value| Some(dates::parse(value.as_str()?)?.as_second());
        let text = |value: &Value| value.as_str().map(Box::from);
        Some(Self {
            id: order["id"].as_u64()?,
            source_id: u32::try_from(order["source_id"].as_u64()?).ok()?,
            source_uuid: text(&order["source_uuid"]),
            ordered_at: seconds(&order["ordered_at"])?,
            created_at: seconds(&order["created_at"])?,
            shipping_date: seconds(&order["shipping"]["shipping_date"]),
            phone: text(&order["buyer"]["phone"]),
            email: text(&order["buyer"]["email"]),
            payment_status: text(&order["payment_status"])?,
            has_tracking_code: order["shipping"]["tracking_code"].is_string(),
            line: line.into(),
        })
    }
}

/// The stored form of a new order: everything that was sent and computed, absent values left out.
pub(crate) fn compose(draft: Draft, id: u64, now: Timestamp) -> Value {
    let sums = draft.sums;
    let mut order = Map::new();
    let mut put = |key: &str, value: Value| order.insert(key.to_owned(), value);
    put("id", json!(id));
    if let Some(source_uuid) = draft.source_uuid {
        put("source_uuid", json!(source_uuid));
    }
    put("source_id", json!(draft.source_id));
    put("status_id", json!(NEW_STATUS));
    put("grand_total", sums.grand_total().to_json());
    put("total_discount", sums.total_discount().to_json());
    put("products_total", sums.products_total().to_json());
    put("payments_total", sums.paid.to_json());
    put("payment_status", json!(sums.payment_status()));
    put("created_at", json!(dates::iso(now)));
    put("ordered_at", json!(dates::iso(draft.ordered_at.unwrap_or(now))));
    for (key, value) in draft.flat {
        order.entry(key).or_insert(value);
    }
    let mut put = |key: &str, value: Value| order.insert(key.to_owned(), value);
    put("buyer", Value::Object(with_id(id, draft.buyer)));
    if !draft.shipping.is_empty() {
        put("shipping", Value::Object(draft.shipping));
    }
    if !draft.marketing.is_empty() {
        put("marketing", Value::Object(draft.marketing));
    }
    put("products", numbered(id, draft.products));
    let mut payments = draft.payments;
    for payment in &mut payments {
        payment.entry("payment_date").or_insert_with(|| json!(dates::iso(now)));
    }
    put("payments", numbered(id, payments));
    put("custom_fields", numbered(id, draft.custom_fields));
    Value::Object(order)
}

fn numbered(order: u64, lines: Vec<Map<String, Value>>) -> Value {
    let first = order.saturating_mul(LINE_IDS) + 1;
    (first..).zip(lines).map(|(id, line)| Value::Object(with_id(id, line))).collect()
}

fn with_id(id: u64, fields: Map<String, Value>) -> Map<String, Value> {
    std::iter::once(("id".to_owned(), json!(id))).chain(fields).collect()
}
