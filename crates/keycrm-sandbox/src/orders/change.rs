//! `PUT /order/{id}` and `POST /order/{id}/payment`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::check::shipping;
use super::record::{dated, line_id};
use super::totals;
use crate::dates;
use crate::directory::Directory;
use crate::fields::{FieldErrors, Fields};
use crate::lines;
use crate::rules::Rules;

const TEXTS: &[&str] = &["buyer_comment", "manager_comment"];
const AMOUNTS: &[&str] = &["discount_percent", "discount_amount"];
const LINE_AMOUNTS: &[&str] = &["price", "purchased_price", "discount_amount", "discount_percent", "quantity"];

/// A checked body of `PUT /order/{id}`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    flat: Map<String, Value>,
    cleared: Vec<&'static str>,
    products: Vec<Map<String, Value>>,
    shipping: Map<String, Value>,
    custom_fields: Vec<Map<String, Value>>,
}

impl Change {
    /// Checks a body; everything that a change may not name vanishes, as everywhere.
    pub(crate) fn check(body: &Map<String, Value>, rules: Rules<'_>) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut change = Self::default();
        let mut top = Fields::new(body, String::new(), &mut errors);
        top.texts(TEXTS);
        for key in AMOUNTS {
            top.amount(key);
        }
        top.choice("status_id", |id| rules.directory.status(id).is_some());
        change.cleared = TEXTS.iter().chain(AMOUNTS).filter(|key| top.clears(key)).copied().collect();
        let shipping_object = top.object("shipping");
        let products = top.list("products");
        let custom_fields = top.list("custom_fields");
        change.flat = top.kept;
        if let Some(object) = shipping_object {
            change.shipping = shipping(object, &mut errors);
        }
        change.products = products.iter().enumerate().map(|(at, line)| line_change(at, line, &mut errors)).collect();
        change.custom_fields = lines::custom_fields(&custom_fields, "order", rules, &mut errors);
        if errors.is_empty() { Ok(change) } else { Err(errors) }
    }

    /// Changes a stored order.
    pub(crate) fn apply(
        self,
        order: &mut Map<String, Value>,
        directory: &Directory,
        now: Timestamp,
    ) -> Result<(), FieldErrors> {
        if self.shipping.contains_key("tracking_code") && order_has_tracking_code(order) {
            let text = "The order already has a tracking code.";
            return Err(FieldErrors::one("shipping.tracking_code", text));
        }
        for key in self.cleared {
            order.remove(key);
        }
        close_or_open(order, &self.flat, directory, now);
        order.extend(self.flat);
        if !self.shipping.is_empty() {
            let shipping = order.entry("shipping").or_insert_with(|| json!({}));
            shipping.as_object_mut().into_iter().for_each(|stored| stored.extend(self.shipping.clone()));
        }
        for line in self.products {
            change_line(order, line);
        }
        put_custom_fields(order, self.custom_fields);
        order.insert("updated_at".to_owned(), json!(dates::iso(now)));
        totals::write(order);
        Ok(())
    }
}

fn order_has_tracking_code(order: &Map<String, Value>) -> bool {
    order.get("shipping").is_some_and(|shipping| shipping["tracking_code"].is_string())
}

fn line_change(at: usize, line: &Map<String, Value>, errors: &mut FieldErrors) -> Map<String, Value> {
    let mut fields = Fields::new(line, format!("products.{at}."), errors);
    if fields.get("id").is_none() && fields.get("sku").is_none() {
        let id = fields.names("id").1;
        fields.refuse("sku", &format!("field is required when {id} is not present."));
    }
    fields.integer("id");
    fields.texts(&["sku", "name", "comment"]);
    for key in LINE_AMOUNTS {
        fields.amount(key);
    }
    fields.integer("product_status_id");
    fields.kept
}

/// A closing status dates the end of the order; leaving it opens the order again.
fn close_or_open(order: &mut Map<String, Value>, flat: &Map<String, Value>, directory: &Directory, now: Timestamp) {
    let id = flat.get("status_id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
    let Some(status) = id.and_then(|id| directory.status(id)) else { return };
    if status.is_closing_order {
        // Live answers write this one date without the ISO form.
        order.insert("closed_at".to_owned(), json!(dates::spaced(&dates::iso(now))));
    } else {
        order.remove("closed_at");
    }
}

/// Changes the line that the id or the SKU names. One that names no line changes nothing: lines cannot be added.
fn change_line(order: &mut Map<String, Value>, mut change: Map<String, Value>) {
    let (id, sku) = (change.remove("id"), change.remove("sku"));
    let mut lines = order.get_mut("products").and_then(Value::as_array_mut).into_iter().flatten();
    let found = lines.find(|line| match (&id, &sku) {
        (Some(id), _) => line["id"] == *id,
        (None, sku) => sku.as_ref().is_some_and(|sku| line["sku"] == *sku),
    });
    let Some(line) = found.and_then(Value::as_object_mut) else { return };
    if line.contains_key("offer_id") {
        // The name of a catalogue line is the catalogue's.
        change.remove("name");
    }
    line.extend(change);
}

fn put_custom_fields(order: &mut Map<String, Value>, fields: Vec<Map<String, Value>>) {
    let stored = order.entry("custom_fields").or_insert_with(|| json!([]));
    let Some(stored) = stored.as_array_mut() else { return };
    for field in fields {
        stored.retain(|old| Some(&old["uuid"]) != field.get("uuid"));
        stored.push(Value::Object(field));
    }
}

/// Adds a payment to a stored order and returns it as stored.
pub(crate) fn add_payment(order: &mut Map<String, Value>, payment: Map<String, Value>, now: Timestamp) -> Value {
    let id = order.get("id").and_then(Value::as_u64).unwrap_or_default();
    let payments = order.entry("payments").or_insert_with(|| json!([]));
    let mut payment = dated(payment, now);
    let place = payments.as_array().map_or(0, Vec::len) as u64;
    payment.insert("id".to_owned(), json!(line_id(id, place)));
    let payment = Value::Object(payment);
    if let Some(payments) = payments.as_array_mut() {
        payments.push(payment.clone());
    }
    order.insert("updated_at".to_owned(), json!(dates::iso(now)));
    totals::write(order);
    payment
}
