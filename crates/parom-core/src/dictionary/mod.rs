//! The account's dictionaries: what sources, payment methods, delivery services, custom fields, pipelines and SKUs it has.
//!
//! A kind that was never loaded is not known, which is not the same as empty: it decides nothing.

mod check;
mod custom;
mod names;
mod people;
mod read;

pub(crate) use check::apply_to_change;
pub use check::{UnknownSku, add_carrier, again, apply, waits_for_dictionary};
pub use names::{Named, find};
pub use people::{Buyer, Offer, Product, Rows, read_buyers, read_offers, read_products};
pub use read::{Page, read_page};

use std::collections::BTreeMap;

use serde_json::Value;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// One dictionary; the text is part of the store and of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)* }
        impl Kind {
            /// Every kind, in the order in which they are fetched: what orders need most comes first.
            pub const ALL: &[Kind] = &[$(Kind::$name,)*];
            /// The kind's stable text.
            #[must_use]
            pub fn as_str(self) -> &'static str { match self { $(Kind::$name => $text,)* } }
        }
    };
}

kinds! {
    /// `/order/source`.
    Sources = "sources",
    /// `/order/payment-method`.
    PaymentMethods = "payment_methods",
    /// `/order/delivery-service`.
    DeliveryServices = "delivery_services",
    /// `/custom-fields` with their options.
    CustomFields = "custom_fields",
    /// `/pipelines` with the statuses of each.
    Pipelines = "pipelines",
    /// `/order/status`.
    Statuses = "statuses",
    /// `/order/tag`.
    Tags = "tags",
    /// `/users`.
    Users = "users",
    /// The SKUs of `/offers`.
    Skus = "skus",
}

impl Kind {
    /// The kind of a stored text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

/// A row that is named by an id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The CRM's id.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// The CRM's other name of it; built-in rows may have nothing else that can be read.
    pub alias: String,
    /// Whether it can be used.
    pub active: bool,
    /// A source's driver, or a delivery service's carrier (`novaposhta`).
    pub carrier: String,
    /// A source's currency (`UAH`), which the CRM takes for its orders; empty where it is not known.
    pub currency: String,
    /// A pipeline's statuses.
    pub statuses: Vec<Entry>,
}

/// A custom field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// `OR_1037`.
    pub uuid: String,
    /// What people call it.
    pub name: String,
    /// `order`, `lead`, `client` or `crm_product`. The uuid's prefix says nothing reliable.
    pub model: String,
    /// `text`, `textarea`, `select`, `number`, `float`, `date`, `datetime`, `switcher` or `link`.
    pub kind: String,
    /// A select that takes several.
    pub multiple: bool,
    /// A select's options.
    pub options: Vec<String>,
}

/// All dictionaries of one account.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    /// Grows whenever something in it changed.
    pub version: i64,
    entries: BTreeMap<Kind, Vec<Entry>>,
    fields: Option<Vec<Field>>,
    /// Sorted.
    skus: Option<Vec<Box<str>>>,
}

impl Dictionary {
    /// Whether nothing was ever loaded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.fields.is_none() && self.skus.is_none()
    }

    /// Takes a kind's rows, as [`read_page`] gave them and the store kept them.
    pub fn set(&mut self, kind: Kind, rows: &[Value]) {
        match kind {
            Kind::CustomFields => self.fields = Some(rows.iter().filter_map(read::field).collect()),
            Kind::Skus => {
                let mut skus: Vec<Box<str>> = rows.iter().filter_map(Value::as_str).map(Box::from).collect();
                skus.sort_unstable();
                skus.dedup();
                self.skus = Some(skus);
            }
            _ => {
                self.entries.insert(kind, rows.iter().filter_map(read::entry).collect());
            }
        }
    }

    /// The rows of a kind that are named by ids; none where it is not known.
    #[must_use]
    pub fn entries(&self, kind: Kind) -> Option<&[Entry]> {
        self.entries.get(&kind).map(Vec::as_slice)
    }

    /// The custom fields; none where they are not known.
    #[must_use]
    pub fn fields(&self) -> Option<&[Field]> {
        self.fields.as_deref()
    }

    /// Whether a SKU is in the catalogue; none where the catalogue is not known.
    #[must_use]
    pub fn has_sku(&self, sku: &str) -> Option<bool> {
        let skus = self.skus.as_ref()?;
        Some(skus.binary_search_by(|known| (**known).cmp(sku.trim())).is_ok())
    }

    /// How many rows a kind has; none where it is not known.
    #[must_use]
    pub fn count(&self, kind: Kind) -> Option<usize> {
        match kind {
            Kind::CustomFields => self.fields.as_ref().map(Vec::len),
            Kind::Skus => self.skus.as_ref().map(Vec::len),
            _ => self.entries.get(&kind).map(Vec::len),
        }
    }
}
