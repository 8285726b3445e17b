//! Versions of channel files: each text that was ever used or tried.

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};
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
        self.write("keep_version", move |connection| {
            connection.execute(
                "INSERT INTO channel_versions (channel, text, usable, first_seen_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (channel, text) DO UPDATE SET usable = ?3",
                params![channel, text, usable, now],
            )?;
            let id = connection.query_row(
                "SELECT id FROM channel_versions WHERE channel = ?1 AND text = ?2",
                params![channel, text],
                |row| row.get(0),
            )?;
            Ok(id)
        })
        .await
    }

    /// The newest version of a channel that could be used.
    ///
    /// # Errors
    /// As any read.
    pub async fn last_usable(&self, channel: &str) -> Result<Option<KeptVersion>, StoreError> {
        let channel = channel.to_owned();
        self.read(move |connection| {
            let sql =
                "SELECT id, text FROM channel_versions WHERE channel = ?1 AND usable = 1 ORDER BY id DESC LIMIT 1";
            let found = connection
                .query_row(sql, [channel], |row| Ok(KeptVersion { id: row.get(0)?, text: row.get(1)? }))
                .optional()?;
            Ok(found)
        })
        .await
    }

    /// The versions of a channel, newest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn history(&self, channel: &str, limit: i64) -> Result<Vec<Version>, StoreError> {
        let channel = channel.to_owned();
        self.read(move |connection| {
            let sql = "SELECT id, text, usable, first_seen_at FROM channel_versions WHERE channel = ?1
                       ORDER BY id DESC LIMIT ?2";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map(params![channel, limit], |row| {
                Ok(Version { id: row.get(0)?, text: row.get(1)?, usable: row.get(2)?, first_seen_at: row.get(3)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
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
        self.read(move |connection| Ok(connection.query_row(sql, [channel], |row| row.get(0))?)).await
    }
}
