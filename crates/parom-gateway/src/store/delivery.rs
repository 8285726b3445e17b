//! Delivery's verbs: the intent and the result.

use super::sql::{Db, Row, params};
use parom_core::delivery::state::State;
use parom_core::delivery::{checks, reason};
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
    /// The CRM's number of an order that it took under another number than was sent.
    pub said_crm_id: Option<i64>,
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
    let said: Option<i64> = db.one("SELECT said_crm_id FROM orders WHERE seq = ?1", params![seq], |row| row.get(0))?;
    // An earlier attempt's late result said that the CRM has it already, as another.
    let twice = result.crm_order_id.zip(said).is_some_and(|(id, said)| said > 0 && id != said);
    // And what it is answered with now says nothing of that: it must not go again.
    let there = said.is_some() && matches!(result.state, State::Queued | State::Rejected);
    let (state, reason, crm_order_id) = match twice || there {
        true => (State::Unconfirmed, reason::OTHER_NUMBER, None),
        false => (result.state, result.reason.as_str(), result.crm_order_id),
    };
    let sql = "UPDATE orders SET state = ?3, reason = ?4, crm_order_id = coalesce(?5, crm_order_id), updated_at = ?6,
                 due_at = ?6, looks_back = 0, doubted = CASE WHEN resends > 0 THEN 1 ELSE 0 END,
                 said_crm_id = coalesce(said_crm_id, ?9),
                 check_at = CASE WHEN ?3 <> 'delivered' OR target <> 'order' THEN NULL WHEN resends > 0 THEN ?7 ELSE ?8 END
               WHERE seq = ?1 AND attempts = ?2 AND state = 'sending'";
    let (soon, later) = (checks::next(true, 0, now), checks::next(false, 0, now));
    let changed = db.execute(
        sql,
        params![seq, attempt, state.as_str(), reason, crm_order_id, now, soon, later, result.said_crm_id],
    )?;
    if changed == 0 {
        return late(db, seq, result, now).map(|()| false);
    }
    append_event(db, seq, now, state, "delivery", &result.note)?;
    settle_waiting(db, seq, state, now)?;
    if let Some(id) = crm_order_id {
        contradict(db, seq, id, now)?;
    }
    Ok(true)
}

/// A result whose order has moved on since decides nothing, but by the CRM's own word the order is there: it must not go again.
fn late(db: &Db<'_>, seq: i64, result: &Settlement, now: i64) -> Result<(), StoreError> {
    append_event(db, seq, now, result.state, "delivery", &format!("late result, not used: {}", result.note))?;
    let Some(said) = result.said_crm_id.or(result.crm_order_id) else { return Ok(()) };
    // One that waits for a person is looked up when it is released.
    let sql = "UPDATE orders SET said_crm_id = ?2, restored = CASE WHEN state IN ('held', 'rejected') THEN 1 ELSE restored END
               WHERE seq = ?1 AND said_crm_id IS NULL AND state NOT IN ('delivered', 'canceled')";
    db.execute(sql, params![seq, said])?;
    let sql = "UPDATE orders SET state = 'disputed', reason = ?3, said_crm_id = ?2, updated_at = ?4, due_at = ?4, check_at = NULL
               WHERE seq = ?1 AND state = 'delivered' AND crm_order_id <> ?2";
    if db.execute(sql, params![seq, said, reason::SEVERAL, now])? == 1 {
        append_event(db, seq, now, State::Disputed, "delivery", reason::SEVERAL)?;
    }
    let sql = "UPDATE orders SET state = 'unconfirmed', reason = ?2, updated_at = ?3, due_at = ?3
               WHERE seq = ?1 AND state = 'queued'";
    if db.execute(sql, params![seq, reason::INTERRUPTED, now])? == 1 {
        let note = "it was to go again: it is looked up once more instead";
        append_event(db, seq, now, State::Unconfirmed, "delivery", note)?;
    }
    Ok(())
}

