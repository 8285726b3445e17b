//! The table of orders: filter, page by page, and what is done with many at once.

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use jiff::civil::Date;
use minijinja::context;
use parom_core::delivery::state::State as OrderState;
use serde::{Deserialize, Serialize};

use super::guard::{Caller, Posted};
use super::{Ui, page, shown};
use crate::operate::{self, Done};
use crate::store::{Filter, Summary};

/// Orders on a page.
const PAGE: usize = 50;
/// Orders that are changed at once.
const MANY: usize = 500;

/// The filter as the address has it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    channel: String,
    text: String,
    since: String,
    until: String,
    before: Option<i64>,
    /// What the last change of many came to.
    done: Option<usize>,
    left: Option<usize>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    number: String,
    state: &'static str,
    reason: String,
    channel: String,
    received_at: i64,
    buyer: String,
    phone: String,
    crm_order_id: Option<i64>,
    /// The buyer's data was taken out of it.
    erased: bool,
    problems: Vec<&'static str>,
}

pub(super) async fn list(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Response {
    // An address that somebody changed by hand shows all.
    let mut asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let may_search = shown::sees_buyers(&caller);
    if !may_search {
        asked.text.clear();
    }
    let filter = filter(&asked, may_search);
    let Ok(mut orders) = ui.intake.store.orders(&caller.scope, filter).await else {
        return page::refused(&ui, &caller, StatusCode::SERVICE_UNAVAILABLE, "store-down");
    };
    let more = orders.len() > PAGE;
    orders.truncate(PAGE);
    let next = orders.last().filter(|_| more).map(|order| address(&asked, Some(order.seq)));
    let rows: Vec<Row> = orders.iter().map(|order| row(&caller, order)).collect();
    let set = ui.intake.channels.current();
    let channels: Vec<&String> =
        set.iter().filter(|(_, live)| super::channels::sees(&caller, live)).map(|(name, _)| name).collect();
    let states: Vec<&str> = OrderState::ALL.iter().map(|state| state.as_str()).collect();
    let own = context! {
        rows => page::of(&rows), next, channels => page::of(&channels), states, may_search,
        first => asked.before.is_some().then(|| address(&asked, None)),
        here => address(&asked, asked.before), export => address(&asked, None).replacen("/orders", "/orders/export", 1),
        asked => page::of(&asked),
    };
    page::page(&ui, &caller, "orders.html", own)
}

fn row(caller: &Caller, order: &Summary) -> Row {
    let mut problems: Vec<&'static str> = order.problems.iter().map(|problem| problem.code.as_str()).collect();
    problems.dedup();
    Row {
        id: order.id.clone(),
        number: order.number.clone(),
        state: order.state.as_str(),
        reason: order.reason.clone(),
        channel: order.channel.clone(),
        received_at: order.received_at,
        buyer: shown::buyer(caller, &order.buyer),
        phone: shown::phone(caller, &order.phone),
        crm_order_id: order.crm_order_id,
        erased: order.erased_at.is_some(),
        problems,
    }
}

pub(super) fn filter(asked: &Asked, may_search: bool) -> Filter {
    let day = |text: &str, more: i64| {
        let day: Date = text.parse().ok()?;
        let start = day.to_zoned_datetime(shown::zone()).ok()?;
        start.checked_add(jiff::Span::new().days(more)).ok().map(|at| at.timestamp().as_millisecond())
    };
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let states = match asked.state.as_str() {
        "person" => vec![OrderState::Held, OrderState::Rejected, OrderState::Disputed],
        word => OrderState::parse(word).into_iter().collect(),
    };
    Filter {
        states,
        channel: given(&asked.channel),
        since: day(&asked.since, 0),
        until: day(&asked.until, 1),
        text: given(&asked.text).filter(|_| may_search),
        before: asked.before,
        limit: PAGE + 1,
    }
}

/// The page's own address, with another start.
fn address(asked: &Asked, before: Option<i64>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let texts = [
        ("state", &asked.state),
        ("channel", &asked.channel),
        ("text", &asked.text),
        ("since", &asked.since),
        ("until", &asked.until),
    ];
    for (name, value) in texts.into_iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    if let Some(before) = before {
        query.append_pair("before", &before.to_string());
    }
    let query = query.finish();
    if query.is_empty() { "/orders".into() } else { format!("/orders?{query}") }
}

/// Sends many again, or cancels them; what has moved on meanwhile is left as it is and counted.
pub(super) async fn many(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
) -> Response {
    if !matches!(posted.get("act"), "retry" | "cancel") {
        // Enter in a field says neither.
        return page::to(page::own_place(posted.get("place")));
    }
    let channels = ui.intake.channels.current();
    let (mut done, mut left) = (0, 0);
    for id in posted.all("id").take(MANY) {
        let moved = match posted.get("act") {
            "retry" => operate::retry(ui.desk(&channels, &caller), id).await,
            "cancel" => {
                let reason = posted.get("reason").trim();
                operate::cancel(&ui.intake.store, &caller.scope, id, reason, &caller.name).await
            }
            _ => break,
        };
        match moved {
            Ok(Done::Now(_)) => done += 1,
            Ok(Done::Stays(..) | Done::Kept(..)) | Err(_) => left += 1,
        }
    }
    let back = page::own_place(posted.get("place")).to_owned();
    let joint = if back.contains('?') { '&' } else { '?' };
    page::to(&format!("{back}{joint}done={done}&left={left}"))
}
