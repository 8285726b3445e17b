//! Taking buyers' data out of settled orders. What is left of one is its numbers, states and times.
//!
//! `secure_delete` overwrites what is taken out; the write-ahead log keeps the old pages until it is cut, which is why
//! [`Store::cut_log`] belongs to every erasure.

use std::time::Duration;

use super::sql::{Db, Value, params};
use parom_core::Problem;
use parom_core::delivery::state::State;
use sha2::{Digest, Sha256};

use super::accept::append_event;
use super::operators::audit;
use super::person::Person;
use super::records::{problems_from_json, problems_to_json};
use super::{Store, StoreError, Whose};
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
        self.write("erase_due", Whose::Everybody, move |db| {
            let mut due = seqs(db, ASKED, params![BATCH])?;
            for (state, before) in [("delivered", cutoffs.delivered), ("canceled", cutoffs.canceled)] {
                if let Some(before) = before {
                    due.extend(seqs(db, DUE, params![state, before, BATCH])?);
                }
            }
            let mut erased = 0;
            for seq in due {
                erased += usize::from(erase(db, seq, now, "retention")?);
            }
            if erased > 0 {
                audit(db, now, "retention", "buyers' data erased", &format!("{erased} orders"))?;
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
        self.write("forget", Whose::Thing("audit"), move |db| {
            let mut forgotten = 0;
            for (sql, before) in
                [("DELETE FROM samples WHERE received_at < ?1", samples), ("DELETE FROM audit WHERE at < ?1", audited)]
            {
                if let Some(before) = before {
                    forgotten += db.execute(sql, params![before])?;
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
            let (some, last) = self.read(move |db| looked_through(db, &person, from)).await?;
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
            let left = self.write("erase_person", Whose::Everybody, move |db| erase_now(db, batch, now, &who)).await?;
            erased += left.0;
            later.extend(left.1);
        }
        let (person, who, now) = (person.clone(), actor.to_owned(), clock::now().as_millisecond());
        let detail = format!("by {}: {erased} orders, {} when they are settled", person.by(), later.len());
        self.write("erase_samples", Whose::Thing("audit"), move |db| {
            erase_samples(db, &person)?;
            audit(db, now, &who, "a person's data erased", &detail)
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
        self.read(move |db| db.one(sql, params![], |row| row.get(0))).await
    }

    /// Brings the write-ahead log into the file and cuts it to nothing: what was erased is in neither then. `false` where
    /// somebody reads an older state: try again later.
    ///
    /// # Errors
    /// As any write.
    pub async fn cut_log(&self) -> Result<bool, StoreError> {
        self.cut_log_within(CUT_WAIT).await
    }
}

fn seqs(db: &Db<'_>, sql: &str, values: &[Value<'_>]) -> Result<Vec<i64>, StoreError> {
    db.query(sql, values, |row| row.get(0))
}

/// Before the key of an erased order.
pub(crate) const ERASED_KEY: &str = "erased:";

/// The key of an erased order: it tells a repeat as before, and what it was made of is no longer in it.
pub(super) fn hidden_key(channel: &str, key: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(channel.as_bytes());
    hash.update([0]);
    hash.update(key.as_bytes());
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{ERASED_KEY}{hex}")
}

fn erase_now(db: &Db<'_>, orders: Vec<Found>, now: i64, actor: &str) -> Result<(usize, Vec<Found>), StoreError> {
    let (mut erased, mut later) = (0, Vec::new());
    for order in orders {
        if erase(db, order.seq, now, actor)? {
            erased += 1;
            continue;
        }
        let sql = "UPDATE orders SET erase_asked = 1 WHERE seq = ?1 AND erased_at IS NULL RETURNING state";
        let state: Option<String> = db.first(sql, params![order.seq], |row| row.get(0))?;
        if let Some(state) = state.and_then(|state| State::parse(&state)) {
            append_event(db, order.seq, now, state, actor, "its data is erased as soon as it is settled")?;
            later.push(Found { state, ..order });
        }
    }
    Ok((erased, later))
}

/// Takes a buyer out of an order that is settled, with all that was kept of it; `false` where it is not, or was before.
fn erase(db: &Db<'_>, seq: i64, now: i64, actor: &str) -> Result<bool, StoreError> {
    let sql = "SELECT channel, state, problems FROM orders o
               WHERE seq = ?1 AND erased_at IS NULL AND state IN ('delivered', 'canceled') AND NOT EXISTS (
                 SELECT 1 FROM changes c WHERE c.seq = o.seq AND c.state IN ('queued', 'sending', 'unconfirmed'))";
    let row = db.first(sql, params![seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let Some((channel, state, problems)): Option<(String, String, String)> = row else {
        return Ok(false);
    };
    // Before what it is compared with is gone.
    erase_copies(db, seq, &channel)?;
    let bare = |problem: Problem| Problem { message: "erased".into(), hint: String::new(), ..problem };
    let problems: Vec<Problem> = problems_from_json(&problems).into_iter().map(bare).collect();
    let sql = "UPDATE orders SET erased_at = ?2, erase_asked = 0, body = '{}', problems = ?3, content = ?4,
                 buyer = '', phone = '', email = '' WHERE seq = ?1";
    db.execute(sql, params![seq, now, problems_to_json(&problems).to_string(), [0_u8; 32]])?;
    for sql in [
        "UPDATE submissions SET body = ?2, context = '{}' WHERE seq = ?1",
        "UPDATE updates SET body = ?2, context = '{}', becomes = NULL WHERE seq = ?1",
    ] {
        db.execute(sql, params![seq, [0_u8; 0]])?;
    }
    for sql in [
        "UPDATE changes SET body = '{}', note = '' WHERE seq = ?1",
        "UPDATE attempts SET answer = NULL WHERE seq = ?1 AND answer IS NOT NULL",
        // What intake notes is a word of ours; others may quote the CRM or a person.
        "UPDATE order_events SET note = '' WHERE seq = ?1 AND actor <> 'intake' AND note <> ''",
    ] {
        db.execute(sql, params![seq])?;
    }
    hide_keys(db, seq)?;
    let state = State::parse(&state).unwrap_or(State::Canceled);
    append_event(db, seq, now, state, actor, "the buyer's data is erased")?;
    Ok(true)
}

/// The samples that are this order's submission.
fn erase_copies(db: &Db<'_>, seq: i64, channel: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM samples WHERE channel = ?2 AND (body = (SELECT body FROM submissions WHERE seq = ?1)
                 OR body IN (SELECT body FROM updates WHERE seq = ?1))";
    db.execute(sql, params![seq, channel])?;
    Ok(())
}

fn hide_keys(db: &Db<'_>, seq: i64) -> Result<(), StoreError> {
    let sql = "SELECT channel, key FROM idempotency_keys WHERE seq = ?1";
    let keys: Vec<(String, String)> = db.query(sql, params![seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (channel, key) in keys {
        // A sender may have used the very text: its own repeat is then told by the newer of the two.
        let hidden = hidden_key(&channel, &key);
        db.execute("DELETE FROM idempotency_keys WHERE channel = ?1 AND key = ?2", params![channel, hidden])?;
        let sql = "UPDATE idempotency_keys SET key = ?3 WHERE channel = ?1 AND key = ?2";
        db.execute(sql, params![channel, key, hidden])?;
    }
    Ok(())
}

fn erase_samples(db: &Db<'_>, person: &Person) -> Result<(), StoreError> {
    let sql = "SELECT id, context, body FROM samples";
    let samples: Vec<(i64, String, Vec<u8>)> =
        db.query(sql, params![], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    for (id, context, body) in samples {
        if person.is_in(&body) || person.is_in(context.as_bytes()) {
            db.execute("DELETE FROM samples WHERE id = ?1", params![id])?;
        }
    }
    Ok(())
}

/// Whether any later request for the order speaks of the person.
fn in_updates(db: &Db<'_>, seq: i64, person: &Person) -> Result<bool, StoreError> {
    let sql = "SELECT body, context, coalesce(becomes, '') FROM updates WHERE seq = ?1";
    let speaks = db.query(sql, params![seq], |row| {
        Ok(person.is_in(row.bytes(0)?) || person.is_in(row.bytes(1)?) || person.is_in(row.bytes(2)?))
    })?;
    Ok(speaks.contains(&true))
}

/// The person's orders of the rows after `from`, and the last row that was looked at; none: it was the last of all.
fn looked_through(db: &Db<'_>, person: &Person, from: i64) -> Result<(Vec<Found>, Option<i64>), StoreError> {
    let sql = "SELECT o.seq, o.id, o.state, o.phone, o.email, o.body, s.context, s.body, o.erased_at IS NULL
               FROM orders o JOIN submissions s ON s.seq = o.seq WHERE o.seq > ?1 ORDER BY o.seq LIMIT ?2";
    let (mut found, mut last) = (Vec::new(), None);
    db.query(sql, params![from, CHUNK], |row| {
        let seq: i64 = row.get(0)?;
        last = Some(seq);
        if !row.get::<bool>(8)? {
            return Ok(());
        }
        let own = person.is(&row.get::<String>(3)?, &row.get::<String>(4)?);
        let within = || -> Result<bool, StoreError> {
            let in_first = person.is_in(row.bytes(5)?) || person.is_in(row.bytes(6)?) || person.is_in(row.bytes(7)?);
            Ok(in_first || in_updates(db, seq, person)?)
        };
        if own || within()? {
            let state = State::parse(&row.get::<String>(2)?).unwrap_or(State::Disputed);
            found.push(Found { seq, id: row.get(1)?, state });
        }
        Ok(())
    })?;
    Ok((found, last))
}
