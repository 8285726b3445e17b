//! The looks back's part of the loop: what was delivered is looked at again, with what orders leave.

use parom_core::delivery::Mono;
use parom_core::delivery::breaker::Permit;
use parom_core::delivery::change;
use parom_core::delivery::checks::{self, Checked};
use parom_core::delivery::dispatch::Back;
use parom_core::delivery::outcome::Outcome;
use parom_core::delivery::rows::{Delivered, List};
use parom_core::delivery::verify::Control;

use super::super::look::ask;
use super::{Dispatcher, Done, IDLE_MS, STORE_AGAIN_MS};
use crate::clock;
use crate::crm::Client;
use crate::store::{LookBack, StoreError};

/// While the budget is busy.
const BUSY_MS: u64 = 1_000;

impl Dispatcher {
    /// Starts the look back that is due, and says when to look again. Half of the budget is never touched.
    pub(super) async fn start_look_back(&mut self) -> Result<Mono, StoreError> {
        let now = clock::mono();
        let idle = now.after(IDLE_MS);
        if self.looking_back || self.store.board().is_paused(&self.account) {
            return Ok(idle);
        }
        if let Some(wait) = self.store.next_look_back(&self.account).await?.and_then(|wait| u64::try_from(wait).ok())
            && wait > 0
        {
            return Ok(now.after(wait).min(idle));
        }
        if self.dispatch.breaker.permit(now) != Permit::Free {
            return Ok(idle);
        }
        if self.dispatch.budget.used(now) >= self.dispatch.budget.ceiling(now).div_ceil(2) {
            return Ok(now.after(BUSY_MS));
        }
        let back = match self.dispatch.look_back(now) {
            Ok(back) => back,
            Err(at) => return Ok(at.unwrap_or(idle)),
        };
        let orders = self.store.looks_back_due(&self.account, back.orders).await;
        let orders = match orders {
            Ok(orders) if !orders.is_empty() => together(orders),
            nothing => {
                back.tickets.into_iter().for_each(|ticket| self.dispatch.budget.give_back(ticket));
                return nothing.map(|_| idle);
            }
        };
        self.looking_back = true;
        let (store, client, account) = (self.store.clone(), self.client.clone(), self.account.clone());
        let epoch = Some(self.epoch);
        self.work.spawn(async move {
            for _ in &back.tickets {
                // The ledger first: a restart must know of each request.
                if store.spend(&account, epoch).await.is_err() {
                    return Done::LookedBack(back, Glance::default());
                }
            }
            let glance = match orders.as_slice() {
                [order] if order.named => look_at_named(&client, order).await,
                orders => {
                    let controls = store.controls(&account).await.unwrap_or_default();
                    look_back(&client, orders, &controls, back.alone).await
                }
            };
            Done::LookedBack(back, glance)
        });
        Ok(idle)
    }

    pub(super) async fn take_look_back(&mut self, back: Back, glance: Glance, now: Mono) {
        self.looking_back = false;
        if let Some(rest) = glance.rest {
            tracing::warn!(account = %self.account, rest, "the CRM asked for time");
        }
        self.dispatch.looked_back(back, (glance.trusted, glance.strange), glance.rest, now);
        crate::crash::point("back.before_result");
        match self.store.looked_back(glance.found).await {
            Ok(wrong) => wrong.iter().for_each(|order| {
                tracing::error!(
                    order,
                    "the CRM has it twice, as another, or not as the one that was named: a person must decide"
                );
            }),
            Err(error) => {
                tracing::warn!(account = %self.account, %error, "a look back could not be written yet");
                tokio::time::sleep(std::time::Duration::from_millis(STORE_AGAIN_MS)).await;
            }
        }
    }
}

/// What a look back brought.
#[derive(Debug, Default)]
pub(super) struct Glance {
    found: Vec<(i64, Checked)>,
    /// Whether something that must be there was, where a list came at all.
    trusted: Option<bool>,
    /// Rows came that nobody asked for.
    strange: bool,
    /// The CRM asked for so many seconds.
    rest: Option<u64>,
}

/// Those that one request shows: one that a person named, or those that their numbers find.
fn together(mut orders: Vec<LookBack>) -> Vec<LookBack> {
    match orders.first() {
        Some(first) if first.named => orders.truncate(1),
        _ => orders.retain(|order| !order.named),
    }
    orders
}

/// Asks for the order itself.
async fn look_at_named(client: &Client, order: &LookBack) -> Glance {
    let seen = client.order_with_payments(order.crm_order_id).await;
    let outcome = change::outcome(seen.answer());
    let rest = match outcome {
        Outcome::RateLimited(rest) => Some(rest),
        _ => None,
    };
    Glance { found: vec![(order.seq, checks::weigh_named(&outcome, seen.status()))], rest, ..Glance::default() }
}

async fn look_back(client: &Client, orders: &[LookBack], controls: &[Delivered], alone: bool) -> Glance {
    let numbers: Vec<String> = orders.iter().map(|order| order.number.clone()).collect();
    let names = controls.iter().map(|control| control.number.clone());
    let (list, proof) = if alone {
        let list = ask(client, numbers).await;
        let proof = match names.into_iter().next() {
            // Without a control nothing is proven, and nothing is wrong.
            None => Ok(None),
            Some(name) => ask(client, vec![name]).await.map(Some),
        };
        (list, proof)
    } else {
        let list = ask(client, numbers.into_iter().chain(names).collect()).await;
        let proof = list.as_ref().map(|list| Some(list.clone())).map_err(Clone::clone);
        (list, proof)
    };
    let rest = [list.as_ref().err(), proof.as_ref().err()].into_iter().flatten().find_map(|lost| lost.rest);
    let strange = list.as_ref().err().is_some_and(|lost| lost.strange);
    let (list, proof) = (list.ok(), proof.ok().flatten());
    let trusted = proof.map(|list| list.control(controls, 2) == Some(Control::Found));
    let proven = trusted == Some(true);
    let found = orders.iter().map(|order| (order.seq, weigh(list.as_ref(), order, proven))).collect();
    Glance { found, trusted, strange, rest }
}

fn weigh(list: Option<&List>, order: &LookBack, trusted: bool) -> Checked {
    let Some(list) = list else { return Checked::Unclear };
    checks::weigh(list, order.source_id, &order.number, order.crm_order_id, trusted && list.whole)
}
