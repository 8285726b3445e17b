//! Checkpoints: what the log holds is written back into the file, by the writer alone, between two commits.
//!
//! SQLite's own automatic checkpoint swallows its errors. A disk that fails while the log is written back must be noticed
//! like one that fails in a commit.

use std::time::Duration;

use rusqlite::Connection;

use super::super::StoreError;
use super::open::BUSY;
use crate::crash;

/// The log is written back when it has so many pages more: 16 MB. Pages that many orders write to (indexes) are written back
/// once for all of them.
const PAGES: i64 = 4_000;
/// Where the disk has little room: 4 MB, as SQLite does by itself. A log that took the last of it could not be written back.
const PAGES_OF_LITTLE: i64 = 1_000;
const LITTLE: u64 = 128 << 20;
/// A log of 64 MiB: a reader has held it up, or much came at once. It is begun anew as soon as nobody reads.
const LONG_PAGES: i64 = 16_384;

/// Writes the log back when it is long enough, or at once where the disk had no room: a log that is written back is written
/// over, and needs no more of it. A crash within: the log is still there, and the next start reads it.
///
/// # Errors
/// `Unavailable` when there is no room now, and the next commit tries again; `Broken` when the disk fails.
pub(super) fn write_back(connection: &Connection, at_once: bool) -> Result<(), StoreError> {
    let (pages, back) = run(connection, "PRAGMA wal_checkpoint(NOOP)")?;
    let more = pages - back;
    if more < if at_once { 1 } else { least() } || !at_once && more < PAGES && !is_tight(connection) {
        return Ok(());
    }
    crash::point("store.before_checkpoint");
    // Pages that a reader still needs stay in the log until the next time.
    run(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
    crash::point("store.after_checkpoint");
    if pages >= LONG_PAGES { shorten(connection, pages) } else { Ok(()) }
}

/// Begins a long log anew, if no reader needs it: the writer does not wait for one.
fn shorten(connection: &Connection, pages: i64) -> Result<(), StoreError> {
    if !cut(connection, Duration::ZERO)? && pages % LONG_PAGES < PAGES {
        tracing::warn!(
            pages,
            "a reader keeps the store's log from being begun anew; does a command run for very long?"
        );
    }
    Ok(())
}

/// Brings the log into the file and cuts it to nothing; `false` where somebody read an older state for longer than `wait`.
///
/// # Errors
/// As a commit.
pub(super) fn cut(connection: &Connection, wait: Duration) -> Result<bool, StoreError> {
    connection.busy_timeout(wait)?;
    let cut = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(BUSY)?;
    Ok(cut? == 0)
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
    PAGES_OF_LITTLE
}

/// Whether the log is to be written back early: the disk has little room, or a test asks for it.
fn is_tight(connection: &Connection) -> bool {
    let disk = connection.path().and_then(|path| rustix::fs::statvfs(path).ok());
    least() < PAGES_OF_LITTLE || disk.is_some_and(|disk| disk.f_bavail * disk.f_frsize < LITTLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_cut_off_as_soon_as_nobody_reads() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("a.db");
        let log = || std::fs::metadata(dir.path().join("a.db-wal")).unwrap().len();
        let (writer, reader) = (Connection::open(&path).unwrap(), Connection::open(&path).unwrap());
        writer.execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (x)").unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM t").unwrap();
        writer.execute_batch("INSERT INTO t VALUES (zeroblob(100000))").unwrap();
        shorten(&writer, LONG_PAGES).unwrap();
        assert!(log() > 100_000, "a reader needs it");
        reader.execute_batch("COMMIT").unwrap();
        shorten(&writer, LONG_PAGES).unwrap();
        assert_eq!(log(), 0);
    }
}
