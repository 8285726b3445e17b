//! Answers: JSON in the CRM's own shape for machines, pages for browsers.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use parom_core::Problem;
use parom_core::submission::DecodeError;
use serde_json::{Value, json};

use super::language::Language;
use super::{pages, wrong};

/// Seconds after which a sender should try again.
pub(super) const RETRY_AFTER_S: u64 = 10;

/// Why nothing was accepted.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: u16,
    message: String,
    errors: BTreeMap<String, Vec<String>>,
    retry_after: Option<u64>,
    close: bool,
}

impl Refusal {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Refusal {
        Refusal { status, message: message.into(), errors: BTreeMap::new(), retry_after: None, close: false }
    }

    /// 503: what was asked cannot be kept now.
    pub(super) fn unavailable(message: impl Into<String>) -> Refusal {
        Refusal { retry_after: Some(RETRY_AFTER_S), ..Refusal::new(503, message) }
    }

    /// 422 with each problem under its field; in the language of a buyer who asks for one.
    pub(super) fn invalid(problems: &[Problem], language: Option<Language>) -> Refusal {
        let mut refusal = Refusal::new(422, "The given data was invalid.");
        for problem in problems {
            refusal.errors.entry(problem.path.clone()).or_default().push(wrong::told(problem, language));
        }
        refusal
    }

    /// The same request can pass after so many seconds.
    pub(super) fn after(mut self, seconds: u64) -> Refusal {
        self.retry_after = Some(seconds);
        self
    }

    pub(super) fn closing(mut self) -> Refusal {
        self.close = true;
        self
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn json(&self) -> Response {
        let mut body = json!({ "message": self.message });
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        self.dress(json_response(self.status, &body))
    }

    pub(super) fn page(&self, language: Language) -> Response {
        let details: Vec<String> = self.errors.values().flatten().cloned().collect();
        self.dress(pages::refused(self.status, &self.message, &details, language))
    }

    /// The headers that belong to the refusal, whatever its body.
    pub(super) fn dress(&self, mut response: Response) -> Response {
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.close {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Refusal {
        let status = match error {
            DecodeError::Malformed(_) => 400,
            DecodeError::TooLarge(_) => 413,
            DecodeError::Unsupported(_) => 415,
        };
        Refusal::new(status, error.to_string())
    }
}

/// Whether a browser's person waits for the answer. Names of media types know no case.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .any(|value| value.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains("text/html")))
}

/// A JSON answer.
pub(super) fn json_response(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.to_string()).into_response()
}

/// The answer to an accepted order, or to its repeat.
pub(super) fn accepted(id: &str, duplicate: bool) -> Response {
    if duplicate {
        json_response(200, &json!({ "id": id, "status": "duplicate" }))
    } else {
        json_response(202, &json!({ "id": id, "status": "accepted" }))
    }
}

/// A browser goes to the channel's page; the address never comes from the request.
pub(super) fn thank_you(page: Option<&str>, number: &str, language: Language) -> Response {
    match page.and_then(|page| HeaderValue::from_str(page).ok()) {
        Some(url) => (StatusCode::SEE_OTHER, [(LOCATION, url)]).into_response(),
        None => pages::thank_you(number, language),
    }
}
