//! Control of the sandbox: what it holds, what it received, which faults it plays.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::crm::Crm;
use crate::directory::Directory;
use crate::faults::Fault;
use crate::ledger::LedgerEntry;

type Shared = State<Arc<Crm>>;

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// `GET /_sandbox/orders`: every order with all associations.
pub(crate) async fn orders(State(crm): Shared) -> Response {
    answer(StatusCode::OK, &Value::Array(crm.orders()))
}

/// `GET /_sandbox/orders/{id}`: one order with all associations.
pub(crate) async fn order(State(crm): Shared, Path(id): Path<String>) -> Response {
    match id.parse().ok().and_then(|id| crm.order(id)) {
        Some(order) => answer(StatusCode::OK, &order),
        None => answer(StatusCode::NOT_FOUND, &json!({"message": "Not Found"})),
    }
}

/// `GET /_sandbox/cards`: every card with all associations.
pub(crate) async fn cards(State(crm): Shared) -> Response {
    answer(StatusCode::OK, &Value::Array(crm.cards()))
}

/// `GET /_sandbox/cards/{id}`: one card with all associations.
pub(crate) async fn card(State(crm): Shared, Path(id): Path<String>) -> Response {
    match id.parse().ok().and_then(|id| crm.card(id)) {
        Some(card) => answer(StatusCode::OK, &card),
        None => answer(StatusCode::NOT_FOUND, &json!({"message": "Not Found"})),
    }
}

/// `GET /_sandbox/directory`: all dictionaries.
pub(crate) async fn directory(State(crm): Shared) -> Response {
    answer(StatusCode::OK, &json!(*crm.directory()))
}

/// `PUT /_sandbox/directory`: replaces all dictionaries.
pub(crate) async fn replace_directory(State(crm): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refusal) = foreign(&headers) {
        return refusal;
    }
    match serde_json::from_slice::<Directory>(&body) {
        Ok(directory) => {
            crm.change_directory(|present| *present = directory);
            answer(StatusCode::OK, &json!({"status": true}))
        }
        Err(error) => answer(StatusCode::BAD_REQUEST, &json!({"message": error.to_string()})),
    }
}

/// `GET /_sandbox/ledger`: every request received.
pub(crate) async fn ledger(State(crm): Shared) -> Response {
    let entries = crm.ledger.entries().into_iter().map(entry_json).collect();
    answer(StatusCode::OK, &Value::Array(entries))
}

fn entry_json(entry: LedgerEntry) -> Value {
    json!({
        "at_ms": entry.at_ms, "method": entry.method, "path": entry.path, "query": entry.query,
        "body": entry.body, "status": entry.status, "source_uuid": entry.source_uuid,
        "fault": entry.fault, "applied_order": entry.applied_order, "applied_card": entry.applied_card,
    })
}

/// `GET /_sandbox/faults`: those that may still hit a request.
pub(crate) async fn faults(State(crm): Shared) -> Response {
    let active = crm.faults.active(crm.clock.elapsed_ms());
    answer(StatusCode::OK, &active.into_iter().map(|fault| fault.to_json()).collect())
}

/// `POST /_sandbox/faults`: adds one.
pub(crate) async fn add_fault(State(crm): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refusal) = foreign(&headers) {
        return refusal;
    }
    let parsed = serde_json::from_slice(&body).map_err(|error| error.to_string());
    match parsed.and_then(|value: Value| Fault::from_json(&value)) {
        Ok(fault) => {
            crm.faults.add(fault, crm.clock.elapsed_ms());
            answer(StatusCode::CREATED, &json!({"status": true}))
        }
        Err(text) => answer(StatusCode::BAD_REQUEST, &json!({"message": text})),
    }
}

/// `DELETE /_sandbox/faults`: removes all.
pub(crate) async fn clear_faults(State(crm): Shared, headers: HeaderMap) -> Response {
    if let Some(refusal) = foreign(&headers) {
        return refusal;
    }
    crm.faults.clear();
    StatusCode::NO_CONTENT.into_response()
}

/// `POST /_sandbox/play`: a button of the page, the fields of a fault as a form; back to the page.
pub(crate) async fn play(State(crm): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refusal) = foreign(&headers) {
        return refusal;
    }
    // A field that was left empty says nothing.
    let filled = form_urlencoded::parse(&body).into_owned().filter(|(_, text)| !text.trim().is_empty());
    let fields = filled.map(|(key, text)| {
        let number = text.parse::<u64>().map(Value::from);
        (key, number.unwrap_or(Value::String(text)))
    });
    match Fault::from_json(&Value::Object(fields.collect())) {
        Ok(fault) => {
            crm.faults.add(fault, crm.clock.elapsed_ms());
            Redirect::to("/").into_response()
        }
        Err(text) => answer(StatusCode::BAD_REQUEST, &json!({"message": text})),
    }
}

/// `POST /_sandbox/clear`: the page's button that removes all faults.
pub(crate) async fn clear(State(crm): Shared, headers: HeaderMap) -> Response {
    if let Some(refusal) = foreign(&headers) {
        return refusal;
    }
    crm.faults.clear();
    Redirect::to("/").into_response()
}

/// A page of another site must not steer the sandbox through the visitor's browser.
fn foreign(headers: &HeaderMap) -> Option<Response> {
    let origin = headers.get(ORIGIN)?.to_str().unwrap_or_default();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !host.is_empty() && [format!("http://{host}"), format!("https://{host}")].iter().any(|own| own == origin) {
        return None;
    }
    Some(answer(StatusCode::FORBIDDEN, &json!({"message": "Another site may not do this."})))
}
