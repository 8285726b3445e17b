//! Pages out of templates, with what each may load.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Method, StatusCode};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use super::guard::Caller;
use super::{Ui, words};
use crate::config::Role;
use crate::store::{Scope, StoreError};

/// No script, style, picture or address but our own; nobody may frame a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

macro_rules! templates {
    ($engine:expr, $($name:literal),* $(,)?) => {
        $($engine.add_template($name, include_str!(concat!("templates/", $name)))?;)*
    };
}

/// The templates; one that cannot be read is an error of ours, which every start would show.
pub(super) fn engine() -> Result<Environment<'static>, minijinja::Error> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    engine.set_auto_escape_callback(|_| AutoEscape::Html);
    engine.add_function("t", words::of_page);
    engine.add_filter("clock", super::shown::clock);
    engine.add_filter("day", super::shown::day);
    engine.add_filter("iso", super::shown::iso);
    templates!(
        engine,
        "base.html",
        "parts.html",
        "sign-in.html",
        "start.html",
        "refused.html",
        "home.html",
        "orders.html",
        "order.html",
        "replay.html",
        "channels.html",
        "channel.html",
        "accounts.html",
        "problem.html",
        "problems.html",
        "people.html",
        "editor.html",
        "history.html",
        "new-channel.html",
        "me.html",
        "tokens.html",
    );
    Ok(engine)
}

/// Rows of ours as the templates read them.
pub(super) fn of<T: serde::Serialize>(rows: &T) -> Value {
    Value::from(minijinja::value::Serde(rows))
}

/// A page for the caller.
pub(super) fn page(ui: &Ui, caller: &Caller, name: &str, own: Value) -> Response {
    page_with(ui, caller, StatusCode::OK, name, own)
}

pub(super) fn page_with(ui: &Ui, caller: &Caller, status: StatusCode, name: &str, own: Value) -> Response {
    let shared = context! {
        lang => caller.lang,
        room => room(name),
        operator => caller.name.clone(),
        role => caller.role.as_str(),
        may_mend => !caller.name.is_empty() && caller.role >= Role::Operator,
        is_admin => !caller.name.is_empty() && caller.role >= Role::Admin,
        sees_all => caller.scope == Scope::All,
        csrf => caller.csrf.clone(),
        place => caller.place.clone(),
        seen => caller.seen,
        live => caller.asks && matches!(name, "home.html" | "orders.html" | "order.html" | "channels.html" | "channel.html" | "accounts.html"),
        languages => of(&words::LANGUAGES),
    };
    let rendered = ui.engine.get_template(name).and_then(|template| template.render(context! { ..own, ..shared }));
    match rendered {
        Ok(html) => {
            let kind = (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            let mut page =
                (status, [kind, (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))], html).into_response();
            if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
                page.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
            }
            page
        }
        Err(error) => {
            tracing::error!(page = name, error = format!("{error:#}"), "a page could not be made");
            plain(StatusCode::INTERNAL_SERVER_ERROR, caller.lang, "page-failed")
        }
    }
}

/// The entry of the menu that a page belongs to.
fn room(name: &str) -> &'static str {
    match name {
        "home.html" => "home",
        "orders.html" | "order.html" | "replay.html" => "orders",
        "channels.html" | "channel.html" | "editor.html" | "history.html" | "new-channel.html" => "channels",
        "accounts.html" => "accounts",
        "people.html" | "tokens.html" => "people",
        _ => "",
    }
}

/// A page that says why not.
pub(super) fn refused(ui: &Ui, caller: &Caller, status: StatusCode, why: &str) -> Response {
    page_with(ui, caller, status, "refused.html", context! { why => why, status => status.as_u16() })
}

/// The store did not answer: the log says why.
pub(super) fn store_down(ui: &Ui, caller: &Caller, error: &StoreError) -> Response {
    tracing::warn!(%error, "a page could not read the store");
    refused(ui, caller, StatusCode::SERVICE_UNAVAILABLE, "store-down")
}

/// A word where no page can be made.
pub(super) fn plain(status: StatusCode, lang: &str, key: &str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], words::text(lang, key, None)).into_response()
}

/// A stranger is sent to sign in, and from there to the page that they wanted.
pub(super) fn to_sign_in(caller: &Caller, method: &Method) -> Response {
    if *method != Method::GET || caller.place == "/" {
        return to("/login");
    }
    let next: String = form_urlencoded::byte_serialize(caller.place.as_bytes()).collect();
    to(&format!("/login?next={next}"))
}

/// Sends the browser on, by GET.
pub(super) fn to(place: &str) -> Response {
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response()
}

/// A place of ours to go on to; anything else is the first page.
pub(super) fn own_place(place: &str) -> &str {
    let own = place.starts_with('/') && !place.starts_with("//") && !place.contains(['\\', '\r', '\n', '\t']);
    if own { place } else { "/" }
}
