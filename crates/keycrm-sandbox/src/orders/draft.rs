//! A checked order that has no id yet.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::amount::Amount;

/// What a valid `POST /order` asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) source_id: u32,
    pub(crate) source_uuid: Option<String>,
    pub(crate) ordered_at: Option<Timestamp>,
    /// Top-level values as they will be shown: comments, promo code, prices.
    pub(crate) flat: Map<String, Value>,
    pub(crate) buyer: Map<String, Value>,
    pub(crate) shipping: Map<String, Value>,
    pub(crate) marketing: Map<String, Value>,
    pub(crate) products: Vec<Map<String, Value>>,
    pub(crate) payments: Vec<Map<String, Value>>,
    pub(crate) custom_fields: Vec<Map<String, Value>>,
    pub(crate) sums: Sums,
}

/// The amounts that the totals are made of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    /// Price times quantity of all lines.
    pub(crate) goods: Amount,
    /// Discounts of all lines.
    pub(crate) line_discounts: Amount,
    /// Shipping, wrapping and taxes.
    pub(crate) extras: Amount,
    pub(crate) discount_amount: Amount,
    pub(crate) discount_percent: Amount,
    /// Payments whose status is `paid`.
    pub(crate) paid: Amount,
}

impl Sums {
    /// What the lines cost after their own discounts.
    pub(crate) fn products_total(&self) -> Amount {
        self.goods - self.line_discounts
    }

    fn order_discount(&self) -> Amount {
        self.discount_amount + self.products_total().percent(self.discount_percent)
    }

    pub(crate) fn total_discount(&self) -> Amount {
        self.line_discounts + self.order_discount()
    }

    pub(crate) fn grand_total(&self) -> Amount {
        (self.products_total() + self.extras - self.order_discount()).or_zero()
    }

    pub(crate) fn payment_status(&self) -> &'static str {
        let total = self.grand_total();
        if self.paid <= Amount::ZERO {
            "not_paid"
        } else if self.paid < total {
            "part_paid"
        } else if self.paid == total {
            "paid"
        } else {
            "overpaid"
        }
    }
}
