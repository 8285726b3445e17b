//! Touched between the nodes of a server: who commits says whose rows it changed, and who serves hears it. A bell that is not
//! heard costs time and nothing else: the rows decide, and are looked at anyhow.
//!
//! The session that listens also holds the node's lock: while it lives the others know that the node is there.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::broadcast;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::touched::Touched;
use super::super::{OpenError, StoreError};
use super::pool;
use super::talk::{Talk, words};
use crate::config::Server;

const CHANNEL: &str = "parom";
/// A message may have 8,000 bytes.
const LONGEST: usize = 7_000;
/// Touched that a slow listener may miss before it has to look at everything.
const KEPT: usize = 1_024;
/// After a session that ended.
const AGAIN: Duration = Duration::from_millis(500);
/// How often a quiet session is asked whether it still is one.
const ALIVE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Bell {
    /// This process, in what it tells.
    me: String,
    /// The lock of a node that serves.
    pub(super) lock: Option<i64>,
    /// Grows with all that is told, by whomever.
    pub(super) heard: AtomicI64,
    pub(super) news: broadcast::Sender<Touched>,
}

impl Bell {
    pub(super) fn new(me: &str, lock: Option<i64>) -> Arc<Bell> {
        let (news, _) = broadcast::channel(KEPT);
        Arc::new(Bell { me: me.to_owned(), lock, heard: AtomicI64::new(0), news })
    }

    /// Tells whose rows were changed. It is no part of any transaction: commits would wait for each other.
    pub(super) fn ring(&self, talk: &Talk, news: &Touched) {
        let names = match news {
            Touched::All => "*".to_owned(),
            Touched::Accounts(names) => names.join(","),
        };
        let names = if names.len() > LONGEST { "*" } else { &names };
        let text = format!("{} {names}", self.me).replace('\'', "''");
        if let Err(error) = talk.batch(&format!("NOTIFY {CHANNEL}, '{text}'")) {
            tracing::debug!(%error, "other nodes were not told of a change");
        }
    }

    fn hear(&self, text: &str) {
        self.heard.fetch_add(1, Ordering::AcqRel);
        let Some((from, names)) = text.split_once(' ') else { return };
        if from == self.me {
            return;
        }
        let _ = self.news.send(match names {
            "*" => Touched::All,
            "" => return,
            names => Touched::Accounts(names.split(',').map(str::to_owned).collect()),
        });
    }

    /// Listens for as long as the process runs. The first session is there when this returns.
    pub(super) async fn listen(self: &Arc<Bell>, server: &Server) -> Result<(), OpenError> {
        let config = pool::config(server)?;
        let tls = if pool::is_secured(&config) { Some(MakeRustlsConnect::new(pool::tls(server)?)) } else { None };
        let unavailable = |error: StoreError| OpenError(error.to_string());
        let first = self.connect(&config, tls.as_ref()).await.map_err(unavailable)?;
        let bell = Arc::clone(self);
        tokio::spawn(async move {
            let mut session = Some(first);
            loop {
                if let Some(client) = session.take() {
                    bell.stay(&client).await;
                    tracing::warn!("the session that hears of other nodes ended");
                }
                tokio::time::sleep(AGAIN).await;
                match bell.connect(&config, tls.as_ref()).await {
                    Ok(client) => {
                        session = Some(client);
                        // Nobody knows what was told meanwhile.
                        bell.heard.fetch_add(1, Ordering::AcqRel);
                        let _ = bell.news.send(Touched::All);
                    }
                    Err(error) => tracing::debug!(%error, "no session to hear of other nodes yet"),
                }
            }
        });
        Ok(())
    }

    async fn connect(self: &Arc<Bell>, config: &Config, tls: Option<&MakeRustlsConnect>) -> Result<Client, StoreError> {
        let client = match tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                tokio::spawn(Arc::clone(self).attend(connection));
                client
            }
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(Arc::clone(self).attend(connection));
                client
            }
        };
        // A session that waits is no idle transaction, and has no statement that could take too long.
        let lock = self.lock.map_or(String::new(), |lock| format!("; SELECT pg_advisory_lock({lock})"));
        client.batch_execute(&format!("SET statement_timeout = '10s'; LISTEN {CHANNEL}{lock}")).await?;
        Ok(client)
    }

    /// Serves a session until it ends.
    async fn attend<S, T>(self: Arc<Bell>, mut connection: Connection<S, T>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
        T: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            match poll_fn(|cx| connection.poll_message(cx)).await {
                Some(Ok(AsyncMessage::Notification(note))) => self.hear(note.payload()),
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    tracing::debug!(error = %words(&error), "a session with PostgreSQL ended");
                    return;
                }
                None => return,
            }
        }
    }

    /// Returns when the session is over.
    async fn stay(&self, client: &Client) {
        loop {
            tokio::time::sleep(AGAIN).await;
            if client.is_closed() {
                return;
            }
            let asked = tokio::time::timeout(ALIVE, client.batch_execute("")).await;
            if !matches!(asked, Ok(Ok(()))) {
                return;
            }
            for _ in 0..ALIVE.as_millis() / AGAIN.as_millis() {
                tokio::time::sleep(AGAIN).await;
                if client.is_closed() {
                    return;
                }
            }
        }
    }
}
