//! Accounts: the key, the limit, the dictionaries and their age.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::context;
use parom_core::dictionary::Kind;

use super::guard::Caller;
use super::{Ui, home, page};
use crate::inspect;
use crate::store::StoreError;

pub(super) async fn list(State(ui): State<Ui>, Extension(caller): Extension<Caller>) -> Response {
    let (store, config) = (&ui.intake.store, &ui.intake.config);
    let seen = |name: &str| caller.scope.sees(name);
    let read = (inspect::accounts(config, store, seen).await, home::accounts(&ui, &caller).await, store.pauses().await);
    let (Ok(reports), Ok(use_now), Ok(pauses)) = read else {
        return page::refused(&ui, &caller, StatusCode::SERVICE_UNAVAILABLE, "store-down");
    };
    let rows: Vec<minijinja::Value> = reports
        .iter()
        .map(|report| {
            let kinds = Kind::ALL.iter().map(|kind| {
                let at = report.fetched_at.get(kind);
                context! { kind => kind.as_str(), count => report.dictionary.count(*kind), at }
            });
            context! {
                name => report.name.clone(), granted => report.state.granted, outcome => report.state.outcome.clone(),
                complete => report.state.outcome == crate::store::COMPLETE,
                kinds => kinds.collect::<Vec<_>>(),
                pause => pauses.get(&report.name).map(|pause| context! { at => pause.at, actor => pause.actor.as_str() }),
            }
        })
        .collect();
    let carrier = carrier(&ui).await;
    page::page(&ui, &caller, "accounts.html", context! { rows, use_now => page::of(&use_now), carrier })
}

/// Nova Poshta's directory, which is the same for every account; nothing where it is not kept.
async fn carrier(ui: &Ui) -> Option<minijinja::Value> {
    let counts = ui.intake.novaposhta.directory()?.counts();
    let standing = ui.intake.store.novaposhta().await.unwrap_or_default();
    let failed = !standing.outcome.is_empty() && standing.outcome != crate::store::COMPLETE;
    Some(context! {
        settlements => counts.settlements, branches => counts.branches, lockers => counts.lockers,
        fetched_at => (standing.fetched_at > 0).then_some(standing.fetched_at), failed, outcome => standing.outcome,
    })
}

/// Asks for Nova Poshta's directory anew.
pub(super) async fn refresh_carrier(State(ui): State<Ui>, Extension(caller): Extension<Caller>) -> Response {
    match ui.intake.store.novaposhta_ask().await {
        Ok(()) => page::to("/accounts"),
        Err(error) => page::store_down(&ui, &caller, &error),
    }
}

/// Does something with an account in sight, and shows the accounts again.
async fn with(ui: &Ui, caller: &Caller, name: &str, deed: impl Future<Output = Result<(), StoreError>>) -> Response {
    if !ui.intake.config.accounts.has(name) || !caller.scope.sees(name) {
        return page::refused(ui, caller, StatusCode::NOT_FOUND, "no-such-account");
    }
    match deed.await {
        Ok(()) => page::to("/accounts"),
        Err(error) => page::store_down(ui, caller, &error),
    }
}

/// Asks delivery to fetch the dictionaries anew, which tests the key too.
pub(super) async fn refresh(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Response {
    with(&ui, &caller, &name, async { ui.intake.store.ask_sync(&name).await.map(drop) }).await
}

/// Nothing new is sent to the account until somebody resumes it.
pub(super) async fn pause(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Response {
    with(&ui, &caller, &name, ui.intake.store.pause(&name, &caller.name)).await
}

pub(super) async fn resume(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Response {
    with(&ui, &caller, &name, ui.intake.store.resume(&name, &caller.name)).await
}
