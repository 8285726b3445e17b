//! Products and their offers.

use serde::{Deserialize, Serialize};

/// A product of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// The product's id.
    pub id: u32,
    /// The name that people know it by.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// A picture.
    pub thumbnail_url: Option<String>,
    /// `None` is the built-in "pieces".
    pub unit_type: Option<String>,
    /// The currency of its prices.
    pub currency_code: String,
    /// Its category.
    pub category_id: Option<u32>,
    /// Whether it is out of sale.
    pub is_archived: bool,
    /// Its variants; a plain product has one, which carries its SKU and price.
    pub offers: Vec<Offer>,
}

/// A variant of a product: what is sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The offer's id; unique among all products.
    pub id: u32,
    /// What order lines name.
    pub sku: String,
    /// The bar code.
    pub barcode: Option<String>,
    /// A picture; the product's where there is none.
    pub thumbnail_url: Option<String>,
    /// The price of one.
    pub price: f64,
    /// What one cost to buy.
    pub purchased_price: f64,
    /// How many are in stock.
    pub quantity: f64,
    /// What makes it different from the other variants.
    pub properties: Vec<Property>,
    /// Whether it is out of sale.
    pub is_archived: bool,
}

/// One property of a variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Property {
    /// Such as `Color`.
    pub name: String,
    /// Such as `blue`.
    pub value: String,
}

impl Product {
    /// Whether it has variants of its own.
    pub(crate) fn has_offers(&self) -> bool {
        self.offers.len() > 1
    }
}
