//! The journal: what a person or a machine reads of the orders.

mod detail;
mod search;

use std::collections::BTreeMap;

pub use detail::{Attempt, Event, OrderDetail, Summary, Update};
pub use search::Filter;

use detail::{COLUMNS, detail, several};
use search::{Text, conditions, listed, of_number};

use super::sql::{Argument, bound, params};
use super::{PAGES_KEY, Scope, Store, StoreError};

pub(in crate::store) const HELD_FOR: &str =
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
                         AND NOT EXISTS (SELECT 1 FROM idempotency_keys k WHERE k.seq = mine.seq AND k.channel = mine.channel
                                           AND substr(k.key, 1, 6) <> ?3)
                       ORDER BY o.received_at LIMIT 1";
            let window = parom_core::limits::REPEAT_WINDOW_S * 1_000;
            db.first(sql, params![seq, window, PAGES_KEY], |row| row.get(0))
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
