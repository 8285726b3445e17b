//! Looks back at delivered orders: which are due, and what they show.

use super::sql::{Db, params};
use parom_core::delivery::checks::{self, Checked};
use parom_core::delivery::state::State;

use super::accept::append_event;
use super::{Store, StoreError, Whose};
use crate::clock;

/// A delivered order that is to be looked at again.
#[derive(Clone, Debug)]
pub struct LookBack {
    /// Its row.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Its source.
    pub source_id: i64,
    /// Its number.
    pub number: String,
    /// The CRM's number.
    pub crm_order_id: i64,
    /// A person said that it is this one: its own number need not find it.
    pub named: bool,
}

pub(super) const DUE: &str = "SELECT seq, id, source_id, number, crm_order_id, said_crm_id FROM orders
     WHERE account = ?1 AND state = 'delivered' AND check_at IS NOT NULL AND (check_at <= ?2 OR check_at > ?3)
     ORDER BY check_at LIMIT ?4";
// What was planned by a clock that was wrong is due as well.
pub(super) const NEXT: &str = "SELECT min(at) FROM (
     SELECT min(check_at) AS at FROM orders
       WHERE account = ?1 AND state = 'delivered' AND check_at IS NOT NULL AND check_at <= ?2
     UNION ALL SELECT CAST(?3 AS BIGINT) WHERE EXISTS (SELECT 1 FROM orders
       WHERE account = ?1 AND state = 'delivered' AND check_at IS NOT NULL AND check_at > ?2)) AS planned";

impl Store {
    /// Delivered orders of an account whose look back is due, the oldest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn looks_back_due(&self, account: &str, most: usize) -> Result<Vec<LookBack>, StoreError> {
        let (account, now) = (account.to_owned(), clock::now().as_millisecond());
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.read(move |db| {
            let ahead = now.saturating_add(checks::AHEAD_MS);
            db.query(DUE, params![account, now, ahead, most], |row| {
                Ok(LookBack {
                    seq: row.get(0)?,
                    id: row.get(1)?,
                    source_id: row.get::<Option<i64>>(2)?.unwrap_or_default(),
                    number: row.get(3)?,
                    crm_order_id: row.get::<Option<i64>>(4)?.unwrap_or_default(),
                    named: row.get::<Option<i64>>(5)?.is_some(),
                })
            })
        })
        .await
    }

    /// Milliseconds until the next look back of an account; none where nothing is planned.
    ///
    /// # Errors
    /// As any read.
    pub async fn next_look_back(&self, account: &str) -> Result<Option<i64>, StoreError> {
        let (account, now) = (account.to_owned(), clock::now().as_millisecond());
        self.read(move |db| {
            let ahead = now.saturating_add(checks::AHEAD_MS);
            let at: Option<i64> = db.one(NEXT, params![account, ahead, now], |row| row.get(0))?;
            Ok(at.map(|at| at.saturating_sub(now)))
        })
        .await
    }

    /// Writes what looks back showed; what has moved on meanwhile stays as it is. The ids of those that a person must look
    /// at come back. A crash before: they are looked at again.
    ///
    /// # Errors
    /// As any write.
    pub async fn looked_back(&self, found: Vec<(i64, Checked)>) -> Result<Vec<String>, StoreError> {
        let now = clock::now().as_millisecond();
        let wrong = self
            .write("looked_back", found.first().map_or(Whose::Nobody, |(seq, _)| Whose::Order(*seq)), move |db| {
                let mut wrong = Vec::new();
                for (seq, checked) in &found {
                    wrong.extend(look_back(db, *seq, checked, now)?);
                }
                Ok(wrong)
            })
            .await?;
        wrong.iter().for_each(|id| self.board().tell(id, State::Disputed));
        Ok(wrong)
    }
}

fn look_back(db: &Db<'_>, seq: i64, checked: &Checked, now: i64) -> Result<Option<String>, StoreError> {
    let sql = "SELECT id, doubted, looks_back, said_crm_id FROM orders WHERE seq = ?1 AND state = 'delivered'";
    let row = db.first(sql, params![seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let Some((id, doubted, looks, said)): Option<(String, bool, u32, Option<i64>)> = row else { return Ok(None) };
    let (next, counted) = match checked {
        // That it is there is all that a person's word can be held to.
        Checked::Fine if said.is_some() => (None, 1),
        // A list that left it out may be wrong: a second one must not stay unseen by that.
        Checked::Fine | Checked::Gone => (checks::next(doubted, looks + 1, now), 1_u32),
        Checked::Unclear => (Some(checks::again(now)), 0),
        Checked::Wrong(_) => (None, 1),
    };
    let sql = "UPDATE orders SET check_at = ?2, looks_back = looks_back + ?3 WHERE seq = ?1";
    db.execute(sql, params![seq, next, counted])?;
    match checked {
        Checked::Wrong(why) => {
            let sql = "UPDATE orders SET state = 'disputed', reason = ?2, updated_at = ?3, due_at = ?3,
                         crm_order_id = CASE WHEN said_crm_id IS NULL THEN crm_order_id END WHERE seq = ?1";
            db.execute(sql, params![seq, why, now])?;
            append_event(db, seq, now, State::Disputed, "delivery", &format!("looked back: {why}"))?;
            Ok(Some(id))
        }
        Checked::Gone => {
            let note = "looked back: it is not in the CRM any more; it is not sent again";
            let told = "SELECT 1 FROM order_events WHERE seq = ?1 AND note = ?2";
            if !db.exists(told, params![seq, note])? {
                append_event(db, seq, now, State::Delivered, "delivery", note)?;
            }
            Ok(None)
        }
        Checked::Fine | Checked::Unclear => Ok(None),
    }
}
