//! Orders on disk. One SQLite file; one writer with group commit; a few readers.
//!
//! `Store` lists the use cases as verbs. Each verb is atomic, and its text says what is true after a crash before and
//! after it. What a verb returns `Ok` for is on disk, flushed.

mod accept;
mod alerts;
mod backup;
mod board;
mod changes;
mod channels;
mod checkpoint;
mod delivery;
mod dictionaries;
mod doubt;
mod erasure;
mod error;
mod incarnation;
mod journal;
mod ledger;
mod looks_back;
mod migrate;
mod nonces;
mod open;
mod operator;
mod operators;
mod overview;
mod pauses;
mod person;
mod readers;
mod records;
mod samples;
mod sessions;
mod space;
mod tokens;
mod turns;
mod updates;
mod wholeness;
mod writer;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::watch;

pub use accept::{Accepted, KeyConflict, NewOrder, NewSubmission};
pub use alerts::{DueAlert, News, Waiting};
pub use backup::{Backup, backup, drill, part_of, restore};
pub use board::{Board, Changed, Pulse};
pub use changes::{DueChange, KeptChange};
pub use channels::{KeptVersion, Version};
pub use delivery::{Intent, Settlement};
pub use dictionaries::{COMPLETE, Recheck, SyncState, Unchecked};
pub use doubt::{Doubtful, RESTORED};
pub use erasure::{Cutoffs, Found};
pub use error::{OpenError, StoreError};
pub use journal::{Attempt, Event, Filter, OrderDetail, Summary, Update};
pub use looks_back::LookBack;
pub use operator::{Revision, Stored};
pub use operators::Operator;
pub use overview::Overview;
pub use pauses::Pause;
pub use person::Person;
pub use records::{problems_from_json, problems_to_json};
pub use samples::Sample;
pub use sessions::{Audited, OpenSession, Session};
pub use space::Space;
pub use tokens::KeptToken;
pub use turns::{TURNS, Turn};
pub use updates::Updated;

use readers::Readers;
use wholeness::End;
use writer::Writer;

use crate::config::StoreSettings;

/// Who opens the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one `serve` of the file: it holds the lock.
    Serve,
    /// A command beside it: short writes, no lock.
    Command,
}

/// The accounts that a caller may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every account, also what belongs to none yet.
    All,
    /// These alone.
    Accounts(Vec<String>),
}

impl Scope {
    /// The accounts that are named; none: all of them.
    #[must_use]
    pub fn names(&self) -> Option<&[String]> {
        match self {
            Scope::All => None,
            Scope::Accounts(names) => Some(names),
        }
    }

    /// Whether an account is in sight.
    #[must_use]
    pub fn sees(&self, account: &str) -> bool {
        match self {
            Scope::All => true,
            Scope::Accounts(names) => names.iter().any(|name| name == account),
        }
    }
}

/// The store.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    writer: Writer,
    readers: Readers,
    board: Board,
    space: Space,
    path: PathBuf,
    /// Until then an order that comes by a key is looked up first: the store was restored.
    careful_until: i64,
    turns: turns::Turns,
    /// Held while `serve` runs; the lock goes with the process, whatever ends it.
    lock: Option<Arc<File>>,
    /// The look at the whole file, after an unclean end.
    look: Option<JoinHandle<()>>,
    /// What it found.
    damage: watch::Sender<Option<String>>,
}

impl Store {
    /// Opens the file, makes it where it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// Another `serve` on the file, a network file system, settings that SQLite did not take, a newer schema, a corrupt
    /// file.
    pub fn open(settings: &StoreSettings, role: Role) -> Result<Store, OpenError> {
        let opened = open::open(settings, role)?;
        let (lock, (damage, _)) = (opened.lock.map(Arc::new), watch::channel(None));
        let look = match (&lock, opened.last) {
            (Some(lock), End::Unclean) => Some(look_through(Arc::clone(lock), settings.path.clone(), damage.clone())?),
            _ => None,
        };
        Ok(Store {
            inner: Arc::new(Inner {
                writer: Writer::start(opened.writer, lock.clone())?,
                readers: opened.readers,
                board: Board::default(),
                space: Space::new(settings),
                path: settings.path.clone(),
                careful_until: opened.careful_until,
                lock,
                look,
                damage,
                turns: turns::Turns::default(),
            }),
        })
    }

    /// Notes that `serve` ended as it should, when nothing writes any more: the next start need not read the whole file.
    pub fn ended(&self) {
        let looked = self.inner.look.as_ref().is_none_or(JoinHandle::is_finished) && self.failure().is_none();
        if let (Some(lock), true, None) = (&self.inner.lock, looked, self.inner.damage.borrow().as_ref()) {
            wholeness::end(lock);
        }
    }

    /// Why the store cannot be trusted any more, if it cannot.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.inner.writer.failure().or_else(|| self.inner.damage.borrow().clone())
    }

    /// What intake and delivery tell each other beside the rows: wake-ups, and whether an account rests.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.inner.board
    }

    /// The disk's free space and its gates.
    #[must_use]
    pub fn space(&self) -> &Space {
        &self.inner.space
    }

    /// Waits until the store cannot be trusted any more: an I/O error, a failed commit, or a damaged file. Then nothing more
    /// is accepted or sent, and the process must end.
    pub async fn broken(&self) -> String {
        let mut damage = self.inner.damage.subscribe();
        tokio::select! {
            reason = self.inner.writer.broken() => reason,
            Ok(found) = damage.wait_for(Option::is_some) => found.clone().unwrap_or_default(),
        }
    }

    /// Checks that a write would be taken, without making one.
    ///
    /// # Errors
    /// As any write.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.write("probe", |_| Ok(())).await
    }

    /// A number that changes whenever the file does, by whichever process.
    ///
    /// # Errors
    /// As any read.
    pub async fn version(&self) -> Result<i64, StoreError> {
        let stored: i64 = self.inner.readers.watch().await?;
        Ok(stored)
    }

    /// Runs a verb in the next transaction; its name is what the crash tests know it by.
    async fn write<T, F>(&self, name: &'static str, verb: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Connection) -> Result<T, StoreError> + Send + 'static,
    {
        if let Some(found) = self.inner.damage.borrow().clone() {
            return Err(StoreError::Broken(found));
        }
        self.inner.writer.submit(name, verb).await
    }

    async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let result = self.inner.readers.read(query).await;
        if let Err(StoreError::Broken(reason)) = &result
            && wholeness::is_damage(reason)
        {
            wholeness::suspect(self.inner.lock.as_deref(), reason);
            self.inner.damage.send_replace(Some(reason.clone()));
        }
        result
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
fn lock_path(settings: &StoreSettings) -> PathBuf {
    let mut path = settings.path.clone().into_os_string();
    path.push(".lock");
    PathBuf::from(path)
}
