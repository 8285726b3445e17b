//! The journal: what a person or a machine reads of the orders.

use std::collections::BTreeMap;

use parom_core::Problem;
use parom_core::delivery::state::State;
use parom_core::order::Target;
use serde_json::{Map, Value};

use super::changes::{self, KeptChange};
use super::sql::{Argument, Db, Row, bound, params};
use super::updates::newest;
use super::{Scope, Store, StoreError, problems_from_json};

/// Which orders.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one of these states; empty: in any.
    pub states: Vec<State>,
    /// Of this channel.
    pub channel: Option<String>,
    /// Received at or after, milliseconds.
    pub since: Option<i64>,
    /// Received before, milliseconds.
    pub until: Option<i64>,
    /// Id, number, CRM number, phone, e-mail or name.
    pub text: Option<String>,
    /// Rows after this one, newest first.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

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

const COLUMNS: &str = "seq, id, state, reason, channel, account, number, crm_order_id, received_at, attempts, problems,
                       buyer, phone, target, erased_at";

pub(super) const HELD_FOR: &str =
    "SELECT id FROM orders WHERE state IN ('held', 'rejected', 'disputed') AND state = 'held' AND channel = ?1
     AND reason = ?2 ORDER BY seq LIMIT 10000";

impl Store {
    /// Orders, newest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn orders(&self, scope: &Scope, filter: Filter) -> Result<Vec<Summary>, StoreError> {
        let scope = scope.clone();
        self.read(move |db| {
            if filter.text.is_none() {
                return listed(db, &scope, &filter, Text::Whole);
            }
            // What is named whole is found by an index; only what is not is looked for within names and phones. Every page of
            // one question is looked for in one way.
            let first = Filter { before: None, limit: 1, ..filter.clone() };
            let named = !listed(db, &scope, &first, Text::Whole)?.is_empty();
            listed(db, &scope, &filter, if named { Text::Whole } else { Text::Within })
        })
        .await
    }

    /// One order by its id, its number, or the start of its id.
    ///
    /// # Errors
    /// As any read; `Refused` where the start fits several.
    pub async fn order(&self, scope: &Scope, name: &str) -> Result<Option<OrderDetail>, StoreError> {
        let name = name.to_owned();
        let (scoped, mut arguments) = conditions(scope, &Filter::default(), Text::Whole);
        self.read(move |db| {
            arguments.push(Argument::Text(name.clone()));
            let place = arguments.len();
            let named = format!("id = ?{place} OR {}", of_number(&format!("?{place}")));
            let exact = format!("SELECT {COLUMNS} FROM orders WHERE {scoped} AND ({named}) LIMIT 2");
            let mut found = several(db, &exact, &arguments)?;
            if found.is_empty() && name.len() >= 4 && name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
                let start = format!(
                    "SELECT {COLUMNS} FROM orders WHERE {scoped} AND id >= ?{place} AND id < ?{place} || 'g' LIMIT 2"
                );
                found = several(db, &start, &arguments)?;
            }
            if found.len() > 1 {
                return Err(StoreError::Refused(format!("`{name}` names several orders; give the whole id")));
            }
            found.pop().map(|summary| detail(db, summary)).transpose()
        })
        .await
    }

    /// One order by its whole id, for what no person asks for.
    ///
    /// # Errors
    /// As any read.
    pub async fn order_by_id(&self, id: &str) -> Result<Option<OrderDetail>, StoreError> {
        let id = id.to_owned();
        self.read(move |db| {
            let sql = format!("SELECT {COLUMNS} FROM orders WHERE id = ?1");
            let found = several(db, &sql, &[Argument::Text(id)])?.pop();
            found.map(|summary| detail(db, summary)).transpose()
        })
        .await
    }

    /// The order that the same form, without a key, made within minutes before this one.
    ///
    /// # Errors
    /// As any read.
    pub async fn earlier_twin(&self, seq: i64) -> Result<Option<String>, StoreError> {
        self.read(move |db| {
            let sql = "SELECT o.id FROM orders o JOIN orders mine ON mine.seq = ?1
                       WHERE o.channel = mine.channel AND o.content = mine.content AND o.seq < mine.seq
                         AND o.received_at >= mine.received_at - ?2
                         AND NOT EXISTS (SELECT 1 FROM idempotency_keys k WHERE k.seq = mine.seq AND k.channel = mine.channel)
                       ORDER BY o.received_at LIMIT 1";
            let window = parom_core::limits::REPEAT_WINDOW_S * 1_000;
            db.first(sql, params![seq, window], |row| row.get(0))
        })
        .await
    }

    /// Accounts that have orders under way, with their number.
    ///
    /// # Errors
    /// As any read.
    pub async fn accounts_under_way(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let sql = "SELECT account, CAST(sum(n) AS BIGINT) FROM (
                     SELECT account, count(*) AS n FROM orders WHERE state = 'queued' GROUP BY account
                     UNION ALL
                     SELECT account, count(*) FROM orders WHERE state IN ('sending', 'unconfirmed') GROUP BY account) AS under_way
                   GROUP BY account";
        self.read(move |db| db.query(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))).await
    }

    /// Orders by state, of the accounts in scope.
    ///
    /// # Errors
    /// As any read.
    pub async fn counts(&self, scope: &Scope) -> Result<BTreeMap<String, i64>, StoreError> {
        let (scoped, arguments) = conditions(scope, &Filter::default(), Text::Whole);
        let sql = format!("SELECT state, count(*) FROM orders WHERE {scoped} GROUP BY state");
        self.read(move |db| {
            let rows = db.query(&sql, &bound(&arguments), |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.into_iter().collect())
        })
        .await
    }

    /// When the oldest order that waits was received, milliseconds.
    ///
    /// # Errors
    /// As any read.
    pub async fn oldest_queued(&self) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT min(received_at) FROM orders INDEXED BY orders_queue WHERE state = 'queued'";
        self.read(move |db| db.get(sql, params![])).await
    }

    /// Held orders of a channel for a reason, oldest first: their ids.
    ///
    /// # Errors
    /// As any read.
    pub async fn held_for(&self, channel: &str, reason: &str) -> Result<Vec<String>, StoreError> {
        let (channel, reason) = (channel.to_owned(), reason.to_owned());
        self.read(move |db| db.query(HELD_FOR, params![channel, reason], |row| row.get(0))).await
    }

    /// The last answered POST of an order: status and body.
    ///
    /// # Errors
    /// As any read.
    pub async fn last_answer(&self, id: &str) -> Result<Option<(u16, String)>, StoreError> {
        let id = id.to_owned();
        let sql = "SELECT a.status, a.answer FROM attempts a JOIN orders o ON o.seq = a.seq
                   WHERE o.id = ?1 AND a.status IS NOT NULL ORDER BY a.attempt DESC LIMIT 1";
        self.read(move |db| {
            let found = db.first(sql, params![id], |row| Ok((row.get(0)?, row.get::<Option<String>>(1)?)))?;
            Ok(found.map(|(status, answer)| (status, answer.unwrap_or_default())))
        })
        .await
    }
}

