//! Delivery: one dispatcher an account, which claims, sends, settles, and looks up what is doubtful. It knows the store
//! and the CRM's client, and nothing of intake.

mod changes;
mod connected;
mod dispatcher;
mod fetch;
mod keeper;
mod look;
mod once;
mod send;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::dictionaries::Dictionaries;
use crate::store::{Store, StoreError, Touched};

pub use once::fetch_now;

use connected::Connections;
use keeper::Keeper;

/// Touched that come so close to each other are taken together.
const TOGETHER_MS: u64 = 20;

/// The running dispatchers.
#[derive(Debug)]
pub struct Delivery {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Delivery {
    /// Starts a dispatcher for each account that is this node's; first, what was cut off becomes doubtful.
    ///
    /// # Errors
    /// A store that does not write, or a client that cannot be made, in words.
    pub async fn start(
        config: &Arc<Config>,
        store: &Store,
        dictionaries: &Arc<Dictionaries>,
    ) -> Result<Delivery, String> {
        for fault in config.accounts.faults().values() {
            tracing::error!(%fault, "an account's file cannot be used");
        }
        tell_of_strangers(config, store).await.map_err(|error| error.to_string())?;
        let connections = Connections::start(config)?;
        let (stop, stopping) = watch::channel(false);
        let mut keeper = Keeper::new(config, store, dictionaries, connections, stopping.clone());
        keeper.start().await.map_err(|error| error.to_string())?;
        let mut tasks = JoinSet::new();
        tasks.spawn(keeper.run());
        tasks.spawn(listen(store.clone(), stopping));
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
async fn tell_of_strangers(config: &Config, store: &Store) -> Result<(), StoreError> {
    for (account, orders) in store.accounts_under_way().await? {
        if !config.accounts.has(&account) {
            tracing::error!(account, orders, "orders wait for an account that is not configured any more");
        }
    }
    Ok(())
}

/// Wakes dispatchers when another process changed their rows, and keeps the file's mark.
async fn listen(store: Store, mut stopping: watch::Receiver<bool>) {
    let mut others = store.listen();
    loop {
        let heard = tokio::select! {
            heard = others.next() => heard,
            () = async { let _ = stopping.wait_for(|stop| *stop).await; } => return,
        };
        if let Err(error) = hear(&store, heard).await {
            tracing::warn!(%error, "what another process changed could not be looked at yet");
        }
        tokio::time::sleep(std::time::Duration::from_millis(TOGETHER_MS)).await;
    }
}

async fn hear(store: &Store, touched: Touched) -> Result<(), StoreError> {
    match touched {
        Touched::All => store.board().wake_all(),
        Touched::Accounts(accounts) => accounts.iter().for_each(|account| store.board().tell_of_others(account)),
    }
    // Who paused an account may have told another node.
    store.board().set_all_paused(store.pauses().await?.into_keys().collect());
    store.mark().await
}
