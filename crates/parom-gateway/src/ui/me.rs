//! One's own page: the open sessions, another password.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use minijinja::{Value, context};

use super::guard::{Caller, Posted, cookie, fingerprint};
use super::{Ui, page, start};
use crate::passwords;

pub(super) async fn show(State(ui): State<Ui>, Extension(caller): Extension<Caller>) -> Response {
    shown(&ui, &caller, StatusCode::OK, "").await
}

async fn shown(ui: &Ui, caller: &Caller, status: StatusCode, why: &str) -> Response {
    let sessions = match ui.intake.store.sessions_of(&caller.name).await {
        Ok(sessions) => sessions,
        Err(error) => return page::store_down(ui, caller, &error),
    };
    let rows: Vec<Value> = sessions
        .iter()
        .map(|s| context! { agent => s.agent.as_str(), created_at => s.created_at, seen_at => s.seen_at })
        .collect();
    page::page_with(ui, caller, status, "me.html", context! { rows, why, shortest => passwords::SHORTEST })
}

/// Signs out everywhere but here.
pub(super) async fn end_others(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    let own = cookie(&headers, ui.cookie_name()).map(fingerprint).unwrap_or_default();
    match ui.intake.store.close_others(&caller.name, own).await {
        Ok(()) => page::to("/me"),
        Err(error) => page::store_down(&ui, &caller, &error),
    }
}

/// Another password, by the old one; every session ends.
pub(super) async fn password(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
) -> Response {
    let store = &ui.intake.store;
    if !ui.tries.one_more() || store.sign_in_wait(&caller.name, "own page").await.is_ok_and(|wait| wait > 0) {
        return shown(&ui, &caller, StatusCode::TOO_MANY_REQUESTS, "too-many-tries").await;
    }
    let known = store.operator(&caller.name).await.ok().flatten().map(|operator| operator.password);
    if !passwords::matches(posted.get("old"), known.as_deref()).await {
        let _ = store.note_failure(&caller.name, "own page").await;
        return shown(&ui, &caller, StatusCode::UNPROCESSABLE_ENTITY, "wrong-password").await;
    }
    if let Err(weak) = passwords::check(posted.get("password"), &caller.name) {
        return shown(&ui, &caller, StatusCode::UNPROCESSABLE_ENTITY, start::word(weak)).await;
    }
    let Ok(hash) = passwords::hash(posted.get("password")).await else {
        return shown(&ui, &caller, StatusCode::SERVICE_UNAVAILABLE, "store-down").await;
    };
    match store.set_password(&caller.name, hash, &caller.name).await {
        Ok(_) => page::to("/login"),
        Err(error) => page::store_down(&ui, &caller, &error),
    }
}
