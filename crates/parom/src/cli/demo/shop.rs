//! The example shop: one page with an order form, and one that says thanks.

use axum::Router;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::files::Ports;
use crate::cli::Failed;

const FORM: &str = include_str!("shop.html");
const THANKS: &str = include_str!("thanks.html");
const STYLE: &str = include_str!("shop.css");

/// Serves the shop until it is aborted.
pub(super) async fn start(ports: Ports) -> Result<JoinHandle<()>, Failed> {
    let listener = TcpListener::bind(ports.shop)
        .await
        .map_err(|error| format!("the shop cannot listen on {}: {error}; try --port 9080", ports.shop))?;
    let form = FORM.replace("{{GATEWAY}}", &ports.gateway.to_string());
    let thanks = THANKS.replace("{{CRM}}", &ports.crm.to_string());
    let router = Router::new()
        .route("/", get(|| async { Html(form) }))
        .route("/thanks", get(|| async { Html(thanks) }))
        .route("/shop.css", get(|| async { ([("content-type", "text/css; charset=utf-8")], STYLE).into_response() }));
    Ok(tokio::spawn(async move {
        // It ends with the demo; a broken visitor is no concern.
        let _ = axum::serve(listener, router).await;
    }))
}
