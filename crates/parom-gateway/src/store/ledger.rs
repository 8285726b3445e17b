//! The rate ledger: each request to the CRM, committed before it goes, so that a restart knows what the last minute had.
//!
//! Its times are milliseconds since the machine started, not of the day: a clock that is set forward must not make the last
//! minute's requests look old. Several nodes go by the time of the server that they share. What an earlier start of the machine left is at least as old as the machine's present run.

use super::sql::{Db, params};
use super::{Store, StoreError, Whose, leases};
use crate::clock;

/// How long rows are kept: the window and some more.
const KEPT_MS: i64 = 10 * 60_000;
/// Rows that a restart asks for: the window, and as long as a request may last.
const INHERITED_MS: i64 = 120_000;
/// More than any limit.
const ALL_PLACES: u32 = 1_000_000;
/// Larger numbers are times of day, as versions before this wrote them: no machine runs for thirty years.
const TIME_OF_DAY: i64 = 1_000_000_000_000;

impl Store {
    /// Writes a request of another kind into the ledger, before it goes; delivery names the epoch of its lease.
    ///
    /// # Errors
    /// As any write.
    pub async fn spend(&self, account: &str, epoch: Option<i64>) -> Result<(), StoreError> {
        let account = account.to_owned();
        self.write("spend", Whose::Account(account.clone()), move |db| {
            epoch.map_or(Ok(()), |epoch| leases::check(db, &account, epoch))?;
            spend(db, &account)
        })
        .await
    }

    /// Ages, in milliseconds, of the requests of the last minute and a bit, and how many there were at each; none is older
    /// than it says.
    ///
    /// # Errors
    /// As any read.
    pub async fn spent(&self, account: &str) -> Result<Vec<(u64, u32)>, StoreError> {
        let ages = self.ages(account).await?.into_iter().filter(|(age, _)| *age < INHERITED_MS);
        Ok(ages.map(|(age, places)| (u64::try_from(age).unwrap_or_default(), places)).collect())
    }

    /// Requests to the CRM of an account in the last so many milliseconds.
    ///
    /// # Errors
    /// As any read.
    pub async fn requests_in(&self, account: &str, millis: i64) -> Result<usize, StoreError> {
        Ok(self.ages(account).await?.into_iter().filter(|(age, _)| *age < millis).count())
    }

    async fn ages(&self, account: &str) -> Result<Vec<(i64, u32)>, StoreError> {
        let account = account.to_owned();
        self.read(move |db| {
            let now = db.steady()?;
            let age = |at| now - of_this_run(at, now);
            db.query("SELECT at, places FROM crm_requests WHERE account = ?1", params![account], |row| {
                Ok((age(row.get(0)?), row.get(1)?))
            })
        })
        .await
    }
}

/// A place in the ledger, in the verb's own transaction.
pub(super) fn spend(db: &Db<'_>, account: &str) -> Result<(), StoreError> {
    let now = db.steady()?;
    let sql = "UPDATE crm_requests SET at = CASE WHEN at > ?3 THEN ?2 ELSE 0 END WHERE account = ?1 AND at > ?2";
    db.execute(sql, params![account, now, TIME_OF_DAY])?;
    let sql = "INSERT INTO crm_requests (account, at) VALUES (?1, ?2)";
    db.execute(sql, params![account, now])?;
    let sql = "DELETE FROM crm_requests WHERE account = ?1 AND at < ?2";
    db.execute(sql, params![account, now - KEPT_MS])?;
    Ok(())
}

/// Nothing is known of the last minute: every place of every account counts as taken.
pub(super) fn fill(db: &Db<'_>) -> Result<(), StoreError> {
    let sql = "INSERT INTO crm_requests (account, at, places)
               SELECT DISTINCT account, CAST(?1 AS BIGINT), CAST(?2 AS BIGINT) FROM orders WHERE account <> ''";
    db.execute(sql, params![db.steady()?, ALL_PLACES]).map(|_| ())
}

/// A row's time in the machine's present run. A later time than now is of an earlier run, which was over when this one
/// began; of a time of day nothing is known.
fn of_this_run(at: i64, now: i64) -> i64 {
    match at {
        at if at <= now => at,
        at if at > TIME_OF_DAY => now,
        _ => 0,
    }
}

/// Milliseconds since the machine started.
pub(super) fn uptime() -> i64 {
    i64::try_from(clock::mono().0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::sql::{Db, params};
    use super::super::sqlite;

    #[test]
    fn no_request_looks_older_than_it_is() {
        assert_eq!(super::of_this_run(70_000, 90_000), 70_000, "of this run of the machine");
        assert_eq!(super::of_this_run(2_000_000, 90_000), 0, "of an earlier run, before this one began");
        assert_eq!(super::of_this_run(1_780_000_000_000, 90_000), 90_000, "a time of day, of an older version");
    }

    #[test]
    fn rows_of_earlier_runs_are_dated_at_the_first_request() {
        let connection = sqlite::in_memory();
        let db = Db::Sqlite(&connection);
        let now = super::uptime();
        for at in [1_780_000_000_000, now + 3_600_000, now - super::KEPT_MS - 1_000] {
            db.execute("INSERT INTO crm_requests (account, at) VALUES ('main', ?1)", params![at]).unwrap();
        }
        super::spend(&db, "main").unwrap();
        let kept: i64 = db.get("SELECT count(*) FROM crm_requests WHERE at >= ?1", params![now]).unwrap();
        assert_eq!(kept, 2, "the older version's, and this one");
    }
}
