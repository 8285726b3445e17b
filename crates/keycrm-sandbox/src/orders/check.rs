//! The rules of `POST /order`: what the vendor documents, and Laravel's habits for the rest.

use serde_json::{Map, Value};

use super::draft::Draft;
use super::fields::{FieldErrors, Fields};
use super::{email, lines};
use crate::amount::Amount;
use crate::sources;

const TOP_TEXTS: &[&str] = &["buyer_comment", "manager_comment", "promocode", "gift_message"];
const SHIPPING_TEXTS: &[&str] = &[
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
const MARKETING_TEXTS: &[&str] = &["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];

/// Checks a body; a key that no rule names is dropped without a word, as the CRM does.
pub(crate) fn check(body: &Map<String, Value>) -> Result<Draft, FieldErrors> {
    let mut errors = FieldErrors::default();
    let mut draft = Draft::default();
    let mut top = Fields::new(body, String::new(), &mut errors);
    draft.source_id = source_id(&mut top).unwrap_or_default();
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
    draft.flat = top.kept;
    if let Some(object) = buyer_object {
        draft.buyer = buyer(object, &mut errors);
    }
    if let Some(object) = shipping_object {
        draft.shipping = shipping(object, &mut errors);
    }
    if let Some(object) = marketing_object {
        let mut fields = Fields::new(object, "marketing.".to_owned(), &mut errors);
        fields.texts(MARKETING_TEXTS);
        draft.marketing = fields.kept;
    }
    draft.products = lines::products(&products, &mut draft.sums, &mut errors);
    draft.payments = lines::payments(&payments, &mut draft.sums, &mut errors);
    draft.custom_fields = lines::custom_fields(&custom_fields);
    if errors.is_empty() { Ok(draft) } else { Err(errors) }
}

fn source_id(top: &mut Fields<'_, '_>) -> Option<u32> {
    if top.get("source_id").is_none() {
        top.refuse("source_id", "field is required.");
        return None;
    }
    let id = u32::try_from(top.integer("source_id")?).unwrap_or_default();
    if !sources::exists(id) {
        top.errors.add("source_id", "The selected source id is invalid.");
        return None;
    }
    Some(id)
}

fn top_level(top: &mut Fields<'_, '_>, draft: &mut Draft) {
    top.texts(TOP_TEXTS);
    top.integer("manager_id");
    top.boolean("is_gift");
    top.boolean("gift_wrap");
    draft.ordered_at = top.instant("ordered_at");
    draft.sums.discount_percent = top.amount("discount_percent").unwrap_or_default();
    draft.sums.discount_amount = top.amount("discount_amount").unwrap_or_default();
    let extras = ["shipping_price", "wrap_price", "taxes"];
    draft.sums.extras = extras.iter().filter_map(|key| top.amount(key)).sum::<Amount>();
}

fn buyer(object: &Map<String, Value>, errors: &mut FieldErrors) -> Map<String, Value> {
    let mut fields = Fields::new(object, "buyer.".to_owned(), errors);
    fields.text("full_name");
    if let Some(address) = fields.text("email")
        && !email::is_valid(&address)
    {
        fields.refuse("email", "must be a valid email address.");
    }
    fields.text("phone");
    if ["full_name", "email", "phone"].iter().all(|key| fields.get(key).is_none()) {
        fields.errors.add("buyer", "The buyer must have at least one of full_name, email, phone.");
    }
    fields.kept
}

fn shipping(object: &Map<String, Value>, errors: &mut FieldErrors) -> Map<String, Value> {
    let mut fields = Fields::new(object, "shipping.".to_owned(), errors);
    fields.integer("delivery_service_id");
    fields.texts(SHIPPING_TEXTS);
    fields.day("shipping_date");
    fields.kept
}
