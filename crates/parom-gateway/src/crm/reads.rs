//! What is asked about single buyers, offers, products and orders. Each call takes one place of the account's budget, which
//! its caller takes.

use parom_core::delivery::rows::{self, Row};
use parom_core::dictionary::{Buyer, Offer, Product, Rows, read_buyers, read_offers, read_products};

use super::client::{Client, Seen};

/// A typed answer, or what was seen in its place.
pub type Read<T> = Result<T, Seen>;

impl Client {
    /// The buyers with this phone: `GET /buyer?filter[buyer_phone]=`.
    ///
    /// # Errors
    /// What was seen, where it is not a list of buyers.
    pub async fn buyers_by_phone(&self, phone: &str) -> Read<(Vec<Buyer>, bool)> {
        self.rows("buyer", "filter[buyer_phone]", phone, read_buyers).await
    }

    /// The buyers with this address: `GET /buyer?filter[buyer_email]=`.
    ///
    /// # Errors
    /// What was seen, where it is not a list of buyers.
    pub async fn buyers_by_email(&self, email: &str) -> Read<(Vec<Buyer>, bool)> {
        self.rows("buyer", "filter[buyer_email]", email, read_buyers).await
    }

    /// The offers with these SKUs, 50 at most: `GET /offers?filter[sku]=`. A SKU with a comma cannot be asked for.
    ///
    /// # Errors
    /// What was seen, where it is not a list of offers.
    pub async fn offers_by_sku(&self, skus: &[&str]) -> Read<(Vec<Offer>, bool)> {
        self.rows("offers", "filter[sku]", &skus.join(","), read_offers).await
    }

    /// A product by its id: `GET /products?filter[product_id]=`.
    ///
    /// # Errors
    /// What was seen, where it is not a list of products.
    pub async fn products_by_id(&self, id: i64) -> Read<(Vec<Product>, bool)> {
        self.rows("products", "filter[product_id]", &id.to_string(), read_products).await
    }

    /// One order by the CRM's number: `GET /order/{id}`; none where there is none.
    ///
    /// # Errors
    /// What was seen, where it is not an order.
    pub async fn order(&self, id: i64) -> Read<Option<Row>> {
        let seen = self.get(&format!("order/{id}"), "order_get").await;
        let found = match &seen {
            Seen::Response { status: 200, body, .. } => rows::read_one(body).map(Some),
            Seen::Response { status: 404, .. } => Some(None),
            _ => None,
        };
        found.ok_or(seen)
    }

    /// One order with its payments: `GET /order/{id}?include=payments`.
    pub async fn order_with_payments(&self, id: i64) -> Seen {
        self.get(&format!("order/{id}?include=payments"), "order_get").await
    }

    async fn rows<T>(&self, path: &str, filter: &str, value: &str, read: fn(&[u8]) -> Rows<T>) -> Read<(Vec<T>, bool)> {
        let query = filtered(filter, value);
        let seen = self.get(&format!("{path}?{query}"), "list").await;
        let rows = match &seen {
            Seen::Response { status: 200, body, .. } => read(body),
            _ => None,
        };
        rows.ok_or(seen)
    }
}

fn filtered(filter: &str, value: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair(filter, value).append_pair("limit", "50").finish()
}
