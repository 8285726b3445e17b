//! Verbs of the bulk call: the intents of many orders in one commit, and their results in another.

use parom_core::delivery::state::State;
use parom_core::delivery::{bulk, reason};
use parom_core::order::Target;

use super::accept::append_event;
use super::delivery::{Intent, Settlement, intent_of, settle};
use super::ledger::spend;
use super::pauses::is_paused;
use super::sql::params;
use super::{Store, StoreError, Whose, leases};
use crate::clock;

/// What a bulk call may have.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The orders that go in it: their intents are committed. None where too few would.
    pub intents: Vec<Intent>,
    /// Rows of orders among them that go singly, oldest first.
    pub single: Vec<i64>,
}

pub(super) const BACKLOG: &str =
    "SELECT received_at FROM orders WHERE account = ?1 AND state = 'queued' ORDER BY seq LIMIT 1 OFFSET ?2";
pub(super) const WINDOW: &str =
    "SELECT seq, id, body, number, source_id, received_at, attempts, resends, target, checked FROM orders
     WHERE account = ?1 AND state = 'queued' AND (checked >= ?2 OR resends > 0) ORDER BY seq LIMIT ?3";

impl Store {
    /// Whether more orders wait than come in for a moment, and for longer.
    ///
    /// # Errors
    /// As any read.
    pub async fn has_backlog(&self, account: &str) -> Result<bool, StoreError> {
        let account = account.to_owned();
        let before = clock::now().as_millisecond() - bulk::AGE_MS;
        self.read(move |db| {
            let oldest_of_more: Option<i64> = db.first(BACKLOG, params![account, bulk::BACKLOG], |row| row.get(0))?;
            Ok(oldest_of_more.is_some_and(|received| received < before))
        })
        .await
    }

    /// Takes the oldest orders that a bulk call may have, and commits the intents to send them with the call's one place in
    /// the ledger. A crash before: nothing happened. A crash after: each is found in `sending` and treated as perhaps sent.
    ///
    /// # Errors
    /// As any write.
    pub async fn claim_bulk(&self, account: &str, epoch: i64, version: i64) -> Result<Batch, StoreError> {
        let account = account.to_owned();
        let now = clock::now().as_millisecond();
        self.write("claim_bulk", Whose::Account(account.clone()), move |db| {
            leases::check(db, &account, epoch)?;
            if is_paused(db, &account)? {
                return Ok(Batch::default());
            }
            let window = db.query(WINDOW, params![account, version, bulk::WINDOW], |row| intent_of(row, &account))?;
            let mut batch = chosen(window);
            if batch.intents.len() < bulk::WORTH {
                batch.intents.clear();
                return Ok(batch);
            }
            let note = format!("attempt 1, in a bulk call of {} orders", batch.intents.len());
            for mut intent in std::mem::take(&mut batch.intents) {
                intent.attempt += 1;
                let sql = "UPDATE orders SET state = 'sending', reason = ?3, attempts = attempts + 1, updated_at = ?2
                           WHERE seq = ?1 AND state = 'queued' AND account = ?4";
                if db.execute(sql, params![intent.seq, now, reason::BULK, account])? == 0 {
                    continue;
                }
                let sql = "INSERT INTO attempts (seq, attempt, started_at) VALUES (?1, ?2, ?3)";
                db.execute(sql, params![intent.seq, intent.attempt, now])?;
                append_event(db, intent.seq, now, State::Sending, "delivery", &note)?;
                batch.intents.push(intent);
            }
            spend(db, &account)?;
            Ok(batch)
        })
        .await
    }

    /// Writes the result of a bulk call for all of its orders, as [`Store::settle`] does for one.
    ///
    /// # Errors
    /// As any write; after `Unavailable` the caller tries again.
    pub async fn settle_bulk(&self, intents: &[Intent], settlement: &Settlement) -> Result<(), StoreError> {
        let Some(first) = intents.first() else { return Ok(()) };
        let account = first.account.clone();
        let attempts: Vec<(i64, i64)> = intents.iter().map(|intent| (intent.seq, intent.attempt)).collect();
        let settlement = settlement.clone();
        let now = clock::now().as_millisecond();
        self.write("settle_bulk", Whose::Account(account), move |db| {
            for (seq, attempt) in attempts {
                settle(db, seq, attempt, &settlement, now)?;
            }
            Ok(())
        })
        .await
    }
}

/// The orders of the window that go together. Whatever went before, in whichever way, goes by itself.
fn chosen(window: Vec<Intent>) -> Batch {
    let (mut batch, mut bytes) = (Batch::default(), 0);
    for intent in window {
        let fits = intent.target == Target::Order
            && intent.attempt == 0
            && serde_json::from_str(&intent.body).is_ok_and(|body| bulk::fits(&body));
        if !fits {
            batch.single.push(intent.seq);
        } else if batch.intents.len() < bulk::BATCH && bytes + intent.body.len() <= bulk::BYTES {
            bytes += intent.body.len();
            batch.intents.push(intent);
        }
    }
    batch
}
