//! The bulk call's part of the loop: a real backlog goes many orders at a time, until something surprising is seen.

use std::collections::VecDeque;

use parom_core::delivery::Mono;
use parom_core::delivery::bulk::BATCH;

use super::super::send;
use super::{Came, Dispatcher, Done, IDLE_MS};
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
    /// Too few orders were for a call: it is not looked again before this.
    again: Mono,
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
        let ready = self.dispatch.ready_for_bulk(now) && self.backlog.single.is_empty() && now >= self.backlog.again;
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
                self.backlog = Backlog { again: idle, ..Backlog::default() };
                return none.map(|_| idle);
            }
        };
        if !self.backlog.goes {
            tracing::info!(account = %self.account, "a backlog goes by the bulk call");
        }
        self.backlog = Backlog { goes: true, single: batch.single.into_iter().take(SINGLY).collect(), again: now };
        self.hear();
        if !self.dispatch.still(clock::mono()) {
            self.dispatch.budget.give_back(ticket);
            send::put_back(&self.store, &batch.intents).await;
            return Ok(clock::mono());
        }
        self.waiting = true;
        self.dispatch.sends_bulk();
        let (store, client, told) = (self.store.clone(), self.client.clone(), self.told.clone());
        let orders = u64::try_from(batch.intents.len()).unwrap_or_default();
        self.work.spawn(async move {
            send::send_bulk(&store, &client, &batch.intents, now, |outcome, surprise| {
                let _ =
                    told.send(Came { ticket, outcome: outcome.clone(), bulk: Some((orders, surprise)), look: false });
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
}
