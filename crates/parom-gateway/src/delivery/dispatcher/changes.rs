//! The changes' part of the loop: one at a time, with what the orders leave.

use parom_core::delivery::Mono;
use parom_core::delivery::breaker::Permit;

use super::super::changes;
use super::{Came, Dispatcher, Done, IDLE_MS};
use crate::clock;
use crate::store::StoreError;

/// Between two changes while orders wait.
const BESIDE_ORDERS_MS: u64 = 10_000;

impl Dispatcher {
    /// Starts the next change that is due, and says when to look again.
    pub(super) async fn start_change(&mut self) -> Result<Mono, StoreError> {
        self.hear();
        let now = clock::mono();
        let idle = now.after(IDLE_MS);
        if self.changing || self.store.board().is_paused(&self.account) {
            return Ok(idle);
        }
        let Some(wait) = self.store.change_due(&self.account).await? else {
            return Ok(idle);
        };
        if wait > 0 {
            return Ok(now.after(wait.unsigned_abs()));
        }
        let turn = self.changed.after(BESIDE_ORDERS_MS);
        if self.waiting && now < turn {
            return Ok(turn);
        }
        match self.dispatch.breaker.permit(now) {
            Permit::Free | Permit::One => {}
            Permit::Wait(until) => return Ok(until),
            Permit::Trying => return Ok(idle),
        }
        let ticket = match self.dispatch.place(now) {
            Ok(ticket) => ticket,
            Err(at) => return Ok(at.unwrap_or(idle)),
        };
        crate::crash::point("change.before_intent");
        let claimed = self.store.claim_change(&self.account, self.epoch).await;
        let Ok(Some(due)) = claimed else {
            self.dispatch.budget.give_back(ticket);
            return claimed.map(|_| idle);
        };
        self.changing = true;
        self.changed = now;
        self.dispatch.breaker.start_try();
        let look = due.doubtful;
        let (store, client, told, plan) =
            (self.store.clone(), self.client.clone(), self.told.clone(), self.dispatch.plan);
        self.work.spawn(async move {
            changes::make(&store, &client, due, plan, |outcome| {
                let _ = told.send(Came { ticket, outcome: outcome.clone(), bulk: None, look });
            })
            .await;
            Done::Changed
        });
        Ok(idle)
    }
}
