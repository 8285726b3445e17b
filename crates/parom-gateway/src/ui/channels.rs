//! Channels: the list, and one of them with its address, what to paste on a site, what is wrong, and its samples.

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::context;
use parom_core::submission::masked;
use serde::Deserialize;

use super::guard::Caller;
use super::{Ui, page, shown};
use crate::config::LiveChannel;
use crate::inspect;
use crate::store::Scope;

/// A channel that could never be read belongs to no account: only who sees all sees it.
pub(super) fn sees(caller: &Caller, live: &LiveChannel) -> bool {
    match &live.channel {
        Some(channel) => caller.scope.sees(&channel.account),
        None => caller.scope == Scope::All,
    }
}

/// Where the page comes from.
#[derive(Debug, Deserialize)]
pub(super) struct After {
    saved: Option<u8>,
}

pub(super) async fn list(State(ui): State<Ui>, Extension(caller): Extension<Caller>) -> Response {
    let set = ui.intake.channels.current();
    let mut rows = Vec::new();
    for live in set.values().filter(|live| sees(&caller, live)) {
        let last = ui.intake.store.last_of_channel(&live.name, 1).await.unwrap_or_default();
        rows.push(context! {
            name => live.name.clone(),
            account => live.channel.as_ref().map(|channel| channel.account.clone()),
            format => live.channel.as_ref().and_then(|channel| channel.preset).map(|preset| preset.title),
            target => live.channel.as_ref().map(|channel| match &channel.target {
                parom_core::channel::TargetRule::Always(target) => target.as_str(),
                parom_core::channel::TargetRule::By(_) => "order / card",
            }),
            fault => if live.is_broken() { live.fault() } else { String::new() },
            last => last.first(),
        });
    }
    page::page(&ui, &caller, "channels.html", context! { rows })
}

pub(super) async fn show(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    after: Result<Query<After>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let live = ui.intake.channels.get(&name).filter(|live| sees(&caller, live));
    let Some(live) = live else {
        return page::refused(&ui, &caller, StatusCode::NOT_FOUND, "no-such-channel");
    };
    let base = ui.intake.config.public_url.clone().unwrap_or_else(|| format!("http://{}", ui.intake.config.listen));
    let address = format!("{}/in/{}", base.trim_end_matches('/'), live.name);
    let mut findings: Vec<minijinja::Value> = Vec::new();
    let account = live.channel.as_ref().map(|channel| channel.account.as_str()).unwrap_or_default();
    let own = inspect::accounts(&ui.intake.config, &ui.intake.store, |name| name == account);
    let reports = own.await.unwrap_or_default();
    let located = inspect::online(&ui.intake.config, std::iter::once(live.as_ref()), &reports);
    for found in located.iter().filter(|found| found.channel == live.name) {
        let finding = &found.finding;
        findings.push(context! {
            line => finding.line, column => finding.column, path => finding.path.clone(), code => finding.code.as_str(),
            severity => finding.severity.as_str(), message => finding.message.clone(), hint => finding.hint.clone(),
        });
    }
    let see = shown::sees_buyers(&caller);
    let samples = if see { ui.intake.store.samples(&live.name).await.unwrap_or_default() } else { Vec::new() };
    let samples: Vec<minijinja::Value> = samples
        .iter()
        .map(|sample| context! { at => sample.received_at, kind => sample.content_type.clone(), body => masked(&sample.body) })
        .collect();
    let preset = live.channel.as_ref().and_then(|channel| channel.preset);
    let own = context! {
        name => live.name.clone(), address, base,
        account => live.channel.as_ref().map(|channel| channel.account.clone()),
        format => preset.map(|preset| preset.title), format_name => preset.map(|preset| preset.name),
        saved => after.is_ok_and(|Query(after)| after.saved.is_some()),
        text => live.text.clone(), findings, samples, broken => live.is_broken(), file => live.file.display().to_string(),
        has_token => live.channel.as_ref().is_some_and(|channel| channel.access.token.is_some()),
        fields => parom_core::channel::field_names(&live.text),
    };
    page::page(&ui, &caller, "channel.html", own)
}
