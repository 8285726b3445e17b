//! Doubtful orders: what was found in `sending` at the start, and what look-ups resolve.

use super::sql::{Db, params};
use parom_core::delivery::rows::Delivered;
use parom_core::delivery::state::State;
use parom_core::delivery::{checks, reason};
use parom_core::order::Target;
use serde_json::Map;

use super::accept::append_event;
use super::updates::settle_waiting;
use super::{Store, StoreError, Whose, leases};
use crate::clock;

/// An order that may or may not be in the CRM.
#[derive(Clone, Debug)]
pub struct Doubtful {
    /// Its row.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Its account.
    pub account: String,
    /// When it became doubtful, milliseconds.
    pub since: i64,
    /// Its source.
    pub source_id: i64,
    /// Its number.
    pub number: String,
    /// When it was received, milliseconds.
    pub received_at: i64,
    /// Why it is doubtful, in a word.
    pub reason: String,
    /// The CRM's number of it, by its own word; 0 where it is not known which.
    pub said: Option<i64>,
    /// Times that it was sent again.
    pub resends: u32,
    /// Times that it was sent at all, as far as anybody knows.
    pub attempts: i64,
    /// What it becomes in the CRM.
    pub target: Target,
    /// The CRM's body, where it is a card: it is found by title and contact.
    pub body: Map<String, serde_json::Value>,
}

// A partial index is used only where a query repeats its condition word by word.
const SENDING: &str = "SELECT seq FROM orders
     WHERE account = ?1 AND state IN ('sending', 'unconfirmed') AND state = 'sending' ORDER BY seq";
const DOUBTS: &str =
    "SELECT seq, id, source_id, number, received_at, reason, resends, target, body, updated_at, attempts,
       coalesce(said_crm_id, crm_order_id, CASE WHEN reason = ?2 THEN 0 END) FROM orders
     WHERE account = ?1 AND state IN ('sending', 'unconfirmed') AND state = 'unconfirmed' ORDER BY seq LIMIT 10000";
// An older version beside this one knows the reason alone.
const SAID: &str = "SELECT 1 FROM orders WHERE seq = ?1
     AND (said_crm_id IS NOT NULL OR crm_order_id IS NOT NULL OR reason = ?2)";
const CONTROLS: &str = "SELECT crm_order_id, source_id, number FROM orders
     WHERE account = ?1 AND state = 'delivered' AND target = 'order' AND crm_order_id IS NOT NULL AND said_crm_id IS NULL
     ORDER BY updated_at DESC LIMIT 2";

impl Store {
    /// The doubtful orders of an account, oldest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn doubts(&self, account: &str) -> Result<Vec<Doubtful>, StoreError> {
        let account = account.to_owned();
        self.read(move |db| doubtful(db, &account)).await
    }

    /// Orders of an account that were delivered last, and that their number finds: looking one up proves that look-ups work.
    ///
    /// # Errors
    /// As any read.
    pub async fn controls(&self, account: &str) -> Result<Vec<Delivered>, StoreError> {
        let account = account.to_owned();
        self.read(move |db| {
            db.query(CONTROLS, params![account], |row| {
                let source_id = row.get::<Option<i64>>(1)?.unwrap_or_default();
                Ok(Delivered { crm_order_id: row.get(0)?, source_id, number: row.get(2)? })
            })
        })
        .await
    }

    /// Resolves a doubt: `delivered`, `queued` (to be sent again) or `disputed`. Nothing changes if the order has moved
    /// on, or was sent again since it was looked for. A crash before: the doubt is there again at the next start.
    ///
    /// # Errors
    /// As any write.
    pub async fn resolve(
        &self,
        doubt: &Doubtful,
        epoch: i64,
        state: State,
        crm_order_id: Option<i64>,
        reason: &str,
        note: &str,
    ) -> Result<bool, StoreError> {
        let (seq, id, reason, note) = (doubt.seq, doubt.id.clone(), reason.to_owned(), note.to_owned());
        let now = clock::now().as_millisecond();
        let account = doubt.account.clone();
        let (target, attempts) = (doubt.target.as_str(), doubt.attempts);
        let changed = self
            .write("resolve", Whose::Account(account.clone()), move |db| {
                leases::check(db, &account, epoch)?;
                // Another order of ours is that row already: whose it is, a person decides.
                let others =
                    "SELECT 1 FROM orders WHERE account = ?1 AND crm_order_id = ?2 AND target = ?3 AND seq <> ?4";
                let taken = db.exists(others, params![account, crm_order_id, target, seq])?;
                let (state, reason, crm_order_id) = if taken && state == State::Delivered {
                    (State::Disputed, reason::ANOTHERS_ROW.to_owned(), None)
                } else if state == State::Queued && db.exists(SAID, params![seq, reason::OTHER_NUMBER])? {
                    // A late result told it after whoever looked had read the row.
                    (State::Disputed, reason::TAKEN_ELSEWHERE.to_owned(), None)
                } else {
                    (state, reason, crm_order_id)
                };
                let resend = i64::from(state == State::Queued);
                let sql = "UPDATE orders SET state = ?2, reason = ?3, crm_order_id = coalesce(?4, crm_order_id),
                             said_crm_id = CASE WHEN ?2 = 'delivered' THEN nullif(said_crm_id, ?4) ELSE said_crm_id END,
                             resends = resends + ?5, updated_at = ?6, due_at = ?6, looks_back = 0, doubted = 1,
                             check_at = CASE WHEN ?2 = 'delivered' AND target = 'order' THEN ?7 END
                           WHERE seq = ?1 AND state = 'unconfirmed' AND attempts = ?8";
                let changed = db.execute(
                    sql,
                    params![
                        seq,
                        state.as_str(),
                        reason,
                        crm_order_id,
                        resend,
                        now,
                        checks::next(true, 0, now),
                        attempts,
                    ],
                )?;
                if changed == 1 {
                    append_event(db, seq, now, state, "delivery", &note)?;
                    settle_waiting(db, seq, state, now)?;
                }
                Ok(changed == 1)
            })
            .await?;
        if changed {
            self.board().tell(&id, state);
        }
        Ok(changed)
    }

    /// Which of these numbers of the CRM other orders of ours are already.
    ///
    /// # Errors
    /// As any read.
    pub async fn known_in_crm(&self, account: &str, target: Target, ids: Vec<i64>) -> Result<Vec<i64>, StoreError> {
        let account = account.to_owned();
        self.read(move |db| {
            let sql = "SELECT 1 FROM orders WHERE account = ?1 AND crm_order_id = ?2 AND target = ?3";
            let mut known = Vec::new();
            for id in ids {
                if db.exists(sql, params![account, id, target.as_str()])? {
                    known.push(id);
                }
            }
            Ok(known)
        })
        .await
    }

    /// Adds a look's finding to the history of an order that is still in this doubt; its state stays.
    ///
    /// # Errors
    /// As any write.
    pub async fn note_look(&self, doubt: &Doubtful, note: &str) -> Result<(), StoreError> {
        let (seq, attempts, note) = (doubt.seq, doubt.attempts, note.to_owned());
        let now = clock::now().as_millisecond();
        self.write("note_look", Whose::Account(doubt.account.clone()), move |db| {
            let still = "SELECT 1 FROM orders WHERE seq = ?1 AND state = 'unconfirmed' AND attempts = ?2";
            if db.exists(still, params![seq, attempts])? {
                append_event(db, seq, now, State::Unconfirmed, "delivery", &note)?;
            }
            Ok(())
        })
        .await
    }
}

