//! What a person does with an order: release, revise, look up again, cancel.

use super::sql::{Db, params};
use parom_core::delivery::checks;
use parom_core::delivery::reason;
use parom_core::delivery::state::State;
use parom_core::order::Target;
use parom_core::{Code, Problem};
use serde_json::{Map, Value};

use super::accept::{append_event, identity, number_owner};
use super::records::{buyer_columns, problems_to_json};
use super::updates::settle_waiting;
use super::{Store, StoreError, Whose, asked};
use crate::clock;

/// A new body of an order that is not in the CRM, and the state that it leads to.
#[derive(Clone, Debug)]
pub struct Revision {
    /// `held` or `rejected` stay what they are, or the order becomes `queued`.
    pub state: State,
    /// Why, in a word.
    pub reason: String,
    /// The account; it may have been unknown while the channel was broken.
    pub account: String,
    /// The version of the channel that mapped; 0 for an edit by hand.
    pub channel_version: i64,
    /// What it becomes in the CRM.
    pub target: Target,
    /// Its number.
    pub number: String,
    /// The version of the account's dictionaries that it was checked by; 0: by none.
    pub checked: i64,
    /// The CRM's body.
    pub body: Map<String, Value>,
    /// What is left to say about it.
    pub problems: Vec<Problem>,
    /// The revision that was read, and how often the order had been replaced by then: what another did meanwhile must not
    /// be undone.
    pub read: (i64, i64),
    /// An edit by hand, which later replays must not undo.
    pub by_hand: bool,
    /// The person who edits keeps it here: it does not go by itself.
    pub kept: bool,
    /// Who.
    pub actor: String,
    /// What, for the history.
    pub note: String,
}

/// What became of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is kept.
    Done,
    /// The order moved on meanwhile: nothing was changed.
    MovedOn,
    /// The order of ours with this id has the number: nothing was changed. A revision that holds the order for that is kept.
    NumberTaken(String),
}

/// What became of a person's word that an order is one of the CRM's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// It is delivered.
    Done,
    /// The order moved on meanwhile: nothing was changed.
    MovedOn,
    /// The order of ours with this id is that one of the CRM's already: nothing was changed.
    Anothers(String),
}

impl Store {
    /// Gives a held or rejected order a new body. A crash before: nothing; after: kept, and in the history.
    ///
    /// # Errors
    /// As any write.
    pub async fn revise(&self, seq: i64, seen: State, revision: Revision) -> Result<Stored, StoreError> {
        let now = clock::now().as_millisecond();
        let (account, queued) = (revision.account.clone(), revision.state == State::Queued);
        let stored = self.write("revise", Whose::Order(seq), move |db| revise(db, seq, seen, &revision, now)).await?;
        if stored == Stored::Done && queued {
            self.board().wake_of(&account).notify_one();
        }
        Ok(stored)
    }

    /// Moves an order by a person's word: `disputed` to `unconfirmed` (look again), or to `canceled` with a reason. A
    /// canceled order that was never sent gives its number back. `false` if the order has moved on.
    ///
    /// # Errors
    /// As any write; `Refused` for a change that is not legal.
    pub async fn move_order(
        &self,
        seq: i64,
        seen: State,
        to: State,
        actor: &str,
        note: &str,
    ) -> Result<bool, StoreError> {
        let (actor, note) = (actor.to_owned(), note.to_owned());
        let now = clock::now().as_millisecond();
        let moved = self
            .write("move_order", Whose::Order(seq), move |db| {
                let why = if to == State::Canceled { "canceled" } else { reason::ASKED };
                // Of what the CRM said that it took, no look leads to a resend.
                let sql = "UPDATE orders SET state = ?3, updated_at = ?5, due_at = ?5,
                             reason = CASE WHEN ?3 = 'unconfirmed' AND (coalesce(said_crm_id, crm_order_id) IS NOT NULL
                               OR reason = ?7) THEN ?6 ELSE ?4 END,
                             resends = CASE WHEN ?3 = 'unconfirmed' THEN 0 ELSE resends END,
                             owns_number = CASE WHEN ?3 = 'canceled' AND attempts = 0 THEN 0 ELSE owns_number END
                           WHERE seq = ?1 AND state = ?2";
                let (seen, next) = (seen.as_str(), to.as_str());
                let changed =
                    db.execute(sql, params![seq, seen, next, why, now, reason::OTHER_NUMBER, reason::TAKEN_BEFORE])?;
                if changed == 1 {
                    append_event(db, seq, now, to, &actor, &note)?;
                    if to == State::Canceled {
                        asked::drop_all(db, seq, now)?;
                        settle_waiting(db, seq, to, now)?;
                    }
                }
                Ok(changed == 1)
            })
            .await?;
        self.board().wake_all();
        Ok(moved)
    }
}

