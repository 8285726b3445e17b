//! Typeform's `form_response`: see the README beside this file.

use serde_json::{Map, Value, json};

use super::fields::{add, with_found};
use super::{Answer, Encoding, Kind, Mark, Preset, Scheme, Signing, keyed};
use crate::convert::plain;
use crate::submission::Submission;

pub(super) static PRESET: Preset = Preset {
    name: "typeform",
    title: "Typeform",
    signing: Some(Signing {
        header: "typeform-signature",
        prefix: "sha256=",
        encoding: Encoding::Base64,
        scheme: Scheme::Body,
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
    if let Some(event) = form.get("event_type").and_then(Value::as_str).filter(|event| *event != "form_response") {
        return Kind::Other(format!("the event {event} is no finished form"));
    }
    if form.pointer("/form_response/answers").is_none_or(|answers| !answers.is_array()) {
        return Kind::Malformed("Typeform sends the answers under `form_response.answers`".into());
    }
    let token = keyed(submission, "/form_response/token");
    Kind::Order(Mark { key: token.map(|token| format!("response:{token}")), ..Mark::default() })
}

fn shape(submission: &Submission) -> Option<Value> {
    let response = submission.form.get("form_response")?;
    let questions = response.pointer("/definition/fields").and_then(Value::as_array);
    let (mut fields, mut hints) = (Map::new(), Vec::new());
    for answer in response.get("answers")?.as_array()? {
        let kind = answer.get("type").and_then(Value::as_str).unwrap_or_default();
        let id = answer.pointer("/field/id");
        let question = questions.into_iter().flatten().find(|question| question.get("id") == id && id.is_some());
        let title = question.and_then(|question| question.get("title")?.as_str());
        // Titles may hold marks of bold text.
        let name = title.or_else(|| answer.pointer("/field/ref")?.as_str()).unwrap_or(kind).replace('*', "");
        let name = add(&mut fields, &name, value(answer, kind));
        match kind {
            "phone_number" => hints.push(("phone", name)),
            "email" => hints.push(("email", name)),
            _ => {}
        }
    }
    let hidden = response.get("hidden").and_then(Value::as_object).into_iter().flatten();
    for (name, value) in hidden {
        add(&mut fields, name, value.clone());
    }
    let mut shaped = with_found(fields, &hints);
    let form = response.pointer("/definition/title");
    shaped.insert("sent".into(), json!({ "form": form, "at": response.get("submitted_at") }));
    Some(Value::Object(shaped))
}

/// An answer as a text, a number or a list of texts.
fn value(answer: &Value, kind: &str) -> Value {
    let given = answer.get(kind).unwrap_or(&Value::Null);
    match kind {
        "choice" => given.get("label").or_else(|| given.get("other")).cloned().unwrap_or_default(),
        "choices" => {
            let labels = given.get("labels").and_then(Value::as_array).into_iter().flatten();
            labels.chain(given.get("other")).cloned().collect()
        }
        "payment" => given.get("amount").cloned().unwrap_or_default(),
        "boolean" => Value::String(if given == &Value::Bool(true) { "так" } else { "ні" }.to_owned()),
        _ if given.is_object() => plain(given).map(Value::String).unwrap_or_else(|| Value::String(given.to_string())),
        _ => given.clone(),
    }
}
