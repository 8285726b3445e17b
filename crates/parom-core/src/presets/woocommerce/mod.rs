//! WooCommerce webhooks `order.created` and `order.updated`: see the README beside this file.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::charges::{Charges, named};
use super::{Answer, Encoding, Kind, Mark, Preset, Scheme, Signing, by_key, given_up, header, keyed, list, stale};
use crate::submission::Submission;

pub(super) static PRESET: Preset = Preset {
    name: "woocommerce",
    title: "WooCommerce",
    signing: Some(Signing {
        header: "x-wc-webhook-signature",
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

/// Orders that the buyer has not placed yet, or that were thrown away.
const NO_ORDERS: [&str; 3] = ["checkout-draft", "auto-draft", "trash"];

fn kind(submission: &Submission) -> Kind {
    let form = &submission.form;
    let fields = form.as_object();
    if fields.is_some_and(|fields| fields.is_empty() || (fields.len() == 1 && fields.contains_key("webhook_id"))) {
        return Kind::Ping;
    }
    let topic = header(submission, "x-wc-webhook-topic");
    if !topic.is_empty() && !matches!(topic, "order.created" | "order.updated" | "order.restored") {
        return Kind::Other(format!("the event {topic} is no order"));
    }
    let Some(id) = keyed(submission, "/id").filter(|_| form.get("line_items").is_some()) else {
        return Kind::Malformed("a WooCommerce order has `id` and `line_items`".into());
    };
    let status = form.get("status").and_then(Value::as_str).unwrap_or_default();
    if NO_ORDERS.contains(&status) {
        return Kind::Other(format!("the order {id} is `{status}`"));
    }
    let time = |name: &str| {
        let text = form.get(name).and_then(Value::as_str)?;
        Some((text.to_owned(), format!("{text}Z").parse::<Timestamp>().ok()))
    };
    let created = time("date_created_gmt");
    // A shop that was set up anew gives its numbers a second time.
    let made = created.as_ref().map(|(text, _)| format!(":{text}")).unwrap_or_default();
    let later = topic == "order.updated";
    let doubt = given_up(status).or_else(|| stale(submission, created.and_then(|(_, at)| at)).filter(|_| later));
    let changed_at = time("date_modified_gmt").and_then(|(_, at)| at);
    Kind::Order(Mark { key: Some(format!("order:{id}{made}")), updates: true, changed_at, doubt })
}

fn shape(submission: &Submission) -> Option<Value> {
    let mut form = submission.form.as_object()?.clone();
    let lines = form.get("line_items")?.as_array()?.iter().map(with_options).collect();
    form.insert("line_items".into(), Value::Array(lines));
    form.insert("charges".into(), charges(&form));
    form.insert("meta".into(), by_key(form.get("meta_data"), "key", "value").into());
    let shipping = form.get("shipping_lines").and_then(|lines| lines.get(0));
    let shipping = by_key(shipping.and_then(|line| line.get("meta_data")), "key", "value");
    form.insert("shipping_meta".into(), shipping.into());
    Some(Value::Object(form))
}

/// Fees (a packaging, a payment on delivery) and taxes, which the prices of the lines are without; a fee below nothing is a
/// discount.
fn charges(form: &Map<String, Value>) -> Value {
    let mut charges = Charges::default();
    charges.take_off(form.get("discount_total"));
    for fee in list(form, "fee_lines") {
        charges.add(named(fee, "name", "Комісія"), fee.get("total"));
    }
    let label = list(form, "tax_lines").next().map_or("Податок", |tax| named(tax, "label", "Податок"));
    charges.add(label, form.get("total_tax"));
    charges.value()
}

/// A line with the buyer's choices as `options`; keys that start with `_` are the plugins' own.
fn with_options(line: &Value) -> Value {
    let mut line: Map<String, Value> = line.as_object().cloned().unwrap_or_default();
    let meta = line.get("meta_data").and_then(Value::as_array).into_iter().flatten();
    let options: Vec<Value> = meta
        .filter_map(|entry| {
            let key = entry.get("key")?.as_str().filter(|key| !key.starts_with('_'))?;
            let text = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            Some(json!({ "name": text("display_key").unwrap_or(key), "value": text("display_value").or(text("value"))? }))
        })
        .collect();
    line.insert("options".into(), Value::Array(options));
    Value::Object(line)
}
