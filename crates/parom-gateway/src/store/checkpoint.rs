//! Checkpoints: what the log holds is written back into the file, by the writer alone, between two commits.
//!
//! SQLite's own automatic checkpoint swallows its errors. A disk that fails while the log is written back must be noticed
//! like one that fails in a commit.

use rusqlite::Connection;

use super::StoreError;
use crate::crash;

/// The log is written back when it has so many pages more: 4 MB, as SQLite does by itself.
const PAGES: i64 = 1_000;

/// Writes the log back when it is long enough. A crash within: the log is still there, and the next start reads it.
///
/// # Errors
/// `Unavailable` when there is no room now, and the next commit tries again; `Broken` when the disk fails.
pub(super) fn write_back(connection: &Connection) -> Result<(), StoreError> {
    let (pages, back) = run(connection, "PRAGMA wal_checkpoint(NOOP)")?;
    if pages - back < least() {
        return Ok(());
    }
    crash::point("store.before_checkpoint");
    // Pages that a reader still needs stay in the log until the next time.
    run(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
    crash::point("store.after_checkpoint");
    Ok(())
}

/// Pages in the log, and how many of them are written back.
fn run(connection: &Connection, sql: &str) -> Result<(i64, i64), StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?)
}

fn least() -> i64 {
    #[cfg(debug_assertions)]
    if let Some(pages) = crate::config::checkpoint_pages() {
        return pages;
    }
    PAGES
}
