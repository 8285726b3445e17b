//! Taking buyers' data out of settled orders. What is left of one is its numbers, states and times.
//!
//! `secure_delete` overwrites what is taken out; the write-ahead log keeps the old pages until it is cut, which is why
//! [`Store::cut_log`] belongs to every erasure.

use std::time::Duration;

use parom_core::Problem;
use parom_core::delivery::state::State;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::accept::append_event;
use super::checkpoint::cut;
use super::operators::audit;
use super::person::Person;
use super::records::{problems_from_json, problems_to_json};
use super::{Store, StoreError};
use crate::clock;

/// Orders erased in one transaction: others must not wait for it.
const BATCH: i64 = 50;
/// Orders looked through in one read.
const CHUNK: i64 = 2_000;
/// How long the cut of the log waits for readers: senders wait behind it.
const CUT_WAIT: Duration = Duration::from_millis(200);

/// Before these times, milliseconds, what is settled is erased; none: never.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cutoffs {
    /// Of delivered orders, and of samples.
    pub delivered: Option<i64>,
    /// Of canceled orders.
    pub canceled: Option<i64>,
}

/// An order that a person's data is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its row.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: State,
}

// What has a change on its way waits for it, and must not stand before others.
pub(super) const DUE: &str =
    "SELECT seq FROM orders o WHERE erased_at IS NULL AND state IN ('delivered', 'canceled') AND state = ?1 AND updated_at < ?2
       AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.seq = o.seq AND c.state IN ('queued', 'sending', 'unconfirmed'))
     ORDER BY updated_at LIMIT ?3";
pub(super) const ASKED: &str = "SELECT seq FROM orders o WHERE erase_asked = 1 AND state IN ('delivered', 'canceled')
       AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.seq = o.seq AND c.state IN ('queued', 'sending', 'unconfirmed'))
     LIMIT ?1";

impl Store {
    /// Erases some of the orders whose time has come, and what was asked for while they were under way; how many. A crash
    /// before: nothing; after: erased.
    ///
    /// # Errors
    /// As any write.
    pub async fn erase_due(&self, cutoffs: Cutoffs) -> Result<usize, StoreError> {
        let now = clock::now().as_millisecond();
        self.write("erase_due", move |connection| {
            let mut due = seqs(connection, ASKED, params![BATCH])?;
            for (state, before) in [("delivered", cutoffs.delivered), ("canceled", cutoffs.canceled)] {
                if let Some(before) = before {
                    due.extend(seqs(connection, DUE, params![state, before, BATCH])?);
                }
            }
            let mut erased = 0;
            for seq in due {
                erased += usize::from(erase(connection, seq, now, "retention")?);
            }
            if erased > 0 {
                audit(connection, now, "retention", "buyers' data erased", &format!("{erased} orders"))?;
            }
            Ok(erased)
        })
        .await
    }

    /// Forgets samples and lines of the audit that are older.
    ///
    /// # Errors
    /// As any write.
    pub async fn forget(&self, samples: Option<i64>, audited: Option<i64>) -> Result<usize, StoreError> {
        self.write("forget", move |connection| {
            let mut forgotten = 0;
            for (sql, before) in
                [("DELETE FROM samples WHERE received_at < ?1", samples), ("DELETE FROM audit WHERE at < ?1", audited)]
            {
                if let Some(before) = before {
                    forgotten += connection.execute(sql, [before])?;
                }
            }
            Ok(forgotten)
        })
        .await
    }

    /// The orders that hold a person's phone or e-mail, in whichever field, in the order of rows.
    ///
    /// # Errors
    /// As any read.
    pub async fn orders_of(&self, person: &Person) -> Result<Vec<Found>, StoreError> {
        let (mut found, mut from) = (Vec::new(), 0);
        loop {
            let person = person.clone();
            let (some, last) = self.read(move |connection| looked_through(connection, &person, from)).await?;
            found.extend(some);
            match last {
                Some(last) => from = last,
                None => return Ok(found),
            }
        }
    }

