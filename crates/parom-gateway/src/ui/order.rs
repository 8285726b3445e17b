//! One order: what came, what it became, what is wrong with it, what happened, and what can be done.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, StatusCode};
use minijinja::context;
use parom_core::delivery::reason;
use parom_core::delivery::state::State as OrderState;
use parom_core::dictionary::{Dictionary, Kind};
use parom_core::order::Target;
use parom_core::submission::masked;
use parom_core::{Code, Problem, order as core_order};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::guard::{Caller, Posted};
use super::{Ui, branch, guard, page, shown};
use crate::operate::{self, Change, Done, OperateError};
use crate::store::{OrderDetail, StoreError};

/// Bytes of a submission that a page shows.
const SHOWN: usize = 16 * 1024;

/// Problems whose advice is what the hint names; of the others the page's own words say the same in the reader's language.
const HINTED: [Code; 2] = [Code::InvalidChoice, Code::NotInAccount];

/// What the last action came to, by the address. Why stands in a cookie for a minute: it may name the buyer, and an address is
/// kept in many places.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct After {
    did: String,
}

/// The cookie's name.
const WHY: &str = "why";
/// Its characters.
const WHY_CHARS: usize = 500;

#[derive(Serialize)]
struct Field {
    path: String,
    value: String,
    label: String,
    /// Codes of the problems at this place.
    problems: Vec<&'static str>,
}

#[derive(Serialize)]
struct ProblemRow {
    path: String,
    code: &'static str,
    message: String,
    hint: String,
    /// Another order that it names.
    other: Option<String>,
    holds: bool,
}

pub(super) async fn show(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    after: Result<Query<After>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let order = match found(&ui, &caller, &id).await {
        Ok(order) => order,
        Err(response) => return response,
    };
    let after = after.map(|Query(after)| after).unwrap_or_default();
    let sees = shown::sees_buyers(&caller);
    let summary = &order.summary;
    let dictionary = ui.intake.dictionaries.get(&summary.account);
    let fields = if sees { fields(&order.body, &summary.problems, dictionary.as_deref()) } else { Vec::new() };
    let can = Can::of(&caller, &order);
    let crm = summary.crm_order_id.map(|id| (id, crm_address(&ui, &order, id)));
    let own = context! {
        id => summary.id.clone(), number => summary.number.clone(), state => summary.state.as_str(), reason => said(&summary.reason),
        // What a held one waits for is a problem's code, and one of them reads as the CRM's word.
        reason_key => reason::key(&summary.reason).filter(|_| summary.state != OrderState::Held),
        channel => summary.channel.clone(), account => summary.account.clone(), target => summary.target.as_str(),
        received_at => summary.received_at, attempts_made => summary.attempts,
        crm_said => order.said_crm_id.filter(|said| *said > 0).or(summary.crm_order_id),
        crm_order_id => summary.crm_order_id, crm_address => crm.and_then(|(_, address)| address),
        buyer => shown::buyer(&caller, &summary.buyer), phone => shown::phone(&caller, &summary.phone),
        problems => page::of(&problems(&summary.problems, sees)),
        choices => page::of(&branch::choices(&ui, &order).filter(|_| sees)),
        fields => page::of(&fields), can => page::of(&can), sees,
        edited => order.revision > 0, read => format!("{}:{}", order.revision, order.replaced),
        came => if sees { came(&order.raw) } else { String::new() },
        content_type => order.content_type.as_str(), door => order.door.as_str(),
        page_of => order.context.get("page").and_then(Value::as_str).filter(|_| sees).unwrap_or_default(),
        timeline => timeline(&order, sees),
        updates => order.updates.iter().map(|update| context! {
            at => update.received_at, result => update.result.clone(),
            body => if sees { came(&update.raw) } else { String::new() },
        }).collect::<Vec<_>>(),
        changes => order.changes.iter().map(|change| context! {
            kind => change.kind.clone(), state => change.state.clone(),
            note => if sees { change.note.clone() } else { String::new() },
        }).collect::<Vec<_>>(),
        erased_at => summary.erased_at,
        did => after.did, why => why(&headers),
    };
    page::page(&ui, &caller, "order.html", own)
}

