//! Delivery's verbs: the intent and the result.

use super::sql::{Db, Row, params};
use parom_core::delivery::checks;
use parom_core::delivery::state::State;
use parom_core::order::Target;

use super::accept::append_event;
use super::ledger::spend;
use super::pauses::is_paused;
use super::updates::settle_waiting;
use super::{Store, StoreError, Whose, leases};
use crate::clock;

/// A committed intent: this order may now be sent, once.
#[derive(Clone, Debug)]
pub struct Intent {
    /// The order's row.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Its account.
    pub account: String,
    /// The frozen body, byte for byte what a resend sends too.
    pub body: String,
    /// Its number and source.
    pub number: String,
    /// Its source.
    pub source_id: i64,
    /// When it was received, milliseconds.
    pub received_at: i64,
    /// Which attempt this is, from 1.
    pub attempt: i64,
    /// Times that it was sent again after a proven absence.
    pub resends: u32,
    /// What it becomes in the CRM.
    pub target: Target,
    /// The version of the dictionaries that it was checked by; 0: by none.
    pub checked: i64,
}

/// The result of an attempt.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The order's state from now on.
    pub state: State,
    /// Why, in a word.
    pub reason: String,
    /// The outcome's word.
    pub outcome: &'static str,
    /// The CRM's number, where it is known.
    pub crm_order_id: Option<i64>,
    /// The answer's status.
    pub status: Option<u16>,
    /// The start of the answer, as text.
    pub answer: String,
    /// For a person, in the history.
    pub note: String,
}

/// What the row is when it is locked decides, not what it was when it was found: its channel's account may have been changed.
pub(super) const CLAIM: &str =
    "UPDATE orders SET state = 'sending', reason = '', attempts = attempts + 1, updated_at = ?2
     WHERE seq = (SELECT seq FROM orders WHERE account = ?1 AND state = 'queued' AND (checked >= ?3 OR resends > 0)
                  AND (?4 = 0 OR seq = ?4)
                  ORDER BY seq LIMIT 1)
       AND state = 'queued' AND account = ?1
     RETURNING seq, id, body, number, source_id, received_at, attempts, resends, target, checked";
pub(super) const QUEUE: &str =
    "SELECT count(*) FROM (SELECT 1 FROM orders WHERE account = ?1 AND state = 'queued' LIMIT ?2) AS waiting";

impl Store {
    /// Takes the oldest order that waits, or the one in the row `only` where that is not 0, of those that were checked by this version of the dictionaries, and commits the
    /// intent to send it, with its place in the rate ledger, where the lease is still of this epoch. A crash before: nothing
    /// happened. A crash after: the order is found in `sending` and treated as perhaps sent.
    ///
    /// # Errors
    /// As any write.
    pub async fn claim(
        &self,
        account: &str,
        epoch: i64,
        version: i64,
        only: i64,
    ) -> Result<Option<Intent>, StoreError> {
        let account = account.to_owned();
        let now = clock::now().as_millisecond();
        self.write("claim", Whose::Account(account.clone()), move |db| {
            leases::check(db, &account, epoch)?;
            claim(db, &account, version, only, now)
        })
        .await
    }

    /// Writes the result of an attempt. It changes nothing if the order has moved on; the late result is then kept in the
    /// history alone, and `false` comes back.
    ///
    /// # Errors
    /// As any write; after `Unavailable` the caller tries again.
    pub async fn settle(&self, intent: &Intent, settlement: &Settlement) -> Result<bool, StoreError> {
        let (seq, attempt, id) = (intent.seq, intent.attempt, intent.id.clone());
        let (settlement, state) = (settlement.clone(), settlement.state);
        let now = clock::now().as_millisecond();
        let kept = self
            .write("settle", Whose::Account(intent.account.clone()), move |db| {
                settle(db, seq, attempt, &settlement, now)
            })
            .await?;
        if kept {
            self.board().tell(&id, state);
        }
        Ok(kept)
    }

    /// Orders of an account that wait, counted up to a bound.
    ///
    /// # Errors
    /// As any read.
    pub async fn queue_length(&self, account: &str, bound: usize) -> Result<usize, StoreError> {
        let account = account.to_owned();
        let bound = i64::try_from(bound).unwrap_or(i64::MAX);
        self.read(move |db| {
            let count: i64 = db.one(QUEUE, params![account, bound], |row| row.get(0))?;
            Ok(usize::try_from(count).unwrap_or_default())
        })
        .await
    }
}

fn claim(db: &Db<'_>, account: &str, version: i64, only: i64, now: i64) -> Result<Option<Intent>, StoreError> {
    if is_paused(db, account)? {
        return Ok(None);
    }
    let intent = db.first(CLAIM, params![account, now, version, only], |row| intent_of(row, account))?;
    let Some(intent) = intent else {
        return Ok(None);
    };
    let sql = "INSERT INTO attempts (seq, attempt, started_at) VALUES (?1, ?2, ?3)";
    db.execute(sql, params![intent.seq, intent.attempt, now])?;
    spend(db, account)?;
    let unchecked = if intent.checked == 0 { ", unchecked: the account's dictionaries are not known" } else { "" };
    let note = format!("attempt {}{unchecked}", intent.attempt);
    append_event(db, intent.seq, now, State::Sending, "delivery", &note)?;
    Ok(Some(intent))
}

pub(super) fn intent_of(row: &Row<'_>, account: &str) -> Result<Intent, StoreError> {
    Ok(Intent {
        seq: row.get(0)?,
        id: row.get(1)?,
        account: account.to_owned(),
        body: row.get(2)?,
        number: row.get(3)?,
        source_id: row.get::<Option<i64>>(4)?.unwrap_or_default(),
        received_at: row.get(5)?,
        attempt: row.get(6)?,
        resends: row.get(7)?,
        target: Target::parse(&row.get::<String>(8)?).unwrap_or_default(),
        checked: row.get(9)?,
    })
}

pub(super) fn settle(db: &Db<'_>, seq: i64, attempt: i64, result: &Settlement, now: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE attempts SET finished_at = ?3, outcome = ?4, status = ?5, answer = ?6
               WHERE seq = ?1 AND attempt = ?2 AND finished_at IS NULL";
    if db.execute(sql, params![seq, attempt, now, result.outcome, result.status, result.answer])? == 0 {
        // Written before, by a commit that was not answered.
        return Ok(true);
    }
    let sql = "UPDATE orders SET state = ?3, reason = ?4, crm_order_id = coalesce(?5, crm_order_id), updated_at = ?6,
                 due_at = ?6, looks_back = 0, doubted = CASE WHEN resends > 0 THEN 1 ELSE 0 END,
                 check_at = CASE WHEN ?3 <> 'delivered' OR target <> 'order' THEN NULL WHEN resends > 0 THEN ?7 ELSE ?8 END
               WHERE seq = ?1 AND attempts = ?2 AND state = 'sending'";
    let changed = db.execute(
        sql,
        params![
            seq,
            attempt,
            result.state.as_str(),
            result.reason,
            result.crm_order_id,
            now,
            checks::next(true, 0, now),
            checks::next(false, 0, now),
        ],
    )?;
    let note = if changed == 1 { result.note.clone() } else { format!("late result, not used: {}", result.note) };
    append_event(db, seq, now, result.state, "delivery", &note)?;
    if changed == 1 {
        settle_waiting(db, seq, result.state, now)?;
    }
    Ok(changed == 1)
}
