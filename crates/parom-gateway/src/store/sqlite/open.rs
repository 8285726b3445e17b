//! Opening the file: its lock, its file system, its settings and its schema.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock, statfs};

use super::super::facts::careful_until;
use super::super::sql::Db;
use super::super::{OpenError, Role};
use super::readers::Readers;
use super::wholeness::{self, End};
use super::{lock_path, mark, migrate};

/// The oldest SQLite that is trusted: 3.51.3 mended a fault of write-ahead logs.
const SQLITE_MIN: i32 = 3_051_003;
const READERS: usize = 4;
/// A command waits this long for `serve` to finish a commit.
pub(super) const BUSY: Duration = Duration::from_secs(5);

pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) readers: Readers,
    pub(super) lock: Option<File>,
    pub(super) careful_until: i64,
    /// How the last `serve` on the file ended; a command does not ask.
    pub(super) last: End,
}

pub(super) fn open(path: &Path, role: Role) -> Result<Opened, OpenError> {
    if rusqlite::version_number() < SQLITE_MIN {
        return Err(OpenError(format!("SQLite {} is too old: 3.51.3 or newer is needed", rusqlite::version())));
    }
    let (lock, last) = match role {
        Role::Serve => {
            let mut lock = lock_file(path)?;
            let last = wholeness::begin(&mut lock, path)?;
            (Some(lock), last)
        }
        Role::Command => (None, End::Clean),
    };
    match open_file(path, role) {
        Ok((writer, readers, careful_until)) => Ok(Opened { writer, readers, lock, careful_until, last }),
        Err(error) => {
            // The next start looks before it writes.
            wholeness::suspect(lock.as_ref(), &error.0);
            Err(error)
        }
    }
}

/// The connections, and until when what comes by a key is looked up first.
fn open_file(path: &Path, role: Role) -> Result<(Connection, Readers, i64), OpenError> {
    let named = |error: rusqlite::Error| OpenError(format!("{}: {}", path.display(), OpenError::from(error)));
    create(path)?;
    file_system(path)?;
    let mut writer = Connection::open(path).map_err(named)?;
    configure(&writer, false)?;
    migrate::migrate(&mut writer).map_err(|error| OpenError(format!("{}: {error}", path.display())))?;
    match role {
        Role::Serve => mark::meet(&mut writer, path)?,
        Role::Command => mark::note(&writer, path)?,
    }
    let careful_until = careful_until(&Db::Sqlite(&writer))?;
    // Checkpoints are the server's alone, and its own (`checkpoint`): a command that copies pages could hold its writer up.
    writer.pragma_update(None, "wal_autocheckpoint", 0)?;
    let readers = (0..READERS).map(|_| reader(path)).collect::<Result<Vec<_>, _>>()?;
    Ok((writer, Readers::new(readers, reader(path)?), careful_until))
}

fn reader(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection, true)?;
    Ok(connection)
}

/// Makes the file readable for its owner alone: it holds buyers' data.
fn create(path: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::OpenOptionsExt;
    let opened = File::options().create(true).append(true).mode(0o600).open(path);
    opened.map(|_| ()).map_err(|error| {
        OpenError(format!("{}: {error}; the folder must exist and be writable (store.url)", path.display()))
    })
}

pub(super) fn lock_file(store: &Path) -> Result<File, OpenError> {
    let path = lock_path(store);
    let shown = path.display();
    let file = File::options().create(true).read(true).append(true).open(&path);
    let file = file.map_err(|error| OpenError(format!("{shown}: {error}; the folder must exist and be writable")))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        OpenError(format!("{}: another `parom serve` runs on this store; stop it first", store.display()))
    })?;
    Ok(file)
}

/// A write-ahead log needs shared memory and locks that network file systems do not keep.
fn file_system(path: &Path) -> Result<(), OpenError> {
    let Ok(stat) = statfs(path) else {
        return Ok(());
    };
    let kind = i128::from(stat.f_type) & 0xffff_ffff;
    let shown = path.display();
    let refused = match kind {
        0x6969 => Some("NFS"),
        0xff53_4d42 | 0xfe53_4d42 | 0x517b => Some("a Windows share"),
        0x0102_1997 => Some("9p"),
        _ => None,
    };
    if let Some(name) = refused {
        return Err(OpenError(format!("{shown} lies on {name}, where SQLite can lose data; use a local disk")));
    }
    match kind {
        0x6573_5546 => {
            tracing::warn!(file = %shown, "the store lies on a FUSE file system: make sure that it flushes")
        }
        0x794c_7630 => {
            tracing::warn!(file = %shown, "the store lies on an overlay: a container's own layer is not kept")
        }
        _ => {}
    }
    Ok(())
}

/// Sets and reads back: a setting that silently did not take is a promise broken.
fn configure(connection: &Connection, read_only: bool) -> Result<(), OpenError> {
    connection.set_prepared_statement_cache_capacity(64);
    let mode: String = if read_only {
        connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?
    } else {
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?
    };
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(OpenError(format!("SQLite keeps journal_mode={mode}; the store needs WAL")));
    }
    let settings: [(&str, i64); 8] = [
        ("synchronous", synchronous()),
        ("foreign_keys", 1),
        ("busy_timeout", i64::try_from(BUSY.as_millis()).unwrap_or(i64::MAX)),
        ("mmap_size", 0),
        ("cell_size_check", 1),
        ("trusted_schema", 0),
        ("secure_delete", 1),
        // In memory: what a verb's savepoint keeps of each page would go through a file.
        ("temp_store", 2),
    ];
    for (name, value) in settings {
        connection.pragma_update(None, name, value).or_else(ignore_result_rows)?;
        let kept: i64 = connection.pragma_query_value(None, name, |row| row.get(0))?;
        if kept != value {
            return Err(OpenError(format!("SQLite keeps {name}={kept} where {value} was set")));
        }
    }
    if cfg!(target_os = "macos") {
        connection.pragma_update(None, "fullfsync", 1)?;
    }
    // Else statements are prepared anew whenever a value that is bound could choose another index.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, !read_only)?;
    // A few readers, whose default of 2 MB each would show in the memory bar; and one writer, which keeps the pages of a busy
    // store's indexes: what it has to read again costs more than all else.
    connection.pragma_update(None, "cache_size", if read_only { -512 } else { -16_384 })?;
    if read_only {
        connection.pragma_update(None, "query_only", 1)?;
    }
    Ok(())
}

/// FULL: a commit is flushed before it is answered. The power-cut test shows what happens without.
fn synchronous() -> i64 {
    #[cfg(debug_assertions)]
    if crate::config::is_careless() {
        return 1;
    }
    2
}

/// Some pragmas answer with the value that they took.
fn ignore_result_rows(error: rusqlite::Error) -> Result<(), rusqlite::Error> {
    if matches!(error, rusqlite::Error::ExecuteReturnedResults) { Ok(()) } else { Err(error) }
}
