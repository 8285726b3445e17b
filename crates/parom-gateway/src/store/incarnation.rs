//! Whether this file is the one that delivery left: a file that was restored, or put in another's place, has forgotten what
//! was sent since, and everything in it that is not settled is looked up first.
//!
//! Beside the file lies its mark: the file's incarnation and the number of the last event that it was seen to have. The
//! mark only ever tells too little, so a file that is behind it is an older one.

use std::fs;
use std::path::{Path, PathBuf};

use parom_core::delivery::state::State;
use rusqlite::{Connection, OptionalExtension, params};

use super::accept::append_event;
use super::{OpenError, Store, StoreError, ledger};
use crate::clock;

/// Senders repeat a request for so long: what comes by a key may have been sent before the restore.
const SENDERS_REPEAT_MS: i64 = 48 * 3_600_000;
/// The fact that `restore` leaves for the next start.
pub(super) const RESTORED: &str = "restored";
const RESTORED_AT: &str = "restored_at";
const INCARNATION: &str = "incarnation";

/// What the mark says.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    incarnation: String,
    events: i64,
}

/// Compares the file with its mark, and makes what is not settled doubtful where they do not fit. A crash within: the next
/// start does it, perhaps again, which costs look-ups and nothing else.
pub(super) fn meet(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let known = fact(connection, INCARNATION)?;
    let events = last_event(connection)?;
    let mark = read_mark(path);
    if events == 0
        && let Some(mark) = mark.as_ref().filter(|mark| mark.events > 0)
    {
        let (shown, beside) = (path.display(), mark_path(path));
        return Err(OpenError(format!(
            "{shown} is empty, and {} says that it had {} events: restore a backup (parom restore FILE), or remove the \
             mark to begin anew",
            beside.display(),
            mark.events
        )));
    }
    let reason = match (&known, &mark) {
        _ if fact(connection, RESTORED)?.is_some() => Some("it was restored from a backup"),
        // A store of before there were marks, or a new one.
        (None, _) => None,
        (Some(_), None) => Some("its mark is missing: it may be a copy"),
        (Some(own), Some(mark)) if *own != mark.incarnation => Some("another file was here before"),
        (Some(_), Some(mark)) if mark.events > events => Some("it is older than its mark"),
        _ => None,
    };
    match (reason, known) {
        (Some(reason), _) => {
            let doubtful = verify_first(connection, clock::now().as_millisecond())?;
            tracing::warn!(
                reason,
                doubtful,
                "the store may have forgotten what was sent; everything is looked up first"
            );
        }
        (None, None) => set(connection, INCARNATION, &uuid::Uuid::now_v7().to_string())?,
        (None, Some(_)) => {}
    }
    write_mark(connection, path).map_err(|error| OpenError(format!("{}: {error}", mark_path(path).display())))
}

/// Makes every order doubtful that may have gone since, and fills the ledger.
fn verify_first(connection: &mut Connection, now: i64) -> Result<usize, rusqlite::Error> {
    let transaction = connection.transaction()?;
    // What is held or refused may have been released since; a trigger looks it up when it is queued.
    transaction.execute("UPDATE orders SET restored = 1 WHERE state IN ('held', 'rejected')", [])?;
    let seqs: Vec<i64> = transaction
        .prepare("SELECT seq FROM orders WHERE state = 'queued' ORDER BY seq")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for seq in &seqs {
        let sql = "UPDATE orders SET state = 'unconfirmed', reason = 'restored', updated_at = ?2 WHERE seq = ?1";
        transaction.execute(sql, params![seq, now])?;
        let note = "the store was restored: it is looked up before it goes";
        append_event(&transaction, *seq, now, State::Unconfirmed, "delivery", note).map_err(not_kept)?;
    }
    ledger::fill(&transaction)?;
    set(&transaction, INCARNATION, &uuid::Uuid::now_v7().to_string())?;
    set(&transaction, RESTORED_AT, &now.to_string())?;
    transaction.execute("DELETE FROM facts WHERE name = ?1", [RESTORED])?;
    transaction.commit()?;
    Ok(seqs.len())
}

fn not_kept(error: StoreError) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

/// Until when an order that comes by a key is looked up first, milliseconds; 0 where nothing was restored.
pub(super) fn careful_until(connection: &Connection) -> Result<i64, rusqlite::Error> {
    let at = fact(connection, RESTORED_AT)?.and_then(|text| text.parse::<i64>().ok());
    Ok(at.map_or(0, |at| at.saturating_add(SENDERS_REPEAT_MS)))
}

pub(super) fn fact(connection: &Connection, name: &str) -> Result<Option<String>, rusqlite::Error> {
    connection.query_row("SELECT value FROM facts WHERE name = ?1", [name], |row| row.get(0)).optional()
}

pub(super) fn set(connection: &Connection, name: &str, value: &str) -> Result<(), rusqlite::Error> {
    let sql = "INSERT INTO facts (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
    connection.execute(sql, params![name, value]).map(|_| ())
}

fn last_event(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.query_row("SELECT coalesce(max(id), 0) FROM order_events", [], |row| row.get(0))
}

/// Where a file's mark lies.
pub(super) fn mark_path(path: &Path) -> PathBuf {
    let mut beside = path.to_owned().into_os_string();
    beside.push(".mark");
    PathBuf::from(beside)
}

fn read_mark(path: &Path) -> Option<Mark> {
    let text = fs::read_to_string(mark_path(path)).ok()?;
    let (incarnation, events) = text.trim().split_once(' ')?;
    Some(Mark { incarnation: incarnation.to_owned(), events: events.parse().ok()? })
}

fn write_mark(connection: &Connection, path: &Path) -> Result<(), std::io::Error> {
    let other = |error: rusqlite::Error| std::io::Error::other(error.to_string());
    let incarnation = fact(connection, INCARNATION).map_err(other)?.unwrap_or_default();
    let events = last_event(connection).map_err(other)?;
    let (place, mut fresh) = (mark_path(path), mark_path(path).into_os_string());
    fresh.push(".new");
    // Whole or not at all; if a power cut takes it back, it only tells less.
    fs::write(&fresh, format!("{incarnation} {events}\n"))?;
    fs::rename(&fresh, place)
}

impl Store {
    /// Brings the mark up to what is committed. A crash before or within: the mark tells less, which is true as well.
    ///
    /// # Errors
    /// As any read; a mark that cannot be written.
    pub async fn mark(&self) -> Result<(), StoreError> {
        let path = self.inner.path.clone();
        self.read(move |connection| {
            write_mark(connection, &path).map_err(|error| StoreError::Unavailable(format!("the mark: {error}")))
        })
        .await
    }
}
