//! The door of the pages: who comes in, and whether what was posted came from a page of ours.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{COOKIE, HOST, ORIGIN};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use parom_core::limits;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::rooms::{Needs, Rule};
use super::{Ui, page, words};
use crate::config::Role;
use crate::intake::Language;
use crate::store::{Scope, Session};

/// Fields of a form: more than an order or a channel has.
const FIELDS: usize = 10_000;

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Empty for a stranger.
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) scope: Scope,
    pub(super) csrf: String,
    pub(super) lang: &'static str,
    /// The path and query that was asked for, for a page that comes back to it.
    pub(super) place: String,
    /// It is a GET: the page shows what is, and may be asked for again.
    pub(super) asks: bool,
    /// The store's version before the page read anything: what changes after it is news for the page.
    pub(super) seen: i64,
}

/// A form's fields, in the order in which they were sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Posted(pub(super) Vec<(String, String)>);

impl Posted {
    /// The last value of a name; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().rev().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// What stands behind a start of names, by the rest of each: `was:buyer.phone` → `buyer.phone`.
    pub(super) fn starting(&self, start: &str) -> HashMap<&str, &str> {
        let fields = self.0.iter();
        fields.filter_map(|(name, value)| Some((name.strip_prefix(start)?, value.as_str()))).collect()
    }

    /// Every value of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Lets a request through to its page, or answers in the page's place.
pub(super) async fn guard(
    State((ui, rules)): State<(Ui, Arc<Vec<Rule>>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let session = match session(&ui, request.headers()).await {
        Ok(session) => session,
        Err(_) => {
            return page::plain(StatusCode::SERVICE_UNAVAILABLE, Language::of(request.headers()).code(), "store-down");
        }
    };
    let seen = ui.intake.store.version().await.unwrap_or_default();
    let caller = caller(session, seen, &request);
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let rule = rules.iter().find(|rule| rule.path == path && rule.method == *method);
    let Some(rule) = rule else {
        return page::refused(&ui, &caller, StatusCode::METHOD_NOT_ALLOWED, "no-such-page");
    };
    match rule.needs {
        Needs::Nobody => {}
        Needs::Role(_) if caller.name.is_empty() => return page::to_sign_in(&caller, method),
        Needs::Role(role) if caller.role < role => {
            return page::refused(&ui, &caller, StatusCode::FORBIDDEN, "not-your-role");
        }
        Needs::Role(_) => {}
    }
    if *method == Method::POST {
        if !is_of_ours(&ui, request.headers()) {
            return page::refused(&ui, &caller, StatusCode::FORBIDDEN, "foreign-page");
        }
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, limits::BODY_BYTES).collect().await else {
            return page::refused(&ui, &caller, StatusCode::PAYLOAD_TOO_LARGE, "too-large");
        };
        let posted = Posted(form_urlencoded::parse(&body.to_bytes()).into_owned().take(FIELDS + 1).collect());
        if posted.0.len() > FIELDS {
            return page::refused(&ui, &caller, StatusCode::PAYLOAD_TOO_LARGE, "too-large");
        }
        let known = caller.name.is_empty()
            || bool::from(posted.get("csrf").as_bytes().ct_eq(caller.csrf.as_bytes())) && !caller.csrf.is_empty();
        if !known {
            return page::refused(&ui, &caller, StatusCode::FORBIDDEN, "foreign-page");
        }
        request = Request::from_parts(parts, axum::body::Body::empty());
        request.extensions_mut().insert(posted);
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

fn caller(session: Option<Session>, seen: i64, request: &Request) -> Caller {
    let kept = cookie(request.headers(), "lang");
    let kept = words::LANGUAGES.into_iter().find(|known| Some(*known) == kept);
    let lang = kept.unwrap_or_else(|| Language::of(request.headers()).code());
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    let place = request.uri().path_and_query().map(|place| place.as_str().to_owned()).unwrap_or_default();
    match session {
        Some(Session { operator, csrf }) => {
            let chosen = words::LANGUAGES.into_iter().find(|known| *known == operator.language);
            let lang = chosen.unwrap_or(lang);
            Caller { name: operator.name, role: operator.role, scope: operator.scope, csrf, lang, place, asks, seen }
        }
        None => Caller {
            name: String::new(),
            role: Role::Viewer,
            scope: Scope::Accounts(Vec::new()),
            csrf: String::new(),
            lang,
            place,
            asks,
            seen,
        },
    }
}

/// The open session of the cookie.
async fn session(ui: &Ui, headers: &HeaderMap) -> Result<Option<Session>, crate::store::StoreError> {
    match cookie(headers, ui.cookie_name()) {
        Some(value) => ui.intake.store.session(fingerprint(value)).await,
        None => Ok(None),
    }
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// What is kept of a secret that a browser holds.
pub(super) fn fingerprint(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whether the browser says that a page of this address sent the form; without a word of it, the form's own token decides.
fn is_of_ours(ui: &Ui, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    // A page that sends no referrer sends no origin either.
    let Some(origin) = text(ORIGIN.as_str()).filter(|origin| *origin != "null") else { return true };
    let host = text(HOST.as_str()).unwrap_or_default();
    let own = ui.intake.config.public_url.as_deref().map(|url| url.trim_end_matches('/'));
    own == Some(origin) || origin.split_once("://").is_some_and(|(_, named)| named == host)
}
