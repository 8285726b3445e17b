//! Mapping: a submission and a channel's rules → a draft order *and* its problems. It never fails: broken input is
//! normal input, and the submission is kept whatever comes out.

mod apply;
mod branch;
mod card;
mod compiled;
mod context;
mod expr;
mod filters;
mod lower;
mod marketing;
mod rules;
mod update;

pub use branch::UnclearBranch;
pub use expr::{Expr, ExprError};
pub use rules::{Assign, LineRule, Place, Rules};
pub use update::changes;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::channel::{Channel, TargetRule};
use crate::convert::{Locale, Moment, is_empty, plain};
use crate::dictionary::{self, Dictionary};
use crate::novaposhta::Directory;
use crate::number;
use crate::order::{self, Draft, OnInvalid, Target, Verdict, settle};
use crate::problem::{Code, Effect, Problem};
use crate::submission::Submission;

/// What a mapping knows beside channel and submission.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The account's dictionaries; none where they were never fetched.
    pub dictionary: Option<&'a Dictionary>,
    /// Nova Poshta's directory; none where it is not kept, or was never fetched.
    pub directory: Option<&'a Arc<Directory>>,
    /// Makes the number where the channel maps none.
    pub random: u128,
}

/// The order of a submission by the channel's rules.
#[must_use]
pub fn map(channel: &Channel, submission: &Submission, given: Given<'_>) -> (Draft, Verdict) {
    let locale = channel.locale();
    let submission = &*channel.shaped(submission);
    let (target, untargeted) = target(channel, submission, &locale);
    let mut applied = apply::apply(&channel.rules, submission, &locale, given.directory);
    match target {
        Target::Order => marketing::complete_order(&mut applied.raw, submission),
        Target::Card => {
            applied.raw = card::of_order(applied.raw);
            let own = apply::apply(&channel.card_rules, submission, &locale, given.directory);
            applied.raw.extend(own.raw);
            applied.problems.extend(own.problems);
            applied.left_out.extend(own.left_out);
            marketing::complete(&mut applied.raw, submission);
        }
    }
    let mut draft = order::conform(target, &applied.raw, &locale);
    draft.problems.splice(0..0, untargeted.into_iter().chain(applied.problems));
    draft.left_out.splice(0..0, applied.left_out);
    let kg = branch::weight(&mut draft, channel, submission, given.directory);
    finish(&mut draft, channel, &locale, submission.received_at, given, kg);
    draft.problems.extend(currency(channel, submission, &draft, given.dictionary));
    let verdict = settle(&mut draft, channel.on_invalid);
    (draft, verdict)
}

/// A mark where a shop counts in another currency than the CRM's source, which takes the amounts for its own.
fn currency(
    channel: &Channel,
    submission: &Submission,
    draft: &Draft,
    dictionary: Option<&Dictionary>,
) -> Option<Problem> {
    let said = plain(submission.form.pointer(channel.preset?.currency?)?).filter(|said| !said.is_empty())?;
    let source = draft.source_id()?;
    let entry = dictionary?.entries(dictionary::Kind::Sources)?.iter().find(|entry| entry.id == source)?;
    if entry.currency.is_empty() || entry.currency.eq_ignore_ascii_case(&said) {
        return None;
    }
    let message = format!("the shop's order is in {said}, and the CRM's source counts in {}", entry.currency);
    let hint = "Give orders of this currency a source of their own in the CRM, and map order.source_id by it.";
    Some(Problem::new("", Code::WrongCurrency, Effect::Warn, message, hint))
}

/// The order of a drop-in request, whose body already is the CRM's: the same conversion and rules, dates untouched, the
/// channel's source where the body has none.
#[must_use]
pub fn identity(
    channel: &Channel,
    target: Target,
    body: &Map<String, Value>,
    received_at: Timestamp,
    given: Given<'_>,
) -> (Draft, Verdict) {
    let mut raw = body.clone();
    if raw.get("source_id").is_none_or(is_empty)
        && let Some(source) = channel.source_id()
    {
        raw.insert("source_id".into(), Value::from(source));
    }
    let locale = Locale { keep_dates: true, ..channel.locale() };
    let mut draft = order::conform(target, &raw, &locale);
    finish(&mut draft, channel, &locale, received_at, given, None);
    let verdict = settle(&mut draft, channel.on_invalid);
    (draft, verdict)
}

