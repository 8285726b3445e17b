//! A checked order that has no id yet.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// What a valid `POST /order` asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) source_id: u32,
    pub(crate) source_uuid: Option<String>,
    pub(crate) ordered_at: Option<Timestamp>,
    /// Top-level values as they will be shown: comments, promo code, prices.
    pub(crate) flat: Map<String, Value>,
    /// An existing buyer that the order names, which the vendor does not document and live refusals prove.
    pub(crate) buyer_id: Option<u64>,
    pub(crate) buyer: Map<String, Value>,
    pub(crate) shipping: Map<String, Value>,
    pub(crate) marketing: Map<String, Value>,
    pub(crate) products: Vec<Map<String, Value>>,
    pub(crate) payments: Vec<Map<String, Value>>,
    pub(crate) custom_fields: Vec<Map<String, Value>>,
    pub(crate) tags: Vec<u32>,
}
