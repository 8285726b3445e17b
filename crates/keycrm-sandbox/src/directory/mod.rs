//! The account's dictionaries: everything that orders and cards refer to.

mod catalogue;
mod find;
mod seed;
mod show;

use serde::{Deserialize, Serialize};

pub use catalogue::{Offer, Product, Property};
pub(crate) use show::{custom_field_values, offer, whole_custom_field};

/// The dictionaries of one account. [`Default`] is the account that a fresh sandbox has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Directory {
    /// Order sources.
    pub sources: Vec<Source>,
    /// Order statuses; `GET /order/status` shows the active ones.
    pub statuses: Vec<Status>,
    /// Payment methods, inactive ones included.
    pub payment_methods: Vec<PaymentMethod>,
    /// Delivery services.
    pub delivery_services: Vec<DeliveryService>,
    /// Order tags.
    pub tags: Vec<Tag>,
    /// Custom fields of all models.
    pub custom_fields: Vec<CustomField>,
    /// The catalogue.
    pub products: Vec<Product>,
    /// Managers.
    pub users: Vec<User>,
    /// Funnels; a card that names none goes to the first.
    pub pipelines: Vec<Pipeline>,
}

/// Where orders come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The id that `source_id` names.
    pub id: u32,
    /// The name that people know it by.
    pub name: String,
    /// The name for programs.
    pub alias: String,
    /// The kind of connection, such as `other` or `opencart`.
    pub driver: String,
    /// The shop's own id in its marketplace.
    pub source_uuid: Option<String>,
    /// The shop's own name in its marketplace.
    pub source_name: Option<String>,
    /// The currency of its orders, such as `UAH`.
    pub currency_code: String,
}

/// A state of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The id that `status_id` names.
    pub id: u32,
    /// The name that people know it by.
    pub name: String,
    /// The name for programs.
    pub alias: String,
    /// Whether it is in use.
    pub is_active: bool,
    /// 1 new, 2 in agreement, 3 production, 4 delivery, 5 done, 6 cancelled.
    pub group_id: u32,
    /// Whether it closes the order.
    pub is_closing_order: bool,
    /// Whether it reserves stock.
    pub is_reserved: bool,
    /// Seconds until an order in it is late.
    pub expiration_period: Option<u64>,
}

/// A way to pay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// The id that `payment_method_id` names.
    pub id: u32,
    /// The name that `payment_method` names, in any case of letters.
    pub name: String,
    /// The name for programs.
    pub alias: Option<String>,
    /// Whether it is in use.
    pub is_active: bool,
}

/// A carrier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryService {
    /// The id that `delivery_service_id` names.
    pub id: u32,
    /// The name that people know it by.
    pub name: String,
    /// The carrier behind it, such as `novaposhta`; empty where there is none.
    pub source_name: String,
    /// The name for programs.
    pub alias: String,
}

/// A mark on orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// The id that `tags` names.
    pub id: u32,
    /// The name that people know it by.
    pub name: String,
    /// The name for programs.
    pub alias: String,
    /// Such as `#FF0000`.
    pub color: String,
}

/// A field that the account's owner added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomField {
    /// The field's id.
    pub id: u32,
    /// The name that people know it by.
    pub name: String,
    /// The name that requests use, such as `OR_1001`.
    pub uuid: String,
    /// What it belongs to: `order`, `lead`, `client` or `crm_product`. The uuid's prefix does not tell.
    pub model: String,
    /// `text`, `textarea`, `select`, `number`, `float`, `date`, `datetime`, `switcher` or `link`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether the cabinet asks for it.
    pub required: bool,
    /// Its place in the form.
    pub position: u32,
    /// Whether a select takes several values.
    pub is_multiple: bool,
    /// What a select offers.
    pub options: Vec<FieldOption>,
}

/// One choice of a select.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldOption {
    /// The option's id.
    pub id: u32,
    /// The text that is chosen.
    pub value: String,
}

/// A manager.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The id that `manager_id` names.
    pub id: u32,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The name to log in by.
    pub username: String,
    /// The address.
    pub email: String,
    /// The phone.
    pub phone: Option<String>,
    /// What the user may do.
    pub role_id: u32,
    /// `active`, `pending` or `blocked`.
    pub status: String,
}

/// A funnel of cards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// The id that `pipeline_id` names.
    pub id: u32,
    /// The name that people know it by.
    pub title: String,
    /// Whether its cards hold payments.
    pub use_payments: bool,
    /// The kind of its cards, such as `request`.
    pub lead_type: String,
    /// Its states; a new card is in the first.
    pub statuses: Vec<PipelineStatus>,
}

/// A state of a card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineStatus {
    /// The id that `status_id` names; unique among all funnels.
    pub id: u32,
    /// The name that people know it by.
    pub title: String,
    /// The name for programs.
    pub alias: String,
    /// Such as `#69DB7C`.
    pub color: String,
    /// Whether it ends the card.
    pub is_final: bool,
}
