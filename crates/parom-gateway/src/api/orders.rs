//! Orders: the journal, one order, and what an operator does with it.

use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use jiff::Timestamp;
use parom_core::delivery::state::State as OrderState;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Api;
use super::auth::Caller;
use super::problem::Refused;
use super::shape::{detail_json, summary_json};
use crate::config::Role;
use crate::operate::{self, Change, Desk, Done};
use crate::store::Filter;

/// Orders in one answer.
const LIMIT_MAX: usize = 500;

/// What a list asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// By comma.
    state: Option<String>,
    channel: Option<String>,
    text: Option<String>,
    since: Option<String>,
    until: Option<String>,
    before: Option<i64>,
    limit: Option<usize>,
}

pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(asked) = asked?;
    if caller.role == Role::Viewer && asked.text.is_some() {
        // A search tells what it finds: a masked phone could be guessed digit by digit.
        return Err(Refused::new(403, "this token may only look: searching by text finds buyers"));
    }
    let orders = api.intake.store.orders(&caller.scope, filter(asked)?).await?;
    let next = orders.last().map(|order| order.seq);
    let mut rows: Vec<Value> = orders.iter().map(summary_json).collect();
    if caller.role == Role::Viewer {
        rows.iter_mut().for_each(mask_problems);
    }
    Ok(Json(json!({ "orders": rows, "next_before": next })).into_response())
}

fn filter(asked: Asked) -> Result<Filter, Refused> {
    let states = asked.state.iter().flat_map(|list| list.split(',')).filter(|text| !text.trim().is_empty());
    let states = states.map(|text| {
        OrderState::parse(text.trim()).ok_or_else(|| Refused::new(400, format!("there is no state `{text}`")))
    });
    let at = |name: &str, text: &Option<String>| {
        let parse = |text: &String| {
            let at: Result<Timestamp, _> = text.parse();
            let utc = jiff::tz::TimeZone::UTC;
            let day = || text.parse::<jiff::civil::Date>()?.to_zoned_datetime(utc).map(|day| day.timestamp());
            at.or_else(|_| day()).map(Timestamp::as_millisecond).map_err(|_| {
                Refused::new(400, format!("{name}: write a day as 2026-11-24, or a time as 2026-11-24T10:00:00Z"))
            })
        };
        text.as_ref().map(parse).transpose()
    };
    Ok(Filter {
        states: states.collect::<Result<_, _>>()?,
        since: at("since", &asked.since)?,
        until: at("until", &asked.until)?,
        channel: asked.channel,
        text: asked.text,
        before: asked.before,
        limit: match asked.limit.unwrap_or(50) {
            limit @ 1..=LIMIT_MAX => limit,
            _ => return Err(Refused::new(400, format!("limit: 1 to {LIMIT_MAX}"))),
        },
    })
}

pub(super) async fn show(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let order = api.intake.store.order(&caller.scope, &id).await?;
    let order = order.ok_or_else(|| Refused::new(404, "there is no such order in your accounts"))?;
    let mut whole = detail_json(&order);
    if caller.role == Role::Viewer {
        mask(&mut whole);
    }
    Ok(Json(whole).into_response())
}

/// A viewer sees what is not a buyer's: what came, what was answered and said is left out, and of the order there are ids,
/// amounts and SKUs alone.
fn mask(whole: &mut Value) {
    whole["submission"] = Value::Null;
    whole["deliveries"] = Value::Null;
    whole["order"] = shown(&whole["order"], &["source_id", "source_uuid", "ordered_at", "pipeline_id", "status_id"]);
    for (list, names) in [("updates", &["body"][..]), ("changes", &["body", "note"])] {
        for row in whole[list].as_array_mut().into_iter().flatten() {
            names.iter().for_each(|name| row[*name] = Value::Null);
        }
    }
    for event in whole["history"].as_array_mut().into_iter().flatten() {
        event["note"] = Value::String(String::new());
    }
    mask_problems(whole);
}

fn shown(order: &Value, names: &[&str]) -> Value {
    let pick = |value: &Value, names: &[&str]| -> Map<String, Value> {
        names.iter().filter_map(|name| Some(((*name).to_owned(), value.get(*name)?.clone()))).collect()
    };
    let mut kept = pick(order, names);
    for (list, names) in [
        ("products", &["sku", "price", "quantity"][..]),
        ("payments", &["payment_method_id", "amount", "status", "payment_date"][..]),
    ] {
        if let Some(lines) = order.get(list).and_then(Value::as_array) {
            let lines = lines.iter().map(|line| Value::Object(pick(line, names)));
            kept.insert(list.to_owned(), Value::Array(lines.collect()));
        }
    }
    Value::Object(kept)
}

