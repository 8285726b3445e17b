//! An order of Prom.ua's API: see the README beside this file.

use jiff::Timestamp;
use serde_json::Value;

use super::{Answer, Kind, Mark, Preset, given_up, single};
use crate::convert::plain;
use crate::submission::Submission;

pub(super) static PRESET: Preset = Preset {
    name: "prom",
    title: "Prom.ua",
    signing: None,
    answer: Answer::Accepted,
    currency: None,
    mapping: include_str!("mapping.toml"),
    readme: include_str!("README.md"),
    snippets: &[],
    kind,
    shape,
};

fn kind(submission: &Submission) -> Kind {
    let order = match single(&submission.form, &["/order", "/orders"]) {
        Ok(order) => order,
        Err(kind) => return kind,
    };
    let Some(id) = order.get("id").and_then(plain).filter(|_| order.get("products").is_some()) else {
        return Kind::Malformed("an order of Prom has `id` and `products`".into());
    };
    let changed = order.get("date_modified").and_then(Value::as_str);
    let changed_at = changed.and_then(|text| text.parse::<Timestamp>().ok());
    let doubt = given_up(order.get("status").and_then(Value::as_str).unwrap_or_default());
    Kind::Order(Mark { key: Some(format!("order:{id}")), updates: true, changed_at, doubt })
}

fn shape(submission: &Submission) -> Option<Value> {
    single(&submission.form, &["/order", "/orders"]).ok().cloned()
}
