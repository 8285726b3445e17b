//! A fault played on one request.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use serde_json::{Value, json};

use super::call::Call;
use super::odd_body::OddBody;
use super::reply::{Reply, dropped, html, raw, reason, too_many};
use super::run::{Twist, run};
use crate::crm::Crm;
use crate::faults::FaultKind;
use crate::fields::FieldErrors;

const JSON: &str = "application/json";
const HUGE: usize = 10 * 1024 * 1024;

/// Answers as the fault says.
pub(super) async fn play(crm: &Arc<Crm>, call: Arc<Call>, kind: FaultKind) -> Response {
    match kind {
        FaultKind::RefuseBefore { status } => Reply::message(status, reason(status)).into_response(),
        FaultKind::Validation => validation().into_response(),
        FaultKind::DropBefore => dropped(),
        FaultKind::HtmlBefore { status } => html(status),
        FaultKind::HangBefore => hang(crm).await,
        FaultKind::RateLimited { retry_after } => too_many(retry_after),
        FaultKind::SlowBefore { ms } => slow_before(crm, call, ms).await,
        FaultKind::LateCommit { ms, status } => {
            commit_later(crm, call, ms);
            Reply::message(status, reason(status)).into_response()
        }
        FaultKind::DropAndLateCommit { ms } => {
            commit_later(crm, call, ms);
            dropped()
        }
        FaultKind::ImportPartly { orders } => {
            run(crm, &call, Twist::Partly(usize::try_from(orders).unwrap_or(usize::MAX))).await.into_response()
        }
        FaultKind::LookupEmpty => run(crm, &call, Twist::Empty).await.into_response(),
        FaultKind::LookupIgnoresFilter => run(crm, &call, Twist::IgnoreFilter).await.into_response(),
        FaultKind::CommitThenDrop
        | FaultKind::HtmlAfterCommit { .. }
        | FaultKind::HangAfterCommit
        | FaultKind::Slow { .. }
        | FaultKind::WrongJson
        | FaultKind::EmptyAfterCommit { .. }
        | FaultKind::TruncatedAfterCommit
        | FaultKind::WrongNumber
        | FaultKind::HugeAnswer
        | FaultKind::DripAnswer => {
            let reply = run(crm, &call, Twist::None).await;
            spoil(crm, reply, kind).await
        }
    }
}

/// The request is applied; only the answer goes wrong.
async fn spoil(crm: &Crm, mut reply: Reply, kind: FaultKind) -> Response {
    match kind {
        FaultKind::HtmlAfterCommit { status } => html(status),
        FaultKind::HangAfterCommit => hang(crm).await,
        FaultKind::Slow { ms } => {
            crm.wait(ms).await;
            reply.into_response()
        }
        FaultKind::WrongJson => Reply::new(reply.status, json!({"status": true})).into_response(),
        FaultKind::EmptyAfterCommit { status } => raw(status, JSON, Bytes::new()),
        FaultKind::TruncatedAfterCommit => odd(&reply, OddBody::torn),
        FaultKind::DripAnswer => odd(&reply, |text| OddBody::dripping(text.to_owned())),
        FaultKind::WrongNumber => {
            let key = if reply.body.get("contact_id").is_some() { "title" } else { "source_uuid" };
            let number = reply.body[key].as_str().unwrap_or_default().to_owned();
            set(&mut reply.body, key, format!("{number}-OTHER"));
            reply.into_response()
        }
        FaultKind::HugeAnswer => {
            set(&mut reply.body, "filling", "x".repeat(HUGE));
            reply.into_response()
        }
        _ => dropped(),
    }
}

/// Puts a text into an answer, or behind it where the answer is a list.
fn set(body: &mut Value, key: &str, text: String) {
    match body {
        Value::Array(members) => members.push(Value::String(text)),
        other => other[key] = Value::String(text),
    }
}

fn validation() -> Reply {
    let errors = FieldErrors::one("buyer.phone", "The buyer.phone format is invalid.");
    Reply::new(422, errors.to_json())
}

/// Never answers; ends with the sandbox, or with the client, whose leaving drops this future.
async fn hang(crm: &Crm) -> Response {
    crm.stopped().await;
    dropped()
}

/// The CRM's worker does not notice that the client has left, so that the task goes on without it.
async fn slow_before(crm: &Arc<Crm>, call: Arc<Call>, ms: u64) -> Response {
    let crm = Arc::clone(crm);
    let task = tokio::spawn(async move {
        if !crm.wait(ms).await {
            return dropped();
        }
        run(&crm, &call, Twist::None).await.into_response()
    });
    task.await.unwrap_or_else(|_| dropped())
}

fn commit_later(crm: &Arc<Crm>, call: Arc<Call>, ms: u64) {
    let crm = Arc::clone(crm);
    tokio::spawn(async move {
        if crm.wait(ms).await {
            run(&crm, &call, Twist::None).await;
        }
    });
}

/// The right head with a body that does not keep its word.
fn odd(reply: &Reply, body: impl FnOnce(&str) -> OddBody) -> Response {
    let text = reply.body.to_string();
    let mut response = raw(reply.status, JSON, Bytes::new());
    response.headers_mut().insert(CONTENT_LENGTH, text.len().into());
    *response.body_mut() = Body::new(body(&text));
    response
}
