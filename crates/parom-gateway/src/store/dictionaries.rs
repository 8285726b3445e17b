//! The accounts' dictionaries, as they were fetched, and the orders that were checked by older ones.

use std::collections::BTreeMap;

use super::sql::{Db, params};
use parom_core::Problem;
use parom_core::delivery::state::State;
use parom_core::dictionary::{Dictionary, Kind, waits_for_dictionary};
use parom_core::order::Target;
use serde_json::{Map, Value};

use super::accept::append_event;
use super::records::{problems_from_json, problems_to_json};
use super::{Store, StoreError, Whose};
use crate::clock;

/// The outcome of a fetch that brought everything.
pub const COMPLETE: &str = "ok";

/// A fetch that brought everything is young for so long, in seconds: a person has hardly changed the CRM since.
const YOUNG_S: i64 = 300;

/// How an account's dictionaries stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncState {
    /// When a fetch was asked for last, milliseconds; 0: never.
    pub asked_at: i64,
    /// When the last fetch that ended began, milliseconds; 0: never.
    pub done_at: i64,
    /// [`COMPLETE`], or why it was not.
    pub outcome: String,
    /// Requests a minute that the CRM grants, by its own header.
    pub granted: Option<u32>,
}

impl SyncState {
    /// The CRM refused the key the last time that it was used.
    #[must_use]
    pub fn key_is_refused(&self) -> bool {
        self.outcome.contains("refuses the key")
    }

    /// The age of the last fetch in seconds, where it brought everything a short time ago; `now` in milliseconds.
    #[must_use]
    pub fn young(&self, now: i64) -> Option<i64> {
        let age = now.saturating_sub(self.done_at).max(0) / 1_000;
        (self.outcome == COMPLETE && age < YOUNG_S).then_some(age)
    }
}

/// A queued order that was checked by an older dictionary.
#[derive(Clone, Debug)]
pub struct Unchecked {
    /// Its row.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Its channel.
    pub channel: String,
    /// What it becomes.
    pub target: Target,
    /// The CRM's body; none where it cannot be read, and then it stays as it is.
    pub body: Option<Map<String, Value>>,
    /// What was found before.
    pub problems: Vec<Problem>,
    /// How often its sender had replaced it.
    pub replaced: i64,
}

/// What a new check came to.
#[derive(Clone, Debug)]
pub struct Recheck {
    /// It goes: the body may have changed. Else it is held, for this reason.
    pub held_for: Option<String>,
    /// The CRM's body; none leaves it as it is.
    pub body: Option<Map<String, Value>>,
    /// All problems.
    pub problems: Vec<Problem>,
    /// The dictionary's version.
    pub version: i64,
}

impl Store {
    /// Keeps a kind's rows; `true` if they are others than before. After a crash: the old rows or the new.
    ///
    /// # Errors
    /// As any write.
    pub async fn keep_dictionary(&self, account: &str, kind: Kind, rows: Vec<Value>) -> Result<bool, StoreError> {
        let account = account.to_owned();
        let now = clock::now().as_millisecond();
        let text = Value::Array(rows).to_string();
        self.write("keep_dictionary", Whose::Account(account.clone()), move |db| keep(db, &account, kind, &text, now))
            .await
    }

