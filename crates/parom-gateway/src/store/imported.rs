//! What is there already of a row that is imported.

use parom_core::delivery::state::State;
use serde_json::{Map, Value};

use super::accept::{Accepted, by_key, identity, number_owner};
use super::sql::params;
use super::{Store, StoreError};

/// Of an old one the request itself is gone.
const ERASED: &str = "SELECT o.id FROM idempotency_keys k JOIN orders o ON o.seq = k.seq
    LEFT JOIN submissions s ON s.seq = o.seq
    WHERE k.channel = ?1 AND k.content = ?2 AND substr(k.key, 1, 7) = 'erased:' AND coalesce(s.door, ?3) = ?3 LIMIT 1";

/// The door of orders that came in a file.
pub const IMPORT: &str = "import";

impl Store {
    /// What an order of this key and content would be, where the key is known and another content is refused.
    ///
    /// # Errors
    /// As any read.
    pub async fn known(&self, channel: &str, key: &str, content: [u8; 32]) -> Result<Option<Accepted>, StoreError> {
        let (channel, key) = (channel.to_owned(), key.to_owned());
        let known = self.read(move |db| by_key(db, &channel, &key)).await?;
        Ok(known.map(|(id, kept)| if kept == content { Accepted::Duplicate(id) } else { Accepted::Conflict(id) }))
    }

    /// The order that a row of this content made in an earlier import.
    ///
    /// # Errors
    /// As any read.
    pub async fn imported(&self, channel: &str, content: [u8; 32]) -> Result<Option<String>, StoreError> {
        let channel = channel.to_owned();
        self.read(move |db| {
            let sql = "SELECT o.id FROM orders o JOIN submissions s ON s.seq = o.seq
                       WHERE o.channel = ?1 AND o.content = ?2 AND s.door = ?3 ORDER BY o.received_at LIMIT 1";
            let first = db.first(sql, params![channel, content, IMPORT], |row| row.get(0))?;
            // Of one whose buyer was erased its keys alone know the content.
            first.map_or_else(
                || db.first(ERASED, params![channel, content, IMPORT], |row| row.get(0)),
                |id| Ok(Some(id)),
            )
        })
        .await
    }

    /// The order whose number an order of this body would have.
    ///
    /// # Errors
    /// As any read.
    pub async fn owner_of_number(&self, account: &str, body: Map<String, Value>) -> Result<Option<String>, StoreError> {
        let Some((source_id, number)) = identity(&body) else { return Ok(None) };
        let account = account.to_owned();
        self.read(move |db| number_owner(db, &account, source_id, &number, -1)).await
    }

    /// By which door an order came, and its state; none where it is gone, or its request is.
    ///
    /// # Errors
    /// As any read.
    pub async fn came(&self, id: &str) -> Result<Option<(String, State)>, StoreError> {
        let id = id.to_owned();
        self.read(move |db| {
            let sql = "SELECT s.door, o.state FROM orders o JOIN submissions s ON s.seq = o.seq WHERE o.id = ?1";
            db.first(sql, params![id], |row| {
                // The schema's own check allows no other text.
                let state: String = row.get(1)?;
                Ok((row.get(0)?, State::parse(&state).unwrap_or(State::Disputed)))
            })
        })
        .await
    }
}
