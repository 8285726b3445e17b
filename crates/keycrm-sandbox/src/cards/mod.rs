//! Cards of funnels: checked, numbered, kept, listed, changed.

mod change;
mod check;
mod show;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::buyers::Buyers;
use crate::dates;
use crate::fields::FieldErrors;
use crate::filters::Filter;
use crate::orders::{dated, numbered};

pub(crate) use change::Change;
pub(crate) use check::{Draft, check};
pub(crate) use show::{INCLUDES, render};

/// The filters that the vendor documents for `/pipelines/cards`, which are all that live answers allow.
pub(crate) const FILTERS: &[&str] = &["pipeline_id", "status_id", "source_id", "created_between", "updated_between"];

/// A card in memory.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) id: u64,
    pub(crate) stored: Map<String, Value>,
}

impl Card {
    /// Reads a stored card; `None` where it is none.
    pub(crate) fn from_stored(stored: &Value) -> Option<Self> {
        let stored = stored.as_object()?.clone();
        Some(Self { id: stored.get("id")?.as_u64()?, stored })
    }

    pub(crate) fn get(&self, key: &str) -> &Value {
        self.stored.get(key).unwrap_or(&Value::Null)
    }

    /// Whether a list with this filter shows the card.
    pub(crate) fn fits(&self, filter: &Filter) -> bool {
        let at = |key: &str| self.get(key).as_str().and_then(dates::parse).map(Timestamp::as_second);
        match filter.name.as_str() {
            "created_between" => filter.spans(at("created_at")),
            "updated_between" => filter.spans(at("updated_at")),
            key => filter.has(&self.get(key).to_string()),
        }
    }
}

/// All cards by ascending id.
#[derive(Debug, Default)]
pub(crate) struct Cards(Vec<Card>);

impl Cards {
    pub(crate) fn next_id(&self) -> u64 {
        self.0.last().map_or(0, |card| card.id) + 1
    }

    pub(crate) fn rows(&self) -> &[Card] {
        &self.0
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Card> {
        let place = self.0.binary_search_by_key(&id, |card| card.id).ok()?;
        self.0.get(place)
    }

    /// Adds a card, or takes the place of the one with its id.
    pub(crate) fn put(&mut self, card: Card) {
        match self.0.binary_search_by_key(&card.id, |row| row.id) {
            Ok(place) => self.0[place] = card,
            Err(place) => self.0.insert(place, card),
        }
    }
}

/// The stored form of a new card. A contact that names a client takes everything from that client.
pub(crate) fn compose(draft: Draft, id: u64, buyers: &Buyers, now: Timestamp) -> Result<Card, FieldErrors> {
    let now_text = json!(dates::iso(now));
    let mut contact = draft.contact;
    if let Some(client) = contact.get("client_id").and_then(Value::as_u64) {
        let Some(buyer) = buyers.get(client) else {
            return Err(FieldErrors::one("contact.client_id", "The selected contact.client_id is invalid."));
        };
        contact = of_client(&buyer.stored());
    }
    let mut stored = draft.flat;
    let mut put = |key: &str, value: Value| stored.insert(key.to_owned(), value);
    put("id", json!(id));
    put("contact_id", json!(id));
    put("pipeline_id", json!(draft.pipeline_id));
    put("status_id", json!(draft.status_id));
    put("contact", Value::Object(contact));
    put("products", numbered(id, draft.products));
    put("payments", numbered(id, draft.payments.into_iter().map(|payment| dated(payment, now)).collect()));
    put("custom_fields", draft.custom_fields.into_iter().map(Value::Object).collect());
    for key in ["created_at", "updated_at", "status_changed_at"] {
        put(key, now_text.clone());
    }
    stored.entry("title").or_insert_with(|| json!(id.to_string()));
    Ok(Card { id, stored })
}

fn of_client(buyer: &Value) -> Map<String, Value> {
    let mut contact = Map::new();
    contact.insert("client_id".to_owned(), buyer["id"].clone());
    contact.insert("full_name".to_owned(), buyer["full_name"].clone());
    contact.insert("email".to_owned(), buyer["email"][0].clone());
    contact.insert("phone".to_owned(), buyer["phone"][0].clone());
    contact
}