/// Why it is in its state, where neither that nor its problems say it; a reason of another version in its own words.
fn said(reason: &str) -> &str {
    let known = reason::key(reason).is_some() || ["canceled", "rejected"].contains(&reason);
    if known || Code::ALL.iter().any(|code| code.as_str() == reason) { "" } else { reason }
}

/// What the caller may do with it now.
#[derive(Serialize)]
struct Can {
    edit: bool,
    send: bool,
    look: bool,
    accept: bool,
    cancel: bool,
}

impl Can {
    fn of(caller: &Caller, order: &OrderDetail) -> Can {
        let state = order.summary.state.as_str();
        let may = shown::sees_buyers(caller);
        let is = |states: &[&str]| may && states.contains(&state);
        Can {
            edit: is(&["held", "rejected"]),
            send: is(&["held", "rejected"]),
            look: is(&["disputed"]),
            accept: is(&["disputed"]),
            cancel: is(&["held", "queued", "rejected", "disputed"]),
        }
    }
}

async fn found(ui: &Ui, caller: &Caller, id: &str) -> Result<OrderDetail, Response> {
    match ui.intake.store.order(&caller.scope, id).await {
        Ok(Some(order)) => Ok(order),
        Ok(None) | Err(StoreError::Refused(_)) => {
            Err(page::refused(ui, caller, StatusCode::NOT_FOUND, "no-such-order"))
        }
        Err(error) => Err(page::store_down(ui, caller, &error)),
    }
}

fn came(raw: &[u8]) -> String {
    let text = masked(&raw[..raw.len().min(SHOWN)]);
    match serde_json::from_str::<Value>(&text) {
        Ok(json @ (Value::Object(_) | Value::Array(_))) => serde_json::to_string_pretty(&json).unwrap_or(text),
        _ if text.contains('=') && !text.contains('\n') => {
            let pairs = form_urlencoded::parse(text.as_bytes()).map(|(name, value)| format!("{name} = {value}"));
            pairs.collect::<Vec<_>>().join("\n")
        }
        _ => text,
    }
}

fn problems(problems: &[Problem], sees: bool) -> Vec<ProblemRow> {
    let rows = problems.iter().map(|problem| ProblemRow {
        path: problem.path.clone(),
        code: problem.code.as_str(),
        message: if sees { problem.message.clone() } else { String::new() },
        hint: if sees && HINTED.contains(&problem.code) { problem.hint.clone() } else { String::new() },
        // The last: a number before it may look like an id.
        other: problem
            .message
            .split(|c: char| !c.is_ascii_hexdigit() && c != '-')
            .rfind(|word| is_id(word))
            .map(str::to_owned),
        holds: problem.effect == parom_core::Effect::Hold,
    });
    rows.collect()
}

/// Whether a word of a problem is an order's id, not one in the buyer's text.
fn is_id(word: &str) -> bool {
    word.len() == 36 && uuid::Uuid::try_parse(word).is_ok_and(|id| id.get_version_num() == 7)
}

/// The order's fields in a row each, and the empty ones that a problem names.
fn fields(body: &Map<String, Value>, problems: &[Problem], dictionary: Option<&Dictionary>) -> Vec<Field> {
    let mut rows = Vec::new();
    flat("", &Value::Object(body.clone()), &mut rows);
    for problem in problems.iter().filter(|problem| !problem.path.is_empty()) {
        let there =
            rows.iter().any(|(path, _)| *path == problem.path || path.starts_with(&format!("{}.", problem.path)));
        if !there && core_order::set(&mut body.clone(), &problem.path, Value::Null).is_ok() {
            rows.push((problem.path.clone(), String::new()));
        }
    }
    let row = |(path, value): (String, String)| Field {
        label: dictionary.map_or_else(String::new, |dictionary| label(dictionary, &path, &value)),
        problems: problems.iter().filter(|problem| problem.path == path).map(|problem| problem.code.as_str()).collect(),
        path,
        value,
    };
    rows.into_iter().map(row).collect()
}

