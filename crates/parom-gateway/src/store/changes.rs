//! Changes of orders that are in the CRM: kept with the request that asks for them, made once by delivery.

use super::sql::{Db, params};
use parom_core::Problem;
use parom_core::delivery::change::{Change, ChangeKind, Next};
use parom_core::delivery::state::State;
use serde_json::Value;

use super::accept::append_event;
use super::asked::{add, mark_order};
use super::ledger::spend;
use super::pauses::is_paused;
use super::records::{problems_from_json, problems_to_json};
use super::{Store, StoreError, Whose, leases};
use crate::clock;

/// A change whose turn it is.
#[derive(Clone, Debug)]
pub struct DueChange {
    /// Its row.
    pub id: i64,
    /// Its order.
    pub order: String,
    /// The order's number in the CRM.
    pub crm_order_id: i64,
    /// What it changes.
    pub change: Change,
    /// The mark of a payment.
    pub mark: String,
    /// It may have been made: look first.
    pub doubtful: bool,
    /// Attempts, this one included.
    pub attempts: u32,
    /// Looks since the last attempt, this one included.
    pub looks: u32,
}

/// A change as the journal shows it.
#[derive(Clone, Debug)]
pub struct KeptChange {
    /// `payment`, `status` or `branch`.
    pub kind: String,
    /// The CRM's body.
    pub body: Value,
    /// `queued`, `sending`, `unconfirmed`, `done`, `refused` or `superseded`.
    pub state: String,
    /// Attempts so far.
    pub attempts: i64,
    /// Why, in words.
    pub note: String,
}

const DUE: &str =
    "SELECT c.id, o.id, o.crm_order_id, c.kind, c.body, c.mark, c.state, c.attempts, c.looks, c.due_at, c.seq
     FROM changes c JOIN orders o ON o.seq = c.seq
     WHERE c.account = ?1 AND c.state IN ('queued', 'sending', 'unconfirmed') AND c.state IN ('queued', 'unconfirmed')
       AND o.state = 'delivered' AND o.target = 'order' AND o.crm_order_id IS NOT NULL AND o.account = c.account
     ORDER BY c.due_at, c.id LIMIT 1";

/// What came later of a kind that may be made twice: the last one counts.
const NEWER: &str =
    "SELECT 1 FROM changes new WHERE new.seq = changes.seq AND new.kind = changes.kind AND new.id > changes.id
    AND new.state NOT IN ('refused', 'superseded')";

impl Store {
    /// How long until the next change of an account is due, milliseconds, by a clock that nobody sets; negative for what is
    /// late, none where there is none.
    ///
    /// # Errors
    /// As any read.
    pub async fn change_due(&self, account: &str) -> Result<Option<i64>, StoreError> {
        let account = account.to_owned();
        self.read(move |db| {
            let due_at: Option<i64> = db.first(DUE, params![account], |row| row.get(9))?;
            due_at.map(|due_at| Ok(due_at.saturating_sub(db.steady()?))).transpose()
        })
        .await
    }

    /// The intent of a change, or of a look for one: committed before anything goes. A crash after it: the start makes an
    /// attempt doubtful, and a look is repeated.
    ///
    /// # Errors
    /// As any write.
    pub async fn claim_change(&self, account: &str, epoch: i64) -> Result<Option<DueChange>, StoreError> {
        let account = account.to_owned();
        let now = clock::now().as_millisecond();
        self.write("claim_change", Whose::Account(account.clone()), move |db| {
            leases::check(db, &account, epoch)?;
            claim(db, &account, now)
        })
        .await
    }

    /// Writes what an attempt or a look came to; `wait` is how long until the next.
    ///
    /// # Errors
    /// As any write.
    pub async fn settle_change(&self, due: &DueChange, next: Next, wait: i64) -> Result<(), StoreError> {
        let due = due.clone();
        let now = clock::now().as_millisecond();
        self.write("settle_change", Whose::Id(due.order.clone()), move |db| settle(db, &due, &next, wait, now)).await
    }

