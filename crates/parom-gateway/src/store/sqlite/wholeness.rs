//! Whether the file is whole. After an unclean end it is read through beside intake, and a file that was found damaged is
//! not opened for writing again.
//!
//! The lock's file keeps how the last `serve` ended: empty while one runs, so that any end but a clean one leaves it empty.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::super::OpenError;

const CLEAN: &str = "clean";
const DAMAGED: &str = "damaged";
/// What an operator does with a damaged file.
pub(in crate::store) const ADVICE: &str = "the file is damaged: keep it as it is, and start from a backup";

/// How the last `serve` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Clean,
    Unclean,
}

/// Notes that a `serve` runs now, and tells how the last one ended. A file that was found damaged is looked at again first:
/// it may have been replaced.
pub(super) fn begin(lock: &mut File, path: &Path) -> Result<End, OpenError> {
    let mut text = String::new();
    let read = lock.rewind().and_then(|()| lock.read_to_string(&mut text));
    // A lock that cannot be read says nothing: then the file is looked at.
    let was = read.map_or("", |_| text.trim());
    if was == DAMAGED && path.exists() {
        refuse_damaged(path)?;
    }
    note(lock, "");
    let new = std::fs::metadata(path).map_or(true, |file| file.len() == 0);
    Ok(if was == CLEAN || new { End::Clean } else { End::Unclean })
}

/// Reads the whole file before anything is written to it.
pub(super) fn refuse_damaged(path: &Path) -> Result<(), OpenError> {
    let refused = |found| OpenError(format!("{}: {ADVICE} ({found})", path.display()));
    damage(path).map_or(Ok(()), |found| Err(refused(found)))
}

/// Notes a clean end.
pub(super) fn end(lock: &File) {
    note(lock, CLEAN);
}

/// Reads the whole file; what is wrong with it. A damage is noted, so that the next start does not write.
pub(super) fn look(lock: &File, path: &Path) -> Option<String> {
    let found = damage(path)?;
    note(lock, DAMAGED);
    Some(format!("{}: {ADVICE} ({found})", path.display()))
}

/// Whether an error's words tell of a damaged file.
pub(super) fn is_damage(reason: &str) -> bool {
    reason.contains(ADVICE)
}

/// Notes a damage that a query or a commit met, so that the next start looks before it writes.
pub(super) fn suspect(lock: Option<&File>, reason: &str) {
    if let (Some(lock), true) = (lock, is_damage(reason)) {
        note(lock, DAMAGED);
    }
}

fn damage(path: &Path) -> Option<String> {
    match quick_check(path) {
        Ok(answer) if answer == "ok" => None,
        Ok(answer) => Some(answer),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Some(error.to_string()),
            _ => {
                tracing::warn!(%error, "the store could not be read through");
                None
            }
        },
    }
}

/// On a connection for reading alone SQLite looks at no CHECK: an order in a state that no query finds would pass. This one
/// may write, and does not: neither a statement, nor what lies in the log when it is closed.
fn quick_check(path: &Path) -> Result<String, rusqlite::Error> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "query_only", 1)?;
    connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
}

/// A note that cannot be written costs one look more at the next start.
fn note(mut lock: &File, text: &str) {
    let noted = lock.set_len(0).and_then(|()| lock.write_all(text.as_bytes())).and_then(|()| lock.sync_data());
    if let Err(error) = noted {
        tracing::warn!(%error, "the lock's file could not be written");
    }
}
