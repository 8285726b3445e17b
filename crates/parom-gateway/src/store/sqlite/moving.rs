//! A file whose rows are moved elsewhere.

use std::fs::File;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};

use super::super::moving::Cell;
use super::super::{OpenError, Role, StoreError};
use super::{open, wholeness};

/// The fact that says that a move began, with a name for it, and the one that says when it ended.
const BEGUN: &str = "moving";
const ENDED: &str = "moved";

/// What a command hears that opened the file before.
const SHUT: &str = "
    CREATE TRIGGER moved_insert BEFORE INSERT ON orders BEGIN SELECT RAISE(ABORT, 'the orders were moved to PostgreSQL'); END;
    CREATE TRIGGER moved_update BEFORE UPDATE ON orders BEGIN SELECT RAISE(ABORT, 'the orders were moved to PostgreSQL'); END;";

/// The file, under its lock, read as it was when it was opened.
pub(in crate::store) struct Source {
    connection: Connection,
    lock: Option<File>,
}

impl Source {
    /// Opens it as `serve` would: nobody else does meanwhile, and it is whole.
    pub(in crate::store) fn open(path: &Path) -> Result<Source, OpenError> {
        if !path.is_file() {
            return Err(OpenError(format!("{}: there is no such file", path.display())));
        }
        let opened = open::open(path, Role::Serve)?;
        if let Some(what) = opened.lock.as_ref().and_then(|lock| wholeness::look(lock, path)) {
            return Err(OpenError(format!("{} is damaged ({what}): move a backup that is whole", path.display())));
        }
        Ok(Source { connection: opened.writer, lock: opened.lock })
    }

    /// The name of a move that was begun before.
    ///
    /// # Errors
    /// A move that ended.
    pub(in crate::store) fn begun(&self, path: &Path) -> Result<Option<String>, OpenError> {
        if moved(&self.connection, ENDED)?.is_some() {
            refuse_moved(&self.connection, path)?;
        }
        moved(&self.connection, BEGUN)
    }

    /// Lets no command write while the rows are read: it would write behind what was read already.
    pub(in crate::store) fn hold(&self) -> Result<(), OpenError> {
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// Notes that a move begins, or has begun, and shuts the file for commands that have it open; its name. A crash before: it
    /// is as it was.
    pub(in crate::store) fn begin(&self) -> Result<String, OpenError> {
        let name = match moved(&self.connection, BEGUN)? {
            Some(begun) => begun,
            None => {
                let name = uuid::Uuid::new_v4().to_string();
                self.connection.execute("INSERT INTO facts (name, value) VALUES (?1, ?2)", (BEGUN, &name))?;
                self.connection.execute_batch(SHUT)?;
                name
            }
        };
        self.connection.execute_batch("COMMIT")?;
        Ok(name)
    }

    /// Notes that it ended.
    pub(in crate::store) fn end(&self, at: Timestamp) -> Result<(), OpenError> {
        let sql = "INSERT INTO facts (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
        self.connection.execute(sql, (ENDED, at.to_string()))?;
        self.lock.as_ref().inspect(|lock| wholeness::end(lock));
        Ok(())
    }

    /// That every table of the file is one of these.
    pub(in crate::store) fn knows_only(&self, tables: &[&str]) -> Result<(), OpenError> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut names = self.connection.prepare(sql)?;
        for name in names.query_map([], |row| row.get::<_, String>(0))? {
            let name = name?;
            if !tables.contains(&name.as_str()) {
                return Err(OpenError(format!("the table {name} has no place in PostgreSQL: use the newest parom")));
            }
        }
        Ok(())
    }

    pub(in crate::store) fn count(&self, table: &str) -> Result<u64, OpenError> {
        let count: i64 = self.connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// What the file knows of itself, but for its move.
    pub(in crate::store) fn facts(&self) -> Result<Vec<(String, String)>, OpenError> {
        let mut facts = self.connection.prepare("SELECT name, value FROM facts WHERE name NOT IN (?1, ?2)")?;
        let facts = facts.query_map([BEGUN, ENDED], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(facts.collect::<Result<_, _>>()?)
    }

    /// Each row of a table, by these columns.
    pub(in crate::store) fn rows(
        &self,
        table: &str,
        columns: &[String],
        each: &mut dyn FnMut(Vec<Cell>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut all = self.connection.prepare(&format!("SELECT {} FROM {table}", columns.join(", ")))?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let cell = |at: usize| {
                Ok(match row.get_ref(at)? {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(number) => Cell::Int(number),
                    ValueRef::Text(bytes) => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
                    ValueRef::Blob(bytes) => Cell::Blob(bytes.to_owned()),
                    ValueRef::Real(number) => Cell::Text(number.to_string()),
                })
            };
            each((0..columns.len()).map(cell).collect::<Result<_, rusqlite::Error>>()?)?;
        }
        Ok(())
    }
}

/// Why nothing may be done with the file any more.
pub(super) fn refuse_moved(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let shown = path.display();
    if let Some(at) = moved(connection, ENDED)? {
        return Err(OpenError(format!(
            "{shown} was moved to PostgreSQL ({at}): name that one in store.url; this file is kept for looking back only"
        )));
    }
    if moved(connection, BEGUN)?.is_some() {
        return Err(OpenError(format!(
            "{shown}: a move to PostgreSQL was begun and not ended: run `parom migrate sqlite-to-postgres` again"
        )));
    }
    Ok(())
}

fn moved(connection: &Connection, what: &str) -> Result<Option<String>, OpenError> {
    Ok(connection.query_row("SELECT value FROM facts WHERE name = ?1", [what], |row| row.get(0)).optional()?)
}
