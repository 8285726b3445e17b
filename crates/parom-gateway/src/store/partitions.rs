//! Submissions are most of what a store holds. In PostgreSQL they lie in partitions of rows that came one after the other:
//! when every order of one is erased it goes as a whole, and its room is free at once. A file needs none of it.

use super::sql::{Db, params};
use super::{Store, StoreError, Whose};
use crate::config::trial_partition_rows;

/// Orders of one partition.
const ROWS: i64 = 250_000;
/// Partitions that are there before their orders come. What comes faster lands in the rest, and stays there.
const AHEAD: i64 = 4;

fn rows() -> i64 {
    trial_partition_rows().unwrap_or(ROWS)
}

/// A partition: from this row to before that one.
struct Partition {
    name: String,
    from: i64,
    to: i64,
}

impl Store {
    /// Makes partitions for orders to come, and drops those whose orders are all erased; how many. After a crash: done, or
    /// not and done at the next look.
    ///
    /// # Errors
    /// As any write.
    pub async fn turn_partitions(&self) -> Result<usize, StoreError> {
        if !self.inner.engine.is_shared() {
            return Ok(0);
        }
        // Few are due, and everybody waits meanwhile: it is looked first.
        if !self.read(|db| Ok(!missing(db)?.is_empty() || !due(db)?.is_empty())).await? {
            return Ok(0);
        }
        let turned = move |db: &Db<'_>| {
            ahead(db)?;
            let gone = due(db)?;
            gone.iter().try_for_each(|part| db.execute(&format!("DROP TABLE {}", part.name), params![]).map(|_| ()))?;
            Ok(gone.len())
        };
        self.write("turn_partitions", Whose::Everybody, turned).await
    }
}

/// Makes what is missing.
pub(super) fn ahead(db: &Db<'_>) -> Result<(), StoreError> {
    for from in missing(db)? {
        let to = from + rows();
        let sql =
            format!("CREATE TABLE submissions_{from}_{to} PARTITION OF submissions FOR VALUES FROM ({from}) TO ({to})");
        db.execute(&sql, params![])?;
    }
    Ok(())
}

/// Where partitions should begin that are not there. Of a span that has rows in the rest none can be made.
fn missing(db: &Db<'_>) -> Result<Vec<i64>, StoreError> {
    let last = last(db)?;
    let mut from = all(db)?.iter().map(|partition| partition.to).max().unwrap_or_default();
    let mut missing = Vec::new();
    while from < last + AHEAD * rows() {
        let sql = "SELECT 1 FROM submissions_rest WHERE seq >= ?1 AND seq < ?2 LIMIT 1";
        if !db.exists(sql, params![from, from + rows()])? {
            missing.push(from);
        }
        from += rows();
    }
    Ok(missing)
}

/// Those that are full, and whose orders are all erased.
fn due(db: &Db<'_>) -> Result<Vec<Partition>, StoreError> {
    let last = last(db)?;
    let mut due = Vec::new();
    for partition in all(db)?.into_iter().filter(|partition| partition.to <= last) {
        let sql = "SELECT 1 FROM orders WHERE seq >= ?1 AND seq < ?2 AND erased_at IS NULL LIMIT 1";
        if !db.exists(sql, params![partition.from, partition.to])? {
            due.push(partition);
        }
    }
    Ok(due)
}

fn last(db: &Db<'_>) -> Result<i64, StoreError> {
    db.get("SELECT coalesce(max(seq), 0) FROM orders", params![])
}

fn all(db: &Db<'_>) -> Result<Vec<Partition>, StoreError> {
    let sql = "SELECT CAST(part.relname AS TEXT) FROM pg_inherits i JOIN pg_class part ON part.oid = i.inhrelid
               WHERE i.inhparent = CAST('submissions' AS regclass)";
    let names = db.query(sql, params![], |row| row.get::<String>(0))?;
    Ok(names.into_iter().filter_map(named).collect())
}

fn named(name: String) -> Option<Partition> {
    let (from, to) = name.strip_prefix("submissions_")?.split_once('_')?;
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    Some(Partition { name, from, to })
}
