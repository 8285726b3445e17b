//! Which server this is. One that fell over to a standby, was restored from a backup, or took another's place may have
//! forgotten what was sent: then everything is looked up before it goes. Each new connection asks before it is used.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::facts::{careful_until, fact, set, verify_first};
use super::super::sql::{Db, params};
use super::super::{StoreError, leases};
use super::migrate;
use super::talk::Talk;
use crate::clock;

/// The fact that keeps the server's name.
const SERVER: &str = "server";

/// What every session is told. A commit is flushed before it is answered, whatever the server's own default; on a server
/// with synchronous standbys it is on theirs too. A node that stands still in the midst of a transaction loses it, and its
/// turn, sooner than others give up waiting for theirs.
const SESSION: &str = "SET synchronous_commit = on; SET statement_timeout = '8s'; SET lock_timeout = '6s';
    SET idle_in_transaction_session_timeout = '3s'; SET timezone = 'UTC';
    SET default_transaction_isolation = 'read committed'; SET standard_conforming_strings = on";

/// What this process knows of the server.
#[derive(Debug, Default)]
pub(super) struct Identity {
    /// The server that the last connection met.
    known: Mutex<Option<String>>,
    /// Until then an order that comes by a key is looked up first, milliseconds.
    pub(super) careful_until: Arc<AtomicI64>,
}

impl Identity {
    /// Looks at a new connection's server. Where it is another one than before, nothing is sent that was not looked up.
    pub(super) fn meet(&self, talk: &Talk) -> Result<(), StoreError> {
        // One at a time: the others find it done.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        talk.batch(SESSION)?;
        let db = Db::Postgres(talk);
        let server = name(&db)?;
        if known.as_ref() == Some(&server) {
            return Ok(());
        }
        settings(&db)?;
        // As a lane does for rows of everybody; how long it takes depends on how much waits.
        talk.batch("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'")?;
        talk.batch("SELECT pg_advisory_xact_lock(0)")?;
        migrate::migrate(talk)?;
        compare(&db, &server)?;
        let until = careful_until(&db)?;
        talk.batch("COMMIT")?;
        self.careful_until.store(until, Ordering::Release);
        *known = Some(server);
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

/// Compares the server with the one that wrote last, in the transaction that holds everybody's turn.
fn compare(db: &Db<'_>, server: &str) -> Result<(), StoreError> {
    let before = fact(db, SERVER)?;
    if before.as_deref() == Some(server) {
        return Ok(());
    }
    if before.is_some() {
        let doubtful = verify_first(db, clock::now().as_millisecond())?;
        // What was being sent when the old server went is doubtful as well, and its quiet time begins now.
        leases::end_all(db)?;
        // Transactions of another server are counted anew.
        db.execute("DELETE FROM alert_mark", params![])?;
        tracing::warn!(
            server,
            doubtful,
            "PostgreSQL is not the server that wrote last: it may have forgotten what was sent; everything is looked up first"
        );
    }
    set(db, SERVER, server)
}
