//! The bulk call's part of the loop: a real backlog goes many orders at a time, until something surprising is seen.

use std::collections::VecDeque;

use parom_core::delivery::Mono;
use parom_core::delivery::bulk::BATCH;
use parom_core::delivery::outcome::Outcome;
use parom_core::delivery::rate::Ticket;

use super::super::send;
use super::{Dispatcher, Done, IDLE_MS, random};
use crate::clock;
use crate::store::StoreError;

/// Orders that go singly between two bulk calls: those that no bulk call takes must not wait for the end of a backlog.
const SINGLY: usize = BATCH / 4;

/// A backlog on its way.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// There is one.
    pub(super) goes: bool,
    /// Rows of orders that go singly before the next call.
    pub(super) single: VecDeque<i64>,
}

impl Dispatcher {
    /// Makes a bulk call where a backlog waits and all allow it; gives the time of the next chance.
    pub(super) async fn start_bulk(&mut self) -> Result<Mono, StoreError> {
        let now = clock::mono();
        let idle = now.after(IDLE_MS);
        if !self.dispatch.takes_bulk(now) {
            self.backlog = Backlog::default();
            return Ok(idle);
        }
        let ready = self.dispatch.ready_for_bulk(now) && self.backlog.single.is_empty();
        let waits = self.store.board().is_paused(&self.account) || self.waits_for_dictionaries(now).is_some();
        if !ready || waits || self.store.room_for_delivery().is_err() {
            return Ok(idle);
        }
        if !self.backlog.goes && !self.store.has_backlog(&self.account).await? {
            return Ok(idle);
        }
        let ticket = match self.dispatch.place(now) {
            Ok(ticket) => ticket,
            Err(at) => return Ok(at.unwrap_or(idle)),
        };
        crate::crash::point("bulk.before_intent");
        let version = self.dictionaries.get(&self.account).map_or(0, |dictionary| dictionary.version);
        let batch = self.store.claim_bulk(&self.account, self.epoch, version).await;
        let batch = match batch {
            Ok(batch) if !batch.intents.is_empty() => batch,
            none => {
                self.dispatch.budget.give_back(ticket);
                self.backlog = Backlog::default();
                return none.map(|_| idle);
            }
        };
        if !self.backlog.goes {
            tracing::info!(account = %self.account, "a backlog goes by the bulk call");
        }
        self.backlog = Backlog { goes: true, single: batch.single.into_iter().take(SINGLY).collect() };
        self.hear();
        if !self.dispatch.still(clock::mono()) {
            self.dispatch.budget.give_back(ticket);
            send::put_back(&self.store, &batch.intents).await;
            return Ok(clock::mono());
        }
        self.waiting = true;
        self.dispatch.sends_bulk();
        let (store, client, told) = (self.store.clone(), self.client.clone(), self.bulk_told.clone());
        let orders = batch.intents.len();
        self.work.spawn(async move {
            send::send_bulk(&store, &client, &batch.intents, now, |outcome, surprise| {
                let _ = told.send((ticket, outcome.clone(), surprise, orders));
            })
            .await;
            Done::SentBulk
        });
        Ok(idle)
    }

    /// Which order may be claimed singly: any (0), one row, or none while a backlog goes by the bulk call.
    pub(super) fn next_single(&mut self, now: Mono) -> Option<i64> {
        if !self.backlog.goes || !self.dispatch.leaves_to_bulk(now) {
            return Some(0);
        }
        self.backlog.single.pop_front()
    }

    pub(super) fn weigh_bulk(&mut self, ticket: Ticket, outcome: &Outcome, surprise: bool, orders: usize) {
        self.dispatch.weigh_bulk(ticket, outcome, surprise, clock::mono(), random());
        if surprise {
            tracing::warn!(account = %self.account, "a bulk call was not answered as it should: orders go singly from now on");
        }
        metrics::counter!("parom_attempts_total", "account" => self.account.clone(), "outcome" => outcome.as_str())
            .increment(u64::try_from(orders).unwrap_or_default());
    }
}
