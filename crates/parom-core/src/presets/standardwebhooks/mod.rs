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
    mapping: include_str!("mapping.toml"),
    readme: include_str!("README.md"),
    snippets: &[],
    kind,
    shape,
};

/// How the names of events end that bring something new.
const NEW: [&str; 5] = ["created", "placed", "new", "submitted", "completed"];

fn kind(submission: &Submission) -> Kind {
    let event = submission.form.get("type").and_then(Value::as_str).unwrap_or_default();
    let word = event.rsplit(['.', '_', ':']).next().unwrap_or_default();
    // The specification leaves the payload open, so a later event cannot be told to hold the whole order.
    if !event.is_empty() && !NEW.contains(&word) {
        return Kind::Other(format!("the event {event} is no new order"));
    }
    let id = header(submission, "webhook-id");
    Kind::Order(Mark { key: (!id.is_empty()).then(|| format!("event:{id}")), ..Mark::default() })
}

fn shape(_: &Submission) -> Option<Value> {
    None
}
