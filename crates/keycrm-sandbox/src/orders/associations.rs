//! The associations of an order: what `include` adds to it.

use serde_json::{Map, Value, json};

use super::check::{MARKETING_TEXTS, SHIPPING_TEXTS};
use super::show::{Shape, id};
use super::totals::price_sold;
use crate::directory::{Directory, custom_field_values, offer};

/// Keys of a line that stay inside the sandbox.
const HIDDEN: &[&str] = &["offer_id"];

/// Adds the associations that the shape has.
pub(super) fn add(stored: &Value, shape: &Shape, order: &mut Map<String, Value>) {
    for (key, show) in ASSOCIATIONS {
        if shape.has(key) {
            order.insert((*key).to_owned(), show(stored, shape));
        }
    }
}

type Show = fn(&Value, &Shape) -> Value;

const ASSOCIATIONS: &[(&str, Show)] = &[
    ("buyer", buyer),
    ("products", products),
    ("manager", |stored, shape| manager(&stored["manager_id"], &shape.directory)),
    ("tags", tags),
    ("status", status),
    ("marketing", marketing),
    ("payments", payments),
    ("shipping", shipping),
    ("expenses", |_, _| json!([])),
    ("custom_fields", |stored, shape| custom_field_values(&shape.directory, "order", &stored["custom_fields"])),
    ("assigned", |_, _| json!([])),
];

/// The stored values of these keys, null where there are none, then whatever else is stored.
fn with_nulls<'k>(keys: impl Iterator<Item = &'k str>, stored: &Value) -> Map<String, Value> {
    let mut shown: Map<String, Value> = keys.map(|key| (key.to_owned(), stored[key].clone())).collect();
    shown.extend(stored.as_object().cloned().unwrap_or_default());
    shown
}

fn buyer(stored: &Value, _: &Shape) -> Value {
    let keys = ["id", "full_name", "email", "phone", "company_id", "manager_id"];
    Value::Object(with_nulls(keys.into_iter(), &stored["buyer"]))
}

/// A manager by id; an id that no user has is shown alone.
pub(crate) fn manager(manager_id: &Value, directory: &Directory) -> Value {
    match id(manager_id).and_then(|id| directory.user(id)) {
        Some(user) => user.to_json(),
        None if manager_id.is_null() => Value::Null,
        None => json!({"id": manager_id}),
    }
}

fn tags(stored: &Value, shape: &Shape) -> Value {
    let ids = stored["tags"].as_array().into_iter().flatten().filter_map(id);
    ids.filter_map(|id| shape.directory.tag(id)).map(|tag| tag.to_json()).collect()
}

fn status(stored: &Value, shape: &Shape) -> Value {
    id(&stored["status_id"]).and_then(|id| shape.directory.status(id)).map_or(Value::Null, |status| status.to_json())
}

fn marketing(stored: &Value, _: &Shape) -> Value {
    Value::Object(with_nulls(MARKETING_TEXTS.iter().copied(), &stored["marketing"]))
}

fn products(stored: &Value, shape: &Shape) -> Value {
    stored["products"].as_array().into_iter().flatten().map(|line| product(line, shape)).collect()
}

fn product(line: &Value, shape: &Shape) -> Value {
    let keys = ["id", "name", "sku", "price", "purchased_price", "discount_percent", "discount_amount"];
    let mut shown = with_nulls(keys.into_iter(), line);
    shown.insert("price_sold".to_owned(), price_sold(line).to_json());
    for key in ["unit_type", "comment", "product_status_id", "picture"] {
        shown.entry(key).or_insert(Value::Null);
    }
    shown.entry("upsale").or_insert(json!(false));
    if shape.names("products.offer") {
        let linked = id(&line["offer_id"]).and_then(|id| shape.directory.all_offers().find(|(_, o)| o.id == id));
        shown.insert("offer".to_owned(), linked.map_or(Value::Null, |(product, found)| offer(product, found)));
    }
    shown.retain(|key, _| !HIDDEN.contains(&key.as_str()));
    Value::Object(shown)
}

fn payments(stored: &Value, shape: &Shape) -> Value {
    let currency = shape.directory.currency(id(&stored["source_id"]).unwrap_or_default());
    let all = stored["payments"].as_array().into_iter().flatten();
    all.map(|stored| payment(stored, stored_method(stored, &shape.directory), currency)).collect()
}

/// The method of a stored payment; older files have its name alone.
fn stored_method(payment: &Value, directory: &Directory) -> Value {
    let named = || directory.method_named(payment["payment_method"].as_str()?).map(|method| json!(method.id));
    match &payment["payment_method_id"] {
        Value::Null => named().unwrap_or(Value::Null),
        id => id.clone(),
    }
}

/// A payment without its owner.
pub(crate) fn payment(stored: &Value, method: Value, currency: &str) -> Value {
    let created = if stored["created_at"].is_null() { &stored["payment_date"] } else { &stored["created_at"] };
    json!({
        "id": stored["id"], "destination_id": stored["id"].as_u64().unwrap_or_default() / 1000,
        "payment_method_id": method, "amount": stored["amount"], "actual_currency": currency,
        "transaction_uuid": null, "description": stored["description"], "status": stored["status"],
        "fiscal_result": null, "payment_date": stored["payment_date"], "created_at": created, "updated_at": created,
    })
}

fn shipping(stored: &Value, shape: &Shape) -> Value {
    let stored = &stored["shipping"];
    let keys = ["delivery_service_id", "shipping_status", "shipping_address_country_code"];
    let mut shown = with_nulls(keys.into_iter().chain(SHIPPING_TEXTS.iter().copied()), stored);
    let day = stored["shipping_date"].as_str().map(|day| format!("{day}T00:00:00.000000Z"));
    shown.insert("shipping_date_actual".to_owned(), json!(day));
    if shape.names("shipping.deliveryService") {
        let service = id(&stored["delivery_service_id"]).and_then(|id| shape.directory.delivery_service(id));
        shown.insert("delivery_service".to_owned(), service.map_or(Value::Null, |service| service.to_json()));
    }
    if shape.names("shipping.lastHistory") {
        shown.insert("last_history".to_owned(), Value::Null);
    }
    Value::Object(shown)
}
