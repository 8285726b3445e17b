//! From a SQLite file to PostgreSQL: every row, once. The file is locked while it is read, and says that it moves before the
//! commit is asked for: from then on no `serve` starts on it, so no order can go from both. Whatever is refused before leaves
//! it as it was.

use std::path::Path;

use super::facts::{fact, set};
use super::postgres::{self, Talk};
use super::sql::{Bind, Db, Kind, Value, params};
use super::sqlite::Source;
use super::{OpenError, StoreError, ledger};
use crate::clock;
use crate::config::Server;

/// What PostgreSQL has for itself: its nodes and steps, requests by its own clock, marks by its own transactions, and the
/// channels, which are files before; Nova Poshta's directory is fetched anew. Without a mark, alerts tell once more of all that waits for a person.
const OWN: &[&str] = &[
    "nodes",
    "leases",
    "channels",
    "schema_steps",
    "crm_requests",
    "alert_mark",
    "transitions",
    "facts",
    "novaposhta",
    "novaposhta_pages",
];
/// The fact that names the file that was moved here.
const MOVED_FROM: &str = "moved_from";

/// Rows that were moved, by table.
pub type Moved = Vec<(String, u64)>;

/// Moves all rows of a file into an empty database; `told` hears of each table how many rows of how many are there.
/// A crash before the commit: nothing is moved, and the command begins anew. After it: the command only notes the end.
///
/// # Errors
/// A running `serve` on the file, a database that is not empty, and as any read and write.
pub fn move_to_postgres(
    file: &Path,
    server: &Server,
    told: &mut dyn FnMut(&str, u64, u64),
) -> Result<Moved, OpenError> {
    let source = Source::open(file)?;
    postgres::with_talk(server, |talk| {
        let begun = source.begun(file).map_err(refused)?;
        // Cut off after the commit was asked for: perhaps all is there.
        if begun.is_none() || fact(&Db::Postgres(talk), MOVED_FROM)? != begun {
            copy(&source, talk, told)?;
        }
        crate::crash::point("migrate.after_commit");
        source.end(clock::now()).map_err(refused)?;
        tables(talk)?.iter().map(|table| Ok((table.name.clone(), count(talk, &table.name)?))).collect()
    })
}

fn refused(error: OpenError) -> StoreError {
    StoreError::Refused(error.0)
}

struct Table {
    name: String,
    columns: Vec<(String, Kind)>,
}

/// The tables that are moved, as PostgreSQL has them.
fn tables(talk: &Talk) -> Result<Vec<Table>, StoreError> {
    let sql = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT)
               FROM information_schema.columns WHERE table_schema = current_schema()
                 AND NOT EXISTS (SELECT 1 FROM pg_inherits i JOIN pg_class part ON part.oid = i.inhrelid
                                 WHERE part.relname = table_name)
               ORDER BY table_name, ordinal_position";
    let mut tables: Vec<Table> = Vec::new();
    let rows = Db::Postgres(talk)
        .query(sql, params![], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<String>(2)?)))?;
    for (table, column, kind) in rows {
        // The transaction that wrote a row is PostgreSQL's.
        if OWN.contains(&table.as_str()) || (table == "order_events" && column == "tx") {
            continue;
        }
        let kind = match kind.as_str() {
            "bigint" => Kind::Int,
            "bytea" => Kind::Blob,
            _ => Kind::Text,
        };
        if tables.last().is_none_or(|last| last.name != table) {
            tables.push(Table { name: table, columns: Vec::new() });
        }
        if let Some(last) = tables.last_mut() {
            last.columns.push((column, kind));
        }
    }
    Ok(tables)
}

fn count(talk: &Talk, table: &str) -> Result<u64, StoreError> {
    let count: i64 = Db::Postgres(talk).get(&format!("SELECT count(*) FROM {table}"), params![])?;
    Ok(u64::try_from(count).unwrap_or_default())
}

fn copy(source: &Source, talk: &Talk, told: &mut dyn FnMut(&str, u64, u64)) -> Result<(), StoreError> {
    let db = Db::Postgres(talk);
    source.hold().map_err(refused)?;
    talk.be_patient(true);
    talk.batch("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")?;
    talk.batch("SELECT pg_advisory_xact_lock(0)")?;
    let tables = tables(talk)?;
    for table in &tables {
        if count(talk, &table.name)? > 0 {
            return Err(StoreError::Refused(format!(
                "the database of store.url is not empty ({} has rows): give it one of its own, or empty this one",
                table.name
            )));
        }
    }
    let known: Vec<&str> = tables.iter().map(|table| table.name.as_str()).chain(OWN.iter().copied()).collect();
    source.knows_only(&known).map_err(refused)?;
    for table in &tables {
        fill(source, talk, table, told)?;
    }
    for (name, value) in source.facts().map_err(refused)? {
        set(&db, &name, &value)?;
    }
    // Nothing is known of the last minute by this server's clock: every place counts as taken.
    ledger::fill(&db)?;
    set(&db, MOVED_FROM, &source.begin().map_err(refused)?)?;
    crate::crash::point("migrate.before_commit");
    talk.batch("COMMIT")
}

/// One table, row by row, and the numbers that its next rows get.
fn fill(source: &Source, talk: &Talk, table: &Table, told: &mut dyn FnMut(&str, u64, u64)) -> Result<(), StoreError> {
    let db = Db::Postgres(talk);
    let names: Vec<String> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let places: Vec<String> = (1..=names.len()).map(|at| format!("?{at}")).collect();
    let sql = format!(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
        table.name,
        names.join(", "),
        places.join(", ")
    );
    let whole = source.count(&table.name).map_err(refused)?;
    let mut moved = 0;
    source.rows(&table.name, &names, &mut |row| {
        let values: Vec<Value<'_>> =
            row.iter().zip(&table.columns).map(|(cell, (_, kind))| cell.bind_as(*kind)).collect();
        db.execute(&sql, &values)?;
        moved += 1;
        if moved % 1_000 == 0 || moved == whole {
            told(&table.name, moved, whole);
        }
        Ok(())
    })?;
    if moved != whole || count(talk, &table.name)? != whole {
        return Err(StoreError::Refused(format!("{}: {moved} of {whole} rows came over", table.name)));
    }
    let sql = "SELECT CAST(column_name AS TEXT) FROM information_schema.columns
               WHERE table_schema = current_schema() AND table_name = ?1 AND is_identity = 'YES'";
    if let Some(column) = db.first(sql, params![table.name], |row| row.get::<String>(0))? {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{0}', '{column}'), (SELECT coalesce(max({column}), 0) + 1 FROM {0}), false)",
            table.name
        );
        let _: i64 = db.get(&sql, params![])?;
    }
    Ok(())
}

/// A cell of the file, as it lies there.
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Cell {
    fn bind_as(&self, kind: Kind) -> Value<'_> {
        match self {
            Cell::Null => Value::Null(kind),
            Cell::Int(number) => number.bind(),
            Cell::Text(text) => text.bind(),
            Cell::Blob(bytes) => Value::Blob(bytes),
        }
    }
}