    /// Keeps the change of a branch that a person chose for an order in the CRM; `false` where it is not there any more. What
    /// was in question is settled by it. A crash after: delivery makes the change.
    ///
    /// # Errors
    /// As any write.
    pub async fn choose_branch(
        &self,
        (seq, account): (i64, &str),
        change: Change,
        actor: &str,
        note: String,
    ) -> Result<bool, StoreError> {
        let (own, actor, now) = (account.to_owned(), actor.to_owned(), clock::now().as_millisecond());
        let kept = self.write("choose_branch", Whose::Account(own.clone()), move |db| {
            let sql = format!("SELECT problems FROM orders WHERE seq = ?1 AND state = 'delivered'{}", db.for_update());
            let Some(problems) = db.first::<String>(&sql, params![seq], |row| row.get(0))? else { return Ok(false) };
            let left: Vec<Problem> =
                problems_from_json(&problems).into_iter().filter(|problem| !problem.code.is_of_branch()).collect();
            let sql = "UPDATE orders SET problems = ?2 WHERE seq = ?1";
            db.execute(sql, params![seq, problems_to_json(&left).to_string()])?;
            add(db, seq, &own, &[change], now)?;
            append_event(db, seq, now, State::Delivered, &actor, &note)?;
            Ok(true)
        });
        let kept = kept.await?;
        self.board().wake_of(account).notify_one();
        Ok(kept)
    }
}

/// An attempt without a result may have been made. Each doubt waits its whole time again, and what an earlier run of the
/// machine planned is planned anew. What stands in the place of a doubt waits with it.
pub(super) fn recover(db: &Db<'_>, account: &str, quiet: i64, now: i64) -> Result<(), StoreError> {
    let sql = "UPDATE changes SET state = CASE WHEN state = 'queued' THEN state ELSE 'unconfirmed' END, looks = 0, due_at = ?1,
                 updated_at = ?2
               WHERE account = ?3 AND state IN ('queued', 'sending', 'unconfirmed')
                 AND (state <> 'queued' OR due_at > ?1 OR kind <> 'payment' AND EXISTS (
                   SELECT 1 FROM changes old WHERE old.seq = changes.seq AND old.kind = changes.kind AND old.id < changes.id
                     AND old.state IN ('sending', 'unconfirmed')))";
    db.execute(sql, params![db.steady()?.saturating_add(quiet), now, account])?;
    let sql = format!(
        "UPDATE changes SET state = 'superseded', updated_at = ?1
               WHERE account = ?2 AND kind <> 'payment' AND state IN ('queued', 'unconfirmed') AND EXISTS ({NEWER})"
    );
    db.execute(&sql, params![now, account]).map(|_| ())
}

fn claim(db: &Db<'_>, account: &str, now: i64) -> Result<Option<DueChange>, StoreError> {
    if is_paused(db, account)? {
        return Ok(None);
    }
    let row = db.first(DUE, params![account], |row| {
        let state: String = row.get(6)?;
        let (kind, body): (String, String) = (row.get(3)?, row.get(4)?);
        let doubtful = state == "unconfirmed";
        let change = Change {
            kind: ChangeKind::parse(&kind).unwrap_or(ChangeKind::Status),
            body: serde_json::from_str(&body).unwrap_or_default(),
        };
        let due = DueChange {
            id: row.get(0)?,
            order: row.get(1)?,
            crm_order_id: row.get(2)?,
            change,
            mark: row.get(5)?,
            doubtful,
            attempts: row.get::<u32>(7)? + u32::from(!doubtful),
            looks: row.get::<u32>(8)? + u32::from(doubtful),
        };
        Ok((due, row.get::<i64>(9)?, row.get::<i64>(10)?))
    })?;
    let Some((due, due_at, seq)) = row else {
        return Ok(None);
    };
    if due_at > db.steady()? {
        return Ok(None);
    }
    spend(db, account)?;
    // What may be made twice is sent again without a look.
    let sends = !due.doubtful || due.change.kind.may_repeat();
    if sends {
        let sql =
            "UPDATE changes SET state = 'sending', attempts = attempts + 1, looks = 0, updated_at = ?2 WHERE id = ?1";
        db.execute(sql, params![due.id, now])?;
        let note = format!("{} goes to the CRM, attempt {}", due.change.kind.as_str(), due.attempts);
        append_event(db, seq, now, State::Delivered, "delivery", &note)?;
    }
    let attempts = if sends && due.doubtful { due.attempts + 1 } else { due.attempts };
    Ok(Some(DueChange { doubtful: !sends, attempts, ..due }))
}

