//! What an order costs and how much of it is paid.

use serde_json::{Map, Value, json};

use crate::amount::Amount;

/// The amounts that the totals are made of.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// What the lines cost after their own discounts.
    products: Amount,
    /// Discounts of all lines.
    line_discounts: Amount,
    /// Shipping, wrapping and taxes.
    extras: Amount,
    /// The discount on the whole order.
    order_discount: Amount,
    /// Payments whose status is `paid`.
    paid: Amount,
}

impl Sums {
    fn of(order: &Map<String, Value>) -> Self {
        let flat = |key: &str| order.get(key).map(amount).unwrap_or_default();
        let lines = || order.get("products").and_then(Value::as_array).into_iter().flatten();
        let payments = order.get("payments").and_then(Value::as_array).into_iter().flatten();
        let line_discounts: Amount = lines().map(line_discount).sum();
        let products = lines().map(line_cost).sum::<Amount>() - line_discounts;
        Self {
            products,
            line_discounts,
            extras: ["shipping_price", "wrap_price", "taxes"].iter().map(|key| flat(key)).sum(),
            order_discount: flat("discount_amount") + products.percent(flat("discount_percent")),
            paid: payments
                .filter(|payment| payment["status"] == "paid")
                .map(|payment| amount(&payment["amount"]))
                .sum(),
        }
    }

    fn grand_total(&self) -> Amount {
        (self.products + self.extras - self.order_discount).or_zero()
    }

    fn payment_status(&self) -> &'static str {
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

/// Adds the order up anew and writes its totals, those of its lines included.
pub(super) fn write(order: &mut Map<String, Value>) {
    for line in order.get_mut("products").and_then(Value::as_array_mut).into_iter().flatten() {
        line["total_discount"] = line_discount(line).to_json();
    }
    let sums = Sums::of(order);
    let mut put = |key: &str, value: Value| order.insert(key.to_owned(), value);
    put("grand_total", sums.grand_total().to_json());
    put("total_discount", (sums.line_discounts + sums.order_discount).to_json());
    put("products_total", sums.products.to_json());
    put("payments_total", sums.paid.to_json());
    put("payment_status", json!(sums.payment_status()));
}

fn amount(value: &Value) -> Amount {
    Amount::from_json(value).unwrap_or_default()
}

fn line_cost(line: &Value) -> Amount {
    amount(&line["price"]).times(amount(&line["quantity"]))
}

fn line_discount(line: &Value) -> Amount {
    amount(&line["discount_amount"]) + line_cost(line).percent(amount(&line["discount_percent"]))
}

/// What one piece of a line costs after the line's discounts.
pub(super) fn price_sold(line: &Value) -> Amount {
    amount(&line["price"]) - line_discount(line).shared_by(amount(&line["quantity"]))
}
