//! Schema steps: appended, never edited; each runs once, in the transaction of whichever node comes first.
//!
//! Nodes are updated one after the other, so that an older version lives beside a newer one's schema for a while. Each step
//! says which schema a version must know at least to do so; a step that only adds is one that the first can live beside.

use super::super::sql::{Db, params};
use super::super::{StoreError, partitions};
use super::talk::Talk;

/// A step, and the oldest schema whose versions may go on beside it.
type Step<'s> = (&'s str, i64);

const STEPS: &[Step<'_>] = &[
    (include_str!("migrations/0001_first.sql"), 1),
    (include_str!("migrations/0002_said.sql"), 1),
    (include_str!("migrations/0003_used.sql"), 1),
    (include_str!("migrations/0004_changes.sql"), 1),
];

/// Brings the schema up to date. The caller holds everybody's turn.
pub(super) fn migrate(talk: &Talk) -> Result<(), StoreError> {
    let next = next_step();
    let steps: Vec<Step<'_>> =
        STEPS.iter().copied().chain(next.as_ref().map(|(sql, oldest)| (sql.as_str(), *oldest))).collect();
    let db = Db::Postgres(talk);
    talk.batch("CREATE TABLE IF NOT EXISTS schema_steps (step BIGINT PRIMARY KEY, oldest BIGINT NOT NULL)")?;
    let sql = "SELECT coalesce(max(step), 0), coalesce(max(oldest), 0) FROM schema_steps";
    let (done, oldest): (i64, i64) = db.one(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let newest = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if oldest > newest {
        return Err(StoreError::Refused(format!(
            "the store has schema {done}, which needs a version that knows {oldest}; this one knows {newest}: use the newer \
             parom that made it"
        )));
    }
    if done > newest {
        tracing::info!(
            schema = done,
            known = newest,
            "a newer version has changed the store; this one goes on beside it"
        );
    }
    for (step, (sql, oldest)) in (1_i64..).zip(steps).skip(usize::try_from(done).unwrap_or_default()) {
        talk.batch(sql)?;
        db.execute("INSERT INTO schema_steps VALUES (?1, ?2)", params![step, oldest])?;
    }
    if done == 0 { partitions::ahead(&db) } else { Ok(()) }
}

/// A step more, which a test has: so it plays a version that is newer than this one.
fn next_step() -> Option<(String, i64)> {
    #[cfg(debug_assertions)]
    let step = crate::config::next_schema_step();
    #[cfg(not(debug_assertions))]
    let step = None;
    step
}
