//! `PUT /pipelines/cards/{id}`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Card;
use crate::dates;
use crate::fields::{FieldErrors, Fields};
use crate::lines;
use crate::orders::numbered;
use crate::rules::Rules;

/// A checked body. `manager_comment` is not in it: the CRM takes it and does nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    flat: Map<String, Value>,
    client_id: Option<u32>,
    products: Vec<Map<String, Value>>,
    custom_fields: Vec<Map<String, Value>>,
}

impl Change {
    pub(crate) fn check(body: &Map<String, Value>, rules: Rules<'_>) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut change = Self::default();
        let mut top = Fields::new(body, String::new(), &mut errors);
        top.texts(&["title", "note"]);
        top.choice("status_id", |id| rules.directory.card_status(id).is_some());
        top.choice("source_id", |id| rules.directory.source(id).is_some());
        change.client_id = top.choice("client_id", |_| true);
        top.kept.remove("client_id");
        top.integer("manager_id");
        top.instant("communicate_at");
        let products = top.list("products");
        let custom_fields = top.list("custom_fields");
        change.flat = top.kept;
        change.products = lines::card_products(&products, rules, &mut errors);
        change.custom_fields = lines::custom_fields(&custom_fields, "lead", rules, &mut errors);
        if errors.is_empty() { Ok(change) } else { Err(errors) }
    }

    /// The buyer that the card's contact is to be.
    pub(crate) fn client_id(&self) -> Option<u64> {
        self.client_id.map(u64::from)
    }

    /// Changes a card. Products are always added, never changed.
    pub(crate) fn apply(self, card: &mut Card, rules_pipeline: impl FnOnce(u32) -> Option<u32>, now: Timestamp) {
        let stored = &mut card.stored;
        let now = json!(dates::iso(now));
        let status = self.flat.get("status_id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
        if let Some(pipeline) = status.and_then(rules_pipeline) {
            stored.insert("pipeline_id".to_owned(), json!(pipeline));
            stored.insert("status_changed_at".to_owned(), now.clone());
        }
        stored.extend(self.flat);
        if let (Some(client), Some(contact)) = (self.client_id, stored.get_mut("contact")) {
            contact["client_id"] = json!(client);
        }
        append(stored, card.id, self.products);
        if let Some(fields) = stored.get_mut("custom_fields").and_then(Value::as_array_mut) {
            for field in self.custom_fields {
                fields.retain(|old| Some(&old["uuid"]) != field.get("uuid"));
                fields.push(Value::Object(field));
            }
        }
        stored.insert("updated_at".to_owned(), now);
    }
}

/// Adds lines behind the present ones; all are numbered by their places.
fn append(stored: &mut Map<String, Value>, id: u64, lines: Vec<Map<String, Value>>) {
    let old = stored.get("products").and_then(Value::as_array).cloned().unwrap_or_default();
    let old = old.into_iter().filter_map(|line| line.as_object().cloned());
    stored.insert("products".to_owned(), numbered(id, old.chain(lines).collect()));
}
