//! The channels as they are served: their texts, versions in the store, and what happens when a text changes.

mod save;
mod shared;
mod texts;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use parom_core::Code;
use parom_core::channel::parse;
use parom_core::redact::without_plain_secrets;
use tokio::sync::watch;

use crate::config::{ChannelSet, Config, LiveChannel, channel_of};
use crate::dictionaries::Dictionaries;
use crate::operate;
use crate::store::{Store, StoreError};

pub use save::{NotSaved, save};
pub use shared::{Became, pull, push, read_all};

use texts::{Kept, Written};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The served channels. Readers take the whole set and keep it for their request.
#[derive(Debug)]
pub struct Channels {
    set: RwLock<Arc<ChannelSet>>,
    kept: tokio::sync::Mutex<Kept>,
    /// Channels whose held orders are to be looked at once more.
    late: Mutex<BTreeSet<String>>,
}

impl Channels {
    /// Reads the channels for the first time; a broken one falls back to the last good version in the store.
    ///
    /// # Errors
    /// A store that does not write, or a folder that cannot be read: nobody knows the channels then.
    pub async fn start(config: &Config, store: &Store) -> Result<Channels, StoreError> {
        let channels = Channels { set: RwLock::default(), kept: tokio::sync::Mutex::default(), late: Mutex::default() };
        channels.reload(config, store).await?;
        if channels.current().is_empty() {
            let folder = config.channels_dir();
            tracing::warn!(folder = %folder.display(), "there is no channel yet: every form is answered 404");
        }
        Ok(channels)
    }

    /// The channels now.
    #[must_use]
    pub fn current(&self) -> Arc<ChannelSet> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// One channel now.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<LiveChannel>> {
        self.current().get(name).cloned()
    }

    /// An order was held by this channel. Where that is another by now, what was held for the old one had been looked at before
    /// the order was there.
    pub(crate) fn notice_held(&self, live: &LiveChannel) {
        if self.get(&live.name).is_some_and(|now| !std::ptr::eq(&raw const *now, live)) {
            self.late.lock().unwrap_or_else(PoisonError::into_inner).insert(live.name.clone());
        }
    }

    /// Reads the channels again; gives the names of channels that became usable with this.
    ///
    /// # Errors
    /// A store that does not write, or a folder that is gone or cannot be read: the set stays as it was.
    pub async fn reload(&self, config: &Config, store: &Store) -> Result<Vec<String>, StoreError> {
        let before = self.current();
        let folder = config.channels_dir();
        if !before.is_empty() && !store.keeps_channels() && !folder.exists() {
            return Err(StoreError::Refused(format!("the channels' folder {} is gone", folder.display())));
        }
        let mut after = ChannelSet::new();
        let mut mended = Vec::new();
        for written in self.kept.lock().await.adopt(config, store).await? {
            let Written { name, file, text } = written;
            let old = before.get(&name);
            if let Some(old) = old.filter(|old| text.as_ref() == Ok(&old.text) && stands(config, old)) {
                after.insert(name, Arc::clone(old));
                continue;
            }
            let read = channel_of(config, name.clone(), file, text);
            if let Some(old) = old.filter(|old| old.text == read.text && old.is_broken() == read.is_broken()) {
                after.insert(name, Arc::clone(old));
                continue;
            }
            let live = keep(config, store, old, read).await?;
            if !live.is_broken() {
                mended.push(name.clone());
            }
            after.insert(name, Arc::new(live));
        }
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(after);
        Ok(mended)
    }

    /// Watches the files until the process stops; what was held for a broken channel goes through the mended one.
    pub async fn watch(
        self: Arc<Self>,
        config: Arc<Config>,
        store: Store,
        dictionaries: Arc<Dictionaries>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut pending: Vec<String> = self.current().keys().cloned().collect();
        let mut told = false;
        loop {
            for name in std::mem::take(&mut pending) {
                if let Err(error) = replay_broken(&self, &store, &dictionaries, &name).await {
                    tracing::warn!(channel = %name, %error, "held orders could not be replayed yet");
                    pending.push(name);
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = async { let _ = stop.wait_for(|stop| *stop).await; } => return,
            }
            pending.extend(std::mem::take(&mut *self.late.lock().unwrap_or_else(PoisonError::into_inner)));
            match self.reload(&config, &store).await {
                Ok(mended) => {
                    pending.extend(mended);
                    told = false;
                }
                Err(error) if !std::mem::replace(&mut told, true) => {
                    tracing::error!(%error, "channels cannot be read again; they are served as they were");
                }
                Err(_) => {}
            }
        }
    }
}

/// Whether a channel would come to the same, were its text read again.
fn stands(config: &Config, live: &LiveChannel) -> bool {
    // What a broken one lacked may be there now: an account, a secret.
    !live.is_broken() && live.channel.as_ref().is_some_and(|channel| config.accounts.has(&channel.account))
}

/// A read file with its version in the store; the last good version in the place of a broken one.
async fn keep(
    config: &Config,
    store: &Store,
    old: Option<&Arc<LiveChannel>>,
    mut read: LiveChannel,
) -> Result<LiveChannel, StoreError> {
    let usable = read.channel.is_some();
    // A secret that was written into the file makes it broken, and must not come into the store by its history.
    let text = if usable { read.text.clone() } else { without_plain_secrets(&read.text) };
    if let Some(channel) = &read.channel
        && let Some(before) = store.last_usable(&read.name).await?
        && parse(&read.name, &before.text).0.is_some_and(|before| before.account != channel.account)
    {
        // They are the other account's buyers.
        store.drop_samples(&read.name).await?;
    }
    let version = store.keep_version(&read.name, &text, usable).await?;
    if read.channel.is_some() {
        read.version = version;
        tracing::info!(channel = %read.name, version, "channel read");
        return Ok(read);
    }
    tracing::error!(channel = %read.name, fault = %read.fault(), "the channel's file is broken");
    if let Some(old) = old.filter(|old| old.channel.is_some()) {
        read.channel.clone_from(&old.channel);
        read.secrets.clone_from(&old.secrets);
        read.version = old.version;
    } else if parse(&read.name, &read.text).0.is_none()
        && let Some(kept) = store.last_usable(&read.name).await?
    {
        // Only in the place of a file that is wrong in itself. One that lacks its account or its secret holds what comes:
        // an older one may deliver to another account, by another mapping.
        let (channel, _) = parse(&read.name, &kept.text);
        // An old version whose secret is gone would stand open to all: it is not used then.
        if let Some(channel) = channel.filter(|channel| config.accounts.has(&channel.account))
            && let Ok(secrets) = crate::config::read_secrets(&config.dir, &channel.access)
        {
            read.channel = Some(Arc::new(channel));
            read.secrets = secrets;
            read.version = kept.id;
        }
    }
    Ok(read)
}

async fn replay_broken(
    channels: &Channels,
    store: &Store,
    dictionaries: &Dictionaries,
    name: &str,
) -> Result<(), StoreError> {
    if channels.get(name).is_none_or(|live| live.channel.is_none()) {
        return Ok(());
    }
    let mut held = store.held_for(name, Code::ChannelBroken.as_str()).await?;
    // A channel that learnt has its mapping now.
    held.extend(store.held_for(name, Code::NoMapping.as_str()).await?);
    // In the order in which they came: ids begin with the time.
    held.sort();
    for id in held {
        match operate::replay(store, &channels.current(), dictionaries, &id, "mended channel").await {
            // One that cannot be decided must not keep the others.
            Err(StoreError::Refused(why)) => tracing::warn!(order = %id, why, "a held order could not be replayed"),
            done => drop(done?),
        }
    }
    Ok(())
}
