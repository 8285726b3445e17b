//! The CRM's writes: each goes once, over a connection of its own.

use super::client::{Client, Seen};

impl Client {
    /// Sends an order: `POST /order`.
    pub async fn post_order(&self, body: String) -> Seen {
        self.write(reqwest::Method::POST, "order", body, "order_post").await
    }

    /// Sends many orders: `POST /order/import`.
    pub async fn import_orders(&self, body: String) -> Seen {
        self.write(reqwest::Method::POST, "order/import", body, "order_import").await
    }

    /// Sends a card: `POST /pipelines/cards`.
    pub async fn post_card(&self, body: String) -> Seen {
        self.write(reqwest::Method::POST, "pipelines/cards", body, "card_post").await
    }

    /// Changes an order: `PUT /order/{id}`. Lines are matched by id or sku and never added.
    pub async fn put_order(&self, id: i64, body: String) -> Seen {
        self.write(reqwest::Method::PUT, &format!("order/{id}"), body, "order_put").await
    }

    /// Adds a payment: `POST /order/{id}/payment`. The CRM has no key for it: a repeat is a second payment.
    pub async fn post_payment(&self, order: i64, body: String) -> Seen {
        self.write(reqwest::Method::POST, &format!("order/{order}/payment"), body, "payment_post").await
    }
}
