//! Mapping: a submission and a channel's rules → a draft order *and* its problems. It never fails: broken input is
//! normal input, and the submission is kept whatever comes out.

mod apply;
mod context;
mod expr;
mod filters;
mod marketing;
mod rules;

pub use expr::{Expr, ExprError};
pub use rules::{Assign, LineRule, Place, Rules};

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::channel::Channel;
use crate::convert::{Locale, Moment};
use crate::number;
use crate::order::{self, Draft, OnInvalid, Verdict, settle};
use crate::problem::{Code, Effect, Problem};
use crate::submission::Submission;

/// The order of a submission by the channel's rules. `random` makes the number where the channel maps none.
#[must_use]
pub fn map(channel: &Channel, submission: &Submission, random: u128) -> (Draft, Verdict) {
    let locale = channel.locale();
    let mut applied = apply::apply(&channel.rules, submission, &locale);
    marketing::complete(&mut applied.raw, submission);
    let mut draft = order::conform(&applied.raw, &locale);
    draft.problems.splice(0..0, applied.problems);
    draft.left_out.splice(0..0, applied.left_out);
    finish(&mut draft, submission.received_at, random);
    let verdict = settle(&mut draft, channel.on_invalid);
    (draft, verdict)
}

/// The order of a drop-in request, whose body already is the CRM's: the same conversion and rules, dates untouched, the
/// channel's source where the body has none.
#[must_use]
pub fn identity(
    channel: &Channel,
    body: &Map<String, Value>,
    received_at: Timestamp,
    random: u128,
) -> (Draft, Verdict) {
    let mut raw = body.clone();
    if raw.get("source_id").is_none_or(crate::convert::is_empty)
        && let Some(source) = channel.source_id()
    {
        raw.insert("source_id".into(), Value::from(source));
    }
    let mut draft = order::conform(&raw, &Locale { keep_dates: true, ..channel.locale() });
    finish(&mut draft, received_at, random);
    let verdict = settle(&mut draft, channel.on_invalid);
    (draft, verdict)
}

/// An order's body after an operator's edit: every problem that is left holds.
#[must_use]
pub fn revise(body: &Map<String, Value>, locale: &Locale) -> (Draft, Verdict) {
    let mut draft = order::conform(body, &Locale { keep_dates: true, ..locale.clone() });
    order::check(&mut draft);
    let verdict = settle(&mut draft, OnInvalid::Hold);
    (draft, verdict)
}

/// The idempotency key by the channel's expression; none where it comes out empty or fails.
#[must_use]
pub fn idempotency_key(channel: &Channel, submission: &Submission) -> Option<String> {
    let expr = channel.idempotency_key.as_ref()?;
    let context = context::root(submission, &channel.locale(), None);
    let value = expr.eval(&context).ok()?;
    crate::convert::plain(&value).filter(|key| !key.is_empty())
}

/// Defaults that keep a late order right, the rules, and a number of ours.
fn finish(draft: &mut Draft, received_at: Timestamp, random: u128) {
    let now = Moment::Instant(received_at).for_datetime();
    let troubled = |draft: &Draft, path: &str| draft.problems.iter().any(|problem| problem.path == path);
    if !draft.body.contains_key("ordered_at") {
        draft.body.insert("ordered_at".into(), Value::String(now.clone()));
    }
    if let Some(Value::Array(payments)) = draft.body.get_mut("payments") {
        for payment in payments.iter_mut().filter_map(Value::as_object_mut) {
            let paid = payment.get("status").and_then(Value::as_str) == Some("paid");
            if paid && !payment.contains_key("payment_date") {
                payment.insert("payment_date".into(), Value::String(now.clone()));
            }
        }
    }
    order::check(draft);
    if draft.number().is_none() {
        let bad = troubled(draft, "source_uuid");
        draft.body.insert("source_uuid".into(), Value::String(number::own(random)));
        if bad {
            let message = "the order carries a number of Parom's own until it is mended";
            draft.problems.push(Problem::new("source_uuid", Code::InvalidOrderNumber, Effect::Warn, message, ""));
        }
    }
    arrange(draft);
}

/// The body in the schema's order, whatever order its parts were found in.
fn arrange(draft: &mut Draft) {
    let mut body = std::mem::take(&mut draft.body);
    for entry in order::schema::ORDER {
        if let Some(value) = body.shift_remove(entry.name) {
            draft.body.insert(entry.name.to_owned(), value);
        }
    }
    draft.body.extend(body);
}
