//! Operators: who may sign in, and what was done lately. For admins.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::context;

use super::guard::{Caller, Posted};
use super::{Ui, page, start};
use crate::config::Role;
use crate::passwords;
use crate::store::{Operator, Scope};

/// Lines of the audit on the page.
const AUDIT: usize = 50;

pub(super) async fn list(State(ui): State<Ui>, Extension(caller): Extension<Caller>) -> Response {
    shown(&ui, &caller, StatusCode::OK, "", "").await
}

async fn shown(ui: &Ui, caller: &Caller, status: StatusCode, name: &str, why: &str) -> Response {
    if caller.scope != Scope::All {
        // Names of others and what they did are not for who sees a part.
        return page::refused(ui, caller, StatusCode::FORBIDDEN, "not-your-role");
    }
    let store = &ui.intake.store;
    let (Ok(operators), Ok(audit)) = (store.operators().await, store.audited(AUDIT).await) else {
        return page::refused(ui, caller, StatusCode::SERVICE_UNAVAILABLE, "store-down");
    };
    let rows: Vec<minijinja::Value> = operators
        .iter()
        .map(|operator| {
            let accounts = operator.scope.names().map(<[String]>::to_vec);
            context! {
                name => operator.name.clone(), role => operator.role.as_str(), accounts, created_at => operator.created_at,
                own => operator.name == caller.name,
            }
        })
        .collect();
    let audit: Vec<minijinja::Value> = audit
        .iter()
        .map(|line| context! { at => line.at, actor => line.actor.clone(), what => line.what.clone(), detail => line.detail.clone() })
        .collect();
    let accounts = ui.intake.config.accounts.names();
    let shortest = passwords::SHORTEST;
    page::page_with(
        ui,
        caller,
        status,
        "people.html",
        context! { rows, audit, accounts => page::of(&accounts), name, why, shortest },
    )
}

pub(super) async fn add(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
) -> Response {
    let name = posted.get("name").trim().to_lowercase();
    let why = match added(&ui, &caller, &posted, &name).await {
        Ok(()) => return page::to("/people"),
        Err(why) => why,
    };
    shown(&ui, &caller, StatusCode::UNPROCESSABLE_ENTITY, &name, why).await
}

async fn added(ui: &Ui, caller: &Caller, posted: &Posted, name: &str) -> Result<(), &'static str> {
    if caller.scope != Scope::All {
        // Who sees a part can let nobody see more.
        return Err("not-your-role");
    }
    if !passwords::is_name(name) {
        return Err("name-not-taken");
    }
    passwords::check(posted.get("password"), name).map_err(start::word)?;
    let role = Role::parse(posted.get("role")).ok_or("name-not-taken")?;
    let chosen: Vec<String> = posted.all("account").map(str::to_owned).collect();
    let known = chosen.iter().all(|account| ui.intake.config.accounts.has(account));
    if !known {
        return Err("no-such-account");
    }
    let scope = if chosen.is_empty() { Scope::All } else { Scope::Accounts(chosen) };
    let password = passwords::hash(posted.get("password")).await.map_err(|_| "store-down")?;
    let operator = Operator { name: name.to_owned(), password, role, scope, language: String::new(), created_at: 0 };
    match ui.intake.store.add_operator(operator, &caller.name).await {
        Ok(true) => Ok(()),
        Ok(false) => Err("name-is-there"),
        Err(_) => Err("store-down"),
    }
}

pub(super) async fn remove(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Response {
    if name == caller.name || caller.scope != Scope::All {
        return shown(&ui, &caller, StatusCode::UNPROCESSABLE_ENTITY, "", "not-yourself").await;
    }
    match ui.intake.store.remove_operator(&name, &caller.name).await {
        Ok(_) => page::to("/people"),
        Err(error) => page::store_down(&ui, &caller, &error),
    }
}
