//! The operator's JSON API, `/api/v1`: the same verbs as the command line, for machines that bear a token. It never calls
//! the CRM: what it asks for, delivery does.

mod accounts;
mod auth;
mod channels;
mod convert;
mod orders;
mod problem;
pub mod shape;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use parom_core::limits;

use crate::intake::Intake;
use auth::Tokens;
use problem::Refused;

/// The document that describes the API, for people's tools.
const DOCUMENT: &str = include_str!("openapi.json");

/// What the handlers share.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    intake: Intake,
    tokens: Tokens,
}

impl Api {
    /// The API over what intake has.
    ///
    /// # Errors
    /// A token's secret that is not there, in words.
    pub(crate) fn new(intake: Intake) -> Result<Api, String> {
        let tokens = Tokens::read(&intake.config)?;
        Ok(Api { intake, tokens })
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Whether a request bears a token that sees every account.
    pub(crate) async fn sees_all(&self, headers: &HeaderMap) -> bool {
        auth::caller(self, crate::intake::bearer(headers))
            .await
            .is_ok_and(|caller| caller.is_some_and(|caller| caller.scope == crate::store::Scope::All))
    }
}

/// The routes of the API.
pub(crate) fn routes(api: Api) -> Router {
    let guarded = Router::new()
        .route("/orders", get(orders::list))
        .route("/orders/{id}", get(orders::show).patch(orders::edit))
        .route("/orders/{id}/retry", post(orders::retry))
        .route("/orders/{id}/cancel", post(orders::cancel))
        .route("/orders/{id}/accept", post(orders::accept))
        .route("/channels", get(channels::list))
        .route("/channels/{name}/map", post(channels::map))
        .route("/channels/{name}/suggest", get(channels::suggest))
        .route("/check", get(channels::check))
        .route("/convert/php", post(convert::php))
        .route("/accounts/{account}/pause", post(accounts::pause))
        .route("/accounts/{account}/resume", post(accounts::resume))
        .route("/dictionaries", get(accounts::list))
        .route("/dictionaries/{account}/refresh", post(accounts::refresh))
        .route("/dictionaries/{account}/{kind}", get(accounts::rows))
        .fallback(|| async { Refused::new(404, "there is nothing at this address") })
        .method_not_allowed_fallback(|| async { Refused::new(405, "this address does not take this method") })
        // Deny by default: no route is reached without a token, and none that changes anything by a viewer's.
        .layer(middleware::from_fn_with_state(api.clone(), auth::guard))
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES))
        .with_state(api);
    Router::new().route("/api/openapi.json", get(document)).nest("/api/v1", guarded)
}

async fn document() -> Response {
    ([("content-type", "application/json")], DOCUMENT).into_response()
}
