//! The lists inside orders and cards: product lines, payments, custom fields.

use serde_json::{Map, Value, json};

use crate::amount::Amount;
use crate::directory::{Offer, Product};
use crate::fields::{FieldErrors, Fields, is_absent};
use crate::options::{UnknownCustomField, UnknownPaymentMethod};
use crate::rules::Rules;

const PAYMENT_STATUSES: &[&str] = &["paid", "not_paid", "canceled", "refund"];

type Object = Map<String, Value>;

/// Keeps an order's lines. A line without a quantity is one piece, without a price it costs what the catalogue says,
/// or nothing.
pub(crate) fn order_products(lines: &[&Object], rules: Rules<'_>, errors: &mut FieldErrors) -> Vec<Object> {
    let mut kept = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let mut fields = Fields::new(line, format!("products.{at}."), errors);
        plain_line(&mut fields);
        for key in ["purchased_price", "discount_percent", "discount_amount"] {
            fields.amount(key);
        }
        fields.text("comment");
        let properties = properties(&mut fields);
        let mut line = linked(fields.kept, rules);
        line.insert("properties".to_owned(), properties);
        kept.push(line);
    }
    kept
}

/// Keeps a card's lines, which have fewer fields than an order's.
pub(crate) fn card_products(lines: &[&Object], rules: Rules<'_>, errors: &mut FieldErrors) -> Vec<Object> {
    let mut kept = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let mut fields = Fields::new(line, format!("products.{at}."), errors);
        plain_line(&mut fields);
        kept.push(linked(fields.kept, rules));
    }
    kept
}

fn plain_line(fields: &mut Fields<'_, '_>) {
    fields.texts(&["sku", "name"]);
    fields.amount("price");
    fields.amount("quantity");
    fields.texts(&["unit_type", "picture"]);
}

/// A line whose SKU is in the catalogue takes from it what it does not say itself; any other line is a one-off.
fn linked(mut line: Object, rules: Rules<'_>) -> Object {
    let sku = line.get("sku").and_then(Value::as_str);
    if let Some((product, offer)) = sku.and_then(|sku| rules.directory.sold_as(sku)) {
        fill(&mut line, product, offer);
    }
    line.entry("price").or_insert_with(|| Amount::ZERO.to_json());
    line.entry("quantity").or_insert_with(|| Amount::UNIT.to_json());
    line
}

fn fill(line: &mut Object, product: &Product, offer: &Offer) {
    let price = |price: f64| Amount::from_json(&json!(price)).unwrap_or_default().to_json();
    line.insert("offer_id".to_owned(), json!(offer.id));
    line.entry("name").or_insert_with(|| json!(product.name));
    line.entry("price").or_insert_with(|| price(offer.price));
    line.entry("purchased_price").or_insert_with(|| price(offer.purchased_price));
    if let Some(picture) = offer.thumbnail_url.as_ref().or(product.thumbnail_url.as_ref()) {
        line.entry("picture").or_insert_with(|| json!(picture));
    }
    if let Some(unit) = &product.unit_type {
        line.entry("unit_type").or_insert_with(|| json!(unit));
    }
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

/// Keeps the payments of a new order or card.
pub(crate) fn payments(lines: &[&Object], rules: Rules<'_>, errors: &mut FieldErrors) -> Vec<Object> {
    let mut kept = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let mut fields = Fields::new(line, format!("payments.{at}."), errors);
        // The vendor does not say what a payment without a status is on create; unpaid is the careful reading.
        kept.push(payment(&mut fields, rules, "not_paid"));
    }
    kept
}

/// Keeps one payment. A method's name that is still to be made stays in it as `payment_method`.
pub(crate) fn payment(fields: &mut Fields<'_, '_>, rules: Rules<'_>, status: &str) -> Object {
    let method = method(fields, rules);
    if fields.get("amount").is_none() {
        fields.refuse("amount", "field is required.");
    }
    fields.amount("amount");
    fields.text("description");
    fields.instant("payment_date");
    let status = fields.text("status").unwrap_or_else(|| status.to_owned());
    if !PAYMENT_STATUSES.contains(&status.as_str()) {
        fields.refuse_choice("status");
    }
    let mut payment = std::mem::take(&mut fields.kept);
    payment.insert("status".to_owned(), json!(status));
    if let Some(id) = method {
        payment.insert("payment_method_id".to_owned(), json!(id));
        payment.remove("payment_method");
    }
    payment
}

/// The method by id, which wins, or by name.
fn method(fields: &mut Fields<'_, '_>, rules: Rules<'_>) -> Option<u32> {
    if fields.get("payment_method_id").is_some() {
        fields.text("payment_method");
        return fields.choice("payment_method_id", |id| rules.directory.payment_method(id).is_some());
    }
    if fields.get("payment_method").is_none() {
        let other = fields.names("payment_method").1;
        fields.refuse("payment_method_id", &format!("field is required when {other} is not present."));
        return None;
    }
    let name = fields.text("payment_method")?;
    let method = rules.directory.method_named(&name).map(|method| method.id);
    if method.is_none() && rules.unknown_payment_method == UnknownPaymentMethod::Refuse {
        fields.refuse_choice("payment_method");
    }
    method
}

/// Keeps the custom fields that the account has for `model`. A select's option is taken as it comes: what the CRM
/// does with a wrong one is not documented.
pub(crate) fn custom_fields(lines: &[&Object], model: &str, rules: Rules<'_>, errors: &mut FieldErrors) -> Vec<Object> {
    let mut kept = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let mut fields = Fields::new(line, format!("custom_fields.{at}."), errors);
        let Some(uuid) = fields.text("uuid") else { continue };
        if rules.directory.custom_field(model, &uuid).is_some() {
            let value = line.get("value").cloned().unwrap_or(Value::Null);
            kept.push(Map::from_iter([("uuid".to_owned(), json!(uuid)), ("value".to_owned(), value)]));
        } else if rules.unknown_custom_field == UnknownCustomField::Refuse {
            fields.refuse_choice("uuid");
        }
    }
    kept
}
