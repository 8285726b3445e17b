//! `/healthz`, `/readyz`, `/metrics`: for the machine that watches.

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use crate::intake::Intake;
use crate::metering;

pub(super) fn routes(intake: Intake) -> Router {
    Router::new()
        .route("/healthz", get(|| async { axum::Json(json!({ "status": "alive" })) }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics_text))
        .with_state(intake)
}

/// Whether an order would be accepted now; the CRM does not matter for that.
async fn ready(State(intake): State<Intake>) -> Response {
    let refused = match intake.store.space().intake() {
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
    State(intake): State<Intake>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    if !client(&intake, peer.ip(), &headers).is_loopback() {
        let body = axum::Json(json!({ "message": "metrics are for this machine alone" }));
        return (StatusCode::FORBIDDEN, body).into_response();
    }
    let text = metering::render(&intake.store).await;
    ([("content-type", "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// The client behind trusted proxies: the last address in `X-Forwarded-For` that is not one of them.
fn client(intake: &Intake, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let trusted = &intake.config.trusted_proxies;
    if !trusted.contains(&peer) {
        return peer;
    }
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<IpAddr> = lines.flat_map(|line| line.split(',')).filter_map(|hop| hop.trim().parse().ok()).collect();
    hops.into_iter().rev().find(|hop| !trusted.contains(hop)).unwrap_or(peer)
}
