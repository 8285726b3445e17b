//! Tokens of the API: made here, shown once, revoked here.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};

use super::guard::{Caller, Posted, fingerprint};
use super::{Ui, page};
use crate::config::Role;
use crate::passwords;
use crate::store::{KeptToken, Scope};

pub(super) async fn list(State(ui): State<Ui>, Extension(caller): Extension<Caller>) -> Response {
    shown(&ui, &caller, StatusCode::OK, "", "").await
}

async fn shown(ui: &Ui, caller: &Caller, status: StatusCode, made: &str, why: &str) -> Response {
    if caller.scope != Scope::All {
        return page::refused(ui, caller, StatusCode::FORBIDDEN, "not-your-role");
    }
    let tokens = match ui.intake.store.tokens().await {
        Ok(tokens) => tokens,
        Err(error) => return page::store_down(ui, caller, &error),
    };
    let rows: Vec<Value> = tokens
        .iter()
        .map(|token| {
            let accounts = token.scope.names().map(<[String]>::to_vec);
            context! {
                name => token.name.as_str(), role => token.role.as_str(), accounts, created_at => token.created_at,
                created_by => token.created_by.as_str(),
            }
        })
        .collect();
    let accounts = ui.intake.config.accounts.names();
    let own = context! { rows, made, why, accounts => page::of(&accounts) };
    page::page_with(ui, caller, status, "tokens.html", own)
}

/// Makes a token and shows it, this once: only its hash is kept.
pub(super) async fn make(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
) -> Response {
    if caller.scope != Scope::All {
        return page::refused(&ui, &caller, StatusCode::FORBIDDEN, "not-your-role");
    }
    let secret = format!("parom_{}", passwords::secret());
    match made(&ui, &caller, &posted, &secret).await {
        Ok(()) => shown(&ui, &caller, StatusCode::OK, &secret, "").await,
        Err(why) => shown(&ui, &caller, StatusCode::UNPROCESSABLE_ENTITY, "", why).await,
    }
}

async fn made(ui: &Ui, caller: &Caller, posted: &Posted, secret: &str) -> Result<(), &'static str> {
    let name = posted.get("name").trim().to_lowercase();
    // A token of the configuration has its name already.
    if !passwords::is_name(&name) || ui.intake.config.api_tokens.iter().any(|token| token.name == name) {
        return Err("name-not-taken");
    }
    let role = Role::parse(posted.get("role")).ok_or("name-not-taken")?;
    let chosen: Vec<String> = posted.all("account").map(str::to_owned).collect();
    // Who sees a part can let no token see more.
    let within = chosen.iter().all(|account| caller.scope.sees(account) && ui.intake.config.accounts.has(account));
    if !within || (chosen.is_empty() && caller.scope != Scope::All) {
        return Err("no-such-account");
    }
    let scope = if chosen.is_empty() { Scope::All } else { Scope::Accounts(chosen) };
    let token = KeptToken { name, role, scope, created_at: 0, created_by: caller.name.clone() };
    match ui.intake.store.add_token(token, fingerprint(secret)).await {
        Ok(true) => Ok(()),
        Ok(false) => Err("name-is-there"),
        Err(_) => Err("store-down"),
    }
}

pub(super) async fn revoke(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Response {
    if caller.scope != Scope::All {
        return page::refused(&ui, &caller, StatusCode::UNPROCESSABLE_ENTITY, "not-your-role");
    }
    match ui.intake.store.revoke_token(&name, &caller.name).await {
        Ok(_) => page::to("/tokens"),
        Err(error) => page::store_down(&ui, &caller, &error),
    }
}
