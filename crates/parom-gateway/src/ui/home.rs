//! The first page: did every order get there, and if not, what needs a person.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use minijinja::context;
use parom_core::silence;
use serde::Serialize;

use super::guard::Caller;
use super::page::{self, of};
use super::{Ui, shown};
use crate::clock;
use crate::store::{Overview, StoreError};

const HOUR_MS: i64 = 3_600_000;
/// Hours of the chart.
const HOURS: i64 = 24;
/// The chart's measures, in its own units.
const HEIGHT: i64 = 120;
const STEP: i64 = 30;

#[derive(Serialize)]
struct StateRow {
    state: &'static str,
    count: i64,
    oldest: Option<i64>,
}

#[derive(Serialize)]
struct Bar {
    x: i64,
    received: i64,
    delivered: i64,
    received_height: i64,
    delivered_height: i64,
    hour: String,
}

#[derive(Serialize)]
struct ChannelRow {
    name: String,
    last: Option<i64>,
    silent_hours: Option<i64>,
    fault: String,
}

#[derive(Serialize)]
pub(super) struct AccountRow {
    name: String,
    used: usize,
    limit: u32,
    resting: bool,
    /// Who paused it; nobody where it is not paused.
    paused_by: String,
    key_refused: bool,
    outcome: String,
}

pub(super) async fn show(State(ui): State<Ui>, Extension(caller): Extension<Caller>) -> Response {
    match seen(&ui, &caller).await {
        Ok(own) => page::page(&ui, &caller, "home.html", own),
        Err(error) => page::store_down(&ui, &caller, &error),
    }
}

async fn seen(ui: &Ui, caller: &Caller) -> Result<minijinja::Value, StoreError> {
    let now = clock::now();
    let zoned = now.to_zoned_datetime(shown::zone());
    let day = zoned.start_of_day().map_or(now, |start| start.timestamp()).as_millisecond();
    let first = now.as_millisecond() / HOUR_MS * HOUR_MS - (HOURS - 1) * HOUR_MS;
    let overview = ui.intake.store.overview(&caller.scope, day, first).await?;
    let row = |state: &'static str| StateRow {
        state,
        count: overview.open.get(state).copied().unwrap_or_default(),
        oldest: overview.oldest.get(state).copied(),
    };
    let person: Vec<StateRow> = ["held", "rejected", "disputed"].map(row).into_iter().filter(|r| r.count > 0).collect();
    let under_way: Vec<StateRow> = ["queued", "sending", "unconfirmed"].map(row).into_iter().collect();
    let today: i64 = overview.today.values().sum();
    let delivered = overview.today.get("delivered").copied().unwrap_or_default();
    Ok(context! {
        person => of(&person), under_way => of(&under_way), today, delivered,
        bars => of(&bars(&overview, first)),
        height => HEIGHT, width => HOURS * STEP,
        channels => of(&channels(ui, caller).await?),
        accounts => of(&accounts(ui, caller).await?),
    })
}

fn bars(overview: &Overview, first: i64) -> Vec<Bar> {
    let highest = overview.hours.values().map(|(a, b)| (*a).max(*b)).max().unwrap_or_default().max(1);
    let height = |count: i64| (count * HEIGHT + highest - 1) / highest;
    (0..HOURS)
        .map(|at| {
            let hour = first + at * HOUR_MS;
            let (received, delivered) = overview.hours.get(&hour).copied().unwrap_or_default();
            Bar {
                x: at * STEP,
                received,
                delivered,
                received_height: height(received),
                delivered_height: height(delivered),
                hour: shown::hour(hour),
            }
        })
        .collect()
}

async fn channels(ui: &Ui, caller: &Caller) -> Result<Vec<ChannelRow>, StoreError> {
    let now = clock::now().as_millisecond();
    let mut rows = Vec::new();
    for live in ui.intake.channels.current().values().filter(|live| super::channels::sees(caller, live)) {
        let times = ui.intake.store.last_of_channel(&live.name, silence::ORDERS).await?;
        rows.push(ChannelRow {
            name: live.name.clone(),
            last: times.first().copied(),
            silent_hours: silence::unusual(&times, now).map(|silent| silent / HOUR_MS),
            fault: if live.is_broken() { live.fault() } else { String::new() },
        });
    }
    Ok(rows)
}

/// The accounts in sight with the use of their limit in the last minute.
pub(super) async fn accounts(ui: &Ui, caller: &Caller) -> Result<Vec<AccountRow>, StoreError> {
    let store = &ui.intake.store;
    let mut rows = Vec::new();
    let pauses = store.pauses().await?;
    for account in ui.intake.config.accounts.current().values().filter(|account| caller.scope.sees(&account.name)) {
        let state = store.sync_state(&account.name).await?;
        rows.push(AccountRow {
            name: account.name.clone(),
            used: store.requests_in(&account.name, 60_000).await?,
            limit: account.requests_per_minute,
            paused_by: pauses.get(&account.name).map(|pause| pause.actor.clone()).unwrap_or_default(),
            resting: store.board().pulse(&account.name).resting,
            key_refused: state.key_is_refused(),
            outcome: state.outcome,
        });
    }
    Ok(rows)
}
