//! Which orders go in a bulk call.

use parom_core::delivery::bulk::{body, fits};
use serde_json::{Value, json};

fn taken(order: Value) -> bool {
    fits(order.as_object().unwrap())
}

fn with(group: &str, field: &str, value: Value) -> Value {
    let mut order = json!({ "source_id": 22, "buyer": { "full_name": "Olena" }, "shipping": {},
                            "products": [{ "name": "Mug", "price": 5, "properties": [{ "name": "Size", "value": "M" }] }],
                            "payments": [{ "payment_method_id": 1, "amount": 5 }] });
    match group {
        "" => order[field] = value,
        "products" | "payments" => order[group][0][field] = value,
        group => order[group][field] = value,
    }
    order
}

#[test]
fn what_its_schema_does_not_name_goes_singly() {
    for (group, field) in [("", "promocode"), ("buyer", "phone"), ("shipping", "warehouse_ref"), ("products", "sku")] {
        assert!(taken(with(group, field, json!("x"))), "{group}.{field}");
    }
    for (group, field) in [
        ("", "manager_id"),
        ("", "gift_message"),
        ("", "is_gift"),
        ("", "gift_wrap"),
        ("", "tags"),
        ("shipping", "shipping_service"),
        ("buyer", "company"),
        ("products", "warehouse"),
        ("payments", "surprise"),
    ] {
        assert!(!taken(with(group, field, json!(1))), "{group}.{field}");
    }
    assert!(!taken(json!({ "source_id": 22 })) && !taken(json!({ "buyer": {} })), "required by the import");
    assert!(!taken(with("", "shipping", json!("a text"))) && taken(with("", "shipping", Value::Null)));
}

#[test]
fn the_body_has_the_orders_byte_for_byte() {
    assert_eq!(body(["{\"a\": 1}", "{\"b\":2}"].into_iter()), "{\"orders\":[{\"a\": 1},{\"b\":2}]}");
}
