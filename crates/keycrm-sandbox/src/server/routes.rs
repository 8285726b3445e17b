//! The routes: pages and control by name, everything else is the API's.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::crm::Crm;
use crate::{api, control, novaposhta, pages};

/// A whole account: a catalogue of some ten thousand products.
const DIRECTORY_BYTES: usize = 64 * 1024 * 1024;

pub(super) fn router(crm: Arc<Crm>) -> Router {
    let directory = get(control::directory).put(control::replace_directory);
    let directory = directory.layer(DefaultBodyLimit::max(DIRECTORY_BYTES));
    Router::new()
        .route("/", get(pages::orders))
        .route("/orders/{id}", get(pages::order))
        .route("/cards", get(pages::cards))
        .route("/cards/{id}", get(pages::card))
        .route("/sources", get(pages::sources))
        .route("/catalogue", get(pages::catalogue))
        .route("/custom-fields", get(pages::custom_fields))
        .route("/keys", get(pages::keys))
        .route("/ledger", get(pages::ledger))
        .route("/fragments/orders", get(pages::fragment))
        .route("/assets/sandbox.css", get(pages::stylesheet))
        .route("/assets/sandbox.js", get(pages::script))
        .route("/_sandbox/orders", get(control::orders))
        .route("/_sandbox/orders/{id}", get(control::order))
        .route("/_sandbox/cards", get(control::cards))
        .route("/_sandbox/cards/{id}", get(control::card))
        .route("/_sandbox/directory", directory)
        .route("/_sandbox/ledger", get(control::ledger))
        .route("/_sandbox/faults", get(control::faults).post(control::add_fault).delete(control::clear_faults))
        .route("/_sandbox/play", post(control::play))
        .route("/_sandbox/clear", post(control::clear))
        .route("/openapi.json", get(api::openapi))
        .route("/v2.0/json/", post(novaposhta::answer))
        .fallback(api::answer)
        .with_state(crm)
}
