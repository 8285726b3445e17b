//! Dictionary entries as the API shows them.

use serde_json::{Map, Value, json};

use super::{
    CustomField, DeliveryService, Directory, Offer, PaymentMethod, Pipeline, PipelineStatus, Product, Source, Status,
    Tag, User,
};
use crate::options::PipelineLabel;

/// When the account and all its dictionaries were set up.
const SET_UP: &str = "2024-01-15T09:00:00.000000Z";

fn dated(mut entry: Value) -> Value {
    entry["created_at"] = json!(SET_UP);
    entry["updated_at"] = json!(SET_UP);
    entry
}

impl Source {
    pub(crate) fn to_json(&self) -> Value {
        dated(json!({
            "id": self.id, "name": self.name, "alias": self.alias, "driver": self.driver,
            "source_uuid": self.source_uuid, "source_name": self.source_name, "currency_code": self.currency_code,
        }))
    }
}

impl Status {
    pub(crate) fn to_json(&self) -> Value {
        let mut status = dated(json!({
            "id": self.id, "name": self.name, "alias": self.alias, "is_active": self.is_active,
            "group_id": self.group_id, "is_closing_order": self.is_closing_order, "is_reserved": self.is_reserved,
            "expiration_period": self.expiration_period,
        }));
        status["deleted_at"] = Value::Null;
        status
    }
}

impl PaymentMethod {
    pub(crate) fn to_json(&self) -> Value {
        json!({"id": self.id, "name": self.name, "alias": self.alias, "is_active": self.is_active})
    }
}

impl DeliveryService {
    pub(crate) fn to_json(&self) -> Value {
        json!({"id": self.id, "name": self.name, "source_name": self.source_name, "alias": self.alias})
    }
}

impl Tag {
    pub(crate) fn to_json(&self) -> Value {
        dated(json!({"id": self.id, "name": self.name, "alias": self.alias, "color": self.color}))
    }
}

impl User {
    pub(crate) fn to_json(&self) -> Value {
        let full_name = format!("{} {}", self.first_name, self.last_name);
        let mut user = dated(json!({
            "id": self.id, "first_name": self.first_name, "last_name": self.last_name, "full_name": full_name.trim(),
            "username": self.username, "email": self.email, "phone": self.phone, "role_id": self.role_id,
            "status": self.status,
        }));
        user["last_logged_at"] = json!(SET_UP);
        user
    }
}

impl Pipeline {
    pub(crate) fn to_json(&self, label: PipelineLabel) -> Value {
        let key = match label {
            PipelineLabel::Title => "title",
            PipelineLabel::Name => "name",
        };
        json!({
            "id": self.id, key: self.title, "target_type": "lead_pipeline", "target_id": self.id.to_string(),
            "use_payments": self.use_payments, "lead_type": self.lead_type,
        })
    }
}

impl PipelineStatus {
    /// A member of `GET /pipelines/{id}/statuses`.
    pub(crate) fn to_json(&self, pipeline: u32, leads_count: usize) -> Value {
        json!({
            "id": self.id, "pipeline_id": pipeline, "title": self.title, "alias": self.alias, "color": self.color,
            "is_final": self.is_final, "leads_count": leads_count,
        })
    }

    /// The `status` of a card, which has other keys than the list.
    pub(crate) fn on_card(&self, pipeline: u32) -> Value {
        dated(json!({
            "id": self.id, "name": self.title, "alias": self.alias, "is_active": true, "pipeline_id": pipeline,
        }))
    }
}

impl Product {
    /// The product as lists show it; one without variants carries its only offer's SKU and prices.
    pub(crate) fn to_json(&self) -> Value {
        let only = if self.has_offers() { None } else { self.offers.first() };
        let prices = || self.offers.iter().map(|offer| offer.price);
        let stock: f64 = self.offers.iter().map(|offer| offer.quantity).sum();
        dated(json!({
            "id": self.id, "name": self.name, "description": self.description, "thumbnail_url": self.thumbnail_url,
            "attachments_data": [], "quantity": stock, "unit_type": self.unit_type,
            "currency_code": self.currency_code, "sku": only.map(|offer| &offer.sku),
            "barcode": only.and_then(|offer| offer.barcode.as_ref()), "price": only.map(|offer| offer.price),
            "purchased_price": only.map(|offer| offer.purchased_price),
            "min_price": prices().reduce(f64::min), "max_price": prices().reduce(f64::max),
            "weight": null, "length": null, "width": null, "height": null,
            "has_offers": self.has_offers(), "is_archived": self.is_archived, "category_id": self.category_id,
        }))
    }
}

/// A variant. `in_reserve` is the key of live answers.
pub(crate) fn offer(product: &Product, offer: &Offer) -> Value {
    let picture = offer.thumbnail_url.as_ref().or(product.thumbnail_url.as_ref());
    dated(json!({
        "id": offer.id, "product_id": product.id, "sku": offer.sku, "barcode": offer.barcode,
        "thumbnail_url": picture, "price": offer.price, "purchased_price": offer.purchased_price,
        "quantity": offer.quantity, "in_reserve": 0, "weight": null, "length": null, "width": null, "height": null,
        "properties": offer.properties.iter().map(|p| json!({"name": p.name, "value": p.value})).collect::<Value>(),
        "is_default": !product.has_offers(), "is_archived": offer.is_archived,
    }))
}

/// A field as `GET /custom-fields` shows it.
pub(crate) fn whole_custom_field(field: &CustomField, with_options: bool) -> Value {
    let mut shown = json!({
        "id": field.id, "name": field.name, "uuid": field.uuid, "model": field.model, "type": field.kind,
        "required": field.required, "position": field.position, "is_multiple": field.is_multiple,
    });
    if with_options {
        let option =
            |option: &super::FieldOption| json!({"id": option.id, "field_id": field.id, "value": option.value});
        shown["options"] = field.options.iter().map(option).collect();
    }
    shown
}

/// Stored `{uuid, value}` pairs as orders, cards and buyers show them.
pub(crate) fn custom_field_values(directory: &Directory, model: &str, stored: &Value) -> Value {
    let pairs = stored.as_array().into_iter().flatten();
    let shown = pairs.map(|pair| {
        let field = directory.custom_field(model, pair["uuid"].as_str().unwrap_or_default());
        let mut shown = Map::new();
        if let Some(field) = field {
            shown.insert("id".to_owned(), json!(field.id));
            shown.insert("name".to_owned(), json!(field.name));
            shown.insert("type".to_owned(), json!(field.kind));
        }
        shown.insert("uuid".to_owned(), pair["uuid"].clone());
        shown.insert("value".to_owned(), pair["value"].clone());
        Value::Object(shown)
    });
    shown.collect()
}