fn flat(path: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    let join = |step: &str| if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") };
    match value {
        Value::Object(group) => group.iter().for_each(|(name, value)| flat(&join(name), value, rows)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| flat(&join(&at.to_string()), value, rows));
        }
        Value::String(text) => rows.push((path.to_owned(), text.clone())),
        other => rows.push((path.to_owned(), other.to_string())),
    }
}

/// What the account calls the row of an id.
fn label(dictionary: &Dictionary, path: &str, value: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or_default();
    if last == "uuid" {
        let field = dictionary.fields().unwrap_or_default().iter().find(|field| field.uuid == value);
        return field.map(|field| field.name.clone()).unwrap_or_default();
    }
    let kind = match last {
        "source_id" => Kind::Sources,
        "payment_method_id" => Kind::PaymentMethods,
        "delivery_service_id" => Kind::DeliveryServices,
        "manager_id" => Kind::Users,
        "pipeline_id" => Kind::Pipelines,
        _ => return String::new(),
    };
    let entry = dictionary.entries(kind).unwrap_or_default().iter().find(|entry| entry.id.to_string() == value);
    entry.map(|entry| entry.name.clone()).unwrap_or_default()
}

/// Outcomes of a try that the pages have words for.
const OUTCOMES: [&str; 7] =
    ["delivered", "not_applied", "rate_limited", "paused", "rejected", "number_taken", "unknown"];

/// The history and the CRM's answers in one row of time.
fn timeline(order: &OrderDetail, sees: bool) -> Vec<minijinja::Value> {
    let mut rows: BTreeMap<(i64, usize), minijinja::Value> = BTreeMap::new();
    for (at, event) in order.events.iter().enumerate() {
        let note = if sees { event.note.as_str() } else { "" };
        let (note_key, actor) = (reason::key(note), event.actor.clone());
        let row = context! { at => event.at, state => event.state.clone(), actor, note, note_key };
        rows.insert((event.at, at), row);
    }
    for attempt in &order.attempts {
        let answer: String = attempt.answer.iter().filter(|_| sees).flat_map(|text| text.chars().take(2_000)).collect();
        let row = context! {
            at => attempt.started_at, attempt => attempt.attempt, status => attempt.status,
            outcome => attempt.outcome.clone(), told => attempt.outcome.as_deref().is_some_and(|o| OUTCOMES.contains(&o)),
            took => attempt.finished_at.map(|end| end - attempt.started_at), answer,
        };
        rows.insert((attempt.started_at, usize::MAX), row);
    }
    rows.into_values().collect()
}

/// Where a person looks at the order in the CRM: where the account says, or the sandbox's own page.
fn crm_address(ui: &Ui, order: &OrderDetail, id: i64) -> Option<String> {
    let account = ui.intake.config.accounts.get(&order.summary.account)?;
    if let Some(page) = account.order_url.as_ref().filter(|_| order.summary.target == Target::Order) {
        return Some(page.replace("{id}", &id.to_string()));
    }
    let base = account.url.strip_suffix("/v1").filter(|base| base.starts_with("http://"))?;
    let kind = if order.summary.target == Target::Card { "cards" } else { "orders" };
    Some(format!("{base}/{kind}/{id}"))
}

/// What today's mapping would make of it, beside what it is.
pub(super) async fn replay(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    let order = match found(&ui, &caller, &id).await {
        Ok(order) => order,
        Err(response) => return response,
    };
    let channels = ui.intake.channels.current();
    let (draft, fault) = match operate::preview(ui.desk(&channels, &caller), &order).await {
        Ok(draft) => (Some(draft), String::new()),
        Err(fault) => (None, fault),
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    flat("", &Value::Object(order.body.clone()), &mut before);
    let made = draft.as_ref().map(|draft| draft.body.clone()).unwrap_or_default();
    flat("", &Value::Object(made), &mut after);
    let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) = (before.into_iter().collect(), after.into_iter().collect());
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    let rows: Vec<minijinja::Value> = paths
        .into_iter()
        .map(|path| {
            let (was, becomes) = (before.get(path), after.get(path));
            context! { path, was, becomes, same => was == becomes }
        })
        .collect();
    let own = context! {
        id => order.summary.id.as_str(), number => order.summary.number.as_str(), rows, fault,
        problems => page::of(&draft.map(|draft| problems(&draft.problems, true)).unwrap_or_default()),
        edited => order.revision > 0,
        can => page::of(&Can::of(&caller, &order)),
    };
    page::page(&ui, &caller, "replay.html", own)
}

