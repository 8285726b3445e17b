//! The accounts' dictionaries as they are used: read from the store at the start, and again when delivery fetched others.
//!
//! A changed dictionary concerns orders that were decided by the old one: what waits for delivery is checked again before
//! any of it is claimed, and what was held for a dictionary's sake is released when it is right now. So is what
//! waited for Nova Poshta's first directory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use parom_core::dictionary::{self, Dictionary};
use parom_core::novaposhta::Directory;
use parom_core::order::Verdict;
use tokio::sync::{Notify, watch};

use crate::channels::Channels;
use crate::novaposhta::NovaPoshta;
use crate::operate;
use crate::store::{Recheck, Store, StoreError, Unchecked};

/// Orders that are checked again at once.
const BATCH: usize = 100;
/// After a store that did not write.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Default)]
struct Held {
    current: Arc<Dictionary>,
    /// The version by which every queued order of the account was checked.
    settled: i64,
    /// Orders that were held for the dictionaries' sake are to be looked at.
    pending: bool,
}

/// The dictionaries of every account.
#[derive(Debug, Default)]
pub struct Dictionaries {
    novaposhta: Arc<NovaPoshta>,
    set: RwLock<HashMap<String, Held>>,
    changed: Notify,
}

impl Dictionaries {
    /// Reads what the store has.
    ///
    /// # Errors
    /// As any read.
    pub async fn start(
        accounts: &[String],
        store: &Store,
        novaposhta: Arc<NovaPoshta>,
    ) -> Result<Dictionaries, StoreError> {
        let dictionaries = Dictionaries { novaposhta, ..Dictionaries::default() };
        for account in accounts {
            dictionaries.reload(account, store).await?;
        }
        Ok(dictionaries)
    }

    /// An account's dictionaries; none where nothing was ever fetched.
    #[must_use]
    pub fn get(&self, account: &str) -> Option<Arc<Dictionary>> {
        let set = self.set.read().unwrap_or_else(PoisonError::into_inner);
        set.get(account).map(|held| Arc::clone(&held.current)).filter(|dictionary| !dictionary.is_empty())
    }

    /// Nova Poshta's directory, which is the same for every account; none where it is not kept, or was never fetched.
    #[must_use]
    pub fn directory(&self) -> Option<Arc<Directory>> {
        self.novaposhta.directory()
    }

    /// Whether every queued order of the account was checked by its dictionaries as they are now.
    #[must_use]
    pub fn is_settled(&self, account: &str) -> bool {
        let set = self.set.read().unwrap_or_else(PoisonError::into_inner);
        set.get(account).is_none_or(|held| held.settled >= held.current.version)
    }

    /// Reads an account's dictionaries again after they were fetched.
    ///
    /// # Errors
    /// As any read.
    pub async fn reload(&self, account: &str, store: &Store) -> Result<(), StoreError> {
        let (dictionary, _) = store.dictionary(account).await?;
        {
            let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
            let held = set.entry(account.to_owned()).or_default();
            held.current = Arc::new(dictionary);
            held.pending = true;
        }
        self.changed.notify_one();
        Ok(())
    }

    /// Reads those that another node fetched, and those of accounts that are new.
    ///
    /// # Errors
    /// As any read.
    pub async fn catch_up(&self, accounts: &[String], store: &Store) -> Result<(), StoreError> {
        let versions = store.dictionary_versions().await?;
        for account in accounts {
            let newest = versions.get(account).copied().unwrap_or_default();
            if self.version(account).is_none_or(|held| held < newest) {
                self.reload(account, store).await?;
            }
        }
        Ok(())
    }

    fn version(&self, account: &str) -> Option<i64> {
        let set = self.set.read().unwrap_or_else(PoisonError::into_inner);
        set.get(account).map(|held| held.current.version)
    }

    /// A queued order was checked by an older version after all: the next pass finds it.
    pub fn unsettle(&self, account: &str) {
        {
            let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = set.get_mut(account) {
                held.settled = held.settled.min(held.current.version - 1);
            }
        }
        self.changed.notify_one();
    }

    /// An order was just held that was decided by this version, and perhaps before there was a directory: if that is not how
    /// things are today, it is looked at again.
    pub fn notice(&self, account: &str, checked: i64, without_directory: bool) {
        let came = without_directory && self.directory().is_some_and(|directory| !directory.is_empty());
        let newer = {
            let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
            let held = set.get_mut(account).filter(|held| came || held.current.version > checked);
            held.is_some_and(|held| {
                held.pending = true;
                true
            })
        };
        if newer {
            self.changed.notify_one();
        }
    }

