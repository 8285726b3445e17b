//! What is wrong beside orders, and when it is over. Several nodes may see the same fault: each looks at what it can judge.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::UNIX_EPOCH;

use parom_core::silence;
use serde::{Deserialize, Serialize};

use crate::channels::Channels;
use crate::clock;
use crate::config::{Alerts, Config, trial_lease_ms};
use crate::store::{Store, StoreError};

/// An account that rests for so long is told of.
const RESTS_MS: u64 = 120_000;
/// An order in doubt for so long is told of.
const IN_DOUBT_MS: i64 = 15 * 60_000;
/// So many looks share one at the silence of channels and the age of backups, which change slowly.
const SLOW: u32 = 20;

/// What is wrong. It is kept in the store by its text in JSON, until it is over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Fault {
    /// The CRM refuses an account's key.
    KeyRefused(String),
    /// The CRM takes nothing from an account.
    Rests(String),
    /// Orders of an account may or may not be in the CRM, and looking does not settle it.
    InDoubt(String),
    /// A channel's file cannot be used, on this machine.
    Broken(String, String),
    /// An account's own file cannot be used, on this machine.
    AccountFile(String, String),
    /// A channel sends no more, unlike before.
    Silent(String),
    /// Soon there is no room for orders on this machine's disk.
    Disk(String),
    /// The newest backup that this machine sees is too old, or it sees none.
    BackupOld(String),
    /// Orders wait for an account that no node has any more.
    Stranger(String),
    /// A node ended without a word.
    NodeLost(String),
}

/// A node that is not there for so long is told of: a third of a lease, which a test has shorter.
fn missing_ms() -> u64 {
    trial_lease_ms().and_then(|lease| u64::try_from(lease).ok()).unwrap_or(90_000) / 3
}

/// What this process knows between its looks.
pub(super) struct Eyes {
    /// This machine's name, where there may be others.
    machine: String,
    /// Since when accounts rest, by this process's clock.
    resting: BTreeMap<String, u64>,
    /// Since when nodes are not there, in looks that all came to their end.
    missing: BTreeMap<String, u64>,
    /// Since when orders wait for accounts that nobody has.
    strange: BTreeMap<String, u64>,
    /// Accounts that other nodes have.
    elsewhere: BTreeSet<String>,
    /// This process's own.
    own: BTreeSet<String>,
    /// The last look came to its end.
    whole: bool,
    /// What changes slowly, and in how many looks it is looked at again.
    slow: (BTreeSet<Fault>, u32),
}

impl Eyes {
    pub(super) fn new(store: &Store) -> Eyes {
        let name = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        let machine = store.node().map_or_else(String::new, |_| name());
        let (elsewhere, own) = (BTreeSet::new(), BTreeSet::new());
        let (resting, missing, strange) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Eyes { machine, resting, missing, strange, elsewhere, own, whole: true, slow: (BTreeSet::new(), 0) }
    }

