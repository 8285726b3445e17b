//! One request of the carrier's API, answered.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::{Value, json};

use super::faults::{NovaPoshtaFaultKind as Fault, take};
use super::rows::World;
use super::{NovaPoshta, NovaPoshtaCall};
use crate::crm::Crm;
use crate::server::DropConnection;

/// Rows of a page that names no limit, and most of a page that does.
const PAGE: usize = 500;
/// The same for settlements, whatever is asked for.
const SETTLEMENTS_PAGE: usize = 150;
const WINDOW_MS: u64 = 60_000;

/// `POST /v2.0/json/`.
pub(crate) async fn answer(State(crm): State<Arc<Crm>>, body: Bytes) -> Response {
    let request: Value = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(_) => return json_answer(&refusal("20000100039", "Invalid JSON")),
    };
    let method = request["calledMethod"].as_str().unwrap_or_default().to_owned();
    let (fault, whole) = crm.novaposhta.admit(crm.clock.elapsed_ms(), &method, &request);
    match fault {
        None
        | Some(
            Fault::KeyRefused
            | Fault::TooMany
            | Fault::ErrorsAsObject
            | Fault::ShortPage
            | Fault::EmptyPage
            | Fault::NoRefs,
        ) => json_answer(&whole),
        Some(Fault::Slow { ms }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            json_answer(&whole)
        }
        Some(Fault::TooMany429 { retry_after }) => {
            (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, retry_after.to_string())], "Too Many Requests")
                .into_response()
        }
        Some(Fault::Html) => {
            let page = "<html><body>Технічні роботи</body></html>";
            (StatusCode::SERVICE_UNAVAILABLE, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
        Some(Fault::Drop) => {
            let mut response = StatusCode::OK.into_response();
            response.extensions_mut().insert(DropConnection);
            response
        }
        Some(Fault::Truncated) => {
            let text = whole.to_string();
            let half: String = text.chars().take(text.chars().count() / 2).collect();
            (StatusCode::OK, [(CONTENT_TYPE, "application/json")], half).into_response()
        }
    }
}

impl NovaPoshta {
    /// The fault that is played, and the answer beneath it.
    fn admit(&self, now_ms: u64, method: &str, request: &Value) -> (Option<Fault>, Value) {
        let mut state = self.state();
        let key = request["apiKey"].as_str().unwrap_or_default();
        let lately = state.calls.iter().rev().take_while(|call| call.at_ms + WINDOW_MS > now_ms).count();
        let busy = self.per_minute > 0 && lately >= self.per_minute as usize;
        let fault = take(&mut state.faults, method);
        let mut answer = match (&self.key, fault) {
            (_, Some(Fault::KeyRefused)) => refusal("20000200068", "API auth fail"),
            (_, Some(Fault::TooMany)) => refusal("20000401501", "To many requests"),
            (_, Some(Fault::ErrorsAsObject)) => object_refusal(),
            (Some(_), _) if key.is_empty() => refusal("20000200069", "API key empty"),
            (Some(known), _) if known != key => refusal("20000200068", "API auth fail"),
            _ if busy => refusal("20000401501", "To many requests"),
            _ => listed(&state.world, method, &request["methodProperties"]),
        };
        if let (Some(Fault::ShortPage | Fault::EmptyPage), Some(rows)) = (fault, answer["data"].as_array_mut()) {
            let kept = if fault == Some(Fault::EmptyPage) { 0 } else { rows.len() / 2 };
            rows.truncate(kept);
        }
        if let (Some(Fault::NoRefs), Some(rows)) = (fault, answer["data"].as_array_mut()) {
            rows.iter_mut().for_each(|row| row["Ref"] = Value::Null);
        }
        let page = number(&request["methodProperties"]["Page"]).unwrap_or_default();
        let rows = answer["data"].as_array().map_or(0, Vec::len);
        let error = answer["errorCodes"].get(0).and_then(Value::as_str).map(str::to_owned);
        state.calls.push(NovaPoshtaCall { at_ms: now_ms, method: method.to_owned(), page, rows, fault, error });
        (fault, answer)
    }
}

/// Makes the row of an index.
type Row = fn(&World, usize) -> Value;

fn listed(world: &World, method: &str, asked: &Value) -> Value {
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let page = number(&asked["Page"]).unwrap_or(1).max(1);
    let most = if method == "getSettlements" { SETTLEMENTS_PAGE } else { PAGE };
    let limit = number(&asked["Limit"]).unwrap_or(most).clamp(1, most);
    let (indexes, row): (Vec<usize>, Row) = match method {
        "getSettlements" => (named(world, text("FindByString"), world.settlements()), World::settlement),
        "getCities" => (named(world, text("FindByString"), world.settlements()), World::city),
        "getWarehouses" => {
            let one = [text("SettlementRef"), text("CityRef")].into_iter().find(|given| !given.is_empty());
            (one.map_or(0..world.branches(), |given| world.of(given)).collect(), World::branch)
        }
        _ => return refusal("20000100003", "Method not found"),
    };
    let rows: Vec<Value> =
        indexes.iter().skip((page - 1).saturating_mul(limit)).take(limit).map(|at| row(world, *at)).collect();
    json!({
        "success": true, "data": rows, "errors": [], "warnings": [], "info": {"totalCount": indexes.len()},
        "messageCodes": [], "errorCodes": [], "warningCodes": [], "infoCodes": []
    })
}

fn named(world: &World, text: &str, all: usize) -> Vec<usize> {
    if text.is_empty() { (0..all).collect() } else { world.begins(text) }
}

/// Numbers come as texts, mostly.
fn number(value: &Value) -> Option<usize> {
    value
        .as_str()
        .and_then(|text| text.trim().parse().ok())
        .or_else(|| value.as_u64().and_then(|number| number.try_into().ok()))
}

fn refusal(code: &str, text: &str) -> Value {
    let codes = if code.is_empty() { json!([]) } else { json!([code]) };
    json!({
        "success": false, "data": [], "errors": [text], "warnings": [], "info": [], "messageCodes": [],
        "errorCodes": codes, "warningCodes": [], "infoCodes": []
    })
}

fn object_refusal() -> Value {
    json!({
        "success": false, "data": [], "errors": {"20000900001": "Service is temporarily unavailable"}, "warnings": [], "info": [],
        "messageCodes": [], "errorCodes": {"0": "20000900001"}, "warningCodes": [], "infoCodes": []
    })
}

fn json_answer(body: &Value) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, "application/json;charset=UTF-8")], body.to_string()).into_response()
}
