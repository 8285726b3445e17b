//! Versions of channels: each text that was ever used or tried. Where several nodes serve them, also the texts themselves.

use super::sql::{Db, params};
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
            let newest = "(SELECT coalesce(max(used), 0) FROM channel_versions WHERE channel = ?1)";
            // One that was served stays usable: what it lacks now may be lacking to a command's own environment alone.
            let sql = format!(
                "UPDATE channel_versions SET usable = CASE WHEN ?3 = 1 THEN 1 ELSE usable END,
                   used = CASE WHEN ?3 = 1 AND used < {newest} THEN {newest} + 1 ELSE used END
                 WHERE channel = ?1 AND text = ?2 RETURNING id"
            );
            let known: Option<i64> = db.first(&sql, params![channel, text, usable], |row| row.get(0))?;
            let sql = format!(
                "INSERT INTO channel_versions (channel, text, usable, first_seen_at, used)
                 VALUES (?1, ?2, ?3, ?4, CASE WHEN ?3 = 1 THEN {newest} + 1 ELSE 0 END) RETURNING id"
            );
            known.map_or_else(|| db.get(&sql, params![channel, text, usable, now]), Ok)
        })
        .await
    }

    /// The version of a channel that was used last.
    ///
    /// # Errors
    /// As any read.
    pub async fn last_usable(&self, channel: &str) -> Result<Option<KeptVersion>, StoreError> {
        let channel = channel.to_owned();
        self.read(move |db| {
            let sql =
                "SELECT id, text FROM channel_versions WHERE channel = ?1 AND usable = 1 ORDER BY used DESC, id DESC LIMIT 1";
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

/// A channel's text in the store, after a change.
#[derive(Clone, Debug)]
pub struct StoredChannel {
    /// The channel.
    pub name: String,
    /// Its text; none where it was taken out.
    pub text: Option<String>,
    /// The number of the change: it only grows.
    pub change: i64,
}

/// What one change of the store's channels asks for.
#[derive(Clone, Debug)]
pub struct ChannelChange {
    /// The channel.
    pub name: String,
    /// The text that is to be there; none takes it out.
    pub text: Option<String>,
}

/// A text with the number of its change: at least the time, so that a server that has forgotten the last changes gives none
/// of their numbers again.
const STORED: &str = "INSERT INTO channels (name, text, changed_at, actor, change)
    VALUES (?1, ?2, ?3, ?4, (SELECT greatest(coalesce(max(change), 0) + 1, ?3) FROM channels))";

impl Store {
    /// Whether the channels' texts are the store's: several nodes serve them. With a file of orders the files are the truth.
    #[must_use]
    pub fn keeps_channels(&self) -> bool {
        self.inner.engine.is_shared()
    }

    /// The channels that changed after a change, oldest first; none where the store knows nothing of that change any more,
    /// because its server fell over to one that is behind: then all are to be read again.
    ///
    /// # Errors
    /// As any read.
    pub async fn channels_since(&self, change: i64) -> Result<Option<Vec<StoredChannel>>, StoreError> {
        self.read(move |db| {
            if db.get::<i64>("SELECT coalesce(max(change), 0) FROM channels", params![])? < change {
                return Ok(None);
            }
            let sql = "SELECT name, text, change FROM channels WHERE change > ?1 ORDER BY change";
            db.query(sql, params![change], |row| {
                Ok(StoredChannel { name: row.get(0)?, text: row.get(1)?, change: row.get(2)? })
            })
            .map(Some)
        })
        .await
    }

    /// Takes a channel's text into the store, if it never had one. After a crash: taken, or not and taken at the next look.
    ///
    /// # Errors
    /// As any write.
    pub async fn adopt_channel(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let (name, text) = (name.to_owned(), text.to_owned());
        let now = clock::now().as_millisecond();
        self.write("adopt_channel", Whose::Thing("channels"), move |db| {
            let sql = format!("{STORED} ON CONFLICT (name) DO NOTHING");
            db.execute(&sql, params![name, text, now, "file"]).map(|_| ())
        })
        .await
    }

    /// Changes a channel's text if it still is `before`; whether it was. After a crash: changed, or as it was.
    ///
    /// # Errors
    /// As any write.
    pub async fn replace_channel(
        &self,
        name: &str,
        before: Option<&str>,
        text: &str,
        actor: &str,
    ) -> Result<bool, StoreError> {
        let (name, before) = (name.to_owned(), before.map(str::to_owned));
        let (text, actor) = (text.to_owned(), actor.to_owned());
        let now = clock::now().as_millisecond();
        self.write("replace_channel", Whose::Thing("channels"), move |db| {
            let sql = "SELECT text FROM channels WHERE name = ?1";
            let there: Option<Option<String>> = db.first(sql, params![name], |row| row.get(0))?;
            if there.flatten() != before {
                return Ok(false);
            }
            put(db, &ChannelChange { name, text: Some(text) }, &actor, now)?;
            Ok(true)
        })
        .await
    }

    /// Changes texts, all or none. After a crash: all changed, or none.
    ///
    /// # Errors
    /// As any write.
    pub async fn change_channels(&self, changes: Vec<ChannelChange>, actor: &str) -> Result<(), StoreError> {
        let (actor, now) = (actor.to_owned(), clock::now().as_millisecond());
        self.write("change_channels", Whose::Thing("channels"), move |db| {
            changes.iter().try_for_each(|change| put(db, change, &actor, now))
        })
        .await
    }
}

fn put(db: &Db<'_>, change: &ChannelChange, actor: &str, now: i64) -> Result<(), StoreError> {
    let sql = format!(
        "{STORED} ON CONFLICT (name) DO UPDATE SET text = excluded.text, changed_at = excluded.changed_at,
         actor = excluded.actor, change = excluded.change"
    );
    db.execute(&sql, params![change.name, change.text, now, actor]).map(|_| ())
}
