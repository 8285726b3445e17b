//! OpenCart 3 and 4 through the event handlers beside this file: see the README.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::charges::{Charges, named};
use super::{Answer, Kind, Mark, PAROM, Preset, header, keyed, list};
use crate::submission::Submission;

pub(super) static PRESET: Preset = Preset {
    name: "opencart",
    title: "OpenCart",
    signing: Some(PAROM),
    answer: Answer::Accepted,
    currency: Some("/currency_code"),
    mapping: include_str!("mapping.toml"),
    readme: include_str!("README.md"),
    snippets: &[("parom-oc3.php", include_str!("parom-oc3.php")), ("parom-oc4.php", include_str!("parom-oc4.php"))],
    kind,
    shape,
};

fn kind(submission: &Submission) -> Kind {
    let at = if submission.form.get("order").is_some_and(Value::is_object) { "/order" } else { "" };
    let id = keyed(submission, &format!("{at}/order_id")).filter(|id| id != "0");
    let products = ["/products".to_owned(), format!("{at}/products")];
    let Some(id) = id.filter(|_| products.iter().any(|path| submission.form.pointer(path).is_some())) else {
        return Kind::Malformed("an order is sent with its `order_id` and its `products`".into());
    };
    // The shop's own times have no zone; the time of the signature has, and grows with each change.
    let seconds: Option<i64> = header(submission, "x-parom-timestamp").parse().ok();
    let changed_at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    // A shop that was set up anew gives its numbers a second time.
    let made = keyed(submission, &format!("{at}/date_added")).map(|text| format!(":{text}")).unwrap_or_default();
    let later = submission.form.get("event").and_then(Value::as_str) == Some("order.updated");
    let doubt = later.then(|| {
        "its sender tells of a change of an order that never came here: it may be in the CRM by another way".to_owned()
    });
    Kind::Order(Mark { key: Some(format!("order:{id}{made}")), updates: true, changed_at, doubt })
}

fn shape(submission: &Submission) -> Option<Value> {
    let mut form = in_parts(submission.form.as_object()?.clone());
    let order = form.get_mut("order")?.as_object_mut()?;
    for method in ["payment_method", "shipping_method"] {
        // A text in OpenCart 3, an object in OpenCart 4.
        if let Some(name) = order.get(method).and_then(|method| method.get("name")).cloned() {
            order.insert(method.to_owned(), name);
        }
    }
    let totals = form.get("totals").and_then(Value::as_array).into_iter().flatten();
    let totals: Vec<(String, Value)> = totals
        .filter_map(|total| Some((total.get("code")?.as_str()?.to_owned(), total.get("value")?.clone())))
        .collect();
    form.insert("charges".into(), charges(&form));
    form.insert("total".into(), Value::Object(totals.into_iter().collect()));
    Some(Value::Object(form))
}

/// `order`, `products` and `totals` beside each other, as the handlers send them. A module may send the order's array as it is,
/// with both in it.
fn in_parts(mut form: Map<String, Value>) -> Map<String, Value> {
    if !form.get("order").is_some_and(Value::is_object) {
        let event = form.remove_entry("event");
        form = event.into_iter().chain([("order".to_owned(), Value::Object(form))]).collect();
    }
    for name in ["products", "totals", "vouchers"] {
        let within = form.get_mut("order").and_then(Value::as_object_mut).and_then(|order| order.remove(name));
        if let Some(rows) = within {
            form.entry(name).or_insert(rows);
        }
        // A form's numbered names.
        if let Some(rows) = form.get_mut(name)
            && let Value::Object(numbered) = rows
        {
            *rows = numbered.values().cloned().collect();
        }
    }
    form
}

/// What the shop adds to its products (a tax, a packing, a gift certificate that is bought) and takes off (a coupon, a voucher,
/// points).
fn charges(form: &Map<String, Value>) -> Value {
    let mut charges = Charges::default();
    for bought in list(form, "vouchers") {
        charges.add(named(bought, "description", "voucher"), bought.get("amount"));
    }
    for total in list(form, "totals") {
        let code = total.get("code").and_then(Value::as_str).unwrap_or_default();
        if !matches!(code, "sub_total" | "total" | "shipping") {
            charges.add(named(total, "title", code), total.get("value"));
        }
    }
    charges.value()
}
