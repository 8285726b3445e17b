//! Changes of orders that are in the CRM: kept with the request that asks for them, made once by delivery.

use parom_core::delivery::change::{Change, ChangeKind, Next, same_payment};
use parom_core::delivery::state::State;
use parom_core::{Code, Effect, Problem, limits, number};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

use super::accept::append_event;
use super::ledger::{spend, uptime};
use super::pauses::is_paused;
use super::records::{problems_from_json, problems_to_json};
use super::{Store, StoreError, incarnation};
use crate::clock;

/// A change whose turn it is.
#[derive(Clone, Debug)]
pub struct DueChange {
    /// Its row.
    pub id: i64,
    /// Its order.
    pub order: String,
    /// The order's number in the CRM.
    pub crm_order_id: i64,
    /// What it changes.
    pub change: Change,
    /// The mark of a payment.
    pub mark: String,
    /// It may have been made: look first.
    pub doubtful: bool,
    /// Attempts, this one included.
    pub attempts: u32,
    /// Looks since the last attempt, this one included.
    pub looks: u32,
}

/// A change as the journal shows it.
#[derive(Clone, Debug)]
pub struct KeptChange {
    /// `payment` or `status`.
    pub kind: String,
    /// The CRM's body.
    pub body: Value,
    /// `queued`, `sending`, `unconfirmed`, `done`, `refused` or `superseded`.
    pub state: String,
    /// Attempts so far.
    pub attempts: i64,
    /// Why, in words.
    pub note: String,
}

const DUE: &str =
    "SELECT c.id, o.id, o.crm_order_id, c.kind, c.body, c.mark, c.state, c.attempts, c.looks, c.due_at, c.seq
     FROM changes c JOIN orders o ON o.seq = c.seq
     WHERE c.account = ?1 AND c.state IN ('queued', 'sending', 'unconfirmed') AND c.state IN ('queued', 'unconfirmed')
       AND o.state = 'delivered' AND o.target = 'order' AND o.crm_order_id IS NOT NULL
     ORDER BY c.due_at, c.id LIMIT 1";

impl Store {
    /// When the next change of an account is due, milliseconds since the machine started, so that a clock that is set makes
    /// no wait shorter or longer; none where there is none.
    ///
    /// # Errors
    /// As any read.
    pub async fn change_due(&self, account: &str) -> Result<Option<i64>, StoreError> {
        let account = account.to_owned();
        self.read(move |connection| {
            Ok(connection.prepare_cached(DUE)?.query_row([account], |row| row.get(9)).optional()?)
        })
        .await
    }

    /// The intent of a change, or of a look for one: committed before anything goes. A crash after it: the start makes an
    /// attempt doubtful, and a look is repeated.
    ///
    /// # Errors
    /// As any write.
    pub async fn claim_change(&self, account: &str) -> Result<Option<DueChange>, StoreError> {
        let account = account.to_owned();
        let now = clock::now().as_millisecond();
        self.write("claim_change", move |connection| claim(connection, &account, now)).await
    }

    /// Writes what an attempt or a look came to; `wait` is how long until the next.
    ///
    /// # Errors
    /// As any write.
    pub async fn settle_change(&self, due: &DueChange, next: Next, wait: i64) -> Result<(), StoreError> {
        let due = due.clone();
        let now = clock::now().as_millisecond();
        self.write("settle_change", move |connection| settle(connection, &due, &next, wait, now)).await
    }

    /// At the start: an attempt without a result may have been made. Each doubt waits its whole time again, and what an
    /// earlier run of the machine planned is planned anew.
    ///
    /// # Errors
    /// As any write.
    pub async fn recover_changes(&self, quiet: i64) -> Result<(), StoreError> {
        let now = clock::now().as_millisecond();
        self.write("recover_changes", move |connection| {
            let sql = "UPDATE changes SET state = iif(state = 'queued', state, 'unconfirmed'), looks = 0, due_at = ?1,
                         updated_at = ?2
                       WHERE state IN ('queued', 'sending', 'unconfirmed') AND (state <> 'queued' OR due_at > ?1)";
            connection.execute(sql, params![uptime().saturating_add(quiet), now])?;
            Ok(())
        })
        .await
    }
}

