//! The operator's pages. They are made on the server and work without a script; what they change goes through the verbs of
//! `operate`, and the CRM is delivery's alone.

mod accounts;
mod branch;
mod channels;
mod download;
mod editor;
mod events;
mod guard;
mod history;
mod home;
mod me;
mod new_channel;
mod order;
mod orders;
mod page;
mod people;
mod problems;
mod rooms;
mod shown;
mod sign_in;
mod start;
mod tokens;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use minijinja::Environment;
use tokio::sync::watch;

use crate::config::{ChannelSet, Role};
use crate::intake::Intake;
use crate::operate::Desk;
use guard::Caller;
use rooms::{Needs, Rooms};

pub use rooms::{Needs as RouteNeeds, Rule};
pub use start::first_link;

/// What the pages share.
#[derive(Clone, Debug)]
pub(crate) struct Ui {
    intake: Intake,
    engine: Arc<Environment<'static>>,
    /// The address that browsers see is https.
    secure: bool,
    tries: Arc<sign_in::Tries>,
    /// The process stops: pages that listen let go.
    stopping: watch::Receiver<bool>,
}

impl Ui {
    /// The cookie's name says whether it may only go over https.
    fn cookie_name(&self) -> &'static str {
        if self.secure { "__Host-sid" } else { "sid" }
    }

    fn desk<'a>(&'a self, channels: &'a ChannelSet, caller: &'a Caller) -> Desk<'a> {
        Desk {
            store: &self.intake.store,
            channels,
            dictionaries: &self.intake.dictionaries,
            scope: &caller.scope,
            actor: &caller.name,
        }
    }
}

fn rooms() -> Rooms {
    let anybody = Needs::Nobody;
    let (viewer, operator, admin) = (Needs::Role(Role::Viewer), Needs::Role(Role::Operator), Needs::Role(Role::Admin));
    Rooms::new()
        .get("/assets/ui.css", anybody, style)
        .get("/assets/ui.js", anybody, script)
        .get("/login", anybody, sign_in::form)
        .post("/login", anybody, sign_in::sign_in)
        .get("/start/{secret}", anybody, start::form)
        .post("/start/{secret}", anybody, start::start)
        .post("/language", anybody, sign_in::language)
        .post("/logout", viewer, sign_in::sign_out)
        .get("/", viewer, home::show)
        .get("/events", viewer, events::listen)
        .get("/orders", viewer, orders::list)
        .post("/orders", operator, orders::many)
        .get("/orders/export", operator, download::file)
        .get("/orders/{id}", viewer, order::show)
        .get("/orders/{id}/replay", operator, order::replay)
        .post("/orders/{id}/retry", operator, order::retry)
        .post("/orders/{id}/cancel", operator, order::cancel)
        .post("/orders/{id}/edit", operator, order::edit)
        .post("/orders/{id}/accept", operator, order::accept)
        .post("/orders/{id}/branch", operator, branch::choose)
        .get("/channels", viewer, channels::list)
        .get("/new-channel", admin, new_channel::form)
        .post("/new-channel", admin, new_channel::make)
        .get("/channels/{name}", viewer, channels::show)
        .get("/channels/{name}/edit", admin, editor::form)
        .post("/channels/{name}/edit", admin, editor::change)
        .get("/channels/{name}/history", operator, history::show)
        .post("/channels/{name}/back", admin, history::back)
        .get("/accounts", viewer, accounts::list)
        .post("/accounts/{name}/refresh", operator, accounts::refresh)
        .post("/novaposhta/refresh", operator, accounts::refresh_carrier)
        .post("/accounts/{name}/pause", operator, accounts::pause)
        .post("/accounts/{name}/resume", operator, accounts::resume)
        .get("/problems", viewer, problems::list)
        .get("/problems/{code}", viewer, problems::show)
        .get("/me", viewer, me::show)
        .post("/me/sessions", viewer, me::end_others)
        .post("/me/password", viewer, me::password)
        .get("/tokens", admin, tokens::list)
        .post("/tokens", admin, tokens::make)
        .post("/tokens/{name}/revoke", admin, tokens::revoke)
        .get("/people", admin, people::list)
        .post("/people", admin, people::add)
        .post("/people/{name}/remove", admin, people::remove)
}

/// Every route of the pages and who may use it.
#[must_use]
pub fn rules() -> Vec<Rule> {
    rooms().rules
}

/// A text of the pages, for messages that go elsewhere.
pub(crate) fn word(language: &str, key: &str) -> String {
    words::text(language, key, None)
}

/// The routes of the pages.
///
/// # Errors
/// A template that cannot be read, in words.
pub(crate) fn routes(intake: Intake, stopping: watch::Receiver<bool>) -> Result<Router, String> {
    let secure = intake.config.is_https();
    let engine = Arc::new(page::engine().map_err(|error| format!("the pages cannot be made: {error:#}"))?);
    let ui = Ui { intake, engine, secure, tries: Arc::default(), stopping };
    let Rooms { router, rules } = rooms();
    let door = middleware::from_fn_with_state((ui.clone(), Arc::new(rules)), guard::guard);
    Ok(router.route_layer(door).with_state(ui))
}

async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("assets/ui.css"))
}

async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("assets/ui.js"))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    (headers, text).into_response()
}
