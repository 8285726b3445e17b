//! A consistent copy of the file while it is in use, and the way back. Nothing is replaced before its successor is whole,
//! checked and flushed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::super::OpenError;
use super::super::facts::set;
use super::super::sql::Db;
use super::open::lock_file;
use super::{mark, migrate};
use crate::{clock, crash};

/// What a backup holds.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Its size.
    pub bytes: u64,
    /// Orders by state.
    pub orders: Vec<(String, u64)>,
    /// When the newest of them came, milliseconds; none without orders.
    pub newest_at: Option<i64>,
    /// Where the store that was there before lies now; restores alone.
    pub before: Option<PathBuf>,
}

/// Where a backup grows until it is whole.
#[must_use]
pub fn part_of(to: &Path) -> PathBuf {
    with_ending(to, ".part")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(ending);
    PathBuf::from(name)
}

/// Copies the store, checks the copy and puts it in place. A crash leaves the earlier file as it was, or the new one whole.
///
/// # Errors
/// What stood in the way, and what to do.
pub fn backup(store: &Path, to: &Path) -> Result<Backup, OpenError> {
    let from = store;
    if !from.exists() {
        return Err(OpenError(format!("{}: there is no store yet (store.url)", from.display())));
    }
    if same_file(from, to) {
        return Err(OpenError(format!("{} is the store itself: name another file", to.display())));
    }
    if to.exists() && !is_database(to) {
        return Err(OpenError(format!("{} is there already and is no backup: name another file", to.display())));
    }
    let part = part_of(to);
    copy(from, &part)?;
    crash::point("backup.after_copy");
    let (connection, mut held) = inspect(&part)?;
    drop(connection);
    flush(&part)?;
    crash::point("backup.before_rename");
    put(&part, to)?;
    crash::point("backup.after_rename");
    held.bytes = size(to);
    Ok(held)
}

/// Puts a backup in the store's place. What is not settled in it is looked up in the CRM before anything is sent. A crash
/// leaves the store that was there, or the restored one.
///
/// # Errors
/// A running `serve`, a damaged backup, or what else stood in the way, and what to do.
pub fn restore(store: &Path, from: &Path) -> Result<Backup, OpenError> {
    let _lock = lock_file(store)?;
    let path = store;
    if same_file(from, path) {
        return Err(OpenError(format!("{} is the store itself", from.display())));
    }
    let fresh = with_ending(path, ".restoring");
    let mut held = prepare(from, &fresh)?;
    crash::point("restore.after_copy");
    held.before = set_aside(path)?;
    crash::point("restore.before_rename");
    put(&fresh, path)?;
    crash::point("restore.after_rename");
    held.bytes = size(path);
    Ok(held)
}

/// Does all of a restore but the last step, and leaves nothing: whether a backup would do.
///
/// # Errors
/// As a restore.
pub fn drill(store: &Path, from: &Path) -> Result<Backup, OpenError> {
    let fresh = with_ending(store, ".drill");
    let held = prepare(from, &fresh).map(|held| Backup { bytes: size(&fresh), ..held });
    let _ = fs::remove_file(&fresh);
    held
}

/// A checked copy that knows that it was restored.
fn prepare(from: &Path, fresh: &Path) -> Result<Backup, OpenError> {
    if !from.exists() {
        return Err(OpenError(format!("{}: there is no such file", from.display())));
    }
    copy(from, fresh)?;
    let (mut connection, held) = inspect(fresh)?;
    migrate::migrate(&mut connection)?;
    set(&Db::Sqlite(&connection), mark::RESTORED, &clock::now().to_string())?;
    drop(connection);
    flush(fresh)?;
    Ok(held)
}

fn copy(from: &Path, to: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::OpenOptionsExt;
    let _ = fs::remove_file(to);
    // For its owner alone, as the store is: it holds buyers' data.
    File::options().create_new(true).write(true).mode(0o600).open(to).map_err(|error| named(to, &error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let copied = Connection::open_with_flags(from, flags).and_then(|connection| {
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute("VACUUM INTO ?1", [to.to_string_lossy()])
    });
    copied.map(|_| ()).map_err(|error| {
        for left in [to.to_owned(), with_ending(to, "-journal")] {
            let _ = fs::remove_file(left);
        }
        OpenError(format!("{}: {error}; it cannot be copied", from.display()))
    })
}

/// Opens a copy and reads it through.
fn inspect(path: &Path) -> Result<(Connection, Backup), OpenError> {
    let damaged = |what: String| {
        let _ = fs::remove_file(path);
        OpenError(format!("the copy is damaged ({what}): nothing was replaced; use an older backup"))
    };
    let connection = Connection::open(path).map_err(|error| damaged(error.to_string()))?;
    let found: String = connection
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if found != "ok" {
        return Err(damaged(found));
    }
    let held = read(&connection).map_err(|error| damaged(error.to_string()))?;
    Ok((connection, held))
}

fn read(connection: &Connection) -> Result<Backup, rusqlite::Error> {
    let mut statement = connection.prepare("SELECT state, count(*) FROM orders GROUP BY state ORDER BY state")?;
    let count = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()));
    let orders = statement.query_map([], count)?.collect::<Result<_, _>>()?;
    let newest_at = connection.query_row("SELECT max(received_at) FROM orders", [], |row| row.get(0))?;
    Ok(Backup { bytes: 0, orders, newest_at, before: None })
}

/// The store that is there keeps another name beside; its log is written into it first, or goes with it.
fn set_aside(path: &Path) -> Result<Option<PathBuf>, OpenError> {
    if !path.exists() {
        return Ok(None);
    }
    let stamp = clock::now().strftime("%Y%m%d-%H%M%S").to_string();
    let beside = with_ending(path, &format!(".before-restore-{stamp}"));
    if let Ok(connection) = Connection::open(path) {
        let held = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        // A damaged file answers an error: its log goes with it.
        if held.is_ok_and(|held| held) {
            return Err(OpenError(format!("a command uses {}: wait until it has ended", path.display())));
        }
    }
    // The old log must not be played into the new file.
    for ending in ["-wal", "-shm"] {
        let log = with_ending(path, ending);
        if log.exists() {
            fs::rename(&log, with_ending(&beside, ending)).map_err(|error| named(&log, &error))?;
        }
    }
    if fs::hard_link(path, &beside).is_err() {
        fs::copy(path, &beside).map_err(|error| named(&beside, &error))?;
    }
    Ok(Some(beside))
}

fn flush(path: &Path) -> Result<(), OpenError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| named(path, &error))
}

fn put(from: &Path, to: &Path) -> Result<(), OpenError> {
    fs::rename(from, to).map_err(|error| named(to, &error))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    flush(folder)
}

fn named(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError(format!("{}: {error}", path.display()))
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

fn is_database(path: &Path) -> bool {
    use std::io::Read;
    let mut start = [0u8; 16];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"SQLite format 3\0"
}

fn same_file(left: &Path, right: &Path) -> bool {
    matches!((left.canonicalize(), right.canonicalize()), (Ok(left), Ok(right)) if left == right)
}
