//! A PHP script as a channel file, for a page that a script is pasted into.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use parom_core::php::{self, ConvertError, Note};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Refused;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    account: Option<String>,
}

pub(super) async fn php(
    wanted: Result<Query<Wanted>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let Query(wanted) = wanted?;
    let body = body?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let account = wanted.account.unwrap_or_else(|| "main".to_owned());
    // Following a large script takes its time, and other requests must not wait for it.
    let converted = tokio::task::spawn_blocking(move || php::convert(&text, &account)).await;
    match converted.map_err(|_| Refused::new(422, "the script could not be followed"))? {
        Ok(converted) => Ok(Json(json!({
            "channel": converted.channel, "target": converted.target.as_str(), "notes": notes(&converted.notes),
        }))
        .into_response()),
        Err(ConvertError::TooLarge) => Err(Refused::new(413, ConvertError::TooLarge.to_string())),
        Err(error) => Err(Refused::new(422, error.to_string())),
    }
}

fn notes(notes: &[Note]) -> Value {
    notes.iter().map(|note| json!({ "line": note.line, "text": note.text })).collect()
}
