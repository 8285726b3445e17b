//! Which accounts this node delivers for: it takes their leases, runs a dispatcher for each, and lets go what is another's.
//! Where one `serve` has a file for itself, that is every account, for as long as it runs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parom_core::delivery::share;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connected::{Changes, Connections};
use super::dispatcher::Dispatcher;
use super::tell_of_strangers;
use crate::clock;
use crate::config::{Config, trial_lease_ms};
use crate::dictionaries::Dictionaries;
use crate::store::{Neighbours, Pulse, Store, StoreError};

/// How often leases are renewed: several times within one.
const RENEW_MS: u64 = 20_000;
/// How often it is looked whether another node is gone, and whether the accounts are others.
const LOOK_MS: u64 = 2_000;

pub(super) struct Keeper {
    config: Arc<Config>,
    store: Store,
    dictionaries: Arc<Dictionaries>,
    connections: Connections,
    stopping: watch::Receiver<bool>,
    running: HashMap<String, Running>,
    ends: JoinSet<(String, i64)>,
    renewed: Option<u64>,
}

/// A dispatcher at work.
struct Running {
    epoch: i64,
    stop: watch::Sender<bool>,
    /// Whether the others know that it rests.
    told_resting: bool,
}

impl Keeper {
    pub(super) fn new(
        config: &Arc<Config>,
        store: &Store,
        dictionaries: &Arc<Dictionaries>,
        connections: Connections,
        stopping: watch::Receiver<bool>,
    ) -> Keeper {
        Keeper {
            config: Arc::clone(config),
            store: store.clone(),
            dictionaries: Arc::clone(dictionaries),
            connections,
            stopping,
            running: HashMap::new(),
            ends: JoinSet::new(),
            renewed: None,
        }
    }

    /// The first look: what is this node's is under way before it listens.
    pub(super) async fn start(&mut self) -> Result<(), StoreError> {
        if let Some(node) = self.store.node() {
            tracing::info!(node, "the store is shared with other nodes");
            return self.look().await;
        }
        self.take_all().await
    }

    /// Where no node shares the store, every account is this one's.
    async fn take_all(&mut self) -> Result<(), StoreError> {
        for account in self.connections.names() {
            if !self.running.contains_key(&account) {
                self.take(&account).await?;
            }
        }
        Ok(())
    }

    /// Keeps until the process stops; then every dispatcher ends first.
    pub(super) async fn run(mut self) {
        let pause = Duration::from_millis(shorter(LOOK_MS));
        while !*self.stopping.borrow() {
            tokio::select! {
                () = tokio::time::sleep(pause) => {
                    if let Err(error) = self.again().await {
                        tracing::warn!(%error, "accounts and leases could not be looked at");
                    }
                }
                Some(end) = self.ends.join_next() => self.ended(end).await,
                _ = self.stopping.changed() => {}
            }
        }
        self.running.values().for_each(|running| _ = running.stop.send_replace(true));
        while let Some(end) = self.ends.join_next().await {
            self.ended(end).await;
        }
        if let Err(error) = self.store.leave().await {
            tracing::warn!(%error, "the other nodes were not told that this one ends");
        }
    }

    async fn again(&mut self) -> Result<(), StoreError> {
        self.meet_accounts().await?;
        if self.store.node().is_some() { self.look().await } else { self.take_all().await }
    }

    /// Reads the accounts again. What delivers by an account's old form ends; it is taken again when that has ended.
    async fn meet_accounts(&mut self) -> Result<(), StoreError> {
        for fault in self.config.accounts.reload(&self.config.dir) {
            tracing::error!(%fault, "an account's file cannot be used; what was read of it before, if anything, stays in use");
        }
        let Changes { begun, ended } = self.connections.meet(&self.config);
        if !begun.is_empty() || !ended.is_empty() {
            tracing::info!(?begun, ?ended, "accounts were read again");
            // The others learn at once which accounts this node could deliver for.
            self.renewed = None;
            tell_of_strangers(&self.config, &self.store).await?;
        }
        ended.iter().for_each(|account| self.end(account));
        self.dictionaries.catch_up(&self.connections.names(), &self.store).await
    }

