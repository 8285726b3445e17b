//! A later request of a sender by the channel's `[update]`: what it changes of an order that is in the CRM.

use serde_json::{Map, Value};

use super::{Given, apply};
use crate::channel::Channel;
use crate::delivery::change::{Change, ChangeKind};
use crate::dictionary;
use crate::order::{conform_to, schema};
use crate::problem::{Code, Effect, Problem};
use crate::submission::Submission;

/// The changes that a request asks for, and why others are not made. A rule whose expressions come out empty asks for none.
#[must_use]
pub fn changes(channel: &Channel, submission: &Submission, given: Given<'_>) -> (Vec<Change>, Vec<Problem>) {
    if channel.update_rules.order.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let locale = channel.locale();
    let applied = apply::apply(&channel.update_rules, &channel.shaped(submission), &locale, given.directory);
    let mut draft = conform_to(schema::UPDATE, &applied.raw, &locale);
    dictionary::apply_to_change(&mut draft, given.dictionary);
    let mut problems = applied.problems;
    problems.append(&mut draft.problems);
    let wrong = |path: &str, problems: &[Problem]| {
        problems.iter().any(|problem| problem.effect == Effect::Hold && problem.path.starts_with(path))
    };
    let mut found = Vec::new();
    for (at, payment) in draft.body.get("payments").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let path = format!("payments.{at}");
        let Some(payment) = payment.as_object().filter(|_| !wrong(&path, &problems)) else { continue };
        match payment.contains_key("amount") {
            true => found.push(Change { kind: ChangeKind::Payment, body: payment.clone() }),
            false => {
                let message = "a payment without an amount is not added";
                problems.push(Problem::new(path, Code::Required, Effect::Hold, message, "Map update.payments.amount."));
            }
        }
    }
    if let Some(status) = draft.body.get("status_id").filter(|_| !wrong("status", &problems)) {
        let body = Map::from_iter([("status_id".to_owned(), status.clone())]);
        found.push(Change { kind: ChangeKind::Status, body });
    }
    (found, problems)
}
