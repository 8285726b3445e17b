//! What an order costs beside its products: fees and taxes become lines, deductions one discount, so that the order's total
//! in the CRM is the shop's.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::convert::plain;

/// Amounts that were met.
#[derive(Default)]
pub(super) struct Charges {
    lines: Vec<Value>,
    off: Decimal,
}

impl Charges {
    /// An amount of the shop: above nothing a line of its own, below nothing a deduction.
    pub(super) fn add(&mut self, name: &str, amount: Option<&Value>) {
        let amount = amount.and_then(decimal).unwrap_or_default();
        if amount.is_sign_negative() {
            self.off -= amount;
        } else if !amount.is_zero() {
            self.lines.push(json!({ "name": name, "price": amount.normalize().to_string(), "quantity": 1 }));
        }
    }

    /// A discount as the shop says it: without a sign.
    pub(super) fn take_off(&mut self, amount: Option<&Value>) {
        self.off += amount.and_then(decimal).unwrap_or_default().abs();
    }

    /// `{"lines": [{"name", "price", "quantity"}], "discount": "12.5"}`; no discount is `null`.
    pub(super) fn value(self) -> Value {
        let discount = Some(self.off.normalize().to_string()).filter(|_| !self.off.is_zero());
        json!({ "lines": self.lines, "discount": discount })
    }
}

/// An amount of the shop.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    plain(value)?.trim().parse().ok()
}

/// The name of a charge, or what it is.
pub(super) fn named<'a>(item: &'a Value, key: &str, or: &'a str) -> &'a str {
    item.get(key).and_then(Value::as_str).filter(|name| !name.trim().is_empty()).unwrap_or(or)
}
