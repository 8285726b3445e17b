//! Nova Poshta's directory: generations of it, one of them in use.

use parom_core::novaposhta::{Builder, Directory, List, take};

use super::dictionaries::COMPLETE;
use super::sql::params;
use super::{Store, StoreError, Whose};
use crate::clock;

/// The turn of those who change the one row.
const TURN: Whose = Whose::Thing("novaposhta");
/// A node that keeps no page for so long has stopped in the middle: another may begin.
const TAKEN_MS: i64 = 15 * 60_000;
/// Pages of an old generation that go in one commit.
const SWEEP: i64 = 20;

/// How the directory stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The generation in use; 0: none.
    pub generation: i64,
    /// When it was fetched, milliseconds.
    pub fetched_at: i64,
    /// When a refresh began last, milliseconds; 0: never.
    pub tried_at: i64,
    /// When somebody asked for one, milliseconds; 0: never.
    pub asked_at: i64,
    /// A refresh runs, of some node, until then at the latest, milliseconds.
    pub taken_until: i64,
    /// [`COMPLETE`], or why the last refresh failed; empty before the first.
    pub outcome: String,
}

impl Store {
    /// How the directory stands.
    ///
    /// # Errors
    /// As any read.
    pub async fn novaposhta(&self) -> Result<Standing, StoreError> {
        self.read(|db| {
            let sql =
                "SELECT generation, fetched_at, tried_at, asked_at, taken_until, outcome FROM novaposhta WHERE one = 1";
            db.one(sql, params![], |row| {
                Ok(Standing {
                    generation: row.get(0)?,
                    fetched_at: row.get(1)?,
                    tried_at: row.get(2)?,
                    asked_at: row.get(3)?,
                    taken_until: row.get(4)?,
                    outcome: row.get(5)?,
                })
            })
        })
        .await
    }

    /// A refresh that was cut off with its process, where none but this one serves, is over.
    ///
    /// # Errors
    /// As any write.
    pub async fn novaposhta_free(&self) -> Result<(), StoreError> {
        if self.inner.engine.is_shared() {
            return Ok(());
        }
        self.write("novaposhta_free", TURN, |db| {
            db.execute(
                "UPDATE novaposhta SET taken_until = 0, tried_at = 0 WHERE one = 1 AND taken_until <> 0",
                params![],
            )?;
            Ok(())
        })
        .await
    }

    /// Takes the next refresh, if no other node has it: the number of its generation. A crash after: it is free again in
    /// a quarter of an hour, and the generation in use stays.
    ///
    /// # Errors
    /// As any write.
    pub async fn novaposhta_begin(&self) -> Result<Option<i64>, StoreError> {
        let now = clock::now().as_millisecond();
        self.write("novaposhta_begin", TURN, move |db| {
            let sql = "UPDATE novaposhta SET last = last + 1, tried_at = ?1, taken_until = ?2
                       WHERE one = 1 AND taken_until <= ?1 RETURNING last";
            db.first(sql, params![now, now + TAKEN_MS], |row| row.get(0))
        })
        .await
    }

    /// Keeps a page of a generation that is not in use yet; `false` where another node has taken the refresh meanwhile.
    ///
    /// # Errors
    /// As any write.
    pub async fn novaposhta_keep(
        &self,
        generation: i64,
        list: List,
        page: usize,
        rows: String,
    ) -> Result<bool, StoreError> {
        let until = clock::now().as_millisecond() + TAKEN_MS;
        let page = i64::try_from(page).unwrap_or(i64::MAX);
        self.write("novaposhta_keep", TURN, move |db| {
            let sql = "UPDATE novaposhta SET taken_until = ?1 WHERE one = 1 AND last = ?2";
            if db.execute(sql, params![until, generation])? == 0 {
                return Ok(false);
            }
            let sql = "INSERT INTO novaposhta_pages VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (generation, list, page) DO UPDATE SET rows = excluded.rows";
            db.execute(sql, params![generation, list.as_str(), page, rows])?;
            Ok(true)
        })
        .await
    }

