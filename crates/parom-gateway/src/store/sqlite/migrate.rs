//! Schema steps: appended, never edited; each runs once, in a transaction, whoever opens the file first.

use rusqlite::{Connection, TransactionBehavior};

use super::super::OpenError;
use crate::crash;

const STEPS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_dictionaries.sql"),
    include_str!("migrations/0003_updates.sql"),
    include_str!("migrations/0004_samples.sql"),
    include_str!("migrations/0005_changes.sql"),
    include_str!("migrations/0006_operators.sql"),
    include_str!("migrations/0007_alerts.sql"),
    include_str!("migrations/0008_pauses.sql"),
    include_str!("migrations/0009_tokens.sql"),
    include_str!("migrations/0010_erasure.sql"),
    include_str!("migrations/0011_looks_back.sql"),
    include_str!("migrations/0012_spam.sql"),
    include_str!("migrations/0013_alert_faults.sql"),
    include_str!("migrations/0014_one_number_index.sql"),
    include_str!("migrations/0015_novaposhta.sql"),
    include_str!("migrations/0016_said.sql"),
    include_str!("migrations/0017_used.sql"),
    include_str!("migrations/0018_changes.sql"),
];

pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    if version(connection)? == STEPS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it while this one waited for the lock.
    let done = version(&transaction)?;
    if done > STEPS.len() {
        let newest = STEPS.len();
        return Err(OpenError(format!(
            "the store has schema {done}, this version knows {newest}: use the newer parom that made it"
        )));
    }
    for step in &STEPS[done..] {
        transaction.execute_batch(step)?;
        crash::point("store.migration_step");
    }
    transaction.pragma_update(None, "user_version", i64::try_from(STEPS.len()).unwrap_or_default())?;
    crash::point("store.before_migration");
    transaction.commit()?;
    crash::point("store.after_migration");
    Ok(())
}

fn version(connection: &Connection) -> Result<usize, rusqlite::Error> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or_default())
}
