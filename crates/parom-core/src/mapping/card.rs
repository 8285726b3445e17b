//! An order's raw body as a card's: a channel that maps an order may send a card, and nothing that was mapped gets lost.

use serde_json::{Map, Value};

use crate::convert::{is_empty, plain};

/// Fields that a card has under the order's own name.
const SAME: [&str; 8] =
    ["source_id", "source", "manager_id", "manager_comment", "payments", "custom_fields", "products", "title"];
/// What a card's product line has.
const PRODUCT: [&str; 6] = ["sku", "price", "quantity", "unit_type", "name", "picture"];
/// What the CRM sets by itself, or what is a card's own number.
const DROPPED: [&str; 2] = ["ordered_at", "source_uuid"];

/// The card of an order: the buyer is its contact, the marks lie flat, and what a card has no place for (delivery,
/// comments, discounts, a product's properties) is written into the manager's comment, a line each.
pub(super) fn of_order(order: Map<String, Value>) -> Map<String, Value> {
    let mut card = Map::new();
    let mut rest = Vec::new();
    for (name, value) in order {
        match (name.as_str(), value) {
            ("buyer", value) => {
                card.insert("contact".into(), value);
            }
            ("marketing", Value::Object(marks)) => card.extend(marks),
            ("products", Value::Array(lines)) => {
                let lines = lines.into_iter().map(|line| product(line, &mut rest)).collect();
                card.insert(name, Value::Array(lines));
            }
            (known, value) if SAME.contains(&known) => {
                card.insert(name, value);
            }
            (dropped, _) if DROPPED.contains(&dropped) => {}
            (_, value) => tell(&name, &value, &mut rest),
        }
    }
    if !rest.is_empty() {
        let before = card.get("manager_comment").and_then(plain).filter(|text| !text.is_empty());
        let lines: Vec<String> = before.into_iter().chain(rest).collect();
        card.insert("manager_comment".into(), Value::String(lines.join("\n")));
    }
    card
}

fn product(line: Value, rest: &mut Vec<String>) -> Value {
    let Value::Object(line) = line else { return line };
    let name = line.get("name").or_else(|| line.get("sku")).and_then(plain).unwrap_or_default();
    let mut kept = Map::new();
    for (field, value) in line {
        if PRODUCT.contains(&field.as_str()) {
            kept.insert(field, value);
        } else if field == "properties" {
            for property in value.as_array().into_iter().flatten() {
                let part = |key: &str| property.get(key).and_then(plain).unwrap_or_default();
                rest.push(format!("{name}: {} {}", part("name"), part("value")));
            }
        } else {
            tell(&format!("{name} {field}"), &value, rest);
        }
    }
    Value::Object(kept)
}

fn tell(path: &str, value: &Value, rest: &mut Vec<String>) {
    match value {
        empty if is_empty(empty) => {}
        Value::Object(group) => {
            for (name, value) in group {
                tell(name, value, rest);
            }
        }
        other => rest.push(format!("{path}: {}", plain(other).unwrap_or_else(|| other.to_string()))),
    }
}
