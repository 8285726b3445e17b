//! The store in PostgreSQL, shared by several nodes: lanes to write, a pool to read.

mod bell;
mod identity;
mod lanes;
mod migrate;
mod pool;
mod talk;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use deadpool_postgres::Pool;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::broadcast;

pub(super) use talk::Talk;

use bell::Bell;
use identity::Identity;
use lanes::{LANES, Lanes};

use super::group::{Job, Outcome};
use super::sql::Db;
use super::touched::Touched;
use super::{OpenError, Role, StoreError};
use crate::config::Server;

/// Connections for reading: a slow query of a page must not hold delivery up.
const READERS: usize = 6;

#[derive(Debug)]
pub(super) struct Postgres {
    lanes: Lanes,
    readers: Pool,
    identity: Arc<Identity>,
    bell: Arc<Bell>,
    /// Its name among the nodes; a command has none.
    pub(super) node: Option<String>,
    io: Io,
}

impl Postgres {
    /// Connects, and brings the schema up to date.
    pub(super) fn open(server: &Server, role: Role) -> Result<Postgres, OpenError> {
        let io = Io::start()?;
        let handle = io.handle().clone();
        let identity = Arc::new(Identity::at(pool::place(server)));
        let (writers, readers) = (pool::pool(server, LANES)?, pool::pool(server, READERS)?);
        let first = || {
            if role == Role::Serve {
                pool::wait_for(&readers, &handle, &identity.at);
            }
            pool::talk(&readers, &handle, &identity).map(drop)
        };
        // Whoever opens the store may be on a thread that must not wait; this one may.
        let met = std::thread::scope(|scope| scope.spawn(first).join());
        met.unwrap_or_else(|_| Err(StoreError::Unavailable("the first connection failed".into())))?;
        let me = name();
        let node = (role == Role::Serve).then(|| me.clone());
        let bell = Bell::new(&me, node.as_deref().map(|node| lanes::number(b'n', node)));
        if node.is_some() {
            let listen = || handle.block_on(bell.listen(server));
            let heard = std::thread::scope(|scope| scope.spawn(listen).join());
            heard.unwrap_or_else(|_| Err(OpenError("the session for news failed".into())))?;
        }
        let lanes = Lanes::start(&writers, &handle, &identity, &bell)?;
        Ok(Postgres { lanes, readers, identity, bell, node, io })
    }

    /// Until then an order that comes by a key is looked up first, milliseconds.
    pub(super) fn careful_until(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.identity.careful_until)
    }

    /// Grows with what this node, others and commands tell of.
    pub(super) fn version(&self) -> i64 {
        self.bell.heard.load(Ordering::Acquire)
    }

    /// What others tell from now on.
    pub(super) fn touched(&self) -> broadcast::Receiver<Touched> {
        self.bell.news.subscribe()
    }

    /// The lock that this node's session holds.
    pub(super) fn lock(&self) -> Option<i64> {
        self.bell.lock
    }

    pub(super) async fn write<T>(&self, job: Job, outcome: Outcome<T>) -> Result<T, StoreError> {
        self.lanes.submit(job, outcome).await
    }

    pub(super) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let handle = self.io.handle().clone();
        let (readers, identity) = (self.readers.clone(), Arc::clone(&self.identity));
        let ran = tokio::task::spawn_blocking(move || {
            let talk = pool::talk(&readers, &handle, &identity)?;
            query(&Db::Postgres(&talk))
        });
        ran.await.map_err(|error| StoreError::Unavailable(error.to_string()))?
    }
}

/// One connection for one piece of work, on a thread that may wait.
pub(super) fn with_talk<T>(server: &Server, work: impl FnOnce(&Talk) -> Result<T, StoreError>) -> Result<T, OpenError> {
    let (io, pool) = (Io::start()?, pool::pool(server, 1)?);
    let done = pool::talk(&pool, io.handle(), &Identity::at(pool::place(server))).and_then(|talk| work(&talk));
    done.map_err(|error| OpenError(error.to_string()))
}

/// A name that no other process has: the machine's, and a part of chance.
fn name() -> String {
    let system = rustix::system::uname();
    let machine: String =
        system.nodename().to_string_lossy().chars().filter(char::is_ascii_alphanumeric).take(30).collect();
    let chance = uuid::Uuid::new_v4().simple().to_string();
    format!("{machine}-{}", &chance[..12])
}

/// Serves the connections; its own, so that a verb may wait on whichever thread it runs.
#[derive(Debug)]
struct Io(Option<Runtime>, Handle);

impl Io {
    fn start() -> Result<Io, OpenError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("store-io").enable_all().build();
        let runtime = runtime.map_err(|error| OpenError(format!("no threads for the store: {error}")))?;
        let handle = runtime.handle().clone();
        Ok(Io(Some(runtime), handle))
    }

    fn handle(&self) -> &Handle {
        &self.1
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        // Waiting for it here could be on a thread that must not wait: where the server was not reached, too.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
