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
    mapping: include_str!("mapping.toml"),
    readme: include_str!("README.md"),
    snippets: &[("parom-oc3.php", include_str!("parom-oc3.php")), ("parom-oc4.php", include_str!("parom-oc4.php"))],
    kind,
    shape,
};

fn kind(submission: &Submission) -> Kind {
    let id = keyed(submission, "/order/order_id").filter(|id| id != "0");
    let Some(id) = id.filter(|_| submission.form.get("products").is_some()) else {
        return Kind::Malformed("the handler sends `order` with its `order_id`, and `products`".into());
    };
    // The shop's own times have no zone; the time of the signature has, and grows with each change.
    let seconds: Option<i64> = header(submission, "x-parom-timestamp").parse().ok();
    let changed_at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    // A shop that was set up anew gives its numbers a second time.
    let made = keyed(submission, "/order/date_added").map(|text| format!(":{text}")).unwrap_or_default();
    let later = submission.form.get("event").and_then(Value::as_str) == Some("order.updated");
    let doubt = later.then(|| {
        "its sender tells of a change of an order that never came here: it may be in the CRM by another way".to_owned()
    });
    Kind::Order(Mark { key: Some(format!("order:{id}{made}")), updates: true, changed_at, doubt })
}

fn shape(submission: &Submission) -> Option<Value> {
    let mut form = submission.form.as_object()?.clone();
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

/// What the shop adds to its products (a tax, a packing) and takes off (a coupon, a voucher, points).
fn charges(form: &Map<String, Value>) -> Value {
    let mut charges = Charges::default();
    for total in list(form, "totals") {
        let code = total.get("code").and_then(Value::as_str).unwrap_or_default();
        if !matches!(code, "sub_total" | "total" | "shipping") {
            charges.add(named(total, "title", code), total.get("value"));
        }
    }
    charges.value()
}
