//! Webflow's `form_submission`: see the README beside this file.

use serde_json::{Value, json};

use super::fields::with_found;
use super::{Answer, Encoding, Kind, Mark, Preset, Scheme, Signing, Unit, keyed};
use crate::submission::Submission;

pub(super) static PRESET: Preset = Preset {
    name: "webflow",
    title: "Webflow",
    signing: Some(Signing {
        header: "x-webflow-signature",
        prefix: "",
        encoding: Encoding::Hex,
        scheme: Scheme::Stamped { header: "x-webflow-timestamp", separator: ":", unit: Unit::Millis },
    }),
    answer: Answer::Ok,
    currency: None,
    mapping: include_str!("mapping.toml"),
    readme: include_str!("README.md"),
    snippets: &[],
    kind,
    shape,
};

fn kind(submission: &Submission) -> Kind {
    let form = &submission.form;
    if let Some(event) = form.get("triggerType").and_then(Value::as_str).filter(|event| *event != "form_submission") {
        return Kind::Other(format!("the event {event} is no form"));
    }
    if is_native(submission) {
        return Kind::Order(Mark::default());
    }
    if envelope(form).and_then(|envelope| envelope.get("data")).is_none_or(|data| !data.is_object()) {
        return Kind::Malformed("Webflow sends the form's fields under `payload.data`".into());
    }
    let id = keyed(submission, "/payload/id").or_else(|| keyed(submission, "/_id"));
    Kind::Order(Mark { key: id.map(|id| format!("submission:{id}")), ..Mark::default() })
}

/// A form whose own `action` is this address: its fields alone, as a browser posts them.
fn is_native(submission: &Submission) -> bool {
    !submission.flat.is_empty() && submission.form.get("payload").is_none() && submission.form.get("data").is_none()
}

/// The second version's `payload`, or the first version's body.
fn envelope(form: &Value) -> Option<&Value> {
    form.get("payload").or(Some(form)).filter(|envelope| envelope.is_object())
}

fn shape(submission: &Submission) -> Option<Value> {
    if is_native(submission) {
        return Some(Value::Object(with_found(submission.form.as_object()?.clone(), &[])));
    }
    let envelope = envelope(&submission.form)?;
    let mut shaped = with_found(envelope.get("data")?.as_object()?.clone(), &[]);
    let at = envelope.get("submittedAt").or_else(|| envelope.get("d"));
    shaped.insert("sent".into(), json!({ "form": envelope.get("name"), "at": at }));
    Some(Value::Object(shaped))
}
