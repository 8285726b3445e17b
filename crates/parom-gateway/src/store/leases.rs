//! Who delivers for an account: one node at a time. A SQLite file has one `serve`, by its lock, and needs no lease; nodes that
//! share a server hold leases, by the server's clock alone. A lease's epoch fences what its holder writes: a node that was
//! frozen or cut off, and comes back after another took over, writes no intent any more.

use std::collections::{BTreeMap, BTreeSet};

use parom_core::delivery::share::Node;

use super::sql::{Db, params};
use super::{Store, StoreError, Whose, changes, doubt};
use crate::clock;
use crate::config::trial_lease_ms;

/// Nodes and leases as they stand.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// The nodes that were seen lately and are connected.
    pub nodes: Vec<Node>,
    /// By whom each account's lease is held now.
    pub held: BTreeMap<String, String>,
    /// Accounts that rest, as their holders say.
    pub resting: BTreeSet<String>,
    /// The epoch of each account's last lease, held or not.
    pub epochs: BTreeMap<String, i64>,
}

/// A lease that was taken.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// How often the account changed hands; 0 for ever where one file's lock is the lease.
    pub epoch: i64,
    /// Orders that were being sent by the holder before, and are doubtful now.
    pub cut_off: usize,
}

/// How long a lease lasts that is not renewed, milliseconds: longer than a send and its answer may take.
pub(super) fn lease_ms() -> i64 {
    trial_lease_ms().unwrap_or(90_000)
}

/// A node is there while its session holds its lock, and it was seen within a lease.
const LIVE: &str = "n.seen_at > ?1 AND EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted
      AND l.objsubid = 1 AND (l.classid::bigint << 32 | l.objid::bigint) = n.lock
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))";

impl Store {
    /// The name of this process among the nodes; none where it is the only one.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        self.inner.engine.node()
    }

    /// Says that this node is there and which accounts it could deliver for, and renews the leases of those that it does
    /// deliver for. Gives those that it still holds, with their epochs.
    ///
    /// # Errors
    /// As any write.
    pub async fn beat(&self, accounts: Vec<String>, running: Vec<String>) -> Result<BTreeMap<String, i64>, StoreError> {
        let Some((name, lock)) = self.inner.engine.node().zip(self.inner.engine.lock()) else {
            return Ok(BTreeMap::new());
        };
        let name = name.to_owned();
        let text = |names: Vec<String>| serde_json::Value::from(names).to_string();
        let (accounts, running) = (text(accounts), text(running));
        self.write("beat", Whose::Nobody, move |db| {
            let now = db.steady()?;
            let sql = "INSERT INTO nodes (name, lock, seen_at, accounts) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (name) DO UPDATE SET seen_at = ?3, accounts = ?4";
            db.execute(sql, params![name, lock, now, accounts])?;
            db.execute("DELETE FROM nodes WHERE seen_at < ?1", params![now - 10 * lease_ms()])?;
            let sql = "UPDATE leases SET until = ?2
                       WHERE node = ?1 AND account IN (SELECT json_array_elements_text(CAST(CAST(?3 AS TEXT) AS JSON)))
                       RETURNING account, epoch";
            let held = db.query(sql, params![name, now + lease_ms(), running], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(held.into_iter().collect())
        })
        .await
    }

    /// The nodes that are there, and the leases that are held.
    ///
    /// # Errors
    /// As any read.
    pub async fn neighbours(&self) -> Result<Neighbours, StoreError> {
        self.read(|db| {
            let Db::Postgres(_) = db else { return Ok(Neighbours::default()) };
            let now = db.steady()?;
            let sql = format!("SELECT n.name, n.accounts FROM nodes n WHERE {LIVE} ORDER BY n.name");
            let nodes = db.query(&sql, params![now - lease_ms()], |row| {
                let accounts: BTreeSet<String> = serde_json::from_str(&row.get::<String>(1)?).unwrap_or_default();
                Ok(Node { name: row.get(0)?, accounts })
            })?;
            let epochs =
                db.query("SELECT account, epoch FROM leases", params![], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let sql = "SELECT account, node, resting FROM leases WHERE until > ?1";
            let mut leases = db.query(sql, params![now], |row| {
                Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<bool>(2)?))
            })?;
            leases.retain(|(_, holder, _)| nodes.iter().any(|node| node.name == *holder));
            let resting = leases.iter().filter(|(.., resting)| *resting).map(|(account, ..)| account.clone()).collect();
            let held = leases.into_iter().map(|(account, holder, _)| (account, holder)).collect();
            Ok(Neighbours { nodes, held, resting, epochs: epochs.into_iter().collect() })
        })
        .await
    }

    /// Takes an account's lease, if no other node that is there holds it. With it, in the same transaction, what the holder
    /// before left under way becomes doubtful; a changed order's doubt waits for `quiet` milliseconds. A crash within: the
    /// next holder does it.
    ///
    /// # Errors
    /// As any write.
    pub async fn take_lease(&self, account: &str, quiet: i64) -> Result<Option<Lease>, StoreError> {
        let (account, node) = (account.to_owned(), self.node().map(str::to_owned));
        let now = clock::now().as_millisecond();
        self.write("take_lease", Whose::Account(account.clone()), move |db| {
            let epoch = match &node {
                None => Some(0),
                Some(node) => next_epoch(db, &account, node)?,
            };
            let Some(epoch) = epoch else { return Ok(None) };
            changes::recover(db, &account, quiet, now)?;
            Ok(Some(Lease { epoch, cut_off: doubt::recover(db, &account, now)? }))
        })
        .await
    }

    /// Lets an account's lease go, if it is still of this epoch.
    ///
    /// # Errors
    /// As any write.
    pub async fn release(&self, account: &str, epoch: i64) -> Result<(), StoreError> {
        if self.node().is_none() {
            return Ok(());
        }
        let account = account.to_owned();
        self.write("release", Whose::Account(account.clone()), move |db| {
            let sql = "UPDATE leases SET until = 0 WHERE account = ?1 AND epoch = ?2";
            db.execute(sql, params![account, epoch]).map(|_| ())
        })
        .await
    }

    /// Says of accounts whose delivery this node holds whether they rest, for the pages and alerts of the others.
    ///
    /// # Errors
    /// As any write.
    pub async fn tell_resting(&self, stands: Vec<(String, i64, bool)>) -> Result<(), StoreError> {
        self.write("tell_resting", Whose::Nobody, move |db| {
            for (account, epoch, resting) in &stands {
                let sql = "UPDATE leases SET resting = ?3 WHERE account = ?1 AND epoch = ?2";
                db.execute(sql, params![account, epoch, resting])?;
            }
            Ok(())
        })
        .await
    }

    /// Nodes that ended without a word.
    ///
    /// # Errors
    /// As any read.
    pub async fn lost_nodes(&self) -> Result<Vec<String>, StoreError> {
        self.read(|db| {
            let Db::Postgres(_) = db else { return Ok(Vec::new()) };
            let sql = format!("SELECT n.name FROM nodes n WHERE NOT ({LIVE}) ORDER BY n.name");
            db.query(&sql, params![db.steady()? - lease_ms()], |row| row.get(0))
        })
        .await
    }

    /// Says that this node is gone.
    ///
    /// # Errors
    /// As any write.
    pub async fn leave(&self) -> Result<(), StoreError> {
        let Some(name) = self.node().map(str::to_owned) else { return Ok(()) };
        self.write("leave", Whose::Nobody, move |db| {
            db.execute("DELETE FROM nodes WHERE name = ?1", params![name]).map(|_| ())
        })
        .await
    }
}

