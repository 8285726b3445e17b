//! `POST /v1/order`: the CRM's own address for an existing script, which changes only the host and the key.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use parom_core::channel::OnRepeat;
use parom_core::convert::plain;
use parom_core::delivery::state::State as OrderState;
use parom_core::mapping::{self, Given};
use parom_core::order::{Target, Verdict};
use parom_core::submission::{DecodeError, decode_json};
use serde_json::{Value, json};

use super::access::{bearer, is_token};
use super::answer::{Refusal, json_response};
use super::decide::{bits, broken};
use super::form::has_room;
use super::keep::{self, Context};
use super::{Intake, body, key};
use crate::clock;
use crate::config::LiveChannel;
use crate::metering;
use crate::store::{Accepted, Changed, KeyConflict, NewOrder, Store, Turn};

pub(super) async fn post_order(State(intake): State<Intake>, request: Request<Body>) -> Response {
    post(&intake, Target::Order, request).await
}

pub(super) async fn post_card(State(intake): State<Intake>, request: Request<Body>) -> Response {
    post(&intake, Target::Card, request).await
}

async fn post(intake: &Intake, target: Target, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let started = clock::mono();
    let found = channel_of(intake, &parts);
    let name = found.as_ref().map_or_else(|_| "unknown".to_owned(), |live| live.name.clone());
    let answered = match found {
        Ok(live) => accept(intake, &live, target, &parts, body).await,
        Err(refusal) => Err(refusal),
    };
    let response = answered.unwrap_or_else(|refusal| refusal.json());
    metering::submission(&name, response.status().as_u16(), started);
    response
}

/// The channel whose token the request bears.
fn channel_of(intake: &Intake, parts: &Parts) -> Result<Arc<LiveChannel>, Refusal> {
    let token = bearer(&parts.headers).ok_or_else(|| Refusal::new(401, "Unauthenticated."))?;
    let set = intake.channels.current();
    // Every channel is compared, so that the time tells nothing of which one it was.
    let found = set.values().fold(None, |found, live| if is_token(live, token) { Some(live) } else { found });
    found.cloned().ok_or_else(|| Refusal::new(401, "Unauthenticated."))
}

async fn accept(
    intake: &Intake,
    live: &LiveChannel,
    target: Target,
    parts: &Parts,
    body: Body,
) -> Result<Response, Refusal> {
    let channel = live.channel.as_deref();
    let whole = body::read(body, &parts.headers).await?;
    let turn = intake.store.turn();
    has_room(intake, turn.as_ref())?;
    // By it a replay knows who sent it.
    let token = channel.is_none().then(|| bearer(&parts.headers)).flatten();
    let context = Context::of(&parts.headers, parts.uri.query(), token);
    let mut row = keep::row(target.as_str(), &parts.headers, &context, whole.bytes.clone());
    row.content_type = "application/json".into();
    let tree = decode_json(&whole.bytes).map_err(|error| of_kind(&parts.headers, error))?;
    let Value::Object(wanted) = &tree else {
        return Err(Refusal::new(400, "the body is a list; send one order"));
    };
    let received_at = clock::now();
    let dictionary = channel.and_then(|channel| intake.dictionaries.get(&channel.account));
    let submission = keep::submission((tree.clone(), Vec::new()), &context, received_at);
    let (content, named) = (keep::content_hash(&submission), key::of_header(&parts.headers)?);
    let directory = intake.dictionaries.directory();
    let known = (dictionary.as_deref(), directory.as_ref());
    let given = Given { dictionary: known.0, directory: known.1, random: bits(live, named.as_deref(), &content) };
    let (mut draft, verdict) = match channel {
        Some(channel) => mapping::identity(channel, target, wanted, received_at, given),
        None => broken(live, given.random),
    };
    if channel.is_none() && has_number(wanted) {
        draft.body.extend(wanted.get("source_uuid").and_then(plain).map(|own| ("source_uuid".to_owned(), own.into())));
    }
    let refusal = (verdict == Verdict::Reject).then(|| Refusal::invalid(&draft.problems, None));
    let (state, reason) = keep::standing(verdict, &draft.problems);
    let number = draft.number().unwrap_or_default().to_owned();
    // The sender's own number is a key, as the CRM takes it for one; a header is one beside it.
    let by_number = (target == Target::Order && has_number(wanted)).then(|| format!("number:{number}"));
    let key_conflict = if by_number.is_some() { KeyConflict::Correct } else { KeyConflict::Refuse };
    let key = named.or(by_number);
    let order = NewOrder {
        id: uuid::Uuid::now_v7().to_string(),
        channel: live.name.clone(),
        channel_version: live.version,
        account: channel.map(|channel| channel.account.clone()).unwrap_or_default(),
        received_at: received_at.as_millisecond(),
        state,
        reason,
        target,
        number,
        checked: dictionary.map_or(0, |dictionary| dictionary.version),
        body: draft.body,
        problems: draft.problems,
        content,
        key: if refusal.is_some() { None } else { key },
        key_conflict,
        changed_at: None,
        doubt: None,
        changes: Default::default(),
        stamp: None,
        on_repeat: OnRepeat::Off,
        submission: row,
    };
    let wait = channel.map_or(Duration::ZERO, |channel| channel.wait);
    store_and_wait(intake, wait, order, (turn, whole), refusal).await
}