    /// What is wrong now.
    pub(super) async fn look(
        &mut self,
        config: &Config,
        alerts: &Alerts,
        store: &Store,
        channels: &Channels,
    ) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        let now = clock::mono().0;
        if !std::mem::take(&mut self.whole) {
            // While the store was away nobody could say that they are there, or that they do not rest any more.
            self.missing.clear();
            self.strange.clear();
            self.resting.clear();
        }
        self.own = config.accounts.names().into_iter().collect();
        self.elsewhere = others(store).await?;
        for name in &self.own {
            if store.sync_state(name).await?.key_is_refused() {
                faults.push(Fault::KeyRefused(name.clone()));
            }
            // Who paused it knows that it rests.
            if !store.board().pulse(name).resting || store.board().is_paused(name) {
                self.resting.remove(name);
            } else if now.saturating_sub(*self.resting.entry(name.clone()).or_insert(now)) >= RESTS_MS {
                faults.push(Fault::Rests(name.clone()));
            }
        }
        let in_doubt = store.in_doubt_since(clock::now().as_millisecond() - IN_DOUBT_MS).await?;
        faults.extend(in_doubt.into_iter().map(Fault::InDoubt));
        let unusable = config.accounts.faults().into_keys();
        faults.extend(unusable.map(|name| Fault::AccountFile(name, self.machine.clone())));
        let set = channels.current();
        let broken = set.values().filter(|live| live.is_broken());
        faults.extend(broken.map(|live| Fault::Broken(live.name.clone(), self.machine.clone())));
        if store.is_disk_low() {
            faults.push(Fault::Disk(self.machine.clone()));
        }
        let lost = store.lost_nodes().await?;
        self.missing.retain(|name, _| lost.contains(name));
        for name in lost {
            // After a server's own absence each node needs a moment to be seen again.
            if clock::mono().0.saturating_sub(*self.missing.entry(name.clone()).or_insert(now)) >= missing_ms() {
                faults.push(Fault::NodeLost(name));
            }
        }
        let waits = store.accounts_under_way().await?.into_iter().map(|(account, _)| account);
        let strange: Vec<String> = waits.filter(|account| !self.is_served(account)).collect();
        self.strange.retain(|account, _| strange.contains(account));
        for account in strange {
            // The node that has it may just begin again.
            if now.saturating_sub(*self.strange.entry(account.clone()).or_insert(now)) >= missing_ms() {
                faults.push(Fault::Stranger(account));
            }
        }
        if self.slow.1 == 0 {
            self.slow = (slow(alerts, store, set.keys(), &self.machine).await?, SLOW);
        }
        self.slow.1 -= 1;
        faults.extend(self.slow.0.iter().cloned());
        self.whole = true;
        Ok(faults)
    }

    /// Whether this process can say that a fault, which it does not see, is over.
    pub(super) fn judges(&self, fault: &Fault) -> bool {
        match fault {
            // Of an account that it does not have a node sees nothing; where nobody has it, that is over.
            Fault::KeyRefused(account) => self.looks_at(account),
            Fault::Rests(account) => self.looks_at(account) && !self.resting.contains_key(account),
            Fault::NodeLost(name) => !self.missing.contains_key(name),
            Fault::Stranger(account) => !self.strange.contains_key(account),
            Fault::Broken(_, machine)
            | Fault::AccountFile(_, machine)
            | Fault::Disk(machine)
            | Fault::BackupOld(machine) => *machine == self.machine,
            _ => true,
        }
    }

    fn looks_at(&self, account: &str) -> bool {
        self.own.contains(account) || !self.elsewhere.contains(account)
    }

    fn is_served(&self, account: &str) -> bool {
        self.own.contains(account) || self.elsewhere.contains(account)
    }
}

/// The accounts that other nodes have.
async fn others(store: &Store) -> Result<BTreeSet<String>, StoreError> {
    let Some(me) = store.node() else { return Ok(BTreeSet::new()) };
    let nodes = store.neighbours().await?.nodes;
    Ok(nodes.into_iter().filter(|node| node.name != me).flat_map(|node| node.accounts).collect())
}

async fn slow(
    alerts: &Alerts,
    store: &Store,
    channels: impl Iterator<Item = &String>,
    machine: &str,
) -> Result<BTreeSet<Fault>, StoreError> {
    let now = clock::now().as_millisecond();
    let mut faults = BTreeSet::new();
    for channel in channels {
        let times = store.last_of_channel(channel, silence::ORDERS).await?;
        if silence::unusual(&times, now).is_some() {
            faults.insert(Fault::Silent(channel.clone()));
        }
    }
    if let Some((place, age)) = &alerts.backups {
        let (place, age) = (place.clone(), i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        let newest = tokio::task::spawn_blocking(move || newest(&place)).await.ok().flatten();
        if newest.is_none_or(|newest| newest < now.saturating_sub(age)) {
            faults.insert(Fault::BackupOld(machine.to_owned()));
        }
    }
    Ok(faults)
}

/// When the file, or the newest of the folder's files, was written last, milliseconds.
fn newest(place: &Path) -> Option<i64> {
    let written = |path: &Path| {
        let about = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        // An empty file is no backup.
        let at = about.modified().ok().filter(|_| about.len() > 0)?.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(at.as_millis()).ok()
    };
    if let Ok(folder) = std::fs::read_dir(place) {
        return folder.flatten().filter_map(|file| written(&file.path())).max();
    }
    written(place)
}