    /// Erases a person's orders: those that are settled now, the others as soon as they are. The first are counted; the
    /// second come back. A crash within: some are erased, and the same command erases the rest.
    ///
    /// # Errors
    /// As any write.
    pub async fn erase_person(
        &self,
        person: &Person,
        orders: Vec<Found>,
        actor: &str,
    ) -> Result<(usize, Vec<Found>), StoreError> {
        let (mut erased, mut later) = (0, Vec::new());
        for batch in orders.chunks(usize::try_from(BATCH).unwrap_or(1)) {
            let (batch, who, now) = (batch.to_vec(), actor.to_owned(), clock::now().as_millisecond());
            let left = self.write("erase_person", move |connection| erase_now(connection, batch, now, &who)).await?;
            erased += left.0;
            later.extend(left.1);
        }
        let (person, who, now) = (person.clone(), actor.to_owned(), clock::now().as_millisecond());
        let detail = format!("by {}: {erased} orders, {} when they are settled", person.by(), later.len());
        self.write("erase_samples", move |connection| {
            erase_samples(connection, &person)?;
            audit(connection, now, &who, "a person's data erased", &detail)
        })
        .await?;
        Ok((erased, later))
    }

    /// When an order was erased last, milliseconds.
    ///
    /// # Errors
    /// As any read.
    pub async fn last_erased(&self) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT max(erased_at) FROM orders WHERE erased_at IS NOT NULL";
        self.read(move |connection| Ok(connection.query_row(sql, [], |row| row.get(0))?)).await
    }

    /// Brings the write-ahead log into the file and cuts it to nothing: what was erased is in neither then. `false` where
    /// somebody reads an older state: try again later.
    ///
    /// # Errors
    /// As any write.
    pub async fn cut_log(&self) -> Result<bool, StoreError> {
        self.inner.writer.between("cut_log", |connection| cut(connection, CUT_WAIT)).await
    }
}