fn several(db: &Db<'_>, sql: &str, arguments: &[Argument]) -> Result<Vec<Summary>, StoreError> {
    db.query(sql, &bound(arguments), summary)
}

/// How a text is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    /// It is the whole of an id, a number, a phone or an e-mail.
    Whole,
    /// It is a part of a name or a phone.
    Within,
}

fn listed(db: &Db<'_>, scope: &Scope, filter: &Filter, how: Text) -> Result<Vec<Summary>, StoreError> {
    let (conditions, arguments) = conditions(scope, filter, how);
    let limit = filter.limit.clamp(1, 100_000);
    let only = |of: &[State]| !filter.states.is_empty() && filter.states.iter().all(|state| of.contains(state));
    // By the order of rows alone the planner would rather read them all until enough are found.
    let index = match () {
        () if only(&[State::Queued]) => "INDEXED BY orders_queue",
        () if only(&[State::Sending, State::Unconfirmed]) => "INDEXED BY orders_doubt",
        () => "",
    };
    let sql = format!("SELECT {COLUMNS} FROM orders {index} WHERE {conditions} ORDER BY seq DESC LIMIT {limit}");
    several(db, &sql, &arguments)
}

/// The states as words of the statement, with the condition of the index that leads to them: by bound values no partial
/// index is taken, and a state that nothing is in would cost a look at every row.
fn in_states(states: &[State]) -> String {
    let words: Vec<String> = states.iter().map(|state| format!("'{state}'")).collect();
    let all = |of: &[State]| states.iter().all(|state| of.contains(state));
    let index = if all(&[State::Held, State::Rejected, State::Disputed]) {
        " AND state IN ('held', 'rejected', 'disputed')"
    } else if all(&[State::Queued]) {
        return "state = 'queued'".to_owned();
    } else if all(&[State::Sending, State::Unconfirmed]) {
        " AND state IN ('sending', 'unconfirmed')"
    } else {
        ""
    };
    format!("state IN ({}){index}", words.join(", "))
}

