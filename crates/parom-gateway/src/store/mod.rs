//! Orders on disk: in one SQLite file, or in a PostgreSQL that several nodes share.
//!
//! `Store` lists the use cases as verbs. Each verb is atomic, and its text says what is true after a crash before and
//! after it. What a verb returns `Ok` for is on disk, flushed. A verb is written once; `engine` runs it on either database.

mod accept;
mod alerts;
mod asked;
mod board;
mod bulk;
mod changes;
mod channels;
mod delivery;
mod dictionaries;
mod doubt;
mod engine;
mod erasure;
mod error;
mod facts;
mod group;
mod imported;
mod insert;
mod journal;
mod late;
mod leases;
mod ledger;
mod looks_back;
mod moving;
mod nonces;
mod novaposhta;
mod operator;
mod operators;
mod overview;
mod partitions;
mod pauses;
mod person;
mod plain;
mod postgres;
mod records;
mod samples;
mod sessions;
mod sql;
mod sqlite;
mod tokens;
mod touched;
mod turns;
mod updates;

use std::sync::Arc;

pub use accept::{Accepted, KeyConflict, NewOrder, NewSubmission};
pub use alerts::{DueAlert, News, Told, Waiting};
pub use board::{Board, Changed, Pulse};
pub use bulk::Batch;
pub use changes::{DueChange, KeptChange};
pub use channels::{ChannelChange, KeptVersion, StoredChannel, Version};
pub use delivery::{Intent, Settlement};
pub use dictionaries::{COMPLETE, Recheck, SyncState, Unchecked};
pub use doubt::Doubtful;
pub(crate) use erasure::ERASED_KEY;
pub use erasure::{Cutoffs, Found};
pub use error::{OpenError, StoreError};
pub use imported::IMPORT;
pub use journal::{Attempt, Event, Filter, OrderDetail, Summary, Update};
pub use late::Claim;
pub(crate) use late::PAGES_KEY;
pub use leases::{Lease, Neighbours};
pub use looks_back::LookBack;
pub use moving::{Moved, move_to_postgres};
pub use novaposhta::Standing;
pub use operator::{Recognised, Revision, Stored};
pub use operators::Operator;
pub use overview::Overview;
pub use pauses::Pause;
pub use person::Person;
pub use records::{problems_from_json, problems_to_json};
pub use samples::Sample;
pub use sessions::{Audited, OpenSession, Session};
pub use sqlite::{Backup, backup, drill, part_of, restore};
pub use tokens::KeptToken;
pub use touched::{Listener, Touched};
pub use turns::{TURNS, Turn};
pub use updates::Updated;

use engine::Engine;
use group::Whose;

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
    engine: Engine,
    board: Board,
    turns: turns::Turns,
}

impl Store {
    /// Opens the file or the server's database, makes what is missing, and brings the schema up to date.
    ///
    /// # Errors
    /// Another `serve` on the file, a network file system, settings that the database did not take, a newer schema, a
    /// corrupt file, a server that is away.
    pub fn open(settings: &StoreSettings, role: Role) -> Result<Store, OpenError> {
        let engine = Engine::open(settings, role)?;
        Ok(Store { inner: Arc::new(Inner { engine, board: Board::default(), turns: turns::Turns::default() }) })
    }

    /// What intake and delivery tell each other beside the rows: wake-ups, and whether an account rests.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.inner.board
    }

    /// Checks that a write would be taken, without making one.
    ///
    /// # Errors
    /// As any write.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.write("probe", Whose::Nobody, |_| Ok(())).await
    }
}
