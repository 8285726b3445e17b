//! Whether this file is the one that delivery left: a file that was restored, or put in another's place, has forgotten what
//! was sent since, and everything in it that is not settled is looked up first.
//!
//! Beside the file lies its mark: the file's incarnation and the number of the last event that it was seen to have. The
//! mark only ever tells too little, so a file that is behind it is an older one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::super::facts::{fact, set, verify_first};
use super::super::sql::{Db, params};
use super::super::{OpenError, StoreError};
use super::wholeness;
use crate::clock;

/// The fact that `restore` leaves for the next start.
pub(super) const RESTORED: &str = "restored";
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
            // The doubt writes every order anew that waits: it would hide a damage instead of telling it.
            wholeness::refuse_damaged(path)?;
            let doubtful = doubt_all(connection, clock::now().as_millisecond())?;
            tracing::warn!(
                reason,
                doubtful,
                "the store may have forgotten what was sent; everything is looked up first"
            );
        }
        None if fact(&Db::Sqlite(connection), INCARNATION)?.is_none() => {
            // The mark first: a store without one looks like a copy.
            let incarnation = uuid::Uuid::now_v7().to_string();
            told(write(path, &Mark { incarnation: incarnation.clone(), events: 0 }).and_then(|()| flush_folder(path)));
            set(&Db::Sqlite(connection), INCARNATION, &incarnation)?;
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
    let db = Db::Sqlite(connection);
    if fact(&db, RESTORED)?.is_none()
        && let Some(reason) = reason(connection, path)?
    {
        set(&db, RESTORED, reason)?;
    }
    Ok(())
}

/// Why the file may have forgotten what was sent; nothing where it fits its mark.
fn reason(connection: &Connection, path: &Path) -> Result<Option<&'static str>, OpenError> {
    let db = Db::Sqlite(connection);
    let (known, events) = (fact(&db, INCARNATION)?, last_event(&db)?);
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
        _ if fact(&db, RESTORED)?.is_some() => Some("it was restored from a backup"),
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

/// What may have gone since is looked up first, and the file is another incarnation from now on.
fn doubt_all(connection: &mut Connection, now: i64) -> Result<usize, OpenError> {
    let transaction = connection.transaction()?;
    let db = Db::Sqlite(&transaction);
    let doubtful = verify_first(&db, now)?;
    set(&db, INCARNATION, &uuid::Uuid::now_v7().to_string())?;
    db.execute("DELETE FROM facts WHERE name = ?1", params![RESTORED])?;
    transaction.commit()?;
    Ok(doubtful)
}

fn last_event(db: &Db<'_>) -> Result<i64, StoreError> {
    db.get("SELECT coalesce(max(id), 0) FROM order_events", params![])
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

/// Brings the mark up to what is committed.
pub(super) fn write_mark(connection: &Connection, path: &Path) -> Result<(), std::io::Error> {
    let other = |error: StoreError| std::io::Error::other(error.to_string());
    let db = Db::Sqlite(connection);
    let incarnation = fact(&db, INCARNATION).map_err(other)?.unwrap_or_default();
    let events = last_event(&db).map_err(other)?;
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
