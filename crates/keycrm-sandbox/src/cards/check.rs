//! The rules of `POST /pipelines/cards`.

use serde_json::{Map, Value};

use crate::fields::{FieldErrors, Fields};
use crate::orders::MARKETING_TEXTS;
use crate::rules::Rules;
use crate::{email, lines};

/// What a valid body asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) pipeline_id: u32,
    pub(crate) status_id: Option<u32>,
    /// Title, comment, source, marks: as they will be shown.
    pub(crate) flat: Map<String, Value>,
    pub(crate) contact: Map<String, Value>,
    pub(crate) products: Vec<Map<String, Value>>,
    pub(crate) payments: Vec<Map<String, Value>>,
    pub(crate) custom_fields: Vec<Map<String, Value>>,
}

/// Checks a body; a key that no rule names is dropped without a word.
pub(crate) fn check(body: &Map<String, Value>, rules: Rules<'_>) -> Result<Draft, FieldErrors> {
    let mut errors = FieldErrors::default();
    let mut draft = Draft::default();
    let mut top = Fields::new(body, String::new(), &mut errors);
    top.texts(&["title", "manager_comment"]);
    top.texts(MARKETING_TEXTS);
    top.integer("manager_id");
    top.instant("communicate_at");
    top.choice("source_id", |id| rules.directory.source(id).is_some());
    place(&mut top, rules, &mut draft);
    if top.get("contact").is_none() {
        top.refuse("contact", "field is required.");
    }
    let contact_object = top.object("contact");
    let products = top.list("products");
    let payments = top.list("payments");
    let custom_fields = top.list("custom_fields");
    draft.flat = top.kept;
    if let Some(object) = contact_object {
        draft.contact = contact(object, &mut errors);
    }
    if draft.contact.contains_key("client_id") {
        // Seen live: a card made on a client starts where all cards start.
        draft.status_id = first_status(draft.pipeline_id, rules);
    }
    draft.products = lines::card_products(&products, rules, &mut errors);
    draft.payments = lines::payments(&payments, rules, &mut errors);
    draft.custom_fields = lines::custom_fields(&custom_fields, "lead", rules, &mut errors);
    if errors.is_empty() { Ok(draft) } else { Err(errors) }
}

/// The funnel, the account's first where none is named, and the state in it.
fn place(top: &mut Fields<'_, '_>, rules: Rules<'_>, draft: &mut Draft) {
    let named = top.choice("pipeline_id", |id| rules.directory.pipeline(id).is_some());
    let first = || rules.directory.pipelines.first().map(|pipeline| pipeline.id);
    draft.pipeline_id = named.or_else(first).unwrap_or_default();
    let of_pipeline =
        |id| rules.directory.card_status(id).is_some_and(|(pipeline, _)| pipeline.id == draft.pipeline_id);
    let status = top.choice("status_id", of_pipeline);
    draft.status_id = status.or_else(|| first_status(draft.pipeline_id, rules));
}

fn first_status(pipeline: u32, rules: Rules<'_>) -> Option<u32> {
    rules.directory.pipeline(pipeline)?.statuses.first().map(|status| status.id)
}

/// With a `client_id` nothing else of a contact is looked at.
fn contact(object: &Map<String, Value>, errors: &mut FieldErrors) -> Map<String, Value> {
    let mut fields = Fields::new(object, "contact.".to_owned(), errors);
    if fields.get("client_id").is_some() {
        fields.choice("client_id", |_| true);
        return fields.kept;
    }
    fields.texts(&["full_name", "phone"]);
    if let Some(address) = fields.text("email")
        && !email::is_valid(&address)
    {
        fields.refuse("email", "must be a valid email address.");
    }
    fields.kept
}
