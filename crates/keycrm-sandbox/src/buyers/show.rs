//! A buyer as the API shows it.

use serde_json::{Map, Value, json};

use super::Buyer;
use crate::directory::custom_field_values;
use crate::orders::{Shape, manager};

/// What `include` may name.
pub(crate) const INCLUDES: &[&str] = &["manager", "shipping", "company", "loyalty", "custom_fields"];

const FLAT: &[&str] = &["id", "full_name", "birthday", "email", "phone", "note", "created_at", "updated_at"];

/// The buyer with the associations that the shape has.
pub(crate) fn render(buyer: &Buyer, shape: &Shape) -> Value {
    let stored = buyer.stored();
    let mut shown: Map<String, Value> = FLAT.iter().map(|key| ((*key).to_owned(), stored[*key].clone())).collect();
    let list = |key: &str| if stored[key].is_null() { json!([]) } else { stored[key].clone() };
    for (key, value) in [
        ("manager", manager(&stored["manager_id"], &shape.directory)),
        ("shipping", list("shipping")),
        ("company", Value::Null),
        ("loyalty", json!([])),
        ("custom_fields", custom_field_values(&shape.directory, "client", &stored["custom_fields"])),
    ] {
        if shape.has(key) {
            shown.insert(key.to_owned(), value);
        }
    }
    shape.spelled(Value::Object(shown))
}