/// Every order of an account whose intent has no result may have been sent: whoever would write it is gone.
pub(super) fn recover(db: &Db<'_>, account: &str, now: i64) -> Result<usize, StoreError> {
    let seqs: Vec<i64> = db.query(SENDING, params![account], |row| row.get(0))?;
    for seq in &seqs {
        // Of a bulk call it stays known: that may be applied later than a single one.
        let sql = "UPDATE orders SET state = 'unconfirmed', updated_at = ?2,
                     reason = CASE WHEN reason = ?3 THEN reason ELSE ?4 END WHERE seq = ?1";
        db.execute(sql, params![seq, now, reason::BULK, reason::INTERRUPTED])?;
        let note = "the process ended between the intent and the result";
        append_event(db, *seq, now, State::Unconfirmed, "delivery", note)?;
    }
    Ok(seqs.len())
}

fn doubtful(db: &Db<'_>, account: &str) -> Result<Vec<Doubtful>, StoreError> {
    db.query(DOUBTS, params![account, reason::OTHER_NUMBER], |row| {
        let target = Target::parse(&row.get::<String>(7)?).unwrap_or_default();
        let body = match target {
            Target::Order => Map::new(),
            Target::Card => serde_json::from_str(&row.get::<String>(8)?).unwrap_or_default(),
        };
        Ok(Doubtful {
            seq: row.get(0)?,
            id: row.get(1)?,
            account: account.to_owned(),
            since: row.get(9)?,
            source_id: row.get::<Option<i64>>(2)?.unwrap_or_default(),
            number: row.get(3)?,
            received_at: row.get(4)?,
            reason: row.get(5)?,
            resends: row.get(6)?,
            target,
            body,
            attempts: row.get(10)?,
            said: row.get(11)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::{bulk, delivery, dictionaries, erasure, journal, looks_back, sqlite};

    /// What delivery asks for each order must not depend on how many orders there are.
    #[test]
    fn no_query_of_delivery_reads_the_whole_table() {
        let connection = sqlite::in_memory();
        let hot = [
            super::SENDING,
            super::DOUBTS,
            super::CONTROLS,
            delivery::CLAIM,
            delivery::QUEUE,
            bulk::BACKLOG,
            bulk::WINDOW,
            looks_back::DUE,
            looks_back::NEXT,
            journal::HELD_FOR,
            dictionaries::UNCHECKED,
            dictionaries::HELD,
            erasure::DUE,
            erasure::ASKED,
        ];
        for sql in hot {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let nulls = (0..plan.parameter_count()).map(|_| rusqlite::types::Null);
            let steps = plan.query_map(rusqlite::params_from_iter(nulls), |row| row.get::<_, String>(3)).unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            let whole = |step: &String| step.starts_with("SCAN orders") && !step.contains("INDEX");
            assert!(!steps.iter().any(whole), "{sql}\n{steps:#?}");
        }
    }
}
