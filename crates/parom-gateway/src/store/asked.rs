//! What is to be changed of an order, kept with the request that asks for it; and what becomes of that where the order goes another
//! way.

use super::sql::{Db, params};
use parom_core::delivery::change::{Change, ChangeKind, same_payment};
use parom_core::delivery::state::State;
use parom_core::{Code, Effect, Problem, limits, number};
use serde_json::{Map, Value};

use super::accept::append_event;
use super::records::{problems_from_json, problems_to_json};
use super::{StoreError, facts};
use crate::clock;

/// Who says in an order's history that a change was not made: by it, and by an index of its own, the alerts find those.
pub(super) const ACTOR: &str = "changes";

/// Why nothing is changed of a card.
pub(super) const OF_CARD: &str = "it became a card, of which nothing is changed later";

/// A person sees it in the list, in the order's history, and in an alert.
pub(super) fn mark_order(db: &Db<'_>, seq: i64, kind: &str, why: &str) -> Result<(), StoreError> {
    let sql = "SELECT problems, state FROM orders WHERE seq = ?1";
    let (problems, state): (String, String) = db.one(sql, params![seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut problems = problems_from_json(&problems);
    let message = match kind {
        "branch" => format!("the branch that was chosen later was not set: {why}"),
        kind => format!("the {kind} that its sender told of later was not made: {why}"),
    };
    let problem = Problem::new("", Code::ChangeRefused, Effect::Warn, message, "Make it in the CRM by hand.");
    let state = State::parse(&state).unwrap_or(State::Delivered);
    append_event(db, seq, clock::now().as_millisecond(), state, ACTOR, &problem.message)?;
    if problems.contains(&problem) {
        return Ok(());
    }
    problems.push(problem);
    problems.truncate(limits::PROBLEMS);
    let sql = "UPDATE orders SET problems = ?2 WHERE seq = ?1";
    db.execute(sql, params![seq, problems_to_json(&problems).to_string()])?;
    Ok(())
}

/// Keeps the changes that a request asks for, but those that are made or under way already.
pub(super) fn add(db: &Db<'_>, seq: i64, account: &str, changes: &[Change], now: i64) -> Result<usize, StoreError> {
    let sent = payments(db, seq)?;
    let mut added = 0;
    for change in changes {
        let kept = kept_bodies(db, seq, change.kind)?;
        let known = match change.kind {
            ChangeKind::Payment => sent.iter().chain(&kept).any(|payment| same_payment(payment, &change.body)),
            ChangeKind::Status | ChangeKind::Branch => kept.last() == Some(&change.body),
        };
        if known {
            continue;
        }
        let sql = "SELECT count(*) FROM changes WHERE seq = ?1 AND kind = ?2";
        let count: u32 = db.one(sql, params![seq, change.kind.as_str()], |row| row.get(0))?;
        if count >= limits::CHANGES {
            let why = format!("it would be one of more than {} of one order", limits::CHANGES);
            mark_order(db, seq, change.kind.as_str(), &why)?;
            continue;
        }
        if change.kind == ChangeKind::Payment && forgotten(db, seq, now)? {
            let why = "the store was restored, and it may have been made before";
            mark_order(db, seq, change.kind.as_str(), why)?;
            continue;
        }
        let mut due_at = db.steady()?;
        if change.kind.may_repeat() {
            // It goes in the place of one that waits, and no sooner: that one may have been sent already.
            let open = "seq = ?1 AND kind = ?2 AND state IN ('queued', 'unconfirmed')";
            let sql = format!("SELECT max(due_at) FROM changes WHERE {open}");
            let waits: Option<i64> = db.one(&sql, params![seq, change.kind.as_str()], |row| row.get(0))?;
            due_at = due_at.max(waits.unwrap_or_default());
            let sql = format!("UPDATE changes SET state = 'superseded', updated_at = ?3 WHERE {open}");
            db.execute(&sql, params![seq, change.kind.as_str(), now])?;
        }
        let sql = "INSERT INTO changes (seq, account, kind, body, mark, state, created_at, updated_at, due_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, 'queued', ?6, ?6, ?7)";
        let body = serde_json::to_string(&change.body).unwrap_or_default();
        let mark = number::own(uuid::Uuid::new_v4().as_u128());
        db.execute(sql, params![seq, account, change.kind.as_str(), body, mark, now, due_at])?;
        added += 1;
    }
    Ok(added)
}

/// Whether the store was restored lately, and the order is older: what was paid since is not known.
fn forgotten(db: &Db<'_>, seq: i64, now: i64) -> Result<bool, StoreError> {
    let Some((at, until)) = facts::careful(db)? else { return Ok(false) };
    let sql = "SELECT received_at < ?2 FROM orders WHERE seq = ?1";
    Ok(now < until && db.one(sql, params![seq, at], |row| row.get(0))?)
}

/// A canceled order has nothing left to change, and nobody looks for what may have been changed.
pub(super) fn drop_all(db: &Db<'_>, seq: i64, now: i64) -> Result<(), StoreError> {
    let sql = "UPDATE changes SET state = 'superseded', updated_at = ?2
               WHERE seq = ?1 AND state IN ('queued', 'unconfirmed')";
    db.execute(sql, params![seq, now])?;
    Ok(())
}

fn kept_bodies(db: &Db<'_>, seq: i64, kind: ChangeKind) -> Result<Vec<Map<String, Value>>, StoreError> {
    let sql =
        "SELECT body FROM changes WHERE seq = ?1 AND kind = ?2 AND state NOT IN ('refused', 'superseded') ORDER BY id";
    let texts = db.query(sql, params![seq, kind.as_str()], |row| row.get::<String>(0))?;
    Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
}

/// What is to be changed of an order that is not in the CRM goes by what that has become: to its account, and not at all where it
/// is a card by now. A payment that it brings itself is not made once more.
pub(super) fn follow(db: &Db<'_>, seq: i64, now: i64) -> Result<(), StoreError> {
    let sql = "SELECT id, kind, body FROM changes WHERE seq = ?1 AND state IN ('queued', 'unconfirmed')";
    let open = db.query(sql, params![seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if open.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE changes SET account = (SELECT account FROM orders WHERE seq = ?1)
               WHERE seq = ?1 AND state IN ('queued', 'unconfirmed')";
    db.execute(sql, params![seq])?;
    let is_card = db.exists("SELECT 1 FROM orders WHERE seq = ?1 AND target = 'card'", params![seq])?;
    let sent = payments(db, seq)?;
    for (id, kind, body) in open {
        let (id, kind, body): (i64, String, String) = (id, kind, body);
        let body: Map<String, Value> = serde_json::from_str(&body).unwrap_or_default();
        let is_sent = kind == "payment" && sent.iter().any(|payment| same_payment(payment, &body));
        if is_card {
            mark_order(db, seq, &kind, OF_CARD)?;
        }
        if is_card || is_sent {
            db.execute("UPDATE changes SET state = 'superseded', updated_at = ?2 WHERE id = ?1", params![id, now])?;
        }
    }
    Ok(())
}

/// The payments that the order itself brings.
fn payments(db: &Db<'_>, seq: i64) -> Result<Vec<Map<String, Value>>, StoreError> {
    let body: String = db.one("SELECT body FROM orders WHERE seq = ?1", params![seq], |row| row.get(0))?;
    let mut order: Map<String, Value> = serde_json::from_str(&body).unwrap_or_default();
    let Some(Value::Array(payments)) = order.remove("payments") else { return Ok(Vec::new()) };
    Ok(payments
        .into_iter()
        .filter_map(|payment| if let Value::Object(one) = payment { Some(one) } else { None })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::super::sqlite;
    use super::*;

    /// An order that was not sent yet, of this account and target, with a payment in its body, and three changes that wait.
    fn followed(account: &str, target: &str) -> (Vec<(String, String, String)>, i64) {
        let connection = sqlite::in_memory();
        let db = Db::Sqlite(&connection);
        let body = r#"{"payments":[{"payment_method_id":1,"amount":5,"status":"paid"}]}"#;
        let rows = format!(
            "INSERT INTO orders (id, channel, channel_version, account, state, number, owns_number, body, problems, content,
               received_at, updated_at, due_at, target, buyer, phone, email)
             VALUES ('a', 'shop', 1, '{account}', 'held', 'N', 1, '{body}', '[]', x'00', 0, 0, 0, '{target}', '', '', '');
             INSERT INTO changes (seq, account, kind, body, mark, state, created_at, updated_at, due_at) VALUES
               (1, 'main', 'payment', '{{\"payment_method_id\":1,\"amount\":5,\"status\":\"paid\"}}', 'P-1', 'unconfirmed', 0, 0, 0),
               (1, 'main', 'payment', '{{\"payment_method_id\":1,\"amount\":7,\"status\":\"paid\"}}', 'P-2', 'queued', 0, 0, 0),
               (1, 'main', 'status', '{{\"status_id\":8}}', 'P-3', 'queued', 0, 0, 0)"
        );
        connection.execute_batch(&rows).unwrap();
        follow(&db, 1, 1).unwrap();
        let sql = "SELECT mark, state, account FROM changes ORDER BY id";
        let read = db.query(sql, params![], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let told = db.get("SELECT count(*) FROM order_events WHERE actor = 'changes'", params![]);
        (read.unwrap(), told.unwrap())
    }

    #[test]
    fn what_is_to_be_changed_goes_by_what_its_order_became() {
        let row = |mark: &str, state: &str, account: &str| (mark.to_owned(), state.to_owned(), account.to_owned());
        let (rows, told) = followed("other", "order");
        let own = [row("P-1", "superseded", "other"), row("P-2", "queued", "other"), row("P-3", "queued", "other")];
        assert_eq!((rows.as_slice(), told), (own.as_slice(), 0));
        let (rows, told) = followed("main", "card");
        assert!(rows.iter().all(|(_, state, _)| state == "superseded"), "{rows:?}");
        assert_eq!(told, 3);
    }
}
