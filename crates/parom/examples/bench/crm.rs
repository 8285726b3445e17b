//! A CRM that answers at once and tells when each order came.

use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub(crate) struct Crm {
    pub(crate) port: u16,
    arrived: tokio::sync::Mutex<UnboundedReceiver<Instant>>,
}

impl Crm {
    /// Orders that came since the last question.
    pub(crate) async fn count(&self) -> usize {
        let mut arrived = self.arrived.lock().await;
        std::iter::from_fn(|| arrived.try_recv().ok()).count()
    }

    pub(crate) async fn next(&self) -> Instant {
        self.arrived.lock().await.recv().await.unwrap()
    }
}

pub(crate) async fn start() -> Crm {
    let (tell, arrived) = unbounded_channel();
    let router = Router::new().route("/v1/order", post(take)).with_state(tell);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Crm { port, arrived: tokio::sync::Mutex::new(arrived) }
}

async fn take(State(tell): State<UnboundedSender<Instant>>, body: String) -> (axum::http::StatusCode, String) {
    tell.send(Instant::now()).unwrap();
    let order: serde_json::Value = serde_json::from_str(&body).unwrap();
    (axum::http::StatusCode::CREATED, format!("{{\"id\":1,\"source_uuid\":{}}}", order["source_uuid"]))
}
