//! An order as the API shows it: the flat part always, associations only where `include` names them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::associations;
use crate::dates;
use crate::directory::Directory;
use crate::options::DateStyle;

/// What `include` may name; `products` and `shipping` alone work too, by clients in production.
pub(crate) const INCLUDES: &[&str] = &[
    "buyer",
    "products",
    "products.offer",
    "manager",
    "tags",
    "status",
    "marketing",
    "payments",
    "shipping",
    "shipping.lastHistory",
    "shipping.deliveryService",
    "expenses",
    "custom_fields",
    "assigned",
];

/// The flat keys in the CRM's order, with the value that an order without one shows.
const FLAT: &[(&str, Rest)] = &[
    ("id", Rest::Null),
    ("parent_id", Rest::Null),
    ("source_uuid", Rest::Null),
    ("source_id", Rest::Null),
    ("status_id", Rest::Null),
    ("status_group_id", Rest::Null),
    ("grand_total", Rest::Zero),
    ("promocode", Rest::Null),
    ("total_discount", Rest::Zero),
    ("discount_percent", Rest::Null),
    ("discount_amount", Rest::Null),
    ("expenses_sum", Rest::Zero),
    ("products_total", Rest::Zero),
    ("payments_total", Rest::Zero),
    ("shipping_price", Rest::Zero),
    ("wrap_price", Rest::Zero),
    ("taxes", Rest::Zero),
    ("manager_id", Rest::Null),
    ("manager_comment", Rest::Null),
    ("buyer_comment", Rest::Null),
    ("gift_message", Rest::Null),
    ("is_gift", Rest::False),
    ("gift_wrap", Rest::False),
    ("payment_status", Rest::Null),
    ("last_synced_at", Rest::Null),
    ("ordered_at", Rest::Null),
    ("created_at", Rest::Null),
    ("updated_at", Rest::Null),
    ("closed_at", Rest::Null),
];

#[derive(Clone, Copy)]
enum Rest {
    Null,
    Zero,
    False,
}

/// Which associations are shown, how dates are written, and what ids mean.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) includes: Vec<String>,
    pub(crate) dates: DateStyle,
    pub(crate) directory: Arc<Directory>,
}

impl Shape {
    pub(crate) fn flat(dates: DateStyle, directory: Arc<Directory>) -> Self {
        Self { includes: Vec::new(), dates, directory }
    }

    pub(crate) fn whole(includes: &[&str], dates: DateStyle, directory: Arc<Directory>) -> Self {
        Self { includes: includes.iter().map(|name| (*name).to_owned()).collect(), dates, directory }
    }

    /// Whether an association is shown, by itself or for one of its own.
    pub(crate) fn has(&self, association: &str) -> bool {
        self.includes.iter().any(|name| name.split('.').next() == Some(association))
    }

    /// Whether exactly this path is named.
    pub(crate) fn names(&self, path: &str) -> bool {
        self.includes.iter().any(|name| name == path)
    }

    /// Writes the dates of an answer in the account's style.
    pub(crate) fn spelled(&self, mut value: Value) -> Value {
        if self.dates == DateStyle::Space {
            dates::respell(&mut value);
        }
        value
    }
}

/// The order behind a stored line.
pub(crate) fn render(line: &str, shape: &Shape) -> Value {
    let stored: Value = serde_json::from_str(line).unwrap_or_default();
    let mut order = Map::new();
    for (key, rest) in FLAT {
        let value = match (stored.get(key), rest) {
            (Some(value), _) => value.clone(),
            (None, _) if *key == "updated_at" => stored["created_at"].clone(),
            (None, Rest::Null) => Value::Null,
            (None, Rest::Zero) => json!(0),
            (None, Rest::False) => json!(false),
        };
        order.insert((*key).to_owned(), value);
    }
    let status = id(&stored["status_id"]).and_then(|id| shape.directory.status(id));
    order.insert("status_group_id".to_owned(), json!(status.map_or(1, |status| status.group_id)));
    associations::add(&stored, shape, &mut order);
    shape.spelled(Value::Object(order))
}

/// A stored id as the directory counts.
pub(super) fn id(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}