    /// Renews what is due, and takes and releases what has become another's.
    async fn look(&mut self) -> Result<(), StoreError> {
        let now = clock::mono().0;
        if self.renewed.is_none_or(|at| now >= at.saturating_add(shorter(RENEW_MS))) {
            let running = self.running.keys().cloned().collect();
            let held = self.store.beat(self.connections.names(), running).await?;
            self.renewed = Some(now);
            self.drop_lost(&held);
        }
        let mut seen = self.store.neighbours().await?;
        self.drop_lost(&seen.epochs);
        let Some(me) = self.store.node() else { return Ok(()) };
        // A lease that was taken or let go by half, because the store did not answer, is nobody's.
        seen.held.retain(|account, holder| holder != me || self.running.contains_key(account));
        let moves = share::moves(me, &seen.nodes, &seen.held);
        for account in moves.release {
            self.end(&account);
        }
        for account in moves.take {
            if !self.running.contains_key(&account) {
                self.take(&account).await?;
            }
        }
        self.share_pulses(&seen).await
    }

    /// Tells how the accounts of this node stand, and hears of the others'.
    async fn share_pulses(&mut self, seen: &Neighbours) -> Result<(), StoreError> {
        let board = self.store.board();
        let rests = |account: &String| board.pulse(account).resting;
        let changed = self.running.iter().filter(|(account, running)| rests(account) != running.told_resting);
        let stands: Vec<_> = changed.map(|(name, running)| (name.clone(), running.epoch, rests(name))).collect();
        // Those too that this node could not deliver for: it takes orders for them.
        for account in self.config.accounts.names().iter().filter(|account| !self.running.contains_key(*account)) {
            let resting = !seen.held.contains_key(account) || seen.resting.contains(account);
            board.set_pulse(account, Pulse { resting, free_places: usize::from(!resting) });
        }
        if stands.is_empty() {
            return Ok(());
        }
        self.store.tell_resting(stands.clone()).await?;
        for (account, _, resting) in stands {
            self.running.entry(account).and_modify(|running| running.told_resting = resting);
        }
        Ok(())
    }

    /// Another took it over meanwhile: nothing new is sent.
    fn drop_lost(&self, held: &BTreeMap<String, i64>) {
        for (account, running) in &self.running {
            if held.get(account) != Some(&running.epoch) {
                tracing::warn!(account, "another node has taken over the delivery of this account");
                running.stop.send_replace(true);
            }
        }
    }

    fn end(&self, account: &str) {
        if let Some(running) = self.running.get(account) {
            running.stop.send_replace(true);
        }
    }

    async fn take(&mut self, account: &str) -> Result<(), StoreError> {
        let Some(connected) = self.connections.get(account) else { return Ok(()) };
        let (settings, client) = (connected.account.clone(), connected.client.clone());
        let delivery = &self.config.delivery;
        let quiet = i64::try_from(delivery.quiet_period.as_millis()).unwrap_or(i64::MAX / 4);
        let Some(lease) = self.store.take_lease(account, quiet).await? else { return Ok(()) };
        if lease.cut_off > 0 {
            tracing::warn!(
                account,
                orders = lease.cut_off,
                "orders were being sent when their sender ended; they will be looked up first"
            );
        }
        let (stop, stopping) = watch::channel(false);
        let (store, dictionaries) = (self.store.clone(), Arc::clone(&self.dictionaries));
        let dispatcher =
            Dispatcher::new(&settings, lease.epoch, delivery, store, client, dictionaries, stopping).await?;
        // A sender of the first moment waits for the CRM's answer too.
        dispatcher.tell_pulse();
        self.running.insert(account.to_owned(), Running { epoch: lease.epoch, stop, told_resting: false });
        let end = (account.to_owned(), lease.epoch);
        self.ends.spawn(async move {
            dispatcher.run().await;
            end
        });
        Ok(())
    }

    async fn ended(&mut self, end: Result<(String, i64), tokio::task::JoinError>) {
        let (account, epoch) = match end {
            Ok(end) => end,
            // Nobody knows what it left undone: the process ends, and the next start looks things up.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        self.running.remove(&account);
        if let Err(error) = self.store.release(&account, epoch).await {
            tracing::warn!(account, %error, "a lease could not be released; it runs out by itself");
        }
    }
}

/// With a test's short lease everything is as much shorter.
fn shorter(millis: u64) -> u64 {
    trial_lease_ms().map_or(millis, |lease| millis.min(u64::try_from(lease).unwrap_or(millis) / 5).max(100))
}