/// A body that is no JSON is of another kind where its sender says so.
fn of_kind(headers: &HeaderMap, error: DecodeError) -> Refusal {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match error {
        // Scripts send JSON under any name, curl's own included.
        DecodeError::Malformed(_) if !kind.is_empty() && !kind.contains("json") => {
            Refusal::new(415, format!("the body is no JSON, but `{kind}`; send the order as application/json"))
        }
        error => error.into(),
    }
}

/// Whether the sender gave the order its number, which then is its key too.
fn has_number(body: &serde_json::Map<String, Value>) -> bool {
    body.get("source_uuid").and_then(parom_core::convert::plain).is_some_and(|number| !number.is_empty())
}

async fn store_and_wait(
    intake: &Intake,
    wait: Duration,
    order: NewOrder,
    held: (Option<Turn>, body::Whole),
    refusal: Option<Refusal>,
) -> Result<Response, Refusal> {
    let store = &intake.store;
    if let Some(refusal) = refusal {
        let _ = store.accept(order).await;
        return Err(refusal);
    }
    let (number, by_number) = (order.number.clone(), order.key_conflict == KeyConflict::Correct);
    let (mut id, account, checked) = (order.id.clone(), order.account.clone(), order.checked);
    let channel = order.channel.clone();
    let lacks_directory = order.lacks_directory();
    // Before the commit, so that no change is missed.
    let changes = store.board().changes();
    crate::crash::point("intake.before_accept");
    let accepted = store.accept(order).await;
    crate::crash::point("intake.after_accept");
    // It is kept, or not: who waits for the CRM's answer is in nobody's way.
    drop(held);
    let waits = match accepted {
        Ok(Accepted::New(OrderState::Queued)) => true,
        Ok(Accepted::New(_)) => {
            intake.dictionaries.notice(&account, checked, lacks_directory);
            false
        }
        Ok(Accepted::Duplicate(first) | Accepted::Updated(first, _)) => {
            id = first;
            true
        }
        Ok(Accepted::Conflict(_)) => {
            let message = if by_number {
                "this source_uuid, or the Idempotency-Key, already came with another content; a new order needs new ones"
            } else {
                "this Idempotency-Key already came with another content; a new order needs a new key"
            };
            return Err(Refusal::new(409, message));
        }
        Err(error) => {
            tracing::error!(%error, "an order could not be kept");
            return Err(Refusal::unavailable("the order could not be kept now; send it again"));
        }
    };
    tracing::info!(order = %id, %channel, "accepted by the drop-in");
    // What is held waits for a person: there is no answer to wait for.
    if waits && let Some(answer) = settled(store, &id, &account, wait, changes).await {
        return Ok(answer);
    }
    Ok(json_response(202, &json!({ "id": null, "status": "accepted", "parom_id": id, "source_uuid": number })))
}

/// The CRM's own answer, if it comes in time. There is no use in waiting while delivery rests or others are before us.
async fn settled(
    store: &Store,
    id: &str,
    account: &str,
    wait: Duration,
    mut changes: tokio::sync::broadcast::Receiver<Changed>,
) -> Option<Response> {
    if let Some(answer) = answer_of(store, id).await {
        return Some(answer);
    }
    // A person decides, and nobody knows when. What was delivered meanwhile is heard below.
    let state = store.order_by_id(id).await.ok()??.summary.state;
    if matches!(state, OrderState::Held | OrderState::Disputed | OrderState::Canceled) {
        return None;
    }
    let pulse = store.board().pulse(account);
    let ahead = store.queue_length(account, pulse.free_places.saturating_add(2)).await.unwrap_or(usize::MAX);
    if pulse.resting || ahead > pulse.free_places.saturating_add(1) {
        return None;
    }
    let heard = async {
        loop {
            match changes.recv().await {
                Ok(Changed::Order(changed, _)) if changed == id => return,
                // Another node may be the one that delivers it.
                Ok(Changed::Elsewhere(of)) if of == account && answer_of(store, id).await.is_some() => return,
                Ok(_) => {}
                // A listener that fell behind looks itself.
                Err(_) => return,
            }
        }
    };
    let _ = tokio::time::timeout(wait, heard).await;
    answer_of(store, id).await
}

/// The answer that the CRM gave for an order that is delivered or rejected.
async fn answer_of(store: &Store, id: &str) -> Option<Response> {
    let detail = store.order_by_id(id).await.ok()??;
    let summary = detail.summary;
    match summary.state {
        OrderState::Delivered | OrderState::Rejected => {}
        _ => return None,
    }
    let (status, text) = store.last_answer(id).await.ok()?.unwrap_or_default();
    let sound = serde_json::from_str::<Value>(&text).ok().filter(|_| status < 500 && status != 429);
    // An answer that was not believed is not passed on, whatever a look-up found then.
    let is_its_own = |body: &Value| {
        let same = |name: &str, own: Option<String>| body.get(name).and_then(plain) == own;
        same("id", summary.crm_order_id.map(|id| id.to_string()))
            && (body.get("source_uuid").is_none() || same("source_uuid", Some(summary.number.clone())))
    };
    match (sound, summary.crm_order_id) {
        (Some(body), _) if summary.state == OrderState::Rejected || is_its_own(&body) => {
            Some(json_response(status, &body))
        }
        // Found by a look-up: the CRM's own answer was lost, and its number is what the caller needs of it.
        (_, Some(crm_id)) => Some(json_response(
            201,
            &json!({ "id": crm_id, "source_uuid": summary.number, "source_id": detail.body.get("source_id") }),
        )),
        _ => None,
    }
}
