//! What other processes changed: a file is looked at every half a second, a server tells.

use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Store;

/// How often a file is looked at for what a command made beside `serve`.
const LOOK: Duration = Duration::from_millis(500);
/// Accounts that are named one by one; of more, everything is looked at.
const NAMED: usize = 100;

/// What was changed by another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// Rows of these accounts.
    Accounts(Vec<String>),
    /// Anything.
    All,
}

/// Hears of it. What came before it began to listen is not told.
#[derive(Debug)]
pub enum Listener {
    /// With the file's version that was seen last.
    File(Store, Option<i64>),
    /// With what other nodes and commands tell.
    Server(Receiver<Touched>),
}

impl Store {
    /// Listens from now on.
    #[must_use]
    pub fn listen(&self) -> Listener {
        match self.inner.engine.touched() {
            Some(news) => Listener::Server(news),
            None => Listener::File(self.clone(), None),
        }
    }
}

impl Listener {
    /// Waits for news; what came meanwhile is told as one.
    pub async fn next(&mut self) -> Touched {
        match self {
            Listener::File(store, seen) => loop {
                tokio::time::sleep(LOOK).await;
                let version = store.version().await.ok();
                if version != *seen {
                    *seen = version;
                    return Touched::All;
                }
            },
            Listener::Server(news) => {
                let mut heard = match news.recv().await {
                    Ok(heard) => heard,
                    Err(RecvError::Lagged(_)) => Touched::All,
                    // The store is being closed.
                    Err(RecvError::Closed) => std::future::pending().await,
                };
                while let Ok(more) = news.try_recv() {
                    heard = both(heard, more);
                }
                heard
            }
        }
    }
}

fn both(one: Touched, other: Touched) -> Touched {
    match (one, other) {
        (Touched::Accounts(mut all), Touched::Accounts(more)) if all.len() + more.len() <= NAMED => {
            all.extend(more);
            all.sort_unstable();
            all.dedup();
            Touched::Accounts(all)
        }
        _ => Touched::All,
    }
}
