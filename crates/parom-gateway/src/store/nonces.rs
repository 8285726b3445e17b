//! What form times need: the key that signs them, and the nonces that were used.

use super::sql::{Db, params};
use parom_core::spam::{KEY_BYTES, Stamp};

use super::{Store, StoreError, Whose};

/// The name of the key that signs form times.
const FORM_TIME: &str = "form time";

impl Store {
    /// The key that signs form times; the given one, if there was none. After a crash it is there or not, and is never
    /// another one: form times that were given out before a restart stay good.
    ///
    /// # Errors
    /// As any write.
    pub async fn form_time_key(&self, new: [u8; KEY_BYTES]) -> Result<[u8; KEY_BYTES], StoreError> {
        self.write("form_time_key", Whose::Thing("signing keys"), move |db| {
            let sql = "INSERT INTO signing_keys VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            db.execute(sql, params![FORM_TIME, new])?;
            let sql = "SELECT key FROM signing_keys WHERE name = ?1";
            db.get(sql, params![FORM_TIME])
        })
        .await
    }
}

/// Uses a nonce up, in the transaction that keeps its order; `false` for one that was used before. What is too old by
/// then is forgotten.
pub(super) fn use_nonce(db: &Db<'_>, stamp: &Stamp, now: i64) -> Result<bool, StoreError> {
    db.execute("DELETE FROM form_nonces WHERE until < ?1", params![now])?;
    let sql = "INSERT INTO form_nonces VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    Ok(db.execute(sql, params![stamp.nonce, stamp.until])? == 1)
}
