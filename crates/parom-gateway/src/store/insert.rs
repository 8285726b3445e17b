//! The rows of a new order. PostgreSQL gets them in one statement: each that goes by itself is a way there and back.

use parom_core::delivery::state::State;
use serde_json::Value as Json;

use super::StoreError;
use super::accept::{NewOrder, append_event};
use super::records::{buyer_columns, problems_to_json};
use super::sql::{Db, Value, params};

const ORDER: &str =
    "INSERT INTO orders (id, channel, channel_version, account, state, reason, source_id, number, owns_number,
       body, problems, content, received_at, updated_at, due_at, buyer, phone, email, target, checked, changed_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
     RETURNING seq";

/// What stands beside an order: its submission, its sender's key where it has one, and the first line of its history.
const BESIDE: &str = "s AS (INSERT INTO submissions (seq, channel, received_at, door, content_type, context, body)
     SELECT seq, ?2, ?13, ?20, ?21, ?22, ?23 FROM o),
     k AS (INSERT INTO idempotency_keys (channel, key, seq, content) SELECT ?2, ?24, seq, ?12 FROM o WHERE ?24 <> '')
     INSERT INTO order_events (seq, at, state, actor, note) SELECT seq, ?13, ?5, 'intake', ?6 FROM o";

pub(super) fn insert(db: &Db<'_>, order: &NewOrder, owns_number: bool) -> Result<(), StoreError> {
    let (buyer, phone, email) = buyer_columns(&order.body);
    let source = order.body.get("source_id").and_then(Json::as_i64);
    let body = serde_json::to_string(&order.body).unwrap_or_default();
    let problems = problems_to_json(&order.problems).to_string();
    let context = order.submission.context.to_string();
    let key = order.key.as_deref().filter(|_| order.state != State::Canceled).unwrap_or_default();
    let (state, target) = (order.state.as_str(), order.target.as_str());
    let (submission, content) = (&order.submission, order.submission.body.as_ref());
    let own = params![
        order.id,
        order.channel,
        order.channel_version,
        order.account,
        state,
        order.reason,
        source,
        order.number,
        owns_number,
        body,
        problems,
        order.content,
        order.received_at,
        buyer,
        phone,
        email,
        target,
        order.checked,
        order.changed_at,
    ];
    let beside = params![submission.door, submission.content_type, context, content, key];
    if let Db::Postgres(_) = db {
        let values: Vec<Value<'_>> = own.iter().chain(beside).copied().collect();
        return db.execute(&format!("WITH o AS ({ORDER}), {BESIDE}"), &values).map(|_| ());
    }
    let seq: i64 = db.get(ORDER, own)?;
    let sql = "INSERT INTO submissions (seq, channel, received_at, door, content_type, context, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values =
        params![seq, order.channel, order.received_at, submission.door, submission.content_type, context, content];
    db.execute(sql, values)?;
    if !key.is_empty() {
        let sql = "INSERT INTO idempotency_keys (channel, key, seq, content) VALUES (?1, ?2, ?3, ?4)";
        db.execute(sql, params![order.channel, key, seq, order.content])?;
    }
    append_event(db, seq, order.received_at, order.state, "intake", &order.reason)
}