pub(super) async fn retry(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    let channels = ui.intake.channels.current();
    back(&ui, &id, operate::retry(ui.desk(&channels, &caller), &id).await)
}

pub(super) async fn cancel(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
    Path(id): Path<String>,
) -> Response {
    let reason = posted.get("reason").trim();
    back(&ui, &id, operate::cancel(&ui.intake.store, &caller.scope, &id, reason, &caller.name).await)
}

pub(super) async fn accept(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
    Path(id): Path<String>,
) -> Response {
    let channels = ui.intake.channels.current();
    let number = posted.get("crm_order_id").trim().parse().unwrap_or_default();
    back(&ui, &id, operate::accept(ui.desk(&channels, &caller), &id, number).await)
}

/// The fields that were changed: an empty one is taken out.
pub(super) async fn edit(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
    Path(id): Path<String>,
) -> Response {
    let was = posted.starting("was:");
    let same = |path: &str, value: &str| {
        // A browser sends the ends of lines in its own way.
        was.get(path).copied().unwrap_or_default().replace("\r\n", "\n") == value.replace("\r\n", "\n")
    };
    let fields = posted.0.iter().filter_map(|(name, value)| Some((name.strip_prefix("set:")?, value.trim())));
    let mut changes: Vec<Change> = fields
        .filter(|(path, value)| !same(path, value))
        .map(|(path, value)| match value {
            "" => Change::Unset(path.to_owned()),
            value => Change::Set(path.to_owned(), Value::String(value.replace("\r\n", "\n"))),
        })
        .collect();
    let (path, value) = (posted.get("path").trim(), posted.get("value").trim());
    match (path, value) {
        ("", _) => {}
        // As with the fields above. What was left out of the body has no field there to empty.
        (path, "") => changes.push(Change::Unset(path.to_owned())),
        (path, value) => changes.push(Change::Set(path.to_owned(), Value::String(value.to_owned()))),
    }
    // Whoever ticked it does not want the order to go, whichever button or key it was: Enter presses the first one.
    let keep = posted.get("keep") == "on";
    let read = revision(&posted);
    let channels = ui.intake.channels.current();
    let desk = ui.desk(&channels, &caller);
    match (changes.is_empty(), keep) {
        (true, true) => page::to(&format!("/orders/{id}")),
        (true, false) => back(&ui, &id, operate::retry(desk, &id).await),
        (false, _) => match operate::edit(desk, &id, &changes, keep, read).await {
            Ok(Done::Kept(..)) if keep => page::to(&format!("/orders/{id}?did=saved")),
            done => back(&ui, &id, done),
        },
    }
}

/// The revision that the page showed, and how often the order had been replaced by then.
pub(super) fn revision(posted: &Posted) -> Option<(i64, i64)> {
    posted.get("read").split_once(':').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)))
}

/// Back to the order's page, with what came of it.
pub(super) fn back(ui: &Ui, id: &str, done: Result<Done, OperateError>) -> Response {
    let (did, why) = match done {
        Ok(Done::Now(state)) => (state.as_str(), String::new()),
        Ok(Done::Stays(_, why)) => ("stays", why),
        Ok(Done::Kept(_, why)) => ("kept", why),
        Err(error) => ("wrong", error.to_string()),
    };
    let why: String = why.chars().take(WHY_CHARS).collect();
    let why: String = form_urlencoded::byte_serialize(why.as_bytes()).collect();
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    let mut response = page::to(&format!("/orders/{id}?did={did}"));
    let secure = if ui.secure { "; Secure" } else { "" };
    let cookie = format!("{WHY}={why}; Path=/orders/{id}; Max-Age=60; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn why(headers: &HeaderMap) -> String {
    let text = guard::cookie(headers, WHY).unwrap_or_default();
    // As the value of a form without a name.
    let read = form_urlencoded::parse(format!("={text}").as_bytes()).next().map(|(_, value)| value.into_owned());
    read.unwrap_or_default().chars().take(WHY_CHARS).collect()
}
