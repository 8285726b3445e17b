//! Which server this is, and which copy of the database. One that fell over to a standby, was restored from a backup or a dump,
//! or took another's place may have forgotten what was sent: then everything is looked up before it goes. Each new connection
//! asks before it is used.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::StoreError;
use super::super::facts::{careful_until, distrust, fact, set};
use super::super::sql::{Db, params};
use super::migrate;
use super::talk::Talk;
use crate::clock;

/// The fact that keeps the server's name.
const SERVER: &str = "server";
/// The fact that keeps which copy of the database it is.
const COPY: &str = "database";

/// What every session is told. A commit is flushed before it is answered, whatever the server's own default; on a server
/// with synchronous standbys it is on theirs too. A node that stands still in the midst of a transaction loses it, and its
/// turn, sooner than others give up waiting for theirs.
const SESSION: &str = "SET synchronous_commit = on; SET statement_timeout = '8s'; SET lock_timeout = '6s';
    SET idle_in_transaction_session_timeout = '3s'; SET timezone = 'UTC';
    SET default_transaction_isolation = 'read committed'; SET standard_conforming_strings = on";

/// What this process knows of the server.
#[derive(Debug, Default)]
pub(super) struct Identity {
    /// Where it is, for those who read.
    pub(super) at: String,
    /// The server that the last connection met, and the copy.
    known: Mutex<Option<(String, String)>>,
    /// Until then an order that comes by a key is looked up first, milliseconds.
    pub(super) careful_until: Arc<AtomicI64>,
}

impl Identity {
    pub(super) fn at(at: String) -> Identity {
        Identity { at, ..Identity::default() }
    }

    /// Looks at a new connection's server. Where it is another one than before, nothing is sent that was not looked up.
    pub(super) fn meet(&self, talk: &Talk) -> Result<(), StoreError> {
        // One at a time: the others find it done.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        talk.batch(SESSION)?;
        let db = Db::Postgres(talk);
        let server = name(&db)?;
        if known.as_ref() == Some(&(server.clone(), copy(&db)?)) {
            return Ok(());
        }
        settings(&db)?;
        // As a lane does for rows of everybody; how long it takes depends on how much waits.
        talk.be_patient(true);
        talk.batch("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'")?;
        talk.batch("SELECT pg_advisory_xact_lock(0)")?;
        migrate::migrate(talk)?;
        let copy = copy(&db)?;
        compare(&db, &server, &copy)?;
        let until = careful_until(&db)?;
        talk.batch("COMMIT")?;
        talk.be_patient(false);
        self.careful_until.store(until, Ordering::Release);
        *known = Some((server, copy));
        Ok(())
    }
}

/// The cluster and its timeline: a standby that was promoted, and a backup that was recovered, begin a new one.
fn name(db: &Db<'_>) -> Result<String, StoreError> {
    db.get(
        "SELECT CAST(system_identifier AS TEXT) || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
         FROM pg_control_system()",
        params![],
    )
}

/// The database and its table of orders, which get other numbers when they are made again: by a dump that is put back.
fn copy(db: &Db<'_>) -> Result<String, StoreError> {
    db.get(
        "SELECT CAST(CAST(oid AS BIGINT) AS TEXT) || '/' || coalesce(CAST(CAST(CAST(to_regclass('orders') AS oid) AS BIGINT) AS TEXT), '')
         FROM pg_database WHERE datname = current_database()",
        params![],
    )
}

/// What must hold on the server for an answer to be a promise.
fn settings(db: &Db<'_>) -> Result<(), StoreError> {
    let shown = |name: &str| db.get::<String>("SELECT current_setting(?1)", params![name]);
    for name in ["fsync", "full_page_writes"] {
        if shown(name)? != "on" {
            return Err(StoreError::Refused(format!(
                "PostgreSQL runs with {name} = off and can lose what it has committed: set it to on in postgresql.conf"
            )));
        }
    }
    if shown("server_encoding")? != "UTF8" {
        return Err(StoreError::Refused("the database must be made with ENCODING 'UTF8'".into()));
    }
    if shown("synchronous_standby_names")?.is_empty() {
        tracing::warn!(
            "PostgreSQL has no synchronous standby (synchronous_standby_names): should it fail over, the last orders may be lost"
        );
    }
    Ok(())
}

/// Compares the server and the copy with those that were written to last, in the transaction that holds everybody's turn.
fn compare(db: &Db<'_>, server: &str, copy: &str) -> Result<(), StoreError> {
    let (server_before, copy_before) = (fact(db, SERVER)?, fact(db, COPY)?);
    let is_other = |before: &Option<String>, now: &str| before.as_deref().is_some_and(|before| before != now);
    let why = match (is_other(&server_before, server), is_other(&copy_before, copy)) {
        (true, _) => Some("PostgreSQL is not the server that wrote last"),
        (false, true) => Some("the database was put back from a dump"),
        (false, false) => None,
    };
    if let Some(why) = why {
        let doubtful = distrust(db, clock::now().as_millisecond())?;
        tracing::warn!(server, doubtful, "{why}: it may have forgotten what was sent; everything is looked up first");
    }
    // Each command meets the server too: what stands there is not written again.
    for (name, before, now) in [(SERVER, server_before, server), (COPY, copy_before, copy)] {
        if before.as_deref() != Some(now) {
            set(db, name, now)?;
        }
    }
    Ok(())
}
