//! One change of an order that is in the CRM: sent once, or looked for.

use parom_core::delivery::change::{self, ChangeKind, Next};
use parom_core::delivery::outcome::{Outcome, classify};
use parom_core::delivery::verify::Plan;
use serde_json::Value;

use super::send::once_more;
use crate::crash;
use crate::crm::{Client, Seen};
use crate::store::{DueChange, Store};

/// Between two tries that were not made: the account's rest decides, and this is the least.
const AGAIN_MS: i64 = 1_000;

/// Makes a claimed change, or looks for it, and writes what came of it. `tell` hears the outcome before it is written.
pub(super) async fn make(
    store: &Store,
    client: &Client,
    due: DueChange,
    plan: Plan,
    tell: impl FnOnce(&Outcome) + Send,
) {
    crash::point("change.after_intent");
    let (next, wait) =
        if due.doubtful { look(client, &due, &plan, tell).await } else { send(client, &due, &plan, tell).await };
    crash::point("change.after_answer");
    if next == Next::Done {
        tracing::info!(order = %due.order, kind = due.change.kind.as_str(), "changed in the CRM");
    } else {
        tracing::warn!(order = %due.order, kind = due.change.kind.as_str(), ?next, "not changed in the CRM");
    }
    while once_more(&due.order, store.settle_change(&due, next.clone(), wait).await).await {}
    crash::point("change.after_result");
}

async fn send(client: &Client, due: &DueChange, plan: &Plan, tell: impl FnOnce(&Outcome)) -> (Next, i64) {
    let body = Value::Object(change::marked(&due.change, &due.mark)).to_string();
    let seen = match due.change.kind {
        ChangeKind::Payment => client.post_payment(due.crm_order_id, body).await,
        ChangeKind::Status | ChangeKind::Branch => client.put_order(due.crm_order_id, body).await,
    };
    let outcome = change::outcome(seen.answer());
    tell(&outcome);
    let next = change::after(due.change.kind, &outcome, due.attempts);
    let wait = match (&next, &outcome) {
        (Next::Look, _) | (Next::Again, Outcome::Unknown(_)) => millis(plan.quiet),
        (Next::Again, Outcome::RateLimited(rest)) => millis(rest.saturating_mul(1_000)),
        _ => AGAIN_MS,
    };
    (next, wait)
}

/// The order itself proves that the look works: an answer without its payments says nothing.
async fn look(client: &Client, due: &DueChange, plan: &Plan, tell: impl FnOnce(&Outcome)) -> (Next, i64) {
    let seen = client.order_with_payments(due.crm_order_id).await;
    let found = match &seen {
        Seen::Response { status: 200, body, .. } => change::has_payment(body, &due.mark),
        _ => None,
    };
    match found {
        Some(found) => {
            tell(&Outcome::Delivered(due.crm_order_id));
            let next = match change::after_look(found, due.looks, due.attempts) {
                Next::Again if !plan.resend => Next::Refused("it is not in the CRM; add it there by hand".to_owned()),
                next => next,
            };
            (next, millis(plan.gap))
        }
        None if change::is_gone(seen.answer()) => {
            tell(&Outcome::Delivered(due.crm_order_id));
            let why = "the CRM has no such order any more, and nobody knows whether it was made";
            (Next::Refused(why.to_owned()), millis(plan.gap))
        }
        None => {
            let outcome = match classify(seen.answer(), None) {
                // An answer that shows no payments tells nothing of the account either.
                Outcome::Delivered(_) | Outcome::Rejected(_) | Outcome::NumberTaken => {
                    Outcome::Delivered(due.crm_order_id)
                }
                other => other,
            };
            tell(&outcome);
            (Next::Unclear, millis(plan.quiet))
        }
    }
}

fn millis(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX / 4)
}
