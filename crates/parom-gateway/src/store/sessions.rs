//! Sessions of operators, the throttle of their sign-ins, and the audit.

use super::sql::{Db, params};

use super::operators::{Operator, audit, read};
use super::{Store, StoreError, Whose};
use crate::clock;

/// A session ends when it was not used for so long.
const IDLE_MS: i64 = 2 * 3_600_000;
/// A session ends after so long, used or not.
const WHOLE_MS: i64 = 12 * 3_600_000;
/// How exact the last use is kept: a page a second must not be a write a second.
const SEEN_MS: i64 = 60_000;
/// Failures are forgotten after so long.
const FORGOTTEN_MS: i64 = 24 * 3_600_000;
/// Failures of a name that cost nothing.
const FREE: i64 = 5;
/// The longest wait of a name: it is never locked for good.
const LONGEST_MS: i64 = 15 * 60_000;
/// The longest wait of a name for failures of other networks.
const BY_OTHERS_MS: i64 = 30_000;
/// Failures of a network in ten minutes.
const OF_NETWORK: i64 = 20;
const NETWORK_MS: i64 = 10 * 60_000;

/// A session that is open.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose it is.
    pub operator: Operator,
    /// What its forms carry.
    pub csrf: String,
}

/// A session, as its owner sees it.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// What the browser calls itself.
    pub agent: String,
    /// Milliseconds.
    pub created_at: i64,
    /// Milliseconds, to the minute.
    pub seen_at: i64,
}

/// One line of the audit.
#[derive(Clone, Debug)]
pub struct Audited {
    /// Milliseconds.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub what: String,
    /// Of what.
    pub detail: String,
}

impl Store {
    /// Opens a session; that the operator signed in is in the audit, and their failures are forgotten.
    ///
    /// # Errors
    /// As any write.
    pub async fn open_session(
        &self,
        hash: [u8; 32],
        operator: &str,
        csrf: &str,
        agent: &str,
    ) -> Result<(), StoreError> {
        let (operator, csrf, agent) = (operator.to_owned(), csrf.to_owned(), agent.to_owned());
        let now = clock::now().as_millisecond();
        self.write("open_session", Whose::Thing("operators"), move |db| {
            db.execute("DELETE FROM sessions WHERE seen_at < ?1 OR created_at < ?2", params![now - IDLE_MS, now - WHOLE_MS])?;
            let sql = "INSERT INTO sessions (hash, operator, csrf, agent, created_at, seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)";
            db.execute(sql, params![hash, operator, csrf, agent, now])?;
            db.execute("DELETE FROM failures WHERE subject = ?1 OR (subject > ?2 AND subject < ?2 || '~')", params![format!("name:{operator}"), format!("pair:{operator} ")])?;
            audit(db, now, &operator, "signed in", &agent)
        })
        .await
    }

