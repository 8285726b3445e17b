//! One attempt: the intent is committed, the order is sent once, the result is committed.

use std::time::Duration;

use parom_core::delivery::Mono;
use parom_core::delivery::bulk;
use parom_core::delivery::dispatch::too_old;
use parom_core::delivery::outcome::{Outcome, becomes, classify, classify_card};
use parom_core::delivery::reason;
use parom_core::order::Target;

use crate::clock;
use crate::config::trial_lease_ms;
use crate::crash;
use crate::crm::{Client, Seen};
use crate::store::{Intent, Settlement, Store, StoreError};

/// Bytes of an answer that the history keeps.
const KEPT_ANSWER: usize = 16 * 1024;
/// Between two tries to write a result while the disk is full.
const SETTLE_AGAIN: Duration = Duration::from_millis(500);

/// Sends a claimed order and settles it. `tell` hears the outcome before it is written: the account's budget and breaker
/// must know it before anybody can claim the order again.
pub(super) async fn send(
    store: &Store,
    client: &Client,
    intent: Intent,
    claimed: Mono,
    tell: impl FnOnce(&Outcome) + Send,
) {
    crash::point("send.after_intent");
    let seen = if is_too_late(claimed) {
        Seen::NotSent("the intent was too old when its turn came".into())
    } else {
        match intent.target {
            Target::Order => client.post_order(intent.body.clone()).await,
            Target::Card => client.post_card(intent.body.clone()).await,
        }
    };
    crash::point("send.after_answer");
    let outcome = match intent.target {
        Target::Order => classify(seen.answer(), Some(&intent.number)),
        Target::Card => classify_card(seen.answer()),
    };
    tell(&outcome);
    let settlement = settlement(&outcome, &seen);
    log(&intent, &outcome, &settlement);
    settle(store, std::slice::from_ref(&intent), &settlement).await;
    crash::point("send.after_result");
}

/// Sends claimed orders in one bulk call and settles them. `tell` hears what it came to, and whether that is a surprise.
pub(super) async fn send_bulk(
    store: &Store,
    client: &Client,
    intents: &[Intent],
    claimed: Mono,
    tell: impl FnOnce(&Outcome, bool) + Send,
) {
    crash::point("bulk.after_intent");
    let seen = if is_too_late(claimed) {
        Seen::NotSent("the intent was too old when its turn came".into())
    } else {
        client.import_orders(bulk::body(intents.iter().map(|intent| intent.body.as_str()))).await
    };
    crash::point("bulk.after_answer");
    let (outcome, surprise) = bulk::classify(seen.answer());
    tell(&outcome, surprise);
    let settlement = settlement(&outcome, &seen);
    tracing::info!(
        orders = intents.len(),
        first = %intents.first().map_or("", |intent| intent.id.as_str()),
        outcome = outcome.as_str(),
        status = settlement.status,
        "a bulk call was made; its orders are looked up"
    );
    settle(store, intents, &settlement).await;
    crash::point("bulk.after_result");
}

/// Whether another may have taken the account over since: the claim's own answer may have been long on its way. With a
/// test's short lease the time is as much shorter.
fn is_too_late(claimed: Mono) -> bool {
    let now = clock::mono();
    let trial = trial_lease_ms().and_then(|lease| u64::try_from(lease / 5).ok());
    too_old(claimed, now) || trial.is_some_and(|most| now.since(claimed) > most)
}

/// Gives claimed orders back unsent.
pub(super) async fn put_back(store: &Store, intents: &[Intent]) {
    let outcome = Outcome::NotApplied;
    let mut settlement = settlement(&outcome, &Seen::NotSent("the account rests".into()));
    settlement.reason = reason::NOT_SENT.into();
    settle(store, intents, &settlement).await;
}

fn settlement(outcome: &Outcome, seen: &Seen) -> Settlement {
    let described = seen.describe();
    let (state, reason) = becomes(outcome);
    let (crm_order_id, said_crm_id) = match outcome {
        Outcome::Delivered(id) => (Some(*id), None),
        Outcome::Elsewhere(id) => (None, Some(*id)),
        _ => (None, None),
    };
    let note = match outcome {
        Outcome::Delivered(id) => format!("the CRM took it as {id}"),
        Outcome::RateLimited(rest) => format!("{described}; the account rests {rest} s"),
        Outcome::Rejected(errors) => {
            let words: Vec<String> = errors.iter().map(|(path, text)| format!("{path}: {text}")).collect();
            format!("{described}: {}", words.join("; "))
        }
        Outcome::NumberTaken => format!("{described}: the number is already taken; looking whose it is"),
        Outcome::Elsewhere(id) => format!("{}: {id} ({described})", reason::OTHER_NUMBER),
        Outcome::Unknown(why) => format!("{why} ({described})"),
        Outcome::NotApplied | Outcome::Paused(_) => described,
    };
    let answer = match seen {
        Seen::Response { body, .. } => String::from_utf8_lossy(&body[..body.len().min(KEPT_ANSWER)]).into_owned(),
        _ => String::new(),
    };
    let (outcome, status) = (outcome.as_str(), seen.status());
    Settlement { state, reason, outcome, crm_order_id, said_crm_id, status, answer, note }
}

/// A result is written as soon as the disk takes it: until then the order stays `sending`, and a restart looks it up.
async fn settle(store: &Store, intents: &[Intent], settlement: &Settlement) {
    let Some(first) = intents.first() else { return };
    loop {
        let written = match intents {
            [intent] => store.settle(intent, settlement).await.map(|_| ()),
            intents => store.settle_bulk(intents, settlement).await,
        };
        if !once_more(&first.id, written).await {
            return;
        }
    }
}

/// Whether a result is to be written once more, after a pause: the disk was full, or the server away.
pub(super) async fn once_more(order: &str, written: Result<(), StoreError>) -> bool {
    match written {
        Ok(()) => false,
        Err(StoreError::Unavailable(why) | StoreError::NotKnown(why)) => {
            tracing::warn!(order, why, "a result could not be written yet");
            tokio::time::sleep(SETTLE_AGAIN).await;
            true
        }
        Err(error) => {
            tracing::error!(order, %error, "a result could not be written");
            false
        }
    }
}

fn log(intent: &Intent, outcome: &Outcome, settlement: &Settlement) {
    let (order, attempt, state) = (&intent.id, intent.attempt, settlement.state.as_str());
    match outcome {
        Outcome::Delivered(crm_order_id) => {
            tracing::info!(%order, attempt, crm_order_id, "delivered")
        }
        other => {
            tracing::warn!(%order, attempt, state, outcome = other.as_str(), status = settlement.status, "not delivered")
        }
    }
}
