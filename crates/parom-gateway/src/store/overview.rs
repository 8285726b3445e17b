//! What the first page shows: how many orders in which state, how old the oldest is, and the last day hour by hour. Each
//! query reads an index or the last day alone, however many orders are stored.

use std::collections::BTreeMap;

use super::sql::{Argument, Db, bound, params};

use super::{Scope, Store, StoreError};

/// How a scope's orders stand.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// Received since the start of the day, by state.
    pub today: BTreeMap<String, i64>,
    /// All that wait for a person or for the CRM, by state.
    pub open: BTreeMap<String, i64>,
    /// When the oldest of them was received, milliseconds, by state.
    pub oldest: BTreeMap<String, i64>,
    /// Hour (milliseconds of its start) → received and delivered.
    pub hours: BTreeMap<i64, (i64, i64)>,
}

const HOUR_MS: i64 = 3_600_000;

impl Store {
    /// How the orders stand. `day` is the start of today, `since` the start of the hours; milliseconds.
    ///
    /// # Errors
    /// As any read.
    pub async fn overview(&self, scope: &Scope, day: i64, since: i64) -> Result<Overview, StoreError> {
        let (scoped, arguments) = scoped(scope);
        self.read(move |db| {
            let mut seen = Overview::default();
            // An id begins with the time at which it was made.
            let with = |more: &[Argument]| [&arguments[..], more].concat();
            let (first, second) = (arguments.len() + 1, arguments.len() + 2);
            let sql = format!("SELECT state, count(*) FROM orders WHERE id >= ?{first} AND {scoped} GROUP BY state");
            each(db, &sql, &with(&[id_from(day)]), |state, count| _ = seen.today.insert(state, count))?;
            for (index, states) in [
                ("orders_waiting", "state IN ('held', 'rejected', 'disputed')"),
                ("orders_queue", "state = 'queued'"),
                ("orders_doubt", "state IN ('sending', 'unconfirmed')"),
            ] {
                let of = format!("FROM orders INDEXED BY {index} WHERE {states} AND {scoped} GROUP BY state");
                let sql = format!("SELECT state, count(*) {of}");
                each(db, &sql, &arguments, |state, n| _ = seen.open.insert(state, n))?;
                let sql = format!("SELECT state, min(received_at) {of}");
                each(db, &sql, &arguments, |state, at| _ = seen.oldest.insert(state, at))?;
            }
            let hour = format!("cast(received_at / {HOUR_MS} AS TEXT)");
            let sql = format!("SELECT {hour}, count(*) FROM orders WHERE id >= ?{first} AND {scoped} GROUP BY 1");
            each(db, &sql, &with(&[id_from(since)]), |hour, n| seen.hour(&hour).0 = n)?;
            let hour = format!("cast(updated_at / {HOUR_MS} AS TEXT)");
            let sql = format!(
                "SELECT {hour}, count(*) FROM orders WHERE state = 'delivered' AND updated_at >= ?{first} AND id >= ?{second}
                   AND {scoped} GROUP BY 1"
            );
            // What was delivered in these hours was received in the week before, or is too rare to be seen in a chart.
            let bounds = [Argument::Int(since), id_from(since - 7 * 24 * HOUR_MS)];
            each(db, &sql, &with(&bounds), |hour, n| seen.hour(&hour).1 = n)?;
            Ok(seen)
        })
        .await
    }

    /// When the last orders of a channel were received, milliseconds, newest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn last_of_channel(&self, channel: &str, limit: i64) -> Result<Vec<i64>, StoreError> {
        let channel = channel.to_owned();
        self.read(move |db| {
            let sql = "SELECT received_at FROM orders WHERE channel = ?1 ORDER BY seq DESC LIMIT ?2";
            db.query(sql, params![channel, limit], |row| row.get(0))
        })
        .await
    }
}

impl Overview {
    fn hour(&mut self, hour: &str) -> &mut (i64, i64) {
        let hour: i64 = hour.parse().unwrap_or_default();
        self.hours.entry(hour * HOUR_MS).or_default()
    }
}

/// The scope as a condition; its arguments stand from `?1` on.
fn scoped(scope: &Scope) -> (String, Vec<Argument>) {
    match scope {
        Scope::All => ("1 = 1".to_owned(), Vec::new()),
        Scope::Accounts(names) => {
            let places: Vec<String> = (0..names.len()).map(|at| format!("?{}", at + 1)).collect();
            (format!("account IN ({})", places.join(", ")), names.iter().cloned().map(Argument::Text).collect())
        }
    }
}

fn each(db: &Db<'_>, sql: &str, arguments: &[Argument], mut take: impl FnMut(String, i64)) -> Result<(), StoreError> {
    db.query(sql, &bound(arguments), |row| {
        take(row.get(0)?, row.get(1)?);
        Ok(())
    })?;
    Ok(())
}

/// The smallest id of a time.
fn id_from(millis: i64) -> Argument {
    let hex = format!("{:012x}", millis.max(0));
    Argument::Text(format!("{}-{}", &hex[..8], &hex[8..]))
}
