//! Contact Form 7 through the plugin "CF7 to Webhook": see the README beside this file.

use serde_json::Value;

use super::fields::with_found;
use super::{Answer, Kind, Mark, Preset};
use crate::submission::Submission;

pub(super) static PRESET: Preset = Preset {
    name: "cf7",
    title: "Contact Form 7",
    signing: None,
    answer: Answer::Ok,
    currency: None,
    mapping: include_str!("mapping.toml"),
    readme: include_str!("README.md"),
    snippets: &[],
    kind,
    shape,
};

fn kind(submission: &Submission) -> Kind {
    match submission.form.as_object() {
        Some(fields) if !fields.is_empty() => Kind::Order(Mark::default()),
        _ => Kind::Malformed("the plugin sends the form's fields as a JSON object".into()),
    }
}

fn shape(submission: &Submission) -> Option<Value> {
    let fields = submission.form.as_object()?;
    Some(Value::Object(with_found(fields.clone(), &[])))
}
