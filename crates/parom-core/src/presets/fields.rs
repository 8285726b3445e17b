//! A form builder's fields in one shape for all of them: under their own names, with `found` for what they likely mean.

use serde_json::{Map, Value, json};

use super::TOKEN_FIELDS;
use crate::convert::plain;
use crate::submission::recognise;

/// What makes a line of a product.
const LINE: [&str; 5] = ["sku", "product", "price", "quantity", "picture"];
/// What form builders add and no manager needs.
const NOISE: [&str; 6] = ["user_agent", "remote_ip", "powered_by", "user agent", "remote ip", "powered by"];
/// Characters of `found.rest`.
const REST_CHARS: usize = 4_000;

/// The fields, and beside them `found`: `found.phone`, `found.full_name`, `found.products` with a line for each product,
/// `found.rest` with every other answer as text. Marks are taken from the address of the page, where one of the fields is
/// one. A hint tells the meaning of a field whose type says it.
pub(super) fn with_found(fields: Map<String, Value>, hints: &[(&str, String)]) -> Map<String, Value> {
    let scalars: Map<String, Value> = fields.iter().map(|(k, v)| (k.clone(), scalar(v))).collect();
    let tree = Value::Object(scalars);
    let mut meanings: Vec<(&str, &str)> = hints.iter().map(|(meaning, name)| (*meaning, name.as_str())).collect();
    for (meaning, name) in recognise(&tree) {
        if meanings.iter().all(|(known, field)| *known != meaning && *field != name) {
            meanings.push((meaning, name));
        }
    }
    let mut found: Map<String, Value> =
        meanings.iter().filter_map(|(meaning, name)| Some(((*meaning).to_owned(), tree.get(*name)?.clone()))).collect();
    let product = meanings.iter().find(|(meaning, _)| *meaning == "product").and_then(|(_, name)| fields.get(*name));
    let products = products(&found, product);
    // A quantity without a product is an answer like any other; and of several that were ticked nobody knows whose it is.
    let kept: &[&str] = match products.len() {
        0 => &[],
        1 => &LINE,
        _ => &["product"],
    };
    meanings.retain(|(meaning, _)| !LINE.contains(meaning) || kept.contains(meaning));
    found.insert("products".into(), Value::Array(products));
    whole_name(&mut found);
    found.insert("rest".into(), rest(&tree, &meanings).into());
    let mut shaped = fields;
    for (mark, value) in marks(&tree) {
        shaped.entry(mark).or_insert(Value::String(value));
    }
    shaped.insert("found".into(), Value::Object(found));
    shaped
}

/// A value; a list or a group of values as one text.
fn scalar(value: &Value) -> Value {
    let texts: Vec<String> = match value {
        Value::Array(items) => items.iter().map(written).collect(),
        Value::Object(parts) => parts.iter().map(|(name, part)| format!("{name}: {}", written(part))).collect(),
        other => return other.clone(),
    };
    Value::String(texts.join(", "))
}

fn written(value: &Value) -> String {
    plain(value).unwrap_or_else(|| value.to_string())
}

/// A field `Name` beside a field `Surname` is the given name: both make the name, with what stands in neither twice.
fn whole_name(found: &mut Map<String, Value>) {
    let part = |name: &str| found.get(name).and_then(plain).map(|text| text.trim().to_owned()).unwrap_or_default();
    let (full, first, last) = (part("full_name"), part("first_name"), part("last_name"));
    if full.is_empty() {
        return;
    }
    let more = [first, last].into_iter().filter(|part| !full.contains(part.as_str()));
    let whole: Vec<String> = [full.clone()].into_iter().chain(more).collect();
    found.insert("full_name".into(), whole.join(" ").into());
}

/// Adds a field; a second one with the same title gets a number rather than the first one's place.
pub(super) fn add(fields: &mut Map<String, Value>, name: &str, value: Value) -> String {
    let free = |name: &String| !fields.contains_key(name);
    let numbered = (2..=100).map(|number| format!("{name} ({number})"));
    let name = [name.to_owned()].into_iter().chain(numbered).find(free).unwrap_or_else(|| name.to_owned());
    fields.insert(name.clone(), value);
    name
}

/// A line for each product that was ticked, or the one of the form.
fn products(found: &Map<String, Value>, product: Option<&Value>) -> Vec<Value> {
    if let Some(Value::Array(ticked)) = product
        && ticked.len() > 1
    {
        return ticked.iter().map(|name| json!({ "name": name, "quantity": 1 })).collect();
    }
    let names = [("sku", "sku"), ("name", "product"), ("price", "price"), ("picture", "picture")];
    let filled = |meaning: &str| found.get(meaning).filter(|value| plain(value).is_some_and(|text| !text.is_empty()));
    let mut line: Map<String, Value> =
        names.iter().filter_map(|(name, meaning)| Some(((*name).to_owned(), filled(meaning)?.clone()))).collect();
    // The CRM takes no product without its name or its SKU.
    if !line.contains_key("name") && !line.contains_key("sku") {
        return Vec::new();
    }
    line.insert("quantity".into(), filled("quantity").cloned().unwrap_or_else(|| 1.into()));
    vec![Value::Object(line)]
}

/// What has no place in the order is for the manager to read.
fn rest(tree: &Value, meanings: &[(&str, &str)]) -> String {
    let fields = tree.as_object().into_iter().flatten();
    let lines: Vec<String> = fields
        .filter(|(name, _)| !name.starts_with("utm_") && !is_noise(&name.to_lowercase()))
        .filter(|(name, _)| meanings.iter().all(|(_, field)| field != name))
        .filter_map(|(name, value)| Some(format!("{name}: {}", plain(value).filter(|text| !text.trim().is_empty())?)))
        .collect();
    lines.join("\n").chars().take(REST_CHARS).collect()
}

fn is_noise(name: &str) -> bool {
    NOISE.contains(&name) || TOKEN_FIELDS.contains(&name)
}

/// The marks of the first address among the values that has some.
fn marks(tree: &Value) -> Vec<(String, String)> {
    let mut texts = tree.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
    let page = texts.find(|text| text.starts_with("http") && text.contains("utm_"));
    let query =
        page.and_then(|page| page.split_once('?')).map(|(_, query)| query.split('#').next().unwrap_or_default());
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().take(100);
    pairs.filter(|(name, _)| name.starts_with("utm_")).collect()
}