fn claim(connection: &Connection, account: &str, now: i64) -> Result<Option<DueChange>, StoreError> {
    if is_paused(connection, account)? {
        return Ok(None);
    }
    let row = connection.prepare_cached(DUE)?.query_row([account], |row| {
        let state: String = row.get(6)?;
        let (kind, body): (String, String) = (row.get(3)?, row.get(4)?);
        let doubtful = state == "unconfirmed";
        let change = Change {
            kind: ChangeKind::parse(&kind).unwrap_or(ChangeKind::Status),
            body: serde_json::from_str(&body).unwrap_or_default(),
        };
        let due = DueChange {
            id: row.get(0)?,
            order: row.get(1)?,
            crm_order_id: row.get(2)?,
            change,
            mark: row.get(5)?,
            doubtful,
            attempts: row.get::<_, u32>(7)? + u32::from(!doubtful),
            looks: row.get::<_, u32>(8)? + u32::from(doubtful),
        };
        Ok((due, row.get::<_, i64>(9)?, row.get::<_, i64>(10)?))
    });
    let Some((due, due_at, seq)) = row.optional()? else {
        return Ok(None);
    };
    if due_at > uptime() {
        return Ok(None);
    }
    spend(connection, account)?;
    // A status may be set twice: it is sent again without a look.
    let sends = !due.doubtful || due.change.kind == ChangeKind::Status;
    if sends {
        let sql =
            "UPDATE changes SET state = 'sending', attempts = attempts + 1, looks = 0, updated_at = ?2 WHERE id = ?1";
        connection.prepare_cached(sql)?.execute(params![due.id, now])?;
        let note = format!("{} goes to the CRM, attempt {}", due.change.kind.as_str(), due.attempts);
        append_event(connection, seq, now, State::Delivered, "delivery", &note)?;
    }
    let attempts = if sends && due.doubtful { due.attempts + 1 } else { due.attempts };
    Ok(Some(DueChange { doubtful: !sends, attempts, ..due }))
}

fn settle(connection: &Connection, due: &DueChange, next: &Next, wait: i64, now: i64) -> Result<(), StoreError> {
    let (state, note) = match next {
        Next::Done => ("done", String::new()),
        Next::Refused(why) => ("refused", why.clone()),
        Next::Again => ("queued", String::new()),
        Next::Look => ("unconfirmed", String::new()),
    };
    let looks = if due.doubtful { due.looks } else { 0 };
    let sql = "UPDATE changes SET state = ?2, note = ?3, looks = ?4, due_at = ?5, updated_at = ?6 WHERE id = ?1 RETURNING seq";
    let seq: i64 = connection
        .prepare_cached(sql)?
        .query_row(params![due.id, state, note, looks, uptime().saturating_add(wait), now], |row| row.get(0))?;
    let kind = due.change.kind.as_str();
    let told = match next {
        Next::Done => format!("{kind} is in the CRM"),
        Next::Refused(why) => format!("{kind} was not made: {why}"),
        Next::Again => format!("{kind} was not made yet"),
        Next::Look if due.doubtful => return Ok(()),
        Next::Look => format!("nobody knows whether the {kind} was made: it is looked for"),
    };
    append_event(connection, seq, now, State::Delivered, "delivery", &told)?;
    if let Next::Refused(why) = next {
        mark_order(connection, seq, kind, why)?;
    }
    Ok(())
}

/// A person sees it in the list.
pub(super) fn mark_order(connection: &Connection, seq: i64, kind: &str, why: &str) -> Result<(), StoreError> {
    let problems: String =
        connection.query_row("SELECT problems FROM orders WHERE seq = ?1", [seq], |row| row.get(0))?;
    let mut problems = problems_from_json(&problems);
    let message = format!("the {kind} that its sender told of later was not made: {why}");
    problems.push(Problem::new("", Code::ChangeRefused, Effect::Warn, message, "Make it in the CRM by hand."));
    problems.truncate(limits::PROBLEMS);
    let sql = "UPDATE orders SET problems = ?2 WHERE seq = ?1";
    connection.prepare_cached(sql)?.execute(params![seq, problems_to_json(&problems).to_string()])?;
    Ok(())
}

