//! Answers in the CRM's shapes.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::server::DropConnection;

/// A JSON answer that a fault may still spoil.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    allow: Option<&'static str>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, body, allow: None }
    }

    /// `{"message": "…"}`, Laravel's shape of every refusal.
    pub(crate) fn message(status: u16, text: &str) -> Self {
        Self::new(status, json!({ "message": text }))
    }

    /// 405 with the methods that the path has.
    pub(crate) fn not_allowed(methods: &'static str) -> Self {
        let text = format!("This method is not supported for this route. Supported methods: {methods}.");
        Self { allow: Some(methods), ..Self::message(405, &text) }
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = raw(self.status, "application/json", self.body.to_string());
        if let Some(methods) = self.allow {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
        }
        response
    }
}

/// A response of any type; a status out of range becomes 500.
pub(crate) fn raw(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The page of a proxy before the CRM.
pub(crate) fn html(status: u16) -> Response {
    let title = format!("{status} {}", reason(status));
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    raw(status, "text/html; charset=utf-8", page)
}

/// Refused by the rate limit.
pub(crate) fn too_many(retry_after: Option<u64>) -> Response {
    let mut response = Reply::message(429, "Too Many Attempts.").into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// What Laravel says with a status.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        401 => "Unauthenticated.",
        500 => "Server Error",
        _ => StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error"),
    }
}

/// No answer: the server closes the connection.
pub(crate) fn dropped() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(DropConnection);
    response
}