    /// Checks orders again whenever an account's dictionaries changed, until the process stops.
    pub async fn watch(self: Arc<Self>, channels: Arc<Channels>, store: Store, mut stop: watch::Receiver<bool>) {
        loop {
            let pass = async {
                let mut failed = false;
                // What waits for delivery first, of every account; then what waits for a person.
                for account in self.accounts(|held| held.settled < held.current.version) {
                    if let Err(error) = self.settle(&account, &channels, &store).await {
                        tracing::warn!(account, %error, "orders could not be checked by newer dictionaries yet");
                        failed = true;
                    }
                }
                for account in self.accounts(|held| held.pending) {
                    if let Err(error) = self.release(&account, &channels, &store).await {
                        tracing::warn!(account, %error, "held orders could not be looked at yet");
                        failed = true;
                    }
                }
                failed
            };
            let failed = tokio::select! {
                failed = pass => failed,
                () = async { let _ = stop.clone().wait_for(|stop| *stop).await; } => return,
            };
            let pause = if failed { AGAIN } else { Duration::from_secs(3_600) };
            tokio::select! {
                () = self.changed.notified() => {}
                () = self.novaposhta.came() => self.look_at_held(),
                () = tokio::time::sleep(pause) => {}
                () = async { let _ = stop.wait_for(|stop| *stop).await; } => return,
            }
        }
    }

    /// Those of every account.
    fn look_at_held(&self) {
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        set.values_mut().for_each(|held| held.pending = true);
    }

    fn accounts(&self, which: impl Fn(&Held) -> bool) -> Vec<String> {
        let set = self.set.read().unwrap_or_else(PoisonError::into_inner);
        set.iter().filter(|(_, held)| which(held)).map(|(name, _)| name.clone()).collect()
    }

    async fn release(&self, account: &str, channels: &Channels, store: &Store) -> Result<(), StoreError> {
        for id in store.held_for_dictionary(account).await? {
            match operate::mended(store, &channels.current(), self, &id).await {
                // One that cannot be decided must not keep the others.
                Err(StoreError::Refused(why)) => {
                    tracing::warn!(order = %id, why, "a held order could not be looked at")
                }
                done => done?,
            }
            if !self.accounts(|held| held.settled < held.current.version).is_empty() {
                // Newer dictionaries came: what waits for delivery goes first, and this pass begins anew.
                self.changed.notify_one();
                return Ok(());
            }
        }
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = set.get_mut(account) {
            held.pending = false;
        }
        Ok(())
    }

    async fn settle(&self, account: &str, channels: &Channels, store: &Store) -> Result<(), StoreError> {
        let Some(dictionary) = self.get(account) else { return Ok(()) };
        loop {
            let orders = store.unchecked(account, dictionary.version, BATCH).await?;
            if orders.is_empty() {
                break;
            }
            let mut checks = Vec::with_capacity(orders.len());
            for order in orders {
                let check = check(&order, channels, &dictionary);
                if let Some(reason) = &check.held_for {
                    tracing::warn!(order = %order.id, reason, "held: the account's dictionaries changed");
                }
                checks.push(store.recheck(order.seq, order.replaced, check));
                // A long queue must not keep everything else of this thread waiting.
                tokio::task::yield_now().await;
            }
            // Together, so that they share a flush: delivery waits for the last of them.
            futures_util::future::try_join_all(checks).await?;
        }
        {
            let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = set.get_mut(account) {
                held.settled = dictionary.version;
            }
        }
        store.board().wake_of(account).notify_one();
        Ok(())
    }
}

/// A check that fails in a way that nobody foresaw holds its one order, not the account.
fn check(order: &Unchecked, channels: &Channels, dictionary: &Dictionary) -> Recheck {
    let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| decide(order, channels, dictionary)));
    checked.unwrap_or_else(|_| {
        tracing::error!(order = %order.id, "an order could not be checked; it is held");
        let reason = Some(parom_core::Code::ExpressionFailed.as_str().to_owned());
        Recheck { held_for: reason, body: None, problems: order.problems.clone(), version: dictionary.version }
    })
}

/// A queued order beside newer dictionaries, by its channel's own rules.
fn decide(order: &Unchecked, channels: &Channels, dictionary: &Dictionary) -> Recheck {
    let live = channels.get(&order.channel);
    let kept = |body, problems| Recheck { held_for: None, body, problems, version: dictionary.version };
    let channel = live.as_ref().and_then(|live| live.channel.as_ref());
    let (Some(channel), Some(body)) = (channel, &order.body) else {
        return kept(None, order.problems.clone());
    };
    let (draft, verdict) =
        dictionary::again(order.target, body, dictionary, channel.unknown_sku, channel.on_invalid, &channel.locale());
    let old = order.problems.iter().filter(|problem| !problem.code.is_of_dictionary());
    // A text that an earlier check moved to the manager's comment stays named.
    let mended = order
        .problems
        .iter()
        .filter(|problem| problem.code.is_of_dictionary() && problem.effect == parom_core::Effect::Mend);
    let problems: Vec<_> = old.chain(mended).cloned().chain(draft.problems).collect();
    if verdict == Verdict::Go {
        return kept(Some(draft.body), problems);
    }
    let holding = problems.iter().find(|problem| problem.effect == parom_core::Effect::Hold);
    let reason = holding.map_or("invalid", |problem| problem.code.as_str()).to_owned();
    // It is held as it was accepted: what would have been left out of it is for the person to see.
    Recheck { held_for: Some(reason), body: None, problems, version: dictionary.version }
}
