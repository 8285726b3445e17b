//! What needs a person and was not told yet, and the messages on their way.

use super::sql::{Db, Row, params};

use super::{Store, StoreError, Whose};
use crate::clock;

/// Messages that were sent or given up are forgotten after so long.
const FORGOTTEN_MS: i64 = 30 * 86_400_000;
/// A message is sent by the node that took it, within so long: longer than one try takes.
const TAKEN_MS: i64 = 60_000;

/// Orders that came into a state, by channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// `held`, `rejected` or `disputed`.
    pub state: String,
    /// The channel.
    pub channel: String,
    /// How many.
    pub count: i64,
}

/// What was not told yet.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Orders that came to wait for a person since the last message, and wait still.
    pub orders: Vec<Waiting>,
    /// The event up to which this looks.
    pub event: i64,
    /// The event up to which was told; none: nothing ever was.
    pub mark: Option<i64>,
    /// When the last message was made, milliseconds; none: never.
    pub told_at: Option<i64>,
    /// Faults that were told of and are not over, in the words they were told by.
    pub faults: Vec<String>,
}

/// What a look comes to.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// A message to each receiver.
    pub messages: Vec<(&'static str, String)>,
    /// Faults that are told of by them.
    pub new: Vec<String>,
    /// Faults that are over.
    pub over: Vec<String>,
}

/// A message to send.
#[derive(Clone, Debug)]
pub struct DueAlert {
    /// Its row.
    pub id: i64,
    /// `telegram`, `email` or `webhook`.
    pub receiver: String,
    /// What it says.
    pub text: String,
    /// When it was made, milliseconds.
    pub created_at: i64,
    /// Tries before this one.
    pub attempts: i64,
}

/// `BETWEEN` stands for how events follow each other.
const SINCE: &str =
    "SELECT o.state, o.channel, count(DISTINCT o.seq) FROM order_events e JOIN orders o ON o.seq = e.seq
     WHERE BETWEEN AND e.state IN ('held', 'rejected', 'disputed') AND o.state = e.state
     GROUP BY 1, 2 ORDER BY 1, 2";
/// Changes that were not made. Their orders wait for nobody, so one of a channel's is named.
const UNMADE: &str = "SELECT 'change_refused',
       o.channel || ', ' || min(o.number) || CASE WHEN count(DISTINCT o.seq) > 1 THEN ' …' ELSE '' END, count(DISTINCT o.seq)
     FROM order_events e JOIN orders o ON o.seq = e.seq
     WHERE BETWEEN AND e.actor = 'changes' AND o.state <> 'canceled' GROUP BY o.channel ORDER BY o.channel";
const ALL: &str = "SELECT state, channel, count(*) FROM orders INDEXED BY orders_waiting
     WHERE state IN ('held', 'rejected', 'disputed') GROUP BY 1, 2 ORDER BY 1, 2";
/// While an order is in doubt, `updated_at` is when that began.
const IN_DOUBT: &str = "SELECT DISTINCT account FROM orders INDEXED BY orders_doubt
     WHERE state IN ('sending', 'unconfirmed') AND state = 'unconfirmed' AND updated_at < ?1 ORDER BY 1";

impl Store {
    /// The accounts that have orders in doubt since before a time, milliseconds.
    ///
    /// # Errors
    /// As any read.
    pub async fn in_doubt_since(&self, before: i64) -> Result<Vec<String>, StoreError> {
        self.read(move |db| db.query(IN_DOUBT, params![before], |row| row.get(0))).await
    }

