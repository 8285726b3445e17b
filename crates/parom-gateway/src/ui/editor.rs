//! The editor of a channel: its fields beside what the CRM calls them, or its text; what a sample would become is shown as
//! it is typed. What is saved is the file that a person would write.

use std::collections::HashMap;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use parom_core::channel::{Finding, edited, lines, parse};
use parom_core::dictionary::{Dictionary, Kind};
use parom_core::mapping::{self, Given};
use parom_core::order::{Target, Verdict};
use parom_core::submission::Submission;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::guard::{Caller, Posted};
use super::{Ui, page};
use crate::channels::{NotSaved, save};
use crate::config::LiveChannel;
use crate::{inspect, intake};

/// How long a page waits until the file that it wrote is served.
const SERVED: std::time::Duration = std::time::Duration::from_secs(3);
/// Orders whose submissions stand in for samples.
const LAST: usize = 3;

#[derive(Serialize)]
struct Row {
    path: String,
    /// Without the group that all of them are in.
    shown: String,
    value: String,
    /// What the file that was read has: what is saved is the difference to it.
    was: String,
    list: &'static str,
}

/// What the form has now.
struct Typed {
    text: String,
    /// The text that was read when the form was made.
    base: String,
    fault: String,
}

pub(super) async fn form(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Response {
    let Some(live) = found(&ui, &caller, &name) else {
        return page::refused(&ui, &caller, StatusCode::NOT_FOUND, "no-such-channel");
    };
    let typed = Typed { text: live.text.clone(), base: fingerprint(&live.text), fault: String::new() };
    shown(&ui, &caller, &live, typed, StatusCode::OK, "", &[]).await
}

fn found(ui: &Ui, caller: &Caller, name: &str) -> Option<std::sync::Arc<LiveChannel>> {
    ui.intake.channels.get(name).filter(|live| super::channels::sees(caller, live))
}

/// Tells whether a text is the one that was read.
pub(super) fn fingerprint(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Previews what was typed, or saves it.
pub(super) async fn change(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
    Path(name): Path<String>,
) -> Response {
    let Some(live) = found(&ui, &caller, &name) else {
        return page::refused(&ui, &caller, StatusCode::NOT_FOUND, "no-such-channel");
    };
    let typed = typed(&posted, &live);
    if posted.get("act") != "save" || !typed.fault.is_empty() {
        return shown(&ui, &caller, &live, typed, StatusCode::OK, "", &[]).await;
    }
    if typed.base != fingerprint(&live.text) {
        return shown(&ui, &caller, &live, typed, StatusCode::CONFLICT, "file-changed", &[]).await;
    }
    match write(&ui, &caller, &name, Some(&live.text), &typed.text).await {
        Ok(()) => {
            noted(&ui, &caller, &name, &typed.text).await;
            page::to(&format!("/channels/{name}?saved=1"))
        }
        Err(why) => {
            let (status, word, findings) = said(why);
            shown(&ui, &caller, &live, typed, status, word, &findings).await
        }
    }
}

/// The audit's line, and a moment until the new file is served.
pub(super) async fn noted(ui: &Ui, caller: &Caller, name: &str, text: &str) {
    let _ = ui.intake.store.audit(&caller.name, "channel saved", name).await;
    let served = async {
        while ui.intake.channels.get(name).is_none_or(|live| live.text != text) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let _ = tokio::time::timeout(SERVED, served).await;
}

/// Writes a channel as the caller may.
pub(super) async fn write(
    ui: &Ui,
    caller: &Caller,
    name: &str,
    before: Option<&str>,
    text: &str,
) -> Result<(), NotSaved> {
    let channels = ui.intake.channels.current();
    save(&ui.intake.config, ui.desk(&channels, caller), name, before, text).await
}

/// Why nothing was saved, as a status and a text of the pages.
pub(super) fn said(why: NotSaved) -> (StatusCode, &'static str, Vec<Finding>) {
    match why {
        NotSaved::Changed => (StatusCode::CONFLICT, "file-changed", Vec::new()),
        NotSaved::Broken(findings) => (StatusCode::UNPROCESSABLE_ENTITY, "file-broken", findings),
        NotSaved::ForeignAccount => (StatusCode::FORBIDDEN, "no-such-account", Vec::new()),
        NotSaved::Name => (StatusCode::UNPROCESSABLE_ENTITY, "channel-name", Vec::new()),
        NotSaved::Disk(text) => {
            tracing::warn!(text, "a channel's file could not be written");
            (StatusCode::SERVICE_UNAVAILABLE, "disk-refused", Vec::new())
        }
    }
}

fn typed(posted: &Posted, live: &LiveChannel) -> Typed {
    let base = posted.get("base").to_owned();
    let whole = posted.0.iter().any(|(name, _)| name == "text");
    if whole {
        // A browser ends lines in its own way.
        return Typed { text: posted.get("text").replace("\r\n", "\n"), base, fault: String::new() };
    }
    let was = posted.starting("was:");
    let changes: Vec<(String, String)> = posted
        .0
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("set:")?.to_owned(), value.replace("\r\n", "\n"))))
        .map(|(path, value)| (path, value.trim().to_owned()))
        .filter(|(path, value)| {
            was.get(path.as_str()).map(|was| was.replace("\r\n", "\n")).unwrap_or_default().trim() != value
        })
        .collect();
    match edited(&live.text, &changes) {
        Ok(text) => Typed { text, base, fault: String::new() },
        Err(fault) => Typed { text: live.text.clone(), base, fault },
    }
}