fn settle(db: &Db<'_>, due: &DueChange, next: &Next, wait: i64, now: i64) -> Result<(), StoreError> {
    let (state, note) = match next {
        Next::Done => ("done", String::new()),
        Next::Refused(why) => ("refused", why.clone()),
        Next::Again => ("queued", String::new()),
        Next::Look | Next::Unclear => ("unconfirmed", String::new()),
    };
    let looks = match next {
        Next::Unclear => due.looks.saturating_sub(1),
        _ if due.doubtful => due.looks,
        _ => 0,
    };
    // Of this attempt or look alone: another node may have taken the account over, or a commit was not answered and this is
    // its repetition.
    let sql = "UPDATE changes SET state = ?2, note = ?3, looks = ?4, due_at = ?5, updated_at = ?6
               WHERE id = ?1 AND attempts = ?7 AND (state = 'unconfirmed' OR state = 'sending' AND ?8 = 0) RETURNING seq";
    let due_at = db.steady()?.saturating_add(wait);
    let (attempts, looked) = (i64::from(due.attempts), i64::from(due.doubtful));
    let own = params![due.id, state, note, looks, due_at, now, attempts, looked];
    let Some(seq) = db.first::<i64>(sql, own, |row| row.get(0))? else { return Ok(()) };
    let kind = due.change.kind.as_str();
    let told = match next {
        Next::Done => format!("{kind} is in the CRM"),
        Next::Again => format!("{kind} was not made yet"),
        Next::Refused(why) => return mark_order(db, seq, kind, why),
        Next::Unclear => return Ok(()),
        Next::Look if due.doubtful => return Ok(()),
        Next::Look => format!("nobody knows whether the {kind} was made: it is looked for"),
    };
    append_event(db, seq, now, State::Delivered, "delivery", &told)?;
    if *next == Next::Again && due.change.kind.may_repeat() {
        give_way(db, due, seq, due_at, now)?;
    }
    Ok(())
}

/// What came while it was on its way goes in its place, but not before this one's time: it may be made late, and must not be the
/// last.
fn give_way(db: &Db<'_>, due: &DueChange, seq: i64, due_at: i64, now: i64) -> Result<(), StoreError> {
    let sql = format!("UPDATE changes SET state = 'superseded', updated_at = ?2 WHERE id = ?1 AND EXISTS ({NEWER})");
    if db.execute(&sql, params![due.id, now])? == 1 {
        let sql = "UPDATE changes SET due_at = ?3 WHERE seq = ?1 AND kind = ?2 AND state = 'queued' AND due_at < ?3";
        db.execute(sql, params![seq, due.change.kind.as_str(), due_at])?;
    }
    Ok(())
}

/// The changes of an order, oldest first.
pub(super) fn of_order(db: &Db<'_>, seq: i64) -> Result<Vec<KeptChange>, StoreError> {
    let sql = "SELECT kind, body, state, attempts, note FROM changes WHERE seq = ?1 ORDER BY id";
    db.query(sql, params![seq], |row| {
        let body: String = row.get(1)?;
        Ok(KeptChange {
            kind: row.get(0)?,
            body: serde_json::from_str(&body).unwrap_or_default(),
            state: row.get(2)?,
            attempts: row.get(3)?,
            note: row.get(4)?,
        })
    })
}