/// An order's body after an operator's edit: every problem that is left holds.
#[must_use]
pub fn revise(
    target: Target,
    body: &Map<String, Value>,
    locale: &Locale,
    unknown_sku: dictionary::UnknownSku,
    dictionary: Option<&Dictionary>,
    directory: Option<&Arc<Directory>>,
) -> (Draft, Verdict) {
    let locale = Locale { keep_dates: true, ..locale.clone() };
    let mut draft = order::conform(target, body, &locale);
    branch::check(&mut draft, (directory, dictionary), None);
    dictionary::apply(&mut draft, dictionary, unknown_sku, &locale);
    order::check(&mut draft);
    draft.problems.extend(numberless(&draft));
    let verdict = settle(&mut draft, OnInvalid::Hold);
    (draft, verdict)
}

/// An order whose number a person took away: no look-up could find it in the CRM, and it would be sent once more.
fn numberless(draft: &Draft) -> Option<Problem> {
    let known = draft.problems.iter().any(|problem| problem.path == "source_uuid");
    let lacks = draft.target == Target::Order && draft.number().is_none() && !known;
    let hint = "Give it another number, or cancel it.";
    lacks.then(|| Problem::new("source_uuid", Code::Required, Effect::Hold, "an order needs its number", hint))
}

/// The idempotency key by the channel's expression; none where it comes out empty, and where it fails a problem beside it: a
/// repeat would not be known.
#[must_use]
pub fn idempotency_key(channel: &Channel, submission: &Submission) -> (Option<String>, Option<Problem>) {
    let Some(expr) = &channel.idempotency_key else { return (None, None) };
    let context = context::root(&channel.shaped(submission), &channel.locale(), None).context(None);
    match expr.eval(&context) {
        Ok(value) => (plain(&value).filter(|key| !key.is_empty()), None),
        Err(error) => {
            let hint = "Mend idempotency_key in the channel: until then a repeat of this order makes another one.";
            let problem = Problem::new("idempotency_key", Code::ExpressionFailed, Effect::Warn, error.message, hint);
            (None, Some(problem))
        }
    }
}

/// What the channel's rule makes of the submission; an order, and a problem, where the rule says neither.
fn target(channel: &Channel, submission: &Submission, locale: &Locale) -> (Target, Option<Problem>) {
    let expr = match &channel.target {
        TargetRule::Always(target) => return (*target, None),
        TargetRule::By(expr) => expr,
    };
    let said = expr.eval(&context::root(submission, locale, None).context(None));
    let word = said.as_ref().ok().and_then(plain).unwrap_or_default();
    match Target::parse(&word) {
        Some(target) => (target, None),
        None => {
            let message = match said {
                Ok(_) => format!("the channel's target came out as `{word}`, which is neither order nor card"),
                Err(error) => error.message,
            };
            let hint = "Mend `target` in the channel, then retry this order.";
            (Target::Order, Some(Problem::new("target", Code::ExpressionFailed, Effect::Hold, message, hint)))
        }
    }
}

/// Names to ids, defaults that keep a late order right, the rules, and a number of ours.
fn finish(
    draft: &mut Draft,
    channel: &Channel,
    locale: &Locale,
    received_at: Timestamp,
    given: Given<'_>,
    kg: Option<f64>,
) {
    branch::check(draft, (given.directory, given.dictionary), kg);
    dictionary::apply(draft, given.dictionary, channel.unknown_sku, locale);
    let now = Moment::Instant(received_at).for_datetime();
    if draft.target == Target::Order && !draft.body.contains_key("ordered_at") {
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
    branch::hold(draft, channel.unclear_branch);
    number(draft, given.random);
    arrange(draft);
}

/// An order's number is `source_uuid`. A card has no field for one: it stands in the title where the channel maps none, so
/// that the card can be found again.
fn number(draft: &mut Draft, random: u128) {
    if draft.target == Target::Card {
        let number = number::own(random);
        draft.body.entry("title").or_insert_with(|| Value::String(number.clone()));
        draft.card_number = Some(number);
        return;
    }
    if draft.number().is_some() {
        return;
    }
    let bad = draft.problems.iter().any(|problem| problem.path == "source_uuid");
    draft.body.insert("source_uuid".into(), Value::String(number::own(random)));
    if bad {
        let message = "the order carries a number of Parom's own until it is mended";
        draft.problems.push(Problem::new("source_uuid", Code::InvalidOrderNumber, Effect::Warn, message, ""));
    }
}

/// The body in the schema's order, whatever order its parts were found in.
fn arrange(draft: &mut Draft) {
    let schema = order::schema::of(draft.target);
    let place = |name: &str| schema.iter().position(|entry| entry.name == name).unwrap_or(schema.len());
    let mut fields: Vec<(String, Value)> = std::mem::take(&mut draft.body).into_iter().collect();
    fields.sort_by_key(|(name, _)| place(name));
    draft.body = fields.into_iter().collect();
}
