//! Accounts: their dictionaries and how old they are.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use parom_core::dictionary::{Entry, Kind};
use serde_json::{Value, json};

use super::Api;
use super::auth::Caller;
use super::problem::Refused;
use crate::inspect::{self, AccountReport};

pub(super) async fn list(State(api): State<Api>, Extension(caller): Extension<Caller>) -> Result<Response, Refused> {
    let seen = |name: &str| caller.scope.sees(name);
    let reports = inspect::accounts(&api.intake.config, &api.intake.store, seen).await?;
    Ok(Json(Value::Array(reports.iter().map(AccountReport::to_json).collect())).into_response())
}

/// Asks delivery to fetch anew.
pub(super) async fn refresh(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(account): Path<String>,
) -> Result<Response, Refused> {
    known(&api, &caller, &account)?;
    api.intake.store.ask_sync(&account).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "status": "accepted" }))).into_response())
}

/// Nothing new is sent to the account until it is resumed.
pub(super) async fn pause(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(account): Path<String>,
) -> Result<Response, Refused> {
    known(&api, &caller, &account)?;
    api.intake.store.pause(&account, &caller.name).await?;
    Ok(Json(json!({ "paused": true })).into_response())
}

/// The account goes on.
pub(super) async fn resume(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(account): Path<String>,
) -> Result<Response, Refused> {
    known(&api, &caller, &account)?;
    api.intake.store.resume(&account, &caller.name).await?;
    Ok(Json(json!({ "paused": false })).into_response())
}

pub(super) async fn rows(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((account, kind)): Path<(String, String)>,
) -> Result<Response, Refused> {
    known(&api, &caller, &account)?;
    let kind = Kind::parse(&kind).filter(|kind| *kind != Kind::Skus);
    let kind = kind.ok_or_else(|| Refused::new(404, "there is no such dictionary"))?;
    let dictionary = api.intake.dictionaries.get(&account);
    let dictionary = dictionary.ok_or_else(|| Refused::new(404, "the dictionary was never fetched"))?;
    let rows: Vec<Value> = if kind == Kind::CustomFields {
        let fields = dictionary.fields().unwrap_or_default().iter();
        fields
            .map(|field| {
                json!({
                    "uuid": field.uuid, "name": field.name, "model": field.model, "type": field.kind,
                    "is_multiple": field.multiple, "options": field.options,
                })
            })
            .collect()
    } else {
        dictionary.entries(kind).unwrap_or_default().iter().map(entry_json).collect()
    };
    Ok(Json(Value::Array(rows)).into_response())
}

fn entry_json(entry: &Entry) -> Value {
    let statuses: Vec<Value> = entry.statuses.iter().map(entry_json).collect();
    json!({
        "id": entry.id, "name": entry.name, "alias": entry.alias, "is_active": entry.active,
        "carrier": entry.carrier, "statuses": statuses,
    })
}

fn known(api: &Api, caller: &Caller, account: &str) -> Result<(), Refused> {
    let there = api.intake.config.accounts.has(account) && caller.scope.sees(account);
    if there { Ok(()) } else { Err(Refused::new(404, "there is no such account in sight")) }
}
