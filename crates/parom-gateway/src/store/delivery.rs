//! Delivery's verbs: the intent and the result.

use parom_core::delivery::checks;
use parom_core::delivery::state::State;
use parom_core::order::Target;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::accept::append_event;
use super::ledger::spend;
use super::pauses::is_paused;
use super::updates::settle_waiting;
use super::{Store, StoreError};
use crate::clock;

/// A committed intent: this order may now be sent, once.
#[derive(Clone, Debug)]
pub struct Intent {
    /// The order's row.
    pub seq: i64,
    /// Its id.
    pub id: String,
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

pub(super) const CLAIM: &str =
    "UPDATE orders SET state = 'sending', reason = '', attempts = attempts + 1, updated_at = ?2
     WHERE seq = (SELECT seq FROM orders WHERE account = ?1 AND state = 'queued' AND (checked >= ?3 OR resends > 0)
                  ORDER BY seq LIMIT 1)
     RETURNING seq, id, body, number, source_id, received_at, attempts, resends, target, checked";
pub(super) const QUEUE: &str =
    "SELECT count(*) FROM (SELECT 1 FROM orders WHERE account = ?1 AND state = 'queued' LIMIT ?2)";

impl Store {
    /// Takes the oldest order that waits, of those that were checked by this version of the dictionaries, and commits the intent to send it, with its place in the rate ledger. A crash
    /// before: nothing happened. A crash after: the order is found in `sending` and treated as perhaps sent.
    ///
    /// # Errors
    /// As any write.
    pub async fn claim(&self, account: &str, version: i64) -> Result<Option<Intent>, StoreError> {
        let account = account.to_owned();
        let now = clock::now().as_millisecond();
        self.write("claim", move |connection| claim(connection, &account, version, now)).await
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
        let kept = self.write("settle", move |connection| settle(connection, seq, attempt, &settlement, now)).await?;
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
        self.read(move |connection| {
            let count: i64 = connection.prepare_cached(QUEUE)?.query_row(params![account, bound], |row| row.get(0))?;
            Ok(usize::try_from(count).unwrap_or_default())
        })
        .await
    }
}

fn claim(connection: &Connection, account: &str, version: i64, now: i64) -> Result<Option<Intent>, StoreError> {
    if is_paused(connection, account)? {
        return Ok(None);
    }
    let intent = connection.prepare_cached(CLAIM)?.query_row(params![account, now, version], intent_of).optional()?;
    let Some(intent) = intent else {
        return Ok(None);
    };
    let sql = "INSERT INTO attempts (seq, attempt, started_at) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute(params![intent.seq, intent.attempt, now])?;
    spend(connection, account)?;
    let unchecked = if intent.checked == 0 { ", unchecked: the account's dictionaries are not known" } else { "" };
    let note = format!("attempt {}{unchecked}", intent.attempt);
    append_event(connection, intent.seq, now, State::Sending, "delivery", &note)?;
    Ok(Some(intent))
}

fn intent_of(row: &Row<'_>) -> Result<Intent, rusqlite::Error> {
    Ok(Intent {
        seq: row.get(0)?,
        id: row.get(1)?,
        body: row.get(2)?,
        number: row.get(3)?,
        source_id: row.get::<_, Option<i64>>(4)?.unwrap_or_default(),
        received_at: row.get(5)?,
        attempt: row.get(6)?,
        resends: row.get(7)?,
        target: Target::parse(&row.get::<_, String>(8)?).unwrap_or_default(),
        checked: row.get(9)?,
    })
}

fn settle(connection: &Connection, seq: i64, attempt: i64, result: &Settlement, now: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE attempts SET finished_at = ?3, outcome = ?4, status = ?5, answer = ?6
               WHERE seq = ?1 AND attempt = ?2";
    connection.prepare_cached(sql)?.execute(params![
        seq,
        attempt,
        now,
        result.outcome,
        result.status,
        result.answer
    ])?;
    let sql = "UPDATE orders SET state = ?3, reason = ?4, crm_order_id = coalesce(?5, crm_order_id), updated_at = ?6,
                 due_at = ?6, looks_back = 0, doubted = resends > 0,
                 check_at = CASE WHEN ?3 <> 'delivered' OR target <> 'order' THEN NULL WHEN resends > 0 THEN ?7 ELSE ?8 END
               WHERE seq = ?1 AND attempts = ?2 AND state = 'sending'";
    let changed = connection.prepare_cached(sql)?.execute(params![
        seq,
        attempt,
        result.state.as_str(),
        result.reason,
        result.crm_order_id,
        now,
        checks::next(true, 0, now),
        checks::next(false, 0, now),
    ])?;
    let note = if changed == 1 { result.note.clone() } else { format!("late result, not used: {}", result.note) };
    append_event(connection, seq, now, result.state, "delivery", &note)?;
    if changed == 1 {
        settle_waiting(connection, seq, result.state, now)?;
    }
    Ok(changed == 1)
}
