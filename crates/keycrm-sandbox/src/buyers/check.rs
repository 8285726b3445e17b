//! The rules of `POST /buyer`.

use serde_json::{Map, Value};

use crate::email;
use crate::fields::{FieldErrors, Fields};
use crate::lines;
use crate::rules::Rules;

const SHIPPING_TEXTS: &[&str] = &[
    "address",
    "additional_address",
    "city",
    "region",
    "zip_code",
    "country",
    "recipient_full_name",
    "recipient_phone",
    "warehouse_ref",
    "shipping_service",
];

/// Checks a body; what is kept is the stored buyer but for its id and dates.
pub(crate) fn check(body: &Map<String, Value>, rules: Rules<'_>) -> Result<Map<String, Value>, FieldErrors> {
    let mut errors = FieldErrors::default();
    let mut top = Fields::new(body, String::new(), &mut errors);
    if top.get("full_name").is_none() {
        top.refuse("full_name", "field is required.");
    }
    top.texts(&["full_name", "note"]);
    top.day("birthday");
    top.amount("discount");
    top.integer("company_id");
    top.integer("manager_id");
    let phones = texts(&mut top, "phone");
    let emails = texts(&mut top, "email");
    for (at, address) in emails.iter().enumerate() {
        if !address.as_str().is_some_and(email::is_valid) {
            top.refuse(&format!("email.{at}"), "must be a valid email address.");
        }
    }
    let addresses = top.list("shipping");
    let custom_fields = top.list("custom_fields");
    let mut kept = top.kept;
    let mut shipping = Vec::new();
    for (at, address) in addresses.iter().enumerate() {
        let mut fields = Fields::new(address, format!("shipping.{at}."), &mut errors);
        fields.texts(SHIPPING_TEXTS);
        shipping.push(Value::Object(fields.kept));
    }
    let custom_fields = lines::custom_fields(&custom_fields, "client", rules, &mut errors);
    for (key, list) in [
        ("phone", phones),
        ("email", emails),
        ("shipping", shipping),
        ("custom_fields", custom_fields.into_iter().map(Value::Object).collect()),
    ] {
        kept.insert(key.to_owned(), Value::Array(list));
    }
    if errors.is_empty() { Ok(kept) } else { Err(errors) }
}

/// A list of texts.
fn texts(top: &mut Fields<'_, '_>, key: &str) -> Vec<Value> {
    let Some(value) = top.get(key) else { return Vec::new() };
    let Some(members) = value.as_array() else {
        top.refuse(key, "must be an array.");
        return Vec::new();
    };
    for (at, member) in members.iter().enumerate() {
        if !member.is_string() {
            top.refuse(&format!("{key}.{at}"), "must be a string.");
        }
    }
    members.clone()
}