    /// What came to wait for a person since the last message.
    ///
    /// # Errors
    /// As any read.
    pub async fn news(&self) -> Result<News, StoreError> {
        self.read(move |db| {
            let sql = "SELECT event, told_at FROM alert_mark";
            let mark: Option<(i64, i64)> = db.first(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))?;
            // Several nodes' transactions end in another order than they take numbers: what is told is up to the oldest that
            // is still open.
            let (newest, between) = match db {
                Db::Sqlite(_) => ("SELECT coalesce(max(id), 0) FROM order_events", "e.id > ?1 AND e.id <= ?2"),
                Db::Postgres(_) => {
                    let oldest = "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)";
                    (oldest, "e.tx >= ?1 AND e.tx < ?2")
                }
            };
            let newest: i64 = db.get(newest, params![])?;
            let waiting = |row: &Row<'_>| Ok(Waiting { state: row.get(0)?, channel: row.get(1)?, count: row.get(2)? });
            // For the first time: all that waits. Later: what came since.
            let orders = match mark {
                Some((event, _)) => {
                    let mut orders = db.query(&SINCE.replace("BETWEEN", between), params![event, newest], waiting)?;
                    let unmade = UNMADE.replace("BETWEEN", between);
                    orders.extend(db.query(&unmade, params![event, newest], waiting)?);
                    orders
                }
                None => db.query(ALL, params![], waiting)?,
            };
            let faults = db.query("SELECT fault FROM alert_faults ORDER BY fault", params![], |row| row.get(0))?;
            let (mark, told_at) = (mark.map(|(event, _)| event), mark.map(|(_, at)| at));
            Ok(News { orders, event: newest, mark, told_at, faults })
        })
        .await
    }

    /// Puts messages on their way and notes up to where they tell, unless another node told meanwhile; then the next look sees
    /// it. A crash before: told at the next look; after: the messages go. Without messages only the notes are made.
    ///
    /// # Errors
    /// As any write.
    pub async fn tell(&self, news: &News, told: Told) -> Result<(), StoreError> {
        let now = clock::now().as_millisecond();
        let (event, seen) = (news.event, news.mark.zip(news.told_at));
        self.write("tell", Whose::Thing("alerts"), move |db| {
            let sql = "SELECT event, told_at FROM alert_mark";
            if db.first(sql, params![], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))? != seen {
                return Ok(());
            }
            let sql = "INSERT INTO alert_mark (\"only\", event, told_at) VALUES (1, ?1, coalesce(?2, 0))
                       ON CONFLICT (\"only\") DO UPDATE SET event = ?1, told_at = coalesce(?2, alert_mark.told_at)";
            db.execute(sql, params![event, (!told.messages.is_empty()).then_some(now)])?;
            db.execute("DELETE FROM alerts WHERE state <> 'waiting' AND created_at < ?1", params![now - FORGOTTEN_MS])?;
            for (receiver, text) in &told.messages {
                let sql = "INSERT INTO alerts (receiver, text, created_at, due_at) VALUES (?1, ?2, ?3, ?3)";
                db.execute(sql, params![receiver, text, now])?;
            }
            for fault in &told.new {
                let sql = "INSERT INTO alert_faults (fault, told_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
                db.execute(sql, params![fault, now])?;
            }
            for fault in &told.over {
                db.execute("DELETE FROM alert_faults WHERE fault = ?1", params![fault])?;
            }
            Ok(())
        })
        .await
    }

    /// Messages whose time has come. Where several nodes look, they are this one's for a minute; a crash within: another
    /// sends them after it.
    ///
    /// # Errors
    /// As any read and write.
    pub async fn due_alerts(&self) -> Result<Vec<DueAlert>, StoreError> {
        let now = clock::now().as_millisecond();
        let due = self
            .read(move |db| {
                let sql = "SELECT id, receiver, text, created_at, attempts FROM alerts
                           WHERE state = 'waiting' AND due_at <= ?1 ORDER BY due_at LIMIT 20";
                db.query(sql, params![now], |row| {
                    Ok(DueAlert {
                        id: row.get(0)?,
                        receiver: row.get(1)?,
                        text: row.get(2)?,
                        created_at: row.get(3)?,
                        attempts: row.get(4)?,
                    })
                })
            })
            .await?;
        if self.node().is_none() || due.is_empty() {
            return Ok(due);
        }
        self.write("take_alerts", Whose::Thing("alerts"), move |db| {
            let mut taken = Vec::new();
            for alert in due {
                let sql = "UPDATE alerts SET due_at = ?2 WHERE id = ?1 AND state = 'waiting' AND due_at <= ?3";
                if db.execute(sql, params![alert.id, now + TAKEN_MS, now])? == 1 {
                    taken.push(alert);
                }
            }
            Ok(taken)
        })
        .await
    }

    /// A message was sent. A crash before: it goes once more, which is better than not at all.
    ///
    /// # Errors
    /// As any write.
    pub async fn alert_sent(&self, id: i64) -> Result<(), StoreError> {
        self.write("alert_sent", Whose::Thing("alerts"), move |db| {
            let sql = "UPDATE alerts SET state = 'sent', attempts = attempts + 1, note = '' WHERE id = ?1";
            db.execute(sql, params![id])?;
            Ok(())
        })
        .await
    }

    /// A message was not sent: again at `due_at`, or never where that is none.
    ///
    /// # Errors
    /// As any write.
    pub async fn alert_failed(&self, id: i64, due_at: Option<i64>, note: &str) -> Result<(), StoreError> {
        let note: String = note.chars().take(300).collect();
        self.write("alert_failed", Whose::Thing("alerts"), move |db| {
            let sql = "UPDATE alerts SET attempts = attempts + 1, note = ?2, due_at = coalesce(?3, due_at),
                         state = CASE WHEN ?3 IS NULL THEN 'given_up' ELSE 'waiting' END WHERE id = ?1";
            db.execute(sql, params![id, note, due_at])?;
            Ok(())
        })
        .await
    }
}
