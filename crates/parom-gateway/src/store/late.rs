//! What a key says of a request that was kept without it, while its channel could not be used.

use parom_core::delivery::state::State;

use super::accept::{NewOrder, append_event};
use super::erasure::hidden_key;
use super::sql::{Db, params};
use super::updates::update;
use super::{Store, StoreError, Whose, asked};
use crate::clock;

/// What the keys begin with that our own pages carry: they tell a page's repeats, and no order of the channel from another.
pub(crate) const PAGES_KEY: &str = "again:";

/// Whose a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The order's own, by now or before.
    Own,
    /// The order's with this id; whether its content is the same.
    Of(String, bool),
}

impl Store {
    /// Gives an order that was kept without it its key. One that came with a key of its own keeps that, unless this is its
    /// sender's id. It takes turns with what comes in for the channel's `account`: the order may have none yet. A crash before or
    /// after: the next replay asks again.
    ///
    /// # Errors
    /// As any write.
    pub async fn claim_key(
        &self,
        seq: i64,
        (channel, account): (&str, &str),
        (key, of_sender): (&str, bool),
    ) -> Result<Claim, StoreError> {
        let (channel, key, whose) = (channel.to_owned(), key.to_owned(), Whose::Account(account.to_owned()));
        self.write("claim_key", whose, move |db| claim(db, seq, &channel, &key, of_sender)).await
    }

    /// A held order turns out to be a later state of the order `first`: that takes it, as if it came now, and the order of its
    /// own is canceled. `false` if it has moved on. One commit: a crash leaves it held, and the next replay asks again.
    ///
    /// # Errors
    /// As any write.
    pub async fn take_later_state(
        &self,
        seq: i64,
        new: NewOrder,
        first: &str,
        actor: &str,
    ) -> Result<bool, StoreError> {
        let (account, first, actor) = (new.account.clone(), first.to_owned(), actor.to_owned());
        let whose = Whose::Account(account.clone());
        let taken = self.write("take_later_state", whose, move |db| take(db, seq, &new, &first, &actor)).await?;
        if taken {
            self.board().wake_of(&account).notify_one();
        }
        Ok(taken)
    }
}

fn claim(db: &Db<'_>, seq: i64, channel: &str, key: &str, of_sender: bool) -> Result<Claim, StoreError> {
    let sql = "SELECT o.id, k.seq, k.content = (SELECT content FROM orders WHERE seq = ?3)
               FROM idempotency_keys k JOIN orders o ON o.seq = k.seq WHERE k.channel = ?1 AND k.key IN (?2, ?4)";
    let found = db.first(sql, params![channel, key, seq, hidden_key(channel, key)], |row| {
        Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<bool>(2)?))
    })?;
    let sql = "SELECT 1 FROM idempotency_keys WHERE seq = ?1 AND substr(key, 1, 6) <> ?2";
    if !of_sender && db.exists(sql, params![seq, PAGES_KEY])? {
        return Ok(Claim::Own);
    }
    match found {
        Some((_, owner, _)) if owner == seq => {}
        Some((id, _, same)) => return Ok(Claim::Of(id, same)),
        None => {
            let sql = "INSERT INTO idempotency_keys (channel, key, seq, content)
                       SELECT ?1, ?2, seq, content FROM orders WHERE seq = ?3";
            db.execute(sql, params![channel, key, seq])?;
        }
    }
    Ok(Claim::Own)
}

fn take(db: &Db<'_>, seq: i64, new: &NewOrder, first: &str, actor: &str) -> Result<bool, StoreError> {
    let now = clock::now().as_millisecond();
    let sql = "UPDATE orders SET state = 'canceled', reason = 'canceled', updated_at = ?2, due_at = ?2,
                 owns_number = CASE WHEN attempts = 0 THEN 0 ELSE owns_number END
               WHERE seq = ?1 AND state = 'held' AND revision = 0";
    if db.execute(sql, params![seq, now])? != 1 {
        return Ok(false);
    }
    let note = format!("a later state of the order {first}: taken there");
    append_event(db, seq, now, State::Canceled, actor, &note)?;
    asked::drop_all(db, seq, now)?;
    let sql = "SELECT 1 FROM orders WHERE id = ?1 AND received_at > ?2
               UNION ALL
               SELECT 1 FROM updates u JOIN orders o ON o.seq = u.seq WHERE o.id = ?1 AND u.received_at > ?2";
    let overtaken = db.exists(sql, params![first, new.received_at])?;
    update(db, new, first.to_owned(), overtaken)?;
    Ok(true)
}
