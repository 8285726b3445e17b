//! The rules of an order that need no dictionary of the account.

use serde_json::{Map, Value};

use super::{Draft, Target};
use crate::convert::{is_empty, plain};
use crate::problem::{Code, Effect, Problem};

/// Adds what the rules find, and drops list entries that say nothing.
pub fn check(draft: &mut Draft) {
    match draft.target {
        Target::Order => {
            required(draft);
            buyer(draft, "buyer");
            warehouse(draft);
        }
        Target::Card => buyer(draft, "contact"),
    }
    products(draft);
    payments(draft);
    custom_fields(draft);
}

fn required(draft: &mut Draft) {
    let bad = draft.problems.iter().any(|problem| problem.path == "source_id" || problem.path == "source");
    if draft.source_id().is_none() && !bad {
        let hint = "Set order.source_id in the channel: the id of a source in the CRM (Settings → Sources).";
        hold(draft, "source_id", Code::Required, "the order names no source", hint);
    }
}

/// Rule 5: at least one of name, e-mail and phone; and a buyer whose only contacts are unusable cannot be reached.
fn buyer(draft: &mut Draft, group: &str) {
    let has = |name: &str| super::get(&draft.body, &format!("{group}.{name}")).is_some();
    // A card may name a buyer of the CRM, who is known there.
    let reachable = has("phone") || has("email") || has("client_id");
    let lost = [format!("{group}.phone"), format!("{group}.email")];
    let spoiled = draft.left_out.iter().any(|(path, _)| lost.contains(path));
    if !reachable && spoiled {
        let hint = "Mend the phone or the e-mail: what the buyer typed is in the problem beside this one.";
        hold(draft, group, Code::NoContact, "there is no usable phone or e-mail to reach the buyer", hint);
    } else if !reachable && !has("full_name") {
        let hint = "Map at least one of its full_name, email and phone to a field that the form fills.";
        hold(draft, group, Code::NoContact, "the buyer has no name, e-mail or phone", hint);
    }
}

/// Rule 9: a branch needs its delivery service, and a text address as the fallback.
fn warehouse(draft: &mut Draft) {
    let text = |name: &str| super::get(&draft.body, &format!("shipping.{name}")).and_then(Value::as_str);
    let Some(branch) = text("warehouse_ref").map(str::to_owned) else {
        return;
    };
    let mapped = |name: &str| super::get(&draft.body, &format!("shipping.{name}")).is_some();
    let has_service = mapped("delivery_service_id") || mapped("delivery_service");
    let has_text = text("shipping_address_city").is_some()
        && (text("shipping_receive_point").is_some() || text("shipping_secondary_line").is_some());
    if !has_service {
        draft.problems.push(Problem::new(
            "shipping.warehouse_ref",
            Code::NeedsDeliveryService,
            Effect::Mend,
            "a branch without delivery_service_id",
            "Set order.shipping.delivery_service_id: the id of Nova Poshta in the CRM.",
        ));
        draft.left_out.push(("shipping.warehouse_ref".into(), branch));
        super::remove(&mut draft.body, "shipping.warehouse_ref");
        if draft.body.get("shipping").is_some_and(is_empty) {
            draft.body.remove("shipping");
        }
    } else if !has_text {
        draft.problems.push(Problem::new(
            "shipping.warehouse_ref",
            Code::NoTextAddress,
            Effect::Warn,
            "a branch without the address in words, which is the fallback when the branch is closed",
            "Map shipping_address_city and shipping_receive_point too.",
        ));
    }
}

fn products(draft: &mut Draft) {
    let lines = take_list(draft, "products");
    let mut kept = Vec::with_capacity(lines.len());
    for (index, mut line) in lines.into_iter().enumerate() {
        let path = format!("products.{index}");
        if let Some(Value::Array(items)) = line.remove("properties") {
            let items = properties(draft, &path, items);
            if !items.is_empty() {
                line.insert("properties".into(), Value::Array(items));
            }
        }
        if !line.contains_key("name") && !line.contains_key("sku") {
            let hint = "Map the name or the sku of the product.";
            hold(draft, &format!("{path}.name"), Code::Required, "a product without name and sku", hint);
        }
        kept.push(Value::Object(line));
    }
    put_list(draft, "products", kept);
}