/// A problem's words may quote what the buyer typed.
fn mask_problems(order: &mut Value) {
    for problem in order["problems"].as_array_mut().into_iter().flatten() {
        problem["message"] = Value::String(String::new());
        problem["hint"] = Value::String(String::new());
    }
}

pub(super) async fn retry(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let channels = api.intake.channels.current();
    Ok(done(operate::retry(desk(&api, &channels, &caller), &id).await?))
}

pub(super) async fn cancel(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let body = object(body, &["reason"])?;
    let reason = typed(&body, "reason", "a text", Value::as_str)?.unwrap_or("canceled over the API");
    Ok(done(operate::cancel(&api.intake.store, &caller.scope, &id, reason, &caller.name).await?))
}

/// `{"crm_order_id": 5012}`: a disputed order is this one of the CRM.
pub(super) async fn accept(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let body = object(body, &["crm_order_id"])?;
    let number = typed(&body, "crm_order_id", "a whole number", Value::as_i64)?;
    let number = number.ok_or_else(|| Refused::new(422, "crm_order_id: the number of the order in the CRM"))?;
    let channels = api.intake.channels.current();
    Ok(done(operate::accept(desk(&api, &channels, &caller), &id, number).await?))
}

/// `{"set": {"buyer.phone": "…"}, "unset": ["shipping.warehouse_ref"], "keep": false}`.
pub(super) async fn edit(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let body = object(body, &["set", "unset", "keep"])?;
    let set = typed(&body, "set", "an object", Value::as_object)?.cloned().unwrap_or_default();
    let texts = |value: &Value| -> Option<Vec<String>> {
        value.as_array()?.iter().map(|path| path.as_str().map(str::to_owned)).collect()
    };
    let unset = typed(&body, "unset", "a list of texts", texts)?.unwrap_or_default();
    let keep = typed(&body, "keep", "true or false", Value::as_bool)?.unwrap_or_default();
    let sets = set.into_iter().map(|(path, value)| Change::Set(path, value));
    let changes: Vec<Change> = sets.chain(unset.into_iter().map(Change::Unset)).collect();
    if changes.is_empty() {
        return Err(Refused::new(422, "nothing to change: give `set` or `unset`"));
    }
    let channels = api.intake.channels.current();
    Ok(done(operate::edit(desk(&api, &channels, &caller), &id, &changes, keep, None).await?))
}

fn desk<'a>(api: &'a Api, channels: &'a crate::config::ChannelSet, caller: &'a Caller) -> Desk<'a> {
    let intake = &api.intake;
    Desk {
        store: &intake.store,
        channels,
        dictionaries: &intake.dictionaries,
        scope: &caller.scope,
        actor: &caller.name,
    }
}

fn done(done: Done) -> Response {
    let (state, message) = match done {
        Done::Now(state) => (state, String::new()),
        Done::Stays(state, message) | Done::Kept(state, message) => (state, message),
    };
    Json(json!({ "state": state.as_str(), "message": message })).into_response()
}

/// A member of the body, if it is there, in the form that it must have.
fn typed<'a, T>(
    body: &'a Map<String, Value>,
    name: &str,
    form: &str,
    read: impl Fn(&'a Value) -> Option<T>,
) -> Result<Option<T>, Refused> {
    let Some(value) = body.get(name) else { return Ok(None) };
    read(value).map(Some).ok_or_else(|| Refused::new(422, format!("{name}: this is not {form}")))
}

/// A JSON object with these members alone, or nothing at all.
fn object(body: Result<Bytes, BytesRejection>, known: &[&str]) -> Result<Map<String, Value>, Refused> {
    let body = body?;
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    let map = match parom_core::submission::decode_json(&body) {
        Ok(Value::Object(map)) => map,
        Ok(_) => return Err(Refused::new(400, "the body is not a JSON object")),
        Err(error) => return Err(Refused::new(400, error.to_string())),
    };
    // A mistyped `reason` would be lost without a word.
    match map.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            Err(Refused::new(422, format!("`{name}` is not known here; the body takes {}", known.join(", "))))
        }
        None => Ok(map),
    }
}
