//! Versions of channel files: each text that was ever used or tried.

use super::sql::params;

use super::{Store, StoreError, Whose};
use crate::clock;

/// A kept version.
#[derive(Clone, Debug)]
pub struct KeptVersion {
    /// Its row.
    pub id: i64,
    /// The file's text.
    pub text: String,
}

/// A version with its place in time.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its row.
    pub id: i64,
    /// The file's text.
    pub text: String,
    /// Whether it could be used.
    pub usable: bool,
    /// When it was first seen, milliseconds.
    pub first_seen_at: i64,
}

impl Store {
    /// Keeps a version, once, and gives its row. After a crash: kept, or not and kept at the next start.
    ///
    /// # Errors
    /// As any write.
    pub async fn keep_version(&self, channel: &str, text: &str, usable: bool) -> Result<i64, StoreError> {
        let (channel, text) = (channel.to_owned(), text.to_owned());
        let now = clock::now().as_millisecond();
        self.write("keep_version", Whose::Thing("channels"), move |db| {
            let sql = "UPDATE channel_versions SET usable = ?3 WHERE channel = ?1 AND text = ?2 RETURNING id";
            let known: Option<i64> = db.first(sql, params![channel, text, usable], |row| row.get(0))?;
            let sql = "INSERT INTO channel_versions (channel, text, usable, first_seen_at) VALUES (?1, ?2, ?3, ?4) RETURNING id";
            known.map_or_else(|| db.get(sql, params![channel, text, usable, now]), Ok)
        })
        .await
    }

    /// The newest version of a channel that could be used.
    ///
    /// # Errors
    /// As any read.
    pub async fn last_usable(&self, channel: &str) -> Result<Option<KeptVersion>, StoreError> {
        let channel = channel.to_owned();
        self.read(move |db| {
            let sql =
                "SELECT id, text FROM channel_versions WHERE channel = ?1 AND usable = 1 ORDER BY id DESC LIMIT 1";
            db.first(sql, params![channel], |row| Ok(KeptVersion { id: row.get(0)?, text: row.get(1)? }))
        })
        .await
    }

    /// The versions of a channel, newest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn history(&self, channel: &str, limit: i64) -> Result<Vec<Version>, StoreError> {
        let channel = channel.to_owned();
        self.read(move |db| {
            let sql = "SELECT id, text, usable, first_seen_at FROM channel_versions WHERE channel = ?1
                       ORDER BY id DESC LIMIT ?2";
            db.query(sql, params![channel, limit], |row| {
                Ok(Version { id: row.get(0)?, text: row.get(1)?, usable: row.get(2)?, first_seen_at: row.get(3)? })
            })
        })
        .await
    }

    /// How many versions of a channel are kept.
    ///
    /// # Errors
    /// As any read.
    pub async fn versions(&self, channel: &str) -> Result<i64, StoreError> {
        let channel = channel.to_owned();
        let sql = "SELECT count(*) FROM channel_versions WHERE channel = ?1";
        self.read(move |db| db.one(sql, params![channel], |row| row.get(0))).await
    }
}
