//! An order as the API shows it: the flat part always, associations only where `include` names them.

use serde_json::{Map, Value, json};

use crate::dates;
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
    ("status_group_id", Rest::One),
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
    One,
    False,
}

/// Which associations are shown and how dates are written.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) includes: Vec<String>,
    pub(crate) dates: DateStyle,
}

impl Shape {
    pub(crate) fn flat(dates: DateStyle) -> Self {
        Self { includes: Vec::new(), dates }
    }

    pub(crate) fn whole(dates: DateStyle) -> Self {
        Self { includes: INCLUDES.iter().map(|name| (*name).to_owned()).collect(), dates }
    }

    fn has(&self, association: &str) -> bool {
        self.includes.iter().any(|name| name.split('.').next() == Some(association))
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
            (None, Rest::One) => json!(1),
            (None, Rest::False) => json!(false),
        };
        order.insert((*key).to_owned(), value);
    }
    associations(&stored, shape, &mut order);
    if shape.dates == DateStyle::Space {
        for key in ["created_at", "updated_at", "ordered_at"] {
            respell(&mut order[key]);
        }
        for payment in order.get_mut("payments").and_then(Value::as_array_mut).into_iter().flatten() {
            respell(&mut payment["payment_date"]);
        }
    }
    Value::Object(order)
}

fn associations(stored: &Value, shape: &Shape, order: &mut Map<String, Value>) {
    let sent = |key: &str| stored.get(key).cloned();
    let manager = stored.get("manager_id").map_or(Value::Null, |id| json!({"id": id}));
    let status = json!({"id": stored["status_id"], "name": "New", "alias": "new", "is_active": true, "group_id": 1});
    for (key, value) in [
        ("buyer", sent("buyer")),
        ("products", sent("products")),
        ("manager", Some(manager)),
        ("tags", Some(json!([]))),
        ("status", Some(status)),
        ("marketing", sent("marketing")),
        ("payments", sent("payments")),
        ("shipping", sent("shipping")),
        ("expenses", Some(json!([]))),
        ("custom_fields", sent("custom_fields")),
        ("assigned", Some(json!([]))),
    ] {
        if shape.has(key) {
            order.insert(key.to_owned(), value.unwrap_or(Value::Null));
        }
    }
}

fn respell(date: &mut Value) {
    if let Value::String(text) = date {
        *text = dates::spaced(text);
    }
}
