//! Intake: a request comes in, is decided, kept, and only then answered. It knows the store, and nothing of the CRM.

mod access;
mod answer;
mod body;
mod branches;
mod cors;
mod decide;
mod decode;
mod dropin;
mod form;
mod keep;
mod key;
mod language;
mod late;
mod pages;
mod rows;
mod sender;
mod spam;
mod wrong;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use access::is_token;
pub use access::{bearer, token_hash};
pub(crate) use answer::wants_page;
pub use branches::SearchWatch;
pub use decode::{decode, sniff};
pub use keep::{submission_of, why};
pub use key::of_kept as key_of_kept;
pub(crate) use language::Language;
pub use late::later_state;
pub(crate) use pages::{no_such_page, not_to_be_opened};
pub use rows::{Landed, Row, take_row};
pub use sender::{brings_token, verify};
pub use spam::SpamWatch;

use crate::channels::Channels;
use crate::config::Config;
use crate::dictionaries::Dictionaries;
use crate::novaposhta::NovaPoshta;
use crate::store::Store;

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct Intake {
    /// The configuration.
    pub config: Arc<Config>,
    /// The store.
    pub store: Store,
    /// The channels.
    pub channels: Arc<Channels>,
    /// The accounts' dictionaries.
    pub dictionaries: Arc<Dictionaries>,
    /// Nova Poshta's directory.
    pub novaposhta: Arc<NovaPoshta>,
    /// What is known of those who search.
    pub searches: Arc<SearchWatch>,
    /// What is known of those who send.
    pub spam: Arc<SpamWatch>,
}

/// The routes of senders. An order is not lost for a slash too many at the end of its address.
pub fn routes(intake: Intake) -> Router {
    let (open, guarded) = (post(form::post_open).options(cors::preflight), post(form::post_with_token));
    let guarded = guarded.options(cors::preflight_with_token);
    Router::new()
        .route("/in/{channel}", open.clone())
        .route("/in/{channel}/", open)
        .route("/in/{channel}/{token}", guarded.clone())
        .route("/in/{channel}/{token}/", guarded)
        .route("/form-time/{channel}", get(spam::issue))
        .route("/np/settlements", get(branches::settlements))
        .route("/np/warehouses", get(branches::warehouses))
        .route("/v1/order", post(dropin::post_order))
        .route("/v1/order/", post(dropin::post_order))
        .route("/v1/pipelines/cards", post(dropin::post_card))
        .route("/v1/pipelines/cards/", post(dropin::post_card))
        .route("/assets/page.css", get(pages::style))
        .route("/assets/again.js", get(pages::again_script))
        .route("/assets/parom.js", get(pages::sender_script))
        .route("/assets/picker.js", get(pages::picker_script))
        .route("/assets/parom.php", get(pages::sender_php))
        .with_state(intake)
}
