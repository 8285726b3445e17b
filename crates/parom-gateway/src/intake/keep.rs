//! From a decoded request to the row that is kept, and back from the row for a replay.

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, COOKIE, REFERER};
use jiff::Timestamp;
use parom_core::delivery::reason;
use parom_core::delivery::state::State;
use parom_core::limits;
use parom_core::order::Verdict;
use parom_core::presets;
use parom_core::spam::FIELD;
use parom_core::submission::{DecodeError, Decoded, Submission};
use parom_core::{Effect, Problem};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::access::{origin, token_hash};
use super::decode::decode_within;
use crate::store::NewSubmission;

/// Cookies and query values kept of one request.
const CONTEXT_PAIRS: usize = 100;
/// Characters of one header that is kept.
const HEADER_CHARS: usize = 1_000;

/// The name under which the page that sends a form again carries its key.
pub(super) const AGAIN: &str = "parom_again";

/// A request's parts beside its body.
#[derive(Debug)]
pub(super) struct Context {
    query: Vec<(String, String)>,
    cookies: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    page: String,
    origin: String,
    token: Option<String>,
}

impl Context {
    pub(super) fn of(headers: &HeaderMap, query: Option<&str>, token: Option<&str>) -> Context {
        let text =
            |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok()).unwrap_or_default();
        let query = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let query: Vec<(String, String)> = query.into_owned().take(CONTEXT_PAIRS).collect();
        let referer = text(REFERER);
        let named = query.iter().find(|(name, _)| name == "page").map(|(_, value)| value.as_str());
        Context {
            page: if referer.is_empty() { named.unwrap_or_default() } else { referer }.to_owned(),
            cookies: cookies(text(COOKIE)),
            headers: signing_headers(headers),
            origin: origin(headers).unwrap_or_default().to_owned(),
            token: token.map(token_hash),
            query,
        }
    }

    /// The key that our own page carries when it sends a form again.
    pub(super) fn again(&self) -> Option<&str> {
        parom_core::submission::lookup(&self.query, AGAIN)
    }

    /// The page that posted, where it is known.
    pub(super) fn page(&self) -> &str {
        &self.page
    }

    /// The named values of the address.
    pub(super) fn query(&self) -> &[(String, String)] {
        &self.query
    }

    fn to_json(&self) -> Value {
        json!({
            "query": self.query, "cookies": self.cookies, "headers": self.headers, "page": self.page,
            "origin": self.origin, "token_sha256": self.token,
        })
    }
}

/// The headers that presets read; of a long one its start, which no signature is.
fn signing_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let named =
        presets::HEADERS.iter().filter_map(|name| Some(((*name).to_owned(), headers.get(*name)?.to_str().ok()?)));
    named.map(|(name, value)| (name, value.chars().take(HEADER_CHARS).collect())).collect()
}

fn cookies(header: &str) -> Vec<(String, String)> {
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    // Decoded, as PHP gives them to a script.
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).take(CONTEXT_PAIRS).collect()
}

/// The submission of a request.
pub(super) fn submission(decoded: Decoded, context: &Context, received_at: Timestamp) -> Submission {
    Submission {
        form: decoded.0,
        flat: decoded.1,
        query: context.query.clone(),
        cookies: context.cookies.clone(),
        headers: context.headers.clone(),
        page: context.page.clone(),
        received_at,
    }
}

/// The row of a request.
pub(super) fn row(door: &'static str, headers: &HeaderMap, context: &Context, body: Bytes) -> NewSubmission {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    NewSubmission { door, content_type: content_type.to_owned(), context: context.to_json(), body }
}

/// A kept request as a submission again.
///
/// # Errors
/// A body that this version cannot decode.
pub async fn submission_of(
    content_type: &str,
    context: &Value,
    body: Vec<u8>,
    received_at: Timestamp,
) -> Result<Submission, DecodeError> {
    let decoded = decode_within(content_type, Bytes::from(body), limits::SHOP_JSON_NODES).await?;
    let pairs = |name: &str| -> Vec<(String, String)> {
        context.get(name).and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default()
    };
    let context = Context {
        query: pairs("query"),
        cookies: pairs("cookies"),
        headers: pairs("headers"),
        page: context.get("page").and_then(Value::as_str).unwrap_or_default().to_owned(),
        origin: String::new(),
        token: None,
    };
    Ok(submission(decoded, &context, received_at))
}

/// The state that a verdict leads to, and why in a word.
pub(super) fn standing(verdict: Verdict, problems: &[Problem]) -> (State, String) {
    match verdict {
        Verdict::Go => (State::Queued, String::new()),
        Verdict::Reject => (State::Canceled, reason::REFUSED.to_owned()),
        Verdict::Hold => (State::Held, why(problems).unwrap_or("invalid").to_owned()),
    }
}

/// The code of what holds an order, where something does: what concerns the whole order explains more than one of its fields.
#[must_use]
pub fn why(problems: &[Problem]) -> Option<&'static str> {
    let holds = problems.iter().filter(|problem| problem.effect == Effect::Hold);
    holds.max_by_key(|problem| problem.path.is_empty()).map(|problem| problem.code.as_str())
}

/// The content's hash: two forms with the same fields are the same, in whatever encoding they came.
pub(super) fn content_hash(submission: &Submission) -> [u8; 32] {
    // The form time is another one each time that the page is opened.
    if submission.form.get(FIELD).is_none() {
        return Sha256::digest(submission.canonical().as_bytes()).into();
    }
    let mut submission = submission.clone();
    if let Some(form) = submission.form.as_object_mut() {
        form.remove(FIELD);
    }
    Sha256::digest(submission.canonical().as_bytes()).into()
}