impl Store {
    /// A person says that a disputed order is the CRM's order of this number: it is delivered, and never sent again. What
    /// another order of ours is already changes nothing. A crash before: nothing; after: kept, and in the history.
    ///
    /// # Errors
    /// As any write.
    pub async fn accept_found(&self, seq: i64, crm_order_id: i64, actor: &str) -> Result<Recognised, StoreError> {
        let (actor, now) = (actor.to_owned(), clock::now().as_millisecond());
        self.write("accept_found", Whose::Order(seq), move |db| {
            let sql = "SELECT b.id FROM orders a JOIN orders b ON b.account = a.account AND b.target = a.target
                       WHERE a.seq = ?1 AND b.crm_order_id = ?2 AND b.seq <> a.seq LIMIT 1";
            if let Some(other) = db.first(sql, params![seq, crm_order_id], |row| row.get(0))? {
                return Ok(Recognised::Anothers(other));
            }
            // Its own number need not find it, so the look back is for the one that was named: a mistyped one is not there.
            let sql = "UPDATE orders SET state = 'delivered', reason = '', crm_order_id = ?2, updated_at = ?3,
                         said_crm_id = coalesce(said_crm_id, ?2), looks_back = 0, doubted = 1,
                         check_at = CASE WHEN target = 'order' THEN ?4 END
                       WHERE seq = ?1 AND state = 'disputed'";
            if db.execute(sql, params![seq, crm_order_id, now, checks::next(true, 0, now)])? != 1 {
                return Ok(Recognised::MovedOn);
            }
            let note = format!("accepted as the CRM's order {crm_order_id}");
            append_event(db, seq, now, State::Delivered, &actor, &note)?;
            settle_waiting(db, seq, State::Delivered, now)?;
            Ok(Recognised::Done)
        })
        .await
    }
}

fn revise(db: &Db<'_>, seq: i64, seen: State, new: &Revision, now: i64) -> Result<Stored, StoreError> {
    let sql = format!("SELECT state, revision, replaced FROM orders WHERE seq = ?1{}", db.for_update());
    let current: Option<(String, (i64, i64))> =
        db.first(&sql, params![seq], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    // What is on its way, or was perhaps sent, is never decided anew: whoever listed it may have seen it held.
    let settled = matches!(seen, State::Held | State::Rejected);
    if !settled || current != Some((seen.as_str().to_owned(), new.read)) {
        return Ok(Stored::MovedOn);
    }
    let identity = identity(&new.body);
    let owner = match &identity {
        Some((source_id, number)) => number_owner(db, &new.account, *source_id, number, seq)?,
        None => None,
    };
    let held_for = |code: Code| new.state != State::Queued && new.problems.iter().any(|problem| problem.code == code);
    let held_for_it = held_for(Code::NumberTaken);
    // What perhaps nobody of the shop's has sent takes no number from the true order.
    let owns_number = identity.is_some() && owner.is_none() && !held_for(Code::WrongToken);
    if let Some(owner) = owner.as_ref().filter(|_| !held_for_it) {
        return Ok(Stored::NumberTaken(owner.clone()));
    }
    let (buyer, phone, email) = buyer_columns(&new.body);
    let sql = "UPDATE orders SET state = ?2, reason = ?3, account = ?4,
                 channel_version = CASE WHEN ?5 = 0 THEN channel_version ELSE ?5 END,
                 body = ?6, problems = ?7, source_id = ?8, number = ?9, owns_number = ?10,
                 revision = revision + ?11, updated_at = ?12, due_at = ?12, buyer = ?13, phone = ?14, email = ?15, target = ?16, checked = ?17, kept = CASE WHEN ?11 = 1 THEN ?18 ELSE kept END
               WHERE seq = ?1";
    db.execute(
        sql,
        params![
            seq,
            new.state.as_str(),
            new.reason,
            new.account,
            new.channel_version,
            serde_json::to_string(&new.body).unwrap_or_default(),
            problems_to_json(&new.problems).to_string(),
            identity.as_ref().map(|(source_id, _)| *source_id),
            new.number,
            owns_number,
            i64::from(new.by_hand),
            now,
            buyer,
            phone,
            email,
            new.target.as_str(),
            new.checked,
            new.kept,
        ],
    )?;
    asked::follow(db, seq, now)?;
    append_event(db, seq, now, new.state, &new.actor, &new.note)?;
    Ok(Stored::Done)
}
