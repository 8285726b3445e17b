//! Elementor Pro's webhook, plain and with "Advanced data": see the README beside this file.

use serde_json::{Map, Value, json};

use super::fields::{add, with_found};
use super::{Answer, Kind, Mark, Preset};
use crate::submission::Submission;

pub(super) static PRESET: Preset = Preset {
    name: "elementor",
    title: "Elementor Pro",
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
        _ => Kind::Malformed("Elementor sends a form's fields".into()),
    }
}

fn shape(submission: &Submission) -> Option<Value> {
    let form = submission.form.as_object()?;
    let advanced = form.get("fields").and_then(Value::as_object).filter(|fields| fields.values().all(Value::is_object));
    let Some(fields) = advanced else {
        // Posted by the page itself, the fields stand in a group of their own.
        let form = form.get("form_fields").and_then(Value::as_object).unwrap_or(form);
        let own = form.iter().filter(|(name, _)| !matches!(name.as_str(), "form_id" | "form_name"));
        let mut shaped = with_found(own.map(|(name, value)| (name.clone(), value.clone())).collect(), &[]);
        shaped.insert("sent".into(), json!({ "form": form.get("form_name") }));
        return Some(Value::Object(shaped));
    };
    let (mut named, mut hints) = (Map::new(), Vec::new());
    for (id, field) in fields {
        let text = |key: &str| field.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let name = text("title").unwrap_or(id).to_owned();
        // `raw_value` is what was chosen, `value` how it is shown.
        let value = field.get("raw_value").filter(|raw| !crate::convert::is_empty(raw)).or_else(|| field.get("value"));
        let name = add(&mut named, &name, value.cloned().unwrap_or_default());
        match text("type") {
            Some("tel") => hints.push(("phone", name)),
            Some("email") => hints.push(("email", name)),
            _ => {}
        }
    }
    let page = form.get("meta").and_then(|meta| meta.get("page_url")?.get("value"));
    named.extend(page.map(|page| ("page_url".to_owned(), page.clone())));
    let mut shaped = with_found(named, &hints);
    // The fields by their ids too, and never the form's own name in the place of the buyer's.
    shaped.insert("fields".into(), Value::Object(fields.clone()));
    shaped.insert("sent".into(), json!({ "form": form.get("form").and_then(|form| form.get("name")) }));
    Some(Value::Object(shaped))
}
