//! Tokens of the API that people make and revoke; those of the configuration stand beside them.

use super::sql::{Row, params};

use super::operators::{accounts_text, audit, scope_of};
use super::{Scope, Store, StoreError, Whose};
use crate::clock;
use crate::config::Role;

/// A token, without what it is.
#[derive(Clone, Debug)]
pub struct KeptToken {
    /// Its name, which the history shows.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The accounts that it may see.
    pub scope: Scope,
    /// Milliseconds.
    pub created_at: i64,
    /// Who made it.
    pub created_by: String,
}

const COLUMNS: &str = "name, role, accounts, created_at, created_by";

impl Store {
    /// Keeps a token's hash. `false` where the name is taken.
    ///
    /// # Errors
    /// As any write.
    pub async fn add_token(&self, token: KeptToken, hash: [u8; 32]) -> Result<bool, StoreError> {
        let now = clock::now().as_millisecond();
        self.write("add_token", Whose::Thing("operators"), move |db| {
            let sql = "INSERT INTO api_tokens (name, hash, role, accounts, created_at, created_by)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
            let (role, accounts) = (token.role.as_str(), accounts_text(&token.scope));
            let row = params![token.name, hash, role, accounts, now, token.created_by];
            let added = db.execute(sql, row)? == 1;
            if added {
                audit(db, now, &token.created_by, "token made", &format!("{} ({role})", token.name))?;
            }
            Ok(added)
        })
        .await
    }

    /// Every token, by name.
    ///
    /// # Errors
    /// As any read.
    pub async fn tokens(&self) -> Result<Vec<KeptToken>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM api_tokens ORDER BY name");
        self.read(move |db| db.query(&sql, params![], read)).await
    }

    /// The token of a hash.
    ///
    /// # Errors
    /// As any read.
    pub async fn token(&self, hash: [u8; 32]) -> Result<Option<KeptToken>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM api_tokens WHERE hash = ?1");
        self.read(move |db| db.first(&sql, params![hash], read)).await
    }

    /// Revokes a token: the next request that bears it is refused. `false` where there is none of the name.
    ///
    /// # Errors
    /// As any write.
    pub async fn revoke_token(&self, name: &str, actor: &str) -> Result<bool, StoreError> {
        let (name, actor, now) = (name.to_owned(), actor.to_owned(), clock::now().as_millisecond());
        self.write("revoke_token", Whose::Thing("operators"), move |db| {
            let removed = db.execute("DELETE FROM api_tokens WHERE name = ?1", params![&name])? == 1;
            if removed {
                audit(db, now, &actor, "token revoked", &name)?;
            }
            Ok(removed)
        })
        .await
    }
}

fn read(row: &Row<'_>) -> Result<KeptToken, StoreError> {
    let (role, accounts): (String, Option<String>) = (row.get(1)?, row.get(2)?);
    Ok(KeptToken {
        name: row.get(0)?,
        // The schema's own check allows no other text.
        role: Role::parse(&role).unwrap_or(Role::Viewer),
        scope: scope_of(accounts),
        created_at: row.get(3)?,
        created_by: row.get(4)?,
    })
}
