//! The pages that a person looks at: plain HTML, nothing from elsewhere, every value escaped.

mod account;
mod cards;
mod entity;
mod html;
mod orders;
mod requests;
mod table;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

use serde_json::Value;

use crate::crm::Crm;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn asset(status: StatusCode, content_type: &'static str, text: impl Into<String>) -> Response {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    (status, headers, text.into()).into_response()
}

const HTML: &str = "text/html; charset=utf-8";

/// `GET /`: the newest orders and the faults.
pub(crate) async fn orders(State(crm): State<Arc<Crm>>) -> Response {
    asset(StatusCode::OK, HTML, orders::page(&crm))
}

/// `GET /fragments/orders`: the part of the page that changes.
pub(crate) async fn fragment(State(crm): State<Arc<Crm>>) -> Response {
    asset(StatusCode::OK, HTML, orders::live(&crm))
}

/// `GET /orders/{id}`: everything that the CRM holds about one order.
pub(crate) async fn order(State(crm): State<Arc<Crm>>, Path(id): Path<String>) -> Response {
    entity(&crm, &entity::ORDER, id.parse().ok().and_then(|id| crm.order(id)))
}

/// `GET /cards/{id}`: everything that the CRM holds about one card.
pub(crate) async fn card(State(crm): State<Arc<Crm>>, Path(id): Path<String>) -> Response {
    entity(&crm, &entity::CARD, id.parse().ok().and_then(|id| crm.card(id)))
}

fn entity(crm: &Crm, kind: &entity::Kind, found: Option<Value>) -> Response {
    let Some(entity) = found else {
        return asset(StatusCode::NOT_FOUND, HTML, kind.missing());
    };
    let source = source_name(crm, &entity);
    asset(StatusCode::OK, HTML, kind.page(entity, &source, &crm.directory()))
}

/// `GET /cards`: the newest funnel cards.
pub(crate) async fn cards(State(crm): State<Arc<Crm>>) -> Response {
    asset(StatusCode::OK, HTML, cards::page(&crm))
}

/// `GET /sources`.
pub(crate) async fn sources(State(crm): State<Arc<Crm>>) -> Response {
    asset(StatusCode::OK, HTML, account::sources(&crm))
}

/// `GET /catalogue`.
pub(crate) async fn catalogue(State(crm): State<Arc<Crm>>) -> Response {
    asset(StatusCode::OK, HTML, account::catalogue(&crm))
}

/// `GET /custom-fields`.
pub(crate) async fn custom_fields(State(crm): State<Arc<Crm>>) -> Response {
    asset(StatusCode::OK, HTML, account::custom_fields(&crm))
}

/// `GET /keys`: which key is accepted, without telling it.
pub(crate) async fn keys(State(crm): State<Arc<Crm>>) -> Response {
    asset(StatusCode::OK, HTML, account::keys(&crm))
}

/// `GET /ledger`: the newest requests.
pub(crate) async fn ledger(State(crm): State<Arc<Crm>>) -> Response {
    asset(StatusCode::OK, HTML, requests::page(&crm))
}

/// The name of the source that an order or a card came from; empty where it has none.
fn source_name(crm: &Crm, entity: &Value) -> String {
    let id = entity["source_id"].as_u64().and_then(|id| u32::try_from(id).ok());
    id.map(|id| crm.directory().source_name(id)).unwrap_or_default()
}

/// `GET /assets/sandbox.css`.
pub(crate) async fn stylesheet() -> Response {
    asset(StatusCode::OK, "text/css; charset=utf-8", include_str!("../../assets/sandbox.css"))
}

/// `GET /assets/sandbox.js`.
pub(crate) async fn script() -> Response {
    asset(StatusCode::OK, "text/javascript; charset=utf-8", include_str!("../../assets/sandbox.js"))
}
