//! The dictionaries' part of the loop: fetching them with what orders leave, and when sends wait for them.

use parom_core::delivery::Mono;
use parom_core::delivery::breaker::Permit;

use super::super::fetch::Next;
use super::{Dispatcher, Done, FIRST_WAIT_MS, IDLE_MS};
use crate::clock;
use crate::crm::{List, Listed};
use crate::store::StoreError;

/// Between two pages while orders wait.
const BESIDE_ORDERS_MS: u64 = 60_000;

impl Dispatcher {
    /// When sends may go on, while they wait: for orders to be checked by newer dictionaries, or at the very first for the
    /// dictionaries themselves.
    pub(super) fn waits_for_dictionaries(&self, now: Mono) -> Option<Mono> {
        if !self.dictionaries.is_settled(&self.account) {
            return Some(now.after(IDLE_MS));
        }
        let until = self.started.after(FIRST_WAIT_MS);
        let unknown = self.dictionaries.get(&self.account).is_none();
        (unknown && !self.fetch.concluded && now < until).then_some(until)
    }

    /// Fetches one page of the dictionaries with what the orders leave: half of the budget is never touched, and while
    /// orders wait a page a minute is all, but for what the very first of them wait for.
    pub(super) fn start_listing(&mut self) -> Mono {
        let now = clock::mono();
        let idle = now.after(IDLE_MS);
        if self.listing {
            return idle;
        }
        match self.dispatch.breaker.permit(now) {
            Permit::Free | Permit::One => {}
            Permit::Wait(until) => return until,
            Permit::Trying => return idle,
        }
        let Some(list) = self.fetch.next(now) else { return self.fetch.due.max(now.after(1)) };
        let first = self.dictionaries.get(&self.account).is_none() && !self.fetch.concluded;
        let turn = self.listed.after(BESIDE_ORDERS_MS);
        if self.waiting && !first && now < turn {
            return turn;
        }
        let (ceiling, used) = (self.dispatch.budget.ceiling(now), self.dispatch.budget.used(now));
        if used >= ceiling.div_ceil(2) {
            return now.after(1_000);
        }
        let ticket = match self.dispatch.place(now) {
            Ok(ticket) => ticket,
            Err(at) => return at.unwrap_or(idle),
        };
        self.listing = true;
        self.listed = now;
        let (store, client, account) = (self.store.clone(), self.client.clone(), self.account.clone());
        let epoch = Some(self.epoch);
        self.work.spawn(async move {
            // The ledger first: a restart must know of each request.
            let (listed, granted) = match store.spend(&account, epoch).await {
                Ok(()) => client.list(list).await,
                Err(error) => (Listed::Lost(error.to_string()), None),
            };
            Done::Listed(ticket, list, listed, granted)
        });
        idle
    }

    pub(super) async fn take_page(&mut self, list: List, listed: Listed, now: Mono) -> Result<(), StoreError> {
        let taken = self.weigh_page(list, listed, now).await;
        // At first they are used together, when there is all that an order needs; whatever changed is used in the end.
        if self.dirty && self.fetch.concluded {
            self.dictionaries.reload(&self.account, &self.store).await?;
            self.dirty = false;
        }
        taken
    }

    async fn weigh_page(&mut self, list: List, listed: Listed, now: Mono) -> Result<(), StoreError> {
        match self.fetch.take(list, listed, now) {
            Next::More => {}
            Next::Wait(seconds) => {
                tracing::warn!(account = %self.account, seconds, "the CRM asked for time");
                self.dispatch.budget.limited(now, seconds.saturating_mul(1_000));
            }
            Next::Keep(kind, rows) => {
                match self.store.keep_dictionary(&self.account, kind, rows).await {
                    Ok(changed) => self.dirty |= changed,
                    Err(error) => {
                        self.fetch.again(kind, now);
                        return Err(error);
                    }
                }
                if kind == parom_core::dictionary::Kind::Skus {
                    let outcome = self.fetch.outcome();
                    self.end_fetch(&outcome, now).await?;
                    tracing::info!(account = %self.account, outcome, "dictionaries fetched");
                }
            }
            Next::Over(why) => {
                tracing::warn!(account = %self.account, why, "dictionaries could not be fetched whole");
                self.end_fetch(&why, now).await?;
            }
        }
        Ok(())
    }

    async fn end_fetch(&mut self, outcome: &str, now: Mono) -> Result<(), StoreError> {
        let (granted, began) = (self.fetch.granted, self.fetch.began);
        self.store.end_sync(&self.account, outcome, granted, began).await?;
        if self.fetch.is_over() && self.store.sync_state(&self.account).await?.asked_at > began {
            // Asked for while this fetch ran: what changed in between may have been read before.
            self.fetch.hurry(now);
        }
        Ok(())
    }
}
