//! Values as senders write them → values as the CRM takes them. The field's own kind decides.

mod boolean;
mod datetime;
mod email;
mod number;
mod phone;
mod text;

pub use boolean::boolean;
pub use datetime::{Moment, check_format, moment, moment_in_format};
pub use email::email;
pub use number::{decimal_of_float, integer, money, quantity};
pub use phone::{is_region, phone};
pub use text::{plain, url, uuid};

use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Number, Value};

use crate::limits;
use crate::problem::Code;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number from 1 (an id of the CRM).
    Integer,
    /// A decimal amount from 0.
    Money,
    /// A decimal from 0 to 100.
    Percent,
    /// A decimal above 0.
    Quantity,
    /// Yes or no.
    Boolean,
    /// A time, sent as `YYYY-MM-DD HH:MM:SS` in UTC.
    DateTime,
    /// A day, sent as `YYYY-MM-DD`.
    Date,
    /// A phone in E.164.
    Phone,
    /// An e-mail address.
    Email,
    /// An absolute http(s) address.
    Url,
    /// A UUID.
    Uuid,
    /// `paid`, `not_paid`, `canceled` or `refund`.
    PaymentStatus,
    /// A custom field's value: a text, or a list of texts for a select.
    CustomValue,
    /// The order's number in the source.
    OrderNumber,
}

/// How the channel reads local forms.
#[derive(Clone, Debug)]
pub struct Locale {
    /// The zone of times that carry none.
    pub zone: TimeZone,
    /// The region (ISO 3166, `UA`) of phones without a country code.
    pub region: String,
    /// Dates go as they came (a drop-in request already speaks the CRM's form).
    pub keep_dates: bool,
}

/// Why a value does not fit; the caller knows the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What kind of problem.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

impl Misfit {
    pub(crate) fn new(code: Code, message: impl Into<String>, hint: &'static str) -> Misfit {
        Misfit { code, message: message.into(), hint }
    }
}

/// An empty value leaves its field out: null, blank text, an empty list or object.
#[must_use]
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The value that the CRM takes; the input is not empty.
///
/// # Errors
/// The misfit, in words for the order's page.
pub fn convert(kind: Kind, value: &Value, locale: &Locale) -> Result<Value, Misfit> {
    match kind {
        Kind::CustomValue => return custom_value(value),
        Kind::Boolean => return boolean(value).map(Value::Bool),
        _ => {}
    }
    let text = scalar_text(value)?;
    match kind {
        Kind::Text => Ok(Value::String(text)),
        Kind::Integer => integer(&text).map(Value::from),
        Kind::Money => money(&text, value.is_number()).map(decimal_value),
        Kind::Quantity => quantity(&text).map(decimal_value),
        Kind::Percent => percent(&text),
        Kind::DateTime | Kind::Date if locale.keep_dates => datetime::checked(&text, locale),
        Kind::DateTime => moment(&text, &locale.zone).map(|at| Value::String(at.for_datetime())),
        Kind::Date => moment(&text, &locale.zone).map(|at| Value::String(at.for_date(&locale.zone))),
        Kind::Phone => phone(&text, &locale.region).map(Value::String),
        Kind::Email => email(&text).map(Value::String),
        Kind::Url => url(&text).map(Value::String),
        Kind::Uuid => uuid(&text).map(Value::String),
        Kind::PaymentStatus => payment_status(&text),
        Kind::OrderNumber => order_number(text),
        Kind::Boolean | Kind::CustomValue => unreachable!("answered above"),
    }
}

/// One text out of a scalar, or out of a list of scalars (a form's checkboxes).
fn scalar_text(value: &Value) -> Result<String, Misfit> {
    // No database of theirs or ours keeps a zero byte.
    plain(value).map(|text| if text.contains('\0') { text.replace('\0', "") } else { text }).ok_or_else(|| {
        Misfit::new(
            Code::WrongShape,
            "a group of values where a single one belongs",
            "Name the part that is meant, as in {{ delivery.city }}.",
        )
    })
}

fn percent(text: &str) -> Result<Value, Misfit> {
    let value = quantity_or_zero(text.trim_end_matches('%'))?;
    if value > Decimal::ONE_HUNDRED {
        return Err(Misfit::new(Code::OutOfRange, format!("`{text}` is more than 100 %"), "Send 0 to 100."));
    }
    Ok(decimal_value(value))
}

fn quantity_or_zero(text: &str) -> Result<Decimal, Misfit> {
    if text.trim().chars().all(|c| matches!(c, '0' | '.' | ',')) && text.contains('0') {
        return Ok(Decimal::ZERO);
    }
    quantity(text)
}

fn payment_status(text: &str) -> Result<Value, Misfit> {
    // `refund` is in the vendor's article, not in its schema.
    let known = ["paid", "not_paid", "canceled", "refund"];
    let lower = text.to_ascii_lowercase();
    if known.contains(&lower.as_str()) {
        return Ok(Value::String(lower));
    }
    Err(Misfit::new(
        Code::InvalidChoice,
        format!("`{text}` is not a payment status"),
        "Use paid, not_paid, canceled or refund; the map filter translates a sender's own words.",
    ))
}

fn order_number(text: String) -> Result<Value, Misfit> {
    let hint = "Take another field for order.source_uuid, or leave it out: Parom then gives the order its own number.";
    if text.contains(',') {
        let message = format!("the number `{text}` has a comma, and the CRM's look-up splits numbers there");
        return Err(Misfit::new(Code::InvalidOrderNumber, message, hint));
    }
    if text.chars().count() > limits::NUMBER_CHARS {
        let message = format!("the number is longer than {} characters", limits::NUMBER_CHARS);
        return Err(Misfit::new(Code::InvalidOrderNumber, message, hint));
    }
    if text.chars().any(char::is_control) {
        return Err(Misfit::new(Code::InvalidOrderNumber, "the number has a control character in it", hint));
    }
    Ok(Value::String(text))
}

fn custom_value(value: &Value) -> Result<Value, Misfit> {
    match value {
        Value::Array(items) => {
            let kept = items.iter().filter(|item| !is_empty(item)).map(scalar_text);
            kept.map(|text| text.map(Value::String)).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        Value::Bool(flag) => Ok(Value::Bool(*flag)),
        other => scalar_text(other).map(Value::String),
    }
}

/// A decimal as a JSON number with just its digits.
#[must_use]
pub fn decimal_value(decimal: Decimal) -> Value {
    Value::Number(Number::from_string_unchecked(decimal.normalize().to_string()))
}
