//! Google Forms through the script beside this file: see the README.

use serde_json::{Map, Value, json};

use super::fields::with_found;
use super::{Answer, Kind, Mark, PAROM, Preset, keyed};
use crate::submission::Submission;

pub(super) static PRESET: Preset = Preset {
    name: "googleforms",
    title: "Google Forms",
    signing: Some(PAROM),
    answer: Answer::Accepted,
    currency: None,
    mapping: include_str!("mapping.toml"),
    readme: include_str!("README.md"),
    snippets: &[("parom.gs", include_str!("parom.gs"))],
    kind,
    shape,
};

fn kind(submission: &Submission) -> Kind {
    if answers(&submission.form).is_none() {
        return Kind::Malformed("the script sends the answers under `answers`".into());
    }
    let id = keyed(submission, "/responseId");
    Kind::Order(Mark { key: id.map(|id| format!("response:{id}")), ..Mark::default() })
}

/// The form's answers, or the values of the sheet's row by their columns.
fn answers(form: &Value) -> Option<&Map<String, Value>> {
    form.get("answers").or_else(|| form.get("namedValues"))?.as_object()
}

fn shape(submission: &Submission) -> Option<Value> {
    let form = &submission.form;
    let single = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([only]) => only.clone(),
        _ => value.clone(),
    };
    let fields = answers(form)?.iter().map(|(name, value)| (name.clone(), single(value))).collect();
    let mut shaped = with_found(fields, &[]);
    let email = form.get("respondentEmail").filter(|email| !crate::convert::is_empty(email));
    if let (Some(email), Some(Value::Object(found))) = (email, shaped.get_mut("found")) {
        found.entry("email").or_insert_with(|| email.clone());
    }
    shaped.insert("sent".into(), json!({ "form": form.get("formTitle"), "at": form.get("submittedAt") }));
    Some(Value::Object(shaped))
}
