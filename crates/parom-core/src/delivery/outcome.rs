//! What one POST came to: provably applied, provably not applied, refused, or unknown.

use serde_json::Value;

use super::planted::{self, Planted};
use super::reason;
use super::state::State;

/// What the client saw.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// No byte of the request was handed to the socket: refused or timed-out connect, name or TLS failure, our own gate.
    NotSent,
    /// The connection was lost, or time ran out, after the first byte may have gone.
    Lost,
    /// An answer.
    Response {
        /// HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
        /// A rate header of the CRM came with it.
        has_rate_header: bool,
        /// The body, up to the limit.
        body: &'a [u8],
    },
}

/// The class of an answer; each has one thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Applied: the CRM's number.
    Delivered(i64),
    /// Not applied; the account rests, then the same order goes.
    NotApplied,
    /// Not applied; the account waits at least so many seconds and slows down.
    RateLimited(u64),
    /// Not applied; the key or the address is wrong, and every order would meet the same.
    Paused(u16),
    /// The CRM refused this order: its own words by field.
    Rejected(Vec<(String, String)>),
    /// The CRM says that the number is already taken: perhaps by this very order.
    NumberTaken,
    /// Applied, by the CRM's own word, under another number than was sent: the CRM's number of it.
    Elsewhere(i64),
    /// It may or may not be in the CRM.
    Unknown(&'static str),
}

impl Outcome {
    /// The outcome's stable text, for the history and the metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Delivered(_) => "delivered",
            Outcome::NotApplied => "not_applied",
            Outcome::RateLimited(_) => "rate_limited",
            Outcome::Paused(_) => "paused",
            Outcome::Rejected(_) => "rejected",
            Outcome::NumberTaken => "number_taken",
            Outcome::Elsewhere(_) | Outcome::Unknown(_) => "unknown",
        }
    }
}

/// The state that an order takes by an outcome, and why, in a word.
#[must_use]
pub fn becomes(outcome: &Outcome) -> (State, String) {
    match outcome {
        Outcome::Delivered(_) => (State::Delivered, String::new()),
        Outcome::NotApplied => (State::Queued, reason::UNREACHABLE.to_owned()),
        Outcome::RateLimited(_) => (State::Queued, reason::RATE_LIMITED.to_owned()),
        Outcome::Paused(status) => (State::Queued, format!("paused_{status}")),
        Outcome::Rejected(_) => (State::Rejected, "rejected".to_owned()),
        Outcome::NumberTaken if planted::is(Planted::TakenIsDelivered) => (State::Delivered, String::new()),
        Outcome::NumberTaken => (State::Unconfirmed, reason::NUMBER_TAKEN.to_owned()),
        Outcome::Elsewhere(_) => (State::Unconfirmed, reason::OTHER_NUMBER.to_owned()),
        Outcome::Unknown(why) => (State::Unconfirmed, (*why).to_owned()),
    }
}

/// The shortest rest after a 429: the limit counts by the minute.
pub const RATE_LIMIT_REST_S: u64 = 60;
/// The longest: a sender's clock, or a date in the place of seconds, must not stop an account for good.
pub const RATE_LIMIT_REST_MAX_S: u64 = 3_600;

/// How long to rest after a 429 with this `Retry-After`.
#[must_use]
pub fn rest_after(retry_after: Option<u64>) -> u64 {
    retry_after.unwrap_or_default().clamp(RATE_LIMIT_REST_S, RATE_LIMIT_REST_MAX_S)
}

/// Classifies an answer to the POST of the order with this number; a card has none, and its id is all that is echoed.
#[must_use]
pub fn classify(answer: Answer<'_>, number: Option<&str>) -> Outcome {
    let Answer::Response { status, retry_after, has_rate_header, body } = answer else {
        return match answer {
            Answer::NotSent => Outcome::NotApplied,
            _ if planted::is(Planted::LostIsNotApplied) => Outcome::NotApplied,
            _ => Outcome::Unknown(reason::CONNECTION_LOST),
        };
    };
    let json: Option<Value> = serde_json::from_slice(body).ok();
    match status {
        200..=299 => applied(json.as_ref(), number),
        400 | 422 => refused(json.as_ref()),
        413 | 415 => Outcome::Rejected(vec![(String::new(), format!("the CRM answered {status}"))]),
        401 | 403 | 404 => Outcome::Paused(status),
        429 if has_rate_header || json.as_ref().is_some_and(is_error_shape) => {
            Outcome::RateLimited(rest_after(retry_after))
        }
        429 => Outcome::Unknown(reason::FOREIGN_429),
        300..=399 => Outcome::Unknown(reason::REDIRECT),
        500..=599 if planted::is(Planted::FailureIsNotApplied) => Outcome::NotApplied,
        500..=599 => Outcome::Unknown(reason::SERVER_ERROR),
        _ => Outcome::Unknown(reason::UNEXPECTED_STATUS),
    }
}

/// Classifies an answer to the POST of a card. The vendor's contract names 403 for wrong arguments there: with an error's JSON it
/// is about the one card, and not about the key.
#[must_use]
pub fn classify_card(answer: Answer<'_>) -> Outcome {
    if let Answer::Response { status: 403, body, .. } = answer {
        let json: Option<Value> = serde_json::from_slice(body).ok();
        if json.as_ref().is_some_and(is_error_shape) {
            return refused(json.as_ref());
        }
    }
    classify(answer, None)
}

/// The text of a number in an answer: live answers write it as a text, and a number is possible.
pub(super) fn number_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An id as an integer, or as its text.
pub(crate) fn id(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

fn applied(json: Option<&Value>, number: Option<&str>) -> Outcome {
    let Some(Value::Object(order)) = json else {
        return Outcome::Unknown(reason::NO_JSON);
    };
    let echoed = order.get("source_uuid").and_then(number_text);
    match (order.get("id").and_then(id), echoed) {
        (Some(id), _) if number.is_none() || planted::is(Planted::NumberUnchecked) => Outcome::Delivered(id),
        (Some(id), Some(echo)) if Some(echo.as_str()) == number.map(str::trim) => Outcome::Delivered(id),
        (None, _) => Outcome::Unknown(reason::NO_ID),
        (Some(id), _) => Outcome::Elsewhere(id),
    }
}

fn is_error_shape(json: &Value) -> bool {
    json.get("message").is_some_and(Value::is_string) || json.get("errors").is_some_and(Value::is_object)
}

fn refused(json: Option<&Value>) -> Outcome {
    let Some(json) = json.filter(|json| is_error_shape(json)) else {
        return Outcome::Unknown(reason::FOREIGN_REFUSAL);
    };
    let mut found = Vec::new();
    if let Some(Value::Object(errors)) = json.get("errors") {
        for (path, texts) in errors {
            let text = match texts {
                Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            if path == "source_uuid" && text.to_ascii_lowercase().contains("taken") {
                return Outcome::NumberTaken;
            }
            found.push((path.clone(), text));
        }
    }
    if found.is_empty() {
        found.push((String::new(), json.get("message").and_then(Value::as_str).unwrap_or("refused").to_owned()));
    }
    Outcome::Rejected(found)
}
