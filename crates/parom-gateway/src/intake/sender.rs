//! A request of a known sender: its test is answered, its signature looked at, its own id of the order found.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use parom_core::presets::{Answer, Kind, Mark, Preset, TOKEN_FIELDS, Unsigned};
use parom_core::submission::Submission;
use secrecy::ExposeSecret;
use serde_json::json;

use super::access::{Entry, is_token};
use super::answer::{self, Refusal, json_response};
use crate::config::LiveChannel;

/// What a request of a known sender is.
pub(super) enum Sent {
    /// An order, and whether its sender has proven to be the one.
    Order(Mark, bool),
    /// Nothing to keep: this is the answer.
    Answered(Response),
}

/// Looks at a request before anything of it is kept. A test comes before the signature: senders do not sign it.
pub(super) fn look(
    live: &LiveChannel,
    preset: &Preset,
    submission: &Submission,
    body: &[u8],
    entry: Entry,
    page: bool,
) -> Result<Sent, Refusal> {
    // Every sender may try whether somebody is there.
    let is_empty = submission.flat.is_empty() && submission.form.as_object().is_some_and(serde_json::Map::is_empty);
    let kind = if is_empty { Kind::Ping } else { preset.kind(submission) };
    if kind == Kind::Ping {
        tracing::info!(channel = %live.name, "the sender's test was answered");
        return Ok(Sent::Answered(ok(preset.answer)));
    }
    if entry != Entry::NeedsToken || !brings_token(live, submission) {
        entry.refuse(page)?;
    }
    let signed = !live.secrets.signing.is_empty();
    verify(live, preset, &submission.headers, body, submission.received_at)
        .map_err(|error| Refusal::new(401, error.to_string()))?;
    match kind {
        Kind::Order(mark) => Ok(Sent::Order(mark, signed)),
        Kind::Ping => Ok(Sent::Answered(ok(preset.answer))),
        Kind::Other(why) => {
            tracing::info!(channel = %live.name, why, "not an order: answered, and nothing kept");
            Ok(Sent::Answered(json_response(200, &json!({ "status": "ignored", "message": why }))))
        }
        Kind::Malformed(why) => {
            let message =
                format!("{why}; this channel takes what {} sends (format = \"{}\")", preset.title, preset.name);
            Err(Refusal::new(400, message))
        }
    }
}

/// Whether a request is signed by one of the channel's secrets; one without secrets asks for no signature.
///
/// # Errors
/// Why it is not believed.
pub fn verify(
    live: &LiveChannel,
    preset: &Preset,
    headers: &[(String, String)],
    body: &[u8],
    at: Timestamp,
) -> Result<(), Unsigned> {
    let secrets: Vec<&str> = live.secrets.signing.iter().map(ExposeSecret::expose_secret).collect();
    match &preset.signing {
        Some(signing) if !secrets.is_empty() => signing.verify(&secrets, headers, body, at),
        _ => Ok(()),
    }
}

/// The answer to an accepted order as its sender wants it.
pub(super) fn accepted(preset: &Preset, id: &str, duplicate: bool) -> Response {
    match preset.answer {
        Answer::Accepted => answer::accepted(id, duplicate),
        Answer::Ok => {
            let status = if duplicate { "duplicate" } else { "accepted" };
            json_response(200, &json!({ "id": id, "status": status }))
        }
        Answer::Text => ok(Answer::Text),
    }
}

fn ok(answer: Answer) -> Response {
    match answer {
        Answer::Text => {
            (StatusCode::OK, [(CONTENT_TYPE, HeaderValue::from_static("text/plain"))], "ok").into_response()
        }
        Answer::Accepted | Answer::Ok => json_response(200, &json!({ "status": "ok" })),
    }
}

/// Whether the token is the value of a header, whose name is the shop's own to choose (Tilda's API key): where nobody signs.
pub(super) fn heads_token(live: &LiveChannel, preset: &Preset, headers: &HeaderMap) -> bool {
    preset.signing.is_none() && headers.values().any(|value| value.to_str().is_ok_and(|text| is_token(live, text)))
}

/// Whether a request brings the channel's token with its fields or its query.
#[must_use]
pub fn brings_token(live: &LiveChannel, submission: &Submission) -> bool {
    let pairs = submission.flat.iter().chain(&submission.query);
    let mut named = pairs.filter(|(name, _)| TOKEN_FIELDS.contains(&name.to_ascii_lowercase().as_str()));
    named.any(|(_, value)| is_token(live, value))
}
