//! The pages that a person looks at: plain HTML, nothing from elsewhere, every value escaped.

mod html;
mod order;
mod orders;

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
    match id.parse().ok().and_then(|id| crm.order(id)) {
        Some(order) => asset(StatusCode::OK, HTML, order::page(&order, &source_name(&crm, &order))),
        None => asset(StatusCode::NOT_FOUND, HTML, order::missing()),
    }
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
