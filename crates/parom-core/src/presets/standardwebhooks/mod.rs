//! Whatever follows the Standard Webhooks specification: see the README beside this file.

use serde_json::Value;

use super::{Answer, Encoding, Kind, Mark, Preset, Scheme, Signing, header};
use crate::submission::Submission;

pub(super) static PRESET: Preset = Preset {
    name: "standardwebhooks",
    title: "Standard Webhooks",
    signing: Some(Signing {
        header: "webhook-signature",
        prefix: "v1,",
        encoding: Encoding::Base64,
        scheme: Scheme::StandardWebhooks,
    }),
    answer: Answer::Accepted,
    currency: None,
    mapping: include_str!("mapping.toml"),
    readme: include_str!("README.md"),
    snippets: &[],
    kind,
    shape,
};

/// Words of events that are about something known: the specification leaves the payload open, so a later event cannot be
/// told to hold the whole order. Whatever else an event is called is taken: no order is dropped for its name.
const LATER: [&str; 12] = [
    "updated",
    "update",
    "changed",
    "deleted",
    "canceled",
    "cancelled",
    "refunded",
    "shipped",
    "fulfilled",
    "failed",
    "archived",
    "returned",
];

fn kind(submission: &Submission) -> Kind {
    let event = submission.form.get("type").and_then(Value::as_str).unwrap_or_default();
    let is_later = |word: &str| LATER.contains(&word);
    if words(event).iter().any(|word| is_later(word)) {
        return Kind::Other(format!("the event {event} is no new order"));
    }
    let id = header(submission, "webhook-id");
    Kind::Order(Mark { key: (!id.is_empty()).then(|| format!("event:{id}")), ..Mark::default() })
}

/// `order.updated`, `orderUpdated`, `ORDER_UPDATED`: the words in small letters.
fn words(event: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in event.chars() {
        if !c.is_alphanumeric() || (small && c.is_uppercase()) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.extend(c.to_lowercase()));
        }
        small = c.is_lowercase();
    }
    words
}

fn shape(_: &Submission) -> Option<Value> {
    None
}
