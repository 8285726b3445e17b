//! The CRM's order and its card, field by field, as the vendor's `POST /order`, `POST /pipelines/cards` and the published
//! script have them.
//!
//! Names that a channel file may write instead of an id (`source`, `delivery_service`, `pipeline`, `status`, a custom
//! field's `name`) stand here too; the account's dictionaries turn them into ids, and the CRM never gets them.

use super::Target;
use crate::convert::Kind;

/// One place in the order.
#[derive(Debug)]
pub struct Entry {
    /// The CRM's name.
    pub name: &'static str,
    /// What stands there.
    pub shape: Shape,
}

/// What stands at a place.
#[derive(Debug)]
pub enum Shape {
    /// A value. A bad vital one holds the order; the order can do without a bad spare one.
    Value {
        /// What it holds.
        kind: Kind,
        /// Whether a bad value would make the order wrong.
        vital: bool,
    },
    /// A group of fields.
    Object(&'static [Entry]),
    /// A list of groups.
    List(&'static [Entry]),
}

const fn spare(name: &'static str, kind: Kind) -> Entry {
    Entry { name, shape: Shape::Value { kind, vital: false } }
}

const fn vital(name: &'static str, kind: Kind) -> Entry {
    Entry { name, shape: Shape::Value { kind, vital: true } }
}

/// The fields of a target, in the order in which they are sent.
#[must_use]
pub fn of(target: Target) -> &'static [Entry] {
    match target {
        Target::Order => ORDER,
        Target::Card => CARD,
    }
}

static ORDER: &[Entry] = &[
    vital("source_id", Kind::Integer),
    vital("source", Kind::Text),
    vital("source_uuid", Kind::OrderNumber),
    spare("ordered_at", Kind::DateTime),
    Entry { name: "buyer", shape: Shape::Object(BUYER) },
    Entry { name: "shipping", shape: Shape::Object(SHIPPING) },
    Entry { name: "marketing", shape: Shape::Object(MARKETING) },
    Entry { name: "products", shape: Shape::List(PRODUCT) },
    Entry { name: "payments", shape: Shape::List(PAYMENT) },
    Entry { name: "custom_fields", shape: Shape::List(CUSTOM_FIELD) },
    spare("buyer_comment", Kind::Text),
    spare("manager_comment", Kind::Text),
    spare("manager_id", Kind::Integer),
    spare("promocode", Kind::Text),
    vital("discount_percent", Kind::Percent),
    vital("discount_amount", Kind::Money),
    vital("shipping_price", Kind::Money),
    vital("wrap_price", Kind::Money),
    vital("taxes", Kind::Money),
    spare("gift_message", Kind::Text),
    spare("is_gift", Kind::Boolean),
    spare("gift_wrap", Kind::Boolean),
];

static CARD: &[Entry] = &[
    spare("title", Kind::Text),
    vital("source_id", Kind::Integer),
    vital("source", Kind::Text),
    vital("pipeline_id", Kind::Integer),
    vital("pipeline", Kind::Text),
    vital("status_id", Kind::Integer),
    vital("status", Kind::Text),
    spare("manager_id", Kind::Integer),
    spare("manager_comment", Kind::Text),
    spare("communicate_at", Kind::DateTime),
    Entry { name: "contact", shape: Shape::Object(CONTACT) },
    spare("utm_source", Kind::Text),
    spare("utm_medium", Kind::Text),
    spare("utm_campaign", Kind::Text),
    spare("utm_term", Kind::Text),
    spare("utm_content", Kind::Text),
    Entry { name: "products", shape: Shape::List(CARD_PRODUCT) },
    Entry { name: "payments", shape: Shape::List(PAYMENT) },
    Entry { name: "custom_fields", shape: Shape::List(CUSTOM_FIELD) },
];

/// What a later request of a sender may change of an order that is in the CRM: `PUT /order/{id}`, and
/// `POST /order/{id}/payment` for each payment.
pub static UPDATE: &[Entry] = &[
    vital("status_id", Kind::Integer),
    vital("status", Kind::Text),
    Entry { name: "payments", shape: Shape::List(PAYMENT) },
];

static CONTACT: &[Entry] = &[
    spare("full_name", Kind::Text),
    spare("email", Kind::Email),
    spare("phone", Kind::Phone),
    spare("client_id", Kind::Integer),
];

static CARD_PRODUCT: &[Entry] = &[
    spare("sku", Kind::Text),
    vital("price", Kind::Money),
    vital("quantity", Kind::Quantity),
    spare("unit_type", Kind::Text),
    spare("name", Kind::Text),
    spare("picture", Kind::Url),
];

static BUYER: &[Entry] = &[spare("full_name", Kind::Text), spare("email", Kind::Email), spare("phone", Kind::Phone)];

static SHIPPING: &[Entry] = &[
    spare("delivery_service_id", Kind::Integer),
    spare("delivery_service", Kind::Text),
    spare("shipping_service", Kind::Text),
    spare("tracking_code", Kind::Text),
    spare("shipping_address_city", Kind::Text),
    spare("shipping_address_country", Kind::Text),
    spare("shipping_address_region", Kind::Text),
    spare("shipping_address_zip", Kind::Text),
    spare("shipping_secondary_line", Kind::Text),
    spare("shipping_receive_point", Kind::Text),
    spare("recipient_full_name", Kind::Text),
    spare("recipient_phone", Kind::Phone),
    spare("warehouse_ref", Kind::Uuid),
    spare("shipping_date", Kind::Date),
];

static MARKETING: &[Entry] = &[
    spare("utm_source", Kind::Text),
    spare("utm_medium", Kind::Text),
    spare("utm_campaign", Kind::Text),
    spare("utm_term", Kind::Text),
    spare("utm_content", Kind::Text),
];

static PRODUCT: &[Entry] = &[
    spare("sku", Kind::Text),
    vital("price", Kind::Money),
    vital("purchased_price", Kind::Money),
    vital("discount_percent", Kind::Percent),
    vital("discount_amount", Kind::Money),
    vital("quantity", Kind::Quantity),
    spare("unit_type", Kind::Text),
    spare("name", Kind::Text),
    spare("comment", Kind::Text),
    spare("picture", Kind::Url),
    Entry { name: "properties", shape: Shape::List(PROPERTY) },
];

static PROPERTY: &[Entry] = &[spare("name", Kind::Text), spare("value", Kind::Text)];

static PAYMENT: &[Entry] = &[
    vital("payment_method_id", Kind::Integer),
    vital("payment_method", Kind::Text),
    vital("amount", Kind::Money),
    spare("description", Kind::Text),
    spare("payment_date", Kind::DateTime),
    vital("status", Kind::PaymentStatus),
];

static CUSTOM_FIELD: &[Entry] =
    &[spare("uuid", Kind::Text), spare("name", Kind::Text), spare("value", Kind::CustomValue)];

/// The entry of a name in a group.
#[must_use]
pub fn entry(group: &'static [Entry], name: &str) -> Option<&'static Entry> {
    group.iter().find(|entry| entry.name == name)
}

/// The known name that is nearest to a mistyped one, when one is near.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|candidate| (distance(name, candidate), candidate));
    scored.min().filter(|(steps, candidate)| *steps <= 1 + candidate.len() / 4).map(|(_, candidate)| candidate)
}

/// Levenshtein's distance over characters.
pub(crate) fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let change = corner + usize::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[right.len()]
}
