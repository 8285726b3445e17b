//! The order as the CRM takes it: its fields, their conversion, and the rules that need no dictionary.

mod conform;
mod mend;
mod paths;
mod rules;
pub mod schema;

pub use conform::conform;
pub(crate) use conform::conform_to;
pub use mend::{OnInvalid, Verdict, settle};
pub(crate) use paths::Path;
pub use paths::{get, remove, set};
pub use rules::check;

use serde_json::{Map, Value};

use crate::problem::Problem;

/// What an order becomes in the CRM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// An order: `POST /order`.
    #[default]
    Order,
    /// A card of a pipeline: `POST /pipelines/cards`.
    Card,
}

impl Target {
    /// The target's stable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Target::Order => "order",
            Target::Card => "card",
        }
    }

    /// The target of a text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Target> {
        match text.trim() {
            "order" => Some(Target::Order),
            "card" => Some(Target::Card),
            _ => None,
        }
    }
}

/// An order in the making: its body as far as it is right, and what is wrong with the rest.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The CRM's body.
    pub body: Map<String, Value>,
    /// All that was found, in the order of the fields.
    pub problems: Vec<Problem>,
    /// Texts of the values that were left out, each with its path; for the manager's comment.
    pub left_out: Vec<(String, String)>,
    /// What it becomes.
    pub target: Target,
    /// The number of a card, which has no place for one in its body.
    pub card_number: Option<String>,
}

impl Draft {
    /// The number of the order in its source.
    #[must_use]
    pub fn number(&self) -> Option<&str> {
        self.body.get("source_uuid").and_then(Value::as_str).or(self.card_number.as_deref())
    }

    /// The order's source.
    #[must_use]
    pub fn source_id(&self) -> Option<i64> {
        self.body.get("source_id").and_then(Value::as_i64)
    }
}
