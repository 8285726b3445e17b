//! Delivery: one dispatcher an account, which claims, sends, settles, and looks up what is doubtful. It knows the store
//! and the CRM's client, and nothing of intake.

mod changes;
mod dispatcher;
mod fetch;
mod look;
mod once;
mod send;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{Config, read_secret};
use crate::crm::Client;
use crate::dictionaries::Dictionaries;
use crate::store::Store;

pub use once::fetch_now;

use dispatcher::Dispatcher;

/// How often `serve` looks for changes that a command made beside it.
const WATCH_MS: u64 = 500;

/// The running dispatchers.
#[derive(Debug)]
pub struct Delivery {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Delivery {
    /// Starts a dispatcher for each account whose key can be read; first, what was cut off becomes doubtful.
    ///
    /// # Errors
    /// A store that does not write, or a client that cannot be made, in words.
    pub async fn start(
        config: &Arc<Config>,
        store: &Store,
        dictionaries: &Arc<Dictionaries>,
    ) -> Result<Delivery, String> {
        let cut_off = store.recover().await.map_err(|error| error.to_string())?;
        let quiet = i64::try_from(config.delivery.quiet_period.as_millis()).unwrap_or(i64::MAX / 4);
        store.recover_changes(quiet).await.map_err(|error| error.to_string())?;
        if cut_off > 0 {
            tracing::warn!(
                orders = cut_off,
                "orders were being sent when the process ended; they will be looked up first"
            );
        }
        tell_of_strangers(config, store).await?;
        let mut clients = Vec::new();
        for account in config.accounts.values() {
            let key = read_secret(&config.dir, &account.api_key)
                .map_err(|error| format!("accounts.{}.api_key: {error}", account.name))?;
            clients.push((account, Client::new(account, &key, config.delivery.timeout)?));
        }
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for (account, client) in clients {
            let dictionaries = Arc::clone(dictionaries);
            let dispatcher =
                Dispatcher::new(account, &config.delivery, store.clone(), client, dictionaries, stopping.clone()).await;
            tasks.spawn(dispatcher.map_err(|error| error.to_string())?.run());
        }
        tasks.spawn(watch_commands(store.clone(), stopping));
        Ok(Delivery { tasks, stop })
    }

    /// Waits until a dispatcher ended by itself, which none does.
    pub async fn failed(&mut self) {
        if self.tasks.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Stops: nothing new is claimed, and what is under way is brought to its result.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Orders of an account that the configuration does not have wait for ever: somebody should know.
async fn tell_of_strangers(config: &Config, store: &Store) -> Result<(), String> {
    for (account, orders) in store.accounts_under_way().await.map_err(|error| error.to_string())? {
        if !config.accounts.contains_key(&account) {
            tracing::error!(account, orders, "orders wait for an account that is not configured any more");
        }
    }
    Ok(())
}

/// Wakes every dispatcher when another process changed the store, and keeps its mark.
async fn watch_commands(store: Store, mut stopping: watch::Receiver<bool>) {
    let mut seen = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_millis(WATCH_MS)) => {}
            () = async { let _ = stopping.wait_for(|stop| *stop).await; } => return,
        }
        let version = store.version().await.ok();
        if version != seen {
            seen = version;
            store.board().wake_all();
            if let Err(error) = store.mark().await {
                tracing::warn!(%error, "the store's mark could not be written");
            }
        }
    }
}
