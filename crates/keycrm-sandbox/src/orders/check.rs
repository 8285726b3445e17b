//! The rules of `POST /order`: what the vendor documents, and Laravel's habits for the rest.

use serde_json::{Map, Value};

use super::draft::Draft;
use crate::fields::{FieldErrors, Fields};
use crate::rules::Rules;
use crate::{email, lines};

const TOP_TEXTS: &[&str] = &["buyer_comment", "manager_comment", "promocode", "gift_message"];
pub(super) const SHIPPING_TEXTS: &[&str] = &[
    "tracking_code",
    "shipping_service",
    "shipping_address_city",
    "shipping_address_country",
    "shipping_address_region",
    "shipping_address_zip",
    "shipping_secondary_line",
    "shipping_receive_point",
    "recipient_full_name",
    "recipient_phone",
    "warehouse_ref",
];
pub(crate) const MARKETING_TEXTS: &[&str] = &["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];

/// Checks a body; a key that no rule names is dropped without a word, as the CRM does.
pub(crate) fn check(body: &Map<String, Value>, rules: Rules<'_>) -> Result<Draft, FieldErrors> {
    let mut errors = FieldErrors::default();
    let mut draft = Draft::default();
    let mut top = Fields::new(body, String::new(), &mut errors);
    draft.source_id = source_id(&mut top, rules).unwrap_or_default();
    draft.source_uuid = top.text("source_uuid");
    top.kept.clear();
    top_level(&mut top, &mut draft);
    let buyer_object = top.object("buyer");
    if top.get("buyer").is_none() {
        top.refuse("buyer", "field is required.");
    }
    let shipping_object = top.object("shipping");
    let marketing_object = top.object("marketing");
    let products = top.list("products");
    let payments = top.list("payments");
    let custom_fields = top.list("custom_fields");
    draft.tags = tags(&mut top, rules);
    draft.flat = top.kept;
    if let Some(object) = buyer_object {
        (draft.buyer_id, draft.buyer) = buyer(object, &mut errors);
    }
    if let Some(object) = shipping_object {
        draft.shipping = shipping(object, &mut errors);
    }
    if let Some(object) = marketing_object {
        let mut fields = Fields::new(object, "marketing.".to_owned(), &mut errors);
        fields.texts(MARKETING_TEXTS);
        draft.marketing = fields.kept;
    }
    draft.products = lines::order_products(&products, rules, &mut errors);
    draft.payments = lines::payments(&payments, rules, &mut errors);
    draft.custom_fields = lines::custom_fields(&custom_fields, "order", rules, &mut errors);
    if errors.is_empty() { Ok(draft) } else { Err(errors) }
}

fn source_id(top: &mut Fields<'_, '_>, rules: Rules<'_>) -> Option<u32> {
    if top.get("source_id").is_none() {
        top.refuse("source_id", "field is required.");
        return None;
    }
    top.choice("source_id", |id| rules.directory.source(id).is_some())
}

/// Ids of tags: undocumented, proven by a live refusal of tags by name.
fn tags(top: &mut Fields<'_, '_>, rules: Rules<'_>) -> Vec<u32> {
    let members = top.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut kept = Vec::new();
    for (at, member) in members.iter().enumerate() {
        let id = member.as_u64().and_then(|id| u32::try_from(id).ok());
        match id.filter(|id| rules.directory.tag(*id).is_some()) {
            Some(id) => kept.push(id),
            None => top.errors.add(&format!("tags.{at}"), &format!("The selected tags.{at} is invalid.")),
        }
    }
    kept
}

fn top_level(top: &mut Fields<'_, '_>, draft: &mut Draft) {
    top.texts(TOP_TEXTS);
    top.integer("manager_id");
    top.boolean("is_gift");
    top.boolean("gift_wrap");
    draft.ordered_at = top.instant("ordered_at");
    for key in ["discount_percent", "discount_amount", "shipping_price", "wrap_price", "taxes"] {
        top.amount(key);
    }
}

fn buyer(object: &Map<String, Value>, errors: &mut FieldErrors) -> (Option<u64>, Map<String, Value>) {
    let mut fields = Fields::new(object, "buyer.".to_owned(), errors);
    let id = fields.integer("id").map(|id| u64::try_from(id).unwrap_or_default());
    fields.text("full_name");
    if let Some(address) = fields.text("email")
        && !email::is_valid(&address)
    {
        fields.refuse("email", "must be a valid email address.");
    }
    fields.text("phone");
    if ["id", "full_name", "email", "phone"].iter().all(|key| fields.get(key).is_none()) {
        fields.errors.add("buyer", "The buyer must have at least one of full_name, email, phone.");
    }
    (id, fields.kept)
}

pub(super) fn shipping(object: &Map<String, Value>, errors: &mut FieldErrors) -> Map<String, Value> {
    let mut fields = Fields::new(object, "shipping.".to_owned(), errors);
    fields.integer("delivery_service_id");
    fields.texts(SHIPPING_TEXTS);
    fields.day("shipping_date");
    fields.kept
}
