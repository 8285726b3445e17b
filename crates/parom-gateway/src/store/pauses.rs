//! Accounts at rest by a person's word.

use std::collections::HashMap;

use super::sql::{Db, params};

use super::operators::audit;
use super::{Store, StoreError, Whose};
use crate::clock;

/// Who paused an account, and when.
#[derive(Clone, Debug)]
pub struct Pause {
    /// Milliseconds.
    pub at: i64,
    /// Who.
    pub actor: String,
}

impl Store {
    /// Pauses an account: from the commit on no intent is written for it. What is on its way is brought to its result, and
    /// doubtful orders are still looked up. It lasts over restarts.
    ///
    /// # Errors
    /// As any write.
    pub async fn pause(&self, account: &str, actor: &str) -> Result<(), StoreError> {
        let (name, actor, now) = (account.to_owned(), actor.to_owned(), clock::now().as_millisecond());
        self.write("pause", Whose::Account(account.to_owned()), move |db| {
            let sql = "INSERT INTO paused_accounts VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
            if db.execute(sql, params![name, now, actor])? == 1 {
                audit(db, now, &actor, "account paused", &name)?;
            }
            Ok(())
        })
        .await?;
        self.board().set_paused(account, true);
        Ok(())
    }

    /// Lets an account go on.
    ///
    /// # Errors
    /// As any write.
    pub async fn resume(&self, account: &str, actor: &str) -> Result<(), StoreError> {
        let (name, actor, now) = (account.to_owned(), actor.to_owned(), clock::now().as_millisecond());
        self.write("resume", Whose::Account(account.to_owned()), move |db| {
            if db.execute("DELETE FROM paused_accounts WHERE account = ?1", params![&name])? == 1 {
                audit(db, now, &actor, "account resumed", &name)?;
            }
            Ok(())
        })
        .await?;
        self.board().set_paused(account, false);
        Ok(())
    }

    /// The accounts that are paused.
    ///
    /// # Errors
    /// As any read.
    pub async fn pauses(&self) -> Result<HashMap<String, Pause>, StoreError> {
        self.read(move |db| {
            let rows = db.query("SELECT account, at, actor FROM paused_accounts", params![], |row| {
                Ok((row.get(0)?, Pause { at: row.get(1)?, actor: row.get(2)? }))
            })?;
            Ok(rows.into_iter().collect())
        })
        .await
    }
}

/// Whether an account is paused, in the transaction that would write an intent.
pub(super) fn is_paused(db: &Db<'_>, account: &str) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM paused_accounts WHERE account = ?1)";
    db.get(sql, params![account])
}