    /// A generation is whole: it is in use from the commit on.
    ///
    /// # Errors
    /// As any write.
    pub async fn novaposhta_switch(&self, generation: i64) -> Result<bool, StoreError> {
        let now = clock::now().as_millisecond();
        self.write("novaposhta_switch", TURN, move |db| {
            let sql = "UPDATE novaposhta SET generation = ?1, fetched_at = ?2, taken_until = 0, outcome = ?3
                       WHERE one = 1 AND last = ?1";
            Ok(db.execute(sql, params![generation, now, COMPLETE])? == 1)
        })
        .await
    }

    /// A refresh failed: the generation in use stays, and the reason is kept.
    ///
    /// # Errors
    /// As any write.
    pub async fn novaposhta_failed(&self, generation: i64, why: &str) -> Result<(), StoreError> {
        let why = why.to_owned();
        self.write("novaposhta_failed", TURN, move |db| {
            let sql = "UPDATE novaposhta SET taken_until = 0, outcome = ?2 WHERE one = 1 AND last = ?1";
            db.execute(sql, params![generation, why])?;
            Ok(())
        })
        .await
    }

    /// Asks whoever serves to refresh the directory now.
    ///
    /// # Errors
    /// As any write.
    pub async fn novaposhta_ask(&self) -> Result<(), StoreError> {
        let now = clock::now().as_millisecond();
        self.write("novaposhta_ask", TURN, move |db| {
            db.execute("UPDATE novaposhta SET asked_at = ?1 WHERE one = 1", params![now])?;
            Ok(())
        })
        .await
    }

    /// Takes away a few pages that are of no use any more; `false` when there are none.
    ///
    /// # Errors
    /// As any write.
    pub async fn novaposhta_sweep(&self) -> Result<bool, StoreError> {
        let now = clock::now().as_millisecond();
        self.write("novaposhta_sweep", TURN, move |db| {
            // The one that is being fetched is not swept, and one that was left in the middle is.
            let sql = "SELECT p.generation, p.list, p.page FROM novaposhta_pages p, novaposhta n
                       WHERE p.generation <> n.generation AND (p.generation <> n.last OR n.taken_until <= ?1)
                       ORDER BY p.generation, p.list, p.page LIMIT ?2";
            let pages = db.query(sql, params![now, SWEEP], |row| {
                Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<i64>(2)?))
            })?;
            for (generation, list, page) in &pages {
                let sql = "DELETE FROM novaposhta_pages WHERE generation = ?1 AND list = ?2 AND page = ?3";
                db.execute(sql, params![*generation, list, *page])?;
            }
            Ok(!pages.is_empty())
        })
        .await
    }

    /// The directory of a generation, and how many branches stand in no settlement of it. Read page by page, so that it is
    /// never in memory twice.
    ///
    /// # Errors
    /// As any read.
    pub async fn novaposhta_directory(&self, generation: i64) -> Result<(Directory, usize), StoreError> {
        let pages: Vec<(String, i64)> = self
            .read(move |db| {
                let sql = "SELECT list, page FROM novaposhta_pages WHERE generation = ?1 ORDER BY list, page";
                db.query(sql, params![generation], |row| Ok((row.get(0)?, row.get(1)?)))
            })
            .await?;
        let mut builder = Builder::default();
        for (list, page) in pages {
            let kind = List::parse(&list);
            let text: Option<String> = self
                .read(move |db| {
                    let sql = "SELECT rows FROM novaposhta_pages WHERE generation = ?1 AND list = ?2 AND page = ?3";
                    db.first(sql, params![generation, list, page], |row| row.get(0))
                })
                .await?;
            if let (Some(list), Some(text)) = (kind, text) {
                take(&mut builder, list, &text);
            }
        }
        // Sorting fifty thousand names is no work for a thread that answers senders.
        let built = tokio::task::spawn_blocking(move || builder.build());
        built.await.map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}
