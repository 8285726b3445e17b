//! Shopify's `orders/create` and `orders/updated`: see the README beside this file.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::charges::{Charges, decimal, named};
use super::{Answer, Encoding, Kind, Mark, Preset, Scheme, Signing, by_key, given_up, header, keyed, list, stale};
use crate::convert::plain;
use crate::submission::Submission;

pub(super) static PRESET: Preset = Preset {
    name: "shopify",
    title: "Shopify",
    signing: Some(Signing {
        header: "x-shopify-hmac-sha256",
        prefix: "",
        encoding: Encoding::Base64,
        scheme: Scheme::Body,
    }),
    answer: Answer::Accepted,
    currency: Some("/currency"),
    mapping: include_str!("mapping.toml"),
    readme: include_str!("README.md"),
    snippets: &[],
    kind,
    shape,
};

/// The order of the test button.
const TEST_ORDER: &str = "820982911946154508";

fn kind(submission: &Submission) -> Kind {
    let id = keyed(submission, "/id");
    if header(submission, "x-shopify-test") == "true" || id.as_deref() == Some(TEST_ORDER) {
        return Kind::Ping;
    }
    let topic = header(submission, "x-shopify-topic");
    if !topic.is_empty() && !matches!(topic, "orders/create" | "orders/updated" | "orders/paid") {
        return Kind::Other(format!("the event {topic} is no new order"));
    }
    let Some(id) = id.filter(|_| submission.form.get("line_items").is_some()) else {
        return Kind::Malformed("a Shopify order has `id` and `line_items`".into());
    };
    let time = |name: &str| submission.form.get(name).and_then(Value::as_str)?.parse::<Timestamp>().ok();
    let later = topic == "orders/updated";
    let cancelled = submission.form.get("cancelled_at").is_some_and(Value::is_string);
    let doubt = given_up(if cancelled { "cancelled" } else { "" })
        .or_else(|| stale(submission, time("created_at")).filter(|_| later));
    let changed_at = time("updated_at");
    Kind::Order(Mark { key: Some(format!("order:{id}")), updates: true, changed_at, doubt })
}

fn shape(submission: &Submission) -> Option<Value> {
    let mut form = submission.form.as_object()?.clone();
    form.insert("charges".into(), charges(&form));
    let notes = list(&form, "note_attributes").filter_map(|note| {
        Some(format!("{}: {}", named(note, "name", "?"), plain(note.get("value")?).filter(|text| !text.is_empty())?))
    });
    form.insert("notes_text".into(), notes.collect::<Vec<_>>().join("\n").into());
    form.insert("notes".into(), by_key(form.get("note_attributes"), "name", "value").into());
    // A path with its query: the marks of the first page.
    let landing = form.get("landing_site").and_then(Value::as_str).and_then(|path| path.split_once('?'));
    let marks: Vec<(String, String)> = form_urlencoded::parse(landing.map_or("", |(_, query)| query).as_bytes())
        .into_owned()
        .filter(|(name, _)| name.starts_with("utm_"))
        .take(10)
        .collect();
    for (name, value) in marks {
        form.insert(name, Value::String(value));
    }
    Some(Value::Object(form))
}

/// Several deliveries are one price; taxes that the prices are without, and a tip, are lines.
fn charges(form: &Map<String, Value>) -> Value {
    let mut charges = Charges::default();
    charges.take_off(form.get("total_discounts"));
    if form.get("taxes_included") == Some(&Value::Bool(false)) {
        let label = list(form, "tax_lines").next().map_or("Податок", |tax| named(tax, "title", "Податок"));
        charges.add(label, form.get("total_tax"));
    }
    charges.add("Чайові", form.get("total_tip_received"));
    let mut charges = charges.value();
    let deliveries = list(form, "shipping_lines").filter_map(|line| line.get("price").and_then(decimal));
    charges["shipping"] = deliveries.sum::<Decimal>().normalize().to_string().into();
    charges
}
