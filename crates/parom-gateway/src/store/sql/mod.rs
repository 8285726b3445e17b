//! One way to speak to both databases. A verb is written once, in SQL that both take; where they differ in more than the
//! spelling of a placeholder, the verb says so.

mod row;
mod value;

pub(super) use row::{Column, Row};
pub(super) use value::{Argument, Bind, Kind, Value, bound, params};

use super::StoreError;
use super::postgres::Talk;

/// A connection, inside of a transaction where a verb writes. Placeholders are `?1`, `?2` …, each of one type.
pub(super) enum Db<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c Talk),
}

impl Db<'_> {
    /// Runs a statement; how many rows it changed.
    pub(super) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        match self {
            Db::Sqlite(connection) => {
                Ok(connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))?)
            }
            Db::Postgres(talk) => talk.execute(sql, values),
        }
    }

    /// Every row of a query.
    pub(super) fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Db::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                let mut all = Vec::new();
                while let Some(row) = rows.next()? {
                    all.push(read(&Row::Sqlite(row))?);
                }
                Ok(all)
            }
            Db::Postgres(talk) => talk.query(sql, values)?.iter().map(|row| read(&Row::Postgres(row))).collect(),
        }
    }

    /// The first row of a query, if there is one.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self {
            Db::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                rows.next()?.map(|row| read(&Row::Sqlite(row))).transpose()
            }
            Db::Postgres(talk) => talk.query(sql, values)?.first().map(|row| read(&Row::Postgres(row))).transpose(),
        }
    }

    /// The first row of a query that always has one; `Refused` where it has none.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.first(sql, values, read)?.ok_or_else(|| StoreError::Refused("there is no such row".into()))
    }

    /// The first column of such a row.
    pub(super) fn get<T: Column>(&self, sql: &str, values: &[Value<'_>]) -> Result<T, StoreError> {
        self.one(sql, values, |row| row.get(0))
    }

    /// Whether a query has any row.
    pub(super) fn exists(&self, sql: &str, values: &[Value<'_>]) -> Result<bool, StoreError> {
        Ok(self.first(sql, values, |_| Ok(()))?.is_some())
    }

    /// What a query ends with whose rows must not change until the transaction ends. SQLite has one writer anyhow.
    pub(super) fn for_update(&self) -> &'static str {
        match self {
            Db::Sqlite(_) => "",
            Db::Postgres(_) => " FOR UPDATE",
        }
    }

    /// Milliseconds by a clock that nobody sets: how long the machine runs, or the time of the one server that all nodes
    /// share. Its numbers are compared with each other alone.
    pub(super) fn steady(&self) -> Result<i64, StoreError> {
        match self {
            Db::Sqlite(_) => Ok(super::ledger::uptime()),
            Db::Postgres(_) => {
                self.get("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", params![])
            }
        }
    }
}