/// The CRM ignores a property without both keys: better said than lost.
fn properties(draft: &mut Draft, path: &str, items: Vec<Value>) -> Vec<Value> {
    let mut kept = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let complete = item.get("name").is_some() && item.get("value").is_some();
        if complete {
            kept.push(item);
            continue;
        }
        let place = format!("{path}.properties.{index}");
        let message = "a property needs both a name and a value; the CRM would ignore it";
        draft.problems.push(Problem::new(
            &place,
            Code::IncompleteProperty,
            Effect::Mend,
            message,
            "Map both, or neither.",
        ));
        let words = [item.get("name"), item.get("value")].into_iter().flatten().filter_map(plain);
        draft.left_out.push((place, words.collect::<Vec<_>>().join(" ")));
    }
    kept
}

fn payments(draft: &mut Draft) {
    let lines = take_list(draft, "payments");
    for (index, line) in lines.iter().enumerate() {
        let path = |name: &str| format!("payments.{index}.{name}");
        let known = |draft: &Draft, name: &str| draft.problems.iter().any(|problem| problem.path == path(name));
        if !line.contains_key("amount") && !known(draft, "amount") {
            hold(draft, &path("amount"), Code::Required, "a payment without an amount", "Map payments.amount.");
        }
        let has_method = line.contains_key("payment_method_id") || line.contains_key("payment_method");
        if !has_method && !known(draft, "payment_method_id") {
            let hint = "Map payment_method_id (the id in the CRM) or payment_method (its name).";
            hold(draft, &path("payment_method_id"), Code::Required, "a payment without a method", hint);
        }
    }
    put_list(draft, "payments", lines.into_iter().map(Value::Object).collect());
}

/// A custom field without a value says nothing; a value without its field goes to the manager's comment.
fn custom_fields(draft: &mut Draft) {
    let lines = take_list(draft, "custom_fields");
    let mut kept = Vec::with_capacity(lines.len());
    for (index, line) in lines.into_iter().enumerate() {
        // A name that could not be looked up yet holds the order already, and stays for the time when it can.
        match (line.contains_key("uuid") || line.contains_key("name"), line.get("value")) {
            (true, Some(_)) => kept.push(Value::Object(line)),
            (false, Some(value)) => {
                let place = format!("custom_fields.{index}.uuid");
                let text = plain(value).unwrap_or_else(|| value.to_string());
                draft.problems.push(Problem::new(
                    &place,
                    Code::Required,
                    Effect::Mend,
                    "a custom field without its uuid",
                    "The uuid stands in the CRM's settings, as LD_1021 or OR_1037.",
                ));
                draft.left_out.push((place, text));
            }
            (_, None) => {}
        }
    }
    put_list(draft, "custom_fields", kept);
}

fn take_list(draft: &mut Draft, name: &str) -> Vec<Map<String, Value>> {
    match draft.body.get_mut(name) {
        Some(Value::Array(items)) => {
            let objects = std::mem::take(items).into_iter();
            objects.filter_map(|item| if let Value::Object(map) = item { Some(map) } else { None }).collect()
        }
        _ => Vec::new(),
    }
}

fn put_list(draft: &mut Draft, name: &str, items: Vec<Value>) {
    if items.is_empty() {
        draft.body.remove(name);
    } else if let Some(place) = draft.body.get_mut(name) {
        *place = Value::Array(items);
    }
}

fn hold(draft: &mut Draft, path: &str, code: Code, message: &str, hint: &str) {
    draft.problems.push(Problem::new(path, code, Effect::Hold, message, hint));
}
