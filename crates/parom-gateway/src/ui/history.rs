//! The versions of a channel's file, what changed between them, and the way back.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use similar::{ChangeTag, TextDiff};

use super::guard::{Caller, Posted};
use super::{Ui, editor, page};

/// Versions on the page.
const SHOWN: i64 = 30;

pub(super) async fn show(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Response {
    shown(&ui, &caller, &name, StatusCode::OK, "").await
}

async fn shown(ui: &Ui, caller: &Caller, name: &str, status: StatusCode, why: &str) -> Response {
    let Some(live) = ui.intake.channels.get(name).filter(|live| super::channels::sees(caller, live)) else {
        return page::refused(ui, caller, StatusCode::NOT_FOUND, "no-such-channel");
    };
    let versions = match ui.intake.store.history(name, SHOWN).await {
        Ok(versions) => versions,
        Err(error) => return page::store_down(ui, caller, &error),
    };
    let rows: Vec<Value> = versions
        .iter()
        .map(|version| {
            context! {
                id => version.id, at => version.first_seen_at, usable => version.usable,
                now => version.text == live.text, changes => difference(&version.text, &live.text),
            }
        })
        .collect();
    let own = context! { name, rows, why, base => editor::fingerprint(&live.text) };
    page::page_with(ui, caller, status, "history.html", own)
}

/// The lines that differ, with two around them.
fn difference(then: &str, now: &str) -> Vec<Value> {
    let diff = TextDiff::from_lines(then, now);
    let groups = diff.grouped_ops(2);
    let mut rows = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        if at > 0 {
            rows.push(context! { kind => "gap", text => "" });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let kind = match change.tag() {
                ChangeTag::Delete => "then",
                ChangeTag::Insert => "now",
                ChangeTag::Equal => "same",
            };
            rows.push(context! { kind, text => change.value().trim_end_matches('\n') });
        }
    }
    rows
}

/// Writes an earlier version into the file.
pub(super) async fn back(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
    Path(name): Path<String>,
) -> Response {
    let Some(live) = ui.intake.channels.get(&name).filter(|live| super::channels::sees(&caller, live)) else {
        return page::refused(&ui, &caller, StatusCode::NOT_FOUND, "no-such-channel");
    };
    let versions = ui.intake.store.history(&name, SHOWN).await.unwrap_or_default();
    let Some(version) = versions.into_iter().find(|version| version.id.to_string() == posted.get("id")) else {
        return shown(&ui, &caller, &name, StatusCode::NOT_FOUND, "no-such-version").await;
    };
    if posted.get("base") != editor::fingerprint(&live.text) {
        return shown(&ui, &caller, &name, StatusCode::CONFLICT, "file-changed").await;
    }
    match editor::write(&ui, &caller, &name, Some(&live.text), &version.text).await {
        Ok(()) => {
            editor::noted(&ui, &caller, &name, &version.text).await;
            page::to(&format!("/channels/{name}?saved=1"))
        }
        Err(why) => {
            let (status, word, _) = editor::said(why);
            shown(&ui, &caller, &name, status, word).await
        }
    }
}