/// Each half has an index of its own.
fn of_number(place: &str) -> String {
    format!("(number = {place} AND owns_number = 1) OR (number = {place} AND owns_number = 0)")
}

fn whole(text: &str, mut place: impl FnMut(Argument) -> String) -> String {
    let exact = place(Argument::Text(text.to_owned()));
    let lower = place(Argument::Text(text.to_lowercase()));
    let mut any = vec![format!("id = {exact}"), of_number(&exact), format!("(email = {lower} AND email <> '')")];
    if let Ok(phone) = parom_core::convert::phone(text, "UA") {
        any.push(format!("(phone = {} AND phone <> '')", place(Argument::Text(phone))));
    }
    if let Ok(id) = text.parse() {
        any.push(format!("crm_order_id = {}", place(Argument::Int(id))));
    }
    format!("({})", any.join(" OR "))
}

fn within(text: &str, mut place: impl FnMut(Argument) -> String) -> String {
    let mut capital = text.to_lowercase();
    if let Some(first) = text.chars().next() {
        let rest: String = text.chars().skip(1).collect();
        capital = first.to_uppercase().chain(rest.to_lowercase().chars()).collect();
    }
    let (exact, capital) = (place(Argument::Text(text.to_owned())), place(Argument::Text(capital)));
    let mut any = vec![format!("instr(buyer, {exact}) > 0"), format!("instr(buyer, {capital}) > 0")];
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    // Only what is written as a phone is looked for among phones: a number of the CRM is digits too.
    if digits.len() >= 5 {
        any.push(format!("instr(phone, {}) > 0", place(Argument::Text(digits.trim_start_matches("38").to_owned()))));
    }
    format!("({})", any.join(" OR "))
}

fn conditions(scope: &Scope, filter: &Filter, how: Text) -> (String, Vec<Argument>) {
    let mut parts = vec!["1 = 1".to_owned()];
    let mut arguments: Vec<Argument> = Vec::new();
    let mut place = |value: Argument| {
        arguments.push(value);
        format!("?{}", arguments.len())
    };
    if let Scope::Accounts(names) = scope {
        let names: Vec<String> = names.iter().map(|name| place(Argument::Text(name.clone()))).collect();
        parts.push(format!("account IN ({})", names.join(", ")));
    }
    if !filter.states.is_empty() {
        parts.push(in_states(&filter.states));
    }
    let bounds = [("received_at >=", filter.since), ("received_at <", filter.until), ("seq <", filter.before)];
    for (column, bound) in bounds {
        if let Some(bound) = bound {
            parts.push(format!("{column} {}", place(Argument::Int(bound))));
        }
    }
    if let Some(channel) = &filter.channel {
        parts.push(format!("channel = {}", place(Argument::Text(channel.clone()))));
    }
    if let Some(text) = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        parts.push(match how {
            Text::Whole => whole(text, place),
            Text::Within => within(text, place),
        });
    }
    (parts.join(" AND "), arguments)
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

fn detail(db: &Db<'_>, summary: Summary) -> Result<OrderDetail, StoreError> {
    let seq = summary.seq;
    let sql = "SELECT body, revision, replaced FROM orders WHERE seq = ?1";
    let (body, revision, replaced): (String, i64, i64) =
        db.one(sql, params![seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
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
            let settled = !matches!(summary.state, State::Sending | State::Unconfirmed) && result == "waiting";
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
    let sql = "SELECT attempt, started_at, finished_at, outcome, status, answer FROM attempts WHERE seq = ?1";
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
