//! Tilda forms and its cart: see the README beside this file.

use serde_json::{Map, Value, json};

use super::fields::with_found;
use super::{Answer, Kind, Mark, Preset, keyed};
use crate::convert;
use crate::submission::{Submission, embedded_json};

pub(super) static PRESET: Preset = Preset {
    name: "tilda",
    title: "Tilda",
    signing: None,
    answer: Answer::Text,
    currency: None,
    mapping: include_str!("mapping.toml"),
    readme: include_str!("README.md"),
    snippets: &[],
    kind,
    shape,
};

/// What Tilda adds to a form's own fields.
const SERVICE: [&str; 6] = ["payment", "tranid", "formid", "formname", "COOKIES", "paymentsystem"];

fn kind(submission: &Submission) -> Kind {
    let form = &submission.form;
    let Some(fields) = form.as_object() else {
        return Kind::Malformed("Tilda sends a form".into());
    };
    let test = fields.get("test").and_then(Value::as_str) == Some("test");
    // Beside the test there may be the key that the hook was given, and nothing that a form or a cart brings.
    if fields.is_empty() || (test && !SERVICE.iter().any(|name| fields.contains_key(*name)) && fields.len() <= 2) {
        return Kind::Ping;
    }
    let order = payment(form).and_then(|payment| crate::convert::plain(payment.get("orderid")?));
    let cart = order.is_some();
    let key = order.map(|id| format!("order:{id}"));
    let key = key.or_else(|| keyed(submission, "/tranid").map(|id| format!("tran:{id}")));
    Kind::Order(Mark { key, updates: cart, ..Mark::default() })
}

/// The cart: a tree of bracket names, a text that is JSON, or the cart's lines as text.
fn payment(form: &Value) -> Option<Map<String, Value>> {
    match form.get("payment")? {
        Value::Object(tree) => Some(tree.clone()),
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => {
            let tree = embedded_json(text).and_then(|tree| tree.as_object().cloned());
            Some(tree.unwrap_or_else(|| Map::from_iter([("products".to_owned(), text.as_str().into())])))
        }
        _ => None,
    }
}

fn shape(submission: &Submission) -> Option<Value> {
    let form = submission.form.as_object()?;
    let own = form.iter().filter(|(name, _)| !SERVICE.contains(&name.as_str()));
    let mut shaped = with_found(own.map(|(name, value)| (name.clone(), value.clone())).collect(), &[]);
    let service = SERVICE.iter().filter_map(|name| Some(((*name).to_owned(), form.get(*name)?.clone())));
    shaped.extend(service);
    if let Some(mut payment) = payment(&submission.form) {
        let lines: Vec<Value> = match payment.get("products") {
            Some(Value::String(text)) => {
                text.lines().map(str::trim).filter(|text| !text.is_empty()).map(text_line).collect()
            }
            products => items(products).map(line).collect(),
        };
        payment.insert("products".into(), Value::Array(lines));
        let transaction = payment.get("systranid").and_then(crate::convert::plain).unwrap_or_default();
        payment.insert("paid".into(), Value::Bool(!matches!(transaction.as_str(), "" | "0")));
        shaped.insert("payment".into(), Value::Object(payment));
    }
    for (mark, value) in utm(form.get("COOKIES").and_then(Value::as_str).unwrap_or_default()) {
        shaped.entry(mark).or_insert(Value::String(value));
    }
    Some(Value::Object(shaped))
}

/// The items of a list, or of an object with numbers for keys.
fn items(list: Option<&Value>) -> Box<dyn Iterator<Item = &Value> + '_> {
    match list {
        Some(Value::Array(items)) => Box::new(items.iter()),
        Some(Value::Object(items)) => Box::new(items.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn line(product: &Value) -> Value {
    match product {
        Value::Object(product) => {
            let mut line = product.clone();
            let options: Vec<Value> = items(product.get("options"))
                .filter_map(|option| Some(json!({ "name": option.get("option")?, "value": option.get("variant")? })))
                .collect();
            line.insert("options".into(), Value::Array(options));
            Value::Object(line)
        }
        Value::String(text) => text_line(text),
        other => other.clone(),
    }
}

/// A product as a text: `Mug (MUG-1, Colour: red)=250`, or `Mug - 2x250 = 500`. `Canvas - 20x30=500` is one of that size: a count
/// is one where it makes the sum.
fn text_line(text: &str) -> Value {
    let Some((name, sum)) = text.rsplit_once('=') else {
        return json!({ "name": text, "quantity": 1 });
    };
    let counted = name.rsplit_once(" - ").and_then(|(name, count)| {
        let (quantity, price) = count.trim().split_once('x')?;
        let makes = convert::quantity(quantity).ok()?.checked_mul(convert::money(price, false).ok()?)?;
        let is_sum = convert::money(sum.trim(), false).is_ok_and(|sum| sum == makes);
        is_sum.then(|| json!({ "name": name.trim(), "price": price, "quantity": quantity }))
    });
    counted.unwrap_or_else(|| json!({ "name": name.trim(), "price": sum.trim(), "quantity": 1 }))
}

/// The marks of the cookie `TILDAUTM`, which is encoded once or twice: `utm_source=ig|||utm_medium=cpc|||`.
fn utm(cookies: &str) -> Vec<(String, String)> {
    let cookie = cookies.split(';').find_map(|pair| pair.trim().strip_prefix("TILDAUTM="));
    let Some(mut text) = cookie.map(str::to_owned) else {
        return Vec::new();
    };
    for _ in 0..2 {
        // As one name of a form, which knows how to undo the encoding.
        let name = text.replace('&', "%26").replace('=', "%3D").replace('+', "%2B");
        text = form_urlencoded::parse(name.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default();
    }
    let marks = text.split("|||").map(|mark| mark.trim_start_matches("amp;").trim());
    let pairs = marks.filter_map(|mark| mark.split_once('=')).filter(|(name, _)| name.starts_with("utm_"));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::text_line;

    #[test]
    fn a_count_in_a_text_is_one_where_it_makes_the_sum() {
        let counted =
            |name: &str, quantity: &str, price: &str| json!({ "name": name, "price": price, "quantity": quantity });
        for (text, line) in [
            ("Mug - 2x250 = 500", counted("Mug", "2", "250")),
            ("Cloth - 1,5x200.50 = 300.75", counted("Cloth", "1,5", "200.50")),
            ("Canvas - 20x30=500", json!({ "name": "Canvas - 20x30", "price": "500", "quantity": 1 })),
            ("Canvas - 20x30 - 2x500 = 1000", counted("Canvas - 20x30", "2", "500")),
            (
                "Mug (MUG-1, Colour: red)=250",
                json!({ "name": "Mug (MUG-1, Colour: red)", "price": "250", "quantity": 1 }),
            ),
        ] {
            assert_eq!(text_line(text), line, "{text}");
        }
    }
}