    /// The open session of a cookie, and its last use noted.
    ///
    /// # Errors
    /// As any read.
    pub async fn session(&self, hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        let now = clock::now().as_millisecond();
        let found = self
            .read(move |db| {
                let sql = "SELECT o.name, o.password, o.role, o.accounts, o.language, o.created_at, s.csrf, s.seen_at
                           FROM sessions s JOIN operators o ON o.name = s.operator
                           WHERE s.hash = ?1 AND s.seen_at >= ?2 AND s.created_at >= ?3";
                db.first(sql, params![hash, now - IDLE_MS, now - WHOLE_MS], |row| {
                    Ok((Session { operator: read(row)?, csrf: row.get(6)? }, row.get::<i64>(7)?))
                })
            })
            .await?;
        let Some((session, seen_at)) = found else { return Ok(None) };
        if seen_at < now - SEEN_MS {
            let sql = "UPDATE sessions SET seen_at = ?2 WHERE hash = ?1";
            self.write("see_session", Whose::Thing("operators"), move |db| db.execute(sql, params![hash, now])).await?;
        }
        Ok(Some(session))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// As any write.
    pub async fn close_session(&self, hash: [u8; 32]) -> Result<(), StoreError> {
        self.write("close_session", Whose::Thing("operators"), move |db| {
            db.execute("DELETE FROM sessions WHERE hash = ?1", params![hash])?;
            Ok(())
        })
        .await
    }

    /// The open sessions of an operator, the last used first.
    ///
    /// # Errors
    /// As any read.
    pub async fn sessions_of(&self, operator: &str) -> Result<Vec<OpenSession>, StoreError> {
        let (operator, now) = (operator.to_owned(), clock::now().as_millisecond());
        self.read(move |db| {
            let sql = "SELECT agent, created_at, seen_at FROM sessions
                       WHERE operator = ?1 AND seen_at >= ?2 AND created_at >= ?3 ORDER BY seen_at DESC";
            db.query(sql, params![operator, now - IDLE_MS, now - WHOLE_MS], |row| {
                Ok(OpenSession { agent: row.get(0)?, created_at: row.get(1)?, seen_at: row.get(2)? })
            })
        })
        .await
    }

    /// Ends every session of an operator but one.
    ///
    /// # Errors
    /// As any write.
    pub async fn close_others(&self, operator: &str, kept: [u8; 32]) -> Result<(), StoreError> {
        let (operator, now) = (operator.to_owned(), clock::now().as_millisecond());
        self.write("close_others", Whose::Thing("operators"), move |db| {
            db.execute("DELETE FROM sessions WHERE operator = ?1 AND hash <> ?2", params![operator, kept])?;
            audit(db, now, &operator, "other sessions ended", &operator)
        })
        .await
    }

    /// Counts a failed sign-in against the name and the network.
    ///
    /// # Errors
    /// As any write.
    pub async fn note_failure(&self, name: &str, network: &str) -> Result<(), StoreError> {
        let subjects = [format!("name:{name}"), format!("pair:{name} {network}"), format!("net:{network}")];
        let now = clock::now().as_millisecond();
        self.write("note_failure", Whose::Thing("operators"), move |db| {
            db.execute("DELETE FROM failures WHERE at < ?1", params![now - FORGOTTEN_MS])?;
            for subject in &subjects {
                db.execute("INSERT INTO failures (subject, at) VALUES (?1, ?2)", params![subject, now])?;
            }
            Ok(())
        })
        .await
    }

    /// How long a sign-in has to wait, milliseconds; 0: it may be tried.
    ///
    /// # Errors
    /// As any read.
    pub async fn sign_in_wait(&self, name: &str, network: &str) -> Result<i64, StoreError> {
        let pair = format!("pair:{name} {network}");
        let (name, network) = (format!("name:{name}"), format!("net:{network}"));
        let now = clock::now().as_millisecond();
        self.read(move |db| {
            // From one network the wait doubles up to its longest. From others together it stays short, or whoever knows
            // a name could keep its owner out.
            let doubled = |subject: &str, longest: i64| -> Result<i64, StoreError> {
                let (count, last) = failures(db, subject, now - FORGOTTEN_MS)?;
                let wait = (1_000_i64 << (count - FREE).clamp(0, 20)).min(longest);
                Ok(if count < FREE { 0 } else { last + wait - now })
            };
            let by_name = doubled(&pair, LONGEST_MS)?.max(doubled(&name, BY_OTHERS_MS)?);
            let (count, _) = failures(db, &network, now - NETWORK_MS)?;
            let by_network = if count < OF_NETWORK { 0 } else { NETWORK_MS / OF_NETWORK };
            Ok(by_name.max(by_network).max(0))
        })
        .await
    }

    /// Appends to the audit: what was exported, revealed, erased.
    ///
    /// # Errors
    /// As any write.
    pub async fn audit(&self, actor: &str, what: &'static str, detail: &str) -> Result<(), StoreError> {
        let (actor, detail, now) = (actor.to_owned(), detail.to_owned(), clock::now().as_millisecond());
        self.write("audit", Whose::Nobody, move |db| audit(db, now, &actor, what, &detail)).await
    }

    /// The last lines of the audit, newest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn audited(&self, limit: usize) -> Result<Vec<Audited>, StoreError> {
        let sql = format!("SELECT at, actor, what, detail FROM audit ORDER BY id DESC LIMIT {limit}");
        self.read(move |db| {
            db.query(&sql, params![], |row| {
                Ok(Audited { at: row.get(0)?, actor: row.get(1)?, what: row.get(2)?, detail: row.get(3)? })
            })
        })
        .await
    }
}

/// How many since then, and when the last was.
fn failures(db: &Db<'_>, subject: &str, since: i64) -> Result<(i64, i64), StoreError> {
    let sql = "SELECT count(*), coalesce(max(at), 0) FROM failures WHERE subject = ?1 AND at >= ?2";
    db.one(sql, params![subject, since], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Ends every session of an operator.
pub(super) fn end_all(db: &Db<'_>, operator: &str) -> Result<(), StoreError> {
    db.execute("DELETE FROM sessions WHERE operator = ?1", params![operator])?;
    Ok(())
}
