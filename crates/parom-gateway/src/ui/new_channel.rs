//! A new channel: from a pasted PHP script, or from an empty page.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use parom_core::channel::Finding;
use parom_core::php::{self, ConvertError, Note};

use super::guard::{Caller, Posted};
use super::{Ui, editor, page};

/// What a new file begins with.
const EMPTY: &str = "account = \"ACCOUNT\"\n\n[order]\nsource_id = 1\n\n[order.buyer]\nfull_name = \"{{ name }}\"\nphone = \"{{ phone }}\"\n";

pub(super) async fn form(State(ui): State<Ui>, Extension(caller): Extension<Caller>) -> Response {
    let text = EMPTY.replace("ACCOUNT", &account(&ui, &caller));
    shown(&ui, &caller, StatusCode::OK, "", "", &text, &[], "", &[])
}

fn account(ui: &Ui, caller: &Caller) -> String {
    let first = ui.intake.config.accounts.names().into_iter().find(|name| caller.scope.sees(name));
    first.unwrap_or_else(|| "main".to_owned())
}

#[expect(clippy::too_many_arguments, reason = "the parts of one page")]
fn shown(
    ui: &Ui,
    caller: &Caller,
    status: StatusCode,
    name: &str,
    script: &str,
    text: &str,
    notes: &[Note],
    why: &str,
    findings: &[Finding],
) -> Response {
    let notes: Vec<Value> =
        notes.iter().map(|note| context! { line => note.line, text => note.text.as_str() }).collect();
    let findings: Vec<Value> = findings
        .iter()
        .map(|f| context! { line => f.line, path => f.path.as_str(), code => f.code.as_str(), message => f.message.as_str(), hint => f.hint.as_str() })
        .collect();
    page::page_with(ui, caller, status, "new-channel.html", context! { name, script, text, notes, why, findings })
}

/// What a pasted script does, as a channel file; or the file of the page, saved.
pub(super) async fn make(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
) -> Response {
    let (name, script) = (posted.get("name").trim().to_lowercase(), posted.get("script").to_owned());
    let text = posted.get("text").replace("\r\n", "\n");
    if posted.get("act") == "convert" {
        let (account, source) = (account(&ui, &caller), script.clone());
        let converted = tokio::task::spawn_blocking(move || php::convert(&source, &account)).await;
        return match converted {
            Ok(Ok(done)) => shown(&ui, &caller, StatusCode::OK, &name, &script, &done.channel, &done.notes, "", &[]),
            Ok(Err(ConvertError::NoOrder(notes))) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                shown(&ui, &caller, status, &name, &script, &text, &notes, "no-order-in-script", &[])
            }
            _ => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                shown(&ui, &caller, status, &name, &script, &text, &[], "script-too-large", &[])
            }
        };
    }
    match editor::write(&ui, &caller, &name, None, &text).await {
        Ok(()) => {
            editor::noted(&ui, &caller, &name, &text).await;
            page::to(&format!("/channels/{name}?saved=1"))
        }
        Err(why) => {
            let (status, word, findings) = editor::said(why);
            shown(&ui, &caller, status, &name, &script, &text, &[], word, &findings)
        }
    }
}
