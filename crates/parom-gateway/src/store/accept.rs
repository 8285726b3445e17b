//! Accepting a submission: raw body, order, problems, key, history — one commit before the answer.

use super::sql::{Db, params};
use bytes::Bytes;
use parom_core::channel::OnRepeat;
use parom_core::delivery::change::Change;
use parom_core::delivery::state::State;
use parom_core::limits;
use parom_core::order::Target;
use parom_core::spam::{self, Stamp};
use parom_core::{Code, Effect, Problem};
use serde_json::{Map, Value};

use super::erasure::hidden_key;
use super::group::Job;
use super::insert::insert;
use super::nonces::use_nonce;
use super::updates::{Updated, correct, update};
use super::{Store, StoreError};

/// One request, raw.
#[derive(Clone, Debug)]
pub struct NewSubmission {
    /// By which door: `in`, `order` or `import`.
    pub door: &'static str,
    /// The content type as sent.
    pub content_type: String,
    /// Query, cookies, page and origin, as JSON.
    pub context: Value,
    /// The body's bytes.
    pub body: Bytes,
}

/// What happens when a key comes again with another content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyConflict {
    /// Nothing is kept; the caller hears 409.
    Refuse,
    /// It is kept and held: a buyer is never turned away.
    Hold,
    /// It is the same order, changed by its sender.
    Update,
    /// Its number is a key too. It takes the place of an order of this number that the CRM refused; of any other nothing is kept,
    /// and the caller hears 409.
    Correct,
}

/// An order as intake decided it.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// Its id.
    pub id: String,
    /// Its channel and the version of it that mapped.
    pub channel: String,
    /// The version's row; 0 where no version could be used.
    pub channel_version: i64,
    /// Its account; empty while its channel is broken.
    pub account: String,
    /// When it was received, milliseconds.
    pub received_at: i64,
    /// `queued`, `held` or `canceled`.
    pub state: State,
    /// Why, in a word.
    pub reason: String,
    /// What it becomes in the CRM.
    pub target: Target,
    /// Its number; an order's is the body's `source_uuid` too.
    pub number: String,
    /// The version of the account's dictionaries that it was checked by; 0: by none.
    pub checked: i64,
    /// The CRM's body.
    pub body: Map<String, Value>,
    /// What was found.
    pub problems: Vec<Problem>,
    /// The content's hash, which tells a repeat.
    pub content: [u8; 32],
    /// The idempotency key.
    pub key: Option<String>,
    /// Why it should wait for a person, should its key never have come before.
    pub doubt: Option<String>,
    /// What a known key with another content does.
    pub key_conflict: KeyConflict,
    /// When its sender changed it last, milliseconds, by the sender's clock.
    pub changed_at: Option<i64>,
    /// What it changes, should the order be in the CRM already, and what of that cannot be made.
    pub changes: (Vec<Change>, Vec<Problem>),
    /// The form time whose nonce it uses up; one that was used before makes it suspected.
    pub stamp: Option<Stamp>,
    /// Whether an equal form is looked for; nothing where its key tells the channel's orders apart.
    pub on_repeat: OnRepeat,
    /// The request.
    pub submission: NewSubmission,
}

