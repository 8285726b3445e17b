//! A card as the API shows it.

use serde_json::{Map, Value, json};

use super::Card;
use crate::buyers::{Buyer, Buyers};
use crate::directory::{custom_field_values, offer};
use crate::orders::{Shape, manager, payment};

/// What `include` may name.
pub(crate) const INCLUDES: &[&str] =
    &["contact", "contact.client", "products", "products.offer", "manager", "status", "payments", "custom_fields"];

/// The flat keys. `pipeline_id` and `note` are not in the vendor's schema, which live answers exceed elsewhere too.
const FLAT: &[&str] = &[
    "id",
    "contact_id",
    "pipeline_id",
    "source_id",
    "manager_id",
    "target_id",
    "target_type",
    "status_id",
    "title",
    "manager_comment",
    "note",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "status_changed_at",
    "communicate_at",
    "created_at",
    "updated_at",
];

/// The card with the associations that the shape has.
pub(crate) fn render(card: &Card, buyers: &Buyers, shape: &Shape) -> Value {
    let mut shown: Map<String, Value> = FLAT.iter().map(|key| ((*key).to_owned(), card.get(key).clone())).collect();
    let status = small(card.get("status_id")).and_then(|id| shape.directory.card_status(id));
    let is_final = status.is_some_and(|(_, status)| status.is_final);
    // The vendor's schema has a nullable string here.
    shown.insert("is_finished".to_owned(), if is_final { json!("1") } else { Value::Null });
    let custom_fields = || custom_field_values(&shape.directory, "lead", card.get("custom_fields"));
    let status = || status.map_or(Value::Null, |(pipeline, status)| status.on_card(pipeline.id));
    let mut add = |key: &str, value: &dyn Fn() -> Value| {
        if shape.has(key) {
            shown.insert(key.to_owned(), value());
        }
    };
    add("contact", &|| contact(card, buyers, shape));
    add("products", &|| lines(card, "products").map(|line| product(line, shape)).collect());
    add("manager", &|| manager(card.get("manager_id"), &shape.directory));
    add("status", &status);
    add("payments", &|| payments(card, shape));
    add("custom_fields", &custom_fields);
    shape.spelled(Value::Object(shown))
}

fn small(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

fn lines<'a>(card: &'a Card, key: &str) -> impl Iterator<Item = &'a Value> {
    card.get(key).as_array().into_iter().flatten()
}

fn contact(card: &Card, buyers: &Buyers, shape: &Shape) -> Value {
    let stored = card.get("contact");
    let mut shown = json!({
        "id": card.get("contact_id"), "full_name": stored["full_name"], "email": stored["email"],
        "phone": stored["phone"], "picture": null, "additional_details": null, "client_id": stored["client_id"],
        "social_name": null, "social_id": null, "created_at": card.get("created_at"),
        "updated_at": card.get("created_at"),
    });
    if shape.names("contact.client") {
        let buyer = stored["client_id"].as_u64().and_then(|id| buyers.get(id));
        shown["client"] = buyer.map_or(Value::Null, client);
    }
    shown
}

fn client(buyer: &Buyer) -> Value {
    let stored = buyer.stored();
    json!({
        "id": buyer.id, "company_id": stored["company_id"], "full_name": stored["full_name"],
        "phone": stored["phone"][0], "email": stored["email"][0], "note": stored["note"],
        "manager_id": stored["manager_id"], "created_at": stored["created_at"], "updated_at": stored["updated_at"],
    })
}

fn product(line: &Value, shape: &Shape) -> Value {
    let linked = small(&line["offer_id"]).and_then(|id| shape.directory.all_offers().find(|(_, o)| o.id == id));
    let mut shown = json!({
        "id": line["id"], "product_id": linked.map(|(product, _)| product.id), "name": line["name"],
        "sku": line["sku"], "price": line["price"], "quantity": line["quantity"], "unit_type": line["unit_type"],
        "picture": line["picture"],
    });
    if shape.names("products.offer") {
        shown["offer"] = linked.map_or(Value::Null, |(product, found)| offer(product, found));
    }
    shown
}

fn payments(card: &Card, shape: &Shape) -> Value {
    let currency = shape.directory.currency(small(card.get("source_id")).unwrap_or_default());
    let shown = lines(card, "payments").map(|stored| payment(stored, stored["payment_method_id"].clone(), currency));
    shown.collect()
}
