//! Sign in, sign out, and the language of the pages.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use axum::Extension;
use axum::extract::{ConnectInfo, Query, State};
use axum::response::Response;
use http::header::{ORIGIN, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode};
use minijinja::context;
use serde::Deserialize;

use super::guard::{Caller, Posted, cookie, fingerprint};
use super::{Ui, page, words};
use crate::config::is_plain_elsewhere;
use crate::store::Operator;
use crate::{clock, passwords, peers};

/// Sign-ins of all names together in a second.
const A_SECOND: u32 = 5;

/// Sign-ins of this second.
#[derive(Debug, Default)]
pub(super) struct Tries(Mutex<(i64, u32)>);

impl Tries {
    pub(super) fn one_more(&self) -> bool {
        let second = clock::now().as_second();
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.0 != second {
            *tries = (second, 0);
        }
        tries.1 += 1;
        tries.1 <= A_SECOND
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

pub(super) async fn form(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Response {
    if !caller.name.is_empty() {
        return page::to(page::own_place(&wanted.next));
    }
    let nobody = ui.intake.store.operators().await.is_ok_and(|operators| operators.is_empty());
    shown(&ui, &caller, StatusCode::OK, &wanted.next, "", if nobody { "nobody-yet" } else { "" })
}

fn shown(ui: &Ui, caller: &Caller, status: StatusCode, next: &str, name: &str, why: &str) -> Response {
    page::page_with(ui, caller, status, "sign-in.html", context! { next => page::own_place(next), name, why })
}

pub(super) async fn sign_in(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    let name = posted.get("name").trim().to_lowercase();
    let next = posted.get("next");
    let network = peers::network(peers::client(&ui.intake.config.trusted_proxies, peer.ip(), &headers));
    let store = &ui.intake.store;
    let again = |status, why| shown(&ui, &caller, status, next, &name, why);
    if ui.secure && is_plain(&headers) {
        return again(StatusCode::BAD_REQUEST, "only-by-https");
    }
    // Nobody has such a name: nothing is to be kept of it.
    if !passwords::is_name(&name) {
        return again(StatusCode::UNAUTHORIZED, "wrong-password");
    }
    let Ok(wait) = store.sign_in_wait(&name, &network).await else {
        return again(StatusCode::SERVICE_UNAVAILABLE, "store-down");
    };
    if wait > 0 || !ui.tries.one_more() {
        return again(StatusCode::TOO_MANY_REQUESTS, "too-many-tries");
    }
    let found = store.operator(&name).await.ok().flatten();
    let hash = found.as_ref().map(|operator| operator.password.as_str());
    if !passwords::matches(posted.get("password"), hash).await {
        let _ = store.note_failure(&name, &network).await;
        return again(StatusCode::UNAUTHORIZED, "wrong-password");
    }
    let Some(operator) = found else { return again(StatusCode::UNAUTHORIZED, "wrong-password") };
    match open(&ui, &operator, &headers).await {
        Some(cookie) => with_cookie(page::to(page::own_place(next)), &cookie),
        None => again(StatusCode::SERVICE_UNAVAILABLE, "store-down"),
    }
}

/// Opens a session; its cookie. The browser's old one is of no use any more.
pub(super) async fn open(ui: &Ui, operator: &Operator, headers: &HeaderMap) -> Option<String> {
    let store = &ui.intake.store;
    if let Some(old) = cookie(headers, ui.cookie_name()) {
        let _ = store.close_session(fingerprint(old)).await;
    }
    let (secret, csrf) = (passwords::secret(), passwords::secret());
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let agent: String = agent.chars().filter(|c| !c.is_control()).take(200).collect();
    store.open_session(fingerprint(&secret), &operator.name, &csrf, &agent).await.ok()?;
    Some(format!("{}={secret}; {}", ui.cookie_name(), flags(ui)))
}

/// Whether the browser shows the page over plain http: it would drop a cookie that goes by https alone, without a word. Of this
/// machine itself it keeps one.
fn is_plain(headers: &HeaderMap) -> bool {
    headers.get(ORIGIN).and_then(|value| value.to_str().ok()).is_some_and(is_plain_elsewhere)
}

/// What keeps a cookie from scripts, from other sites and, where there is https, from the wire.
fn flags(ui: &Ui) -> &'static str {
    if ui.secure { "Path=/; HttpOnly; SameSite=Lax; Secure" } else { "Path=/; HttpOnly; SameSite=Lax" }
}

pub(super) fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

pub(super) async fn sign_out(State(ui): State<Ui>, headers: HeaderMap) -> Response {
    if let Some(secret) = cookie(&headers, ui.cookie_name()) {
        let _ = ui.intake.store.close_session(fingerprint(secret)).await;
    }
    with_cookie(page::to("/login"), &format!("{}=; Max-Age=0; {}", ui.cookie_name(), flags(&ui)))
}

/// Another language: kept with the operator, or in the browser of a stranger.
pub(super) async fn language(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
) -> Response {
    let back = page::to(page::own_place(posted.get("place")));
    let Some(known) = words::LANGUAGES.into_iter().find(|known| *known == posted.get("language")) else {
        return back;
    };
    if !caller.name.is_empty() {
        let _ = ui.intake.store.set_language(&caller.name, known).await;
    }
    with_cookie(back, &format!("lang={known}; Max-Age=31536000; {}", flags(&ui)))
}
