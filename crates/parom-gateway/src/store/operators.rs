//! Operators of the pages: who they are, and the links by which the first of them is made.

use super::sql::{Db, Row, params};

use super::sessions::end_all;
use super::{Scope, Store, StoreError, Whose};
use crate::clock;
use crate::config::Role;

/// A person who may sign in.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The name, in small letters.
    pub name: String,
    /// The password's argon2id hash, in the PHC form.
    pub password: String,
    /// What they may do.
    pub role: Role,
    /// The accounts that they may see.
    pub scope: Scope,
    /// `uk`, `ru`, `en`, or nothing: the browser's.
    pub language: String,
    /// Milliseconds.
    pub created_at: i64,
}

const COLUMNS: &str = "name, password, role, accounts, language, created_at";

impl Store {
    /// Makes an operator. `false` where the name is taken: nothing was changed. A crash before: nobody; after: kept.
    ///
    /// # Errors
    /// As any write.
    pub async fn add_operator(&self, operator: Operator, actor: &str) -> Result<bool, StoreError> {
        let (actor, now) = (actor.to_owned(), clock::now().as_millisecond());
        self.write("add_operator", Whose::Thing("operators"), move |db| {
            let sql = "INSERT INTO operators (name, password, role, accounts, language, created_at, changed_at)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO NOTHING";
            let accounts = accounts_text(&operator.scope);
            let role = operator.role.as_str();
            let row = params![operator.name, operator.password, role, accounts, operator.language, now];
            let added = db.execute(sql, row)? == 1;
            if added {
                audit(db, now, &actor, "operator added", &format!("{} ({role})", operator.name))?;
            }
            Ok(added)
        })
        .await
    }

