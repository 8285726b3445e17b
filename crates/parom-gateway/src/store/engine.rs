//! The two databases behind the verbs, and what each of them needs beside the rows.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use tokio::sync::broadcast::Receiver;

use super::group::{Job, Outcome, Whose};
use super::postgres::Postgres;
use super::sql::Db;
use super::sqlite::{Space, Sqlite};
use super::touched::Touched;
use super::{OpenError, Role, Store, StoreError};
use crate::config::{Place, StoreSettings};

#[derive(Debug)]
pub(super) enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Engine {
    pub(super) fn open(settings: &StoreSettings, role: Role) -> Result<Engine, OpenError> {
        match &settings.place {
            Place::File(path) => Sqlite::open(path, settings, role).map(Engine::Sqlite),
            Place::Server(server) => Postgres::open(server, role).map(Engine::Postgres),
        }
    }

    /// Whether it may be the store of several nodes.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Engine::Postgres(_))
    }

    /// This process's name among the nodes, where several share the store.
    pub(super) fn node(&self) -> Option<&str> {
        match self {
            Engine::Sqlite(_) => None,
            Engine::Postgres(postgres) => postgres.node.as_deref(),
        }
    }

    /// The number of the lock that shows that it is there.
    pub(super) fn lock(&self) -> Option<i64> {
        match self {
            Engine::Sqlite(_) => None,
            Engine::Postgres(postgres) => postgres.lock(),
        }
    }

    /// What other processes tell from now on; a file tells nothing and is looked at.
    pub(super) fn touched(&self) -> Option<Receiver<Touched>> {
        match self {
            Engine::Sqlite(_) => None,
            Engine::Postgres(postgres) => Some(postgres.touched()),
        }
    }

    /// Runs a job in the next transaction.
    pub(super) async fn write<T>(&self, job: Job, outcome: Outcome<T>) -> Result<T, StoreError> {
        match self {
            Engine::Sqlite(sqlite) => sqlite.write(job, outcome).await,
            Engine::Postgres(postgres) => postgres.write(job, outcome).await,
        }
    }

    /// Until then an order that comes by a key is looked up first, milliseconds: the store was restored.
    pub(super) fn careful_until(&self) -> Arc<AtomicI64> {
        match self {
            Engine::Sqlite(sqlite) => Arc::clone(&sqlite.careful_until),
            Engine::Postgres(postgres) => postgres.careful_until(),
        }
    }
}

impl Store {
    /// Notes that `serve` ended as it should, when nothing writes any more: the next start need not read the whole file.
    pub fn ended(&self) {
        if let Engine::Sqlite(sqlite) = &self.inner.engine {
            sqlite.ended();
        }
    }

    /// Why the store cannot be trusted any more, if it cannot. A server that is away is no reason: it comes back.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.failure(),
            Engine::Postgres(_) => None,
        }
    }

    /// Whether there is room on the disk for another order. A server keeps its own disk, and refuses what it has no room for.
    ///
    /// # Errors
    /// Free and needed bytes, when there is none.
    pub fn room_for_intake(&self) -> Result<(), (u64, u64)> {
        self.space().map_or(Ok(()), Space::intake)
    }

    /// Whether there is room to record what is sent.
    ///
    /// # Errors
    /// Free and needed bytes, when there is none.
    pub fn room_for_delivery(&self) -> Result<(), (u64, u64)> {
        self.space().map_or(Ok(()), Space::delivery)
    }

    /// Whether senders will soon be refused for want of room: less than twice what intake needs is free.
    #[must_use]
    pub fn is_disk_low(&self) -> bool {
        self.space().is_some_and(Space::is_low)
    }

    fn space(&self) -> Option<&Space> {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => Some(sqlite.space()),
            Engine::Postgres(_) => None,
        }
    }

    /// Waits until the store cannot be trusted any more: an I/O error, a failed commit, or a damaged file. Then nothing more
    /// is accepted or sent, and the process must end.
    pub async fn broken(&self) -> String {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.broken().await,
            Engine::Postgres(_) => std::future::pending().await,
        }
    }

    /// A number that changes whenever the rows do, by whichever process.
    ///
    /// # Errors
    /// As any read.
    pub async fn version(&self) -> Result<i64, StoreError> {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.version().await,
            Engine::Postgres(postgres) => Ok(postgres.version()),
        }
    }

    /// Brings the mark beside the file up to what is committed; a server needs none.
    ///
    /// # Errors
    /// As any read; a mark that cannot be written.
    pub async fn mark(&self) -> Result<(), StoreError> {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.mark().await,
            Engine::Postgres(_) => Ok(()),
        }
    }

    /// Takes what was erased out of the log that stands beside the rows; `false` where somebody reads an older state: try
    /// again later. A server's log goes by its own settings.
    ///
    /// # Errors
    /// As any write.
    pub(super) async fn cut_log_within(&self, wait: Duration) -> Result<bool, StoreError> {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.cut_log(wait).await,
            Engine::Postgres(_) => Ok(true),
        }
    }

    /// Runs a verb in the next transaction; its name is what the crash tests know it by.
    pub(super) async fn write<T, F>(&self, name: &'static str, whose: Whose, verb: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (job, outcome) = Job::new(name, whose, verb);
        self.inner.engine.write(job, outcome).await
    }

    pub(super) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.read(query).await,
            Engine::Postgres(postgres) => postgres.read(query).await,
        }
    }
}
