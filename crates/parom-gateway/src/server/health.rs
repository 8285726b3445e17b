//! `/healthz`, `/readyz`, `/metrics`: for the machine that watches.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use crate::api::Api;
use crate::intake::Intake;
use crate::{metering, peers};

pub(super) fn routes(intake: Intake) -> Router {
    Router::new()
        .route("/healthz", get(|| async { axum::Json(json!({ "status": "alive" })) }))
        .route("/readyz", get(ready))
        .with_state(intake)
}

/// The metrics: for this machine, and for whoever bears a token of the API.
pub(super) fn metrics(api: Api) -> Router {
    Router::new().route("/metrics", get(metrics_text)).with_state(api)
}

/// Whether an order would be accepted now; the CRM does not matter for that.
async fn ready(State(intake): State<Intake>) -> Response {
    let refused = match intake.store.room_for_intake() {
        Err((free, needed)) => Some(format!("the disk has {free} bytes free, {needed} are needed")),
        Ok(()) => intake.store.probe().await.err().map(|error| error.to_string()),
    };
    match refused {
        None => axum::Json(json!({ "status": "ready" })).into_response(),
        Some(why) => {
            let body = axum::Json(json!({ "status": "not ready", "message": why }));
            (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "10")], body).into_response()
        }
    }
}

async fn metrics_text(
    State(api): State<Api>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    let intake = api.intake();
    let is_own = peers::client(&intake.config.trusted_proxies, peer.ip(), &headers).is_loopback();
    if !is_own && !api.sees_all(&headers).await {
        let message = "metrics are for this machine, and for a bearer token of the API that sees every account";
        let body = axum::Json(json!({ "message": message }));
        return (StatusCode::FORBIDDEN, body).into_response();
    }
    let text = metering::render(&intake.store).await;
    ([("content-type", "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