/// Keeps the changes that a request asks for, but those that are made or under way already.
pub(super) fn add(
    connection: &Connection,
    seq: i64,
    account: &str,
    changes: &[Change],
    now: i64,
) -> Result<usize, StoreError> {
    let body: String = connection.query_row("SELECT body FROM orders WHERE seq = ?1", [seq], |row| row.get(0))?;
    let order: Map<String, Value> = serde_json::from_str(&body).unwrap_or_default();
    let mut added = 0;
    for change in changes {
        let kept = kept_bodies(connection, seq, change.kind)?;
        let known = match change.kind {
            ChangeKind::Payment => {
                let sent = order.get("payments").and_then(Value::as_array).into_iter().flatten();
                sent.filter_map(Value::as_object).chain(&kept).any(|payment| same_payment(payment, &change.body))
            }
            ChangeKind::Status => kept.last() == Some(&change.body),
        };
        let count: u32 =
            connection.query_row("SELECT count(*) FROM changes WHERE seq = ?1", [seq], |row| row.get(0))?;
        if known || count >= limits::CHANGES {
            continue;
        }
        if change.kind == ChangeKind::Payment && forgotten(connection, seq, now)? {
            let why = "the store was restored, and it may have been made before";
            mark_order(connection, seq, change.kind.as_str(), why)?;
            continue;
        }
        if change.kind == ChangeKind::Status {
            let sql = "UPDATE changes SET state = 'superseded', updated_at = ?2
                       WHERE seq = ?1 AND kind = 'status' AND state = 'queued'";
            connection.prepare_cached(sql)?.execute(params![seq, now])?;
        }
        let sql = "INSERT INTO changes (seq, account, kind, body, mark, state, created_at, updated_at, due_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, 'queued', ?6, ?6, ?7)";
        let body = serde_json::to_string(&change.body).unwrap_or_default();
        let mark = number::own(uuid::Uuid::new_v4().as_u128());
        connection.prepare_cached(sql)?.execute(params![
            seq,
            account,
            change.kind.as_str(),
            body,
            mark,
            now,
            uptime()
        ])?;
        added += 1;
    }
    Ok(added)
}

/// Whether the store was restored lately, and the order is older: what was paid since is not known.
fn forgotten(connection: &Connection, seq: i64, now: i64) -> Result<bool, StoreError> {
    let Some((at, until)) = incarnation::careful(connection)? else { return Ok(false) };
    let sql = "SELECT received_at < ?2 FROM orders WHERE seq = ?1";
    Ok(now < until && connection.query_row(sql, params![seq, at], |row| row.get(0))?)
}

/// A canceled order has nothing left to change, and nobody looks for what may have been changed.
pub(super) fn drop_all(connection: &Connection, seq: i64, now: i64) -> Result<(), StoreError> {
    let sql = "UPDATE changes SET state = 'superseded', updated_at = ?2
               WHERE seq = ?1 AND state IN ('queued', 'unconfirmed')";
    connection.prepare_cached(sql)?.execute(params![seq, now])?;
    Ok(())
}

fn kept_bodies(connection: &Connection, seq: i64, kind: ChangeKind) -> Result<Vec<Map<String, Value>>, StoreError> {
    let sql =
        "SELECT body FROM changes WHERE seq = ?1 AND kind = ?2 AND state NOT IN ('refused', 'superseded') ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![seq, kind.as_str()], |row| row.get::<_, String>(0))?;
    let texts: Vec<String> = rows.collect::<Result<_, _>>()?;
    Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
}

/// The order goes anew with all that its sender told: nothing is left to change.
pub(super) fn drop_queued(connection: &Connection, seq: i64, now: i64) -> Result<(), StoreError> {
    let sql = "UPDATE changes SET state = 'superseded', updated_at = ?2 WHERE seq = ?1 AND state = 'queued'";
    connection.prepare_cached(sql)?.execute(params![seq, now])?;
    Ok(())
}

/// The changes of an order, oldest first.
pub(super) fn of_order(connection: &Connection, seq: i64) -> Result<Vec<KeptChange>, StoreError> {
    let sql = "SELECT kind, body, state, attempts, note FROM changes WHERE seq = ?1 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([seq], |row| {
        let body: String = row.get(1)?;
        Ok(KeptChange {
            kind: row.get(0)?,
            body: serde_json::from_str(&body).unwrap_or_default(),
            state: row.get(2)?,
            attempts: row.get(3)?,
            note: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
