//! The link by which the first operator is made: printed at the start, works once, for a quarter of an hour.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use minijinja::context;

use super::guard::{Caller, Posted, fingerprint};
use super::{Ui, page, sign_in};
use crate::clock;
use crate::config::Role;
use crate::passwords::{self, Weak};
use crate::store::{Operator, Scope, Store, StoreError};

const LIVES_MS: i64 = 15 * 60_000;

/// The path of a new link, where nobody can sign in yet.
///
/// # Errors
/// The store.
pub async fn first_link(store: &Store) -> Result<Option<String>, StoreError> {
    if !store.operators().await?.is_empty() {
        return Ok(None);
    }
    let secret = passwords::secret();
    store.keep_link(fingerprint(&secret), clock::now().as_millisecond() + LIVES_MS).await?;
    Ok(Some(format!("/start/{secret}")))
}

pub(super) async fn form(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(secret): Path<String>,
) -> Response {
    match ui.intake.store.link_works(fingerprint(&secret)).await {
        Ok(true) => shown(&ui, &caller, StatusCode::OK, "", ""),
        Ok(false) => page::refused(&ui, &caller, StatusCode::GONE, "link-gone"),
        Err(error) => page::store_down(&ui, &caller, &error),
    }
}

fn shown(ui: &Ui, caller: &Caller, status: StatusCode, name: &str, why: &str) -> Response {
    page::page_with(ui, caller, status, "start.html", context! { name, why, shortest => passwords::SHORTEST })
}

pub(super) async fn start(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Response {
    let name = posted.get("name").trim().to_lowercase();
    match ui.intake.store.link_works(fingerprint(&secret)).await {
        Ok(true) => {}
        Ok(false) => return page::refused(&ui, &caller, StatusCode::GONE, "link-gone"),
        Err(error) => return page::store_down(&ui, &caller, &error),
    }
    if !ui.tries.one_more() {
        return page::refused(&ui, &caller, StatusCode::TOO_MANY_REQUESTS, "too-many-tries");
    }
    let again = |why| shown(&ui, &caller, StatusCode::UNPROCESSABLE_ENTITY, &name, why);
    if !passwords::is_name(&name) {
        return again("name-not-taken");
    }
    if let Err(weak) = passwords::check(posted.get("password"), &name) {
        return again(word(weak));
    }
    let Ok(password) = passwords::hash(posted.get("password")).await else { return again("store-down") };
    let operator = Operator {
        name: name.clone(),
        password,
        role: Role::Admin,
        scope: Scope::All,
        language: caller.lang.to_owned(),
        created_at: 0,
    };
    match ui.intake.store.use_link(fingerprint(&secret), operator.clone()).await {
        Ok(true) => match sign_in::open(&ui, &operator, &headers).await {
            Some(cookie) => sign_in::with_cookie(page::to("/"), &cookie),
            None => page::to("/login"),
        },
        Ok(false) => page::refused(&ui, &caller, StatusCode::GONE, "link-gone"),
        Err(_) => again("store-down"),
    }
}

/// The key of the text that says why a password is not taken.
pub(super) fn word(weak: Weak) -> &'static str {
    match weak {
        Weak::Short => "password-short",
        Weak::Long => "password-long",
        Weak::Guessable => "password-guessable",
    }
}