    /// An account's dictionaries and when each was fetched, milliseconds.
    ///
    /// # Errors
    /// As any read.
    pub async fn dictionary(&self, account: &str) -> Result<(Dictionary, BTreeMap<Kind, i64>), StoreError> {
        let account = account.to_owned();
        self.read(move |db| {
            let sql = "SELECT kind, version, fetched_at, rows FROM dictionaries WHERE account = ?1";
            let (mut dictionary, mut ages) = (Dictionary::default(), BTreeMap::new());
            db.query(sql, params![account], |row| {
                let (kind, version, at, text): (String, i64, i64, String) =
                    (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                let parsed: Vec<Value> = serde_json::from_str(&text).unwrap_or_default();
                if let Some(kind) = Kind::parse(&kind) {
                    dictionary.set(kind, &parsed);
                    dictionary.version = dictionary.version.max(version);
                    ages.insert(kind, at);
                }
                Ok(())
            })?;
            Ok((dictionary, ages))
        })
        .await
    }

    /// The version of each account's dictionaries.
    ///
    /// # Errors
    /// As any read.
    pub async fn dictionary_versions(&self) -> Result<BTreeMap<String, i64>, StoreError> {
        self.read(|db| {
            let sql = "SELECT account, max(version) FROM dictionaries GROUP BY account";
            let versions = db.query(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(versions.into_iter().collect())
        })
        .await
    }

    /// Asks for a fetch; `serve` notices within a second.
    ///
    /// # Errors
    /// As any write.
    pub async fn ask_sync(&self, account: &str) -> Result<i64, StoreError> {
        let account = account.to_owned();
        let now = clock::now().as_millisecond();
        self.write("ask_sync", Whose::Account(account.clone()), move |db| {
            let sql = "INSERT INTO dictionary_syncs (account, asked_at) VALUES (?1, ?2)
                       ON CONFLICT (account) DO UPDATE SET asked_at = ?2";
            db.execute(sql, params![account, now])?;
            Ok(())
        })
        .await?;
        self.board().wake_all();
        Ok(now)
    }

    /// How the last fetch ended.
    ///
    /// # Errors
    /// As any read.
    pub async fn sync_state(&self, account: &str) -> Result<SyncState, StoreError> {
        let account = account.to_owned();
        self.read(move |db| {
            let sql = "SELECT asked_at, done_at, outcome, granted FROM dictionary_syncs WHERE account = ?1";
            let found = db.first(sql, params![account], |row| {
                Ok(SyncState {
                    asked_at: row.get(0)?,
                    done_at: row.get(1)?,
                    outcome: row.get(2)?,
                    granted: row.get(3)?,
                })
            })?;
            Ok(found.unwrap_or_default())
        })
        .await
    }

    /// Writes how a fetch ended that began at this time: it answers what was asked for before.
    ///
    /// # Errors
    /// As any write.
    pub async fn end_sync(
        &self,
        account: &str,
        outcome: &str,
        granted: Option<u32>,
        began: i64,
    ) -> Result<(), StoreError> {
        let (account, outcome) = (account.to_owned(), outcome.to_owned());
        self.write("end_sync", Whose::Account(account.clone()), move |db| {
            let sql = "INSERT INTO dictionary_syncs (account, done_at, outcome, granted) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (account) DO UPDATE SET done_at = ?2, outcome = ?3, granted = coalesce(?4, dictionary_syncs.granted)";
            db.execute(sql, params![account, began, outcome, granted])?;
            Ok(())
        })
        .await
    }

    /// Queued orders of an account that were checked by an older version, oldest first. One that was perhaps sent before
    /// is not among them: a resend sends the same bytes.
    ///
    /// # Errors
    /// As any read.
    pub async fn unchecked(&self, account: &str, version: i64, limit: usize) -> Result<Vec<Unchecked>, StoreError> {
        let account = account.to_owned();
        self.read(move |db| {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            db.query(UNCHECKED, params![account, version, limit], |row| {
                let (target, body, problems): (String, String, String) = (row.get(3)?, row.get(4)?, row.get(5)?);
                Ok(Unchecked {
                    seq: row.get(0)?,
                    id: row.get(1)?,
                    channel: row.get(2)?,
                    target: Target::parse(&target).unwrap_or_default(),
                    body: serde_json::from_str(&body).ok(),
                    problems: problems_from_json(&problems),
                    replaced: row.get(6)?,
                })
            })
        })
        .await
    }

    /// Writes what a new check of a queued order came to. Nothing changes if it was claimed or replaced meanwhile.
    ///
    /// # Errors
    /// As any write.
    pub async fn recheck(&self, seq: i64, replaced: i64, check: Recheck) -> Result<bool, StoreError> {
        let now = clock::now().as_millisecond();
        self.write("recheck", Whose::Order(seq), move |db| recheck(db, seq, replaced, &check, now)).await
    }

    /// Held orders of an account that only wait for its dictionaries: their ids, oldest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn held_for_dictionary(&self, account: &str) -> Result<Vec<String>, StoreError> {
        let account = account.to_owned();
        self.read(move |db| {
            let (mut ids, mut after) = (Vec::new(), 0_i64);
            loop {
                let rows: Vec<(String, String, i64)> =
                    db.query(HELD, params![account, after], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
                let Some((_, _, last)) = rows.last() else { return Ok(ids) };
                after = *last;
                let waits =
                    rows.into_iter().filter(|(_, problems, _)| waits_for_dictionary(&problems_from_json(problems)));
                ids.extend(waits.map(|(id, _, _)| id));
            }
        })
        .await
    }
}

pub(super) const UNCHECKED: &str = "SELECT seq, id, channel, target, body, problems, replaced FROM orders
     WHERE account = ?1 AND state = 'queued' AND checked < ?2 AND resends = 0 ORDER BY seq LIMIT ?3";
pub(super) const HELD: &str = "SELECT id, problems, seq FROM orders
     WHERE state IN ('held', 'rejected', 'disputed') AND state = 'held' AND kept = 0 AND account = ?1 AND seq > ?2
     ORDER BY seq LIMIT 1000";

fn keep(db: &Db<'_>, account: &str, kind: Kind, text: &str, now: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE dictionaries SET fetched_at = ?3 WHERE account = ?1 AND kind = ?2 AND rows = ?4";
    if db.execute(sql, params![account, kind.as_str(), now, text])? == 1 {
        return Ok(false);
    }
    let sql = "INSERT INTO dictionaries (account, kind, version, fetched_at, rows)
               VALUES (?1, ?2, (SELECT coalesce(max(version), 0) + 1 FROM dictionaries WHERE account = ?1), ?3, ?4)
               ON CONFLICT (account, kind) DO UPDATE SET version = excluded.version, fetched_at = ?3, rows = ?4";
    db.execute(sql, params![account, kind.as_str(), now, text])?;
    Ok(true)
}

fn recheck(db: &Db<'_>, seq: i64, replaced: i64, check: &Recheck, now: i64) -> Result<bool, StoreError> {
    let state = if check.held_for.is_some() { State::Held } else { State::Queued };
    let reason = check.held_for.clone().unwrap_or_default();
    let sql = "UPDATE orders SET state = ?2, reason = ?3, body = coalesce(?4, body), problems = ?5, checked = ?6, updated_at = ?7
               WHERE seq = ?1 AND state = 'queued' AND resends = 0 AND checked < ?6 AND replaced = ?8";
    let changed = db.execute(
        sql,
        params![
            seq,
            state.as_str(),
            reason,
            check.body.as_ref().and_then(|body| serde_json::to_string(body).ok()),
            problems_to_json(&check.problems).to_string(),
            check.version,
            now,
            replaced,
        ],
    )?;
    if changed == 1 && check.held_for.is_some() {
        append_event(db, seq, now, state, "dictionaries", "checked again by newer dictionaries")?;
    }
    Ok(changed == 1)
}
