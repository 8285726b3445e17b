//! Rows ↔ the core's words.

use parom_core::{Code, Effect, Problem};
use serde_json::{Map, Value, json};

/// Problems as they are kept and shown: the contract's four keys and the effect.
#[must_use]
pub fn problems_to_json(problems: &[Problem]) -> Value {
    let items = problems.iter().map(|problem| {
        json!({
            "path": problem.path,
            "code": problem.code.as_str(),
            "message": problem.message,
            "hint": problem.hint,
            "effect": problem.effect.as_str(),
        })
    });
    Value::Array(items.collect())
}

/// Problems of a row; a code that a newer version wrote is shown as a failed expression rather than lost.
#[must_use]
pub fn problems_from_json(text: &str) -> Vec<Problem> {
    let items: Vec<Map<String, Value>> = serde_json::from_str(text).unwrap_or_default();
    let get =
        |item: &Map<String, Value>, key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    items
        .iter()
        .map(|item| Problem {
            path: get(item, "path"),
            code: Code::parse(&get(item, "code")).unwrap_or(Code::ExpressionFailed),
            message: get(item, "message"),
            hint: get(item, "hint"),
            effect: Effect::parse(&get(item, "effect")),
        })
        .collect()
}

/// The buyer's name, phone and e-mail of a body, for the journal's columns.
pub(super) fn buyer_columns(body: &Map<String, Value>) -> (String, String, String) {
    // A card calls the buyer its contact.
    let group = if body.contains_key("contact") { "contact" } else { "buyer" };
    let get = |name: &str| {
        parom_core::order::get(body, &format!("{group}.{name}")).and_then(Value::as_str).unwrap_or_default()
    };
    (get("full_name").to_owned(), get("phone").to_owned(), get("email").to_lowercase())
}
