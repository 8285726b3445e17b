//! The lists inside an order: product lines, payments, custom fields.

use serde_json::{Map, Value, json};

use super::draft::Sums;
use super::fields::{FieldErrors, Fields, is_absent};
use crate::amount::Amount;

const PAYMENT_STATUSES: &[&str] = &["paid", "not_paid", "canceled", "refund"];

/// Keeps the product lines and adds them up. A line without a quantity is one piece, without a price it is free.
pub(crate) fn products(
    lines: &[&Map<String, Value>],
    sums: &mut Sums,
    errors: &mut FieldErrors,
) -> Vec<Map<String, Value>> {
    let mut kept = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let mut fields = Fields::new(line, format!("products.{at}."), errors);
        fields.texts(&["sku", "name"]);
        let price = fields.amount("price").unwrap_or_default();
        let quantity = fields.amount("quantity").unwrap_or(Amount::UNIT);
        fields.amount("purchased_price");
        let percent = fields.amount("discount_percent").unwrap_or_default();
        let off = fields.amount("discount_amount").unwrap_or_default();
        fields.texts(&["unit_type", "comment", "picture"]);
        let properties = properties(&mut fields);
        let cost = price.times(quantity);
        let discount = off + cost.percent(percent);
        sums.goods = sums.goods + cost;
        sums.line_discounts = sums.line_discounts + discount;
        let mut line = fields.kept;
        line.entry("price").or_insert_with(|| price.to_json());
        line.entry("quantity").or_insert_with(|| quantity.to_json());
        line.insert("total_discount".to_owned(), discount.to_json());
        line.insert("properties".to_owned(), properties);
        kept.push(line);
    }
    kept
}

/// An entry without a name or a value is ignored, as the vendor documents.
fn properties(line: &mut Fields<'_, '_>) -> Value {
    let mut kept = Vec::new();
    for entry in line.list("properties") {
        let part = |key| entry.get(key).filter(|value| !is_absent(value));
        if let (Some(name), Some(value)) = (part("name"), part("value")) {
            kept.push(json!({"name": name, "value": value}));
        }
    }
    Value::Array(kept)
}

/// Keeps the payments and adds up those that are paid.
pub(crate) fn payments(
    lines: &[&Map<String, Value>],
    sums: &mut Sums,
    errors: &mut FieldErrors,
) -> Vec<Map<String, Value>> {
    let mut kept = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let path = format!("payments.{at}.");
        let mut fields = Fields::new(line, path.clone(), errors);
        if fields.get("payment_method_id").is_none() && fields.get("payment_method").is_none() {
            fields.refuse("payment_method_id", &format!("field is required when {path}payment_method is not present."));
        }
        fields.integer("payment_method_id");
        fields.text("payment_method");
        if fields.get("amount").is_none() {
            fields.refuse("amount", "field is required.");
        }
        let amount = fields.amount("amount").unwrap_or_default();
        fields.text("description");
        fields.instant("payment_date");
        // The vendor does not say what a payment without a status is on create; unpaid is the careful reading.
        let status = fields.text("status").unwrap_or_else(|| "not_paid".to_owned());
        if !PAYMENT_STATUSES.contains(&status.as_str()) {
            let (key, text) = (format!("{path}status"), format!("The selected {path}status is invalid."));
            fields.errors.add(&key, &text);
        }
        if status == "paid" {
            sums.paid = sums.paid + amount;
        }
        let mut payment = fields.kept;
        payment.insert("status".to_owned(), json!(status));
        kept.push(payment);
    }
    kept
}

/// Keeps every field that names a uuid; whether the CRM refuses an unknown uuid is not documented.
pub(crate) fn custom_fields(lines: &[&Map<String, Value>]) -> Vec<Map<String, Value>> {
    let named = lines.iter().filter(|line| line.get("uuid").is_some_and(|uuid| !is_absent(uuid)));
    named
        .map(|line| {
            let part = |key: &str| line.get(key).cloned().unwrap_or(Value::Null);
            Map::from_iter([("uuid".to_owned(), part("uuid")), ("value".to_owned(), part("value"))])
        })
        .collect()
}
