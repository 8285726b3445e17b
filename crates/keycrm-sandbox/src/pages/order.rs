//! One order with every field that was sent, under the CRM's own names.

use serde_json::{Map, Value};

use super::html::{escape, frame, show};

/// Associations in their order on the page; everything else of the order is the first group.
const GROUPS: &[(&str, &str)] = &[
    ("buyer", "Buyer"),
    ("shipping", "Shipping"),
    ("marketing", "Marketing"),
    ("products", "Products"),
    ("payments", "Payments"),
    ("custom_fields", "Custom fields"),
];
/// Associations that the sandbox never fills.
const UNFILLED: &[&str] = &["manager", "tags", "status", "expenses", "assigned"];
const COMMENTS: &[&str] = &["buyer_comment", "manager_comment", "gift_message"];

/// The page of an order as [`crate::orders::render`] gives it with all associations.
pub(super) fn page(order: &Value, source_name: &str) -> String {
    let id = show(&order["id"]);
    let nothing = Map::new();
    let fields = order.as_object().unwrap_or(&nothing);
    let is_group = |key: &str| GROUPS.iter().any(|(group, _)| *group == key) || UNFILLED.contains(&key);
    let flat = |wanted_comment: bool| {
        let chosen = fields.iter().filter(|(key, _)| !is_group(key));
        rows(chosen.filter(|(key, _)| COMMENTS.contains(&key.as_str()) == wanted_comment), "")
    };
    let mut body = format!(
        "<header><p><a href=\"/\">All orders</a></p><h1>Order {id} <small>{}</small></h1>\
         <p>{} · <a href=\"/_sandbox/orders/{id}\">Raw JSON</a></p></header>\n<main class=\"groups\">\n",
        show(&order["source_uuid"]),
        escape(source_name)
    );
    body.push_str(&section("Order", &flat(false)));
    body.push_str(&section("Comments", &flat(true)));
    for (key, title) in GROUPS {
        body.push_str(&section(title, &group(key, &order[*key])));
    }
    body.push_str("</main>\n");
    frame(&format!("Order {}", order["id"]), "", &body)
}

/// The page of an order that is not there.
pub(super) fn missing() -> String {
    let body = "<header><p><a href=\"/\">All orders</a></p><h1>No such order</h1></header>\n";
    frame("No such order", "", body)
}

fn section(title: &str, content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    format!("<section class=\"panel\"><h2>{title}</h2>{content}</section>\n")
}

/// An association: one table of an object, or one table for each member of a list.
fn group(key: &str, value: &Value) -> String {
    match value {
        Value::Object(fields) => rows(fields.iter(), &format!("{key}.")),
        Value::Array(members) => {
            let objects = members.iter().filter_map(Value::as_object).enumerate();
            objects.map(|(at, fields)| rows(fields.iter(), &format!("{key}[{at}]."))).collect()
        }
        _ => String::new(),
    }
}

/// Fields that have a value, each under its full name.
fn rows<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>, prefix: &str) -> String {
    let filled = fields.filter(|(_, value)| !value.is_null() && **value != Value::Array(Vec::new()));
    let rows: String = filled
        .map(|(key, value)| format!("<tr><th>{}{}</th><td>{}</td></tr>\n", escape(prefix), escape(key), cell(value)))
        .collect();
    if rows.is_empty() { rows } else { format!("<table class=\"fields\"><tbody>{rows}</tbody></table>\n") }
}

/// A value; the properties of a product line are a list of their own.
fn cell(value: &Value) -> String {
    let pairs: Option<Vec<String>> = value.as_array().and_then(|members| {
        let pair = |member: &Value| Some(format!("{}: {}", show(member.get("name")?), show(member.get("value")?)));
        members.iter().map(pair).collect()
    });
    match pairs {
        Some(pairs) => pairs.iter().map(|pair| format!("<div>{pair}</div>")).collect(),
        None => show(value),
    }
}
