//! A connection to PostgreSQL as a verb uses it: one statement after the other.

use std::cell::Cell;
use std::fmt::Write;
use std::time::Duration;

use deadpool_postgres::Object;
use tokio::runtime::Handle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row};

use super::super::StoreError;
use super::super::sql::Value;

/// The server ends a statement after 8 seconds by itself: one that says nothing for longer is not there, though the kernel of its
/// machine still takes what is sent.
const PATIENCE: Duration = Duration::from_secs(12);

/// A connection of the pool, and the runtime that serves it. Its callers are threads of their own.
pub(in crate::store) struct Talk {
    /// There until this is dropped.
    client: Option<Object>,
    runtime: Handle,
    patience: Cell<Option<Duration>>,
    /// It is in an unknown state, and goes back to no pool.
    broken: Cell<bool>,
}

impl Drop for Talk {
    fn drop(&mut self) {
        if self.broken.get()
            && let Some(client) = self.client.take()
        {
            drop(Object::take(client));
        }
    }
}

impl Talk {
    pub(super) fn new(client: Object, runtime: Handle) -> Talk {
        Talk { client: Some(client), runtime, patience: Cell::new(Some(PATIENCE)), broken: Cell::new(false) }
    }

    /// Waits for as long as it takes from now on: for work that the server is told to give all the time it needs. `false`: no
    /// longer.
    pub(in crate::store) fn be_patient(&self, patient: bool) {
        self.patience.set((!patient).then_some(PATIENCE));
    }

    /// Asks the server.
    fn ask<'t, T, F>(&'t self, question: impl FnOnce(&'t Object) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let Some(client) = self.client.as_ref().filter(|_| !self.broken.get()) else { return Err(silent()) };
        let answer = question(client);
        let Some(patience) = self.patience.get() else { return Ok(self.runtime.block_on(answer)?) };
        match self.runtime.block_on(async { tokio::time::timeout(patience, answer).await }) {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                self.broken.set(true);
                Err(silent())
            }
        }
    }

    pub(in crate::store) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        let changed = self.ask(|client| async move {
            let statement = client.prepare_typed_cached(&translated(sql), &kinds(values)).await?;
            client.execute(&statement, &arguments(values)).await
        })?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub(in crate::store) fn query(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        self.ask(|client| async move {
            let statement = client.prepare_typed_cached(&translated(sql), &kinds(values)).await?;
            client.query(&statement, &arguments(values)).await
        })
    }

    /// As `execute`, over many rows: each placeholder stands for the array of a column.
    pub(in crate::store) fn execute_rows(&self, sql: &str, rows: &[Vec<Value<'_>>]) -> Result<(), StoreError> {
        self.query_rows(sql, rows).map(drop)
    }

    /// As `query`, over many rows: each placeholder stands for the array of a column.
    pub(in crate::store) fn query_rows(&self, sql: &str, rows: &[Vec<Value<'_>>]) -> Result<Vec<Row>, StoreError> {
        let kinds: Vec<Type> = rows.first().into_iter().flatten().map(|value| array(value.kind())).collect();
        let column = |at: usize| rows.iter().filter_map(|row| row.get(at).copied()).collect::<Vec<Value<'_>>>();
        let columns: Vec<Vec<Value<'_>>> = (0..kinds.len()).map(column).collect();
        let arguments: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect();
        self.ask(|client| async move {
            let statement = client.prepare_typed_cached(&translated(sql), &kinds).await?;
            client.query(&statement, &arguments).await
        })
    }

    /// Statements without values, in one message.
    pub(in crate::store) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.ask(|client| client.batch_execute(sql))
    }

    /// Gives the connection up: what it holds is in an unknown state.
    pub(super) fn drop_connection(self) {
        self.broken.set(true);
    }
}

fn silent() -> StoreError {
    StoreError::Unavailable(format!("PostgreSQL does not answer for {} seconds", PATIENCE.as_secs()))
}

fn kinds(values: &[Value<'_>]) -> Vec<Type> {
    values.iter().map(Value::kind).collect()
}

fn array(kind: Type) -> Type {
    match kind {
        Type::INT8 => Type::INT8_ARRAY,
        Type::BYTEA => Type::BYTEA_ARRAY,
        _ => Type::TEXT_ARRAY,
    }
}

fn arguments<'v>(values: &'v [Value<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// `?1` as `$1`, and without SQLite's hint for its planner. No text of ours has a question mark in it.
fn translated(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut words = sql.split("INDEXED BY ");
    let mut push = |text: &str| _ = out.write_str(&text.replace('?', "$"));
    push(words.next().unwrap_or_default());
    for after in words {
        push(after.split_once(' ').map_or("", |(_, rest)| rest));
    }
    out
}

/// What a failure means to whoever asked. Only what the verb itself asked for is `Refused`; all else passes: the server is
/// away, restarts, is full, or another transaction was faster.
impl From<Error> for StoreError {
    fn from(error: Error) -> StoreError {
        let Some(told) = error.as_db_error() else {
            return StoreError::Unavailable(words(&error));
        };
        let text = format!("{} ({})", told.message(), told.code().code());
        match told.code() {
            &SqlState::SYNTAX_ERROR | &SqlState::INSUFFICIENT_PRIVILEGE => StoreError::Refused(text),
            code if ["22", "23", "42"].iter().any(|class| code.code().starts_with(class)) => StoreError::Refused(text),
            _ => StoreError::Unavailable(text),
        }
    }
}

/// The last of an error's chain: what lies under all that was tried.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    last.to_string()
}

/// The whole chain of an error's words.
pub(super) fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let _ = write!(text, ": {inner}");
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::translated;

    #[test]
    fn statements_are_translated() {
        let sql = "SELECT min(at) FROM orders INDEXED BY orders_queue WHERE a = ?1 AND b IN (?2, ?12)";
        assert_eq!(translated(sql), "SELECT min(at) FROM orders WHERE a = $1 AND b IN ($2, $12)");
        assert_eq!(translated("FROM orders INDEXED BY orders_queue"), "FROM orders ");
    }
}
