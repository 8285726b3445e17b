//! An order as it is read: its row, and all that stands beside it.

use parom_core::Problem;
use parom_core::delivery::state::State;
use parom_core::order::Target;
use serde_json::{Map, Value};

use super::super::changes::{self, KeptChange};
use super::super::sql::{Argument, Db, Row, bound, params};
use super::super::updates::newest;
use super::super::{StoreError, problems_from_json};

/// One row of the journal.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The row, for paging.
    pub seq: i64,
    /// The order's id.
    pub id: String,
    /// Its state.
    pub state: State,
    /// Why, in a word.
    pub reason: String,
    /// Its channel.
    pub channel: String,
    /// Its account.
    pub account: String,
    /// Its number in the source.
    pub number: String,
    /// The CRM's number.
    pub crm_order_id: Option<i64>,
    /// When it was received, milliseconds.
    pub received_at: i64,
    /// POSTs so far.
    pub attempts: i64,
    /// What was found.
    pub problems: Vec<Problem>,
    /// The buyer's name.
    pub buyer: String,
    /// The buyer's phone.
    pub phone: String,
    /// What it becomes in the CRM.
    pub target: Target,
    /// When the buyer's data was taken out of it, milliseconds.
    pub erased_at: Option<i64>,
}

/// One order, whole.
#[derive(Clone, Debug)]
pub struct OrderDetail {
    /// Its row.
    pub summary: Summary,
    /// The CRM's body.
    pub body: Map<String, Value>,
    /// How often it was edited.
    pub revision: i64,
    /// How often a later request of its sender took its place.
    pub replaced: i64,
    /// The CRM's number of it, by the CRM's or a person's word, where its own number need not find it; 0: not
    /// known which.
    pub said_crm_id: Option<i64>,
    /// A person has edited it, and keeps it here.
    pub kept: bool,
    /// The request: door, content type, context.
    pub door: String,
    /// The content type as sent.
    pub content_type: String,
    /// Query, cookies, page and origin.
    pub context: Value,
    /// The body as received: of the request that the order is made of now.
    pub raw: Vec<u8>,
    /// Later requests of its sender, oldest first.
    pub updates: Vec<Update>,
    /// What they change of it in the CRM, oldest first.
    pub changes: Vec<KeptChange>,
    /// The history, oldest first.
    pub events: Vec<Event>,
    /// The POSTs, oldest first.
    pub attempts: Vec<Attempt>,
}

/// One line of the history.
#[derive(Clone, Debug)]
pub struct Event {
    /// Milliseconds.
    pub at: i64,
    /// The state from then on.
    pub state: String,
    /// Who: `intake`, `delivery`, `operator`.
    pub actor: String,
    /// What.
    pub note: String,
}

/// A later request of an order's sender.
#[derive(Clone, Debug)]
pub struct Update {
    /// Milliseconds.
    pub received_at: i64,
    /// When its sender changed the order, milliseconds.
    pub changed_at: Option<i64>,
    /// `replaced`, `waiting`, `kept` or `late`.
    pub result: String,
    /// The start of the body as received.
    pub raw: Vec<u8>,
}

/// One POST.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// From 1.
    pub attempt: i64,
    /// Milliseconds.
    pub started_at: i64,
    /// Milliseconds; none while it is under way, or was cut off.
    pub finished_at: Option<i64>,
    /// The outcome's word.
    pub outcome: Option<String>,
    /// The answer's status.
    pub status: Option<u16>,
    /// The start of the answer.
    pub answer: Option<String>,
}

pub(super) const COLUMNS: &str =
    "seq, id, state, reason, channel, account, number, crm_order_id, received_at, attempts, problems,
                       buyer, phone, target, erased_at";

pub(super) fn several(db: &Db<'_>, sql: &str, arguments: &[Argument]) -> Result<Vec<Summary>, StoreError> {
    db.query(sql, &bound(arguments), summary)
}

fn summary(row: &Row<'_>) -> Result<Summary, StoreError> {
    let state: String = row.get(2)?;
    let problems: String = row.get(10)?;
    Ok(Summary {
        seq: row.get(0)?,
        id: row.get(1)?,
        // The schema's own check allows no other text.
        state: State::parse(&state).unwrap_or(State::Disputed),
        reason: row.get(3)?,
        channel: row.get(4)?,
        account: row.get(5)?,
        number: row.get(6)?,
        crm_order_id: row.get(7)?,
        received_at: row.get(8)?,
        attempts: row.get(9)?,
        problems: problems_from_json(&problems),
        buyer: row.get(11)?,
        phone: row.get(12)?,
        target: Target::parse(&row.get::<String>(13)?).unwrap_or_default(),
        erased_at: row.get(14)?,
    })
}

pub(super) fn detail(db: &Db<'_>, summary: Summary) -> Result<OrderDetail, StoreError> {
    let seq = summary.seq;
    let sql = "SELECT body, revision, replaced, said_crm_id, kept FROM orders WHERE seq = ?1";
    let row = db.one(sql, params![seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
    let (body, revision, replaced, said, kept): (String, i64, i64, Option<i64>, bool) = row;
    let sql = "SELECT door, content_type, context, body FROM submissions WHERE seq = ?1";
    // Of an order that was erased long ago the whole row may be gone.
    let submission = db.first(sql, params![seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let (door, mut content_type, mut context, mut raw): (String, String, String, Vec<u8>) =
        submission.unwrap_or_default();
    if let Some(newest) = newest(db, seq)? {
        (content_type, context, raw) = newest;
    }
    let updates = db.query(
        "SELECT received_at, changed_at, result, substr(body, 1, 65536) FROM updates WHERE seq = ?1 ORDER BY id",
        params![seq],
        |row| {
            let result: String = row.get(2)?;
            // What waited for an order that arrived stands beside it.
            let open = matches!(summary.state, State::Sending | State::Unconfirmed | State::Disputed);
            let settled = !open && result == "waiting";
            let result = if settled { "kept".to_owned() } else { result };
            Ok(Update {
                received_at: row.get(0)?,
                changed_at: row.get(1)?,
                result,
                raw: row.get::<Option<Vec<u8>>>(3)?.unwrap_or_default(),
            })
        },
    )?;
    let events =
        db.query("SELECT at, state, actor, note FROM order_events WHERE seq = ?1 ORDER BY id", params![seq], |row| {
            Ok(Event { at: row.get(0)?, state: row.get(1)?, actor: row.get(2)?, note: row.get(3)? })
        })?;
    let sql = "SELECT attempt, started_at, finished_at, outcome, status, answer FROM attempts WHERE seq = ?1 ORDER BY attempt";
    let attempts = db.query(sql, params![seq], |row| {
        Ok(Attempt {
            attempt: row.get(0)?,
            started_at: row.get(1)?,
            finished_at: row.get(2)?,
            outcome: row.get(3)?,
            status: row.get(4)?,
            answer: row.get(5)?,
        })
    })?;
    Ok(OrderDetail {
        summary,
        body: serde_json::from_str(&body).unwrap_or_default(),
        revision,
        replaced,
        said_crm_id: said,
        kept,
        door,
        content_type,
        context: serde_json::from_str(&context).unwrap_or_default(),
        raw,
        updates,
        changes: changes::of_order(db, seq)?,
        events,
        attempts,
    })
}
