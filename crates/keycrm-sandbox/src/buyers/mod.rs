//! Buyers: made by orders or by `POST /buyer`, found again by phone or e-mail.

mod check;
mod show;

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::dates;
use crate::filters::{Filter, digits};

pub(crate) use check::check;
pub(crate) use show::{INCLUDES, render};

/// The filters that the vendor documents for `/buyer`.
pub(crate) const FILTERS: &[&str] = &["buyer_id", "buyer_phone", "buyer_email", "created_between", "updated_between"];

/// A buyer in memory.
#[derive(Clone, Debug)]
pub(crate) struct Buyer {
    pub(crate) id: u64,
    pub(crate) line: Box<str>,
}

impl Buyer {
    /// The stored buyer as a tree.
    pub(crate) fn stored(&self) -> Value {
        serde_json::from_str(&self.line).unwrap_or_default()
    }

    /// Whether a list with this filter shows the buyer.
    pub(crate) fn fits(&self, filter: &Filter) -> bool {
        let stored = self.stored();
        let any = |key: &str, fits: &dyn Fn(&str) -> bool| {
            stored[key].as_array().into_iter().flatten().filter_map(Value::as_str).any(fits)
        };
        let created = stored["created_at"].as_str().and_then(dates::parse).map(Timestamp::as_second);
        match filter.name.as_str() {
            "buyer_id" => filter.has(&self.id.to_string()),
            "buyer_phone" => any("phone", &|phone| filter.has_phone(phone)),
            "buyer_email" => any("email", &|email| filter.has_email(email)),
            "created_between" | "updated_between" => filter.spans(created),
            _ => true,
        }
    }
}

/// All buyers by ascending id, with the indexes that orders are matched by.
#[derive(Debug, Default)]
pub(crate) struct Buyers {
    rows: Vec<Buyer>,
    by_phone: HashMap<String, u64>,
    by_email: HashMap<String, u64>,
}

impl Buyers {
    pub(crate) fn next_id(&self) -> u64 {
        self.rows.last().map_or(0, |buyer| buyer.id) + 1
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Buyer> {
        let place = self.rows.binary_search_by_key(&id, |buyer| buyer.id).ok()?;
        self.rows.get(place)
    }

    pub(crate) fn rows(&self) -> &[Buyer] {
        &self.rows
    }

    /// The buyer that an order's `buyer` means: by the digits of the phone, else by e-mail. How the CRM matches is
    /// not published; that it does is.
    pub(crate) fn matching(&self, buyer: &Map<String, Value>) -> Option<u64> {
        let text = |key: &str| buyer.get(key).and_then(Value::as_str);
        let phone = text("phone").map(digits).filter(|digits| !digits.is_empty());
        let by_phone = phone.and_then(|digits| self.by_phone.get(&digits));
        let by_email = || text("email").and_then(|email| self.by_email.get(&email.to_lowercase()));
        by_phone.or_else(by_email).copied()
    }

    /// Adds a stored buyer; one whose id is there already is left as it is.
    pub(crate) fn add(&mut self, stored: &Value) {
        let Some(id) = stored["id"].as_u64() else { return };
        let Err(place) = self.rows.binary_search_by_key(&id, |buyer| buyer.id) else { return };
        let texts = |key: &str| stored[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        for phone in texts("phone").map(digits).filter(|digits| !digits.is_empty()) {
            self.by_phone.entry(phone).or_insert(id);
        }
        for email in texts("email") {
            self.by_email.entry(email.to_lowercase()).or_insert(id);
        }
        self.rows.insert(place, Buyer { id, line: stored.to_string().into() });
    }
}

/// The stored form of a new buyer.
pub(crate) fn compose(fields: Map<String, Value>, id: u64, now: Timestamp) -> Value {
    let mut buyer = Value::Object(fields);
    buyer["id"] = json!(id);
    buyer["created_at"] = json!(dates::iso(now));
    buyer["updated_at"] = json!(dates::iso(now));
    buyer
}

/// The buyer that a stored order has, with lists where the order has single texts.
pub(crate) fn of_order(order: &Map<String, Value>) -> Value {
    let buyer = order.get("buyer").cloned().unwrap_or_default();
    let list = |value: &Value| if value.is_null() { json!([]) } else { json!([value]) };
    json!({
        "id": buyer["id"], "full_name": buyer["full_name"], "email": list(&buyer["email"]),
        "phone": list(&buyer["phone"]), "created_at": order.get("created_at"), "updated_at": order.get("created_at"),
    })
}
