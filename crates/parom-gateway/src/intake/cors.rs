//! CORS: pages of the allowed origins may post by script; of a channel without an access rule, any page may.

use axum::extract::{Path, State};
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderMap, HeaderValue};

use super::Intake;
use super::access::{allows, origin};
use super::answer::Refusal;
use crate::config::LiveChannel;

pub(super) async fn preflight(
    State(intake): State<Intake>,
    Path(channel): Path<String>,
    headers: HeaderMap,
) -> Response {
    answer(&intake, &channel, &headers)
}

pub(super) async fn preflight_with_token(
    State(intake): State<Intake>,
    Path((channel, _token)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    answer(&intake, &channel, &headers)
}

fn answer(intake: &Intake, channel: &str, headers: &HeaderMap) -> Response {
    let Some(live) = intake.channels.get(channel) else {
        return Refusal::new(404, format!("there is no channel `{channel}`")).json();
    };
    let mut response = Response::default();
    *response.status_mut() = http::StatusCode::NO_CONTENT;
    if !allow(&live, headers, &mut response) {
        return Refusal::new(403, "this page's origin is not one of the channel's").json();
    }
    let out = response.headers_mut();
    out.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    out.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("content-type, idempotency-key, authorization, accept, x-requested-with"),
    );
    out.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// Adds the headers that let the page read the answer; `false` for a page that may not.
pub(super) fn allow(live: &LiveChannel, headers: &HeaderMap, response: &mut Response) -> bool {
    let Some(origin) = origin(headers) else {
        return false;
    };
    let access = live.channel.as_ref().map(|channel| &channel.access);
    let open = access.is_none_or(|access| access.origins.is_empty() && access.token.is_none());
    let listed = access.is_some_and(|access| allows(&access.origins, origin));
    let out = response.headers_mut();
    out.append(VARY, HeaderValue::from_static("Origin"));
    if !open && !listed {
        return false;
    }
    let value = if open { Ok(HeaderValue::from_static("*")) } else { HeaderValue::from_str(origin) };
    if let Ok(value) = value {
        out.insert(ACCESS_CONTROL_ALLOW_ORIGIN, value);
        out.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
    true
}
