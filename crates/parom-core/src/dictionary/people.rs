//! Buyers, offers and products of the CRM, as far as an order is about them.

use serde_json::Value;

use super::read::{list_of, text};
use crate::convert::plain;
use crate::delivery::outcome::id;

/// A buyer of the CRM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buyer {
    /// The CRM's id.
    pub id: i64,
    /// The name.
    pub full_name: String,
    /// Every phone.
    pub phones: Vec<String>,
    /// Every address.
    pub emails: Vec<String>,
}

/// A variant of a product, which a SKU names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The CRM's id.
    pub id: i64,
    /// Its product.
    pub product_id: Option<i64>,
    /// Its SKU; empty where it has none.
    pub sku: String,
    /// The price as the CRM writes it; empty where it has none.
    pub price: String,
}

/// A product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The CRM's id.
    pub id: i64,
    /// The name.
    pub name: String,
    /// Its SKU; empty where its variants have their own.
    pub sku: String,
    /// Whether it has variants.
    pub has_offers: bool,
}

/// A page of rows, and whether it is the last; none for an answer of another shape.
pub type Rows<T> = Option<(Vec<T>, bool)>;

/// Reads a page of `/buyer`; a phone or an address may be one text or a list.
#[must_use]
pub fn read_buyers(body: &[u8]) -> Rows<Buyer> {
    list_of(body, |row| {
        let texts = |name: &str| match row.get(name) {
            Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
            Some(one) => text(one).into_iter().collect(),
            None => Vec::new(),
        };
        Some(Buyer {
            id: id(row.get("id")?)?,
            full_name: word(row, "full_name"),
            phones: texts("phone"),
            emails: texts("email"),
        })
    })
}

/// Reads a page of `/offers`.
#[must_use]
pub fn read_offers(body: &[u8]) -> Rows<Offer> {
    list_of(body, |row| {
        let product_id = row.get("product_id").and_then(id);
        Some(Offer { id: id(row.get("id")?)?, product_id, sku: word(row, "sku"), price: word(row, "price") })
    })
}

/// Reads a page of `/products`.
#[must_use]
pub fn read_products(body: &[u8]) -> Rows<Product> {
    list_of(body, |row| {
        let has_offers = row.get("has_offers").and_then(Value::as_bool).unwrap_or_default();
        Some(Product { id: id(row.get("id")?)?, name: word(row, "name"), sku: word(row, "sku"), has_offers })
    })
}

fn word(row: &Value, name: &str) -> String {
    row.get(name).and_then(plain).unwrap_or_default()
}
