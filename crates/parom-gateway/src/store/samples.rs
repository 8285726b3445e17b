//! Samples: the last submissions of a channel that learns.

use super::sql::params;
use parom_core::limits;
use serde_json::Value;

use super::{NewSubmission, Store, StoreError, Whose};

/// A kept submission.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Milliseconds.
    pub received_at: i64,
    /// The content type as sent.
    pub content_type: String,
    /// Query, cookies, page and origin.
    pub context: Value,
    /// The body as received.
    pub body: Vec<u8>,
}

impl Store {
    /// Keeps a sample in the place of the oldest. A crash before or after: one sample less or more, and no order.
    ///
    /// # Errors
    /// As any write.
    pub async fn keep_sample(&self, channel: &str, sample: NewSubmission, received_at: i64) -> Result<(), StoreError> {
        let channel = channel.to_owned();
        self.write("keep_sample", Whose::Nobody, move |db| {
            let sql =
                "INSERT INTO samples (channel, received_at, content_type, context, body) VALUES (?1, ?2, ?3, ?4, ?5)";
            let body = sample.body.as_ref();
            let context = sample.context.to_string();
            db.execute(sql, params![channel, received_at, sample.content_type, context, body])?;
            let sql = "DELETE FROM samples WHERE channel = ?1 AND id NOT IN (
                         SELECT id FROM samples WHERE channel = ?1 ORDER BY id DESC LIMIT ?2)";
            let most = i64::try_from(limits::SAMPLES).unwrap_or(i64::MAX);
            db.execute(sql, params![channel, most])?;
            Ok(())
        })
        .await
    }

    /// Forgets the samples of a channel. A crash before or after: they are there, or not.
    ///
    /// # Errors
    /// As any write.
    pub async fn drop_samples(&self, channel: &str) -> Result<(), StoreError> {
        let channel = channel.to_owned();
        self.write("drop_samples", Whose::Nobody, move |db| {
            db.execute("DELETE FROM samples WHERE channel = ?1", params![channel]).map(|_| ())
        })
        .await
    }

    /// A channel's samples, newest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn samples(&self, channel: &str) -> Result<Vec<Sample>, StoreError> {
        let channel = channel.to_owned();
        self.read(move |db| {
            let sql =
                "SELECT received_at, content_type, context, body FROM samples WHERE channel = ?1 ORDER BY id DESC";
            db.query(sql, params![channel], |row| {
                let context: String = row.get(2)?;
                Ok(Sample {
                    received_at: row.get(0)?,
                    content_type: row.get(1)?,
                    context: serde_json::from_str(&context).unwrap_or_default(),
                    body: row.get(3)?,
                })
            })
        })
        .await
    }
}