/// Ends every lease: what its holder left under way is looked at by whoever takes it next. Far above epochs that only a
/// server knew which is gone.
pub(super) fn end_all(db: &Db<'_>) -> Result<(), StoreError> {
    db.execute("UPDATE leases SET epoch = epoch + 1000, until = 0", params![]).map(|_| ())
}

/// The epoch that begins, where the lease is free.
fn next_epoch(db: &Db<'_>, account: &str, node: &str) -> Result<Option<i64>, StoreError> {
    let now = db.steady()?;
    let held = format!(
        "SELECT 1 FROM leases h JOIN nodes n ON n.name = h.node
         WHERE h.account = ?2 AND h.node <> ?3 AND h.until > ?4 AND {LIVE}"
    );
    if db.exists(&held, params![now - lease_ms(), account, node, now])? {
        return Ok(None);
    }
    let sql = "INSERT INTO leases (account, node, epoch, until) VALUES (?1, ?2, 1, ?3)
               ON CONFLICT (account) DO UPDATE SET node = ?2, epoch = leases.epoch + 1, until = ?3, resting = 0
               RETURNING epoch";
    db.get(sql, params![account, node, now + lease_ms()]).map(Some)
}

/// That this epoch's holder may still act for the account, in the verb's own transaction.
pub(super) fn check(db: &Db<'_>, account: &str, epoch: i64) -> Result<(), StoreError> {
    let Db::Postgres(_) = db else { return Ok(()) };
    let sql = "SELECT 1 FROM leases WHERE account = ?1 AND epoch = ?2 AND until > ?3";
    if db.exists(sql, params![account, epoch, db.steady()?])? {
        return Ok(());
    }
    Err(StoreError::Refused("another node delivers for this account now".into()))
}