impl NewOrder {
    /// Whether it was decided before there was a directory of Nova Poshta.
    #[must_use]
    pub fn lacks_directory(&self) -> bool {
        self.problems.iter().any(|problem| problem.code == Code::DirectoryMissing)
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// A new order in this state.
    New(State),
    /// The key is known: this is the order that it made.
    Duplicate(String),
    /// The key is known with another content, which is this order's later state.
    Updated(String, Updated),
    /// The key made this order with another content, and nothing was kept.
    Conflict(String),
}

impl Store {
    /// Keeps a submission and its order. Before the commit a crash leaves nothing, and the sender, who got no answer,
    /// sends again; after it, the same key answers with the same order.
    ///
    /// # Errors
    /// As any write. After `Broken` it is not known whether the order was kept: the sender must repeat with the same key.
    pub async fn accept(&self, order: NewOrder) -> Result<Accepted, StoreError> {
        let account = order.account.clone();
        let (job, outcome) = Job::accept(order, self.inner.engine.careful_until());
        let (accepted, _order) = self.inner.engine.write(job, outcome).await?;
        if matches!(accepted, Accepted::New(State::Unconfirmed)) {
            self.board().wake_all();
        }
        if matches!(accepted, Accepted::New(State::Queued) | Accepted::Updated(..)) {
            self.board().wake_of(&account).notify_one();
        }
        Ok(accepted)
    }
}

pub(super) fn accept(db: &Db<'_>, order: &mut NewOrder, careful: bool) -> Result<Accepted, StoreError> {
    if let Some(key) = &order.key {
        match by_key(db, &order.channel, key)? {
            Some((id, content)) if content == order.content => return Ok(Accepted::Duplicate(id)),
            Some((id, _)) if order.key_conflict == KeyConflict::Refuse => return Ok(Accepted::Conflict(id)),
            Some((id, _)) if order.key_conflict == KeyConflict::Update => return update(db, order, id, false),
            Some((id, _)) if order.key_conflict == KeyConflict::Correct => return correct(db, order, id),
            Some((id, _)) => {
                if let Some(again) = again(db, order)? {
                    return Ok(Accepted::Duplicate(again));
                }
                add_hold(order, Problem::key_reused(&id));
                order.key = None;
            }
            None => {
                if let Some(doubt) = order.doubt.take() {
                    let hint = "Look for it in the CRM: cancel it if it is there, release it if not.";
                    hold(order, "", Code::UnknownUpdate, doubt, hint);
                }
            }
        }
    }
    if order.on_repeat != OnRepeat::Off {
        repeat(db, order)?;
    }
    if order.key_conflict == KeyConflict::Correct
        && order.state != State::Canceled
        && let Some((id, content)) = by_number(db, order)?
    {
        return if content == order.content { Ok(Accepted::Duplicate(id)) } else { correct(db, order, id) };
    }
    if let Some(stamp) = order.stamp
        && !use_nonce(db, &stamp, order.received_at)?
    {
        add_hold(order, spam::suspected("its form time already made another order"));
    }
    let owns_number = owns_number(db, order)?;
    if careful && order.state == State::Queued {
        order.state = State::Unconfirmed;
        "restored".clone_into(&mut order.reason);
    }
    insert(db, order, owns_number)?;
    if careful && order.state == State::Held {
        // Looked up when it is released.
        let sql = "UPDATE orders SET restored = 1 WHERE id = ?1";
        db.execute(sql, params![&order.id])?;
    }
    Ok(Accepted::New(order.state))
}

/// The order that a key made, and the content with which it came.
pub(super) fn by_key(db: &Db<'_>, channel: &str, key: &str) -> Result<Option<(String, [u8; 32])>, StoreError> {
    let sql = "SELECT o.id, k.content FROM idempotency_keys k JOIN orders o ON o.seq = k.seq
               WHERE k.channel = ?1 AND k.key IN (?2, ?3)";
    db.first(sql, params![channel, key, hidden_key(channel, key)], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The channel's order that has this number, and its content.
fn by_number(db: &Db<'_>, order: &NewOrder) -> Result<Option<(String, [u8; 32])>, StoreError> {
    let Some((source_id, number)) = identity(&order.body) else { return Ok(None) };
    let Some(id) = number_owner(db, &order.account, source_id, &number, -1)? else { return Ok(None) };
    let sql = "SELECT id, content FROM orders WHERE id = ?1 AND channel = ?2";
    db.first(sql, params![id, order.channel], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// A request that was held for its key comes once more: its number is made of key and content.
fn again(db: &Db<'_>, order: &NewOrder) -> Result<Option<String>, StoreError> {
    let sql =
        "SELECT id FROM orders WHERE channel = ?1 AND content = ?2 AND number = ?3 AND state <> 'canceled' LIMIT 1";
    db.first(sql, params![order.channel, order.content, order.number], |row| row.get(0))
}

fn hold(order: &mut NewOrder, path: &str, code: Code, message: String, hint: &str) {
    add_hold(order, Problem::new(path, code, Effect::Hold, message, hint));
}

fn add_hold(order: &mut NewOrder, problem: Problem) {
    if order.state == State::Queued {
        order.state = State::Held;
        order.reason = problem.code.as_str().to_owned();
    }
    order.problems.push(problem);
}

/// The same content within minutes, without a key: perhaps a double click.
fn repeat(db: &Db<'_>, order: &mut NewOrder) -> Result<(), StoreError> {
    let sql = "SELECT id FROM orders WHERE channel = ?1 AND content = ?2 AND received_at >= ?3
               ORDER BY received_at LIMIT 1";
    let since = order.received_at - limits::REPEAT_WINDOW_S * 1_000;
    let earlier: Option<String> = db.first(sql, params![order.channel, order.content, since], |row| row.get(0))?;
    if let Some(id) = earlier {
        let message = format!("the same form came within 10 minutes, as the order {id}");
        let hint = "Release it if the buyer meant both; cancel it if it was a double click.";
        if order.on_repeat == OnRepeat::Hold {
            hold(order, "", Code::SuspectedDuplicate, message, hint);
        } else {
            order.problems.push(Problem::new("", Code::SuspectedDuplicate, Effect::Warn, message, hint));
        }
    }
    Ok(())
}

/// Whether the order's number becomes its own; one that another order of ours has holds it.
fn owns_number(db: &Db<'_>, order: &mut NewOrder) -> Result<bool, StoreError> {
    let Some((source_id, number)) = identity(&order.body) else {
        return Ok(false);
    };
    if order.state == State::Canceled {
        return Ok(false);
    }
    if let Some(id) = number_owner(db, &order.account, source_id, &number, -1)? {
        add_hold(order, Problem::number_taken(&number, &id));
        return Ok(false);
    }
    Ok(true)
}

/// Source and number of a body.
pub(super) fn identity(body: &Map<String, Value>) -> Option<(i64, String)> {
    let source_id = body.get("source_id").and_then(Value::as_i64)?;
    Some((source_id, body.get("source_uuid").and_then(Value::as_str)?.to_owned()))
}

/// The other order of ours that has this number.
pub(super) fn number_owner(
    db: &Db<'_>,
    account: &str,
    source_id: i64,
    number: &str,
    except: i64,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT id FROM orders WHERE account = ?1 AND source_id = ?2 AND number = ?3 AND owns_number = 1
               AND seq <> ?4";
    db.first(sql, params![account, source_id, number, except], |row| row.get(0))
}

/// Appends to an order's history.
pub(super) fn append_event(
    db: &Db<'_>,
    seq: i64,
    at: i64,
    state: State,
    actor: &str,
    note: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO order_events (seq, at, state, actor, note) VALUES (?1, ?2, ?3, ?4, ?5)";
    db.execute(sql, params![seq, at, state.as_str(), actor, note])?;
    Ok(())
}
