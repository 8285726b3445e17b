//! The CRM's lists as rows. Live answers differ from the vendor's document (`title` for `name`, ids as texts): what is
//! needed is read, the rest is left alone, and an answer of another shape is no answer.

use serde_json::{Map, Value, json};

use super::{Entry, Field, Kind};
use crate::delivery::outcome::id;

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The rows, as far as they are needed, in the form that [`super::Dictionary::set`] takes.
    pub rows: Vec<Value>,
    /// No page follows.
    pub last: bool,
}

/// Reads a page of a kind; none for an answer of another shape. `/custom-fields` is a bare list, the rest are pages.
#[must_use]
pub fn read_page(kind: Kind, body: &[u8]) -> Option<Page> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let (rows, last) = match &json {
        Value::Array(rows) => (rows, true),
        Value::Object(page) => (page.get("data")?.as_array()?, is_last(page)),
        _ => return None,
    };
    let rows = rows.iter().map(|row| slim(kind, row)).collect::<Option<Vec<_>>>()?;
    Some(Page { rows: rows.into_iter().filter(|row| !row.is_null()).collect(), last })
}

fn is_last(page: &Map<String, Value>) -> bool {
    let number = |name: &str| page.get(name).and_then(id);
    let next = page.get("next_page_url").is_some_and(|url| !url.is_null());
    match (number("current_page"), number("last_page")) {
        (Some(current), Some(last)) => current >= last,
        _ => !next,
    }
}

/// What is kept of a row; null for one that can be left out, none for one of another shape.
fn slim(kind: Kind, row: &Value) -> Option<Value> {
    match kind {
        Kind::Skus => Some(row.as_object()?.get("sku").and_then(text).map_or(Value::Null, Value::String)),
        Kind::CustomFields => field(row).map(|field| {
            json!({
                "uuid": field.uuid, "name": field.name, "model": field.model, "type": field.kind,
                "is_multiple": field.multiple, "options": field.options,
            })
        }),
        _ => entry(row).map(|entry| entry_json(&entry)),
    }
}

fn entry_json(entry: &Entry) -> Value {
    let mut row = json!({ "id": entry.id, "name": entry.name, "alias": entry.alias, "is_active": entry.active });
    if !entry.carrier.is_empty() {
        row["source_name"] = json!(entry.carrier);
    }
    if !entry.currency.is_empty() {
        row["currency_code"] = json!(entry.currency);
    }
    if !entry.statuses.is_empty() {
        row["statuses"] = entry.statuses.iter().map(entry_json).collect();
    }
    row
}

/// A row with an id. A user's name is `full_name`, a pipeline's `title` or `name`.
pub(super) fn entry(row: &Value) -> Option<Entry> {
    let row = row.as_object()?;
    let get = |names: &[&str]| names.iter().find_map(|name| row.get(*name).and_then(text)).unwrap_or_default();
    let blocked = row.get("status").and_then(Value::as_str) == Some("blocked");
    Some(Entry {
        id: id(row.get("id")?)?,
        name: get(&["name", "title", "full_name"]),
        alias: get(&["alias", "username"]),
        active: !blocked && row.get("is_active").is_none_or(|flag| flag != &Value::Bool(false) && flag != &json!(0)),
        carrier: get(&["source_name", "driver"]),
        currency: get(&["currency_code"]),
        statuses: row.get("statuses").and_then(Value::as_array).into_iter().flatten().filter_map(entry).collect(),
    })
}

pub(super) fn field(row: &Value) -> Option<Field> {
    let row = row.as_object()?;
    let get = |name: &str| row.get(name).and_then(text).unwrap_or_default();
    let options = row.get("options").and_then(Value::as_array).into_iter().flatten();
    Some(Field {
        uuid: text(row.get("uuid")?)?,
        name: get("name"),
        model: get("model"),
        kind: get("type"),
        multiple: row.get("is_multiple").is_some_and(|flag| flag == &Value::Bool(true) || flag == &json!(1)),
        options: options.filter_map(|option| text(option.get("value").unwrap_or(option))).collect(),
    })
}

/// The rows of a page, and whether it is the last; none for an answer, or a row, of another shape.
pub(super) fn list_of<T>(body: &[u8], row: impl Fn(&Value) -> Option<T>) -> Option<(Vec<T>, bool)> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let page = json.as_object()?;
    let rows: Option<Vec<T>> = page.get("data")?.as_array()?.iter().map(row).collect();
    Some((rows?, is_last(page)))
}

/// A text, or a number as its text; none for an empty one.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