    /// Every operator, by name.
    ///
    /// # Errors
    /// As any read.
    pub async fn operators(&self) -> Result<Vec<Operator>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM operators ORDER BY name");
        self.read(move |db| db.query(&sql, params![], read)).await
    }

    /// One operator.
    ///
    /// # Errors
    /// As any read.
    pub async fn operator(&self, name: &str) -> Result<Option<Operator>, StoreError> {
        let name = name.to_owned();
        let sql = format!("SELECT {COLUMNS} FROM operators WHERE name = ?1");
        self.read(move |db| db.first(&sql, params![name], read)).await
    }

    /// Gives an operator another password and ends all of their sessions, in one. `false` where there is no such operator.
    ///
    /// # Errors
    /// As any write.
    pub async fn set_password(&self, name: &str, password: String, actor: &str) -> Result<bool, StoreError> {
        let (name, actor, now) = (name.to_owned(), actor.to_owned(), clock::now().as_millisecond());
        self.write("set_password", Whose::Thing("operators"), move |db| {
            let sql = "UPDATE operators SET password = ?2, changed_at = ?3 WHERE name = ?1";
            let changed = db.execute(sql, params![name, password, now])? == 1;
            end_all(db, &name)?;
            if changed {
                audit(db, now, &actor, "password changed", &name)?;
            }
            Ok(changed)
        })
        .await
    }

    /// Remembers the language that an operator chose.
    ///
    /// # Errors
    /// As any write.
    pub async fn set_language(&self, name: &str, language: &str) -> Result<(), StoreError> {
        let (name, language) = (name.to_owned(), language.to_owned());
        self.write("set_language", Whose::Thing("operators"), move |db| {
            db.execute("UPDATE operators SET language = ?2 WHERE name = ?1", params![name, language])?;
            Ok(())
        })
        .await
    }

    /// Removes an operator with their sessions. `false` where there is no such operator.
    ///
    /// # Errors
    /// As any write.
    pub async fn remove_operator(&self, name: &str, actor: &str) -> Result<bool, StoreError> {
        let (name, actor, now) = (name.to_owned(), actor.to_owned(), clock::now().as_millisecond());
        self.write("remove_operator", Whose::Thing("operators"), move |db| {
            let removed = db.execute("DELETE FROM operators WHERE name = ?1", params![&name])? == 1;
            end_all(db, &name)?;
            // Who is gone may still know the tokens that they made.
            let tokens = db.execute("DELETE FROM api_tokens WHERE created_by = ?1", params![&name])?;
            if tokens > 0 {
                audit(db, now, &actor, "tokens revoked", &format!("{tokens} that {name} had made"))?;
            }
            if removed {
                audit(db, now, &actor, "operator removed", &name)?;
            }
            Ok(removed)
        })
        .await
    }

    /// Keeps the hash of a link that works once, until `expires_at`, and forgets all others.
    ///
    /// # Errors
    /// As any write.
    pub async fn keep_link(&self, hash: [u8; 32], expires_at: i64) -> Result<(), StoreError> {
        self.write("keep_link", Whose::Thing("operators"), move |db| {
            db.execute("DELETE FROM links", params![])?;
            db.execute("INSERT INTO links VALUES (?1, ?2)", params![hash, expires_at])?;
            Ok(())
        })
        .await
    }

    /// Whether a link would still work.
    ///
    /// # Errors
    /// As any read.
    pub async fn link_works(&self, hash: [u8; 32]) -> Result<bool, StoreError> {
        let now = clock::now().as_millisecond();
        let sql = "SELECT count(*) FROM links WHERE hash = ?1 AND expires_at > ?2";
        self.read(move |db| Ok(db.one(sql, params![hash, now], |row| row.get::<i64>(0))? == 1)).await
    }

    /// Makes the first operator by a link, which is used up with it. `false`: the link does not work (any more), or
    /// somebody is there already.
    ///
    /// # Errors
    /// As any write.
    pub async fn use_link(&self, hash: [u8; 32], operator: Operator) -> Result<bool, StoreError> {
        let now = clock::now().as_millisecond();
        self.write("use_link", Whose::Thing("operators"), move |db| {
            let sql = "DELETE FROM links WHERE hash = ?1 AND expires_at > ?2";
            let works = db.execute(sql, params![hash, now])? == 1;
            let nobody: bool = db.one("SELECT count(*) = 0 FROM operators", params![], |row| row.get(0))?;
            if !works || !nobody {
                return Ok(false);
            }
            let sql = "INSERT INTO operators (name, password, role, accounts, language, created_at, changed_at)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)";
            let (role, accounts) = (operator.role.as_str(), accounts_text(&operator.scope));
            let row = params![operator.name, operator.password, role, accounts, operator.language, now];
            db.execute(sql, row)?;
            audit(db, now, "link", "operator added", &format!("{} ({role})", operator.name))?;
            Ok(true)
        })
        .await
    }
}

/// Appends to the audit.
pub(super) fn audit(db: &Db<'_>, at: i64, actor: &str, what: &str, detail: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit (at, actor, what, detail) VALUES (?1, ?2, ?3, ?4)";
    db.execute(sql, params![at, actor, what, detail])?;
    Ok(())
}

pub(super) fn accounts_text(scope: &Scope) -> Option<String> {
    scope.names().and_then(|names| serde_json::to_string(names).ok())
}

/// A list that cannot be read shows nothing rather than all.
pub(super) fn scope_of(accounts: Option<String>) -> Scope {
    accounts.map_or(Scope::All, |text| Scope::Accounts(serde_json::from_str(&text).unwrap_or_default()))
}

pub(super) fn read(row: &Row<'_>) -> Result<Operator, StoreError> {
    let (role, accounts): (String, Option<String>) = (row.get(2)?, row.get(3)?);
    Ok(Operator {
        name: row.get(0)?,
        password: row.get(1)?,
        // The schema's own check allows no other text.
        role: Role::parse(&role).unwrap_or(Role::Viewer),
        scope: scope_of(accounts),
        language: row.get(4)?,
        created_at: row.get(5)?,
    })
}
