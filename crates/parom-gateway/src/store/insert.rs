//! The rows of new orders. PostgreSQL gets those of many in one statement: each that goes by itself is a way there and back.

use parom_core::delivery::state::State;
use serde_json::Value as Json;

use super::StoreError;
use super::accept::{NewOrder, append_event};
use super::postgres::Talk;
use super::records::{buyer_columns, problems_to_json};
use super::sql::{Db, Value, params};

const ORDER: &str =
    "INSERT INTO orders (id, channel, channel_version, account, state, reason, source_id, number, owns_number,
       body, problems, content, received_at, updated_at, due_at, buyer, phone, email, target, checked, changed_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
     RETURNING seq";

const SUBMISSION: &str = "INSERT INTO submissions (seq, channel, received_at, door, content_type, context, body)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// The orders, and what stands beside each: its submission, its sender's key where it has one, and the first line of its
/// history. They get their numbers in the order in which they came.
const ORDERS: &str = "WITH g AS (SELECT * FROM unnest(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
         ?18, ?19, ?20, ?21, ?22, ?23, ?24)
       AS g (id, channel, channel_version, account, state, reason, source_id, number, owns_number, body, problems, content,
         received_at, buyer, phone, email, target, checked, changed_at, door, content_type, context, raw, key)),
     o AS (INSERT INTO orders (id, channel, channel_version, account, state, reason, source_id, number, owns_number,
         body, problems, content, received_at, updated_at, due_at, buyer, phone, email, target, checked, changed_at)
       SELECT id, channel, channel_version, account, state, reason, source_id, number, owns_number, body, problems, content,
         received_at, received_at, received_at, buyer, phone, email, target, checked, changed_at FROM g
       RETURNING seq, id),
     s AS (INSERT INTO submissions (seq, channel, received_at, door, content_type, context, body)
       SELECT seq, channel, received_at, door, content_type, context, raw FROM o JOIN g USING (id)),
     k AS (INSERT INTO idempotency_keys (channel, key, seq, content)
       SELECT channel, key, seq, content FROM o JOIN g USING (id) WHERE key <> '')
     INSERT INTO order_events (seq, at, state, actor, note)
       SELECT seq, received_at, state, 'intake', reason FROM o JOIN g USING (id) ORDER BY seq";

/// An order with what its columns are made of.
struct Row<'o> {
    order: &'o NewOrder,
    owns_number: bool,
    source: Option<i64>,
    body: String,
    problems: String,
    context: String,
    buyer: String,
    phone: String,
    email: String,
}

pub(super) fn insert(db: &Db<'_>, order: &NewOrder, owns_number: bool) -> Result<(), StoreError> {
    if let Db::Postgres(talk) = db {
        return insert_all(talk, [(order, owns_number)]);
    }
    let row = Row::of(order, owns_number);
    let seq: i64 = db.get(ORDER, &row.order())?;
    let mut submission = vec![Value::Int(seq), Value::Text(&order.channel), Value::Int(order.received_at)];
    submission.extend(row.submission());
    db.execute(SUBMISSION, &submission)?;
    let key = row.key();
    if !key.is_empty() {
        let sql = "INSERT INTO idempotency_keys (channel, key, seq, content) VALUES (?1, ?2, ?3, ?4)";
        db.execute(sql, params![order.channel, key, seq, order.content])?;
    }
    append_event(db, seq, order.received_at, order.state, "intake", &order.reason)
}

/// Each with whether its number becomes its own.
pub(super) fn insert_all<'o>(
    talk: &Talk,
    orders: impl IntoIterator<Item = (&'o NewOrder, bool)>,
) -> Result<(), StoreError> {
    let rows: Vec<Row<'o>> = orders.into_iter().map(|(order, owns_number)| Row::of(order, owns_number)).collect();
    talk.execute_rows(ORDERS, &rows.iter().map(Row::all).collect::<Vec<_>>())
}

impl<'o> Row<'o> {
    fn of(order: &'o NewOrder, owns_number: bool) -> Row<'o> {
        let (buyer, phone, email) = buyer_columns(&order.body);
        Row {
            order,
            owns_number,
            source: order.body.get("source_id").and_then(Json::as_i64),
            body: serde_json::to_string(&order.body).unwrap_or_default(),
            problems: problems_to_json(&order.problems).to_string(),
            context: order.submission.context.to_string(),
            buyer,
            phone,
            email,
        }
    }

    fn order(&self) -> [Value<'_>; 19] {
        let order = self.order;
        *params![
            order.id,
            order.channel,
            order.channel_version,
            order.account,
            *order.state.as_str(),
            order.reason,
            self.source,
            order.number,
            self.owns_number,
            self.body,
            self.problems,
            order.content,
            order.received_at,
            self.buyer,
            self.phone,
            self.email,
            *order.target.as_str(),
            order.checked,
            order.changed_at,
        ]
    }

    fn submission(&self) -> [Value<'_>; 4] {
        let submission = &self.order.submission;
        *params![*submission.door, submission.content_type, self.context, *submission.body.as_ref()]
    }

    fn all(&self) -> Vec<Value<'_>> {
        self.order().into_iter().chain(self.submission()).chain([Value::Text(self.key())]).collect()
    }

    /// A canceled order leaves its key to the next one.
    fn key(&self) -> &str {
        self.order.key.as_deref().filter(|_| self.order.state != State::Canceled).unwrap_or_default()
    }
}
