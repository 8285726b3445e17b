//! The store in one SQLite file: one writer with group commit, a few readers, one `serve`.

mod backup;
mod checkpoint;
mod mark;
mod migrate;
mod moving;
mod open;
mod readers;
mod space;
mod wholeness;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

pub use backup::{Backup, backup, drill, part_of, restore};
pub(in crate::store) use moving::Source;
pub(super) use space::Space;
pub(super) use wholeness::ADVICE;

use readers::Readers;
use wholeness::End;
use writer::Writer;

use super::group::{Job, Outcome};
use super::sql::Db;
use super::{OpenError, Role, StoreError};
use crate::config::StoreSettings;

#[derive(Debug)]
pub(super) struct Sqlite {
    writer: Writer,
    readers: Readers,
    space: Space,
    path: PathBuf,
    /// Until then an order that comes by a key is looked up first: the store was restored.
    pub(super) careful_until: Arc<AtomicI64>,
    /// Held while `serve` runs; the lock goes with the process, whatever ends it.
    lock: Option<Arc<File>>,
    /// The look at the whole file, after an unclean end.
    look: Option<JoinHandle<()>>,
    /// What it found.
    damage: watch::Sender<Option<String>>,
}

impl Sqlite {
    /// Opens the file, makes it where it is missing, and brings its schema up to date.
    pub(super) fn open(path: &Path, settings: &StoreSettings, role: Role) -> Result<Sqlite, OpenError> {
        let opened = open::open(path, role)?;
        moving::refuse_moved(&opened.writer, path)?;
        let (lock, (damage, _)) = (opened.lock.map(Arc::new), watch::channel(None));
        let look = match (&lock, opened.last) {
            (Some(lock), End::Unclean) => Some(look_through(Arc::clone(lock), path.to_owned(), damage.clone())?),
            _ => None,
        };
        Ok(Sqlite {
            writer: Writer::start(opened.writer, lock.clone())?,
            readers: opened.readers,
            space: Space::new(path, settings),
            path: path.to_owned(),
            careful_until: Arc::new(AtomicI64::new(opened.careful_until)),
            lock,
            look,
            damage,
        })
    }

    /// Notes that `serve` ended as it should, when nothing writes any more: the next start need not read the whole file.
    pub(super) fn ended(&self) {
        let looked = self.look.as_ref().is_none_or(JoinHandle::is_finished) && self.failure().is_none();
        if let (Some(lock), true, None) = (&self.lock, looked, self.damage.borrow().as_ref()) {
            wholeness::end(lock);
        }
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.writer.failure().or_else(|| self.damage.borrow().clone())
    }

    pub(super) async fn broken(&self) -> String {
        let mut damage = self.damage.subscribe();
        tokio::select! {
            reason = self.writer.broken() => reason,
            Ok(found) = damage.wait_for(Option::is_some) => found.clone().unwrap_or_default(),
        }
    }

    pub(super) fn space(&self) -> &Space {
        &self.space
    }

    pub(super) async fn version(&self) -> Result<i64, StoreError> {
        self.readers.watch().await
    }

    pub(super) async fn write<T>(&self, job: Job, outcome: Outcome<T>) -> Result<T, StoreError> {
        if let Some(found) = self.damage.borrow().clone() {
            return Err(StoreError::Broken(found));
        }
        self.writer.submit(job, outcome).await
    }

    pub(super) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let result = self.readers.read(query).await;
        if let Err(StoreError::Broken(reason)) = &result
            && wholeness::is_damage(reason)
        {
            wholeness::suspect(self.lock.as_deref(), reason);
            self.damage.send_replace(Some(reason.clone()));
        }
        result
    }

    /// Brings the log into the file and cuts it to nothing; `false` where somebody reads an older state.
    pub(super) async fn cut_log(&self, wait: Duration) -> Result<bool, StoreError> {
        self.writer.between("cut_log", move |connection| checkpoint::cut(connection, wait)).await
    }

    /// Brings the file's mark up to what is committed. A crash before or within: the mark tells less, which is true as well.
    pub(super) async fn mark(&self) -> Result<(), StoreError> {
        let path = self.path.clone();
        self.readers
            .read(move |db| match db {
                Db::Sqlite(connection) => mark::write_mark(connection, &path)
                    .map_err(|error| StoreError::Unavailable(format!("the mark: {error}"))),
                Db::Postgres(_) => Ok(()),
            })
            .await
    }
}

/// Reads the whole file beside all else.
fn look_through(
    lock: Arc<File>,
    path: PathBuf,
    damage: watch::Sender<Option<String>>,
) -> Result<JoinHandle<()>, OpenError> {
    let look = move || match wholeness::look(&lock, &path) {
        Some(found) => {
            damage.send_replace(Some(found));
        }
        None => tracing::info!("the last end was unclean; the store was read through and is whole"),
    };
    let thread = std::thread::Builder::new().name("store-look".into()).spawn(look);
    thread.map_err(|error| OpenError(format!("no thread for the store: {error}")))
}

/// The file's lock, beside it.
fn lock_path(path: &Path) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(".lock");
    PathBuf::from(path)
}

/// An empty store of this version, for tests of single statements.
#[cfg(test)]
pub(super) fn in_memory() -> rusqlite::Connection {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    migrate::migrate(&mut connection).unwrap();
    connection
}
