//! A change of an order that is in the CRM: a payment more, another status. The CRM has no key for a payment, so one whose
//! outcome is unknown is looked for by a mark in its description before it is sent again; a status may be set twice.

use serde_json::{Map, Value};

use super::outcome::{Answer, Outcome, classify};
use crate::limits;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// `POST /order/{id}/payment`.
    Payment,
    /// `PUT /order/{id}` with a status.
    Status,
    /// `PUT /order/{id}` with the shipping, for a branch that a person chose.
    Branch,
}

/// A change to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What it changes.
    pub kind: ChangeKind,
    /// The CRM's body.
    pub body: Map<String, Value>,
}

/// What an answer or a look leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is made.
    Done,
    /// It will not be made; why.
    Refused(String),
    /// It was not made: send it when the account may.
    Again,
    /// Nobody knows: look, once the CRM had its time.
    Look,
    /// The look itself told nothing: it does not count, and another is made.
    Unclear,
}

impl ChangeKind {
    /// The stable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Payment => "payment",
            ChangeKind::Status => "status",
            ChangeKind::Branch => "branch",
        }
    }

    /// Whether it may be made twice without harm: then a doubtful one is sent again without a look.
    #[must_use]
    pub fn may_repeat(self) -> bool {
        match self {
            ChangeKind::Payment => false,
            ChangeKind::Status | ChangeKind::Branch => true,
        }
    }

    /// The kind of a stored text.
    #[must_use]
    pub fn parse(text: &str) -> Option<ChangeKind> {
        [ChangeKind::Payment, ChangeKind::Status, ChangeKind::Branch].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What an answer to a change came to. The CRM does not echo a number here, and a 404 is about the one order.
#[must_use]
pub fn outcome(answer: Answer<'_>) -> Outcome {
    match answer {
        Answer::Response { status: 200..=299, body, .. } => match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(_)) => Outcome::Delivered(0),
            _ => Outcome::Unknown("success without JSON"),
        },
        answer if is_gone(answer) => {
            Outcome::Rejected(vec![(String::new(), "the CRM has no such order any more".to_owned())])
        }
        answer => classify(answer, None),
    }
}

/// Whether the CRM says that it has no such order: it was deleted, or put into another.
#[must_use]
pub fn is_gone(answer: Answer<'_>) -> bool {
    matches!(answer, Answer::Response { status: 404, body, .. } if serde_json::from_slice::<Value>(body).is_ok())
}

/// What follows an attempt, the `attempts`th.
#[must_use]
pub fn after(kind: ChangeKind, outcome: &Outcome, attempts: u32) -> Next {
    match (outcome, kind) {
        (Outcome::Delivered(_), _) => Next::Done,
        (Outcome::Rejected(errors), _) => {
            let words: Vec<String> =
                errors.iter().map(|(path, text)| format!("{path} {text}").trim().to_owned()).collect();
            Next::Refused(words.join("; "))
        }
        (Outcome::NumberTaken | Outcome::Elsewhere(_), _) => {
            Next::Refused("the CRM speaks of the number of an order".to_owned())
        }
        // Not sent, or not applied: it costs nothing to wait.
        (Outcome::NotApplied | Outcome::RateLimited(_) | Outcome::Paused(_), _) => Next::Again,
        (Outcome::Unknown(_), ChangeKind::Payment) => Next::Look,
        (Outcome::Unknown(why), ChangeKind::Status | ChangeKind::Branch) if attempts >= limits::CHANGE_TRIES => {
            Next::Refused(format!("tried {attempts} times, and nobody knows whether it was made ({why})"))
        }
        (Outcome::Unknown(_), ChangeKind::Status | ChangeKind::Branch) => Next::Again,
    }
}

/// What follows a look for a payment: two that do not find it, a while apart, prove that it is not there.
#[must_use]
pub fn after_look(found: bool, looks: u32, attempts: u32) -> Next {
    match (found, looks) {
        (true, _) => Next::Done,
        (false, 0 | 1) => Next::Look,
        (false, _) if attempts > limits::RESENDS => {
            Next::Refused(format!("sent {attempts} times, and it is not in the CRM: add it there by hand"))
        }
        (false, _) => Next::Again,
    }
}

/// Whether an order's answer has the payment with this mark; nothing where the answer shows no payments.
#[must_use]
pub fn has_payment(body: &[u8], mark: &str) -> Option<bool> {
    let order: Value = serde_json::from_slice(body).ok()?;
    let payments = order.get("payments")?.as_array()?;
    let marked =
        |payment: &Value| payment.get("description").and_then(Value::as_str).is_some_and(|text| text.contains(mark));
    Some(payments.iter().any(marked))
}

/// The body as it goes: a payment carries the mark by which it is found again.
#[must_use]
pub fn marked(change: &Change, mark: &str) -> Map<String, Value> {
    let mut body = change.body.clone();
    if change.kind == ChangeKind::Payment {
        let text = body.get("description").and_then(Value::as_str).unwrap_or_default();
        let text = if text.is_empty() { mark.to_owned() } else { format!("{text} ({mark})") };
        body.insert("description".to_owned(), Value::String(text));
    }
    body
}

/// Whether two payments are the same one: by method, amount and status, which is `paid` where none is named.
#[must_use]
pub fn same_payment(left: &Map<String, Value>, right: &Map<String, Value>) -> bool {
    let text =
        |payment: &Map<String, Value>, key: &str| payment.get(key).and_then(crate::convert::plain).unwrap_or_default();
    let amount = |payment: &Map<String, Value>| crate::convert::money(&text(payment, "amount"), true).ok();
    let status = |payment: &Map<String, Value>| {
        let status = text(payment, "status");
        if status.is_empty() { "paid".to_owned() } else { status }
    };
    let methods = ["payment_method_id", "payment_method"];
    methods.iter().all(|key| text(left, key) == text(right, key))
        && amount(left) == amount(right)
        && status(left) == status(right)
}