async fn shown(
    ui: &Ui,
    caller: &Caller,
    live: &LiveChannel,
    typed: Typed,
    status: StatusCode,
    why: &str,
    refused: &[Finding],
) -> Response {
    let (channel, findings) = parse(&live.name, &typed.text);
    let findings = if refused.is_empty() { &findings } else { refused };
    let findings: Vec<Value> = findings
        .iter()
        .map(|f| context! { line => f.line, path => f.path.as_str(), code => f.code.as_str(), message => f.message.as_str(), hint => f.hint.as_str() })
        .collect();
    let account = live.channel.as_ref().map(|channel| channel.account.clone()).unwrap_or_default();
    let dictionary = ui.intake.dictionaries.get(&account);
    let target = if parsed_target(&typed.text) { Target::Card } else { Target::Order };
    // The rows are of the file that was read: what was typed stands in the inputs of the browser.
    let read: HashMap<String, String> =
        lines(&live.text, target).unwrap_or_default().into_iter().map(|line| (line.path, line.value)).collect();
    let now = lines(&typed.text, target).unwrap_or_default().into_iter();
    let rows: Vec<Row> = now.map(|line| row(line, &read)).collect();
    let sample = sample(ui, caller, &live.name).await;
    let preview = match (&channel, &sample) {
        (Some(channel), Some(sample)) => {
            let directory = ui.intake.dictionaries.directory();
            let given = Given { dictionary: dictionary.as_deref(), directory: directory.as_ref(), random: 0 };
            let (draft, verdict) = mapping::map(channel, sample, given);
            let problems: Vec<Value> = draft
                .problems
                .iter()
                .map(|p| context! { path => p.path.as_str(), code => p.code.as_str(), message => p.message.as_str() })
                .collect();
            let goes = verdict == Verdict::Go;
            let order = serde_json::to_string_pretty(&draft.body).unwrap_or_default();
            Some(context! { order, problems, goes })
        }
        _ => None,
    };
    let own = context! {
        name => live.name.as_str(), text => typed.text, base => typed.base, fault => typed.fault, why, findings,
        rows => page::of(&rows), preview, has_sample => sample.is_some(),
        lists => dictionary.map(|dictionary| lists(&dictionary)).unwrap_or_default(),
    };
    page::page_with(ui, caller, status, "editor.html", own)
}

fn parsed_target(text: &str) -> bool {
    let table: toml::Table = text.parse().unwrap_or_default();
    table.get("target").and_then(|target| target.as_str()) == Some("card")
}

fn row(line: parom_core::channel::Line, read: &HashMap<String, String>) -> Row {
    let list = match line.path.rsplit('.').next().unwrap_or_default() {
        "source_id" | "source" => "sources",
        "payment_method_id" | "payment_method" => "payment_methods",
        "delivery_service_id" | "delivery_service" => "delivery_services",
        "uuid" => "custom_fields",
        "manager_id" => "users",
        "pipeline_id" | "pipeline" => "pipelines",
        _ => "",
    };
    let shown = line.path.split_once('.').map_or(line.path.as_str(), |(_, inner)| inner).to_owned();
    let was = read.get(&line.path).cloned().unwrap_or_default();
    Row { path: line.path, shown, value: line.value, was, list }
}

/// The account's rows, to be chosen from.
fn lists(dictionary: &Dictionary) -> Vec<Value> {
    let kinds = [Kind::Sources, Kind::PaymentMethods, Kind::DeliveryServices, Kind::Users, Kind::Pipelines];
    let mut lists: Vec<Value> = kinds
        .into_iter()
        .map(|kind| {
            let entries = dictionary.entries(kind).unwrap_or_default().iter().filter(|entry| entry.active);
            let options: Vec<Value> =
                entries.map(|entry| context! { value => entry.id.to_string(), name => entry.name.as_str() }).collect();
            context! { kind => kind.as_str(), options }
        })
        .collect();
    let fields = dictionary.fields().unwrap_or_default().iter();
    let options: Vec<Value> =
        fields.map(|field| context! { value => field.uuid.as_str(), name => field.name.as_str() }).collect();
    lists.push(context! { kind => "custom_fields", options });
    lists
}

/// What came last: the samples of a channel that learns, or the last order's submission.
async fn sample(ui: &Ui, caller: &Caller, name: &str) -> Option<Submission> {
    let kept = inspect::samples(&ui.intake.store, name).await.ok()?;
    if let Some(newest) = kept.into_iter().next() {
        return Some(newest);
    }
    let filter = crate::store::Filter { channel: Some(name.to_owned()), limit: LAST, ..Default::default() };
    for order in ui.intake.store.orders(&caller.scope, filter).await.ok()? {
        let order = ui.intake.store.order_by_id(&order.id).await.ok()??;
        let at = jiff::Timestamp::from_millisecond(order.summary.received_at).ok()?;
        if order.door == "in"
            && let Ok(found) = intake::submission_of(&order.content_type, &order.context, order.raw, at).await
        {
            return Some(found);
        }
    }
    None
}
