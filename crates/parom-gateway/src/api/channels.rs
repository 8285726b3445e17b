//! Channels: what there are, what is wrong with them, and what a submission would become.

use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use parom_core::channel::{merged, suggest as propose};
use parom_core::mapping::{self, Given};
use parom_core::submission::{DecodeError, Submission};
use serde_json::{Value, json};

use super::Api;
use super::auth::Caller;
use super::problem::Refused;
use crate::config::LiveChannel;
use crate::store::{Scope, problems_to_json};
use crate::{clock, inspect, intake};

pub(super) async fn list(State(api): State<Api>, Extension(caller): Extension<Caller>) -> Response {
    let set = api.intake.channels.current();
    let rows = set.values().filter(|live| sees(&caller, live)).map(|live| {
        json!({
            "name": live.name,
            "account": live.channel.as_ref().map(|channel| channel.account.clone()),
            "address": format!("/in/{}", live.name),
            "state": if live.is_broken() { "broken" } else { "ok" },
            "fault": if live.is_broken() { Value::String(live.fault()) } else { Value::Null },
        })
    });
    Json(Value::Array(rows.collect())).into_response()
}

/// The findings of every channel and account in sight, by the dictionaries as they were fetched last.
pub(super) async fn check(State(api): State<Api>, Extension(caller): Extension<Caller>) -> Result<Response, Refused> {
    let intake = &api.intake;
    let seen = |name: &str| caller.scope.sees(name);
    let accounts = inspect::accounts(&intake.config, &intake.store, seen).await?;
    let set = intake.channels.current();
    let channels = set.values().filter(|live| sees(&caller, live)).map(AsRef::as_ref);
    let mut found = inspect::online(&intake.config, channels, &accounts);
    let channels = set.values().filter(|live| sees(&caller, live)).map(AsRef::as_ref);
    found.extend(inspect::by_samples(channels, &intake.store).await?);
    let findings: Vec<Value> = found.iter().map(inspect::Located::to_json).collect();
    let accounts: Vec<Value> = accounts.iter().map(inspect::AccountReport::to_json).collect();
    Ok(Json(json!({ "accounts": accounts, "findings": findings })).into_response())
}

/// A channel file proposed from the samples that the channel kept.
pub(super) async fn suggest(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    let live = api.intake.channels.get(&name).filter(|live| sees(&caller, live));
    let live = live.ok_or_else(|| Refused::new(404, "there is no such channel in your accounts"))?;
    let samples = inspect::samples(&api.intake.store, &name).await?;
    let Some(sample) = merged(&samples) else {
        let text = "the channel has no samples yet: set learn = true in its file, and let the site send something";
        return Err(Refused::new(409, text));
    };
    let (account, source) = live
        .channel
        .as_ref()
        .map_or(("main", 1), |channel| (channel.account.as_str(), channel.source_id().unwrap_or(1)));
    Ok(Json(json!({ "channel": propose(account, source, &sample), "samples": samples.len() })).into_response())
}

/// A dry run: the body as a sender would post it.
pub(super) async fn map(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let live = api.intake.channels.get(&name).filter(|live| sees(&caller, live));
    let live = live.ok_or_else(|| Refused::new(404, "there is no such channel in your accounts"))?;
    let channel = live.channel.as_ref().ok_or_else(|| Refused::new(409, live.fault()))?;
    let body = body.map_err(|error| Refused::new(error.status().as_u16(), error.body_text()))?;
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (form, flat) = intake::decode(kind, body).await.map_err(|error| {
        let status = match error {
            DecodeError::Malformed(_) => 400,
            DecodeError::TooLarge(_) => 413,
            DecodeError::Unsupported(_) => 415,
        };
        Refused::new(status, error.to_string())
    })?;
    let submission = Submission { form, flat, ..Submission::empty(clock::now()) };
    let dictionary = api.intake.dictionaries.get(&channel.account);
    let directory = api.intake.dictionaries.directory();
    let given = Given {
        dictionary: dictionary.as_deref(),
        directory: directory.as_ref(),
        random: uuid::Uuid::new_v4().as_u128(),
    };
    let (draft, verdict) = mapping::map(channel, &submission, given);
    let body = json!({
        "verdict": verdict.as_str(), "target": draft.target.as_str(), "order": draft.body,
        "problems": problems_to_json(&draft.problems),
    });
    Ok(Json(body).into_response())
}

/// A channel that could never be read belongs to no account: only who sees all sees it.
fn sees(caller: &Caller, live: &LiveChannel) -> bool {
    match &live.channel {
        Some(channel) => caller.scope.sees(&channel.account),
        None => caller.scope == Scope::All,
    }
}
