//! Schema steps: appended, never edited; each runs once, in the transaction of whichever node comes first.

use super::super::StoreError;
use super::super::sql::{Db, params};
use super::talk::Talk;

const STEPS: &[&str] = &[include_str!("migrations/0001_first.sql")];

/// Brings the schema up to date. The caller holds everybody's turn.
pub(super) fn migrate(talk: &Talk) -> Result<(), StoreError> {
    let db = Db::Postgres(talk);
    talk.batch("CREATE TABLE IF NOT EXISTS schema_steps (step BIGINT PRIMARY KEY)")?;
    let done: i64 = db.get("SELECT coalesce(max(step), 0) FROM schema_steps", params![])?;
    let (done, newest) = (usize::try_from(done).unwrap_or_default(), STEPS.len());
    if done > newest {
        return Err(StoreError::Refused(format!(
            "the store has schema {done}, this version knows {newest}: use the newer parom that made it"
        )));
    }
    for (at, step) in STEPS.iter().enumerate().skip(done) {
        talk.batch(step)?;
        db.execute("INSERT INTO schema_steps VALUES (?1)", params![u32::try_from(at + 1).unwrap_or_default()])?;
    }
    Ok(())
}