/// The CRM made this order just now: no other of ours is it, whatever a person said before, or a look that found a card by its
/// title and contact.
fn contradict(db: &Db<'_>, seq: i64, crm_order_id: i64, now: i64) -> Result<(), StoreError> {
    let sql =
        "UPDATE orders SET state = 'disputed', reason = ?3, crm_order_id = NULL, said_crm_id = nullif(said_crm_id, ?2),
                 updated_at = ?4, due_at = ?4
               WHERE crm_order_id = ?2 AND (said_crm_id IS NOT NULL OR target = 'card') AND state = 'delivered' AND seq <> ?1
                 AND account = (SELECT account FROM orders WHERE seq = ?1)
                 AND target = (SELECT target FROM orders WHERE seq = ?1)
               RETURNING seq";
    let wrong: Vec<i64> = db.query(sql, params![seq, crm_order_id, reason::ANOTHERS_ROW, now], |row| row.get(0))?;
    for other in wrong {
        let note = format!("the CRM has just made its order {crm_order_id} of another one of ours");
        append_event(db, other, now, State::Disputed, "delivery", &note)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sqlite;
    use super::*;

    fn result(state: State, id: Option<i64>, said: Option<i64>) -> Settlement {
        let (crm_order_id, said_crm_id) = (id, said);
        let (reason, answer, note) = (String::new(), String::new(), "noted".into());
        Settlement { state, reason, outcome: "test", crm_order_id, said_crm_id, status: None, answer, note }
    }

    /// An order at this point whose first attempt's result comes now, and says that the CRM made 77 of it; then, where a second
    /// attempt is under way, what that comes to. Its state, whether it is looked up when it is released, and what is known.
    fn ends(at: &str, second: Option<(State, Option<i64>)>) -> (String, i64, Option<i64>) {
        let connection = sqlite::in_memory();
        let db = Db::Sqlite(&connection);
        let crm_order_id = if at == "delivered" { "78" } else { "NULL" };
        let order = format!(
            "INSERT INTO orders (id, channel, channel_version, account, state, number, owns_number, body, problems, content,
               received_at, updated_at, due_at, attempts, resends, crm_order_id, buyer, phone, email)
             VALUES ('a', 'shop', 1, 'main', '{at}', 'N', 1, '{{}}', '[]', x'00', 0, 0, 0, 2, 1, {crm_order_id}, '', '', '');
             INSERT INTO attempts (seq, attempt, started_at) VALUES (1, 1, 0), (1, 2, 0)"
        );
        connection.execute_batch(&order).unwrap();
        assert!(!settle(&db, 1, 1, &result(State::Unconfirmed, None, Some(77)), 1).unwrap());
        if let Some((state, id)) = second {
            assert!(settle(&db, 1, 2, &result(state, id, None), 2).unwrap());
        }
        let sql = "SELECT state, restored, said_crm_id FROM orders";
        db.one(sql, params![], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    }

    /// A card that was in doubt was taken for another's of the same title and contact, which was still on its way.
    #[test]
    fn a_card_that_the_crm_made_of_another_is_no_longer_this_ones() {
        let connection = sqlite::in_memory();
        let db = Db::Sqlite(&connection);
        for (id, state, crm_order_id) in [("a", "delivered", "7"), ("b", "sending", "NULL"), ("c", "delivered", "8")] {
            let order = format!(
                "INSERT INTO orders (id, channel, channel_version, account, state, number, owns_number, body, problems, content,
                   received_at, updated_at, due_at, attempts, target, crm_order_id, buyer, phone, email)
                 VALUES ('{id}', 'shop', 1, 'main', '{state}', '{id}', 0, '{{}}', '[]', x'00', 0, 0, 0, 1, 'card', {crm_order_id},
                   '', '', '')"
            );
            connection.execute_batch(&order).unwrap();
        }
        connection.execute_batch("INSERT INTO attempts (seq, attempt, started_at) VALUES (2, 1, 0)").unwrap();
        assert!(settle(&db, 2, 1, &result(State::Delivered, Some(7), None), 1).unwrap());
        let states = db.query("SELECT state FROM orders ORDER BY id", params![], |row| row.get::<String>(0)).unwrap();
        assert_eq!(states, ["disputed", "delivered", "delivered"]);
    }

    /// By the CRM's own word it is there: whatever comes after, it does not go again, and two of it are told.
    #[test]
    fn what_the_crm_said_too_late_keeps_the_order_from_going_again() {
        for (at, second, state, looked_up) in [
            ("unconfirmed", None, "unconfirmed", 0),
            ("queued", None, "unconfirmed", 0),
            ("held", None, "held", 1),
            ("rejected", None, "rejected", 1),
            ("disputed", None, "disputed", 0),
            ("delivered", None, "disputed", 0),
            ("sending", Some((State::Queued, None)), "unconfirmed", 0),
            ("sending", Some((State::Rejected, None)), "unconfirmed", 0),
            ("sending", Some((State::Delivered, Some(78))), "unconfirmed", 0),
            ("sending", Some((State::Delivered, Some(77))), "delivered", 0),
        ] {
            assert_eq!(ends(at, second), (state.to_owned(), looked_up, Some(77)), "{at} {second:?}");
        }
    }
}
