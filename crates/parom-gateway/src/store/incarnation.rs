//! Whether this file is the one that delivery left: a file that was restored, or put in another's place, has forgotten what
//! was sent since, and everything in it that is not settled is looked up first.
//!
//! Beside the file lies its mark: the file's incarnation and the number of the last event that it was seen to have. The
//! mark only ever tells too little, so a file that is behind it is an older one.

use std::fs;
use std::io::Write;
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
    match reason(connection, path)? {
        Some(reason) => {
            let doubtful = verify_first(connection, clock::now().as_millisecond())?;
            tracing::warn!(
                reason,
                doubtful,
                "the store may have forgotten what was sent; everything is looked up first"
            );
        }
        None if fact(connection, INCARNATION)?.is_none() => {
            // The mark first: a store without one looks like a copy.
            let incarnation = uuid::Uuid::now_v7().to_string();
            told(write(path, &Mark { incarnation: incarnation.clone(), events: 0 }).and_then(|()| flush_folder(path)));
            set(connection, INCARNATION, &incarnation)?;
        }
        None => {}
    }
    told(write_mark(connection, path));
    Ok(())
}

/// A mark that is not written only tells less.
fn told(written: Result<(), std::io::Error>) {
    if let Err(error) = written {
        tracing::warn!(%error, "the store's mark could not be written");
    }
}

/// A command writes before `serve` compares: what it adds must not hide that the file is an older one.
pub(super) fn note(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    if fact(connection, RESTORED)?.is_none()
        && let Some(reason) = reason(connection, path)?
    {
        set(connection, RESTORED, reason)?;
    }
    Ok(())
}

/// Why the file may have forgotten what was sent; nothing where it fits its mark.
fn reason(connection: &Connection, path: &Path) -> Result<Option<&'static str>, OpenError> {
    let (known, events) = (fact(connection, INCARNATION)?, last_event(connection)?);
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
    Ok(match (&known, &mark) {
        _ if fact(connection, RESTORED)?.is_some() => Some("it was restored from a backup"),
        // A store of before there were marks, or a new one.
        (None, None) => None,
        (None, Some(mark)) if mark.events == 0 => None,
        (None, Some(_)) => Some("another file was here before"),
        (Some(_), None) => Some("its mark is missing: it may be a copy"),
        (Some(own), Some(mark)) if *own != mark.incarnation => Some("another file was here before"),
        (Some(_), Some(mark)) if mark.events > events => Some("it is older than its mark"),
        _ => None,
    })
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
    // A payment may have been made since: it is looked for by its mark.
    let sql = "UPDATE changes SET state = 'unconfirmed', looks = 0 WHERE state = 'queued' AND kind = 'payment'";
    transaction.execute(sql, [])?;
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
    Ok(careful(connection)?.map_or(0, |(_, until)| until))
}

/// When the store was restored, and until when that matters, milliseconds.
pub(super) fn careful(connection: &Connection) -> Result<Option<(i64, i64)>, rusqlite::Error> {
    let at = fact(connection, RESTORED_AT)?.and_then(|text| text.parse::<i64>().ok());
    Ok(at.map(|at| (at, at.saturating_add(SENDERS_REPEAT_MS))))
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
    write(path, &Mark { incarnation, events })
}

/// Whole or not at all.
fn write(path: &Path, mark: &Mark) -> Result<(), std::io::Error> {
    let (place, mut fresh) = (mark_path(path), mark_path(path).into_os_string());
    fresh.push(".new");
    let mut file = fs::File::create(&fresh)?;
    file.write_all(format!("{} {}\n", mark.incarnation, mark.events).as_bytes())?;
    file.sync_data()?;
    fs::rename(&fresh, place)
}

fn flush_folder(path: &Path) -> Result<(), std::io::Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
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