fn seqs(connection: &Connection, sql: &str, arguments: impl rusqlite::Params) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(arguments, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The key of an erased order: it tells a repeat as before, and what it was made of is no longer in it.
pub(super) fn hidden_key(channel: &str, key: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(channel.as_bytes());
    hash.update([0]);
    hash.update(key.as_bytes());
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("erased:{hex}")
}

fn erase_now(
    connection: &Connection,
    orders: Vec<Found>,
    now: i64,
    actor: &str,
) -> Result<(usize, Vec<Found>), StoreError> {
    let (mut erased, mut later) = (0, Vec::new());
    for order in orders {
        if erase(connection, order.seq, now, actor)? {
            erased += 1;
            continue;
        }
        let sql = "UPDATE orders SET erase_asked = 1 WHERE seq = ?1 AND erased_at IS NULL RETURNING state";
        let state: Option<String> =
            connection.prepare_cached(sql)?.query_row([order.seq], |row| row.get(0)).optional()?;
        if let Some(state) = state.and_then(|state| State::parse(&state)) {
            append_event(connection, order.seq, now, state, actor, "its data is erased as soon as it is settled")?;
            later.push(Found { state, ..order });
        }
    }
    Ok((erased, later))
}

/// Takes a buyer out of an order that is settled, with all that was kept of it; `false` where it is not, or was before.
fn erase(connection: &Connection, seq: i64, now: i64, actor: &str) -> Result<bool, StoreError> {
    let sql = "SELECT channel, state, problems FROM orders o
               WHERE seq = ?1 AND erased_at IS NULL AND state IN ('delivered', 'canceled') AND NOT EXISTS (
                 SELECT 1 FROM changes c WHERE c.seq = o.seq AND c.state IN ('queued', 'sending', 'unconfirmed'))";
    let row = connection.prepare_cached(sql)?.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let Some((channel, state, problems)): Option<(String, String, String)> = row.optional()? else {
        return Ok(false);
    };
    // Before what it is compared with is gone.
    erase_copies(connection, seq, &channel)?;
    let bare = |problem: Problem| Problem { message: "erased".into(), hint: String::new(), ..problem };
    let problems: Vec<Problem> = problems_from_json(&problems).into_iter().map(bare).collect();
    let sql = "UPDATE orders SET erased_at = ?2, erase_asked = 0, body = '{}', problems = ?3, content = zeroblob(32),
                 buyer = '', phone = '', email = '' WHERE seq = ?1";
    connection.prepare_cached(sql)?.execute(params![seq, now, problems_to_json(&problems).to_string()])?;
    for sql in [
        "UPDATE submissions SET body = x'', context = '{}' WHERE seq = ?1",
        "UPDATE updates SET body = x'', context = '{}', becomes = NULL WHERE seq = ?1",
        "UPDATE changes SET body = '{}', note = '' WHERE seq = ?1",
        "UPDATE attempts SET answer = NULL WHERE seq = ?1 AND answer IS NOT NULL",
        // What intake notes is a word of ours; others may quote the CRM or a person.
        "UPDATE order_events SET note = '' WHERE seq = ?1 AND actor <> 'intake' AND note <> ''",
    ] {
        connection.prepare_cached(sql)?.execute([seq])?;
    }
    hide_keys(connection, seq)?;
    let state = State::parse(&state).unwrap_or(State::Canceled);
    append_event(connection, seq, now, state, actor, "the buyer's data is erased")?;
    Ok(true)
}

/// The samples that are this order's submission.
fn erase_copies(connection: &Connection, seq: i64, channel: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM samples WHERE channel = ?2 AND (body = (SELECT body FROM submissions WHERE seq = ?1)
                 OR body IN (SELECT body FROM updates WHERE seq = ?1))";
    connection.prepare_cached(sql)?.execute(params![seq, channel])?;
    Ok(())
}

fn hide_keys(connection: &Connection, seq: i64) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("SELECT channel, key FROM idempotency_keys WHERE seq = ?1")?;
    let rows = statement.query_map([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let keys: Vec<(String, String)> = rows.collect::<Result<_, _>>()?;
    for (channel, key) in keys {
        // A sender may have used the very text: its own repeat is then told by the newer of the two.
        let sql = "UPDATE OR REPLACE idempotency_keys SET key = ?3 WHERE channel = ?1 AND key = ?2";
        connection.prepare_cached(sql)?.execute(params![channel, key, hidden_key(&channel, &key)])?;
    }
    Ok(())
}

fn erase_samples(connection: &Connection, person: &Person) -> Result<(), StoreError> {
    let mut statement = connection.prepare("SELECT id, context, body FROM samples")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let samples: Vec<(i64, String, Vec<u8>)> = rows.collect::<Result<_, _>>()?;
    for (id, context, body) in samples {
        if person.is_in(&body) || person.is_in(context.as_bytes()) {
            connection.execute("DELETE FROM samples WHERE id = ?1", [id])?;
        }
    }
    Ok(())
}

/// Whether any later request for the order speaks of the person.
fn in_updates(connection: &Connection, seq: i64, person: &Person) -> Result<bool, StoreError> {
    let sql = "SELECT body, context, coalesce(becomes, '') FROM updates WHERE seq = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([seq])?;
    while let Some(row) = rows.next()? {
        for at in 0..3 {
            if person.is_in(row.get_ref(at)?.as_bytes().map_err(rusqlite::Error::from)?) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The person's orders of the rows after `from`, and the last row that was looked at; none: it was the last of all.
fn looked_through(
    connection: &Connection,
    person: &Person,
    from: i64,
) -> Result<(Vec<Found>, Option<i64>), StoreError> {
    let sql = "SELECT o.seq, o.id, o.state, o.phone, o.email, o.body, s.context, s.body, o.erased_at IS NULL
               FROM orders o JOIN submissions s ON s.seq = o.seq WHERE o.seq > ?1 ORDER BY o.seq LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![from, CHUNK])?;
    let (mut found, mut last) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        last = Some(seq);
        if !row.get::<_, bool>(8)? {
            continue;
        }
        let text = |at: usize| row.get_ref(at).and_then(|value| Ok(value.as_bytes()?));
        let own = person.is(&row.get::<_, String>(3)?, &row.get::<_, String>(4)?);
        let within = || -> Result<bool, StoreError> {
            let in_first = person.is_in(text(5)?) || person.is_in(text(6)?) || person.is_in(text(7)?);
            Ok(in_first || in_updates(connection, seq, person)?)
        };
        if own || within()? {
            let state = State::parse(&row.get::<_, String>(2)?).unwrap_or(State::Disputed);
            found.push(Found { seq, id: row.get(1)?, state });
        }
    }
    Ok((found, last))
}
