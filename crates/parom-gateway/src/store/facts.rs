//! What the store knows of itself, and what is done when it may have forgotten what was sent: it was restored, another was
//! put in its place, or its server fell over to one that is behind.

use super::sql::{Db, params};
use super::{Store, StoreError, Whose, leases, ledger};
use crate::clock;

/// Senders repeat a request for so long: what comes by a key may have been sent before the restore.
const SENDERS_REPEAT_MS: i64 = 48 * 3_600_000;
const RESTORED_AT: &str = "restored_at";

/// Makes every order doubtful that may have gone since, and fills the ledger; how many orders.
pub(super) fn verify_first(db: &Db<'_>, now: i64) -> Result<usize, StoreError> {
    // What is held or refused may have been released since; a trigger looks it up when it is queued.
    db.execute("UPDATE orders SET restored = 1 WHERE state IN ('held', 'rejected')", params![])?;
    let sql = "INSERT INTO order_events (seq, at, state, actor, note)
               SELECT seq, ?1, 'unconfirmed', 'delivery', ?2 FROM orders WHERE state = 'queued' ORDER BY seq";
    db.execute(sql, params![now, "the store was restored: it is looked up before it goes"])?;
    let sql = "UPDATE orders SET state = 'unconfirmed', reason = 'restored', updated_at = ?1 WHERE state = 'queued'";
    let doubtful = db.execute(sql, params![now])?;
    // A payment may have been made since: it is looked for by its mark.
    let sql = "UPDATE changes SET state = 'unconfirmed', looks = 0 WHERE state = 'queued' AND kind = 'payment'";
    db.execute(sql, params![])?;
    ledger::fill(db)?;
    set(db, RESTORED_AT, &now.to_string())?;
    Ok(doubtful)
}

/// The same in a database that nodes share: what was being sent when it was left is doubtful as well, and its quiet time begins
/// now. The server's transactions are counted anew.
pub(super) fn distrust(db: &Db<'_>, now: i64) -> Result<usize, StoreError> {
    let doubtful = verify_first(db, now)?;
    leases::end_all(db)?;
    db.execute("DELETE FROM alert_mark", params![])?;
    Ok(doubtful)
}

impl Store {
    /// Looks up everything that is not settled before it goes: the server's own tools put the database back, in a way that it
    /// does not show. How many orders wait for that. Nodes read at their start until when they have to be careful.
    ///
    /// # Errors
    /// As any write.
    pub async fn verify_first(&self) -> Result<usize, StoreError> {
        let now = clock::now().as_millisecond();
        self.write("verify_first", Whose::Everybody, move |db| {
            // How long it takes depends on how much there is.
            if let Db::Postgres(talk) = db {
                talk.be_patient(true);
                talk.batch("SET LOCAL statement_timeout = 0")?;
            }
            let done = distrust(db, now).and_then(|_| {
                let sql = "SELECT count(*) FROM orders WHERE state IN ('sending', 'unconfirmed')";
                Ok(usize::try_from(db.get::<i64>(sql, params![])?).unwrap_or_default())
            });
            if let Db::Postgres(talk) = db {
                talk.be_patient(false);
            }
            done
        })
        .await
    }
}

/// Until when an order that comes by a key is looked up first, milliseconds; 0 where nothing was restored.
pub(super) fn careful_until(db: &Db<'_>) -> Result<i64, StoreError> {
    Ok(careful(db)?.map_or(0, |(_, until)| until))
}

/// When the store was restored, and until when that matters, milliseconds.
pub(super) fn careful(db: &Db<'_>) -> Result<Option<(i64, i64)>, StoreError> {
    let at = fact(db, RESTORED_AT)?.and_then(|text| text.parse::<i64>().ok());
    Ok(at.map(|at| (at, at.saturating_add(SENDERS_REPEAT_MS))))
}

pub(super) fn fact(db: &Db<'_>, name: &str) -> Result<Option<String>, StoreError> {
    db.first("SELECT value FROM facts WHERE name = ?1", params![name], |row| row.get(0))
}

pub(super) fn set(db: &Db<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO facts (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
    db.execute(sql, params![name, value]).map(|_| ())
}
